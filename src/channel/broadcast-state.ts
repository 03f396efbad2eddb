/**
 * The six numbers that say what is in a Broadcast's log, as one side keeps them, and how they are put into shared words and
 * taken out. Whether they were whole there is the caller's to check; whether they can be is checked here.
 */
import { StateWord } from './broadcast-layout.js';
import { highOf, wide } from './fence.js';

function put(words: Int32Array, at: number, value: number): void {
  words[at] = value | 0;
  words[at + 1] = highOf(value);
}

const get = (words: Int32Array, at: number): number => wide(words[at] as number, words[at + 1] as number);

export class LogState {
  readonly #capacity: number;
  /** Position of the oldest message, how many were before it, and how many bytes they had. */
  tail = 0;
  tailNumber = 0;
  tailBytes = 0;
  /** Position where the next message goes, how many there were, and how many bytes they had. */
  head = 0;
  headNumber = 0;
  headBytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  put(words: Int32Array, at: number): void {
    put(words, at + StateWord.tail, this.tail);
    put(words, at + StateWord.tailNumber, this.tailNumber);
    put(words, at + StateWord.tailBytes, this.tailBytes);
    put(words, at + StateWord.head, this.head);
    put(words, at + StateWord.headNumber, this.headNumber);
    put(words, at + StateWord.headBytes, this.headBytes);
  }

  copyFrom(other: LogState): void {
    this.tail = other.tail;
    this.tailNumber = other.tailNumber;
    this.tailBytes = other.tailBytes;
    this.head = other.head;
    this.headNumber = other.headNumber;
    this.headBytes = other.headBytes;
  }

  /** Takes all six, each read once; whether they are whole and possible shows afterwards. */
  load(words: Int32Array, at: number): void {
    this.tail = get(words, at + StateWord.tail);
    this.tailNumber = get(words, at + StateWord.tailNumber);
    this.tailBytes = get(words, at + StateWord.tailBytes);
    this.head = get(words, at + StateWord.head);
    this.headNumber = get(words, at + StateWord.headNumber);
    this.headBytes = get(words, at + StateWord.headBytes);
  }

  /** Why this cannot come after a state that was there before; null if it can. */
  wrongAfter(before: LogState): string | null {
    const { tail, tailNumber, tailBytes, head, headNumber, headBytes } = this;
    const span = head - tail;
    const isPossible =
      Math.max(head, headNumber, headBytes) <= Number.MAX_SAFE_INTEGER &&
      (tail & 7) === 0 &&
      (head & 7) === 0 &&
      span >= 0 &&
      span <= this.#capacity &&
      headNumber >= tailNumber &&
      headNumber - tailNumber <= span / 8 &&
      headBytes >= tailBytes &&
      headBytes - tailBytes <= span;
    if (!isPossible) {
      return `its state says messages ${tailNumber} to ${headNumber} with ${headBytes - tailBytes} bytes at positions ${tail} to ${head}`;
    }
    const isLater =
      tail >= before.tail &&
      tailNumber >= before.tailNumber &&
      tailBytes >= before.tailBytes &&
      head >= before.head &&
      headNumber >= before.headNumber &&
      headBytes >= before.headBytes;
    return isLater ? null : `its state goes back, from message ${before.headNumber} to ${headNumber}`;
  }
}
