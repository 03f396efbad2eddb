/**
 * The calls on open files: read, write, lock, what a file is and what it shall become. The faces differ
 * in the mode that they call in and in the names they give these functions.
 */
import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { FileObject, Transfer } from '../files/file-object.js';
import { DELETE, FILE_APPEND_DATA, FILE_READ_DATA, FILE_WRITE_DATA } from '../security/index.js';
import { fieldsOf, type Handle, memoryOf, type Size, ulong, ulong64, ulong64OrNull } from './arguments.js';
import {
  FILE_USE_FILE_POINTER_POSITION,
  FILE_WRITE_TO_END_OF_FILE,
  FileAllocationInformation,
  FileDispositionInformation,
  FileEndOfFileInformation,
  FileNameInformation,
  FilePositionInformation,
  FileStandardInformation,
} from './constants.js';
import { putEvent } from './event-calls.js';
import type { IO_STATUS_BLOCK } from './file-open-calls.js';
import { fileType } from './object-types.js';
import { isOtherFile, type Mode, mayUse, type OpenHandle, objectOf } from './tables.js';

export interface IoResult {
  readonly status: NTSTATUS;
  readonly ioStatus: IO_STATUS_BLOCK;
}

export interface ReadResult extends IoResult {
  /** What was read: as many bytes as there were, at most as many as asked for. */
  readonly buffer: Uint8Array;
}

export interface FILE_STANDARD_INFORMATION {
  /** Bytes that the file takes on the disk. */
  readonly AllocationSize: number;
  /** Bytes. */
  readonly EndOfFile: number;
  readonly NumberOfLinks: number;
  readonly DeletePending: boolean;
  readonly Directory: boolean;
}

export interface FILE_POSITION_INFORMATION {
  readonly CurrentByteOffset: number;
}

export interface FILE_NAME_INFORMATION {
  /** From the root of the host's file system, with backslashes. */
  readonly FileName: string;
}

export type FileInformation = FILE_STANDARD_INFORMATION | FILE_POSITION_INFORMATION | FILE_NAME_INFORMATION;

export interface FileQueryResult extends IoResult {
  readonly fileInformation: FileInformation | null;
}

const ioResult = (status: NTSTATUS, information = 0): IoResult => ({
  status,
  ioStatus: { Status: status, Information: information },
});

type OpenFile = OpenHandle<FileObject>;

/** The file behind a handle that holds one of these rights. */
function fileOf(mode: Mode, handle: unknown, ...anyOf: readonly number[]): OpenFile | { readonly status: NTSTATUS } {
  const found = objectOf(mode, handle, fileType);
  // No driver has routines for reading, writing and the like here.
  if (isOtherFile(mode, handle)) return { status: Status.STATUS_INVALID_DEVICE_REQUEST };
  if ('status' in found || anyOf.length === 0) return found;
  return anyOf.some((rights) => mayUse(mode, found, rights)) ? found : { status: Status.STATUS_ACCESS_DENIED };
}

/** Does what an event is to tell of: it is reset first, and signalled when all went well. */
function telling<R extends IoResult>(mode: Mode, event: Handle | null, refuse: (status: NTSTATUS) => R, work: () => R): R {
  if (event === null || event === undefined || event === 0) return work();
  const reset = putEvent(mode, event, 0);
  if (!isSuccess(reset.status)) return refuse(reset.status);
  const result = work();
  if (isSuccess(result.status)) putEvent(mode, event, 1);
  return result;
}

/* ------------------------------------------------------------------------ reading, writing ---- */

const END = BigInt.asUintN(64, FILE_WRITE_TO_END_OF_FILE);
const CURRENT = BigInt.asUintN(64, FILE_USE_FILE_POINTER_POSITION);

/** Where a transfer starts. Without an offset, at the file object's position, which only synchronous ones have. */
function startOf(file: FileObject, byteOffset: Size | null, appends: boolean): number | { readonly status: NTSTATUS } {
  const offset = byteOffset === null || byteOffset === undefined ? CURRENT : ulong64(byteOffset);
  if (appends) return file.stat.size;
  if (offset === CURRENT) return file.facts.synchronous ? file.position : { status: Status.STATUS_INVALID_PARAMETER };
  if (offset === undefined || offset > BigInt(MAXIMUM_SECTION_SIZE)) return { status: Status.STATUS_INVALID_PARAMETER };
  return Number(offset);
}

function move(file: FileObject, start: number, transfer: Transfer): Transfer {
  if ('count' in transfer && file.facts.synchronous) file.position = start + transfer.count;
  return transfer;
}

/**
 * Reads into a buffer from a position; null for the current one.
 *
 * @returns the bytes read, or a status: STATUS_END_OF_FILE where there are none
 */
export function readInto(mode: Mode, handle: Handle, target: Uint8Array, byteOffset: Size | null): Transfer {
  const found = fileOf(mode, handle, FILE_READ_DATA);
  if ('status' in found) return found;
  const { body: file } = found;
  const start = startOf(file, byteOffset, false);
  if (typeof start !== 'number') return start;
  if (target.length === 0) return { count: 0 };
  const transfer = move(file, start, file.read(target, start));
  return 'count' in transfer && transfer.count === 0 ? { status: Status.STATUS_END_OF_FILE } : transfer;
}

