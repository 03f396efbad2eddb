/**
 * The registry of who uses which file, among the processes of this user that use Sectile: each open
 * handle, and each section with its views. A use is known to all others from the moment it is claimed
 * until it is released or its process ends, however that ends.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import type { Parcel } from '../memory/parcel.js';
import { ensureRegistryDirectory } from '../namespace/runtime-directory.js';
import { type Descriptor, os } from '../os/index.js';
import { handleMarks, handleObstacles, Mark, type ShareRequest, sectionMarks } from './sharing.js';
import { type FileIdentity, UseFile } from './use-file.js';

/** Files of users that were killed: so many are cleared away when a process first uses one. */
const MOST_CLEARED = 256;
let hasCleared = false;

function clearOnce(directory: string): void {
  if (hasCleared || !existsSync(directory)) return;
  hasCleared = true;
  const stale = readdirSync(directory).map((entry) => /^([0-9a-f]+)-([0-9a-f]+)\.file$/.exec(entry));
  for (const [entry, device, inode] of stale.filter((each) => each !== null).slice(0, MOST_CLEARED)) {
    UseFile.clear(join(directory, entry), (file) =>
      file.finishDeletion({ device: BigInt(`0x${device}`), inode: BigInt(`0x${inode}`) }),
    );
  }
}

function pathOfUse(directory: string, { device, inode }: FileIdentity): string {
  return join(directory, `${device.toString(16)}-${inode.toString(16)}.file`);
}

function notOurs(operation: string, path: string): SectionError {
  return new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `registry file ${path}`,
    rule: 'it is not the one that was handed on',
    wayOut: 'Only processes of one user, with the same SECTILE_RUNTIME_DIR, can hand files to each other',
  });
}

function openUseFile(operation: string, identity: FileIdentity): UseFile {
  for (const again of [false, true]) {
    // A folder that was removed under us is made anew.
    const directory = ensureRegistryDirectory(again);
    clearOnce(directory);
    try {
      const file = UseFile.open(operation, pathOfUse(directory, identity), true);
      if (file !== null) return file;
    } catch (error) {
      if (again || (error as { code?: string }).code !== 'ERR_SECTION_NOT_FOUND') throw error;
    }
  }
  throw new Error('unreachable: opening makes the file');
}

/** Uses that are open: the end of the process releases them, so that no empty files stay behind. */
const openUses = new Set<FileUse>();
let watchesExit = false;

function releaseAll(): void {
  for (const use of openUses) use.release();
}

/** Why a handle cannot be had; `gone` when the file was deleted meanwhile and must be looked for again. */
export type Refusal = { readonly status: NTSTATUS } | 'gone';

/** How a use travels to another process: with the registry file, whose path follows from the file that it is about. */
export interface UseFacts {
  readonly marks: readonly Mark[];
  readonly deletesOnClose: boolean;
}

export class FileUse {
  readonly identity: FileIdentity;
  readonly #file: UseFile;
  readonly #marks: readonly Mark[];
  readonly #deletesOnClose: boolean;
  #released = false;

  private constructor(identity: FileIdentity, file: UseFile, marks: readonly Mark[], deletesOnClose = false) {
    this.identity = identity;
    this.#file = file;
    this.#marks = marks;
    this.#deletesOnClose = deletesOnClose;
    if (!watchesExit) process.on('exit', releaseAll);
    watchesExit = true;
    openUses.add(this);
  }

  /**
   * Makes an open handle known, if the other users of the file allow it.
   *
   * @param deletesOnClose The file's path, when closing the handle deletes it.
   * @param whileAlone Called once it is allowed, before anybody else can come: to empty the file, say.
   * Answers what is wrong (`gone`: the file was deleted meanwhile), or STATUS_SUCCESS.
   * @throws SectionError ERR_SECTION_REGISTRY_…
   */
  static claimHandle(
    operation: string,
    identity: FileIdentity,
    request: ShareRequest,
    deletesOnClose: string | null,
    whileAlone: () => NTSTATUS | 'gone',
  ): FileUse | Refusal {
    const file = openUseFile(operation, identity);
    let use: FileUse | null = null;
    try {
      if (!file.heldAtAll) {
        if (file.isPending) {
          // Its last user was killed before it could delete it.
          file.finishDeletion(identity);
          file.unlink();
          return 'gone';
        }
      } else {
        if (file.isPending) return { status: Status.STATUS_DELETE_PENDING };
        const found = handleObstacles(request).find(([mark]) => file.held(mark));
        if (found !== undefined) return { status: found[1] };
      }
      const status = whileAlone();
      if (status === 'gone') return 'gone';
      if (status !== Status.STATUS_SUCCESS) return { status };
      if (deletesOnClose !== null && !file.markDeletion(identity, deletesOnClose, true)) return 'gone';
      const marks = deletesOnClose === null ? handleMarks(request) : [...handleMarks(request), Mark.deletesOnClose];
      file.hold(marks);
      use = new FileUse(identity, file, marks, deletesOnClose !== null);
      file.unlock();
      return use;
    } finally {
      if (use === null) abandon(file);
    }
  }

