/**
 * Events, mutexes and semaphores as Win32 has them: created, opened and changed here; waits.ts
 * waits for them.
 *
 * Names as CreateFileMapping has them: `X`, `Local\X`, `Global\X`. All kinds of objects share them, so a
 * name that is taken by another kind is ERROR_INVALID_HANDLE.
 */
import { isSuccess, type NTSTATUS } from '../base/status.js';
import { type Handle, ulong } from '../nt/arguments.js';
import { NotificationEvent, SynchronizationEvent } from '../nt/constants.js';
import { createEvent, openEvent, putEvent } from '../nt/event-calls.js';
import { createMutant, openMutant, releaseMutant } from '../nt/mutant-calls.js';
import { createSemaphore, openSemaphore, releaseSemaphore } from '../nt/semaphore-calls.js';
import { fail, invalidParameter } from './arguments.js';
import {
  CREATE_EVENT_INITIAL_SET,
  CREATE_EVENT_MANUAL_RESET,
  CREATE_MUTEX_INITIAL_OWNER,
  EVENT_ALL_ACCESS,
  MUTEX_ALL_ACCESS,
  SEMAPHORE_ALL_ACCESS,
} from './constants.js';
import { attributesToCreate, attributesToOpen, created, type SecurityAttributes } from './object-names.js';

const done = (status: NTSTATUS): boolean => isSuccess(status) || fail(status, false);

/** What an opening call returns; NT is not asked for an object without a name. */
function opened(name: unknown, access: unknown, open: () => { readonly status: NTSTATUS; readonly handle: Handle }): Handle {
  if (name === null || name === undefined || ulong(access) === undefined) return invalidParameter(0);
  const { status, handle } = open();
  return isSuccess(status) ? handle : fail(status, 0);
}

/* -------------------------------------------------------------------------------- events ---- */

/**
 * Creates an event, or opens the one that has the name.
 *
 * @param lpEventAttributes Who may do what, as SDDL, alone or in SECURITY_ATTRIBUTES; null for the
 * creator's default.
 * @param bManualReset Whether it stays signalled until ResetEvent.
 * @param bInitialState Whether it is signalled; not when it is opened.
 * @param lpName Null for an event without a name.
 * @returns The handle, with the last error ERROR_SUCCESS for a new event and ERROR_ALREADY_EXISTS for one
 * that was opened. 0 on failure: ERROR_INVALID_HANDLE (another kind of object has the name),
 * ERROR_ACCESS_DENIED, ERROR_PATH_NOT_FOUND (a backslash in the name, or `Global\` while no system process
 * runs), ERROR_BAD_PATHNAME, ERROR_INVALID_NAME, ERROR_INVALID_SECURITY_DESCR.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventw}
 */
export function CreateEvent(
  lpEventAttributes: string | SecurityAttributes | null,
  bManualReset: boolean,
  bInitialState: boolean,
  lpName: string | null = null,
): Handle {
  const flags = (bManualReset ? CREATE_EVENT_MANUAL_RESET : 0) | (bInitialState ? CREATE_EVENT_INITIAL_SET : 0);
  return CreateEventEx(lpEventAttributes, lpName, flags, EVENT_ALL_ACCESS);
}

/** Whether flags are known ones, and there are rights to ask for. */
const areFlags = (flags: number | undefined, known: number, access: number): flags is number =>
  flags !== undefined && (flags & ~known) === 0 && ulong(access) !== undefined;

/**
 * As {@link CreateEvent}, with the handle's rights of the caller's choice.
 *
 * @param dwFlags CREATE_EVENT_MANUAL_RESET, CREATE_EVENT_INITIAL_SET.
 * @param dwDesiredAccess EVENT_MODIFY_STATE, SYNCHRONIZE and others.
 * @returns As there; also ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createeventexw}
 */
export function CreateEventEx(
  lpEventAttributes: string | SecurityAttributes | null,
  lpName: string | null,
  dwFlags: number,
  dwDesiredAccess: number,
): Handle {
  const flags = ulong(dwFlags);
  if (!areFlags(flags, CREATE_EVENT_MANUAL_RESET | CREATE_EVENT_INITIAL_SET, dwDesiredAccess)) return invalidParameter(0);
  const attributes = attributesToCreate(lpEventAttributes, lpName);
  const type = (flags & CREATE_EVENT_MANUAL_RESET) === 0 ? SynchronizationEvent : NotificationEvent;
  const isSet = (flags & CREATE_EVENT_INITIAL_SET) !== 0;
  const { status, eventHandle } = createEvent('user', dwDesiredAccess, attributes, type, isSet);
  return created(status, eventHandle);
}

