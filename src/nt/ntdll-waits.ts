/**
 * The part of `sectile/ntdll` that waits: for events, mutants, semaphores, and the ends of processes and their main threads.
 * Any other object is signalled at all times. User mode.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Handle, Size } from './arguments.js';
import {
  type AsyncWaitOptions,
  millisecondsOf,
  signalAndWait,
  waitForMultipleObjects,
  waitForMultipleObjectsAsync,
  waitForSingleObject,
  waitForSingleObjectAsync,
} from './wait-calls.js';

export type { AsyncWaitOptions } from './wait-calls.js';

/**
 * Waits for an object, and takes what the wait is for: an auto-reset event is reset, a mutant is owned by the calling thread of
 * JavaScript, a semaphore counts down. The thread blocks, its event loop with it.
 *
 * @param handle With SYNCHRONIZE.
 * @param _alertable Not looked at: nothing here alerts a thread.
 * @param timeout In units of 100 ns: negative from now, positive a time since 1601 in UTC; 0 looks once, null waits for ever.
 * @returns STATUS_WAIT_0, STATUS_ABANDONED_WAIT_0 (a mutant, now owned, whose last owner ended without releasing it) or
 * STATUS_TIMEOUT; else STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED, STATUS_INVALID_PARAMETER (the timeout),
 * STATUS_NOT_SUPPORTED (in the system process, but for a look).
 * @see {@link https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntwaitforsingleobject}
 */
export function NtWaitForSingleObject(handle: Handle, _alertable: boolean, timeout: Size | null): NTSTATUS {
  return waitForSingleObject('user', handle, millisecondsOf(timeout));
}

/**
 * As {@link NtWaitForSingleObject}, and the event loop goes on. The process stays alive meanwhile; the handle may be closed.
 * Ours: NT has threads for it.
 *
 * @param options `signal` ends the wait early.
 * @returns The status, in any case but one.
 * @throws The signal's reason, once it is aborted.
 */
export async function NtWaitForSingleObjectAsync(
  handle: Handle,
  _alertable: boolean,
  timeout: Size | null,
  options?: AsyncWaitOptions,
): Promise<NTSTATUS> {
  return waitForSingleObjectAsync('user', handle, millisecondsOf(timeout), options);
}

/**
 * Waits for any of several objects, or for all of them at one moment: nothing is taken before all are signalled.
 *
 * @param count 1 to MAXIMUM_WAIT_OBJECTS.
 * @param handles As many, each with SYNCHRONIZE.
 * @param waitType WaitAny or WaitAll.
 * @param _alertable As {@link NtWaitForSingleObject}, and so is `timeout`.
 * @returns For WaitAny STATUS_WAIT_0 or STATUS_ABANDONED_WAIT_0 and the index of the first that was signalled; for WaitAll
 * STATUS_WAIT_0, or STATUS_ABANDONED_WAIT_0 where a mutant among them was abandoned; STATUS_TIMEOUT. Else
 * STATUS_INVALID_PARAMETER_1 (count), STATUS_INVALID_PARAMETER_3 (waitType), STATUS_ACCESS_VIOLATION (fewer handles),
 * STATUS_INVALID_PARAMETER_MIX (WaitAll, and an object twice), STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED,
 * STATUS_INVALID_PARAMETER, STATUS_NOT_SUPPORTED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-waitformultipleobjects}
 */
export function NtWaitForMultipleObjects(
  count: number,
  handles: readonly Handle[],
  waitType: number,
  _alertable: boolean,
  timeout: Size | null,
): NTSTATUS {
  return waitForMultipleObjects('user', count, handles, waitType, millisecondsOf(timeout));
}

/**
 * As {@link NtWaitForMultipleObjects}, and the event loop goes on: see {@link NtWaitForSingleObjectAsync}.
 *
 * @throws The signal's reason, once it is aborted.
 */
export async function NtWaitForMultipleObjectsAsync(
  count: number,
  handles: readonly Handle[],
  waitType: number,
  _alertable: boolean,
  timeout: Size | null,
  options?: AsyncWaitOptions,
): Promise<NTSTATUS> {
  return waitForMultipleObjectsAsync('user', count, handles, waitType, millisecondsOf(timeout), options);
}

/**
 * Signals one object and waits for another.
 *
 * @param objectToSignal An event (with EVENT_MODIFY_STATE), which is set, a semaphore (with SEMAPHORE_MODIFY_STATE), to which one
 * is added, or a mutant, which is released.
 * @param waitableObject With SYNCHRONIZE. If it is no such handle, nothing is signalled.
 * @param _alertable As {@link NtWaitForSingleObject}, and so is `timeout`.
 * @returns As there; also STATUS_OBJECT_TYPE_MISMATCH, STATUS_MUTANT_NOT_OWNED, STATUS_SEMAPHORE_LIMIT_EXCEEDED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-signalobjectandwait}
 */
export function NtSignalAndWaitForSingleObject(
  objectToSignal: Handle,
  waitableObject: Handle,
  _alertable: boolean,
  timeout: Size | null,
): NTSTATUS {
  return signalAndWait('user', objectToSignal, waitableObject, millisecondsOf(timeout));
}
