/**
 * Words of shared memory, looked at and changed in one step for all processes that share them. No buffer is needed, so that runtimes
 * without external buffers have them as well.
 *
 * A call has its arguments in memory that this side and the addon share, and its answer there: to hand them over takes longer than the
 * call itself (native/registers.h).
 */
import { type Mapping, type MutexOwner, os } from '../os/index.js';

const { registers } = os;

/** What stands where in the registers: native/registers.h. */
const MAPPING = 0;
const OFFSET = 1;
const FIRST = 2;
const SECOND = 3;
const ANSWER = 4;

/** All who sleep for a word. */
const ALL = 2 ** 31 - 1;

/**
 * Some bytes of a mapping. Each call is written out below: by one method that takes it as an argument, V8 would not know at compile time
 * what is called, and a thread that comes back from a switch would pay for the longer way.
 */
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

  /** Before a call whose other arguments stand in the registers. */
  protected name(): void {
    registers[MAPPING] = this.#key;
    registers[OFFSET] = this.offset;
  }

  /**
   * After a call: whether it is to be made again, by a new key. The addon keeps a thousand of them, and another mapping's may have taken this
   * one's place.
   */
  protected isUnknown(): boolean {
    if (!Number.isNaN(registers[ANSWER])) return false;
    this.#key = os.mappingKey(this.mapping);
    return true;
  }
}

/** A word of 32 bits, signed, at a multiple of 4 bytes. */
export class Word extends Place {
  load(): number {
    do {
      this.name();
      os.wordLoad();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /** Returns what was there before. */
  exchange(value: number): number {
    registers[FIRST] = value;
    do {
      this.name();
      os.wordExchange();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /** Returns what it found; the value is there if that is `expected`. */
  compareExchange(expected: number, value: number): number {
    registers[FIRST] = expected;
    registers[SECOND] = value;
    do {
      this.name();
      os.wordCompareExchange();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /**
   * Puts a value there and wakes all who sleep for the word, in one step where the system has it. Returns how many there
   * were, where the system tells.
   */
  storeAndWake(value: number): number {
    registers[FIRST] = value;
    do {
      this.name();
      os.wordStoreWake();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /**
   * Wakes those who sleep for the word, which has been changed before. Returns how many there were.
   *
   * @param most At most so many, 1 or more. Default all.
   */
  wake(most = ALL): number {
    registers[FIRST] = most;
    do {
      this.name();
      os.wordWake();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
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
    do {
      this.name();
      os.wordWaitSync();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
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
    do {
      this.name();
      os.mutexTake();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /** Gives it back once. Returns how often this thread still has it, or -1: it had it not. */
  release(): number {
    do {
      this.name();
      os.mutexRelease();
    } while (this.isUnknown());
    return registers[ANSWER] as number;
  }

  /** Undoes that this thread took it over from somebody who ended: whoever takes it next is told of that. */
  abandon(): void {
    do {
      this.name();
      os.mutexAbandon();
    } while (this.isUnknown());
  }

  query(): MutexOwner {
    let owner: MutexOwner | undefined;
    do {
      this.name();
      owner = os.mutexQuery();
    } while (this.isUnknown());
    return owner as MutexOwner;
  }
}
