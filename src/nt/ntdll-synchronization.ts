/**
 * The part of `sectile/ntdll` on events, mutants and semaphores. Their states are told and changed here; ntdll-waits.ts waits:
 * user mode.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Handle, Size } from './arguments.js';
import {
  createEvent,
  type EventQueryResult,
  type EventResult,
  type EventStateResult,
  openEvent,
  putEvent,
  queryEvent,
} from './event-calls.js';
import {
  createMutant,
  type MutantCountResult,
  type MutantQueryResult,
  type MutantResult,
  openMutant,
  queryMutant,
  releaseMutant,
} from './mutant-calls.js';
import type { ObjectAttributes } from './object-attributes.js';
import {
  createSemaphore,
  openSemaphore,
  querySemaphore,
  releaseSemaphore,
  type SemaphoreCountResult,
  type SemaphoreQueryResult,
  type SemaphoreResult,
} from './semaphore-calls.js';

export type { EVENT_BASIC_INFORMATION, EventQueryResult, EventResult, EventStateResult } from './event-calls.js';
export type { MUTANT_BASIC_INFORMATION, MutantCountResult, MutantQueryResult, MutantResult } from './mutant-calls.js';
export type {
  SEMAPHORE_BASIC_INFORMATION,
  SemaphoreCountResult,
  SemaphoreQueryResult,
  SemaphoreResult,
} from './semaphore-calls.js';

/**
 * Creates an event, or with OBJ_OPENIF opens the one that has the name.
 *
 * @param desiredAccess EVENT_… and generic rights. The creator is granted what it asks for; an event that exists
 * is opened only if its descriptor grants it.
 * @param objectAttributes Name, flags and security; null for an event without a name.
 * @param eventType NotificationEvent (manual reset) or SynchronizationEvent (auto reset).
 * @param initialState Whether it is signalled.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreateevent}
 */
export function NtCreateEvent(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  eventType: number,
  initialState: boolean | number,
): EventResult {
  return createEvent('user', desiredAccess, objectAttributes, eventType, initialState);
}

/**
 * Opens an event by its name.
 *
 * @param desiredAccess EVENT_… and generic rights, or MAXIMUM_ALLOWED; no right at all is denied.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopenevent}
 */
export function NtOpenEvent(desiredAccess: number, objectAttributes: ObjectAttributes): EventResult {
  return openEvent('user', desiredAccess, objectAttributes);
}

/**
 * Signals an event.
 *
 * @param eventHandle With EVENT_MODIFY_STATE.
 * @returns STATUS_SUCCESS with the state before, 1 for signalled; else STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwsetevent}
 */
export function NtSetEvent(eventHandle: Handle): EventStateResult {
  return putEvent('user', eventHandle, 1);
}

/**
 * Takes the signal of an event back.
 *
 * @param eventHandle With EVENT_MODIFY_STATE.
 * @returns STATUS_SUCCESS with the state before, 1 for signalled; else STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent}
 */
export function NtResetEvent(eventHandle: Handle): EventStateResult {
  return putEvent('user', eventHandle, 0);
}

/**
 * As {@link NtResetEvent}, without the state before.
 *
 * @param eventHandle With EVENT_MODIFY_STATE.
 * @returns STATUS_SUCCESS, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-keclearevent}
 */
export function NtClearEvent(eventHandle: Handle): NTSTATUS {
  return putEvent('user', eventHandle, 0).status;
}

/**
 * Tells type and state of an event.
 *
 * @param eventHandle With EVENT_QUERY_STATE.
 * @param informationClass EventBasicInformation, the one there is.
 * @param length Bytes of the caller's buffer, 8; left out, they suffice.
 * @returns STATUS_SUCCESS with both; else STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstateevent}
 */
export function NtQueryEvent(eventHandle: Handle, informationClass: number, length?: Size): EventQueryResult {
  return queryEvent('user', eventHandle, informationClass, length);
}

/**
 * Creates a mutant (Win32: a mutex), or with OBJ_OPENIF opens the one that has the name.
 *
 * @param desiredAccess MUTANT_… and generic rights. The creator is granted what it asks for; a mutant that exists
 * is opened only if its descriptor grants it.
 * @param objectAttributes Name, flags and security; null for a mutant without a name.
 * @param initialOwner Whether the calling thread of JavaScript owns it from the start; not when it is opened.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw}
 */
