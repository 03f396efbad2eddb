/**
 * The calls of `sectile/kernel32` that lock ranges of files.
 */
import { isSuccess } from '../base/status.js';
import { type Handle, ulong } from '../nt/arguments.js';
import { lockFile, unlockFile } from '../nt/file-calls.js';
import { fail, failWith, fromHalves, invalidParameter, type Overlapped, offsetOf } from './arguments.js';
import { ERROR_NOACCESS, LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY } from './constants.js';

/**
 * Locks a range of bytes for this handle alone.
 *
 * @returns Whether it was granted; if not, ERROR_LOCK_VIOLATION, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfile}
 */
export function LockFile(hFile: Handle, offsetLow: number, offsetHigh: number, bytesLow: number, bytesHigh: number): boolean {
  const [offset, bytes] = [fromHalves(offsetHigh, offsetLow), fromHalves(bytesHigh, bytesLow)];
  if (offset === undefined || bytes === undefined) return invalidParameter(false);
  const { status } = lockFile('user', hFile, null, offset, bytes, 0, true);
  return isSuccess(status) || fail(status, false);
}

/**
 * Unlocks a range as it was locked.
 *
 * @returns Whether it was; if not, ERROR_NOT_LOCKED, ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfile}
 */
export function UnlockFile(hFile: Handle, offsetLow: number, offsetHigh: number, bytesLow: number, bytesHigh: number): boolean {
  const [offset, bytes] = [fromHalves(offsetHigh, offsetLow), fromHalves(bytesHigh, bytesLow)];
  if (offset === undefined || bytes === undefined) return invalidParameter(false);
  const { status } = unlockFile('user', hFile, offset, bytes, 0);
  return isSuccess(status) || fail(status, false);
}

const isNone = (overlapped: unknown): boolean => typeof overlapped !== 'object' || overlapped === null;

/**
 * Locks a range of bytes: for this handle alone, or shared with others who read.
 *
 * @param dwFlags LOCKFILE_EXCLUSIVE_LOCK, and LOCKFILE_FAIL_IMMEDIATELY, which changes nothing: no lock is waited
 * for here.
 * @param dwReserved 0.
 * @param lpOverlapped `{ Offset, OffsetHigh }`: the range's first byte. No event in it is signalled: the call has
 * ended when it returns.
 * @returns Whether it was granted; if not, ERROR_LOCK_VIOLATION, ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE,
 * ERROR_INVALID_PARAMETER, ERROR_INVALID_LOCK_RANGE, ERROR_NOACCESS (no OVERLAPPED), ERROR_INVALID_FUNCTION (a device).
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-lockfileex}
 */
export function LockFileEx(
  hFile: Handle,
  dwFlags: number,
  dwReserved: number,
  bytesLow: number,
  bytesHigh: number,
  lpOverlapped: Overlapped,
): boolean {
  const [flags, bytes] = [ulong(dwFlags), fromHalves(bytesHigh, bytesLow)];
  if (flags === undefined || (flags & ~(LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY)) !== 0 || bytes === undefined)
    return invalidParameter(false);
  if (ulong(dwReserved) !== 0) return invalidParameter(false);
  if (isNone(lpOverlapped)) return failWith(ERROR_NOACCESS, false);
  const exclusive = (flags & LOCKFILE_EXCLUSIVE_LOCK) !== 0;
  const { status } = lockFile('user', hFile, null, offsetOf(lpOverlapped), bytes, 0, exclusive);
  return isSuccess(status) || fail(status, false);
}

/**
 * Unlocks a range as it was locked.
 *
 * @param dwReserved 0.
 * @param lpOverlapped As {@link LockFileEx}.
 * @returns Whether it was; if not, ERROR_NOT_LOCKED, and what {@link LockFileEx} has.
 * @see {@link https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-unlockfileex}
 */
export function UnlockFileEx(
  hFile: Handle,
  dwReserved: number,
  bytesLow: number,
  bytesHigh: number,
  lpOverlapped: Overlapped,
): boolean {
  const bytes = fromHalves(bytesHigh, bytesLow);
  if (bytes === undefined || ulong(dwReserved) !== 0) return invalidParameter(false);
  if (isNone(lpOverlapped)) return failWith(ERROR_NOACCESS, false);
  const { status } = unlockFile('user', hFile, offsetOf(lpOverlapped), bytes, 0);
  return isSuccess(status) || fail(status, false);
}
