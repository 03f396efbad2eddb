/**
 * The part of `sectile/kernel32` that waits: for events, mutexes, semaphores, and the ends of processes and their main threads.
 * Any other object is signalled at all times.
 */
import { SectionError } from '../base/error.js';
import { isSuccess, type NTSTATUS, Status, statusName } from '../base/status.js';
import { type Handle, ulong } from '../nt/arguments.js';
import { WaitAll, WaitAny } from '../nt/constants.js';
import {
  type AsyncWaitOptions,
  signalAndWait,
  waitForMultipleObjects,
  waitForMultipleObjectsAsync,
  waitForSingleObject,
  waitForSingleObjectAsync,
} from '../nt/wait-calls.js';
import { fail } from './arguments.js';
import { INFINITE, WAIT_FAILED } from './constants.js';

export type { AsyncWaitOptions } from '../nt/wait-calls.js';

const ended = (status: NTSTATUS): number => (isSuccess(status) ? status : fail(status, WAIT_FAILED));

function millisecondsOf(given: unknown): number | undefined {
  const milliseconds = ulong(given);
  return milliseconds === INFINITE ? Number.POSITIVE_INFINITY : milliseconds;
}

/** What a promise gives; there is no last error by then that would be its own. */
function settled(operation: string, status: NTSTATUS): number {
  if (isSuccess(status)) return status;
  const isDenied = status === Status.STATUS_ACCESS_DENIED;
  throw new SectionError(isDenied ? 'ERR_SECTION_ACCESS_DENIED' : 'ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `the wait ended with ${statusName(status)}`,
    status,
  });
}

/**
 * Waits for an object, and takes what the wait is for: an auto-reset event is reset, a mutex is owned by the calling thread of
 * JavaScript, a semaphore counts down. The thread blocks, its event loop with it.
 *
 * @param hHandle With SYNCHRONIZE.
 * @param dwMilliseconds 0 looks once, INFINITE waits for ever.
 * @returns WAIT_OBJECT_0, WAIT_ABANDONED (a mutex, now owned, whose last owner ended without releasing it) or WAIT_TIMEOUT; else
 * WAIT_FAILED: ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED (in the system process,
 * but for a look).
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobject}
 */
export function WaitForSingleObject(hHandle: Handle, dwMilliseconds: number): number {
  return ended(waitForSingleObject('user', hHandle, millisecondsOf(dwMilliseconds)));
}

/**
 * As {@link WaitForSingleObject}.
 *
 * @param _bAlertable Not looked at: nothing here alerts a thread.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitforsingleobjectex}
 */
export function WaitForSingleObjectEx(hHandle: Handle, dwMilliseconds: number, _bAlertable: boolean): number {
  return WaitForSingleObject(hHandle, dwMilliseconds);
}

/**
 * As {@link WaitForSingleObject}, and the event loop goes on. The process stays alive meanwhile; the handle may be closed.
 * Ours: Win32 has threads for it.
 *
 * @param options `signal` ends the wait early.
 * @returns WAIT_OBJECT_0, WAIT_ABANDONED or WAIT_TIMEOUT.
 * @throws SectionError where the other form is WAIT_FAILED, with its status; the signal's reason, once it is aborted.
 */
export async function WaitForSingleObjectAsync(
  hHandle: Handle,
  dwMilliseconds: number,
  options?: AsyncWaitOptions,
): Promise<number> {
  const status = await waitForSingleObjectAsync('user', hHandle, millisecondsOf(dwMilliseconds), options);
  return settled('WaitForSingleObjectAsync', status);
}

/**
 * Waits for any of several objects, or for all of them at one moment: nothing is taken before all are signalled.
 *
 * @param nCount 1 to MAXIMUM_WAIT_OBJECTS.
 * @param lpHandles As many, each with SYNCHRONIZE.
 * @param bWaitAll Whether for all.
 * @param dwMilliseconds As {@link WaitForSingleObject}.
 * @returns For any, WAIT_OBJECT_0 or WAIT_ABANDONED_0 and the index of the first that was signalled; for all WAIT_OBJECT_0, or
 * WAIT_ABANDONED_0 where a mutex among them was abandoned; WAIT_TIMEOUT. Else WAIT_FAILED: as {@link WaitForSingleObject};
 * ERROR_INVALID_PARAMETER also for a wrong count, and for an object that all are asked for twice; ERROR_NOACCESS for fewer
 * handles.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects}
 */
export function WaitForMultipleObjects(
  nCount: number,
  lpHandles: readonly Handle[],
  bWaitAll: boolean,
  dwMilliseconds: number,
): number {
  const type = bWaitAll ? WaitAll : WaitAny;
  return ended(waitForMultipleObjects('user', nCount, lpHandles, type, millisecondsOf(dwMilliseconds)));
}

/**
 * As {@link WaitForMultipleObjects}.
 *
 * @param _bAlertable Not looked at: nothing here alerts a thread.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjectsex}
 */
export function WaitForMultipleObjectsEx(
  nCount: number,
  lpHandles: readonly Handle[],
  bWaitAll: boolean,
  dwMilliseconds: number,
  _bAlertable: boolean,
): number {
  return WaitForMultipleObjects(nCount, lpHandles, bWaitAll, dwMilliseconds);
}

/**
 * As {@link WaitForMultipleObjects}, and the event loop goes on: see {@link WaitForSingleObjectAsync}.
 *
 * @throws SectionError where the other form is WAIT_FAILED, with its status; the signal's reason, once it is aborted.
 */
export async function WaitForMultipleObjectsAsync(
  nCount: number,
  lpHandles: readonly Handle[],
  bWaitAll: boolean,
  dwMilliseconds: number,
  options?: AsyncWaitOptions,
): Promise<number> {
  const type = bWaitAll ? WaitAll : WaitAny;
  const status = await waitForMultipleObjectsAsync('user', nCount, lpHandles, type, millisecondsOf(dwMilliseconds), options);
  return settled('WaitForMultipleObjectsAsync', status);
}

/**
 * Signals one object and waits for another.
 *
 * @param hObjectToSignal An event (with EVENT_MODIFY_STATE), which is set, a semaphore (with SEMAPHORE_MODIFY_STATE), to which one
 * is added, or a mutex, which is released.
 * @param hObjectToWaitOn With SYNCHRONIZE. If it is no such handle, nothing is signalled.
 * @param _bAlertable Not looked at.
 * @returns As {@link WaitForSingleObject}; the last error also ERROR_INVALID_HANDLE for what cannot be signalled, ERROR_NOT_OWNER,
 * ERROR_TOO_MANY_POSTS.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait}
 */
export function SignalObjectAndWait(
  hObjectToSignal: Handle,
  hObjectToWaitOn: Handle,
  dwMilliseconds: number,
  _bAlertable: boolean,
): number {
  return ended(signalAndWait('user', hObjectToSignal, hObjectToWaitOn, millisecondsOf(dwMilliseconds)));
}
