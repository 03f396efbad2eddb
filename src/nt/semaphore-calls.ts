/**
 * The calls on semaphores. Source: Microsoft's pages of CreateSemaphore, ReleaseSemaphore and
 * KeReleaseSemaphore; "Synchronization Object Security and Access Rights".
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { SEMAPHORE_MODIFY_STATE, SEMAPHORE_QUERY_STATE } from '../security/index.js';
import { semaphoreWords } from '../sync/semaphore-state.js';
import type { Handle, Size } from './arguments.js';
import { semaphoreType } from './named-types.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { long, STATE_INFORMATION_LENGTH, stateContent, stateQueryStatus, useState } from './state-calls.js';
import type { Mode } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface SemaphoreResult {
  readonly status: NTSTATUS;
  readonly semaphoreHandle: Handle;
}

export interface SemaphoreCountResult {
  readonly status: NTSTATUS;
  /** The count before; 0 when the call failed. */
  readonly previousCount: number;
}

/** SEMAPHORE_BASIC_INFORMATION */
export interface SEMAPHORE_BASIC_INFORMATION {
  readonly CurrentCount: number;
  readonly MaximumCount: number;
}

export interface SemaphoreQueryResult {
  readonly status: NTSTATUS;
  readonly semaphoreInformation: SEMAPHORE_BASIC_INFORMATION | null;
  readonly returnLength: number;
}

const resultOf = ({ status, handle }: Opened): SemaphoreResult => ({ status, semaphoreHandle: handle });

/** ZwCreateSemaphore and NtCreateSemaphore. */
export function createSemaphore(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  initialCount: number,
  maximumCount: number,
): SemaphoreResult {
  const initial = long(initialCount);
  const maximum = long(maximumCount);
  if (initial === undefined || maximum === undefined || maximum <= 0 || initial < 0 || initial > maximum) {
    return { status: Status.STATUS_INVALID_PARAMETER, semaphoreHandle: 0 };
  }
  const content = stateContent(semaphoreWords(initial, maximum));
  return resultOf(createNamed('ZwCreateSemaphore', mode, semaphoreType, desiredAccess, objectAttributes, content));
}

/** ZwOpenSemaphore and NtOpenSemaphore. */
export function openSemaphore(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): SemaphoreResult {
  return resultOf(openNamed('ZwOpenSemaphore', mode, semaphoreType, desiredAccess, objectAttributes));
}

/** ZwReleaseSemaphore and NtReleaseSemaphore. */
export function releaseSemaphore(mode: Mode, semaphoreHandle: Handle, releaseCount: number): SemaphoreCountResult {
  const more = long(releaseCount);
  if (more === undefined || more <= 0) return { status: Status.STATUS_INVALID_PARAMETER, previousCount: 0 };
  const released = useState(mode, semaphoreHandle, semaphoreType, {
    rights: SEMAPHORE_MODIFY_STATE,
    changes: true,
    act: (semaphore) => semaphore.release(more) ?? { status: Status.STATUS_SEMAPHORE_LIMIT_EXCEEDED },
  });
  return typeof released === 'number'
    ? { status: Status.STATUS_SUCCESS, previousCount: released }
    : { ...released, previousCount: 0 };
}

/** ZwQuerySemaphore and NtQuerySemaphore. */
export function querySemaphore(
  mode: Mode,
  semaphoreHandle: Handle,
  informationClass: number,
  length?: Size,
): SemaphoreQueryResult {
  const fail = (status: NTSTATUS): SemaphoreQueryResult => ({ status, semaphoreInformation: null, returnLength: 0 });
  const asked = stateQueryStatus(informationClass, length);
  if (!isSuccess(asked)) return fail(asked);
  const information = useState(mode, semaphoreHandle, semaphoreType, {
    rights: SEMAPHORE_QUERY_STATE,
    changes: false,
    act: ({ count, maximum }) => ({ CurrentCount: count, MaximumCount: maximum }),
  });
  if ('status' in information) return fail(information.status);
  return { status: Status.STATUS_SUCCESS, semaphoreInformation: information, returnLength: STATE_INFORMATION_LENGTH };
}
