/**
 * The registry file of one file of the disk: who uses it, told by locks that holders share on one byte
 * for each {@link Mark}, and whether it is to be deleted when the last of them has gone. The kernel
 * drops the locks with their holder, however that ends. The content is empty, or:
 *
 *   0  'P' pending: deleted after its last user; 'C': after the handle that deletes on close
 *   1  length u16 of the path, then its birth in ns u64, then the path as UTF-8
 *
 * The file's identity is the registry file's name; birth tells it from a later one with its number.
 */
import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { HOLDERS, LockFile } from '../namespace/lock-file.js';
import { os } from '../os/index.js';
import { Mark } from './sharing.js';

/** As many as there are marks, with room for more. */
const MARKS = 16;

const HEAD = 11;
const MAXIMUM_RECORD = 8192;
const PENDING = 'P'.charCodeAt(0);
const ON_CLOSE = 'C'.charCodeAt(0);

export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

/** When the file that a path names was born; null when that is another file by now. */
function birthOf(path: string, { device, inode }: FileIdentity): bigint | null {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return stat !== undefined && stat.dev === device && stat.ino === inode ? stat.birthtimeNs : null;
}

/** What is written down about deleting a file. */
interface Deletion {
  readonly when: typeof PENDING | typeof ON_CLOSE;
  readonly path: string;
  readonly birth: bigint;
}

export class UseFile extends LockFile {
  /** Whether it is what its path leads to, and this user's own: for one that somebody else has opened. */
  get isAtItsPath(): boolean {
    const there = lstatSync(this.path, { bigint: true, throwIfNoEntry: false });
    const { device, inode, uid } = os.descriptorStat(this.file);
    return there?.isFile() === true && there.dev === device && there.ino === inode && uid === process.geteuid?.();
  }

  /** Whether others hold a mark. */
  held(mark: Mark): boolean {
    return os.lockHolder(this.file, HOLDERS + mark, 1) !== -1;
  }

  /** Whether others hold any. */
  get heldAtAll(): boolean {
    return os.lockHolder(this.file, HOLDERS, MARKS) !== -1;
  }

  /** Holds marks until they are dropped, or until this process ends. */
  hold(marks: readonly Mark[]): void {
    for (const mark of marks) os.lockShare(this.file, HOLDERS + mark, 1);
  }

  dropAll(): void {
    os.unlock(this.file, HOLDERS, MARKS);
  }

  #deletion(): Deletion | null {
    const head = Buffer.allocUnsafe(1);
    if (os.descriptorRead(this.file, head, 0) === 0) return null;
    const bytes = Buffer.alloc(MAXIMUM_RECORD);
    const length = os.descriptorRead(this.file, bytes, 0);
    const when = bytes[0];
    if (length < HEAD || (when !== PENDING && when !== ON_CLOSE)) return null;
    const end = HEAD + bytes.readUInt16LE(1);
    if (end > length) return null;
    return { when, birth: bytes.readBigUInt64LE(3), path: bytes.toString('utf8', HEAD, end) };
  }

  /** Whether the file goes with its last user. */
  get isPending(): boolean {
    const deletion = this.#deletion();
    // A handle that deletes on close may have gone with its process, without closing.
    return deletion !== null && (deletion.when === PENDING || !this.held(Mark.deletesOnClose));
  }

  /**
   * Writes down that the file is to be deleted.
   *
   * @param path Where it is now.
   * @returns false when another file is there
   */
  markDeletion(identity: FileIdentity, path: string, onClose: boolean): boolean {
    const birth = birthOf(path, identity);
    if (birth === null) return false;
    const text = Buffer.from(path, 'utf8');
    const bytes = Buffer.alloc(HEAD + text.length);
    bytes[0] = onClose ? ON_CLOSE : PENDING;
    bytes.writeUInt16LE(text.length, 1);
    bytes.writeBigUInt64LE(birth, 3);
    text.copy(bytes, HEAD);
    os.descriptorResize(this.file, 0);
    os.descriptorWrite(this.file, bytes, 0);
    return true;
  }

  /** Turns "when the handle is closed" into "when the last user has gone". */
  setPending(): void {
    if (this.#deletion() !== null) os.descriptorWrite(this.file, Buffer.of(PENDING), 0);
  }

  clearDeletion(): void {
    if (os.descriptorRead(this.file, Buffer.allocUnsafe(1), 0) !== 0) os.descriptorResize(this.file, 0);
  }

  /** Deletes the file if that was written down. Needs the mutex, and that nobody uses it. */
  finishDeletion(identity: FileIdentity): void {
    const deletion = this.#deletion();
    if (deletion === null) return;
    try {
      if (birthOf(deletion.path, identity) !== deletion.birth) return;
      if (lstatSync(deletion.path).isDirectory()) rmdirSync(deletion.path);
      else unlinkSync(deletion.path);
    } catch {
      // It has gone already, or its directory lets nobody remove it: it stays then, as with a full or read-only disk.
    } finally {
      this.clearDeletion();
    }
  }
}
