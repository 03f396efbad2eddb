/**
 * The calls of `sectile/kernel32` on files: open, read, write. Paths are the host's, as they are.
 */
import { isSuccess, Status } from '../base/status.js';
import type { Transfer } from '../files/file-object.js';
import { type Handle, memoryOf, type Size, ulong, ulong64 } from '../nt/arguments.js';
import {
  DELETE,
  FILE_CREATE,
  FILE_DELETE_ON_CLOSE,
  FILE_NON_DIRECTORY_FILE,
  FILE_OPEN,
  FILE_OPEN_FOR_BACKUP_INTENT,
  FILE_OPEN_IF,
  FILE_OPEN_REPARSE_POINT,
  FILE_OPENED,
  FILE_OVERWRITE,
  FILE_OVERWRITE_IF,
  FILE_OVERWRITTEN,
  FILE_READ_ATTRIBUTES,
  FILE_SYNCHRONOUS_IO_NONALERT,
  FILE_WRITE_DATA,
  FileAllocationInformation,
  FileEndOfFileInformation,
  FilePositionInformation,
  FileStandardInformation,
  GENERIC_WRITE,
  OBJ_CASE_INSENSITIVE,
  OBJ_INHERIT,
  SYNCHRONIZE,
} from '../nt/constants.js';
import {
  type FILE_POSITION_INFORMATION,
  type FILE_STANDARD_INFORMATION,
  flushBuffersFile,
  queryInformationFile,
  readInto,
  setInformationFile,
  writeFrom,
} from '../nt/file-calls.js';
import { createFile, createFileAt, type FileResult } from '../nt/file-open-calls.js';
import { InitializeObjectAttributes } from '../nt/object-attributes.js';
import { fileType } from '../nt/object-types.js';
import { isOtherFile, objectOf } from '../nt/tables.js';
import { bytesOf, cString, DEVICE_PREFIX, fail, failWith, type Overlapped, offsetOf } from './arguments.js';
import * as c from './constants.js';
import { SetLastError } from './last-error.js';
import { isInheritable } from './object-names.js';

/* ----------------------------------------------------------------------------- opening ---- */

/** What dwCreationDisposition means, and what became of the file where that is an error and no failure. */
const dispositions: ReadonlyMap<number | undefined, { readonly nt: number; readonly existed?: number }> = new Map([
  [c.CREATE_NEW, { nt: FILE_CREATE }],
  [c.CREATE_ALWAYS, { nt: FILE_OVERWRITE_IF, existed: FILE_OVERWRITTEN }],
  [c.OPEN_EXISTING, { nt: FILE_OPEN }],
  [c.OPEN_ALWAYS, { nt: FILE_OPEN_IF, existed: FILE_OPENED }],
  [c.TRUNCATE_EXISTING, { nt: FILE_OVERWRITE }],
]);

const FLAG_ATTRIBUTES = 0xffff;

/** The flags of dwFlagsAndAttributes that files know, and the options that they become. */
const optionsOfFlags: readonly (readonly [flag: number, options: number])[] = [
  [c.FILE_FLAG_BACKUP_SEMANTICS, FILE_OPEN_FOR_BACKUP_INTENT],
  [c.FILE_FLAG_DELETE_ON_CLOSE, FILE_DELETE_ON_CLOSE],
  [c.FILE_FLAG_OPEN_REPARSE_POINT, FILE_OPEN_REPARSE_POINT],
];

function createOptions(flags: number): number {
  const options = optionsOfFlags.reduce((all, [flag, option]) => ((flags & flag) === 0 ? all : all | option), 0);
  const positioned = (flags & c.FILE_FLAG_OVERLAPPED) === 0 ? FILE_SYNCHRONOUS_IO_NONALERT : 0;
  // Whoever has no backup in mind gets no directory.
  return options | positioned | ((flags & c.FILE_FLAG_BACKUP_SEMANTICS) === 0 ? FILE_NON_DIRECTORY_FILE : 0);
}

