/**
 * Those of this thread who wait for one thing, in the order in which they came. What they wait for is an *attempt*: it is
 * made again whenever something has changed, in turn, and its first result that is not undefined is the outcome. What
 * tells of changes is for the kinds of queues to say.
 */
import { SectionError } from '../base/error.js';
import { sleepTimer } from './timer.js';
import { type JudgedOptions, judgeOptions, noOptions, type WaitOptions } from './wait-options.js';
import { keepProcess, letGo } from './waits.js';

/** One who waits in a queue, with its place there: no list beside, for there can be thousands. */
export abstract class Waiter {
  /** Whether the wait has ended by it. Throws nothing. */
  abstract attempt(): boolean;
  /** Whether those behind it have their turns before it has had its own. */
  abstract readonly isPassed: boolean;
  /** It waits in vain. Undefined: what it waits for was closed. */
  abstract fail(error: unknown): void;
  /** @internal The queue's own. */
  next: Waiter | null = null;
  /** @internal */
  previous: Waiter | null = null;
}

/** Most milliseconds that a thread sleeps before it looks whether somebody's process has ended. */
const LOOK_AGAIN = 50;

export abstract class WaitQueue {
  #first: Waiter | null = null;
  #last: Waiter | null = null;
  #closed = false;

  /** Whether somebody of this thread waits here. */
  get busy(): boolean {
    return this.#first !== null;
  }

  /** Notes how things are, before an attempt: a change after it ends the next sleep at once. */
  abstract look(): void;
  /** Has {@link poke} called when things are not as they were noted. Called again while it does so: nothing to do. */
  protected abstract sleep(): void;
  /** Nobody waits any more. */
  protected abstract stopSleeping(): void;
  /** Blocks while things are as they were noted, for some milliseconds or Infinity. */
  protected abstract sleepSync(milliseconds: number): void;

  /**
   * Waits until an attempt succeeds.
   *
   * @param operation For messages, as `object`.
   * @param attempt Undefined: not yet. Made in turn.
   * @param outOfTurn Made at once, whoever waits already, and holding nobody up: it wants something else than others do.
   * @returns its result, or undefined: the timeout has passed
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_INVALID_ARGUMENT; what the attempt throws; the signal's reason
   */
  wait<T>(
    operation: string,
    object: string,
    attempt: () => T | undefined,
    options?: WaitOptions,
    outOfTurn = false,
  ): Promise<T | undefined> {
    let judged: JudgedOptions;
    try {
      judged = judgeOptions(operation, options);
      judged.signal?.throwIfAborted();
      this.mustBeOpen(operation, object);
      if (outOfTurn || !this.busy) {
        const result = attempt();
        if (result !== undefined || judged.timeout === 0) return Promise.resolve(result);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      new SingleWait({ queue: this, attempt }, operation, object, judged, outOfTurn, resolve, reject);
    });
  }

  /** Puts somebody at the end, whose attempt has failed or is still to be made. */
  add(waiter: Waiter): void {
    waiter.previous = this.#last;
    if (this.#last !== null) this.#last.next = waiter;
    else this.#first = waiter;
    this.#last = waiter;
    if (waiter.previous !== null) return;
    keepProcess();
    this.#drain();
  }

  /** Safe to call twice. */
  remove(waiter: Waiter): void {
    const { next, previous } = waiter;
    if (previous === null && this.#first !== waiter) return;
    if (previous !== null) previous.next = next;
    else this.#first = next;
    if (next !== null) next.previous = previous;
    else this.#last = previous;
    waiter.next = null;
    waiter.previous = null;
    if (this.busy) return;
    letGo();
    this.stopSleeping();
  }

  /** Has those who wait make their attempts. */
  poke(): void {
    if (this.busy) this.#drain();
  }

  #drain(): void {
    this.look();
    for (let waiter = this.#first; waiter !== null; ) {
      const { next } = waiter;
      if (waiter.attempt()) {
        this.remove(waiter);
        this.look();
      } else if (!waiter.isPassed) {
        break;
      }
      waiter = next;
    }
    if (!this.busy) return;
    try {
      this.sleep();
    } catch (error) {
      // Whoever waits is told: for what cannot be slept for, it would be for ever.
      this.#failAll(error);
    }
  }

  /**
   * Waits, and blocks the thread.
   *
   * @param timeout Milliseconds, or Infinity.
   * @param looks Whether somebody's end, which wakes nobody, can make the attempt succeed.
   * @returns as {@link wait}
   */
  waitSync<T>(operation: string, object: string, attempt: () => T | undefined, timeout: number, looks = false): T | undefined {
    this.mustBeOpen(operation, object);
    // Most often it can be had, and nothing need be looked at then.
    const now = attempt();
    if (now !== undefined || timeout === 0) return now;
    const isLimited = timeout !== Number.POSITIVE_INFINITY;
    const until = isLimited ? performance.now() + timeout : timeout;
    for (;;) {
      this.look();
      const result = attempt();
      if (result !== undefined) return result;
      const left = isLimited ? until - performance.now() : timeout;
      if (left <= 0) return undefined;
      this.sleepSync(looks ? Math.min(left, LOOK_AGAIN) : left);
    }
  }

  mustBeOpen(operation: string, object: string): void {
    if (this.#closed) throw closedError(operation, object);
  }

  /** Whoever waits gets ERR_SECTION_CLOSED. Safe to call twice. */
  close(): void {
    this.#closed = true;
    this.#failAll(undefined);
  }

  #failAll(error: unknown): void {
    for (let waiter = this.#first; waiter !== null; waiter = this.#first) {
      waiter.fail(error);
      this.remove(waiter);
    }
  }
}

/** What somebody waits for in one queue. */
export interface Place<T> {
  readonly queue: WaitQueue;
  readonly attempt: () => T | undefined;
}

type Resolve<T> = (result: T | undefined) => void;
type Reject = (reason: unknown) => void;

/** Has a wait end by its timeout or its signal; returns how to take that back, null where it has neither. */
function endEarly({ timeout, signal }: JudgedOptions, timedOut: () => void, fail: Reject): (() => void) | null {
  if (timeout === Number.POSITIVE_INFINITY && signal === undefined) return null;
  const timer = timeout === Number.POSITIVE_INFINITY ? undefined : sleepTimer(timeout, timedOut);
  const onAbort = () => fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  return () => {
    timer?.cancel();
    signal?.removeEventListener('abort', onAbort);
  };
}

/** A wait in one queue: one object for all of it, for there can be thousands. */
class SingleWait<T> extends Waiter {
  readonly isPassed: boolean;
  readonly #place: Place<T>;
  readonly #operation: string;
  readonly #object: string;
  readonly #resolve: Resolve<T>;
  readonly #reject: Reject;
  #forget: (() => void) | null = null;

