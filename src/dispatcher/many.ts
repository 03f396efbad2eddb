/**
 * Waits for any of several objects, or for all of them.
 */
import { options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { HeldWaitable } from '../sync/dispatcher-source.js';
import type { ManyOutcome } from '../sync/wait-many.js';
import { judgeTimeout } from '../sync/wait-options.js';
import { DispatcherObject, got, heldOf, type WaitOptions, type WaitSyncOptions } from './dispatcher-object.js';
import type { Event } from './event.js';
import type { Mutex } from './mutex.js';
import type { Semaphore } from './semaphore.js';
import { dispatcher } from './sources.js';

/** What can be waited for. */
export type Waitable = Event | Mutex | Semaphore;

export type { ManyOutcome } from '../sync/wait-many.js';

/** As many as Windows takes at a time. */
export const MAXIMUM_WAIT_OBJECTS = 64;

function heldIn(operation: string, objects: readonly Waitable[]): readonly HeldWaitable[] {
  const given: unknown = objects;
  if (!Array.isArray(given) || given.length < 1 || given.length > MAXIMUM_WAIT_OBJECTS) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `it takes an array of 1 to ${MAXIMUM_WAIT_OBJECTS} objects, not ${Array.isArray(given) ? given.length : show(given)}`,
    });
  }
  return given.map((each: unknown) => {
    if (!(each instanceof DispatcherObject)) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        rule: `each must be an Event, a Mutex or a Semaphore, not ${show(each)}`,
      });
    }
    if (each.closed) throw new SectionError('ERR_SECTION_CLOSED', { operation, rule: 'one of the objects is closed' });
    return each[heldOf] as HeldWaitable;
  });
}

/** Objects learn that they were waited for. */
function told(objects: readonly Waitable[], all: boolean, outcome: ManyOutcome | undefined): ManyOutcome | undefined {
  if (outcome === undefined) return undefined;
  const signal = outcome.abandoned ? 'abandoned' : 'signalled';
  for (const [index, each] of objects.entries()) {
    if (all || index === outcome.index) each[got](signal);
  }
  return outcome;
}

async function wait(
  operation: string,
  objects: readonly Waitable[],
  all: boolean,
  waitOptions: WaitOptions | undefined,
): Promise<ManyOutcome | undefined> {
  const held = heldIn(operation, objects);
  return told(objects, all, await dispatcher.waitMany(operation, `${held.length} objects`, held, all, waitOptions));
}

function waitSync(
  operation: string,
  objects: readonly Waitable[],
  all: boolean,
  waitOptions: WaitSyncOptions | undefined,
): ManyOutcome | undefined {
  const held = heldIn(operation, objects);
  const timeout = judgeTimeout(operation, options(operation, waitOptions, ['timeout']).timeout);
  return told(objects, all, dispatcher.waitManySync(operation, `${held.length} objects`, held, all, timeout));
}

/**
 * Waits for any of several objects, and leaves the event loop free. The first that can be had is taken, no other.
 *
 * @param objects 1 to 64.
 * @returns which it was, and whether it is a mutex that was abandoned; undefined: the timeout has passed
 * @throws SectionError as `event.wait`
 * @see WaitForMultipleObjects (Microsoft)
 */
export function waitAny(objects: readonly Waitable[], waitOptions?: WaitOptions): Promise<ManyOutcome | undefined> {
  return wait('waitAny', objects, false, waitOptions);
}

/**
 * Waits until all of several objects can be had, and takes them then: none before. Two waits for the same objects in another
 * order do not lock each other out.
 *
 * @param objects 1 to 64, each once.
 * @returns index 0, and whether a mutex among them was abandoned; undefined: the timeout has passed
 * @throws SectionError as `event.wait`
 * @see WaitForMultipleObjects (Microsoft)
 */
export function waitAll(objects: readonly Waitable[], waitOptions?: WaitOptions): Promise<ManyOutcome | undefined> {
  return wait('waitAll', objects, true, waitOptions);
}

/** As {@link waitAny}, and blocks the thread. */
export function waitAnySync(objects: readonly Waitable[], waitOptions?: WaitSyncOptions): ManyOutcome | undefined {
  return waitSync('waitAnySync', objects, false, waitOptions);
}

/** As {@link waitAll}, and blocks the thread. */
export function waitAllSync(objects: readonly Waitable[], waitOptions?: WaitSyncOptions): ManyOutcome | undefined {
  return waitSync('waitAllSync', objects, true, waitOptions);
}