/**
 * Opens a file or a device, or makes a file.
 *
 * @param lpFileName The host's path; `\\.\Name` for a device of a driver.
 * @param dwDesiredAccess GENERIC_READ, GENERIC_WRITE, FILE_…; 0 to ask what the file is.
 * @param dwShareMode FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_SHARE_DELETE: what other handles may do, in
 * this user's processes that use Sectile.
 * @param lpSecurityAttributes bInheritHandle; the host's own rights say who may open a file.
 * @param dwCreationDisposition CREATE_NEW, CREATE_ALWAYS, OPEN_EXISTING, OPEN_ALWAYS or TRUNCATE_EXISTING.
 * @param dwFlagsAndAttributes FILE_FLAG_DELETE_ON_CLOSE, FILE_FLAG_BACKUP_SEMANTICS (directories as well),
 * FILE_FLAG_OPEN_REPARSE_POINT, FILE_FLAG_OVERLAPPED (no position), FILE_ATTRIBUTE_READONLY. Others are
 * accepted without effect.
 * @param hTemplateFile Not looked at.
 * @returns The handle. With CREATE_ALWAYS and OPEN_ALWAYS the last error is ERROR_ALREADY_EXISTS when the
 * file was there, else ERROR_SUCCESS. INVALID_HANDLE_VALUE on failure: ERROR_FILE_NOT_FOUND,
 * ERROR_PATH_NOT_FOUND, ERROR_FILE_EXISTS, ERROR_ACCESS_DENIED (a directory as well),
 * ERROR_SHARING_VIOLATION, ERROR_USER_MAPPED_FILE (emptying a file that is mapped),
 * ERROR_INVALID_PARAMETER, ERROR_INVALID_NAME, ERROR_WRITE_PROTECT, ERROR_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew}
 */
export function CreateFile(
  lpFileName: string,
  dwDesiredAccess: number,
  dwShareMode: number,
  lpSecurityAttributes: { readonly bInheritHandle?: boolean } | string | null,
  dwCreationDisposition: number,
  dwFlagsAndAttributes: number,
  _hTemplateFile: Handle | null = null,
): Handle {
  const disposition = dispositions.get(ulong(dwCreationDisposition));
  const [access, share, flags] = [ulong(dwDesiredAccess), ulong(dwShareMode), ulong(dwFlagsAndAttributes)];
  if (typeof lpFileName !== 'string' || cString(lpFileName) === '')
    return failWith(c.ERROR_PATH_NOT_FOUND, c.INVALID_HANDLE_VALUE);
  if (disposition === undefined || access === undefined || share === undefined || flags === undefined)
    return failWith(c.ERROR_INVALID_PARAMETER, c.INVALID_HANDLE_VALUE);
  if (dwCreationDisposition === c.TRUNCATE_EXISTING && (access & (GENERIC_WRITE | FILE_WRITE_DATA)) === 0)
    return failWith(c.ERROR_INVALID_PARAMETER, c.INVALID_HANDLE_VALUE);
  const deletes = (flags & c.FILE_FLAG_DELETE_ON_CLOSE) === 0 ? 0 : DELETE;
  const { status, fileHandle, ioStatus } = openByName(cString(lpFileName), {
    access: access | SYNCHRONIZE | FILE_READ_ATTRIBUTES | deletes,
    fileAttributes: flags & FLAG_ATTRIBUTES,
    share,
    disposition: disposition.nt,
    options: createOptions(flags),
    inherit: isInheritable(lpSecurityAttributes),
  });
  // The one status that stands for another error here than elsewhere.
  if (status === Status.STATUS_OBJECT_NAME_COLLISION) return failWith(c.ERROR_FILE_EXISTS, c.INVALID_HANDLE_VALUE);
  if (!isSuccess(status)) return fail(status, c.INVALID_HANDLE_VALUE);
  SetLastError(ioStatus.Information === disposition.existed ? c.ERROR_ALREADY_EXISTS : c.ERROR_SUCCESS);
  return fileHandle;
}

/** How Win32 asks for a file. */
export interface Win32Open {
  readonly access: number;
  readonly fileAttributes: number;
  readonly share: number;
  readonly disposition: number;
  readonly options: number;
  readonly inherit?: boolean;
}

function openByName(name: string, how: Win32Open): FileResult {
  if (!name.startsWith(DEVICE_PREFIX)) return createFileAt(name, how);
  const attributes = InitializeObjectAttributes(
    `\\??\\${name.slice(DEVICE_PREFIX.length)}`,
    OBJ_CASE_INSENSITIVE | (how.inherit === true ? OBJ_INHERIT : 0),
  );
  return createFile(
    'user',
    how.access,
    attributes,
    null,
    how.fileAttributes,
    how.share,
    how.disposition,
    how.options & ~FILE_NON_DIRECTORY_FILE,
  );
}

/* --------------------------------------------------------------------- reading, writing ---- */

/** Where a transfer starts; null for the file's position. */
const startOf = (overlapped: Overlapped | null): Size | null =>
  overlapped === null || overlapped === undefined ? null : offsetOf(overlapped);

function transferred(transfer: Transfer): number | false {
  return 'count' in transfer ? transfer.count : fail(transfer.status, false);
}

