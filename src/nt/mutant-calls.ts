/**
 * The calls on mutants, which Win32 calls mutexes. A mutant is owned by the process whose call got it, and
 * here that is the one that created it so: waits, by which mutants change hands, are for a later version.
 * Only the owner writes the state, and gives it up last, so nobody ever sees half of it.
 *
 * Source: Microsoft's pages of CreateMutex, ReleaseMutex and KeReleaseMutex; "Synchronization Object
 * Security and Access Rights".
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { SharedWords } from '../memory/shared-words.js';
import { MUTANT_QUERY_STATE } from '../security/index.js';
import type { Handle, Size } from './arguments.js';
import type { Refusal } from './failure.js';
import { mutantType } from './named-types.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { hasEnded, isOwn, OWNER_WORDS, ownWords } from './owner.js';
import { STATE_INFORMATION_LENGTH, stateContent, stateQueryStatus, useState } from './state-calls.js';
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

/** Words of a mutant's state: the count, then the owner. */
const COUNT = 0;
const OWNER = 1;
/** The count of a mutant that nobody owns. */
const FREE = 1;

const NOBODY: readonly number[] = new Array<number>(OWNER_WORDS).fill(0);

function ownerIn(words: SharedWords): readonly number[] {
  return NOBODY.map((_, index) => words.load(OWNER + index));
}

const resultOf = ({ status, handle }: Opened): MutantResult => ({ status, mutantHandle: handle });

/** ZwCreateMutant and NtCreateMutant. */
export function createMutant(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  initialOwner: boolean | number,
): MutantResult {
  const content = stateContent(initialOwner ? [0, ...ownWords()] : [FREE, ...NOBODY]);
  return resultOf(createNamed('ZwCreateMutant', mode, mutantType, desiredAccess, objectAttributes, content));
}

/** ZwOpenMutant and NtOpenMutant. */
export function openMutant(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): MutantResult {
  return resultOf(openNamed('ZwOpenMutant', mode, mutantType, desiredAccess, objectAttributes));
}

function release(words: SharedWords): number | Refusal {
  const count = words.load(COUNT);
  if (count >= FREE || !isOwn(ownerIn(words))) return { status: Status.STATUS_MUTANT_NOT_OWNED };
  if (count + 1 === FREE) for (let index = 0; index < OWNER_WORDS; index++) words.exchange(OWNER + index, 0);
  words.exchange(COUNT, count + 1);
  return count;
}

/** ZwReleaseMutant and NtReleaseMutant. */
export function releaseMutant(mode: Mode, mutantHandle: Handle): MutantCountResult {
  const released = useState(mode, mutantHandle, mutantType, { rights: 0, changes: true, act: release });
  return typeof released === 'number'
    ? { status: Status.STATUS_SUCCESS, previousCount: released }
    : { ...released, previousCount: 0 };
}

function informationIn(words: SharedWords): MUTANT_BASIC_INFORMATION {
  const count = words.load(COUNT);
  const owner = ownerIn(words);
  if (count >= FREE) return { CurrentCount: FREE, OwnedByCaller: false, AbandonedState: false };
  if (isOwn(owner)) return { CurrentCount: count, OwnedByCaller: true, AbandonedState: false };
  const isAbandoned = hasEnded(owner);
  return { CurrentCount: isAbandoned ? FREE : count, OwnedByCaller: false, AbandonedState: isAbandoned };
}

/** ZwQueryMutant and NtQueryMutant. */
export function queryMutant(mode: Mode, mutantHandle: Handle, informationClass: number, length?: Size): MutantQueryResult {
  const fail = (status: NTSTATUS): MutantQueryResult => ({ status, mutantInformation: null, returnLength: 0 });
  const asked = stateQueryStatus(informationClass, length);
  if (!isSuccess(asked)) return fail(asked);
  const information = useState(mode, mutantHandle, mutantType, {
    rights: MUTANT_QUERY_STATE,
    changes: false,
    act: informationIn,
  });
  if ('status' in information) return fail(information.status);
  return { status: Status.STATUS_SUCCESS, mutantInformation: information, returnLength: STATE_INFORMATION_LENGTH };
}
