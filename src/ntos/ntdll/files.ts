/**
 * Files, by the kernel. A request ends before its call returns, whatever the file was opened for: the memory is
 * JavaScript's.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { memoryOf, ulong, ulong64, ulong64OrNull } from '../../nt/arguments.js';
import { FILE_OPEN, FilePositionInformation, FileStandardInformation } from '../../nt/constants.js';
import type * as ours from '../../nt/ntdll.js';
import { Structure, wordAt, words64 } from '../structures.js';
import type { Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  'NtCreateFile' | 'NtOpenFile' | 'NtReadFile' | 'NtWriteFile' | 'NtLockFile' | 'NtUnlockFile' | 'NtFlushBuffersFile'
>;

const IO_STATUS_BLOCK = new Structure(16, { Status: [0, 'u32'], Information: [8, 'size'] });
const END_OF_FILE = new Structure(24, { EndOfFile: [8, 'size'] });

/** Up to here a read gets all the room that it asks for. */
const MOST_UNASKED = 1 << 20;

const fileResult = (status: NTSTATUS, information = 0, fileHandle = 0): ours.FileResult => ({
  status,
  fileHandle,
  ioStatus: { Status: status, Information: information },
});

export const ioResult = (status: NTSTATUS, information = 0): ours.IoResult => ({
  status,
  ioStatus: { Status: status, Information: information },
});

/** What a status block says once the kernel has filled it in. */
export const informationIn = (io: Uint8Array): number => IO_STATUS_BLOCK.read(io).Information;

/** An offset by value; null for the file's position. Undefined for what is none. */
function offsetOf(value: unknown): Uint8Array | null | undefined {
  if (value === null || value === undefined) return null;
  const offset = ulong64(value);
  return offset === undefined ? undefined : words64(offset);
}