/**
 * Reads from the file's position.
 *
 * @param hFile With GENERIC_READ.
 * @param lpBuffer What to fill.
 * @param nNumberOfBytesToRead Default: all of it.
 * @param lpOverlapped `{ Offset, OffsetHigh }`: where to read instead, for a file opened with FILE_FLAG_OVERLAPPED.
 * @returns The bytes read, 0 at the file's end; false on failure: ERROR_INVALID_HANDLE,
 * ERROR_ACCESS_DENIED, ERROR_LOCK_VIOLATION, ERROR_NOACCESS (no buffer), ERROR_INVALID_PARAMETER,
 * ERROR_INVALID_FUNCTION (a device: its driver has no routine for it).
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-readfile}
 */
export function ReadFile(
  hFile: Handle,
  lpBuffer: ArrayBufferView,
  nNumberOfBytesToRead?: number,
  lpOverlapped: Overlapped | null = null,
): number | false {
  const target = bytesOf(lpBuffer, nNumberOfBytesToRead);
  if (target === null) return failWith(c.ERROR_NOACCESS, false);
  const transfer = readInto('user', hFile, target, startOf(lpOverlapped));
  // At the end there is nothing, and that is no error: unless a position was asked for.
  if ('status' in transfer && transfer.status === Status.STATUS_END_OF_FILE && lpOverlapped === null) return 0;
  return transferred(transfer);
}

/**
 * Writes at the file's position.
 *
 * @param hFile With GENERIC_WRITE.
 * @param lpBuffer What to write.
 * @param nNumberOfBytesToWrite Default: all of it.
 * @param lpOverlapped `{ Offset, OffsetHigh }`: where to write instead.
 * @returns The bytes written; false on failure, as {@link ReadFile}, and ERROR_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-writefile}
 */
export function WriteFile(
  hFile: Handle,
  lpBuffer: ArrayBufferView,
  nNumberOfBytesToWrite?: number,
  lpOverlapped: Overlapped | null = null,
): number | false {
  const source = bytesOf(lpBuffer, nNumberOfBytesToWrite);
  if (source === null) return failWith(c.ERROR_NOACCESS, false);
  return transferred(writeFrom('user', hFile, source, startOf(lpOverlapped)));
}

/**
 * Writes what the system keeps of a file to the disk and waits for it.
 *
 * @param hFile With GENERIC_WRITE.
 * @returns Whether it was done; if not, ERROR_INVALID_HANDLE or ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers}
 */
export function FlushFileBuffers(hFile: Handle): boolean {
  const status = flushBuffersFile('user', hFile);
  return isSuccess(status) || fail(status, false);
}

/* ------------------------------------------------------------------------------- sizes ---- */

/** A file's facts, or false with the last error. */
function standard(hFile: Handle): FILE_STANDARD_INFORMATION | false {
  const { status, fileInformation } = queryInformationFile('user', hFile, FileStandardInformation);
  return isSuccess(status) ? (fileInformation as FILE_STANDARD_INFORMATION) : fail(status, false);
}

function position(hFile: Handle): number | false {
  const { status, fileInformation } = queryInformationFile('user', hFile, FilePositionInformation);
  return isSuccess(status) ? (fileInformation as FILE_POSITION_INFORMATION).CurrentByteOffset : fail(status, false);
}

function change(hFile: Handle, information: object, cls: number): boolean {
  const { status } = setInformationFile('user', hFile, information, cls);
  return isSuccess(status) || fail(status, false);
}

/** Where a move leads to, or why it leads nowhere. */
function destination(hFile: Handle, distance: bigint, dwMoveMethod: number): bigint | false {
  if (![c.FILE_BEGIN, c.FILE_CURRENT, c.FILE_END].includes(dwMoveMethod)) return failWith(c.ERROR_INVALID_PARAMETER, false);
  const facts = dwMoveMethod === c.FILE_END ? standard(hFile) : null;
  const current = dwMoveMethod === c.FILE_CURRENT ? position(hFile) : 0;
  if (facts === false || current === false) return false;
  const target = BigInt(facts?.EndOfFile ?? current) + distance;
  return target < 0n ? failWith(c.ERROR_NEGATIVE_SEEK, false) : target;
}

/**
 * Moves the file's position; beyond the end is allowed.
 *
 * @param liDistanceToMove Bytes, forward or back.
 * @param dwMoveMethod FILE_BEGIN, FILE_CURRENT or FILE_END.
 * @returns The new position; false on failure: ERROR_NEGATIVE_SEEK, ERROR_INVALID_PARAMETER, ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointerex}
 */
export function SetFilePointerEx(hFile: Handle, liDistanceToMove: Size, dwMoveMethod: number): number | false {
  const distance = ulong64(liDistanceToMove);
  if (distance === undefined) return failWith(c.ERROR_INVALID_PARAMETER, false);
  const target = destination(hFile, BigInt.asIntN(64, distance), dwMoveMethod);
  if (target === false) return false;
  return change(hFile, { CurrentByteOffset: target }, FilePositionInformation) && Number(target);
}

