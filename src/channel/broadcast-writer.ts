/**
 * The writer of a Broadcast: appends messages to the log, and takes the oldest ones out of it before it writes over them.
 * It keeps its own positions: what readers could have spoiled is checked, and never leads outside.
 */
import { SectionError } from '../base/error.js';
import { type Bytes, bytesOf } from '../memory/bytes.js';
import { GAP, longestMessage, MESSAGE_HEADER, recordBytes, StateWord, stateAt } from './broadcast-layout.js';
import { LogState } from './broadcast-state.js';
import type { Cell } from './cell.js';
import { load, order, store } from './fence.js';
import { damaged } from './header.js';
import { OneWriterAt, WriterWords } from './one-writer.js';
import { SharedBytes } from './shared-bytes.js';

/** Room is made for so large a part of the log at a time: the state is published less often. */
const AHEAD = 64;
/** What is written together is shown once it takes so large a part of the log. */
const TOGETHER = 4;

export class BroadcastWriter {
  readonly #side: WriterWords;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #log: SharedBytes;
  /** Index of the log's first word. */
  readonly #data: number;
  readonly #state: LogState;
  #headAt: number;
  #tailAt: number;
  /** The head that readers know. */
  #shown: number;
  /** The newest state's number, low half. */
  #published: number;
  #busy = false;
  /** Bytes of the log, a power of two. */
  readonly capacity: number;
  /** Bytes that a message has at most. */
  readonly longest: number;

  /** @internal */
  constructor(operation: string, cell: Cell) {
    this.#side = new WriterWords(operation, cell);
    this.#words = this.#side.words;
    const { buffer, start } = cell.place;
    const { data, parameters } = cell.header;
    this.capacity = parameters[0];
    this.longest = longestMessage(this.capacity);
    this.#data = data / 4;
    this.#log = new SharedBytes(buffer, start + data, this.capacity);
    this.#state = new LogState(this.capacity);
    this.#published = load(this.#words, OneWriterAt.newest / 4);
    this.#state.load(this.#words, stateAt(this.#published));
    const wrong = this.#state.wrongAfter(new LogState(this.capacity));
    if (wrong !== null) {
      this.#side.close();
      throw damaged(operation, cell.object, wrong);
    }
    this.#shown = this.#state.head;
    this.#headAt = this.#state.head % this.capacity;
    this.#tailAt = this.#state.tail % this.capacity;
  }

  /** How many messages were written, by earlier writers too. */
  get written(): number {
    return this.#state.headNumber;
  }

  get closed(): boolean {
    return !this.#side.cell.isOpen;
  }

  /**
   * Appends a message.
   *
   * @param message At most {@link longest} bytes, which may be none. Copied.
   * @throws SectionError ERR_SECTION_MESSAGE_TOO_BIG, ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_CLOSED,
   * ERR_SECTION_CHANNEL_DAMAGED (somebody else has written to the log)
   */
  write(message: Bytes): void {
    const operation = 'broadcast.write';
    const bytes = this.#checked(operation, message);
    this.#mustBeFree(operation);
    this.#append(operation, bytes);
    this.#show();
    this.#side.publish(this.#published);
  }

  /** Appends messages that readers see together, as far as the log is large enough; cheaper than one by one. */
  writeAll(messages: Iterable<Bytes>): void {
    const operation = 'broadcast.writeAll';
    const all = Array.from(messages, (message) => this.#checked(operation, message));
    this.#mustBeFree(operation);
    for (const bytes of all) {
      this.#append(operation, bytes);
      if (this.#state.head - this.#shown > this.capacity / TOGETHER) this.#showQuietly();
    }
    this.#show();
    this.#side.publish(this.#published);
  }

  /**
   * Appends a message that is written in place, without a copy.
   *
   * @param length Bytes of the message.
   * @param fill Gets so many bytes of any content, to be used during the call only. If it throws, nothing is appended.
   * @throws SectionError as {@link write}, and what `fill` throws
   */
  writeInPlace(length: number, fill: (bytes: Uint8Array<ArrayBuffer>) => void): void {
    const operation = 'broadcast.writeInPlace';
    if (!Number.isInteger(length) || length < 0) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object: this.#side.cell.object,
        rule: 'length must be a whole number of bytes, 0 or more',
      });
    }
    this.#mustFit(operation, length);
    this.#mustBeFree(operation);
    const at = this.#makeRoom(operation, length);
    this.#busy = true;
    try {
      fill(this.#log.bytes.subarray(at + MESSAGE_HEADER, at + MESSAGE_HEADER + length));
    } finally {
      this.#busy = false;
    }
    this.#side.cell.mustBeOpen(operation);
    this.#appended(at, length);
    this.#show();
    this.#side.publish(this.#published);
  }

