/**
 * The part of `sectile/ntddk` on events, mutants and semaphores. In kernel mode: rights count with OBJ_FORCE_ACCESS_CHECK only, and with OBJ_KERNEL_HANDLE a handle is
 * the kernel's.
 */
import { createEvent, openEvent, putEvent, queryEvent } from './event-calls.js';
import { createMutant, openMutant, queryMutant, releaseMutant } from './mutant-calls.js';
import type {
  NtClearEvent,
  NtCreateEvent,
  NtCreateMutant,
  NtCreateSemaphore,
  NtOpenEvent,
  NtOpenMutant,
  NtOpenSemaphore,
  NtQueryEvent,
  NtQueryMutant,
  NtQuerySemaphore,
  NtReleaseMutant,
  NtReleaseSemaphore,
  NtResetEvent,
  NtSetEvent,
} from './ntdll-synchronization.js';
import type { NtWaitForSingleObject, NtWaitForSingleObjectAsync } from './ntdll-waits.js';
import { createSemaphore, openSemaphore, querySemaphore, releaseSemaphore } from './semaphore-calls.js';
import { millisecondsOf, waitForSingleObject, waitForSingleObjectAsync } from './wait-calls.js';

export type { EVENT_BASIC_INFORMATION, EventQueryResult, EventResult, EventStateResult } from './event-calls.js';
export type { MUTANT_BASIC_INFORMATION, MutantCountResult, MutantQueryResult, MutantResult } from './mutant-calls.js';
export type {
  SEMAPHORE_BASIC_INFORMATION,
  SemaphoreCountResult,
  SemaphoreQueryResult,
  SemaphoreResult,
} from './semaphore-calls.js';

/**
 * Creates an event, or with OBJ_OPENIF opens the one that has the name. Parameters and statuses: {@link
 * NtCreateEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreateevent}
 */
export const ZwCreateEvent: typeof NtCreateEvent = (...given) => createEvent('kernel', ...given);

/**
 * Opens an event by its name. Parameters and statuses: {@link NtOpenEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopenevent}
 */
export const ZwOpenEvent: typeof NtOpenEvent = (...given) => openEvent('kernel', ...given);

/**
 * Signals an event. Parameters and statuses: {@link NtSetEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwsetevent}
 */
export const ZwSetEvent: typeof NtSetEvent = (eventHandle) => putEvent('kernel', eventHandle, 1);

/**
 * Takes the signal of an event back. Parameters and statuses: {@link NtResetEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-resetevent}
 */
export const ZwResetEvent: typeof NtResetEvent = (eventHandle) => putEvent('kernel', eventHandle, 0);

/**
 * As {@link ZwResetEvent}, without the state before. Parameters and statuses: {@link NtClearEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-keclearevent}
 */
export const ZwClearEvent: typeof NtClearEvent = (eventHandle) => putEvent('kernel', eventHandle, 0).status;

/**
 * Tells type and state of an event. Parameters and statuses: {@link NtQueryEvent}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstateevent}
 */
export const ZwQueryEvent: typeof NtQueryEvent = (...given) => queryEvent('kernel', ...given);

/**
 * Creates a mutant (Win32: a mutex), or with OBJ_OPENIF opens the one that has the name. Parameters and
 * statuses: {@link NtCreateMutant}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-createmutexw}
 */
export const ZwCreateMutant: typeof NtCreateMutant = (...given) => createMutant('kernel', ...given);

/**
 * Opens a mutant by its name. Parameters and statuses: {@link NtOpenMutant}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-openmutexw}
 */
export const ZwOpenMutant: typeof NtOpenMutant = (...given) => openMutant('kernel', ...given);

/**
 * Gives a mutant up, once for each time that it was got. Parameters and statuses: {@link NtReleaseMutant}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasemutex}
 */
export const ZwReleaseMutant: typeof NtReleaseMutant = (...given) => releaseMutant('kernel', ...given);

/**
 * Tells who owns a mutant, and whether its owner ended without releasing it. Parameters and statuses: {@link
 * NtQueryMutant}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstatemutex}
 */
export const ZwQueryMutant: typeof NtQueryMutant = (...given) => queryMutant('kernel', ...given);

/**
 * Creates a semaphore, or with OBJ_OPENIF opens the one that has the name. Parameters and statuses: {@link
 * NtCreateSemaphore}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-createsemaphorea}
 */
export const ZwCreateSemaphore: typeof NtCreateSemaphore = (...given) => createSemaphore('kernel', ...given);

/**
 * Opens a semaphore by its name. Parameters and statuses: {@link NtOpenSemaphore}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-opensemaphorew}
 */
export const ZwOpenSemaphore: typeof NtOpenSemaphore = (...given) => openSemaphore('kernel', ...given);

/**
 * Adds to the count of a semaphore. Parameters and statuses: {@link NtReleaseSemaphore}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/synchapi/nf-synchapi-releasesemaphore}
 */
export const ZwReleaseSemaphore: typeof NtReleaseSemaphore = (...given) => releaseSemaphore('kernel', ...given);

/**
 * Tells the count of a semaphore and the most that it can be. Parameters and statuses: {@link NtQuerySemaphore}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-kereadstatesemaphore}
 */
export const ZwQuerySemaphore: typeof NtQuerySemaphore = (...given) => querySemaphore('kernel', ...given);

/**
 * Looks whether an object is signalled, and takes what a wait for it takes. A driver shares its process with every other driver
 * and application's request, so nothing may block there: any timeout but 0 is STATUS_NOT_SUPPORTED, and a wait is
 * {@link ZwWaitForSingleObjectAsync}. Parameters and statuses: {@link NtWaitForSingleObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwwaitforsingleobject}
 */
export const ZwWaitForSingleObject: typeof NtWaitForSingleObject = (handle, _alertable, timeout) =>
  waitForSingleObject('kernel', handle, millisecondsOf(timeout));

/**
 * Waits for an object, and leaves the system process free: a routine of a driver may await it. A wait of a driver that is
 * unloaded ends with STATUS_CANCELLED. Ours. Parameters and statuses: {@link NtWaitForSingleObjectAsync}.
 */
export const ZwWaitForSingleObjectAsync: typeof NtWaitForSingleObjectAsync = async (handle, _alertable, timeout, options) =>
  waitForSingleObjectAsync('kernel', handle, millisecondsOf(timeout), options);
