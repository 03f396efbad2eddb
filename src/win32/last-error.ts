/**
 * The last error: one number for this thread, which calls that fail set and most that succeed leave.
 */
import { type NTSTATUS, win32ErrorOf } from '../base/status.js';
import { ulong } from '../nt/arguments.js';

let lastError = 0;

/**
 * Why the last call failed.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-getlasterror}
 */
export function GetLastError(): number {
  return lastError;
}

/**
 * Sets what {@link GetLastError} returns.
 *
 * @param error An unsigned number of 32 bits.
 * @see {@link https://learn.microsoft.com/windows/win32/api/errhandlingapi/nf-errhandlingapi-setlasterror}
 */
export function SetLastError(error: number): void {
  lastError = ulong(error) ?? 0;
}

/** As kernel32 does when an NT call fails. */
export function setErrorFor(status: NTSTATUS): void {
  lastError = win32ErrorOf(status);
}