  #checked(operation: string, message: Bytes): Uint8Array {
    const bytes = bytesOf(operation, 'message', message);
    this.#mustFit(operation, bytes.length);
    return bytes;
  }

  #mustFit(operation: string, length: number): void {
    if (length <= this.longest) return;
    throw new SectionError('ERR_SECTION_MESSAGE_TOO_BIG', {
      operation,
      object: this.#side.cell.object,
      rule: `a message has at most ${this.longest} bytes, not ${length}`,
      wayOut: 'Create the channel with a larger capacity',
    });
  }

  #mustBeFree(operation: string): void {
    this.#side.cell.mustBeOpen(operation);
    if (!this.#busy) return;
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      object: this.#side.cell.object,
      rule: 'a message is being written: fill may not write another',
    });
  }

  #append(operation: string, bytes: Uint8Array): void {
    const { length } = bytes;
    const at = this.#makeRoom(operation, length);
    this.#log.copyIn(bytes, at + MESSAGE_HEADER);
    this.#appended(at, length);
  }

  /** Makes room at the head, behind a gap if need be; returns where in the log. */
  #makeRoom(operation: string, length: number): number {
    const { capacity } = this;
    const state = this.#state;
    const record = recordBytes(length);
    const rest = capacity - this.#headAt;
    const gap = record > rest ? rest : 0;
    if (state.head + gap + record - state.tail > capacity) this.#evict(operation, gap + record);
    if (gap === 0) return this.#headAt;
    this.#words[this.#data + this.#headAt / 4] = GAP;
    state.head += gap;
    this.#headAt = 0;
    return 0;
  }

  #appended(at: number, length: number): void {
    const state = this.#state;
    const word = this.#data + at / 4;
    this.#words[word] = length;
    this.#words[word + 1] = state.headNumber | 0;
    const record = recordBytes(length);
    state.head += record;
    state.headNumber++;
    state.headBytes += length;
    this.#headAt = at + record === this.capacity ? 0 : at + record;
  }

  /** Takes the oldest messages out of the log until there is room, and lets readers know before anything is overwritten. */
  #evict(operation: string, room: number): void {
    const { capacity } = this;
    const state = this.#state;
    const must = state.head + room - capacity;
    const aim = Math.min(this.#shown, must + capacity / AHEAD);
    while (state.tail < must || state.tail < aim) {
      // Messages that nobody could see yet are shown before they are taken away.
      if (state.tail === this.#shown) this.#showQuietly();
      this.#evictOne(operation);
    }
    this.#show();
    this.#side.publishQuietly(this.#published);
    order();
  }

  #evictOne(operation: string): void {
    const state = this.#state;
    const word = this.#data + this.#tailAt / 4;
    const length = this.#words[word] as number;
    const rest = this.capacity - this.#tailAt;
    const isGap = length === GAP;
    const step = isGap ? rest : recordBytes(length);
    const isPossible =
      isGap || (length >= 0 && length <= this.longest && step <= rest && this.#words[word + 1] === (state.tailNumber | 0));
    if (!isPossible || state.tail + step > this.#shown) {
      throw damaged(
        operation,
        this.#side.cell.object,
        `message ${state.tailNumber} says ${length} bytes: somebody wrote over it`,
      );
    }
    state.tail += step;
    this.#tailAt = step === rest ? 0 : this.#tailAt + step;
    if (isGap) return;
    state.tailNumber++;
    state.tailBytes += length;
  }

  #showQuietly(): void {
    this.#show();
    this.#side.publishQuietly(this.#published);
  }

  /** Writes the state into the block for the next one. */
  #show(): void {
    const next = (this.#published + 1) | 0;
    const at = stateAt(next);
    store(this.#words, at + StateWord.begun, next);
    order();
    this.#state.put(this.#words, at);
    this.#published = next;
    this.#shown = this.#state.head;
  }

  /** Tells the readers that this was the last message, and lets another write. Safe to call twice. */
  close(): void {
    this.#side.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
