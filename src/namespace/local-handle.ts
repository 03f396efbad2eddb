/**
 * A handle on a local object: a slot in its registry file, and a descriptor of its memory.
 */
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import type { MemoryObject } from '../memory/memory-object.js';
import type { ObjectHandle, ObjectKind, SectionFacts } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import { changeDescriptor, formatSddl, fromSddl, tokenOfThisProcess } from '../security/index.js';
import { damaged } from './lock-file.js';
import type { ObjectName } from './name.js';
import type { RegistryFile } from './registry-file.js';
import type { RegistryRecord } from './registry-record.js';

const openHandles = new Set<LocalHandle>();

function closeAll(): void {
  for (const handle of [...openHandles]) handle.close();
}

/** Opens a further handle on what a handle is on: with rights that were granted, or that are to be checked. */
export type OpenAgain = (
  access: { readonly memory: MemoryObject } & ({ readonly granted: number } | { readonly desired: number }),
) => ObjectHandle;

export interface LocalHandleParts {
  readonly name: ObjectName;
  readonly record: RegistryRecord;
  readonly file: RegistryFile;
  readonly slot: number;
  readonly memory: MemoryObject;
  readonly granted: number;
  readonly created: boolean;
  readonly again: OpenAgain;
  readonly pack: (granted: number) => Parcel;
}

export class LocalHandle implements ObjectHandle {
  readonly kind: ObjectKind;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly identity: string;
  readonly name: ObjectName;
  readonly #file: RegistryFile;
  readonly #slot: number;
  readonly #again: OpenAgain;
  readonly #pack: (granted: number) => Parcel;
  #closed = false;

  /** Takes over file and memory. The file's mutex may be given back before. */
  constructor({ name, record, file, slot, memory, granted, created, again, pack }: LocalHandleParts) {
    const { kind, identity, size, pageProtection, attributes, soleWriter } = record;
    this.kind = kind;
    this.identity = identity;
    this.facts = { size, pageProtection, attributes, soleWriter };
    this.name = name;
    this.memory = memory;
    this.granted = granted;
    this.created = created;
    this.#file = file;
    this.#slot = slot;
    this.#again = again;
    this.#pack = pack;
    if (openHandles.size === 0) process.on('exit', closeAll);
    openHandles.add(this);
  }

  duplicate(granted: number): ObjectHandle {
    return this.#again({ granted, memory: this.memory });
  }

  reopen(desired: number): ObjectHandle {
    return this.#again({ desired, memory: this.memory });
  }

  pack(granted: number): Parcel {
    return this.#pack(granted);
  }

  handleCount(): number {
    return this.#locked(() => [...this.#file.livingSlots()].length + 1);
  }

  currentSize(): number {
    return this.#locked(() => this.#record().size);
  }

  extend(size: number): number {
    return this.#locked(() => {
      const reached = Math.max(size, this.#record().size);
      this.#file.writeSize(reached);
      return reached;
    });
  }

  security(): string {
    return this.#locked(() => this.#record().security);
  }

  setSecurity(sddl: string): void {
    const operation = 'set the security of an object';
    this.#locked(() => {
      const token = tokenOfThisProcess();
      const before = fromSddl(this.#record().security, token, operation);
      this.#file.writeSecurity(formatSddl(changeDescriptor(operation, before, sddl, token).descriptor));
    });
  }

  permanent(): boolean {
    return false;
  }

  setPermanent(permanent: boolean): void {
    if (permanent) throw noPermanence('make an object permanent', this.name);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openHandles.delete(this);
    if (openHandles.size === 0) process.off('exit', closeAll);
    try {
      this.#file.lock();
      this.#file.releaseSlot(this.#slot);
      if (!this.#file.isAlive) this.#file.unlink();
    } catch {
      // The locks go with the descriptor below, so the name is free all the same; whoever comes next
      // finds a record without a living holder and clears it away.
    } finally {
      this.memory.close();
      this.#file.close();
    }
  }

  #record(): RegistryRecord {
    const record = this.#file.read();
    if (record === null) throw damaged('use a handle', this.#file.path, 'it is empty');
    return record;
  }

  #locked<T>(work: () => T): T {
    if (this.#closed) {
      throw new SectionError('ERR_SECTION_CLOSED', {
        operation: 'use a handle',
        object: `"${this.name.full}"`,
        rule: 'it is closed',
      });
    }
    this.#file.lock();
    try {
      return work();
    } finally {
      this.#file.unlock();
    }
  }
}

/** Nobody is there to keep a local object that no process holds. */
export function noPermanence(operation: string, name: ObjectName): SectionError {
  return new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${name.full}"`,
    rule: 'no process keeps a local object beyond its last handle',
    wayOut: 'Use a global name (\\BaseNamedObjects, Global\\): the system process keeps permanent objects until it ends',
    status: Status.STATUS_NOT_SUPPORTED,
  });
}
