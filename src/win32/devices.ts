/**
 * The part of `sectile/kernel32` that controls devices.
 */
import { SectionError } from '../base/error.js';
import { isSuccess, statusName } from '../base/status.js';
import { type Handle, type Size, ulong } from '../nt/arguments.js';
import { type DeviceInput, deviceIoControlFile, deviceIoControlFileAsync } from '../nt/device-calls.js';
import { setErrorFor } from './last-error.js';

export type { DeviceInput } from '../nt/device-calls.js';
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

/**
 * Sends a control code to a device, and waits until its driver has completed the request.
 *
 * @param hDevice From `CreateFile('\\\\.\\NAME', …)`.
 * @param dwIoControlCode See CTL_CODE. The access in it is what the handle must have been opened with.
 * @param lpInBuffer What the driver gets, up to 256 KiB; null for nothing.
 * @param nOutBufferSize Bytes that there is room for, up to 256 KiB; or memory that what comes back is put into,
 * whose content the driver sees with METHOD_IN_DIRECT.
 * @returns The bytes that the driver returned, perhaps none; false on failure: ERROR_INVALID_HANDLE,
 * ERROR_INVALID_FUNCTION (the driver does not know the code, or it is no device), ERROR_ACCESS_DENIED,
 * ERROR_INVALID_PARAMETER, ERROR_NOACCESS, ERROR_INVALID_USER_BUFFER (more than 256 KiB),
 * ERROR_NO_SYSTEM_RESOURCES (too many requests under way), ERROR_DEVICE_REMOVED (its driver was unloaded),
 * ERROR_IO_DEVICE (its driver threw), or whatever the driver's status means.
 * @see {@link https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol}
 */
export function DeviceIoControl(
  hDevice: Handle,
  dwIoControlCode: number,
  lpInBuffer: DeviceInput,
  nOutBufferSize: Size | ArrayBufferView,
): Uint8Array | false {
  const { status, outputBuffer } = deviceIoControlFile(
    'user',
    hDevice,
    null,
    null,
    null,
    dwIoControlCode,
    lpInBuffer,
    nOutBufferSize,
  );
  if (isSuccess(status)) return outputBuffer;
  setErrorFor(status);
  return false;
}

/**
 * As {@link DeviceIoControl}, and the event loop goes on while the driver works. Not in Win32, where the same is
 * done with FILE_FLAG_OVERLAPPED.
 *
 * @returns The bytes that the driver returned.
 * @throws SectionError ERR_SECTION_DRIVER with the driver's status; ERR_SECTION_ACCESS_DENIED,
 * ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_LIMIT, ERR_SECTION_SYSTEM_GONE.
 */
export async function DeviceIoControlAsync(
  hDevice: Handle,
  dwIoControlCode: number,
  lpInBuffer: DeviceInput,
  nOutBufferSize: Size | ArrayBufferView,
): Promise<Uint8Array> {
  const { status, outputBuffer, object } = await deviceIoControlFileAsync(hDevice, dwIoControlCode, lpInBuffer, nOutBufferSize);
  if (isSuccess(status)) return outputBuffer;
  throw new SectionError('ERR_SECTION_DRIVER', {
    operation: 'DeviceIoControlAsync',
    object,
    rule: `control code 0x${(ulong(dwIoControlCode) ?? 0).toString(16)} ended with ${statusName(status)}`,
    status,
  });
}
