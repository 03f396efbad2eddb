/**
 * A handle in kernel mode: on the object's own memory.
 */
import { SectionError } from '../base/error.js';
import type { MemoryObject } from '../memory/memory-object.js';
import type { ObjectHandle, ObjectKind, SectionFacts } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import type { ObjectName } from '../namespace/name.js';
import { requireShareable } from '../namespace/object-rules.js';
import { changeDescriptor, formatSddl, kernelToken } from '../security/index.js';
import { globalParcel } from './global.js';
import type { Holder, KernelObject, ObjectDirectory } from './objects.js';

export class KernelHandle implements ObjectHandle {
  readonly kind: ObjectKind;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly identity: string;
  readonly name: ObjectName;
  readonly #directory: ObjectDirectory;
  readonly #object: KernelObject;
  readonly #holder: Holder;
  #closed = false;

  constructor(directory: ObjectDirectory, object: KernelObject, holder: Holder, granted: number, created: boolean) {
    this.#directory = directory;
    this.#object = object;
    this.#holder = holder;
    this.kind = object.kind;
    this.identity = object.identity;
    this.name = object.name;
    this.memory = object.memory;
    this.facts = object.facts;
    this.granted = granted;
    this.created = created;
    object.retain(holder, granted);
  }

  duplicate(granted: number): ObjectHandle {
    const operation = 'duplicate a handle';
    if (this.#closed)
      throw new SectionError('ERR_SECTION_CLOSED', { operation, object: `"${this.name.full}"`, rule: 'it is closed' });
    requireShareable(operation, this.name, this.#object, false);
    return new KernelHandle(this.#directory, this.#object, this.#holder, granted, false);
  }

  reopen(desired: number): ObjectHandle {
    return this.duplicate(this.#object.grant('open an object again', kernelToken(), desired));
  }

  pack(granted: number): Parcel {
    const operation = 'hand an object on';
    requireShareable(operation, this.name, this.#object, false);
    return globalParcel(this.name, this.#directory.tickets.pass(operation, this.#object, granted, process.pid, null));
  }

  handleCount(): number {
    return this.#object.handles;
  }

  currentSize(): number {
    return this.#object.facts.size;
  }

  extend(size: number): number {
    return this.#object.extend(size);
  }

  security(): string {
    return formatSddl(this.#object.descriptor);
  }

  setSecurity(sddl: string): void {
    const { descriptor } = changeDescriptor('set the security of an object', this.#object.descriptor, sddl, kernelToken());
    this.#object.descriptor = descriptor;
  }

  permanent(): boolean {
    return this.#object.permanent;
  }

  setPermanent(permanent: boolean): void {
    this.#object.permanent = permanent;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#directory.release(this.#object, this.#holder);
  }
}
