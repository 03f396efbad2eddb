/**
 * A file object: one opening of a file, with its position and its locks. Several handles may share it. Who may do what by which handle is for the faces; that the operating system allows it, and that
 * the other users of the file do, is found out here.
 */
import { fsyncSync } from 'node:fs';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { isPhysicalMemoryDevice } from '../memory/existing.js';
import type { Parcel } from '../memory/parcel.js';
import { type Descriptor, type DescriptorStat, os } from '../os/index.js';
import { attempt, statusOfError } from './errors.js';
import { FileUse, type UseFacts } from './file-use.js';
import { RangeLocks } from './range-locks.js';
import { isMark } from './sharing.js';

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;
const DIRECTORY = 0o040000;
const CHARACTER_DEVICE = 0o020000;
const ANY_WRITE = 0o222;

/** What a file is, as far as it matters what can be done with it. */
export type FileKind = 'file' | 'directory' | 'characterDevice' | 'other';

export function kindOf({ mode }: Pick<DescriptorStat, 'mode'>): FileKind {
  const type = mode & FILE_TYPE;
  if (type === REGULAR) return 'file';
  if (type === DIRECTORY) return 'directory';
  return type === CHARACTER_DEVICE ? 'characterDevice' : 'other';
}

/** Whether a descriptor is open on physical memory, which nobody gets, by whatever name. */
export function isPhysicalMemory(descriptor: Descriptor): boolean {
  const { mode, special } = os.descriptorStat(descriptor);
  return isPhysicalMemoryDevice(mode, special);
}

/** Where an open file is now; the system says so whatever it was opened by. */
export function pathOf(descriptor: Descriptor): string {
  return os.descriptorPath(descriptor);
}

export interface FileFacts {
  /** As it was opened, for messages. */
  readonly path: string;
  readonly kind: FileKind;
  /** FILE_SYNCHRONOUS_IO_…: the file object keeps a position. */
  readonly synchronous: boolean;
}

/** How a file object travels to another process. */
interface PackedFile extends FileFacts {
  readonly position: number;
  readonly use: UseFacts;
}

/** What reading gives back, or why nothing. */
export type Transfer = { readonly count: number } | { readonly status: NTSTATUS };

export class FileObject {
  readonly facts: FileFacts;
  /** Where the next read or write without an offset starts. */
  position = 0;
  readonly #descriptor: Descriptor;
  readonly #use: FileUse;
  readonly #locks: RangeLocks;
  /** A further descriptor, where the own one is too narrow. */
  #wider: Descriptor | null = null;