  /** Makes a section over a file known. It may always be had: sections are made from handles. */
  static claimSection(operation: string, identity: FileIdentity, writable: boolean): FileUse {
    const file = openUseFile(operation, identity);
    try {
      // What killed users left behind about deleting it is void: whoever comes without a handle wants the file.
      if (!file.heldAtAll) file.clearDeletion();
      const marks = sectionMarks(writable);
      file.hold(marks);
      const use = new FileUse(identity, file, marks);
      file.unlock();
      return use;
    } catch (error) {
      abandon(file);
      throw error;
    }
  }

  /** The same use for another process, held from now on by the descriptor that goes there: see {@link unpack}. */
  pack(): Parcel {
    const file = openUseFile('hand a file on', this.identity);
    try {
      file.hold(this.#marks);
      file.unlock();
    } catch (error) {
      abandon(file);
      throw error;
    }
    const facts: UseFacts = { marks: this.#marks, deletesOnClose: this.#deletesOnClose };
    return { facts, descriptors: [file.descriptor], close: () => file.close() };
  }

  /**
   * The use that another process has packed; takes over the descriptor, on failure too. The other process may lie: only the
   * registry file that this user has for the file that came is believed, for by it files are deleted.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND
   */
  static unpack({ marks, deletesOnClose }: UseFacts, descriptor: Descriptor, identity: FileIdentity): FileUse {
    const operation = 'take a file over';
    let taken = false;
    try {
      const path = pathOfUse(ensureRegistryDirectory(), identity);
      const file = new UseFile(operation, path, descriptor);
      if (!file.isAtItsPath) throw notOurs(operation, path);
      const use = new FileUse(identity, file, marks, deletesOnClose);
      taken = true;
      return use;
    } finally {
      if (!taken) os.descriptorClose(descriptor);
    }
  }

  /** Whether sections over the file, or views of them, are there. Needs {@link alone} for an answer that lasts. */
  get isMapped(): boolean {
    return this.#file.held(Mark.section);
  }

  /** Whether the file goes with its last user. */
  get isPending(): boolean {
    return this.#file.isPending;
  }

  /** Does something while no use can come or go. */
  alone<T>(work: () => T): T {
    this.#file.lock();
    try {
      return work();
    } finally {
      this.#file.unlock();
    }
  }

  /** Writes down, or takes back, that the file goes with its last user. False when the path names another file by now. */
  setPending(path: string | null): boolean {
    if (path !== null) return this.#file.markDeletion(this.identity, path, false);
    this.#file.clearDeletion();
    return true;
  }

  /** Ends the use; the last one deletes the file if that was asked for. Safe to call twice, never throws. */
  release(): void {
    if (this.#released) return;
    this.#released = true;
    openUses.delete(this);
    try {
      this.#file.lock();
      if (this.#deletesOnClose) this.#file.setPending();
      this.#file.dropAll();
      if (!this.#file.heldAtAll) {
        this.#file.finishDeletion(this.identity);
        this.#file.unlink();
      }
    } catch {
      // The locks go with the descriptor below: nobody is kept from the file by a use that has ended.
    } finally {
      this.#file.close();
    }
  }
}

/** Gives up a registry file that nothing was entered into. */
function abandon(file: UseFile): void {
  try {
    file.dropAll();
    if (!file.heldAtAll && !file.isPending) file.unlink();
  } catch {
    // An empty file stays: the next user of it takes it away.
  } finally {
    file.close();
  }
}
