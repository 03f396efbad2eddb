/**
 * A file of this user's registry folder that processes hold by locks. Who is alive is told by locks
 * that the kernel drops when a process ends, however it ends: never by a process number, which another
 * may get. What the holders' locks mean, and what else the file says, is for those who extend this.
 *
 *   byte MUTEX            whoever changes the file
 *   from byte HOLDERS     the living
 */
import { unlinkSync } from 'node:fs';
import { SectionError } from '../base/error.js';
import { sectionErrorFrom } from '../memory/system-errors.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';

const MUTEX = 2 ** 38;
export const HOLDERS = 2 ** 39;
export const MAXIMUM_HOLDERS = 2 ** 20;

/** The changes that the mutex guards take microseconds: longer means that its owner is stopped. */
const LOCK_TIMEOUT = 5000;

/** Whoever clears up removes a file once; many times is no clearing up. */
const MOST_ATTEMPTS = 10_000;

/** What opening a link, a directory or a socket in a record's place answers. */
const notAFile = ['ELOOP', 'EISDIR', 'ENXIO', 'ENOTDIR'];

const IS_REGULAR_FILE = 0o100000;
const FILE_TYPE = 0o170000;

export class LockFile {
  readonly path: string;
  protected readonly operation: string;
  protected readonly file: Descriptor;

  constructor(operation: string, path: string, file: Descriptor) {
    this.operation = operation;
    this.path = path;
    this.file = file;
  }

  /** Opens a file, makes it on request, and takes its mutex. Null when there is none. */
  static open<T extends LockFile>(
    this: new (
      operation: string,
      path: string,
      file: Descriptor,
    ) => T,
    operation: string,
    path: string,
    create: boolean,
  ): T | null {
    // A file that was unlinked before we had its mutex is not the path's file any more: look again.
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
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
      const file = new this(operation, path, descriptor);
      try {
        if (file.lockAndCheck()) return file;
      } catch (error) {
        file.close();
        throw error;
      }
      file.close();
    }
    throw new SectionError('ERR_SECTION_REGISTRY_BUSY', {
      operation,
      object: `registry file ${path}`,
      rule: `it was taken away ${MOST_ATTEMPTS} times while it was opened`,
      wayOut: 'Find out which process of this user removes files there',
    });
  }

  /** @internal */
  lockAndCheck(): boolean {
    this.lock();
    const stat = os.descriptorStat(this.file);
    if (stat.links === 0) return false;
    if ((stat.mode & FILE_TYPE) !== IS_REGULAR_FILE) throw damaged(this.operation, this.path, 'it is not a regular file');
    const user = process.geteuid?.() ?? 0;
    if (stat.uid !== user || (stat.mode & 0o022) !== 0) {
      throw new SectionError('ERR_SECTION_REGISTRY_OWNER', {
        operation: this.operation,
        object: `registry file ${this.path}`,
        rule: `it belongs to user ${stat.uid} with mode ${(stat.mode & 0o7777).toString(8)}, and must be user ${user}'s alone`,
        wayOut: 'Find out who put it there, then remove it',
      });
    }
    return true;
  }

  /** For handing on: whoever has it as well holds what was locked through it. */
  get descriptor(): Descriptor {
    return this.file;
  }

  lock(): void {
    if (os.lockWait(this.file, MUTEX, 1, LOCK_TIMEOUT)) return;
    throw new SectionError('ERR_SECTION_REGISTRY_BUSY', {
      operation: this.operation,
      object: `registry file ${this.path}`,
      rule: `another process has held its lock for ${LOCK_TIMEOUT / 1000} s`,
      wayOut: 'It is probably stopped: continue it or end it ("sectile doctor" names the holders)',
    });
  }

  unlock(): void {
    os.unlock(this.file, MUTEX, 1);
  }

  /** Whether anybody holds the file, not counting this object's own locks. */
  get isAlive(): boolean {
    return os.lockHolder(this.file, HOLDERS, MAXIMUM_HOLDERS) !== -1;
  }

  /**
   * Removes a file if nobody is alive and nobody changes it: for clearing up, without waiting.
   *
   * @param before Does what the dead have left to do.
   */
  static clear<T extends LockFile>(
    this: new (
      operation: string,
      path: string,
      file: Descriptor,
    ) => T,
    path: string,
    before: (file: T) => void = () => {},
  ): void {
    let descriptor: Descriptor;
    try {
      descriptor = os.descriptorOpen(path, OpenFlag.write | OpenFlag.noFollow | OpenFlag.nonBlocking, 0);
    } catch {
      return; // it has gone, or is none of ours
    }
    const file = new this('clear up', path, descriptor);
    try {
      const mine = os.lockTry(descriptor, MUTEX, 1) && os.descriptorStat(descriptor).links > 0;
      if (!mine || file.isAlive) return;
      before(file);
      file.unlink();
    } catch {
      // Whoever opens the name next meets the reason.
    } finally {
      file.close();
    }
  }

  /** Removes the file. Needs the mutex, and that nobody is alive. */
  unlink(): void {
    // Still linked, or we would not have the mutex of this file: the path is ours.
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }

  close(): void {
    os.descriptorClose(this.file);
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
