/**
 * A semaphore as two words of shared memory: its count, which is the word that is slept for, and the most that it can be.
 *
 * Source: Microsoft's pages of CreateSemaphoreW and ReleaseSemaphore.
 */
import type { Mapping } from '../os/index.js';
import { WaitPoint } from './wait-point.js';
import type { Signal, Waitable } from './waitable.js';
import { Word } from './word.js';

/** Bytes of a semaphore. */
export const SEMAPHORE_BYTES = 8;

const COUNT = 0;
const MAXIMUM = 4;

/** Races for the count that may be lost in a row. Nobody who keeps to the rules is that quick. */
const MOST_ATTEMPTS = 10_000;

/** The words of a new semaphore. */
export function semaphoreWords(count: number, maximum: number): Int32Array {
  return Int32Array.of(count, maximum);
}

export class SemaphoreState implements Waitable {
  readonly queue: WaitPoint;
  readonly looks = false;
  readonly #most: Word;
  #maximum = 0;

  /** @param offset Bytes, a multiple of 4. */
  constructor(mapping: Mapping, offset = 0) {
    this.#most = new Word(mapping, offset + MAXIMUM);
    this.queue = new WaitPoint(mapping, offset + COUNT);
  }

  /** 1 at least, whatever another process may have put there. Looked at once: it does not change. */
  get maximum(): number {
    if (this.#maximum === 0) this.#maximum = Math.max(1, this.#most.load());
    return this.#maximum;
  }

  /** From 0 to the maximum, whatever another process may have put there. */
  get count(): number {
    return Math.min(this.maximum, Math.max(0, this.queue.word.load()));
  }

  isReady(): boolean {
    return this.count > 0;
  }

  /**
   * Adds to the count and wakes those who wait.
   *
   * @returns the count before, or undefined if it would go beyond the maximum: nothing is changed then
   */
  release(more: number): number | undefined {
    const before = this.#change((count, maximum) => (more > maximum - count ? undefined : count + more));
    if (before !== undefined) this.queue.wake();
    return before;
  }

  attempt(): Signal | undefined {
    return this.#change((count) => (count > 0 ? count - 1 : undefined)) === undefined ? undefined : 'signalled';
  }

  /** Of many at once, each finds what the others left. */
  #change(next: (count: number, maximum: number) => number | undefined): number | undefined {
    const { maximum } = this;
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      const found = this.queue.word.load();
      const count = Math.min(maximum, Math.max(0, found));
      const wanted = next(count, maximum);
      if (wanted === undefined) return undefined;
      if (this.queue.word.compareExchange(found, wanted) === found) return count;
    }
    return undefined;
  }

  undo(): void {
    this.release(1);
  }

  isOwn(): boolean {
    return false;
  }
  close(): void {
    this.queue.close();
  }
}
