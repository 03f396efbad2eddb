/**
 * One registry file, open and locked as needed. Who is alive is told by locks that the kernel drops
 * when a process ends, however it ends: never by a process number, which another may get.
 *
 *   byte MUTEX            whoever changes the file
 *   byte SLOTS + i        the living owner of slot i
 */
import { unlinkSync } from 'node:fs';
import { SectionError } from '../base/error.js';
import { sectionErrorFrom } from '../memory/memory-object.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import {
  decodeRecord,
  decodeSlot,
  encodeRecord,
  encodeSlot,
  HEADER_SIZE,
  inspectHeader,
  type RegistryRecord,
  type RegistrySlot,
  SLOT_SIZE,
  slotsOffset,
} from './registry-record.js';

const MUTEX = 2 ** 38;
const SLOTS = 2 ** 39;
const MAXIMUM_SLOTS = 2 ** 20;

/** The changes that the mutex guards take microseconds: longer means that its owner is stopped. */
const LOCK_TIMEOUT = 5000;

/** What opening a link, a directory or a socket in a record's place answers. */
const notAFile = ['ELOOP', 'EISDIR', 'ENXIO', 'ENOTDIR'];

const PAGE = 4096;
const IS_REGULAR_FILE = 0o100000;
const FILE_TYPE = 0o170000;

export class RegistryFile {
  readonly path: string;
  readonly #operation: string;
  readonly #file: Descriptor;
  #slotsOffset = 0;

  private constructor(operation: string, path: string, file: Descriptor) {
    this.#operation = operation;
    this.path = path;
    this.#file = file;
  }

