/**
 * The calls that wait: for one object or several, blocking or not, and with a signal before. What a wait is for, each type
 * knows (waitFor); here are handles, rights, timeouts and statuses.
 *
 * All of several objects are taken at one moment or not at all: nothing is taken before everything is signalled. It is
 * taken one after the other then, in an order that is the same for everybody, and without sleeping; what somebody else was
 * quicker to take has the rest given back as it was.
 *
 * Source: Microsoft's pages of ZwWaitForSingleObject, NtWaitForSingleObject, WaitForSingleObject, WaitForMultipleObjects and
 * SignalObjectAndWait.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { SYNCHRONIZE } from '../security/index.js';
import { always } from '../sync/always.js';
import { waitMany, waitManySync, waitOneSync } from '../sync/wait-many.js';
import type { Waitable } from '../sync/waitable.js';
import { systemInThisProcess } from '../system/kernel.js';
import { elementsOf, fieldsOf, type Handle, type Size, ulong, ulong64 } from './arguments.js';
import { MAXIMUM_WAIT_OBJECTS, WaitAll, WaitAny } from './constants.js';
import { putEvent } from './event-calls.js';
import { type Refusal, statusOf } from './failure.js';
import { releaseMutant } from './mutant-calls.js';
import { eventType, mutantType, semaphoreType } from './named-types.js';
import type { ObjectBody } from './object-types.js';
import { anyHandleOf } from './process-handles.js';
import { releaseSemaphore } from './semaphore-calls.js';
import { heldByDriver, holdBody, type Mode, mayUse, type OpenHandle, releaseBody } from './tables.js';

/** What ends a wait early that leaves the event loop free. */
export interface AsyncWaitOptions {
  /** The promise rejects with its reason. */
  readonly signal?: AbortSignal;
}

const OPERATION = 'wait for an object';
const refuse = (status: NTSTATUS): Refusal => ({ status });

/* --------------------------------------------------------------------------- timeouts ---- */

/** From 1601 to 1970, in units of 100 ns. */
const EPOCH = 116_444_736_000_000_000n;
const PER_MILLISECOND = 10_000;

/** A timeout of NT's in milliseconds: null for ever, negative from now, positive a time. Undefined for what is none. */
export function millisecondsOf(timeout: Size | null): number | undefined {
  if (timeout === null || timeout === undefined) return Number.POSITIVE_INFINITY;
  const bits = ulong64(timeout);
  if (bits === undefined) return undefined;
  const units = BigInt.asIntN(64, bits);
  if (units <= 0n) return Number(-units) / PER_MILLISECOND;
  return Math.max(0, Number(units - EPOCH) / PER_MILLISECOND - Date.now());
}

/* ---------------------------------------------------------------------- what is waited for ---- */

interface Wanted {
  readonly many: readonly Waitable[];
  readonly all: boolean;
  /** Kept while it is waited for, whoever closes the handles. */
  readonly bodies: readonly ObjectBody[];
}

/** Tells an object from others, whichever handle is on it. */
function identityOf({ type, body }: OpenHandle): unknown {
  const { pid, id } = body as { readonly pid?: number; readonly id?: number };
  const identity = type.objectOf?.(body).identity ?? pid ?? id;
  return identity === undefined ? body : `${type.name} ${identity}`;
}

/** What a handle stands for in a wait. @throws SectionError where its memory cannot be used */
function waitableOf(mode: Mode, handle: unknown): { readonly entry: OpenHandle; readonly waitable: Waitable } | Refusal {
  const entry = anyHandleOf(mode, handle);
  if ('status' in entry) return entry;
  if (!mayUse(mode, entry, SYNCHRONIZE)) return refuse(Status.STATUS_ACCESS_DENIED);
  const { type, body } = entry;
  const waitable = type.waitFor === undefined ? always : type.waitFor(body);
  return waitable === null ? refuse(Status.STATUS_ACCESS_DENIED) : { entry, waitable };
}

