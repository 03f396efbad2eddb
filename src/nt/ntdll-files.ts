/**
 * The calls of `sectile/ntdll` on files, in user mode.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Handle, Size } from './arguments.js';
import {
  type FileQueryResult,
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
 * Opens a file, or makes it. The operating system opens it with the rights asked for and no more; the
 * sharing rules hold among this user's processes that use Sectile, whichever face they use.
 *
 * @param desiredAccess FILE_…, standard and generic rights, or MAXIMUM_ALLOWED. SYNCHRONIZE (the generic
 * rights bring it) for a synchronous file object, DELETE for FILE_DELETE_ON_CLOSE.
 * @param objectAttributes The name: `\??\unix\tmp\x` or `\??\/tmp/x`, `\DosDevices` and `\GLOBAL??` as
 * well; or a path relative to the open directory in RootDirectory. The host's file systems tell case
 * apart, whatever OBJ_CASE_INSENSITIVE says.
 * @param allocationSize Recorded by no file system here; null for none.
 * @param fileAttributes FILE_ATTRIBUTE_READONLY makes a new file that nobody may write to later. Others
 * have no meaning on the host.
 * @param shareAccess FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE: what other handles may do.
 * @param createDisposition FILE_SUPERSEDE, FILE_OPEN, FILE_CREATE, FILE_OPEN_IF, FILE_OVERWRITE or
 * FILE_OVERWRITE_IF.
 * @param createOptions FILE_DIRECTORY_FILE, FILE_NON_DIRECTORY_FILE, FILE_DELETE_ON_CLOSE,
 * FILE_SYNCHRONOUS_IO_ALERT or FILE_SYNCHRONOUS_IO_NONALERT (the file object keeps a position),
 * FILE_OPEN_REPARSE_POINT (a symbolic link itself). Others are accepted without effect.
 * @param eaBuffer Extended attributes are not kept.
 * @param eaLength Bytes.
 * @returns The handle with STATUS_SUCCESS and what became of the file in `ioStatus.Information`
 * (FILE_OPENED, FILE_CREATED, …); else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_NAME_INVALID,
 * STATUS_ACCESS_DENIED (physical memory for everybody), STATUS_SHARING_VIOLATION,
 * STATUS_USER_MAPPED_FILE (emptying a file that is mapped), STATUS_DELETE_PENDING,
 * STATUS_FILE_IS_A_DIRECTORY, STATUS_NOT_A_DIRECTORY, STATUS_MEDIA_WRITE_PROTECTED, STATUS_DISK_FULL,
 * STATUS_TOO_MANY_OPENED_FILES.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatefile}
 */
export function NtCreateFile(
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
    'user',
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
 * Opens a file that is there: {@link NtCreateFile} with FILE_OPEN.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntopenfile}
 */
export function NtOpenFile(
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  shareAccess: number,
  openOptions: number,
): FileResult {
  return openFile('user', desiredAccess, objectAttributes, shareAccess, openOptions);
}

/**
 * Reads from a file.
 *
 * @param fileHandle With FILE_READ_DATA.
 * @param event Signalled when the bytes are there, which is before the call returns; null for none.
 * @param apcRoutine Not called: nothing is left to wait for.
 * @param length Bytes at most.
 * @param byteOffset Where; null or FILE_USE_FILE_POINTER_POSITION for the position of a synchronous file object.
 * @returns STATUS_SUCCESS with the bytes that there were; else STATUS_END_OF_FILE,
 * STATUS_FILE_LOCK_CONFLICT (another handle's lock), STATUS_ACCESS_DENIED, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_PARAMETER, STATUS_INVALID_DEVICE_REQUEST (a directory, a pipe).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntreadfile}
 */
export function NtReadFile(
  fileHandle: Handle,
  event: Handle | null,
  _apcRoutine: unknown,
  _apcContext: unknown,
  length: number,
  byteOffset: Size | null = null,
  _key: number | null = null,
): ReadResult {
  return readFile('user', fileHandle, event, length, byteOffset);
}

