/**
 * What an open file is and what it shall become, by the kernel: one row for each class.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { fieldsOf, ulong, ulong64 } from '../../nt/arguments.js';
import {
  FileAllocationInformation,
  FileDispositionInformation,
  FileEndOfFileInformation,
  FileNameInformation,
  FilePositionInformation,
  FileStandardInformation,
} from '../../nt/constants.js';
import type * as ours from '../../nt/ntdll.js';
import { handleIn, Structure, textIn, words64 } from '../structures.js';
import { informationIn, ioResult } from './files.js';
import type { Kernel } from './kernel.js';

const FILE_STANDARD_INFORMATION = new Structure(24, {
  AllocationSize: [0, 'size'],
  EndOfFile: [8, 'size'],
  NumberOfLinks: [16, 'u32'],
  DeletePending: [20, 'u8'],
  Directory: [21, 'u8'],
});
const FILE_POSITION_INFORMATION = new Structure(8, { CurrentByteOffset: [0, 'size'] });
/** Where the text of FILE_NAME_INFORMATION starts, behind its length. */
const NAME_AT = 4;

function standardIn(bytes: Uint8Array): ours.FILE_STANDARD_INFORMATION {
  const { DeletePending, Directory, ...facts } = FILE_STANDARD_INFORMATION.read(bytes);
  return { ...facts, DeletePending: DeletePending !== 0, Directory: Directory !== 0 };
}

/** What each class gives, and the room that is always enough. */
const queries: ReadonlyMap<number | undefined, readonly [room: number, read: (bytes: Uint8Array) => ours.FileInformation]> =
  new Map<number, readonly [number, (bytes: Uint8Array) => ours.FileInformation]>([
    [FileStandardInformation, [FILE_STANDARD_INFORMATION.bytes, standardIn]],
    [FilePositionInformation, [FILE_POSITION_INFORMATION.bytes, (bytes) => FILE_POSITION_INFORMATION.read(bytes)]],
    [FileNameInformation, [0x1_0000, (bytes) => ({ FileName: textIn(bytes, NAME_AT, handleIn(bytes)) })]],
  ]);

/** A size or a position: LARGE_INTEGER. Undefined for what is none. */
function large(value: unknown): Uint8Array | undefined {
  const number = ulong64(value);
  return number === undefined ? undefined : words64(number);
}

/** The one field of each class that a caller can set, and its form in memory. */
const changes: ReadonlyMap<number | undefined, readonly [field: string, bytes: (value: unknown) => Uint8Array | undefined]> =
  new Map<number, readonly [string, (value: unknown) => Uint8Array | undefined]>([
    [FileEndOfFileInformation, ['EndOfFile', large]],
    [FileAllocationInformation, ['AllocationSize', large]],
    [FilePositionInformation, ['CurrentByteOffset', large]],
    [FileDispositionInformation, ['DeleteFile', (value) => new Uint8Array([value === true || value === 1 ? 1 : 0])]],
  ]);

export function fileInformationCalls(kernel: Kernel): Pick<typeof ours, 'NtQueryInformationFile' | 'NtSetInformationFile'> {
  return {
    NtQueryInformationFile(fileHandle, fileInformationClass, length) {
      const fail = (status: NTSTATUS, information = 0): ours.FileQueryResult => ({
        ...ioResult(status, information),
        fileInformation: null,
      });
      const wanted = ulong(fileInformationClass);
      const known = queries.get(wanted);
      if (known === undefined || wanted === undefined) return fail(Status.STATUS_INVALID_INFO_CLASS);
      const [room, read] = known;
      const given = length === undefined ? BigInt(room) : (ulong64(length) ?? 0n);
      const [bytes, io] = [new Uint8Array(Math.min(Number(given), room)), new Uint8Array(16)];
      const status = kernel.call('NtQueryInformationFile', kernel.handle(fileHandle), io, bytes, bytes.length, wanted);
      if (!isSuccess(status)) return fail(status);
      return { ...ioResult(status, informationIn(io)), fileInformation: read(bytes) };
    },

    NtSetInformationFile(fileHandle, fileInformation, fileInformationClass) {
      const wanted = ulong(fileInformationClass);
      const change = changes.get(wanted);
      if (change === undefined || wanted === undefined) return ioResult(Status.STATUS_INVALID_INFO_CLASS);
      const [field, form] = change;
      const fields = fieldsOf(fileInformation, field);
      if (fields === undefined) return ioResult(Status.STATUS_ACCESS_VIOLATION);
      const bytes = form(fields[field]);
      if (bytes === undefined) return ioResult(Status.STATUS_INVALID_PARAMETER);
      const handle = kernel.handle(fileHandle);
      return ioResult(kernel.call('NtSetInformationFile', handle, new Uint8Array(16), bytes, bytes.length, wanted));
    },
  };
}