/**
 * Opens an event by its name.
 *
 * @param dwDesiredAccess EVENT_MODIFY_STATE and others.
 * @param bInheritHandle Whether child processes get the handle.
 * @returns The handle, or 0: ERROR_INVALID_PARAMETER (no name), ERROR_FILE_NOT_FOUND, ERROR_INVALID_HANDLE
 * (another kind of object), ERROR_ACCESS_DENIED, ERROR_PATH_NOT_FOUND.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openeventw}
 */
export function OpenEvent(dwDesiredAccess: number, bInheritHandle: boolean, lpName: string): Handle {
  return opened(lpName, dwDesiredAccess, () => {
    const { status, eventHandle } = openEvent('user', dwDesiredAccess, attributesToOpen(bInheritHandle, lpName));
    return { status, handle: eventHandle };
  });
}

/**
 * Signals an event.
 *
 * @param hEvent With EVENT_MODIFY_STATE.
 * @returns Whether it was done; if not, ERROR_INVALID_HANDLE or ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-setevent}
 */
export function SetEvent(hEvent: Handle): boolean {
  return done(putEvent('user', hEvent, 1).status);
}

/**
 * Takes the signal of an event back.
 *
 * @param hEvent With EVENT_MODIFY_STATE.
 * @returns Whether it was done; if not, ERROR_INVALID_HANDLE or ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent}
 */
export function ResetEvent(hEvent: Handle): boolean {
  return done(putEvent('user', hEvent, 0).status);
}

/* ------------------------------------------------------------------------------- mutexes ---- */

/**
 * Creates a mutex, or opens the one that has the name.
 *
 * @param lpMutexAttributes As {@link CreateEvent}.
 * @param bInitialOwner Whether this thread of JavaScript owns it from the start; not when it is opened.
 * @param lpName Null for a mutex without a name.
 * @returns The handle and the last error as {@link CreateEvent}.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw}
 */
export function CreateMutex(
  lpMutexAttributes: string | SecurityAttributes | null,
  bInitialOwner: boolean,
  lpName: string | null = null,
): Handle {
  return CreateMutexEx(lpMutexAttributes, lpName, bInitialOwner ? CREATE_MUTEX_INITIAL_OWNER : 0, MUTEX_ALL_ACCESS);
}

/**
 * As {@link CreateMutex}, with the handle's rights of the caller's choice.
 *
 * @param dwFlags CREATE_MUTEX_INITIAL_OWNER, or 0.
 * @param dwDesiredAccess MUTEX_MODIFY_STATE, SYNCHRONIZE and others.
 * @returns As there; also ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexexw}
 */
export function CreateMutexEx(
  lpMutexAttributes: string | SecurityAttributes | null,
  lpName: string | null,
  dwFlags: number,
  dwDesiredAccess: number,
): Handle {
  const flags = ulong(dwFlags);
  if (!areFlags(flags, CREATE_MUTEX_INITIAL_OWNER, dwDesiredAccess)) return invalidParameter(0);
  const attributes = attributesToCreate(lpMutexAttributes, lpName);
  const { status, mutantHandle } = createMutant('user', dwDesiredAccess, attributes, flags !== 0);
  return created(status, mutantHandle);
}

/**
 * Opens a mutex by its name.
 *
 * @param dwDesiredAccess MUTEX_MODIFY_STATE, SYNCHRONIZE and others.
 * @param bInheritHandle Whether child processes get the handle.
 * @returns The handle, or 0 with a last error as {@link OpenEvent}.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw}
 */
export function OpenMutex(dwDesiredAccess: number, bInheritHandle: boolean, lpName: string): Handle {
  return opened(lpName, dwDesiredAccess, () => {
    const { status, mutantHandle } = openMutant('user', dwDesiredAccess, attributesToOpen(bInheritHandle, lpName));
    return { status, handle: mutantHandle };
  });
}

