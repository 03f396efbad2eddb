/**
 * Handles on objects without a name: of this process alone, until they are handed on.
 */
import { SectionError } from '../base/error.js';
import type { MemoryObject } from '../memory/memory-object.js';
import type { ObjectHandle, ObjectKind, SectionFacts } from '../memory/object-handle.js';
import { grant } from '../namespace/local-access.js';
import { newIdentity } from '../namespace/object-rules.js';
import { changeDescriptor, creatorAccess, formatSddl, fromSddl, tokenOfThisProcess } from '../security/index.js';

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

export class UnnamedHandle implements ObjectHandle {
  readonly memory: MemoryObject;
  readonly granted: number;
  readonly created: boolean;
  readonly name = null;
  readonly #object: Unnamed;
  #closed = false;

  private constructor(object: Unnamed, memory: MemoryObject, granted: number) {
    this.#object = object;
    this.created = object.handles++ === 0;
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
    return new UnnamedHandle(object, memory, creatorAccess(kind, desired));
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
    const operation = 'duplicate a handle';
    const refuse = (code: 'ERR_SECTION_CLOSED' | 'ERR_SECTION_ACCESS_DENIED', rule: string) =>
      new SectionError(code, { operation, object: this.memory.description, rule });
    if (this.#closed) throw refuse('ERR_SECTION_CLOSED', 'it is closed');
    if (this.#object.exclusive)
      throw refuse('ERR_SECTION_ACCESS_DENIED', 'the object is exclusive (OBJ_EXCLUSIVE), and its one handle is open');
    return new UnnamedHandle(this.#object, this.memory.share(), granted);
  }

  reopen(desired: number): ObjectHandle {
    return this.duplicate(grant('open an object again', this.memory.description, this.kind, this.#object.security, desired));
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
