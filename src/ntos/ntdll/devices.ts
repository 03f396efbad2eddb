/**
 * Device control, by the kernel: it ends before the call returns.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { memoryOf, ulong, ulong64 } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { informationIn } from './files.js';
import type { Kernel } from './kernel.js';

/** Output that is made room for. */
const MOST_OUTPUT = 0x400_0000;

const result = (status: NTSTATUS, information = 0, outputBuffer = new Uint8Array(0)): ours.DeviceControlResult => ({
  status,
  outputBuffer,
  ioStatus: { Status: status, Information: information },
});

export function deviceCalls(kernel: Kernel): Pick<typeof ours, 'NtDeviceIoControlFile'> {
  return {
    NtDeviceIoControlFile(fileHandle, event, apcRoutine, _apcContext, ioControlCode, inputBuffer, output) {
      if ((event ?? 0) !== 0 || (apcRoutine ?? null) !== null) return result(Status.STATUS_NOT_SUPPORTED);
      const code = ulong(ioControlCode);
      if (code === undefined) return result(Status.STATUS_INVALID_PARAMETER);
      const input = inputBuffer === null || inputBuffer === undefined ? new Uint8Array(0) : memoryOf(inputBuffer);
      const target = ArrayBuffer.isView(output) ? memoryOf(output) : null;
      if (input === undefined || target === undefined) return result(Status.STATUS_ACCESS_VIOLATION);
      const room = target === null ? ulong64(output ?? 0) : BigInt(target.length);
      if (room === undefined) return result(Status.STATUS_INVALID_PARAMETER);
      if (room > MOST_OUTPUT) return result(Status.STATUS_INVALID_BUFFER_SIZE);
      const [bytes, io] = [target ?? new Uint8Array(Number(room)), new Uint8Array(16)];
      const status = kernel.call(
        'NtDeviceIoControlFile',
        kernel.handle(fileHandle),
        null,
        null,
        null,
        io,
        code,
        input.length === 0 ? null : input,
        input.length,
        bytes.length === 0 ? null : bytes,
        bytes.length,
      );
      const information = informationIn(io);
      // A driver that warns (STATUS_BUFFER_OVERFLOW) has returned something; one that fails has not.
      const returned = isSuccess(status) || status >>> 30 === WARNING ? bytes.slice(0, information) : new Uint8Array(0);
      return result(status, information, returned);
    },
  };
}

/** The upper two bits of such a status. */
const WARNING = 2;