/**
 * Gives a mutex up that this thread of JavaScript owns, once for each time that it got it.
 *
 * @param hMutex With MUTEX_MODIFY_STATE or SYNCHRONIZE.
 * @returns Whether it was done; if not, ERROR_NOT_OWNER, ERROR_INVALID_HANDLE or ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex}
 */
export function ReleaseMutex(hMutex: Handle): boolean {
  return done(releaseMutant('user', hMutex).status);
}

/* ---------------------------------------------------------------------------- semaphores ---- */

/**
 * Creates a semaphore, or opens the one that has the name.
 *
 * @param lpSemaphoreAttributes As {@link CreateEvent}.
 * @param lInitialCount 0 to `lMaximumCount`.
 * @param lMaximumCount 1 to 0x7FFFFFFF.
 * @param lpName Null for a semaphore without a name.
 * @returns The handle and the last error as {@link CreateEvent}; also ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorea}
 */
export function CreateSemaphore(
  lpSemaphoreAttributes: string | SecurityAttributes | null,
  lInitialCount: number,
  lMaximumCount: number,
  lpName: string | null = null,
): Handle {
  return CreateSemaphoreEx(lpSemaphoreAttributes, lInitialCount, lMaximumCount, lpName, 0, SEMAPHORE_ALL_ACCESS);
}

/**
 * As {@link CreateSemaphore}, with the handle's rights of the caller's choice.
 *
 * @param dwFlags 0.
 * @param dwDesiredAccess SEMAPHORE_MODIFY_STATE, SYNCHRONIZE and others.
 * @returns As there.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createsemaphoreexw}
 */
export function CreateSemaphoreEx(
  lpSemaphoreAttributes: string | SecurityAttributes | null,
  lInitialCount: number,
  lMaximumCount: number,
  lpName: string | null,
  dwFlags: number,
  dwDesiredAccess: number,
): Handle {
  if (!areFlags(ulong(dwFlags), 0, dwDesiredAccess)) return invalidParameter(0);
  const attributes = attributesToCreate(lpSemaphoreAttributes, lpName);
  const { status, semaphoreHandle } = createSemaphore('user', dwDesiredAccess, attributes, lInitialCount, lMaximumCount);
  return created(status, semaphoreHandle);
}

/**
 * Opens a semaphore by its name.
 *
 * @param dwDesiredAccess SEMAPHORE_MODIFY_STATE and others.
 * @param bInheritHandle Whether child processes get the handle.
 * @returns The handle, or 0 with a last error as {@link OpenEvent}.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-opensemaphorew}
 */
export function OpenSemaphore(dwDesiredAccess: number, bInheritHandle: boolean, lpName: string): Handle {
  return opened(lpName, dwDesiredAccess, () => {
    const { status, semaphoreHandle } = openSemaphore('user', dwDesiredAccess, attributesToOpen(bInheritHandle, lpName));
    return { status, handle: semaphoreHandle };
  });
}

/**
 * Adds to the count of a semaphore. The count before is what NtReleaseSemaphore gives back.
 *
 * @param hSemaphore With SEMAPHORE_MODIFY_STATE.
 * @param lReleaseCount 1 to 0x7FFFFFFF.
 * @returns Whether it was done; if not, ERROR_TOO_MANY_POSTS (the count stays), ERROR_INVALID_PARAMETER,
 * ERROR_INVALID_HANDLE or ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore}
 */
export function ReleaseSemaphore(hSemaphore: Handle, lReleaseCount: number): boolean {
  return done(releaseSemaphore('user', hSemaphore, lReleaseCount).status);
}

export {
  CreateEvent as CreateEventA,
  CreateEvent as CreateEventW,
  CreateEventEx as CreateEventExA,
  CreateEventEx as CreateEventExW,
  CreateMutex as CreateMutexA,
  CreateMutex as CreateMutexW,
  CreateMutexEx as CreateMutexExA,
  CreateMutexEx as CreateMutexExW,
  CreateSemaphore as CreateSemaphoreA,
  CreateSemaphore as CreateSemaphoreW,
  CreateSemaphoreEx as CreateSemaphoreExA,
  CreateSemaphoreEx as CreateSemaphoreExW,
  OpenEvent as OpenEventA,
  OpenEvent as OpenEventW,
  OpenMutex as OpenMutexA,
  OpenMutex as OpenMutexW,
  OpenSemaphore as OpenSemaphoreA,
  OpenSemaphore as OpenSemaphoreW,
};
