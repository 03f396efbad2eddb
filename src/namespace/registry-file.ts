/**
 * The registry file of one local name, open and locked as needed: its record, and a slot for each
 * handle, which the lock on byte HOLDERS + i shows to have a living owner.
 */
import { SectionError } from '../base/error.js';
import { os } from '../os/index.js';
import { localMemory } from './local-memory-choice.js';
import { damaged, LockFile, MAXIMUM_HOLDERS as MAXIMUM_SLOTS, HOLDERS as SLOTS } from './lock-file.js';
import {
  changeSecurity,
  changeSize,
  decodeRecord,
  decodeSlot,
  encodeRecord,
  encodeSlot,
  HEADER_SIZE,
  inspectHeader,
  type RegistryRecord,
  type RegistrySlot,
  SLOT_SIZE,
} from './registry-record.js';

const PAGE = 4096;

export class RegistryFile extends LockFile {
  #slotsOffset = 0;

  /** The record; null when the file is empty or its creation was cut short. Needs the mutex. */
  read(): RegistryRecord | null {
    return this.#readWhole()?.record ?? null;
  }

  #readWhole(): { readonly record: RegistryRecord; readonly head: Buffer; readonly changed: Buffer | null } | null {
    let head: Buffer = this.#bytes(0, PAGE);
    const header = inspectHeader(head);
    if (header.state === 'empty') {
      // A record is written before its first slot is taken: nobody can live in an empty one.
      if (this.isAlive) throw damaged(this.operation, this.path, 'it is empty, and processes hold its name');
      return null;
    }
    if (header.state === 'damaged') throw damaged(this.operation, this.path, header.why);
    const { slotsOffset, spare } = header;
    head = head.length < slotsOffset ? this.#bytes(0, slotsOffset) : head.subarray(0, slotsOffset);
    const changed = spare === null ? null : this.#bytes(spare.offset, spare.length);
    const record = head.length < slotsOffset ? null : decodeRecord(head, changed);
    if (record === null) throw damaged(this.operation, this.path, 'its checksum is wrong');
    this.#slotsOffset = slotsOffset;
    return { record, head, changed };
  }

  #bytes(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, os.descriptorRead(this.file, bytes, offset));
  }

  /** Replaces whatever the file held. Needs the mutex, and that no slot is alive. */
  write(record: RegistryRecord): void {
    const bytes = encodeRecord(record);
    os.descriptorResize(this.file, 0);
    if (bytes.length <= PAGE) {
      os.descriptorWrite(this.file, bytes, 0);
    } else {
      os.descriptorWrite(this.file, bytes.subarray(HEADER_SIZE), HEADER_SIZE);
      os.descriptorWrite(this.file, bytes.subarray(0, HEADER_SIZE), 0);
    }
    this.#slotsOffset = bytes.length;
  }

  /** Gives the record another security descriptor. Needs the mutex; slots may be alive. */
  writeSecurity(security: string): void {
    const whole = this.#readWhole();
    if (whole === null) throw damaged(this.operation, this.path, 'it is empty');
    const change = changeSecurity(whole.head, security);
    if (change === null) {
      throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
        operation: this.operation,
        rule: `a security descriptor of ${security.length} characters is too long`,
      });
    }
    os.descriptorWrite(this.file, change.spare, change.offset);
    os.descriptorWrite(this.file, change.header, 0);
  }

  /** Gives the record another size. Needs the mutex; slots may be alive. */
  writeSize(size: number): void {
    const whole = this.#readWhole();
    if (whole === null) throw damaged(this.operation, this.path, 'it is empty');
    os.descriptorWrite(this.file, changeSize(whole.head, whole.changed, size), 0);
  }

  /** Numbers of the slots whose owners live, not counting this object's own. */
  *livingSlots(): Generator<number> {
    for (let index = 0; index < MAXIMUM_SLOTS; index++) {
      const held = os.lockHolder(this.file, SLOTS + index, MAXIMUM_SLOTS - index);
      if (held === -1) return;
      index = held - SLOTS;
      yield index;
    }
  }

  /**
   * Whether a slot's owner is gone within so many milliseconds: of a process that ends, the kernel takes
   * /proc/PID/fd away a little before its locks.
   */
  ownerEnds(index: number, timeout: number): boolean {
    if (!os.lockWait(this.file, SLOTS + index, 1, timeout)) return false;
    this.releaseSlot(index);
    return true;
  }

  readSlot(index: number): RegistrySlot {
    const bytes = Buffer.alloc(SLOT_SIZE);
    const length = os.descriptorRead(this.file, bytes, this.#slotsOffset + index * SLOT_SIZE);
    const slot = length === SLOT_SIZE ? decodeSlot(bytes) : null;
    if (slot === null) throw damaged(this.operation, this.path, `the checksum of slot ${index} is wrong`);
    return slot;
  }

  /** Takes the first free slot; it stays ours until {@link close}, or until this process ends. Needs the mutex. */
  claimSlot(slot: RegistrySlot): number {
    for (let index = 0; index < MAXIMUM_SLOTS; index++) {
      if (!os.lockTry(this.file, SLOTS + index, 1)) continue;
      os.descriptorWrite(this.file, encodeSlot(slot), this.#slotsOffset + index * SLOT_SIZE);
      return index;
    }
    throw new SectionError('ERR_SECTION_LIMIT', {
      operation: this.operation,
      object: `registry file ${this.path}`,
      rule: `${MAXIMUM_SLOTS} handles on one name are open`,
    });
  }

  /** Says anew who has a slot that is ours, or that came to us with the file. */
  rewriteSlot(index: number, slot: RegistrySlot): void {
    os.descriptorWrite(this.file, encodeSlot(slot), this.#slotsOffset + index * SLOT_SIZE);
  }

  releaseSlot(index: number): void {
    os.unlock(this.file, SLOTS + index, 1);
  }

  /** The memory first: without the record nobody would look for it. */
  override unlink(): void {
    localMemory.forget(this.path);
    super.unlink();
  }
}
