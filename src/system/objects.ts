/**
 * The objects of the system process: sections with their names, rights and handle counts. Decides who
 * gets which descriptor; speaks to nobody.
 *
 * A descriptor that is handed out carries no more than the rights that were granted: the memory's own
 * mode allows nobody to open it anew, a reader gets a description that was opened for reading.
 */
import { SectionError } from '../base/error.js';
import { isSuccess, Status } from '../base/status.js';
import { type MemoryObject, roundUp } from '../memory/memory-object.js';
import type { SectionFacts, SectionHandle } from '../memory/section-handle.js';
import { foldCase, type SectionName } from '../namespace/name.js';
import { type Descriptor, os } from '../os/index.js';
import {
  accessCheck,
  fromSddl,
  SECTION_MAP_WRITE,
  type SecurityDescriptor,
  sectionMapping,
  type Token,
  tokenHolds,
  WellKnownSid,
} from '../security/index.js';
import { creatorAccess } from './lookup.js';

/** PAGE_READWRITE and PAGE_EXECUTE_READWRITE. */
const WRITABLE_PROTECTIONS = 0x04 | 0x40;

/** Who holds a handle: a client's connection, or kernel mode. */
export interface Holder {
  readonly pid: number;
  readonly kernel: boolean;
}

export class SectionObject {
  readonly name: SectionName;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly descriptor: SecurityDescriptor;
  /** The user whose account the memory is on; null for kernel mode. */
  readonly chargedTo: number | null;
  /** For those who may only read. */
  readonly #reader: Descriptor;
  readonly holders = new Map<Holder, { handles: number; granted: number }>();
  #handles = 0;

  /**
   * @param reader A description of the memory that was opened for reading; made here unless the caller
   * has one (of a file, which is not ours to reopen).
   */
  constructor(
    name: SectionName,
    memory: MemoryObject,
    facts: SectionFacts,
    descriptor: SecurityDescriptor,
    chargedTo: number | null,
    reader?: Descriptor,
  ) {
    this.name = name;
    this.memory = memory;
    this.facts = facts;
    this.descriptor = descriptor;
    this.chargedTo = chargedTo;
    this.#reader = reader ?? os.descriptorReopen(memory.descriptor, false);
    // From here nobody opens the memory by /proc/self/fd who does not own it.
    if (reader === undefined) os.descriptorSetMode(memory.descriptor, 0);
  }

  /** Bytes on its creator's account: whole pages, and nothing for a file. */
  get charge(): number {
    return this.memory.backing === 'file' ? 0 : roundUp(this.facts.size, this.memory.pageSize);
  }

  get handles(): number {
    return this.#handles;
  }

  /** Whether somebody with these rights gets a descriptor that writes. */
  writes(granted: number, isCreator: boolean): boolean {
    return (
      (granted & SECTION_MAP_WRITE) !== 0 &&
      this.memory.writable &&
      (this.facts.pageProtection & WRITABLE_PROTECTIONS) !== 0 &&
      (!this.facts.soleWriter || isCreator)
    );
  }

  descriptorFor(writes: boolean): Descriptor {
    return writes ? this.memory.descriptor : this.#reader;
  }

  retain(holder: Holder, granted: number): void {
    this.#handles++;
    const entry = this.holders.get(holder) ?? { handles: 0, granted: 0 };
    this.holders.set(holder, { handles: entry.handles + 1, granted: entry.granted | granted });
  }

  /** True when that was the last handle. */
  release(holder: Holder): boolean {
    const entry = this.holders.get(holder);
    if (entry !== undefined && --entry.handles === 0) this.holders.delete(holder);
    return --this.#handles === 0;
  }

  destroy(): void {
    os.descriptorClose(this.#reader);
    this.memory.close();
  }
}

export interface Opening {
  /** Null: kernel mode, no access check. */
  readonly token: Token | null;
  readonly desired: number;
  readonly caseInsensitive?: boolean;
}

/** The directory \BaseNamedObjects and all that lives in it. */
export class ObjectDirectory {
  readonly #byName = new Map<string, SectionObject>();
  readonly #accounts = new Map<number, { bytes: number; objects: number }>();
  readonly #audit: (line: string) => void;

  constructor(audit: (line: string) => void) {
    this.#audit = audit;
  }

  get size(): number {
    return this.#byName.size;
  }