  constructor(
    place: Place<T>,
    operation: string,
    object: string,
    options: JudgedOptions,
    isPassed: boolean,
    resolve: Resolve<T>,
    reject: Reject,
  ) {
    super();
    this.#place = place;
    this.#operation = operation;
    this.#object = object;
    this.isPassed = isPassed;
    this.#resolve = resolve;
    this.#reject = reject;
    if (options !== noOptions) {
      this.#forget = endEarly(
        options,
        () => {
          // The loop may have been held up: what came meanwhile is had first.
          place.queue.poke();
          this.#leave();
          resolve(undefined);
        },
        (reason) => {
          this.#leave();
          reject(reason);
        },
      );
    }
    place.queue.add(this);
  }

  #leave(): void {
    this.#forget?.();
    this.#place.queue.remove(this);
  }

  attempt(): boolean {
    let result: T | undefined;
    try {
      result = this.#place.attempt();
    } catch (error) {
      this.fail(error);
      return true;
    }
    if (result === undefined) return false;
    this.#leave();
    this.#resolve(result);
    return true;
  }

  fail(error: unknown): void {
    this.#leave();
    this.#reject(error ?? closedError(this.#operation, this.#object));
  }
}

/** The turn in one queue of a wait in several. */
class Turn<T> extends Waiter {
  readonly wait: WaitOfTurns<T>;
  readonly queue: WaitQueue;
  readonly #attempt: () => T | undefined;

  constructor(wait: WaitOfTurns<T>, place: Place<T>) {
    super();
    this.wait = wait;
    this.queue = place.queue;
    this.#attempt = place.attempt;
  }

  get isPassed(): boolean {
    return this.wait.isPassed;
  }

  attempt(): boolean {
    if (this.wait.ended) return true;
    let result: T | undefined;
    try {
      result = this.#attempt();
    } catch (error) {
      this.fail(error);
      return true;
    }
    if (result === undefined) return false;
    this.wait.end(result);
    return true;
  }

  fail(error: unknown): void {
    this.wait.fail(error ?? closedError(this.wait.operation, this.wait.object));
  }
}

/** A wait in several queues. */
class WaitOfTurns<T> {
  readonly operation: string;
  readonly object: string;
  readonly isPassed: boolean;
  readonly #resolve: Resolve<T>;
  readonly #reject: Reject;
  #turns: readonly Turn<T>[] = [];
  #forget: (() => void) | null = null;
  ended = false;

  constructor(operation: string, object: string, isPassed: boolean, resolve: Resolve<T>, reject: Reject) {
    this.operation = operation;
    this.object = object;
    this.isPassed = isPassed;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(places: readonly Place<T>[], options: JudgedOptions): void {
    this.#turns = places.map((place) => new Turn(this, place));
    this.#forget = endEarly(
      options,
      () => {
        // The loop may have been held up: what came meanwhile is had first.
        for (const { queue } of this.#turns) queue.poke();
        if (!this.ended) this.end(undefined);
      },
      (reason) => this.fail(reason),
    );
    for (const turn of this.#turns) {
      if (!this.ended) turn.queue.add(turn);
    }
  }

  #leave(): void {
    this.ended = true;
    this.#forget?.();
    for (const turn of this.#turns) turn.queue.remove(turn);
  }

  end(result: T | undefined): void {
    this.#leave();
    this.#resolve(result);
  }

  fail(reason: unknown): void {
    if (this.ended) return;
    this.#leave();
    this.#reject(reason);
  }
}

/**
 * Waits in several queues until an attempt in one of them succeeds.
 *
 * @param isPassed Whether others in the queues have their turns before this one has had its own.
 * @returns and throws as {@link WaitQueue.wait}
 */
export function queued<T>(
  places: readonly Place<T>[],
  operation: string,
  object: string,
  options: JudgedOptions,
  isPassed: boolean,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    new WaitOfTurns<T>(operation, object, isPassed, resolve, reject).begin(places, options);
  });
}

export function closedError(operation: string, object: string): SectionError {
  return new SectionError('ERR_SECTION_CLOSED', {
    operation,
    object,
    rule: 'it is closed',
    wayOut: 'Open it again',
  });
}
