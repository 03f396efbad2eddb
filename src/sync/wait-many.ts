/**
 * Waits for one thing, for any of several, or for all of them at once.
 *
 * All: nothing is taken before everything can be. It is taken one after the other then; what somebody else was quicker to
 * take has the rest given back, which others can see for that moment.
 *
 * Source: Microsoft's pages of WaitForSingleObject and WaitForMultipleObjects.
 */
import { type Mapping, MOST_WORDS, os } from '../os/index.js';
import { sleepSync } from './timer.js';
import { judgeOptions, type WaitOptions } from './wait-options.js';
import { WaitPoint } from './wait-point.js';
import { queued } from './wait-queue.js';
import type { Signal, Waitable } from './waitable.js';

/** What a wait for several things was ended by. */
export interface ManyOutcome {
  /** Which of them it was; of all, the first. */
  readonly index: number;
  /** A mutex among those taken was abandoned. */
  readonly abandoned: boolean;
}

/** Most milliseconds that a thread sleeps before it looks at what wakes nobody. */
const LOOK_AGAIN = 50;
const LOOK_SOON = 5;

/** Waits for one thing. Undefined: the timeout has passed. */
export function waitOne(operation: string, object: string, one: Waitable, options?: WaitOptions): Promise<Signal | undefined> {
  return one.queue.wait(operation, object, () => one.attempt(), options, one.queue.busy && one.isOwn());
}

export function waitOneSync(operation: string, object: string, one: Waitable, timeout: number): Signal | undefined {
  return one.queue.waitSync(operation, object, () => one.attempt(), timeout, one.looks);
}

function anyOf(many: readonly Waitable[], atOnce: boolean): ManyOutcome | undefined {
  for (const [index, one] of many.entries()) {
    // On their own turns others have come before.
    if (atOnce && one.queue.busy && !one.isOwn()) continue;
    const signal = one.attempt();
    if (signal !== undefined) return { index, abandoned: signal === 'abandoned' };
  }
  return undefined;
}

function allOf(many: readonly Waitable[]): ManyOutcome | undefined {
  if (!many.every((one) => one.isReady())) return undefined;
  let abandoned = false;
  for (const [index, one] of many.entries()) {
    const signal = one.attempt();
    if (signal === undefined) {
      for (const taken of many.slice(0, index).reverse()) taken.undo();
      return undefined;
    }
    abandoned ||= signal === 'abandoned';
  }
  return { index: 0, abandoned };
}

/**
 * Waits for any of several things, or for all of them.
 *
 * @returns what ended it, or undefined: the timeout has passed
 * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_INVALID_ARGUMENT; what an attempt throws; the signal's reason
 */
export async function waitMany(
  operation: string,
  object: string,
  many: readonly Waitable[],
  all: boolean,
  options?: WaitOptions,
): Promise<ManyOutcome | undefined> {
  const judged = judgeOptions(operation, options);
  judged.signal?.throwIfAborted();
  for (const { queue } of many) queue.mustBeOpen(operation, object);
  const now = all ? allOf(many) : anyOf(many, true);
  if (now !== undefined || judged.timeout === 0) return now;
  const places = many.map((one, index) => ({
    queue: one.queue,
    attempt: () => {
      if (all) return allOf(many);
      const signal = one.attempt();
      return signal === undefined ? undefined : { index, abandoned: signal === 'abandoned' };
    },
  }));
  return queued<ManyOutcome>(places, operation, object, judged, all);
}

/** The same, and blocks the thread. @param timeout Milliseconds, or Infinity. */
export function waitManySync(
  operation: string,
  object: string,
  many: readonly Waitable[],
  all: boolean,
  timeout: number,
): ManyOutcome | undefined {
  for (const { queue } of many) queue.mustBeOpen(operation, object);
  const points = many.flatMap(({ queue }) => (queue instanceof WaitPoint ? [queue] : []));
  const looksSoon = points.length < many.length || points.length > MOST_WORDS;
  const looks = looksSoon || many.some((one) => one.looks);
  const slice = looksSoon ? LOOK_SOON : looks ? LOOK_AGAIN : Number.POSITIVE_INFINITY;
  const until = performance.now() + timeout;
  for (;;) {
    for (const point of points) point.look();
    const outcome = all ? allOf(many) : anyOf(many, false);
    if (outcome !== undefined) return outcome;
    const left = until - performance.now();
    if (left <= 0 || timeout === 0) return undefined;
    const words = points
      .slice(0, MOST_WORDS)
      .map((point): [Mapping, number, number] => [point.word.mapping, point.word.offset, point.seen]);
    if (words.length === 0) sleepSync(Math.min(left, LOOK_SOON));
    else os.mappingWordsWaitSync(words, Math.min(left, slice));
  }
}
