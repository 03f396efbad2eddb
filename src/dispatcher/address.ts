/**
 * The raw pair below all objects: to sleep while a word of a section has a value, and to wake those who sleep. On Linux it is
 * futex(2), so that programs in any language take part.
 */
import { options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { attachment, beforeClose, View } from '../memory/view.js';
import { WaitEnd } from '../os/index.js';
import { judgeTimeout } from '../sync/wait-options.js';
import { WaitPoint } from '../sync/wait-point.js';
import type { WaitOptions, WaitSyncOptions } from './dispatcher-object.js';
import { placeIn } from './sources.js';

/** Points of a view that somebody has waited or woken at, by offset: each call needs one, so the view itself has them at hand. */
type Points = Map<number | bigint, WaitPoint>;

function pointAt(operation: string, view: View, offset: number | bigint): WaitPoint {
  // Where somebody of this thread has waited or woken already, the view was judged then, and is open.
  const known = View.is(view) ? (view[attachment] as Points | null)?.get(offset) : undefined;
  return known ?? makePoint(operation, view, offset);
}

function makePoint(operation: string, view: View, offset: number | bigint): WaitPoint {
  const words = placeIn(operation, view, offset, Int32Array.BYTES_PER_ELEMENT, Int32Array.BYTES_PER_ELEMENT);
  let all = view[attachment] as Points | null;
  if (all === null) {
    const fresh: Points = new Map();
    view[beforeClose](() => {
      view[attachment] = null;
      for (const point of fresh.values()) point.close();
    });
    view[attachment] = fresh;
    all = fresh;
  }
  let point = all.get(words.offset);
  if (point === undefined) {
    point = new WaitPoint(words.mapping, words.offset);
    all.set(words.offset, point);
  }
  return point;
}

function word(operation: string, value: unknown): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= -(2 ** 31) && value < 2 ** 32) return value | 0;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `a word has 32 bits: a whole number from -2^31 to 2^32 - 1, not ${show(value)}`,
  });
}

const differs = (point: WaitPoint, unwanted: number) => () => (point.word.load() === unwanted ? undefined : true);

/**
 * Waits until a word of a section has another value than `value`, and leaves the event loop free. Whoever changes the word
 * calls {@link wakeAddress} after that.
 *
 * @param view Of any access but `'copy'`.
 * @param offset Bytes from the view's start; a multiple of 4 in the section.
 * @param value 32 bits, signed or not.
 * @returns true, at once where the word differs already; false: the timeout has passed
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_CLOSED (also
 * when the view is closed meanwhile), ERR_SECTION_ACCESS_DENIED (a copy-on-write view); the signal's reason
 * @see futex(2), FUTEX_WAIT; WaitOnAddress (Microsoft), which works within one process alone
 */
export async function waitOnAddress(
  view: View,
  offset: number | bigint,
  value: number,
  waitOptions?: WaitOptions,
): Promise<boolean> {
  const operation = 'waitOnAddress';
  const point = pointAt(operation, view, offset);
  const attempt = differs(point, word(operation, value));
  // Others may wait while it has another value.
  return (await point.wait(operation, `the word at ${offset}`, attempt, waitOptions, true)) ?? false;
}

/** As {@link waitOnAddress}, and blocks the thread. */
export function waitOnAddressSync(view: View, offset: number | bigint, value: number, waitOptions?: WaitSyncOptions): boolean {
  const operation = 'waitOnAddressSync';
  const point = pointAt(operation, view, offset);
  const unwanted = word(operation, value);
  if (waitOptions !== undefined) {
    return waitUntil(point, unwanted, judgeTimeout(operation, options(operation, waitOptions, ['timeout']).timeout));
  }
  // In one call, unless somebody wakes who has changed nothing.
  const end = point.word.waitSync(unwanted, Number.POSITIVE_INFINITY);
  return end === WaitEnd.differed || waitUntil(point, unwanted, Number.POSITIVE_INFINITY);
}

function waitUntil(point: WaitPoint, unwanted: number, timeout: number): boolean {
  const isLimited = timeout > 0 && timeout !== Number.POSITIVE_INFINITY;
  const until = isLimited ? performance.now() + timeout : timeout;
  for (let left = timeout; ; left = isLimited ? Math.max(0, until - performance.now()) : timeout) {
    const end = point.word.waitSync(unwanted, left);
    if (end === WaitEnd.differed || point.word.load() !== unwanted) return true;
    if (end === WaitEnd.timedOut) return false;
  }
}

/**
 * Wakes those who wait for a word, in all processes; they look at it again.
 *
 * @param most How many threads at most, 1 or more. Default: all, and only that is safe where a thread that was woken may be
 * killed before it has done what the others wait for.
 * @returns how many threads there were, where the system tells
 * @throws SectionError as {@link waitOnAddress}
 * @see futex(2), FUTEX_WAKE; WakeByAddressAll (Microsoft)
 */
export function wakeAddress(view: View, offset: number | bigint, most = 2 ** 31 - 1): number {
  const operation = 'wakeAddress';
  const point = pointAt(operation, view, offset);
  if (!Number.isInteger(most) || most < 1 || most > 2 ** 31 - 1) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `most must be a whole number from 1 to 2^31 - 1, not ${show(most)}`,
    });
  }
  return point.word.wake(most);
}
