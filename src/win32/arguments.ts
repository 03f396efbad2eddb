/**
 * What the Win32 calls have in common: how a view stands for its address, and how a call fails.
 */
import type { NTSTATUS } from '../base/status.js';
import { View } from '../memory/view.js';
import { ulong } from '../nt/arguments.js';
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
export function invalidParameter<T>(value: T): T {
  SetLastError(ERROR_INVALID_PARAMETER);
  return value;
}
