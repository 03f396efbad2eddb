/**
 * What the Win32 calls have in common: how a view stands for its address, and how a call fails.
 */
import type { NTSTATUS } from '../base/status.js';
import { View } from '../memory/view.js';
import { fieldsOf, memoryOf, type Size, ulong } from '../nt/arguments.js';
import { ERROR_INVALID_PARAMETER } from './constants.js';
import { SetLastError, setErrorFor } from './last-error.js';

/** The address that a view or an address stands for: none for a view that is closed. */
export function addressOf(viewOrAddress: View | bigint): bigint | null {
  if (!View.is(viewOrAddress)) return typeof viewOrAddress === 'bigint' ? viewOrAddress : null;
  return viewOrAddress.closed ? null : viewOrAddress.address;
}

/** No address of user mode. */
const NOWHERE = 0xffff_ffff_ffff_ffffn;

/** An address as it was given, NULL too; for a view that is closed, one that nothing is at. */
export function pointerOf(viewOrAddress: View | bigint | null): bigint | null {
  if (!View.is(viewOrAddress)) return viewOrAddress;
  return viewOrAddress.closed ? NOWHERE : viewOrAddress.address;
}

/** A C string: it ends at its NUL. */
export const cString = (text: string): string => text.split('\0', 1)[0] as string;

/** A DWORD pair. Undefined if one of them is no number. */
export function fromHalves(high: unknown, low: unknown): bigint | undefined {
  const [upper, lower] = [ulong(high), ulong(low)];
  return upper === undefined || lower === undefined ? undefined : (BigInt(upper) << 32n) | BigInt(lower);
}

/** Fails a call: sets the last error and returns what the call returns then. */
export function fail<T>(status: NTSTATUS, value: T): T {
  setErrorFor(status);
  return value;
}

/** Fails a call for what NT is not asked about. */
export function failWith<T>(error: number, value: T): T {
  SetLastError(error);
  return value;
}

export const invalidParameter = <T>(value: T): T => failWith(ERROR_INVALID_PARAMETER, value);

/** The bytes of a buffer, at most so many. Null when it is none, or shorter. */
export function bytesOf(buffer: unknown, count: number | undefined): Uint8Array | null {
  const memory = memoryOf(buffer);
  const length = count === undefined ? memory?.length : ulong(count);
  return memory === undefined || length === undefined || length > memory.length ? null : memory.subarray(0, length);
}

/** OVERLAPPED, as far as it says where in a file. */
export interface Overlapped {
  /** The lower 32 bits of the offset in bytes; all of it where there is no OffsetHigh. */
  readonly Offset: Size;
  readonly OffsetHigh?: number;
}

/** Where an OVERLAPPED says to work. What cannot be read gives no offset that there is. */
export function offsetOf(overlapped: Overlapped): Size {
  const fields = fieldsOf(overlapped, 'Offset', 'OffsetHigh');
  const high = fields?.OffsetHigh ?? null;
  const offset = high === null ? fields?.Offset : fromHalves(high, fields?.Offset);
  return (offset ?? Number.NaN) as Size;
}

/** The prefix of a device's name: what it names is no path of the host. */
export const DEVICE_PREFIX = '\\\\.\\';
