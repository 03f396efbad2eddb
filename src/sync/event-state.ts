/**
 * An event as two words of shared memory: whether it is signalled, which is the word that is slept for, and its type.
 * Whoever can write the words can set it; to wait for a manual-reset one it is enough to read them.
 *
 * Source: Microsoft's pages of CreateEventW, SetEvent, ResetEvent and KEVENT.
 */
import { type Mapping, os } from '../os/index.js';
import { WaitPoint } from './wait-point.js';
import type { Signal, Waitable } from './waitable.js';

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
  readonly #mapping: Mapping;
  readonly #offset: number;

  /** @param offset Bytes, a multiple of 4. */
  constructor(mapping: Mapping, offset = 0) {
    this.#mapping = mapping;
    this.#offset = offset;
    this.queue = new WaitPoint(mapping, offset + SIGNALLED);
  }

  get manualReset(): boolean {
    return os.mappingWordLoad(this.#mapping, this.#offset + TYPE) === 0;
  }

  /** Whether it is signalled. */
  isReady(): boolean {
    return os.mappingWordLoad(this.#mapping, this.#offset + SIGNALLED) !== 0;
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
    return os.mappingWordExchange(this.#mapping, this.#offset + SIGNALLED, 0) !== 0;
  }

  attempt(): Signal | undefined {
    const found = os.mappingWordLoad(this.#mapping, this.#offset + SIGNALLED);
    if (found === 0) return undefined;
    if (this.manualReset) return 'signalled';
    const taken = os.mappingWordCompareExchange(this.#mapping, this.#offset + SIGNALLED, found, 0) === found;
    return taken ? 'signalled' : undefined;
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
