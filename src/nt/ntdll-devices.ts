/**
 * The part of `sectile/ntdll` that controls devices.
 */
import type { Handle, Size } from './arguments.js';
import { type DeviceControlResult, type DeviceInput, deviceIoControlFile } from './device-calls.js';

export {
  CTL_CODE,
  FILE_ANY_ACCESS,
  FILE_DEVICE_UNKNOWN,
  FILE_READ_ACCESS,
  FILE_WRITE_ACCESS,
  METHOD_BUFFERED,
  METHOD_IN_DIRECT,
  METHOD_NEITHER,
  METHOD_OUT_DIRECT,
} from '../system/io-codes.js';
export type { DeviceControlResult, DeviceInput } from './device-calls.js';

/**
 * Sends a control code to a device, and waits until its driver has completed the request.
 *
 * @param fileHandle From NtCreateFile or NtOpenFile on `\Device\X` or `\??\X`.
 * @param event Null: the call waits.
 * @param apcRoutine Null: the call waits.
 * @param apcContext Not looked at.
 * @param ioControlCode See CTL_CODE. The access in it is what the handle must have been opened with.
 * @param inputBuffer What the driver gets, up to 256 KiB; null for nothing.
 * @param output Bytes that there is room for, up to 256 KiB; or memory that what comes back is put into, whose
 * content the driver sees with METHOD_IN_DIRECT.
 * @returns What the driver completed the request with, and what it returned, which is never more than there is
 * room for; ioStatus.Information is the driver's own count. Else STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_DEVICE_REQUEST (a file that is no device's, or a driver that knows
 * no control codes), STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER, STATUS_ACCESS_VIOLATION (inputBuffer is no
 * memory), STATUS_INVALID_BUFFER_SIZE, STATUS_INSUFFICIENT_RESOURCES, STATUS_NOT_SUPPORTED (event, apcRoutine),
 * STATUS_DEVICE_REMOVED, STATUS_CANCELLED, STATUS_DRIVER_INTERNAL_ERROR (the driver threw),
 * STATUS_PORT_DISCONNECTED (the system process has gone).
 * @see {@link https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntdeviceiocontrolfile}
 */
export function NtDeviceIoControlFile(
  fileHandle: Handle,
  event: Handle | null,
  apcRoutine: null,
  apcContext: unknown,
  ioControlCode: number,
  inputBuffer: DeviceInput,
  output: Size | ArrayBufferView,
): DeviceControlResult {
  return deviceIoControlFile('user', fileHandle, event, apcRoutine, apcContext, ioControlCode, inputBuffer, output);
}