/**
 * Writes to a file.
 *
 * @param fileHandle With FILE_WRITE_DATA; with FILE_APPEND_DATA alone every write goes to the end.
 * @param buffer What to write.
 * @param length Bytes of it.
 * @param byteOffset Where; null or FILE_USE_FILE_POINTER_POSITION for the position of a synchronous file
 * object, FILE_WRITE_TO_END_OF_FILE for the end.
 * @returns STATUS_SUCCESS with the bytes written in `ioStatus.Information`; else as {@link NtReadFile},
 * STATUS_DISK_FULL, STATUS_ACCESS_VIOLATION (the buffer is shorter than `length`).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntwritefile}
 */
export function NtWriteFile(
  fileHandle: Handle,
  event: Handle | null,
  _apcRoutine: unknown,
  _apcContext: unknown,
  buffer: Uint8Array,
  length: number,
  byteOffset: Size | null = null,
  _key: number | null = null,
): IoResult {
  return writeFile('user', fileHandle, event, buffer, length, byteOffset);
}

/**
 * Tells what an open file is.
 *
 * @param fileInformationClass FileStandardInformation, FilePositionInformation or FileNameInformation.
 * @param length Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with what was asked for; else STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_BUFFER_OVERFLOW
 * (the name is longer than the buffer).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationfile}
 */
export function NtQueryInformationFile(fileHandle: Handle, fileInformationClass: number, length?: Size): FileQueryResult {
  return queryInformationFile('user', fileHandle, fileInformationClass, length);
}

/**
 * Changes a file: its length (FileEndOfFileInformation `{ EndOfFile }`, FileAllocationInformation
 * `{ AllocationSize }`, which cuts what is beyond it), the position (FilePositionInformation
 * `{ CurrentByteOffset }`), whether it goes with its last user (FileDispositionInformation `{ DeleteFile }`).
 *
 * @returns STATUS_SUCCESS; else STATUS_INVALID_INFO_CLASS, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER, STATUS_USER_MAPPED_FILE
 * (shrinking while a section or a view is there), STATUS_CANNOT_DELETE (while one is there, or read-only),
 * STATUS_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetinformationfile}
 */
export function NtSetInformationFile(fileHandle: Handle, fileInformation: object, fileInformationClass: number): IoResult {
  return setInformationFile('user', fileHandle, fileInformation, fileInformationClass);
}

/**
 * Locks a range of bytes against reads and writes by other handles. The lock is one of the operating
 * system (F_OFD_SETLK), which other programs see as well.
 *
 * @param byteOffset First byte, below 2^46.
 * @param length Bytes.
 * @param key Must be the same for unlocking.
 * @param failImmediately Taken for true: nothing is waited for in this version.
 * @param exclusiveLock False for a lock that others may share, against writes alone.
 * @returns STATUS_SUCCESS; else STATUS_LOCK_NOT_GRANTED, STATUS_INVALID_LOCK_RANGE,
 * STATUS_ACCESS_DENIED (also: an exclusive lock on a file that this user may only read),
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwlockfile}
 */
export function NtLockFile(
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
  return lockFile('user', fileHandle, event, byteOffset, length, key, exclusiveLock);
}

/**
 * Unlocks a range that this handle has locked, as it was locked.
 *
 * @returns STATUS_SUCCESS; else STATUS_RANGE_NOT_LOCKED and what {@link NtLockFile} has.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwunlockfile}
 */
export function NtUnlockFile(fileHandle: Handle, byteOffset: Size, length: Size, key: number): IoResult {
  return unlockFile('user', fileHandle, byteOffset, length, key);
}

/**
 * Writes what the system keeps of a file to the disk and waits for it.
 *
 * @param fileHandle With FILE_WRITE_DATA or FILE_APPEND_DATA.
 * @returns STATUS_SUCCESS, STATUS_ACCESS_DENIED, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntflushbuffersfile}
 */
export function NtFlushBuffersFile(fileHandle: Handle): NTSTATUS {
  return flushBuffersFile('user', fileHandle);
}
