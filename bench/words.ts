/**
 * Passing turns over words of a section, asleep in between: this thread blocked, or free for its event loop.
 */
import { type View, waitOnAddress, waitOnAddressSync, wakeAddress } from 'sectile';
import { PING, PONG } from './spin.js';

/** How a side waits for the other. */
export type How = 'blocking' | 'event loop';

/** Where a side writes its clock, an index of 64-bit floats: on a line of its own. */
const TIME = 32;

/** Both sides' words in one page. */
export class Words {
  readonly #view: View;
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  constructor(view: View) {
    this.#view = view;
    this.#words = view.as(Int32Array);
    this.#times = view.as(Float64Array);
  }

  get time(): number {
    return this.#times[TIME] ?? 0;
  }

  set time(value: number) {
    this.#times[TIME] = value;
  }

  tell(index: number, value: number): void {
    Atomics.store(this.#words, index, value);
    wakeAddress(this.#view, index * 4);
  }

  /** For ever, as the floor does: a timeout is a timer of the kernel's, and costs as much as the sleep. */
  sleepUntil(index: number, value: number): void {
    for (;;) {
      const seen = Atomics.load(this.#words, index);
      if (seen === value) return;
      waitOnAddressSync(this.#view, index * 4, seen);
    }
  }

  async until(index: number, value: number): Promise<void> {
    for (;;) {
      const seen = Atomics.load(this.#words, index);
      if (seen === value) return;
      await waitOnAddress(this.#view, index * 4, seen);
    }
  }

  /** Turns after `last`, each when the one before was answered. */
  async ping(how: How, last: number, count: number): Promise<void> {
    for (let turn = last + 1; turn <= last + count; turn++) {
      this.tell(PING, turn);
      if (how === 'blocking') this.sleepUntil(PONG, turn);
      else await this.until(PONG, turn);
    }
  }

  /** Answers `count` turns after `last`; notes the clock, if there is one, as soon as it is awake. */
  async pong(how: How, last: number, count: number, clock?: () => number): Promise<void> {
    for (let turn = last + 1; turn <= last + count; turn++) {
      if (how === 'blocking') this.sleepUntil(PING, turn);
      else await this.until(PING, turn);
      if (clock !== undefined) this.time = clock();
      this.tell(PONG, turn);
    }
  }
}