  /** Opens a name's file, makes it on request, and takes its mutex. Null when there is none. */
  static open(operation: string, path: string, create: boolean): RegistryFile | null {
    // A file that was unlinked before we had its mutex is not the name's file any more: look again.
    for (;;) {
      let descriptor: Descriptor;
      try {
        descriptor = os.descriptorOpen(
          path,
          OpenFlag.write | OpenFlag.noFollow | OpenFlag.nonBlocking | (create ? OpenFlag.create : 0),
          0o600,
        );
      } catch (error) {
        if (isOsError(error) && error.code === 'ENOENT' && !create) return null;
        if (isOsError(error) && notAFile.includes(error.code))
          throw damaged(operation, path, `it is no regular file: ${error.message}`);
        throw sectionErrorFrom(error, operation, `registry file ${path}`);
      }
      const file = new RegistryFile(operation, path, descriptor);
      try {
        if (file.#lockAndCheck()) return file;
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
    }
  }

  #lockAndCheck(): boolean {
    this.lock();
    const stat = os.descriptorStat(this.#file);
    if (stat.links === 0) return false;
    if ((stat.mode & FILE_TYPE) !== IS_REGULAR_FILE) throw damaged(this.#operation, this.path, 'it is not a regular file');
    const user = process.geteuid?.() ?? 0;
    if (stat.uid !== user || (stat.mode & 0o022) !== 0) {
      throw new SectionError('ERR_SECTION_REGISTRY_OWNER', {
        operation: this.#operation,
        object: `registry file ${this.path}`,
        rule: `it belongs to user ${stat.uid} with mode ${(stat.mode & 0o7777).toString(8)}, and must be user ${user}'s alone`,
        wayOut: 'Find out who put it there, then remove it',
      });
    }
    return true;
  }

  lock(): void {
    if (os.lockWait(this.#file, MUTEX, 1, LOCK_TIMEOUT)) return;
    throw new SectionError('ERR_SECTION_REGISTRY_BUSY', {
      operation: this.#operation,
      object: `registry file ${this.path}`,
      rule: `another process has held its lock for ${LOCK_TIMEOUT / 1000} s`,
      wayOut: 'It is probably stopped: continue it or end it ("sectile doctor" names the holders)',
    });
  }

  unlock(): void {
    os.unlock(this.#file, MUTEX, 1);
  }

  /** The record; null when the file is empty or its creation was cut short. Needs the mutex. */
  read(): RegistryRecord | null {
    let bytes: Buffer = Buffer.allocUnsafe(PAGE);
    bytes = bytes.subarray(0, os.descriptorRead(this.#file, bytes, 0));
    const header = inspectHeader(bytes);
    if (header.state === 'empty') {
      // A record is written before its first slot is taken: nobody can live in an empty one.
      if (this.isAlive) throw damaged(this.#operation, this.path, 'it is empty, and processes hold its name');
      return null;
    }
    if (header.state === 'damaged') throw damaged(this.#operation, this.path, header.why);
    if (bytes.length < header.slotsOffset) {
      bytes = Buffer.alloc(header.slotsOffset);
      os.descriptorRead(this.#file, bytes, 0);
    }
    const record = decodeRecord(bytes.subarray(0, header.slotsOffset));
    if (record === null) throw damaged(this.#operation, this.path, 'its checksum is wrong');
    this.#slotsOffset = header.slotsOffset;
    return record;
  }

  /** Replaces whatever the file held. Needs the mutex, and that no slot is alive. */
  write(record: RegistryRecord): void {
    const bytes = encodeRecord(record);
    os.descriptorResize(this.#file, 0);
    if (bytes.length <= PAGE) {
      os.descriptorWrite(this.#file, bytes, 0);
    } else {
      os.descriptorWrite(this.#file, bytes.subarray(HEADER_SIZE), HEADER_SIZE);
      os.descriptorWrite(this.#file, bytes.subarray(0, HEADER_SIZE), 0);
    }
    this.#slotsOffset = slotsOffset(Buffer.byteLength(record.name, 'utf16le'), Buffer.byteLength(record.security, 'utf8'));
  }

  /** Numbers of the slots whose owners live, not counting this object's own. */
  *livingSlots(): Generator<number> {
    for (let index = 0; index < MAXIMUM_SLOTS; index++) {
      const held = os.lockHolder(this.#file, SLOTS + index, MAXIMUM_SLOTS - index);
      if (held === -1) return;
      index = held - SLOTS;
      yield index;
    }
  }

  get isAlive(): boolean {
    return os.lockHolder(this.#file, SLOTS, MAXIMUM_SLOTS) !== -1;
  }

  /**
   * Whether a slot's owner is gone within so many milliseconds: of a process that ends, the kernel takes
   * /proc/PID/fd away a little before its locks.
   */
  ownerEnds(index: number, timeout: number): boolean {
    if (!os.lockWait(this.#file, SLOTS + index, 1, timeout)) return false;
    this.releaseSlot(index);
    return true;
  }

  /** Removes the file if nobody is alive and nobody changes it: for clearing up, without waiting. */
  static clear(path: string): void {
    let file: Descriptor;
    try {
      file = os.descriptorOpen(path, OpenFlag.write | OpenFlag.noFollow | OpenFlag.nonBlocking, 0);
    } catch {
      return; // it has gone, or is none of ours
    }
    try {
      const mine = os.lockTry(file, MUTEX, 1) && os.descriptorStat(file).links > 0;
      if (mine && os.lockHolder(file, SLOTS, MAXIMUM_SLOTS) === -1) unlinkSync(path);
    } catch {
      // Whoever opens the name next meets the reason.
    } finally {
      os.descriptorClose(file);
    }
  }

  readSlot(index: number): RegistrySlot {
    const bytes = Buffer.alloc(SLOT_SIZE);
    const length = os.descriptorRead(this.#file, bytes, this.#slotsOffset + index * SLOT_SIZE);
    const slot = length === SLOT_SIZE ? decodeSlot(bytes) : null;
    if (slot === null) throw damaged(this.#operation, this.path, `the checksum of slot ${index} is wrong`);
    return slot;
  }

  /** Takes the first free slot; it stays ours until {@link close}, or until this process ends. Needs the mutex. */
  claimSlot(slot: RegistrySlot): number {
    for (let index = 0; index < MAXIMUM_SLOTS; index++) {
      if (!os.lockTry(this.#file, SLOTS + index, 1)) continue;
      os.descriptorWrite(this.#file, encodeSlot(slot), this.#slotsOffset + index * SLOT_SIZE);
      return index;
    }
    throw new SectionError('ERR_SECTION_LIMIT', {
      operation: this.#operation,
      object: `registry file ${this.path}`,
      rule: `${MAXIMUM_SLOTS} handles on one name are open`,
    });
  }

  releaseSlot(index: number): void {
    os.unlock(this.#file, SLOTS + index, 1);
  }

  /** Removes the file. Needs the mutex, and that no slot is alive. */
  unlink(): void {
    // Still linked, or we would not have the mutex of this file: the path is ours.
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  close(): void {
    os.descriptorClose(this.#file);
  }
}

export function damaged(operation: string, path: string, why: string): SectionError {
  return new SectionError('ERR_SECTION_REGISTRY_DAMAGED', {
    operation,
    object: `registry file ${path}`,
    rule: `it is damaged: ${why}`,
    wayOut: 'End the processes that use the name ("sectile ls"), then remove the file',
  });
}
