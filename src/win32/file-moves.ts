/**
 * The calls of `sectile/kernel32` that take whole files by their paths: delete, copy, move. Each opens
 * what it is about, so that the sharing rules speak.
 */
import { linkSync, lstatSync, renameSync, statSync, unlinkSync } from 'node:fs';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { attempt, statusOfError } from '../files/errors.js';
import type { Handle } from '../nt/arguments.js';
import {
  DELETE,
  FILE_CREATE,
  FILE_NON_DIRECTORY_FILE,
  FILE_OPEN,
  FILE_OPEN_FOR_BACKUP_INTENT,
  FILE_OPEN_REPARSE_POINT,
  FILE_OVERWRITE_IF,
  FILE_READ_ATTRIBUTES,
  FILE_SHARE_DELETE,
  FILE_SHARE_READ,
  FILE_SHARE_WRITE,
  FILE_SYNCHRONOUS_IO_NONALERT,
  FileDispositionInformation,
  GENERIC_READ,
  GENERIC_WRITE,
  SYNCHRONIZE,
} from '../nt/constants.js';
import { readInto, setInformationFile, writeFrom } from '../nt/file-calls.js';
import { createFileAt } from '../nt/file-open-calls.js';
import { closeHandle } from '../nt/section-calls.js';
import { DEVICE_PREFIX, failWith } from './arguments.js';
import { ERROR_ACCESS_DENIED, ERROR_FILE_EXISTS, ERROR_PATH_NOT_FOUND } from './constants.js';
import { setErrorFor } from './last-error.js';

const SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
const COPIED_AT_ONCE = 1 << 20;

/** Whether a call succeeded; if not, the last error says why. */
function succeeded(status: NTSTATUS): boolean {
  if (!isSuccess(status)) setErrorFor(status);
  return isSuccess(status);
}

const isPath = (path: unknown): path is string => typeof path === 'string' && path !== '' && !path.includes('\0');

/** Whether these are paths of the host. A device is deleted, copied and moved by nobody, nor is a file that looks like one. */
function arePaths(...paths: readonly unknown[]): boolean {
  if (!paths.every(isPath)) return failWith(ERROR_PATH_NOT_FOUND, false);
  return !paths.some((path) => path.startsWith(DEVICE_PREFIX)) || failWith(ERROR_ACCESS_DENIED, false);
}

/** Opens a file for as long as something is done with it. */
function withFile(
  path: string,
  how: { readonly access: number; readonly share: number; readonly disposition?: number; readonly options?: number },
  work: (handle: Handle) => NTSTATUS,
): NTSTATUS {
  const { access, share, disposition = FILE_OPEN, options = FILE_NON_DIRECTORY_FILE } = how;
  const opened = createFileAt(path, {
    access: access | SYNCHRONIZE | FILE_READ_ATTRIBUTES,
    fileAttributes: 0,
    share,
    disposition,
    options: options | FILE_SYNCHRONOUS_IO_NONALERT,
  });
  if (!isSuccess(opened.status)) return opened.status;
  try {
    return work(opened.fileHandle);
  } catch (error) {
    return statusOfError(error);
  } finally {
    closeHandle('user', opened.fileHandle);
  }
}

/**
 * Deletes a file. While others have it open who allow that, it goes with the last of them, and nobody
 * can open it any more. A symbolic link goes itself.
 *
 * @returns Whether it will be gone; if not, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND,
 * ERROR_SHARING_VIOLATION (open without FILE_SHARE_DELETE), ERROR_ACCESS_DENIED (mapped, read-only, a
 * directory, a device's name, or already on its way).
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-deletefilew}
 */
export function DeleteFile(lpFileName: string): boolean {
  if (!arePaths(lpFileName)) return false;
  const options = FILE_NON_DIRECTORY_FILE | FILE_OPEN_REPARSE_POINT;
  return succeeded(
    withFile(
      lpFileName,
      { access: DELETE, share: SHARE_ALL, options },
      (file) => setInformationFile('user', file, { DeleteFile: true }, FileDispositionInformation).status,
    ),
  );
}

