/**
 * When a thread that may block looks at the other side's word. Each look takes the word's cache line from who writes it, who waits
 * for it then at his next message; so, in a stream, whoever is quicker lets the other get ahead by some messages between two looks,
 * and both run at the slower one's own speed. Where there is nothing it looks for a while before it sleeps; if that does not
 * help, ever more seldom.
 */
import { EagerHistory } from '../sync/eager.js';
import { load } from './fence.js';

/** Milliseconds that are looked for: less than a sleep and a wake-up cost. */
const PATIENCE = 0.05;
/**
 * Steps of idling between two looks while something is waited for, some hundred nanoseconds; and of a look that is put off, under
 * a microsecond.
 */
const STEPS = 24;
const STEPS_OFF = 100;
/** Looks between two of the clock. */
const LOOKS = 8;
/** Waits in a row that took longer before others sleep at once. */
const FREE_MISSES = 4;

/** Bytes since the last look that are few, in a ring that holds much more; and so many looks in a row that found few before the next one is put off. */
const FEW = 2048;
const FEW_OF = 8;
const STEP = 4;

/** What idling writes, that it be not optimised away. */
const idled = new Float64Array(1);

/**
 * Lets some hundred nanoseconds pass, or more. By divisions that wait for each other: of what a processor can do at a time they leave
 * nearly all to another thread that may share it.
 */
export function idle(steps = STEPS): void {
  let value = idled[0] as number;
  for (let step = 0; step < steps; step++) value = 1 / (1 + value);
  idled[0] = value;
}

export class Pace {
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #few: number;
  readonly #history = new EagerHistory(FREE_MISSES);
  /** How much it looks as if each message were looked for: 0 to twice STEP. */
  #steps = 0;

  /**
   * @param index The word that the other side moves.
   * @param capacity Bytes of the ring.
   */
  constructor(words: Int32Array, index: number, capacity: number) {
    this.#words = words;
    this.#index = index;
    this.#few = Math.min(FEW, capacity / FEW_OF);
  }

  /** A look has found the word moved by so many bytes; 0: not at all, and nobody is in step with the other then. */
  note(moved: number): void {
    if (moved === 0) this.#steps = 0;
    else if (moved >= this.#few) this.#steps = Math.max(0, this.#steps - 1);
    else if (this.#steps < 2 * STEP) this.#steps++;
  }

  /** Before a look: puts it off where both sides go step by step. */
  putOff(): void {
    if (this.#steps >= STEP) idle(STEPS_OFF);
  }

  /** Whether the word has come to differ from what it was when there was nothing to do. */
  moves(seen: number): boolean {
    const words = this.#words;
    if (!this.#history.isWorthIt || words.length === 0) return false;
    const until = performance.now() + PATIENCE;
    do {
      for (let look = 0; look < LOOKS; look++) {
        idle();
        if (load(words, this.#index) !== seen) {
          this.#history.hit();
          return true;
        }
      }
    } while (performance.now() < until);
    this.#history.miss();
    return false;
  }
}
