/**
 * An event as two words of shared memory: whether it is signalled, which is the word that is slept for, and its type.
 * Whoever can write the words can set it; to wait for a manual-reset one it is enough to read them.
 *
 * Source: Microsoft's pages of CreateEventW, SetEvent, ResetEvent and KEVENT.
 */
import type { Mapping } from '../os/index.js';
import { WaitPoint } from './wait-point.js';
import type { Signal, Waitable } from './waitable.js';
import { Word } from './word.js';

/** Bytes of an event. */
export const EVENT_BYTES = 8;

const SIGNALLED = 0;
const TYPE = 4;

/** The words of a new event. */
export function eventWords(manualReset: boolean, signalled: boolean): Int32Array {
  return Int32Array.of(signalled ? 1 : 0, manualReset ? 0 : 1);
}

export class EventState implements Waitable {
  readonly queue: WaitPoint;
  readonly looks = false;
  readonly #type: Word;
  #manualReset: boolean | null = null;

  /** @param offset Bytes, a multiple of 4. */
  constructor(mapping: Mapping, offset = 0) {
    this.#type = new Word(mapping, offset + TYPE);
    this.queue = new WaitPoint(mapping, offset + SIGNALLED);
  }

  /** Looked at once: an event's type does not change. */
  get manualReset(): boolean {
    this.#manualReset ??= this.#type.load() === 0;
    return this.#manualReset;
  }

  /** Whether it is signalled. */
  isReady(): boolean {
    return this.queue.word.load() !== 0;
  }

  /** Returns whether it was signalled before. */
  set(): boolean {
    const before = this.isReady();
    // Also if it was: whoever was woken and killed before it took the signal has left others asleep.
    this.queue.storeAndWake(1);
    return before;
  }

  /** Returns whether it was signalled before. */
  reset(): boolean {
    return this.queue.word.exchange(0) !== 0;
  }

  attempt(): Signal | undefined {
    if (this.manualReset) return this.isReady() ? 'signalled' : undefined;
    // Somebody may have put another number there than 1.
    for (let wanted = 1; ; ) {
      const found = this.queue.word.compareExchange(wanted, 0);
      if (found === wanted) return 'signalled';
      if (found === 0 || wanted !== 1) return undefined;
      wanted = found;
    }
  }

  undo(): void {
    if (!this.manualReset) this.set();
  }

  isOwn(): boolean {
    return false;
  }
  close(): void {
    this.queue.close();
  }
}
