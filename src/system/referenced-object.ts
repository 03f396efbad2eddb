/**
 * An object that kernel mode holds by a pointer and not by a handle: its memory stays for as long as
 * that, whatever becomes of its handles and its name. Counts as no handle.
 */
import { SectionError } from '../base/error.js';
import type { MemoryObject } from '../memory/memory-object.js';
import type { ObjectHandle, ObjectKind, SectionFacts } from '../memory/object-handle.js';
import type { ObjectName } from '../namespace/name.js';

/** What there must be to refer to. */
export type Referable = Pick<ObjectHandle, 'kind' | 'memory' | 'facts' | 'identity' | 'name'>;

export class ReferencedObject implements ObjectHandle {
  readonly kind: ObjectKind;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created = false;
  readonly identity: string;
  readonly name: ObjectName | null;

  constructor({ kind, memory, facts, identity, name }: Referable, granted: number) {
    this.kind = kind;
    this.memory = memory.share();
    this.facts = facts;
    this.identity = identity;
    this.name = name;
    this.granted = granted;
  }

  duplicate(granted: number): ObjectHandle {
    return new ReferencedObject(this, granted);
  }

  reopen(desired: number): ObjectHandle {
    return this.duplicate(desired);
  }

  pack(): never {
    return this.#refuse('give an object to another process');
  }

  /** None: that is what a pointer is for. */
  handleCount(): number {
    return 0;
  }

  /** As it was when the pointer was taken. */
  currentSize(): number {
    return this.facts.size;
  }

  extend(): number {
    return this.#refuse('extend a section');
  }

  security(): string {
    return this.#refuse('query the security of an object');
  }

  setSecurity(): void {
    this.#refuse('set the security of an object');
  }

  permanent(): boolean {
    return false;
  }

  setPermanent(): void {
    this.#refuse('make an object permanent');
  }

  close(): void {
    this.memory.close();
  }

  #refuse(operation: string): never {
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: this.name === null ? 'an object without a name' : `"${this.name.full}"`,
      rule: 'it is held by a pointer, not by a handle',
      wayOut: 'Open it by its name',
    });
  }
}