function wantedOf(mode: Mode, handles: readonly unknown[], all: boolean): Wanted | Refusal {
  try {
    const found: { readonly entry: OpenHandle; readonly waitable: Waitable }[] = [];
    for (const handle of handles) {
      const one = waitableOf(mode, handle);
      if ('status' in one) return one;
      found.push(one);
    }
    const keyed = found.map((one) => ({ ...one, identity: identityOf(one.entry) }));
    if (all) {
      if (new Set(keyed.map(({ identity }) => identity)).size < keyed.length) return refuse(Status.STATUS_INVALID_PARAMETER_MIX);
      // In one order for everybody: of two who want the same, one gets the first and then the rest.
      keyed.sort((one, other) => (String(one.identity) < String(other.identity) ? -1 : 1));
    }
    return { many: keyed.map(({ waitable }) => waitable), all, bodies: keyed.map(({ entry }) => entry.body) };
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/** The parameters of a wait for several objects, judged. */
function severalOf(mode: Mode, count: number, handles: readonly Handle[], waitType: number): Wanted | Refusal {
  const wanted = ulong(count);
  if (wanted === undefined || wanted === 0 || wanted > MAXIMUM_WAIT_OBJECTS) return refuse(Status.STATUS_INVALID_PARAMETER_1);
  const type = ulong(waitType);
  if (type !== WaitAll && type !== WaitAny) return refuse(Status.STATUS_INVALID_PARAMETER_3);
  const elements = elementsOf(handles, wanted);
  return elements === undefined ? refuse(Status.STATUS_ACCESS_VIOLATION) : wantedOf(mode, elements, type === WaitAll);
}

/* ------------------------------------------------------------------------------ the wait ---- */

function statusAfter(outcome: { readonly index: number; readonly abandoned: boolean } | undefined): NTSTATUS {
  if (outcome === undefined) return Status.STATUS_TIMEOUT;
  return outcome.index + (outcome.abandoned ? Status.STATUS_ABANDONED_WAIT_0 : 0);
}

/** Whether a call may block: in the system process nothing may, for it serves everybody. */
const mayBlock = (milliseconds: number): boolean => milliseconds === 0 || systemInThisProcess() === null;

function block({ many, all }: Wanted, milliseconds: number): NTSTATUS {
  if (!mayBlock(milliseconds)) return Status.STATUS_NOT_SUPPORTED;
  const [first] = many;
  try {
    if (many.length > 1 || first === undefined) {
      return statusAfter(waitManySync(OPERATION, 'several objects', many, all, milliseconds));
    }
    const signal = waitOneSync(OPERATION, 'an object', first, milliseconds);
    return statusAfter(signal === undefined ? undefined : { index: 0, abandoned: signal === 'abandoned' });
  } catch (error) {
    return statusOf(error);
  }
}

/** The signal of a caller, and in the system process the end of the driver that waits. */
function endsOf(signal: AbortSignal | undefined): {
  readonly signal?: AbortSignal;
  readonly unloaded?: AbortSignal;
  forget(): void;
} {
  if (systemInThisProcess() === null) return { ...(signal === undefined ? {} : { signal }), forget: () => {} };
  const driver = new AbortController();
  const forget = heldByDriver('wait', () => driver.abort());
  const both = signal === undefined ? driver.signal : AbortSignal.any([signal, driver.signal]);
  return { signal: both, unloaded: driver.signal, forget };
}

async function wait({ many, all, bodies }: Wanted, milliseconds: number, given: AsyncWaitOptions | undefined): Promise<NTSTATUS> {
  const signal = given === undefined ? undefined : fieldsOf(given, 'signal')?.signal;
  if (given !== undefined && (typeof given !== 'object' || given === null)) return Status.STATUS_INVALID_PARAMETER;
  if (signal !== undefined && !(signal instanceof AbortSignal)) return Status.STATUS_INVALID_PARAMETER;
  const ends = endsOf(signal);
  for (const body of bodies) holdBody(body);
  try {
    const options = { timeout: milliseconds, signal: ends.signal };
    return statusAfter(await waitMany(OPERATION, 'objects', many, all, options));
  } catch (error) {
    if (signal?.aborted && error === signal.reason) throw error;
    return ends.unloaded?.aborted ? Status.STATUS_CANCELLED : statusOf(error);
  } finally {
    ends.forget();
    for (const body of bodies) releaseBody(body);
  }
}

/** ZwWaitForSingleObject and NtWaitForSingleObject. @param milliseconds Undefined: what was given is no timeout. */
export function waitForSingleObject(mode: Mode, handle: Handle, milliseconds: number | undefined): NTSTATUS {
  if (milliseconds === undefined) return Status.STATUS_INVALID_PARAMETER;
  const wanted = wantedOf(mode, [handle], false);
  return 'status' in wanted ? wanted.status : block(wanted, milliseconds);
}

/** As {@link waitForSingleObject}, and the event loop goes on. @throws the reason of the signal */
export async function waitForSingleObjectAsync(
  mode: Mode,
  handle: Handle,
  milliseconds: number | undefined,
  options: AsyncWaitOptions | undefined,
): Promise<NTSTATUS> {
  if (milliseconds === undefined) return Status.STATUS_INVALID_PARAMETER;
  const wanted = wantedOf(mode, [handle], false);
  return 'status' in wanted ? wanted.status : wait(wanted, milliseconds, options);
}

/** NtWaitForMultipleObjects. */
export function waitForMultipleObjects(
  mode: Mode,
  count: number,
  handles: readonly Handle[],
  waitType: number,
  milliseconds: number | undefined,
): NTSTATUS {
  const wanted = severalOf(mode, count, handles, waitType);
  if ('status' in wanted) return wanted.status;
  return milliseconds === undefined ? Status.STATUS_INVALID_PARAMETER : block(wanted, milliseconds);
}

/** As {@link waitForMultipleObjects}, and the event loop goes on. @throws the reason of the signal */
export async function waitForMultipleObjectsAsync(
  mode: Mode,
  count: number,
  handles: readonly Handle[],
  waitType: number,
  milliseconds: number | undefined,
  options: AsyncWaitOptions | undefined,
): Promise<NTSTATUS> {
  const wanted = severalOf(mode, count, handles, waitType);
  if ('status' in wanted) return wanted.status;
  return milliseconds === undefined ? Status.STATUS_INVALID_PARAMETER : wait(wanted, milliseconds, options);
}

/* ------------------------------------------------------------------------ signal and wait ---- */

/** Signals what a handle is on, as its type is signalled. */
function signalOne(mode: Mode, handle: Handle, type: unknown): NTSTATUS {
  if (type === eventType) return putEvent(mode, handle, 1).status;
  if (type === mutantType) return releaseMutant(mode, handle).status;
  if (type === semaphoreType) return releaseSemaphore(mode, handle, 1).status;
  return Status.STATUS_OBJECT_TYPE_MISMATCH;
}

/** NtSignalAndWaitForSingleObject. */
export function signalAndWait(
  mode: Mode,
  objectToSignal: Handle,
  waitableObject: Handle,
  milliseconds: number | undefined,
): NTSTATUS {
  if (milliseconds === undefined) return Status.STATUS_INVALID_PARAMETER;
  const target = anyHandleOf(mode, objectToSignal);
  if ('status' in target) return target.status;
  const wanted = wantedOf(mode, [waitableObject], false);
  if ('status' in wanted) return wanted.status;
  if (!mayBlock(milliseconds)) return Status.STATUS_NOT_SUPPORTED;
  const status = signalOne(mode, objectToSignal, target.type);
  return isSuccess(status) ? block(wanted, milliseconds) : status;
}
