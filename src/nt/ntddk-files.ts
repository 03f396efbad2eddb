/**
 * The calls of `sectile/ntddk` on files, in kernel mode: parameters and statuses are those of `sectile/ntdll`.
 * Rights are not asked for, unless the attributes hold OBJ_FORCE_ACCESS_CHECK; sharing is.
 */
import type { Handle, Size } from './arguments.js';
import {
  flushBuffersFile,
  type IoResult,
  lockFile,
  queryInformationFile,
  type ReadResult,
  readFile,
  setInformationFile,
  unlockFile,
  writeFile,
} from './file-calls.js';
import { createFile, type FileResult, openFile } from './file-open-calls.js';
import type {
  NtFlushBuffersFile,
  NtOpenFile,
  NtQueryInformationFile,
  NtSetInformationFile,
  NtUnlockFile,
} from './ntdll-files.js';
import type { ObjectAttributes } from './object-attributes.js';

export type {
  FILE_NAME_INFORMATION,
  FILE_POSITION_INFORMATION,
  FILE_STANDARD_INFORMATION,
  FileInformation,
  FileQueryResult,
  IoResult,
  ReadResult,
} from './file-calls.js';
export type { FileResult, IO_STATUS_BLOCK } from './file-open-calls.js';

/**
 * Opens a file, or makes it. With OBJ_KERNEL_HANDLE the handle is the kernel's.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatefile}
 */
export function ZwCreateFile(
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  allocationSize: Size | null,
  fileAttributes: number,
  shareAccess: number,
  createDisposition: number,
  createOptions: number,
  _eaBuffer: Uint8Array | null = null,
  _eaLength = 0,
): FileResult {
  return createFile(
    'kernel',
    desiredAccess,
    objectAttributes,
    allocationSize,
    fileAttributes,
    shareAccess,
    createDisposition,
    createOptions,
  );
}

/**
 * Opens a file that is there. Parameters and statuses: {@link NtOpenFile}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenfile}
 */
export const ZwOpenFile: typeof NtOpenFile = (...given) => openFile('kernel', ...given);

/**
 * Reads from a file.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntreadfile}
 */
export function ZwReadFile(
  fileHandle: Handle,
  event: Handle | null,
  _apcRoutine: unknown,
  _apcContext: unknown,
  length: number,
  byteOffset: Size | null = null,
  _key: number | null = null,
): ReadResult {
  return readFile('kernel', fileHandle, event, length, byteOffset);
}

/**
 * Writes to a file.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntwritefile}
 */
export function ZwWriteFile(
  fileHandle: Handle,
  event: Handle | null,
  _apcRoutine: unknown,
  _apcContext: unknown,
  buffer: Uint8Array,
  length: number,
  byteOffset: Size | null = null,
  _key: number | null = null,
): IoResult {
  return writeFile('kernel', fileHandle, event, buffer, length, byteOffset);
}

/**
 * Tells what an open file is. Parameters and statuses: {@link NtQueryInformationFile}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationfile}
 */
export const ZwQueryInformationFile: typeof NtQueryInformationFile = (...given) => queryInformationFile('kernel', ...given);

/**
 * Changes a file: its length, the position, whether it goes with its last user. Parameters and statuses: {@link
 * NtSetInformationFile}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetinformationfile}
 */
export const ZwSetInformationFile: typeof NtSetInformationFile = (...given) => setInformationFile('kernel', ...given);

/**
 * Locks a range of bytes against other handles.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwlockfile}
 */
export function ZwLockFile(
  fileHandle: Handle,
  event: Handle | null,
  _apcRoutine: unknown,
  _apcContext: unknown,
  byteOffset: Size,
  length: Size,
  key: number,
  _failImmediately: boolean,
  exclusiveLock: boolean,
): IoResult {
  return lockFile('kernel', fileHandle, event, byteOffset, length, key, exclusiveLock);
}

/**
 * Unlocks a range as it was locked. Parameters and statuses: {@link NtUnlockFile}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwunlockfile}
 */
export const ZwUnlockFile: typeof NtUnlockFile = (...given) => unlockFile('kernel', ...given);

/**
 * Writes what the system keeps of a file to the disk and waits for it. Parameters and statuses: {@link
 * NtFlushBuffersFile}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntflushbuffersfile}
 */
export const ZwFlushBuffersFile: typeof NtFlushBuffersFile = (...given) => flushBuffersFile('kernel', ...given);
