/**
 * The calls on semaphores. Source: Microsoft's pages of CreateSemaphore, ReleaseSemaphore and
 * KeReleaseSemaphore; "Synchronization Object Security and Access Rights".
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { SharedWords } from '../memory/shared-words.js';
import { SEMAPHORE_MODIFY_STATE, SEMAPHORE_QUERY_STATE } from '../security/index.js';
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

/** Words of a semaphore's state. */
const COUNT = 0;
const MAXIMUM = 1;

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
  const content = stateContent([initial, maximum]);
  return resultOf(createNamed('ZwCreateSemaphore', mode, semaphoreType, desiredAccess, objectAttributes, content));
}

/** ZwOpenSemaphore and NtOpenSemaphore. */
export function openSemaphore(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): SemaphoreResult {
  return resultOf(openNamed('ZwOpenSemaphore', mode, semaphoreType, desiredAccess, objectAttributes));
}

/** Races for the count that may be lost in a row. */
const MOST_ATTEMPTS = 10_000;

/** What two words mean, whatever another process may have put there: a maximum of 1 at least, a count within it. */
function countsOf(count: number, maximum: number): SEMAPHORE_BASIC_INFORMATION {
  const MaximumCount = Math.max(1, maximum);
  return { CurrentCount: Math.min(MaximumCount, Math.max(0, count)), MaximumCount };
}

/** Adds to the count unless that goes beyond the maximum; of many at once, each finds what the others left. */
function add(words: SharedWords, more: number): number | { readonly status: NTSTATUS } {
  for (let attempt = 0; ; attempt++) {
    const found = words.load(COUNT);
    const { CurrentCount, MaximumCount } = countsOf(found, words.load(MAXIMUM));
    if (more > MaximumCount - CurrentCount) return { status: Status.STATUS_SEMAPHORE_LIMIT_EXCEEDED };
    if (words.compareExchange(COUNT, found, CurrentCount + more) === found) return CurrentCount;
    // Nobody who keeps to the rules is that quick: whoever writes there without end shall not hold us up.
    if (attempt === MOST_ATTEMPTS) {
      words.exchange(COUNT, CurrentCount + more);
      return CurrentCount;
    }
  }
}

/** ZwReleaseSemaphore and NtReleaseSemaphore. */
export function releaseSemaphore(mode: Mode, semaphoreHandle: Handle, releaseCount: number): SemaphoreCountResult {
  const more = long(releaseCount);
  if (more === undefined || more <= 0) return { status: Status.STATUS_INVALID_PARAMETER, previousCount: 0 };
  const released = useState(mode, semaphoreHandle, semaphoreType, {
    rights: SEMAPHORE_MODIFY_STATE,
    changes: true,
    act: (words) => add(words, more),
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
    act: (words) => countsOf(words.load(COUNT), words.load(MAXIMUM)),
  });
  if ('status' in information) return fail(information.status);
  return { status: Status.STATUS_SUCCESS, semaphoreInformation: information, returnLength: STATE_INFORMATION_LENGTH };
}