/**
 * Moves the file's position, in halves of 32 bits.
 *
 * @param lDistanceToMove Bytes, forward or back; the lower half where there is an upper one.
 * @param lpDistanceToMoveHigh Memory of 4 bytes with the upper half, an Int32Array of one element: the upper half
 * of the new position is put there. Null for a distance and a new position of 32 bits.
 * @param dwMoveMethod FILE_BEGIN, FILE_CURRENT or FILE_END.
 * @returns The lower half of the new position. INVALID_SET_FILE_POINTER on failure, or with the last error NO_ERROR
 * for a position that has it: ERROR_NEGATIVE_SEEK, ERROR_INVALID_PARAMETER (also a position beyond 32 bits and nowhere
 * to put its upper half), ERROR_NOACCESS (no such memory), ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setfilepointer}
 */
export function SetFilePointer(
  hFile: Handle,
  lDistanceToMove: number,
  lpDistanceToMoveHigh: Int32Array | null,
  dwMoveMethod: number,
): number {
  const low = ulong(lDistanceToMove);
  if (low === undefined) return failWith(c.ERROR_INVALID_PARAMETER, c.INVALID_SET_FILE_POINTER);
  const memory = (lpDistanceToMoveHigh ?? null) === null ? null : memoryOf(lpDistanceToMoveHigh);
  if (memory === undefined || (memory !== null && memory.length < 4))
    return failWith(c.ERROR_NOACCESS, c.INVALID_SET_FILE_POINTER);
  const high = memory === null ? null : new DataView(memory.buffer, memory.byteOffset, memory.byteLength);
  const distance = high === null ? BigInt(low | 0) : (BigInt(high.getInt32(0, true)) << 32n) | BigInt(low);
  const target = destination(hFile, distance, dwMoveMethod);
  if (target === false) return c.INVALID_SET_FILE_POINTER;
  if (high === null && target >> 32n !== 0n) return failWith(c.ERROR_INVALID_PARAMETER, c.INVALID_SET_FILE_POINTER);
  if (!change(hFile, { CurrentByteOffset: target }, FilePositionInformation)) return c.INVALID_SET_FILE_POINTER;
  high?.setInt32(0, Number(target >> 32n), true);
  const half = Number(BigInt.asUintN(32, target));
  return half === c.INVALID_SET_FILE_POINTER ? failWith(c.NO_ERROR, half) : half;
}

/**
 * Ends the file at its position, or extends it to there.
 *
 * @param hFile With GENERIC_WRITE.
 * @returns Whether it was done; if not, ERROR_USER_MAPPED_FILE (shrinking while a section or a view is
 * there, in any process of this user), ERROR_DISK_FULL, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-setendoffile}
 */
export function SetEndOfFile(hFile: Handle): boolean {
  const end = position(hFile);
  if (end === false || !change(hFile, { EndOfFile: end }, FileEndOfFileInformation)) return false;
  return change(hFile, { AllocationSize: end }, FileAllocationInformation);
}

/**
 * A file's length.
 *
 * @returns Bytes; false on failure: ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesizeex}
 */
export function GetFileSizeEx(hFile: Handle): number | false {
  const facts = standard(hFile);
  return facts === false ? false : facts.EndOfFile;
}

/**
 * The lower 32 bits of a file's length.
 *
 * @returns Bytes; INVALID_FILE_SIZE on failure: ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfilesize}
 */
export function GetFileSize(hFile: Handle): number {
  const size = GetFileSizeEx(hFile);
  return size === false ? c.INVALID_FILE_SIZE : size % 2 ** 32;
}

/* -------------------------------------------------------------------------------- types ---- */

const types = {
  file: c.FILE_TYPE_DISK,
  directory: c.FILE_TYPE_DISK,
  characterDevice: c.FILE_TYPE_CHAR,
  other: c.FILE_TYPE_PIPE,
} as const;

/**
 * What a handle's file is: FILE_TYPE_DISK, FILE_TYPE_CHAR, FILE_TYPE_PIPE. FILE_TYPE_UNKNOWN with the last error
 * NO_ERROR for a driver's device, whose type its driver alone knows; with ERROR_INVALID_HANDLE for a handle of
 * another kind.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-getfiletype}
 */
export function GetFileType(hFile: Handle): number {
  if (isOtherFile('user', hFile)) return failWith(c.NO_ERROR, c.FILE_TYPE_UNKNOWN);
  const found = objectOf('user', hFile, fileType);
  return 'status' in found ? failWith(c.ERROR_INVALID_HANDLE, c.FILE_TYPE_UNKNOWN) : types[found.body.facts.kind];
}

export { CreateFile as CreateFileA, CreateFile as CreateFileW };