  /** Takes over the descriptor and the use. */
  constructor(descriptor: Descriptor, use: FileUse, facts: FileFacts) {
    this.#descriptor = descriptor;
    this.#use = use;
    this.facts = facts;
    this.#locks = new RangeLocks(
      () => this.#descriptor,
      () => this.descriptorFor(true, true),
    );
  }

  /** As messages name it. */
  get description(): string {
    return `file ${this.facts.path}`;
  }

  get stat(): DescriptorStat {
    return os.descriptorStat(this.#descriptor);
  }

  /** The path where the file is now. */
  get path(): string {
    return pathOf(this.#descriptor);
  }

  /**
   * The file for another process, which shall be able to write to it or not. Handles over there have a position of
   * their own, which starts where this one is.
   */
  pack(write: boolean): Parcel {
    const use = this.#use.pack();
    const same = write || !this.stat.writable || this.facts.kind !== 'file';
    try {
      const descriptor = same
        ? os.descriptorFromNumber(os.descriptorNumber(this.#descriptor))
        : os.descriptorReopen(this.#descriptor, false);
      const facts: PackedFile = { ...this.facts, position: this.position, use: use.facts as UseFacts };
      const close = () => {
        os.descriptorClose(descriptor);
        use.close();
      };
      return { facts, descriptors: [descriptor, ...use.descriptors], close };
    } catch (error) {
      use.close();
      throw error;
    }
  }

  /** The file that another process has packed; takes over the descriptors, on failure too. What it is, its descriptor says. */
  static unpack(given: unknown, descriptors: readonly Descriptor[]): FileObject {
    const [descriptor, used, ...others] = descriptors;
    const { path, synchronous, position, use } = (given ?? {}) as Partial<PackedFile>;
    const isUse = Array.isArray(use?.marks) && use.marks.every(isMark) && typeof use.deletesOnClose === 'boolean';
    const isFile = typeof path === 'string' && Number.isSafeInteger(position) && isUse;
    if (!isFile || others.length > 0 || descriptor === undefined || used === undefined) {
      for (const each of descriptors) os.descriptorClose(each);
      throw new TypeError('no file');
    }
    let taken: FileUse | null = null;
    try {
      const stat = os.descriptorStat(descriptor);
      taken = FileUse.unpack(use, used, stat);
      const file = new FileObject(descriptor, taken, { path, kind: kindOf(stat), synchronous: synchronous === true });
      file.position = position as number;
      return file;
    } finally {
      if (taken === null) os.descriptorClose(descriptor);
    }
  }

  close(): void {
    this.#use.release();
    if (this.#wider !== null) os.descriptorClose(this.#wider);
    os.descriptorClose(this.#descriptor);
  }

  /**
   * A descriptor that can do what is asked: the own one, else one that is opened anew with the system's
   * consent. It stays this object's.
   *
   * @throws OsError
   */
  descriptorFor(reading: boolean, writing: boolean): Descriptor {
    const { readable, writable } = this.stat;
    if ((readable || !reading) && (writable || !writing)) return this.#descriptor;
    if (this.facts.kind !== 'file') return this.#descriptor;
    if (this.#wider !== null) {
      if (os.descriptorStat(this.#wider).writable || !writing) return this.#wider;
      os.descriptorClose(this.#wider);
      this.#wider = null;
    }
    this.#wider = os.descriptorReopen(this.#descriptor, writing);
    return this.#wider;
  }

  /** Reads at a position until the target is full or the file ends. */
  read(target: Uint8Array, position: number): Transfer {
    return this.#transfer(target.length, position, false, (descriptor) => os.descriptorRead(descriptor, target, position));
  }

  write(source: Uint8Array, position: number): Transfer {
    return this.#transfer(source.length, position, true, (descriptor) => {
      os.descriptorWrite(descriptor, source, position);
      return source.length;
    });
  }

  #transfer(length: number, position: number, writing: boolean, work: (descriptor: Descriptor) => number): Transfer {
    if (this.facts.kind === 'directory') return { status: Status.STATUS_INVALID_DEVICE_REQUEST };
    try {
      if (this.#locks.forbids(position, length, writing)) return { status: Status.STATUS_FILE_LOCK_CONFLICT };
      return { count: work(this.descriptorFor(!writing, writing)) };
    } catch (error) {
      return { status: statusOfError(error) };
    }
  }

  /** Sets the file's length. Shrinking it is refused while a section or a view is there. */
  resize(size: number): NTSTATUS {
    if (this.facts.kind !== 'file') return Status.STATUS_INVALID_PARAMETER;
    return this.#alone(() => {
      const before = this.stat.size;
      if (size < before && this.#use.isMapped) return Status.STATUS_USER_MAPPED_FILE;
      return attempt(() => {
        const descriptor = this.descriptorFor(false, true);
        if (size < before) os.descriptorResize(descriptor, size);
        else if (size > before) os.descriptorAllocate(descriptor, before, size - before);
      });
    });
  }

  /** Whether the file goes with its last user. */
  get isPending(): boolean {
    return this.#use.isPending;
  }

  /** Has the file deleted with its last user, or takes that back. */
  setDisposition(deletes: boolean): NTSTATUS {
    const { facts, stat } = this;
    const use = this.#use;
    if (deletes && facts.kind === 'file' && (stat.mode & ANY_WRITE) === 0) return Status.STATUS_CANNOT_DELETE;
    return this.#alone(() => {
      if (deletes && use.isMapped) return Status.STATUS_CANNOT_DELETE;
      if (stat.links === 0) return Status.STATUS_SUCCESS;
      return use.setPending(deletes ? this.path : null) ? Status.STATUS_SUCCESS : Status.STATUS_OBJECT_NAME_NOT_FOUND;
    });
  }

  #alone(work: () => NTSTATUS): NTSTATUS {
    try {
      return this.#use.alone(work);
    } catch (error) {
      return statusOfError(error);
    }
  }

  lock(start: bigint, length: bigint, key: number, exclusive: boolean): NTSTATUS {
    if (this.facts.kind !== 'file') return Status.STATUS_INVALID_PARAMETER;
    try {
      return this.#locks.lock(start, length, key, exclusive);
    } catch (error) {
      return statusOfError(error);
    }
  }

  unlock(start: bigint, length: bigint, key: number): NTSTATUS {
    let status: NTSTATUS = Status.STATUS_SUCCESS;
    const failure = attempt(() => {
      status = this.#locks.unlock(start, length, key);
    });
    return isSuccess(failure) ? status : failure;
  }

  /** Whether a lock, anybody's, keeps sections from the file. */
  locksForbidSections(writable: boolean): boolean {
    return this.#locks.forbidsSections(writable);
  }

  /** Returns when the file is on the disk. */
  flush(): NTSTATUS {
    if (this.facts.kind !== 'file') return Status.STATUS_SUCCESS;
    return attempt(() => fsyncSync(os.descriptorNumber(this.descriptorFor(false, true))));
  }
}