/** Writes a buffer at a position; null for the current one. A handle that may only append writes at the end. */
export function writeFrom(mode: Mode, handle: Handle, source: Uint8Array, byteOffset: Size | null): Transfer {
  const found = fileOf(mode, handle, FILE_WRITE_DATA, FILE_APPEND_DATA);
  if ('status' in found) return found;
  const { body: file } = found;
  const toEnd = byteOffset !== null && byteOffset !== undefined && ulong64(byteOffset) === END;
  const start = startOf(file, byteOffset, toEnd || !mayUse(mode, found, FILE_WRITE_DATA));
  if (typeof start !== 'number') return start;
  if (source.length === 0) return { count: 0 };
  if (start + source.length > MAXIMUM_SECTION_SIZE) return { status: Status.STATUS_INVALID_PARAMETER };
  return move(file, start, file.write(source, start));
}

/** What a single read of something that is no regular file asks for at most. */
const MOST_AT_ONCE = 1 << 20;

/** Bytes that a read can bring: no buffer is made for what is not there. */
function worthReading(file: FileObject, length: number, byteOffset: Size | null): number {
  if (file.facts.kind !== 'file') return Math.min(length, MOST_AT_ONCE);
  const start = startOf(file, byteOffset, false);
  return typeof start === 'number' ? Math.min(length, Math.max(1, file.stat.size - start)) : 0;
}