  list(): readonly SectionObject[] {
    return [...this.#byName.values()];
  }

  /** What a user's clients have created and still lives. */
  accountOf(user: number): { readonly bytes: number; readonly objects: number } {
    return this.#accounts.get(user) ?? { bytes: 0, objects: 0 };
  }

  /** Sections of all users but root. */
  get objectsOfUsers(): number {
    let sum = 0;
    for (const [user, { objects }] of this.#accounts) if (user !== 0) sum += objects;
    return sum;
  }

  find(name: SectionName, caseInsensitive = false): SectionObject | undefined {
    const exact = this.#byName.get(name.leaf);
    if (exact !== undefined || !caseInsensitive) return exact;
    const folded = foldCase(name.leaf);
    return this.list().find((each) => foldCase(each.name.leaf) === folded);
  }

  /**
   * Opens an object for somebody: finds it and checks the rights.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED
   */
  open(operation: string, name: SectionName, opening: Opening): { readonly object: SectionObject; readonly granted: number } {
    const object = this.find(name, opening.caseInsensitive);
    if (object === undefined) {
      throw new SectionError('ERR_SECTION_NOT_FOUND', {
        operation,
        object: `"${name.full}"`,
        rule: 'the system process has no section of that name',
        wayOut: 'Is its driver loaded? "sectile ls" shows what there is',
      });
    }
    if (opening.token === null) return { object, granted: creatorAccess(opening.desired) };
    const { status, granted } = accessCheck(object.descriptor, opening.token, opening.desired, sectionMapping);
    if (isSuccess(status)) return { object, granted };
    this.#audit(`refused ${opening.token.describe()} access 0x${opening.desired.toString(16)} to "${name.full}"`);
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: `"${name.full}"`,
      rule: `its security descriptor does not grant access 0x${opening.desired.toString(16)} to ${opening.token.describe()}`,
      wayOut: 'Ask for less, or have its creator grant it',
      status,
    });
  }

  /** Enters a new object under its name, which the caller has found free. */
  add(object: SectionObject): void {
    this.#byName.set(object.name.leaf, object);
    this.#charge(object, 1);
  }

  /** Lets go of a handle; with the last one the name and this side's hold on the memory go. */
  release(object: SectionObject, holder: Holder): void {
    if (!object.release(holder)) return;
    if (this.#byName.get(object.name.leaf) === object) this.#byName.delete(object.name.leaf);
    this.#charge(object, -1);
    object.destroy();
  }

  #charge(object: SectionObject, sign: 1 | -1): void {
    if (object.chargedTo === null) return;
    const { bytes, objects } = this.accountOf(object.chargedTo);
    const after = { bytes: bytes + sign * object.charge, objects: objects + sign };
    if (after.objects === 0) this.#accounts.delete(object.chargedTo);
    else this.#accounts.set(object.chargedTo, after);
  }
}

/**
 * The descriptor of a new object, from SDDL or as the creator's default. Nobody but an administrator can
 * make an object that belongs to somebody else.
 *
 * @throws SectionError ERR_SECTION_INVALID_SECURITY with STATUS_INVALID_OWNER
 */
export function descriptorFrom(
  operation: string,
  sddl: string | null | undefined,
  token: Token,
  fallback: SecurityDescriptor,
): SecurityDescriptor {
  if (sddl === null || sddl === undefined) return fallback;
  const descriptor = fromSddl(sddl, token, operation);
  if (descriptor.owner === token.user || token.isKernel || tokenHolds(token, WellKnownSid.administrators)) return descriptor;
  throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
    operation,
    rule: `the owner must be ${token.user}, who creates it, and not ${descriptor.owner}`,
    wayOut: 'Leave out O: in the security descriptor',
    status: Status.STATUS_INVALID_OWNER,
  });
}

/** A handle in kernel mode: on the object's own memory. */
export class KernelHandle implements SectionHandle {
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly #directory: ObjectDirectory;
  readonly #object: SectionObject;
  readonly #holder: Holder;
  #closed = false;

  constructor(directory: ObjectDirectory, object: SectionObject, holder: Holder, granted: number, created: boolean) {
    this.#directory = directory;
    this.#object = object;
    this.#holder = holder;
    this.memory = object.memory;
    this.facts = object.facts;
    this.granted = granted;
    this.created = created;
    object.retain(holder, granted);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#directory.release(this.#object, this.#holder);
  }
}
