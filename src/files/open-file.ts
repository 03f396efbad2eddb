/**
 * Opening files: what is there or shall be made, with the rights asked for and no more, and with the
 * consent of the file's other users.
 *
 * Source: Microsoft's page NtCreateFile; nt-semantics 1.12.
 */
import { lstatSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import { FILE_APPEND_DATA, FILE_EXECUTE, FILE_READ_DATA, FILE_WRITE_DATA } from '../security/index.js';
import { attempt, statusOfError } from './errors.js';
import { FileObject, isPhysicalMemory, kindOf, pathOf } from './file-object.js';
import { FileUse } from './file-use.js';

/* CreateDisposition */
export const FILE_SUPERSEDE = 0;
export const FILE_OPEN = 1;
export const FILE_CREATE = 2;
export const FILE_OPEN_IF = 3;
export const FILE_OVERWRITE = 4;
export const FILE_OVERWRITE_IF = 5;

/* What became of the file: IoStatusBlock.Information */
export const FILE_SUPERSEDED = 0;
export const FILE_OPENED = 1;
export const FILE_CREATED = 2;
export const FILE_OVERWRITTEN = 3;
export const FILE_EXISTS = 4;
export const FILE_DOES_NOT_EXIST = 5;

/** What each disposition does with a file that is there, and with one that is not. Null: it fails. */
const dispositions: ReadonlyMap<number, { readonly there: number | null; readonly missing: number | null }> = new Map([
  [FILE_SUPERSEDE, { there: FILE_SUPERSEDED, missing: FILE_CREATED }],
  [FILE_OPEN, { there: FILE_OPENED, missing: null }],
  [FILE_CREATE, { there: null, missing: FILE_CREATED }],
  [FILE_OPEN_IF, { there: FILE_OPENED, missing: FILE_CREATED }],
  [FILE_OVERWRITE, { there: FILE_OVERWRITTEN, missing: null }],
  [FILE_OVERWRITE_IF, { there: FILE_OVERWRITTEN, missing: FILE_CREATED }],
]);

export function isDisposition(disposition: number): boolean {
  return dispositions.has(disposition);
}

export interface OpenRequest {
  readonly operation: string;
  /** The host's. */
  readonly path: string;
  /** Rights, without generic ones. */
  readonly access: number;
  /** FILE_SHARE_… */
  readonly share: number;
  readonly disposition: number;
  /** Undefined where both will do. */
  readonly wants: 'directory' | 'file' | undefined;
  readonly deletesOnClose: boolean;
  readonly synchronous: boolean;
  /** A symbolic link at the path's end is itself what is meant. */
  readonly openLink: boolean;
  /** A new file is one that nobody may write to later. */
  readonly readOnly: boolean;
}

export type Opened =
  | { readonly status: NTSTATUS; readonly information: number }
  | { readonly file: FileObject; readonly information: number };

const READ_RIGHTS = FILE_READ_DATA | FILE_EXECUTE;
const WRITE_RIGHTS = FILE_WRITE_DATA | FILE_APPEND_DATA;

/** How to ask the system for these rights and no more. */
function flagsFor(access: number): number {
  const reads = (access & READ_RIGHTS) !== 0;
  if ((access & WRITE_RIGHTS) !== 0) return reads ? OpenFlag.write : OpenFlag.writeOnly;
  return reads ? 0 : OpenFlag.pathOnly;
}

/** As often as a file may come and go between two looks at it. */
const MOST_LOOKS = 16;

/** Bytes of a path that the system takes (PATH_MAX, its end included). */
const LONGEST_PATH = 4096;

/** Opens or makes what the request says. */
export function openFileObject(request: OpenRequest): Opened {
  if (request.path.includes('\0') || Buffer.byteLength(request.path) >= LONGEST_PATH)
    return { status: Status.STATUS_OBJECT_NAME_INVALID, information: FILE_DOES_NOT_EXIST };
  const { there, missing } = dispositions.get(request.disposition) ?? { there: null, missing: null };
  try {
    for (let look = 0; look < MOST_LOOKS; look++) {
      const existing = there === null ? null : openExisting(request);
      const created = existing === null;
      if (created && missing === null) return { status: missingStatus(request.path), information: FILE_DOES_NOT_EXIST };
      const descriptor = created ? create(request, there !== null) : existing;
      if (descriptor === null) continue;
      const information = (created ? missing : there) ?? FILE_OPENED;
      const found = enter(request, descriptor, information);
      if (found !== 'gone') return found;
    }
  } catch (error) {
    const status = statusOfError(error);
    if (status === Status.STATUS_OBJECT_NAME_NOT_FOUND) {
      return { status: missingStatus(request.path), information: FILE_DOES_NOT_EXIST };
    }
    return { status, information: status === Status.STATUS_OBJECT_NAME_COLLISION ? FILE_EXISTS : 0 };
  }
  return { status: Status.STATUS_OBJECT_NAME_NOT_FOUND, information: FILE_DOES_NOT_EXIST };
}

/** Whether the last component is what is missing, or one before it. */
function missingStatus(path: string): NTSTATUS {
  const parent = dirname(path.replace(/\/+$/, ''));
  return isSuccess(attempt(() => lstatSync(`${parent}/`)))
    ? Status.STATUS_OBJECT_NAME_NOT_FOUND
    : Status.STATUS_OBJECT_PATH_NOT_FOUND;
}

/** Null when there is no such file. */
function openExisting({ path, access, openLink }: OpenRequest): Descriptor | null {
  const always = OpenFlag.nonBlocking | (openLink ? OpenFlag.noFollow : 0);
  try {
    return os.descriptorOpen(path, flagsFor(access) | always, 0);
  } catch (error) {
    if (!isOsError(error)) throw error;
    if (error.code === 'ENOENT') return null;
    // A socket, a pipe without a reader, a directory to make files in, a link that is meant itself: known, but not read or written.
    if (!['ENXIO', 'EISDIR', 'ELOOP'].includes(error.code)) throw error;
    return os.descriptorOpen(path, OpenFlag.pathOnly | always, 0);
  }
}

/** Null when it is there after all and the request would take that. */
function create({ path, access, wants, readOnly }: OpenRequest, takesExisting: boolean): Descriptor | null {
  try {
    if (wants === 'directory') {
      mkdirSync(path);
      return os.descriptorOpen(path, OpenFlag.directory | OpenFlag.noFollow, 0);
    }
    const flags = flagsFor(access) & ~OpenFlag.pathOnly;
    return os.descriptorOpen(path, flags | OpenFlag.create | OpenFlag.exclusive | OpenFlag.nonBlocking, readOnly ? 0o444 : 0o666);
  } catch (error) {
    if (takesExisting && isOsError(error) && error.code === 'EEXIST') return null;
    throw error;
  }
}

/** Makes an open descriptor a file object that the other users of the file know of. */
function enter(request: OpenRequest, descriptor: Descriptor, information: number): Opened | 'gone' {
  let file: FileObject | null = null;
  try {
    const stat = os.descriptorStat(descriptor);
    const kind = kindOf(stat);
    if (kind === 'characterDevice' && isPhysicalMemory(descriptor))
      return { status: Status.STATUS_ACCESS_DENIED, information: 0 };
    const wrong = kindStatus(request, kind);
    if (!isSuccess(wrong)) return { status: wrong, information: 0 };
    // Devices, pipes and links are used by whom they let: they are known for being deleted alone.
    const shared = kind === 'file' || kind === 'directory' ? request.access : 0;
    const truncates = kind === 'file' && (information === FILE_OVERWRITTEN || information === FILE_SUPERSEDED);
    const use = FileUse.claimHandle(
      request.operation,
      stat,
      { access: shared | (truncates ? FILE_WRITE_DATA : 0), share: request.share, truncates },
      request.deletesOnClose ? pathOf(descriptor) : null,
      () => {
        if (os.descriptorStat(descriptor).links === 0) return 'gone';
        return truncates ? attempt(() => empty(descriptor)) : Status.STATUS_SUCCESS;
      },
    );
    if (use === 'gone') return 'gone';
    if ('status' in use) return { status: use.status, information: 0 };
    file = new FileObject(descriptor, use, { path: request.path, kind, synchronous: request.synchronous });
    return { file, information };
  } finally {
    if (file === null) {
      os.descriptorClose(descriptor);
    }
  }
}

/** Why a file of this kind is not what was asked for. */
function kindStatus({ wants, disposition }: OpenRequest, kind: string): NTSTATUS {
  if (wants === 'directory' && kind !== 'directory') return Status.STATUS_NOT_A_DIRECTORY;
  if (wants === 'file' && kind === 'directory') return Status.STATUS_FILE_IS_A_DIRECTORY;
  const overwrites = disposition === FILE_OVERWRITE || disposition === FILE_OVERWRITE_IF || disposition === FILE_SUPERSEDE;
  return overwrites && kind === 'directory' ? Status.STATUS_OBJECT_NAME_COLLISION : Status.STATUS_SUCCESS;
}

/** Takes a file's content away, also by a descriptor that does not write. */
function empty(descriptor: Descriptor): void {
  const { writable, size } = os.descriptorStat(descriptor);
  if (size === 0) return;
  const writer = writable ? descriptor : os.descriptorReopen(descriptor, true);
  try {
    os.descriptorResize(writer, 0);
  } finally {
    if (!writable) os.descriptorClose(writer);
  }
}
