/**
 * A word of shared memory at which this thread waits.
 *
 * No wake-up is lost: the word is read before an attempt, and slept for only while it has the value that was read. So whatever
 * can make an attempt succeed changes the word first, and wakes then. All who sleep are woken, each process and thread once: one
 * that is killed after it was woken takes nobody's wake-up with it.
 */
// Those of Node.js: other runtimes' own timers are numbers.
import { clearTimeout, setTimeout } from 'node:timers';
import type { Mapping } from '../os/index.js';
import { canLook, type Eager, EagerHistory, lookEagerly, stopLooking } from './eager.js';
import { WaitQueue } from './wait-queue.js';
import { cancelWait, waitForWord } from './waits.js';
import { Word } from './word.js';

export class WaitPoint extends WaitQueue {
  readonly word: Word;
  #wait = 0;
  #seen = 0;
  /** From when on there is to be one more attempt, in milliseconds of performance.now(); 0: when somebody wakes. */
  #again = 0;
  #timer: NodeJS.Timeout | null = null;
  #eager: EagerWait | null = null;

  /**
   * @param mapping Stays the caller's, who closes the point before it.
   * @param offset Bytes, a multiple of 4.
   */
  constructor(mapping: Mapping, offset: number) {
    super();
    this.word = new Word(mapping, offset);
  }

  /** The value for which this thread sleeps next. */
  get seen(): number {
    return this.#seen;
  }

  /** In an attempt: the value that the word had when it failed, where the attempt itself has changed it. */
  sleepWhile(value: number): void {
    this.#seen = value;
  }

  /** In an attempt: one more is to follow after so many milliseconds, without a wake-up. */
  lookAgainIn(milliseconds: number): void {
    this.#again = performance.now() + milliseconds;
  }

  /** Wakes all who sleep for the word, in all processes. It has been changed before. */
  wake(): void {
    this.word.wake();
  }

  /** Changes the word and wakes all. */
  storeAndWake(value: number): void {
    this.word.storeAndWake(value);
  }

  /** Notes the value of the word. */
  look(): void {
    this.#seen = this.word.load();
  }

  protected sleep(): void {
    if (this.#wait !== 0) {
      this.#setTimer();
      return;
    }
    if (canLook()) {
      this.#eager ??= new EagerWait(this);
      if (this.#eager.begin()) return;
    }
    this.sleepNow();
  }

  /** @internal Hands the wait to the kernel. */
  sleepNow(): void {
    this.#wait = waitForWord(this.word, this.#seen, this.#onWoken);
    this.#setTimer();
  }

  #setTimer(): void {
    if (this.#again === 0) return;
    if (this.#timer !== null) {
      this.#timer.refresh();
      return;
    }
    const look = (): void => {
      this.#timer = null;
      this.#again = 0;
      this.poke();
    };
    // It may be early by a part of a millisecond.
    const rest = Math.max(0, this.#again - performance.now());
    this.#timer = setTimeout(look, Math.ceil(rest) + 1).unref();
  }

  readonly #onWoken = (): void => {
    this.#wait = 0;
    this.poke();
  };

  protected stopSleeping(): void {
    this.#eager?.end();
    if (this.#wait !== 0) cancelWait(this.#wait);
    this.#wait = 0;
  }

  protected sleepSync(milliseconds: number): void {
    const rest = this.#again === 0 ? Number.POSITIVE_INFINITY : this.#again - performance.now();
    if (rest > 0) this.word.waitSync(this.#seen, Math.min(milliseconds, rest));
    if (this.#again !== 0 && performance.now() >= this.#again) this.#again = 0;
  }

  override close(): void {
    super.close();
    if (this.#timer !== null) clearTimeout(this.#timer);
  }
}

/** The looks at a point before it sleeps. */
class EagerWait implements Eager {
  readonly #point: WaitPoint;
  readonly #history = new EagerHistory();
  #isLooking = false;

  constructor(point: WaitPoint) {
    this.#point = point;
  }

  /** Whether it is looked at now, and need not sleep yet. */
  begin(): boolean {
    if (this.#isLooking) return true;
    this.#isLooking = this.#history.isWorthIt;
    if (this.#isLooking) lookEagerly(this);
    return this.#isLooking;
  }

  end(): void {
    if (!this.#isLooking) return;
    this.#isLooking = false;
    stopLooking(this);
  }

  look(): boolean {
    const { word, seen } = this.#point;
    if (word.load() === seen) return false;
    this.#history.hit();
    this.end();
    this.#point.poke();
    return true;
  }

  giveUp(): void {
    this.#isLooking = false;
    this.#history.miss();
    this.#point.sleepNow();
  }
}