export function NtCreateMutant(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  initialOwner: boolean | number,
): MutantResult {
  return createMutant('user', desiredAccess, objectAttributes, initialOwner);
}

/**
 * Opens a mutant by its name.
 *
 * @param desiredAccess MUTANT_… and generic rights, or MAXIMUM_ALLOWED; no right at all is denied.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw}
 */
export function NtOpenMutant(desiredAccess: number, objectAttributes: ObjectAttributes): MutantResult {
  return openMutant('user', desiredAccess, objectAttributes);
}

/**
 * Gives a mutant up, once for each time that it was got.
 *
 * @param mutantHandle With MUTANT_QUERY_STATE or SYNCHRONIZE.
 * @returns STATUS_SUCCESS with the count before; else STATUS_MUTANT_NOT_OWNED (by the calling thread),
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex}
 */
export function NtReleaseMutant(mutantHandle: Handle): MutantCountResult {
  return releaseMutant('user', mutantHandle);
}

/**
 * Tells who owns a mutant, and whether its owner ended without releasing it.
 *
 * @param mutantHandle With MUTANT_QUERY_STATE.
 * @param informationClass MutantBasicInformation, the one there is.
 * @param length Bytes of the caller's buffer, 8; left out, they suffice.
 * @returns STATUS_SUCCESS with both; else STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstatemutex}
 */
export function NtQueryMutant(mutantHandle: Handle, informationClass: number, length?: Size): MutantQueryResult {
  return queryMutant('user', mutantHandle, informationClass, length);
}

/**
 * Creates a semaphore, or with OBJ_OPENIF opens the one that has the name.
 *
 * @param desiredAccess SEMAPHORE_… and generic rights. The creator is granted what it asks for; a semaphore that
 * exists is opened only if its descriptor grants it.
 * @param objectAttributes Name, flags and security; null for a semaphore without a name.
 * @param initialCount 0 to `maximumCount`.
 * @param maximumCount 1 to 0x7FFFFFFF.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorea}
 */
export function NtCreateSemaphore(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  initialCount: number,
  maximumCount: number,
): SemaphoreResult {
  return createSemaphore('user', desiredAccess, objectAttributes, initialCount, maximumCount);
}

/**
 * Opens a semaphore by its name.
 *
 * @param desiredAccess SEMAPHORE_… and generic rights, or MAXIMUM_ALLOWED; no right at all is denied.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-opensemaphorew}
 */
export function NtOpenSemaphore(desiredAccess: number, objectAttributes: ObjectAttributes): SemaphoreResult {
  return openSemaphore('user', desiredAccess, objectAttributes);
}

/**
 * Adds to the count of a semaphore.
 *
 * @param semaphoreHandle With SEMAPHORE_MODIFY_STATE.
 * @param releaseCount 1 to 0x7FFFFFFF.
 * @returns STATUS_SUCCESS with the count before; else STATUS_INVALID_PARAMETER, STATUS_SEMAPHORE_LIMIT_EXCEEDED
 * (the count stays), STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore}
 */
export function NtReleaseSemaphore(semaphoreHandle: Handle, releaseCount: number): SemaphoreCountResult {
  return releaseSemaphore('user', semaphoreHandle, releaseCount);
}

/**
 * Tells the count of a semaphore and the most that it can be.
 *
 * @param semaphoreHandle With SEMAPHORE_QUERY_STATE.
 * @param informationClass SemaphoreBasicInformation, the one there is.
 * @param length Bytes of the caller's buffer, 8; left out, they suffice.
 * @returns STATUS_SUCCESS with both; else STATUS_INVALID_INFO_CLASS, STATUS_INFO_LENGTH_MISMATCH,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstatesemaphore}
 */
export function NtQuerySemaphore(semaphoreHandle: Handle, informationClass: number, length?: Size): SemaphoreQueryResult {
  return querySemaphore('user', semaphoreHandle, informationClass, length);
}