/** ZwReadFile and NtReadFile. */
export function readFile(mode: Mode, handle: Handle, event: Handle | null, length: number, byteOffset: Size | null): ReadResult {
  const refuse = (status: NTSTATUS): ReadResult => ({ ...ioResult(status), buffer: new Uint8Array(0) });
  const bytes = ulong(length);
  if (bytes === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  const found = fileOf(mode, handle, FILE_READ_DATA);
  if ('status' in found) return refuse(found.status);
  return telling(mode, event, refuse, () => {
    const buffer = new Uint8Array(bytes === 0 ? 0 : worthReading(found.body, bytes, byteOffset));
    const transfer = readInto(mode, handle, buffer, byteOffset);
    if ('status' in transfer) return refuse(transfer.status);
    return { ...ioResult(Status.STATUS_SUCCESS, transfer.count), buffer: buffer.subarray(0, transfer.count) };
  });
}

/** ZwWriteFile and NtWriteFile. */
export function writeFile(
  mode: Mode,
  handle: Handle,
  event: Handle | null,
  buffer: Uint8Array,
  length: number,
  byteOffset: Size | null,
): IoResult {
  const bytes = ulong(length);
  if (bytes === undefined) return ioResult(Status.STATUS_INVALID_PARAMETER);
  const source = memoryOf(buffer);
  if (source === undefined || bytes > source.length) return ioResult(Status.STATUS_ACCESS_VIOLATION);
  return telling(mode, event, ioResult, () => {
    const transfer = writeFrom(mode, handle, source.subarray(0, bytes), byteOffset);
    return 'status' in transfer ? ioResult(transfer.status) : ioResult(Status.STATUS_SUCCESS, transfer.count);
  });
}

/** ZwFlushBuffersFile and NtFlushBuffersFile: returns when the file is on the disk. */
export function flushBuffersFile(mode: Mode, handle: Handle): NTSTATUS {
  const found = fileOf(mode, handle, FILE_WRITE_DATA, FILE_APPEND_DATA);
  return 'status' in found ? found.status : found.body.flush();
}

/* ----------------------------------------------------------------------------- asking ---- */

interface Query {
  /** Bytes of the structure on x64, without a name's characters. */
  readonly length: number;
  readonly ask: (file: FileObject) => FileInformation;
}

const standard = (file: FileObject): FILE_STANDARD_INFORMATION => {
  const { allocated, size, links } = file.stat;
  return {
    AllocationSize: allocated,
    EndOfFile: size,
    NumberOfLinks: links,
    DeletePending: file.isPending,
    Directory: file.facts.kind === 'directory',
  };
};

const queries: ReadonlyMap<number | undefined, Query> = new Map<number | undefined, Query>([
  [FileStandardInformation, { length: 24, ask: standard }],
  [FilePositionInformation, { length: 8, ask: (file) => ({ CurrentByteOffset: file.position }) }],
  [FileNameInformation, { length: 8, ask: (file) => ({ FileName: file.path.replaceAll('/', '\\') }) }],
]);

/** ZwQueryInformationFile and NtQueryInformationFile. Class and length are judged before the handle. */
export function queryInformationFile(
  mode: Mode,
  handle: Handle,
  fileInformationClass: number,
  fileInformationLength?: Size,
): FileQueryResult {
  const refuse = (status: NTSTATUS): FileQueryResult => ({ ...ioResult(status), fileInformation: null });
  const query = queries.get(ulong(fileInformationClass));
  if (query === undefined) return refuse(Status.STATUS_INVALID_INFO_CLASS);
  const given = fileInformationLength === undefined ? null : (ulong64(fileInformationLength) ?? 0n);
  if (given !== null && given < query.length) return refuse(Status.STATUS_INFO_LENGTH_MISMATCH);
  const found = fileOf(mode, handle);
  if ('status' in found) return refuse(found.status);
  const fileInformation = query.ask(found.body);
  const length = 'FileName' in fileInformation ? 4 + fileInformation.FileName.length * 2 : query.length;
  if (given !== null && given < length) return { ...refuse(Status.STATUS_BUFFER_OVERFLOW), fileInformation };
  return { ...ioResult(Status.STATUS_SUCCESS, length), fileInformation };
}

/* ---------------------------------------------------------------------------- changing ---- */

interface Change {
  /** What the structure of its class has. */
  readonly field: string;
  /** What the handle must hold; 0 for nothing. */
  readonly rights: number;
  readonly make: (file: FileObject, value: unknown) => NTSTATUS;
}

/** A size or position that a file can have here. */
function sizeOf(value: unknown): number | undefined {
  const size = ulong64(value);
  return size === undefined || size > BigInt(MAXIMUM_SECTION_SIZE) ? undefined : Number(size);
}

function resize(file: FileObject, value: unknown, onlyShrink: boolean): NTSTATUS {
  const size = sizeOf(value);
  if (size === undefined) return Status.STATUS_INVALID_PARAMETER;
  // To have more set aside than the file is long changes nothing that anybody could see.
  return onlyShrink && size >= file.stat.size ? Status.STATUS_SUCCESS : file.resize(size);
}

function setPosition(file: FileObject, value: unknown): NTSTATUS {
  const position = sizeOf(value);
  if (position === undefined || !file.facts.synchronous) return Status.STATUS_INVALID_PARAMETER;
  file.position = position;
  return Status.STATUS_SUCCESS;
}

const changes: ReadonlyMap<number | undefined, Change> = new Map<number | undefined, Change>([
  [FileEndOfFileInformation, { field: 'EndOfFile', rights: FILE_WRITE_DATA, make: (file, size) => resize(file, size, false) }],
  [
    FileAllocationInformation,
    { field: 'AllocationSize', rights: FILE_WRITE_DATA, make: (file, size) => resize(file, size, true) },
  ],
  [
    FileDispositionInformation,
    { field: 'DeleteFile', rights: DELETE, make: (file, deletes) => file.setDisposition(deletes === true || deletes === 1) },
  ],
  [FilePositionInformation, { field: 'CurrentByteOffset', rights: 0, make: setPosition }],
]);

/** ZwSetInformationFile and NtSetInformationFile. */
export function setInformationFile(mode: Mode, handle: Handle, fileInformation: unknown, fileInformationClass: number): IoResult {
  const change = changes.get(ulong(fileInformationClass));
  if (change === undefined) return ioResult(Status.STATUS_INVALID_INFO_CLASS);
  const fields = fieldsOf(fileInformation, change.field);
  if (fields === undefined) return ioResult(Status.STATUS_ACCESS_VIOLATION);
  const found = fileOf(mode, handle, change.rights);
  return ioResult('status' in found ? found.status : change.make(found.body, fields[change.field]));
}

/* ----------------------------------------------------------------------------- locking ---- */

interface LockRange {
  readonly start: bigint;
  readonly length: bigint;
  readonly key: number;
}

function lockRange(byteOffset: Size, length: Size, key: number): LockRange | { readonly status: NTSTATUS } {
  const [start, bytes, by] = [ulong64(byteOffset), ulong64(length), ulong64OrNull(key)];
  if (start === undefined || bytes === undefined || by === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
  if (start + bytes > 1n << 64n) return { status: Status.STATUS_INVALID_LOCK_RANGE };
  return { start, length: bytes, key: Number(BigInt.asUintN(32, by)) };
}

/** ZwLockFile and NtLockFile. A lock that is not to be had now is not waited for. */
export function lockFile(
  mode: Mode,
  handle: Handle,
  event: Handle | null,
  byteOffset: Size,
  length: Size,
  key: number,
  exclusiveLock: boolean,
): IoResult {
  const range = lockRange(byteOffset, length, key);
  if ('status' in range) return ioResult(range.status);
  const found = fileOf(mode, handle, FILE_READ_DATA, FILE_WRITE_DATA);
  if ('status' in found) return ioResult(found.status);
  return telling(mode, event, ioResult, () =>
    ioResult(found.body.lock(range.start, range.length, range.key, exclusiveLock === true)),
  );
}

/** ZwUnlockFile and NtUnlockFile. */
export function unlockFile(mode: Mode, handle: Handle, byteOffset: Size, length: Size, key: number): IoResult {
  const range = lockRange(byteOffset, length, key);
  if ('status' in range) return ioResult(range.status);
  const found = fileOf(mode, handle, FILE_READ_DATA, FILE_WRITE_DATA);
  return ioResult('status' in found ? found.status : found.body.unlock(range.start, range.length, range.key));
}