export function fileCalls(kernel: Kernel): Calls {
  const create = (
    desiredAccess: unknown,
    objectAttributes: ours.ObjectAttributes,
    allocationSize: unknown,
    ...[fileAttributes, share, disposition, options]: readonly unknown[]
  ): ours.FileResult => {
    const access = ulong(desiredAccess);
    const size = ulong64OrNull(allocationSize);
    const [flags, shared, how, wishes] = [ulong(fileAttributes), ulong(share), ulong(disposition), ulong(options)];
    if (access === undefined || size === undefined || flags === undefined || shared === undefined) {
      return fileResult(Status.STATUS_INVALID_PARAMETER);
    }
    if (how === undefined || wishes === undefined) return fileResult(Status.STATUS_INVALID_PARAMETER);
    const attributes = kernel.attributes(objectAttributes, true);
    if ('status' in attributes) return fileResult(attributes.status);
    const [handle, io] = [words64(0n), IO_STATUS_BLOCK.room()];
    const allocation = size === 0n ? null : words64(size);
    const status = kernel.call('NtCreateFile', handle, access, attributes, io, allocation, flags, shared, how, wishes, null, 0);
    return isSuccess(status)
      ? fileResult(status, informationIn(io), kernel.enter(handle))
      : fileResult(status, informationIn(io));
  };

  /** A number from a structure about a file. */
  const ask = (handle: ours.Handle, informationClass: number, bytes: number, at: number): number | null => {
    const found = new Uint8Array(bytes);
    const status = kernel.call('NtQueryInformationFile', handle, IO_STATUS_BLOCK.room(), found, bytes, informationClass);
    return isSuccess(status) ? Number(wordAt(found, at / 8)) : null;
  };

  /** Bytes that a read can bring: no buffer is made for what is not there. */
  const worthReading = (handle: ours.Handle, length: number, offset: Uint8Array | null): number => {
    if (length <= MOST_UNASKED) return length;
    const size = ask(handle, FileStandardInformation, END_OF_FILE.bytes, 8);
    const start = offset === null ? ask(handle, FilePositionInformation, 8, 0) : Number(wordAt(offset));
    return size === null ? MOST_UNASKED : Math.min(length, Math.max(1, size - (start ?? 0)));
  };

  /** Does what an event is to tell of: it is reset first, and signalled when all went well. */
  const telling = <R extends ours.IoResult>(given: unknown, refuse: (status: NTSTATUS) => R, work: () => R): R => {
    const event = kernel.handleOrNone(given);
    if (event === 0) return work();
    const reset = kernel.call('NtResetEvent', event, null);
    if (!isSuccess(reset)) return refuse(reset);
    const result = work();
    if (isSuccess(result.status)) kernel.call('NtSetEvent', event, null);
    return result;
  };

  return {
    NtCreateFile: (access, attributes, size, flags, share, disposition, options) =>
      create(access, attributes, size, flags, share, disposition, options),
    NtOpenFile: (access, attributes, share, options) => create(access, attributes, null, 0, share, FILE_OPEN, options),

    NtReadFile(fileHandle, event, _apcRoutine, _apcContext, length, byteOffset = null) {
      const refuse = (status: NTSTATUS): ours.ReadResult => ({ ...ioResult(status), buffer: new Uint8Array(0) });
      const [bytes, offset] = [ulong(length), offsetOf(byteOffset)];
      if (bytes === undefined || offset === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
      const handle = kernel.handle(fileHandle);
      return telling(event, refuse, () => {
        const buffer = new Uint8Array(worthReading(handle, bytes, offset));
        const io = IO_STATUS_BLOCK.room();
        const status = kernel.call('NtReadFile', handle, null, null, null, io, buffer, buffer.length, offset, null);
        if (!isSuccess(status)) return refuse(status);
        const count = informationIn(io);
        return { ...ioResult(status, count), buffer: buffer.subarray(0, count) };
      });
    },

    NtWriteFile(fileHandle, event, _apcRoutine, _apcContext, buffer, length, byteOffset = null) {
      const [bytes, offset] = [ulong(length), offsetOf(byteOffset)];
      if (bytes === undefined || offset === undefined) return ioResult(Status.STATUS_INVALID_PARAMETER);
      const source = memoryOf(buffer);
      if (source === undefined || bytes > source.length) return ioResult(Status.STATUS_ACCESS_VIOLATION);
      return telling(event, ioResult, () => {
        const io = IO_STATUS_BLOCK.room();
        const handle = kernel.handle(fileHandle);
        const status = kernel.call('NtWriteFile', handle, null, null, null, io, source, bytes, offset, null);
        return ioResult(status, isSuccess(status) ? informationIn(io) : 0);
      });
    },

    NtLockFile(fileHandle, event, _apcRoutine, _apcContext, byteOffset, length, key, _failImmediately, exclusiveLock) {
      const [start, bytes, by] = [ulong64(byteOffset), ulong64(length), ulong64OrNull(key)];
      if (start === undefined || bytes === undefined || by === undefined) return ioResult(Status.STATUS_INVALID_PARAMETER);
      return telling(event, ioResult, () => {
        const [failImmediately, io] = [1, IO_STATUS_BLOCK.room()];
        const status = kernel.call(
          'NtLockFile',
          kernel.handle(fileHandle),
          null,
          null,
          null,
          io,
          words64(start),
          words64(bytes),
          Number(BigInt.asUintN(32, by)),
          failImmediately,
          exclusiveLock === true ? 1 : 0,
        );
        return ioResult(status);
      });
    },

    NtUnlockFile(fileHandle, byteOffset, length, key) {
      const [start, bytes, by] = [ulong64(byteOffset), ulong64(length), ulong64OrNull(key)];
      if (start === undefined || bytes === undefined || by === undefined) return ioResult(Status.STATUS_INVALID_PARAMETER);
      const handle = kernel.handle(fileHandle);
      const number = Number(BigInt.asUintN(32, by));
      return ioResult(kernel.call('NtUnlockFile', handle, IO_STATUS_BLOCK.room(), words64(start), words64(bytes), number));
    },

    NtFlushBuffersFile: (fileHandle) => kernel.call('NtFlushBuffersFile', kernel.handle(fileHandle), IO_STATUS_BLOCK.room()),
  };
}