const isSameFile = (a: string, b: string): boolean => {
  const [first, second] = [a, b].map((path) => statSync(path, { bigint: true, throwIfNoEntry: false }));
  return first !== undefined && first.dev === second?.dev && first.ino === second.ino;
};

function copyContent(source: Handle, target: Handle): NTSTATUS {
  const buffer = new Uint8Array(COPIED_AT_ONCE);
  for (;;) {
    const read = readInto('user', source, buffer, null);
    if ('status' in read) return read.status === Status.STATUS_END_OF_FILE ? Status.STATUS_SUCCESS : read.status;
    const written = writeFrom('user', target, buffer.subarray(0, read.count), null);
    if ('status' in written) return written.status;
  }
}

/**
 * Copies a file's content into another.
 *
 * @param bFailIfExists Whether an existing file is to be left alone; else it is emptied first.
 * @returns Whether it was done; if not, ERROR_FILE_NOT_FOUND, ERROR_FILE_EXISTS,
 * ERROR_SHARING_VIOLATION, ERROR_USER_MAPPED_FILE (the target is mapped), ERROR_ACCESS_DENIED (a device's name, too),
 * ERROR_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-copyfile}
 */
export function CopyFile(lpExistingFileName: string, lpNewFileName: string, bFailIfExists: boolean): boolean {
  if (!arePaths(lpExistingFileName, lpNewFileName)) return false;
  const share = FILE_SHARE_READ | FILE_SHARE_WRITE;
  const disposition = bFailIfExists ? FILE_CREATE : FILE_OVERWRITE_IF;
  const status = withFile(lpExistingFileName, { access: GENERIC_READ, share }, (source) =>
    !bFailIfExists && isSameFile(lpExistingFileName, lpNewFileName)
      ? Status.STATUS_SHARING_VIOLATION
      : withFile(lpNewFileName, { access: GENERIC_WRITE, share, disposition }, (target) => copyContent(source, target)),
  );
  if (status !== Status.STATUS_OBJECT_NAME_COLLISION) return succeeded(status);
  return failWith(ERROR_FILE_EXISTS, false);
}

/** Gives a file another path where nothing is yet. A link and an unlink are one step for whoever looks: nothing is replaced. */
function rename(from: string, to: string): NTSTATUS {
  if (lstatSync(from).isDirectory()) {
    return lstatSync(to, { throwIfNoEntry: false }) === undefined
      ? attempt(() => renameSync(from, to))
      : Status.STATUS_OBJECT_NAME_COLLISION;
  }
  const status = attempt(() => linkSync(from, to));
  return isSuccess(status) ? attempt(() => unlinkSync(from)) : status;
}

/**
 * Moves a file, also to another file system, or a directory within one. Nothing is replaced.
 *
 * @returns Whether it was done; if not, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ALREADY_EXISTS,
 * ERROR_SHARING_VIOLATION (the file is open without FILE_SHARE_DELETE), ERROR_ACCESS_DENIED (a device's name, too),
 * ERROR_NOT_SAME_DEVICE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-movefile}
 */
export function MoveFile(lpExistingFileName: string, lpNewFileName: string): boolean {
  if (!arePaths(lpExistingFileName, lpNewFileName)) return false;
  const options = FILE_OPEN_FOR_BACKUP_INTENT | FILE_OPEN_REPARSE_POINT;
  const status = withFile(lpExistingFileName, { access: DELETE, share: SHARE_ALL, options }, () =>
    rename(lpExistingFileName, lpNewFileName),
  );
  if (status !== Status.STATUS_NOT_SAME_DEVICE || statSync(lpExistingFileName, { throwIfNoEntry: false })?.isDirectory())
    return succeeded(status);
  return CopyFile(lpExistingFileName, lpNewFileName, true) && DeleteFile(lpExistingFileName);
}

export {
  CopyFile as CopyFileA,
  CopyFile as CopyFileW,
  DeleteFile as DeleteFileA,
  DeleteFile as DeleteFileW,
  MoveFile as MoveFileA,
  MoveFile as MoveFileW,
};
