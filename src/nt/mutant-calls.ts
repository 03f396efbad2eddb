/**
 * The calls on mutants, which Win32 calls mutexes. A mutant is owned by the thread of JavaScript whose call got it: the one
 * that created it so, or that waited for it (wait-calls.ts).
 *
 * Source: Microsoft's pages of CreateMutex, ReleaseMutex and KeReleaseMutex; "Synchronization Object
 * Security and Access Rights".
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { createContent, readContent } from '../memory/object-content.js';
import { os, Protect } from '../os/index.js';
import { MUTANT_QUERY_STATE } from '../security/index.js';
import { MUTEX_BYTES, MutexState } from '../sync/mutex-state.js';
import type { Handle, Size } from './arguments.js';
import { type Refusal, statusOf } from './failure.js';
import { mutantType } from './named-types.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { STATE_INFORMATION_LENGTH, stateQueryStatus, useState } from './state-calls.js';
import type { Mode } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface MutantResult {
  readonly status: NTSTATUS;
  readonly mutantHandle: Handle;
}

export interface MutantCountResult {
  readonly status: NTSTATUS;
  /** The count before: 0 when it was owned once, below 0 when it was owned more often. */
  readonly previousCount: number;
}

/** MUTANT_BASIC_INFORMATION */
export interface MUTANT_BASIC_INFORMATION {
  /** 1 when nobody owns it, 0 when somebody does, below 0 when its owner got it more than once. */
  readonly CurrentCount: number;
  readonly OwnedByCaller: boolean;
  /** Its owner ended without releasing it. */
  readonly AbandonedState: boolean;
}

export interface MutantQueryResult {
  readonly status: NTSTATUS;
  readonly mutantInformation: MUTANT_BASIC_INFORMATION | null;
  readonly returnLength: number;
}

/** The count of a mutant that nobody owns. */
const FREE = 1;

const resultOf = ({ status, handle }: Opened): MutantResult => ({ status, mutantHandle: handle });

/** ZwCreateMutant and NtCreateMutant. */
export function createMutant(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  initialOwner: boolean | number,
): MutantResult {
  try {
    return initialOwner
      ? createOwned((content) => create(mode, desiredAccess, objectAttributes, content))
      : create(mode, desiredAccess, objectAttributes, new Uint8Array(MUTEX_BYTES));
  } catch (error) {
    return { status: statusOf(error), mutantHandle: 0 };
  }
}

const create = (mode: Mode, access: number, attributes: ObjectAttributes | null, content: Uint8Array): MutantResult =>
  resultOf(createNamed('ZwCreateMutant', mode, mutantType, access, attributes, content));

/** One that is ours before anybody else can see it: made of the bytes of another that we took. */
function createOwned(createOf: (content: Uint8Array) => MutantResult): MutantResult {
  const [operation, object] = ['ZwCreateMutant', 'a mutant'];
  const memory = createContent(operation, object, object, new Uint8Array(MUTEX_BYTES));
  const body = memory.map(operation, object, {
    offset: 0,
    length: MUTEX_BYTES,
    protection: Protect.read | Protect.write,
    private: false,
  });
  const first = new MutexState(body);
  try {
    first.try();
    const result = createOf(readContent(operation, object, memory).slice());
    if (result.status === Status.STATUS_SUCCESS) keep(result.mutantHandle);
    return result;
  } finally {
    first.release();
    first.close();
    os.mappingClose(body);
    memory.close();
  }
}

/** Tells the system that the mutant behind a new handle is this thread's, so that it is abandoned when the thread ends. */
function keep(handle: Handle): void {
  useState('kernel', handle, mutantType, {
    rights: 0,
    changes: true,
    act: (mutant) => {
      mutant.try();
      return mutant.release();
    },
  });
}

/** ZwOpenMutant and NtOpenMutant. */
export function openMutant(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): MutantResult {
  return resultOf(openNamed('ZwOpenMutant', mode, mutantType, desiredAccess, objectAttributes));
}

function release(mutant: MutexState): number | Refusal {
  const left = mutant.release();
  return left < 0 ? { status: Status.STATUS_MUTANT_NOT_OWNED } : 0 - left;
}

/** ZwReleaseMutant and NtReleaseMutant. */
export function releaseMutant(mode: Mode, mutantHandle: Handle): MutantCountResult {
  const released = useState(mode, mutantHandle, mutantType, { rights: 0, changes: true, act: release });
  return typeof released === 'number'
    ? { status: Status.STATUS_SUCCESS, previousCount: released }
    : { ...released, previousCount: 0 };
}

function informationOf(mutant: MutexState): MUTANT_BASIC_INFORMATION {
  const { times, isOwn, abandoned } = mutant.query();
  return { CurrentCount: FREE - times, OwnedByCaller: isOwn, AbandonedState: abandoned };
}

/** ZwQueryMutant and NtQueryMutant. */
export function queryMutant(mode: Mode, mutantHandle: Handle, informationClass: number, length?: Size): MutantQueryResult {
  const fail = (status: NTSTATUS): MutantQueryResult => ({ status, mutantInformation: null, returnLength: 0 });
  const asked = stateQueryStatus(informationClass, length);
  if (!isSuccess(asked)) return fail(asked);
  const information = useState(mode, mutantHandle, mutantType, {
    rights: MUTANT_QUERY_STATE,
    changes: false,
    act: informationOf,
  });
  if ('status' in information) return fail(information.status);
  return { status: Status.STATUS_SUCCESS, mutantInformation: information, returnLength: STATE_INFORMATION_LENGTH };
}
