/**
 * Those of this thread who wait for one thing, in the order in which they came. What they wait for is an *attempt*: it is
 * made again whenever something has changed, in turn, and its first result that is not undefined is the outcome. What
 * tells of changes is for the kinds of queues to say.
 */
import { SectionError } from '../base/error.js';
import { sleepTimer } from './timer.js';
import { type JudgedOptions, judgeOptions, type WaitOptions } from './wait-options.js';
import { keepProcess, letGo } from './waits.js';

/** One who waits: in several queues, if for several things. */
export interface Waiter {
  /** Whether the wait has ended by it. Throws nothing. */
  attempt(): boolean;
  /** Whether those behind it have their turns before it has had its own. */
  readonly isPassed: boolean;
  /** It waits in vain. Undefined: what it waits for was closed. */
  fail(error: unknown): void;
}

/** Most milliseconds that a thread sleeps before it looks whether somebody's process has ended. */
const LOOK_AGAIN = 50;

export abstract class WaitQueue {
  readonly #waiters = new Set<Waiter>();
  #closed = false;

  /** Whether somebody of this thread waits here. */
  get busy(): boolean {
    return this.#waiters.size > 0;
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
   * @param first Made at once, whoever waits already.
   * @returns its result, or undefined: the timeout has passed
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_INVALID_ARGUMENT; what the attempt throws; the signal's reason
   */
  wait<T>(
    operation: string,
    object: string,
    attempt: () => T | undefined,
    options?: WaitOptions,
    first = false,
  ): Promise<T | undefined> {
    let judged: JudgedOptions;
    try {
      judged = judgeOptions(operation, options);
      judged.signal?.throwIfAborted();
      this.mustBeOpen(operation, object);
      if (first || !this.busy) {
        const result = attempt();
        if (result !== undefined || judged.timeout === 0) return Promise.resolve(result);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return queued([{ queue: this, attempt }], operation, object, judged, false);
  }

  /** Puts somebody at the end, whose attempt has failed or is still to be made. */
  add(waiter: Waiter): void {
    if (!this.busy) keepProcess();
    this.#waiters.add(waiter);
    if (this.#waiters.size === 1) this.#drain();
  }

  remove(waiter: Waiter): void {
    if (!this.#waiters.delete(waiter) || this.busy) return;
    letGo();
    this.stopSleeping();
  }

  has(waiter: Waiter): boolean {
    return this.#waiters.has(waiter);
  }

  /** Has those who wait make their attempts. */
  poke(): void {
    if (this.busy) this.#drain();
  }

  #drain(): void {
    this.look();
    for (const waiter of this.#waiters) {
      if (waiter.attempt()) {
        this.remove(waiter);
        this.look();
      } else if (!waiter.isPassed) {
        break;
      }
    }
    if (!this.busy) return;
    try {
      this.sleep();
    } catch (error) {
      // Whoever waits is told: for what cannot be slept for, it would be for ever.
      for (const waiter of this.#waiters) waiter.fail(error);
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
    const isLimited = timeout !== Number.POSITIVE_INFINITY;
    const until = isLimited && timeout > 0 ? performance.now() + timeout : timeout;
    for (;;) {
      this.look();
      const result = attempt();
      if (result !== undefined || timeout === 0) return result;
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
    for (const waiter of this.#waiters) waiter.fail(undefined);
  }
}

/** What somebody waits for in one queue. */
export interface Place<T> {
  readonly queue: WaitQueue;
  readonly attempt: () => T | undefined;
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
  { timeout, signal }: JudgedOptions,
  isPassed: boolean,
): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    let ended = false;
    const end = () => {
      ended = true;
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
      for (const { queue, waiter } of standing) queue.remove(waiter);
    };
    const fail = (error: unknown) => {
      if (ended) return;
      end();
      reject(error ?? closedError(operation, object));
    };
    const attemptOf = (attempt: () => T | undefined) => () => {
      if (ended) return true;
      let result: T | undefined;
      try {
        result = attempt();
      } catch (error) {
        fail(error);
        return true;
      }
      if (result === undefined) return false;
      end();
      resolve(result);
      return true;
    };
    const onAbort = () => fail(signal?.reason);
    // The loop may have been held up: what came meanwhile is had first.
    const onTimeout = () => {
      for (const { queue } of standing) queue.poke();
      if (ended) return;
      end();
      resolve(undefined);
    };
    const standing = places.map(({ queue, attempt }) => ({ queue, waiter: { attempt: attemptOf(attempt), isPassed, fail } }));
    const timer = timeout === Number.POSITIVE_INFINITY ? undefined : sleepTimer(timeout, onTimeout);
    signal?.addEventListener('abort', onAbort, { once: true });
    for (const { queue, waiter } of standing) {
      if (!ended) queue.add(waiter);
    }
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
