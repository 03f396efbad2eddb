/**
 * Words of shared memory, looked at and changed in one step for all processes that share them. No buffer is needed, so that runtimes
 * without external buffers have them as well.
 *
 * A call has its arguments in memory that this side and the addon share, and its answer there: to hand them over takes longer than the
 * call itself (native/registers.h).
 */
import { type Mapping, type MutexOwner, os } from '../os/index.js';

/** Looked up once: they are called for each wait and each wake-up. */
const { registers, wordLoad, wordExchange, wordCompareExchange, wordStoreWake, wordWake, wordWaitSync } = os;
const { mutexTake, mutexRelease, mutexAbandon, mutexQuery } = os;

/** What stands where in the registers: native/registers.h. */
const MAPPING = 0;
const OFFSET = 1;
const FIRST = 2;
const SECOND = 3;
const ANSWER = 4;

/** All who sleep for a word. */
const ALL = 2 ** 31 - 1;

/** Some bytes of a mapping. */
class Place {
  readonly mapping: Mapping;
  readonly offset: number;
  /** What the registers name the mapping by; 0 before it is asked for. */
  #key = 0;

  /** @param mapping Stays the caller's. */
  constructor(mapping: Mapping, offset: number) {
    this.mapping = mapping;
    this.offset = offset;
  }

  /** Makes a call whose other arguments stand in the registers, and returns its answer. */
  protected call(call: () => void): number {
    registers[MAPPING] = this.#key;
    registers[OFFSET] = this.offset;
    call();
    const answer = registers[ANSWER] as number;
    return Number.isNaN(answer) ? this.#callByNewKey(call) : answer;
  }

  /** The addon keeps a thousand keys: another mapping's may have taken this one's place. */
  #callByNewKey(call: () => void): number {
    this.#key = os.mappingKey(this.mapping);
    registers[MAPPING] = this.#key;
    call();
    return registers[ANSWER] as number;
  }
}

/** A word of 32 bits, signed, at a multiple of 4 bytes. */
export class Word extends Place {
  load(): number {
    return this.call(wordLoad);
  }

  /** Returns what was there before. */
  exchange(value: number): number {
    registers[FIRST] = value;
    return this.call(wordExchange);
  }

  /** Returns what it found; the value is there if that is `expected`. */
  compareExchange(expected: number, value: number): number {
    registers[FIRST] = expected;
    registers[SECOND] = value;
    return this.call(wordCompareExchange);
  }

  /**
   * Puts a value there and wakes all who sleep for the word, in one step where the system has it. Returns how many there
   * were, where the system tells.
   */
  storeAndWake(value: number): number {
    registers[FIRST] = value;
    return this.call(wordStoreWake);
  }

  /**
   * Wakes those who sleep for the word, which has been changed before. Returns how many there were.
   *
   * @param most At most so many, 1 or more. Default all.
   */
  wake(most = ALL): number {
    registers[FIRST] = most;
    return this.call(wordWake);
  }

  /**
   * Sleeps while the word has a value; it may end without cause.
   *
   * @param timeout Milliseconds, or Infinity.
   * @returns One of {@link WaitEnd}
   */
  waitSync(expected: number, timeout: number): number {
    registers[FIRST] = expected;
    registers[SECOND] = timeout;
    return this.call(wordWaitSync);
  }
}

/** The 16 bytes of a mutex (docs/channel-layout.md), at a multiple of 8; for this thread of JavaScript. */
export class MutexWords extends Place {
  /**
   * Takes it.
   *
   * @param sleeps The caller sleeps next, for the first word while that has the value told.
   * @returns One of {@link MutexTake}
   */
  take(sleeps: boolean): number {
    registers[FIRST] = sleeps ? 1 : 0;
    return this.call(mutexTake);
  }

  /** Gives it back once. Returns how often this thread still has it, or -1: it had it not. */
  release(): number {
    return this.call(mutexRelease);
  }

  /** Undoes that this thread took it over from somebody who ended: whoever takes it next is told of that. */
  abandon(): void {
    this.call(mutexAbandon);
  }

  query(): MutexOwner {
    let owner: MutexOwner | undefined;
    this.call(() => {
      owner = mutexQuery();
    });
    return owner as MutexOwner;
  }
}
