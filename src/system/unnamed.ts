/**
 * Handles on objects without a name: of this process alone, until they are handed on.
 */
import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type ObjectKind, objectKinds } from '../base/object-kind.js';
import { type Backing, MemoryObject } from '../memory/memory-object.js';
import { takenByWaits } from '../memory/object-content.js';
import type { ObjectHandle, SectionFacts } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import { sharedWritable } from '../memory/section-masks.js';
import { grant } from '../namespace/local-access.js';
import { newIdentity } from '../namespace/object-rules.js';
import { type Descriptor, os } from '../os/index.js';
import { changeDescriptor, creatorAccess, formatSddl, fromSddl, modifiesMemory, tokenOfThisProcess } from '../security/index.js';

/** The object that its handles share. */
interface Unnamed {
  readonly kind: ObjectKind;
  readonly identity: string;
  readonly facts: SectionFacts;
  readonly exclusive: boolean;
  security: string;
  /** Bytes, which a section over a file can come to have more of. */
  size: number;
  handles: number;
}

/** How it travels to another process. */
interface UnnamedFacts extends Omit<Unnamed, 'handles'> {
  readonly place: 'unnamed';
  readonly granted: number;
  readonly backing: Backing;
  readonly size: number;
  readonly pageSize: number;
}

/** Takes the descriptor over. */
export function unnamedParcel(descriptor: Descriptor, parts: Omit<UnnamedFacts, 'place'>): Parcel {
  const facts: UnnamedFacts = { place: 'unnamed', ...parts };
  return { facts, descriptors: [descriptor], close: () => os.descriptorClose(descriptor) };
}

const isSize = (value: unknown): boolean =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) <= MAXIMUM_SECTION_SIZE;

const LARGEST_PAGE = 2 ** 34;
const isPageSize = (value: unknown): boolean =>
  isSize(value) &&
  (value as number) >= os.pageSize &&
  (value as number) <= LARGEST_PAGE &&
  Number.isInteger(Math.log2(value as number));

/** Whatever another process says may be a lie: none may be one that later calls stumble over. */
function isUnnamed(given: unknown): given is UnnamedFacts {
  const { kind, identity, facts, exclusive, security, granted, backing, size, pageSize } = (given ?? {}) as Partial<UnnamedFacts>;
  return (
    objectKinds.includes(kind as ObjectKind) &&
    typeof identity === 'string' &&
    typeof exclusive === 'boolean' &&
    typeof security === 'string' &&
    typeof backing === 'string' &&
    typeof facts === 'object' &&
    facts !== null &&
    typeof facts.soleWriter === 'boolean' &&
    isSize(size) &&
    isSize(facts.size) &&
    isPageSize(pageSize) &&
    [granted, facts.pageProtection, facts.attributes].every((each) => Number.isSafeInteger(each))
  );
}

export class UnnamedHandle implements ObjectHandle {
  readonly memory: MemoryObject;
  readonly granted: number;
  readonly created: boolean;
  readonly name = null;
  readonly #object: Unnamed;
  #closed = false;

  private constructor(object: Unnamed, memory: MemoryObject, granted: number, created: boolean) {
    this.#object = object;
    object.handles++;
    this.created = created;
    this.memory = memory;
    this.granted = granted;
  }

  /** A new object; takes over its memory. */
  static create(
    kind: ObjectKind,
    memory: MemoryObject,
    creation: {
      readonly pageProtection: number;
      readonly attributes: number;
      readonly security: string;
      readonly desired: number;
      readonly exclusive?: boolean;
    },
  ): UnnamedHandle {
    const { pageProtection, attributes, security, desired, exclusive = false } = creation;
    const facts = { size: memory.size, pageProtection, attributes, soleWriter: memory.soleWriter };
    const object = { kind, identity: newIdentity(), facts, exclusive, security, size: memory.size, handles: 0 };
    return new UnnamedHandle(object, memory, creatorAccess(kind, desired), true);
  }

  /**
   * A handle on what another process has packed; takes over the descriptors, on failure too. Each process counts
   * its own handles on it.
   */
  static unpack(given: unknown, [descriptor, ...others]: readonly Descriptor[]): UnnamedHandle {
    if (!isUnnamed(given) || descriptor === undefined || others.length > 0) {
      for (const each of [descriptor, ...others]) if (each !== undefined) os.descriptorClose(each);
      throw new TypeError('no object without a name');
    }
    const { kind, identity, facts, exclusive, security, granted, backing, size, pageSize } = given;
    const writable = os.descriptorStat(descriptor).writable && !facts.soleWriter;
    const memory = MemoryObject.adopt(descriptor, { backing, size, pageSize, writable });
    const object = { kind, identity, facts, exclusive, security, size, handles: 0 };
    return new UnnamedHandle(object, memory, granted, false);
  }

  get kind(): ObjectKind {
    return this.#object.kind;
  }

  get facts(): SectionFacts {
    return this.#object.facts;
  }

  get identity(): string {
    return this.#object.identity;
  }

  duplicate(granted: number): ObjectHandle {
    this.#requireShareable('duplicate a handle');
    return new UnnamedHandle(this.#object, this.memory.share(), granted, false);
  }

  #requireShareable(operation: string): void {
    const refuse = (code: 'ERR_SECTION_CLOSED' | 'ERR_SECTION_ACCESS_DENIED', rule: string) =>
      new SectionError(code, { operation, object: this.memory.description, rule });
    if (this.#closed) throw refuse('ERR_SECTION_CLOSED', 'it is closed');
    if (this.#object.exclusive)
      throw refuse('ERR_SECTION_ACCESS_DENIED', 'the object is exclusive (OBJ_EXCLUSIVE), and its one handle is open');
  }

  reopen(desired: number): ObjectHandle {
    return this.duplicate(grant('open an object again', this.memory.description, this.kind, this.#object.security, desired));
  }

  pack(granted: number): Parcel {
    const { kind, identity, facts, exclusive, security } = this.#object;
    this.#requireShareable('hand an object on');
    const changes = modifiesMemory(kind, granted, takenByWaits(kind, this.memory));
    const write = changes && sharedWritable(facts.pageProtection) && !facts.soleWriter;
    const { backing, pageSize } = this.memory;
    const { size } = this.#object;
    const parts = { kind, identity, facts, exclusive, security, granted, backing, size, pageSize };
    return unnamedParcel(this.memory.descriptorFor(write), parts);
  }

  handleCount(): number {
    return this.#object.handles;
  }

  currentSize(): number {
    return this.#object.size;
  }

  extend(size: number): number {
    this.#object.size = Math.max(size, this.#object.size);
    return this.#object.size;
  }

  security(): string {
    return this.#object.security;
  }

  setSecurity(sddl: string): void {
    const operation = 'set the security of an object';
    const token = tokenOfThisProcess();
    const before = fromSddl(this.#object.security, token, operation);
    this.#object.security = formatSddl(changeDescriptor(operation, before, sddl, token).descriptor);
  }

  /** Permanence is a matter of names. */
  permanent(): boolean {
    return false;
  }

  setPermanent(): void {
    // Without a name nobody could find it again: NT, too, keeps named objects only.
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#object.handles--;
    this.memory.close();
  }
}
