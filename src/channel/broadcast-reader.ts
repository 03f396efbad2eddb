/**
 * A reader of a Broadcast: follows the log at its own pace, without asking the writer and without writing anything. Each
 * message is copied, and handed out only if the writer had not come round to it meanwhile. What shared memory says is checked
 * before it is used.
 */
import { byteCount } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type Bytes, bytesOf } from '../memory/bytes.js';
import type { WaitOptions } from '../sync/wait-options.js';
import { GAP, longestMessage, MESSAGE_HEADER, recordBytes, StateWord, stateAt } from './broadcast-layout.js';
import { LogState } from './broadcast-state.js';
import type { Cell } from './cell.js';
import { load, order } from './fence.js';
import { damaged } from './header.js';
import { OneWriterAt, ReaderWords } from './one-writer.js';
import { Patience } from './patience.js';
import type { PeerState } from './peer-waits.js';
import { SharedBytes } from './shared-bytes.js';

const NEWEST = OneWriterAt.newest / 4;

/** Bytes of the log that a batch has at most, unless one message alone is longer. */
const BATCH_BYTES = 2 ** 20;
/** The same where messages are handed out one by one. */
const AHEAD_BYTES = 2 ** 16;

/** What a reader has lost because the writer overtook it. */
export interface Lost {
  readonly messages: number;
  /** Of those messages, without their headers. */
  readonly bytes: number;
}

export interface BroadcastReadOptions {
  /** The first message: the oldest that is still there, or the next one that is written. Default `'oldest'`. */
  readonly from?: 'oldest' | 'now';
  /** Told of each loss, before the message behind it is handed out. */
  readonly onLost?: (lost: Lost) => void;
}

export class BroadcastReader implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  readonly #side: ReaderWords;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #log: SharedBytes;
  readonly #data: number;
  readonly #onLost: ((lost: Lost) => void) | undefined;
  readonly #patience = new Patience();
  /** The newest state that was found whole and possible, and one to load the next into. */
  #state: LogState;
  #next: LogState;
  /** Its number, low half; null before the first. */
  #seen: number | null = null;
  #position: number;
  #at: number;
  #number: number;
  #bytes: number;
  #lostMessages = 0;
  #lostBytes = 0;
  /** Bytes of the log. */
  readonly capacity: number;
  /** Bytes that a message has at most. */
  readonly longest: number;

  /** @internal */
  constructor(operation: string, cell: Cell, { from = 'oldest', onLost }: BroadcastReadOptions) {
    this.#side = new ReaderWords(cell);
    this.#words = this.#side.words;
    const { buffer, start } = cell.place;
    const { data, parameters } = cell.header;
    this.capacity = parameters[0];
    this.longest = longestMessage(this.capacity);
    this.#data = data / 4;
    this.#log = new SharedBytes(buffer, start + data, this.capacity);
    this.#onLost = onLost;
    this.#state = new LogState(this.capacity);
    this.#next = new LogState(this.capacity);
    try {
      this.#refresh(operation);
    } catch (error) {
      this.close();
      throw error;
    }
    const state = this.#state;
    this.#position = from === 'oldest' ? state.tail : state.head;
    this.#number = from === 'oldest' ? state.tailNumber : state.headNumber;
    this.#bytes = from === 'oldest' ? state.tailBytes : state.headBytes;
    this.#at = this.#position % this.capacity;
  }

  /** The number of the next message for this reader; all that were ever written are counted, from 0 on. */
  get position(): number {
    return this.#number;
  }

  /** All that this reader has lost so far. */
  get lost(): Lost {
    return { messages: this.#lostMessages, bytes: this.#lostBytes };
  }

  /** Who writes. Asks the system: for people and for a look now and then. */
  get writer(): PeerState {
    return this.#side.waits.state;
  }

  get closed(): boolean {
    return !this.#side.cell.isOpen;
  }

  /**
   * The next message, at once; null if there is none yet. With a target nothing is allocated.
   *
   * @param target Filled from its start.
   * @returns the message, a copy; with a target, how many of its bytes the message has
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE (the target is too small; the message stays), ERR_SECTION_CHANNEL_DAMAGED,
   * ERR_SECTION_TIMEOUT (the writer comes round faster than a message can be copied), ERR_SECTION_CLOSED
   */
  tryRead(): Uint8Array<ArrayBuffer> | null;
  tryRead(target: Bytes): number | null;
  tryRead(target?: Bytes): Uint8Array<ArrayBuffer> | number | null {
    const operation = 'broadcast.tryRead';
    return this.#readOne(operation, target === undefined ? null : bytesOf(operation, 'target', target));
  }

  /**
   * The messages that are there, as many as fit into `bytes` (at least one), checked and copied together: for many small
   * messages much cheaper than one by one. They are parts of one buffer. Empty if there is none yet.
   *
   * @param bytes Of the log, with 8 bytes before each message; default 2^20.
   */
  tryReadBatch(bytes: number = BATCH_BYTES): Uint8Array<ArrayBuffer>[] {
    const operation = 'broadcast.tryReadBatch';
    return this.#readBatch(operation, byteCount(operation, 'bytes', bytes, { minimum: 1 }));
  }

  /**
   * The next message; waits for it.
   *
   * @returns as {@link tryRead}; null when the writer has closed the channel and all was read
   * @throws SectionError as {@link tryRead}; ERR_SECTION_TIMEOUT; ERR_SECTION_PEER_ENDED when the writer's process has ended
   * without closing and all was read, once for each writer: a later wait is for the next one; the signal's reason
   */
  read(target?: undefined, options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null>;
  read(target: Bytes, options?: WaitOptions): Promise<number | null>;
  async read(target?: Bytes, options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | number | null> {
    const operation = 'broadcast.read';
    const bytes = target === undefined ? null : bytesOf(operation, 'target', target);
    return this.#side.waits.wait(operation, () => this.#readOne(operation, bytes) ?? undefined, options);
  }

  /**
   * As {@link read}, and blocks the thread.
   *
   * @param timeout Milliseconds. Default: for ever.
   */
  readSync(target?: undefined, timeout?: number): Uint8Array<ArrayBuffer> | null;
  readSync(target: Bytes, timeout?: number): number | null;
  readSync(target?: Bytes, timeout?: number): Uint8Array<ArrayBuffer> | number | null {
    const operation = 'broadcast.readSync';
    const bytes = target === undefined ? null : bytesOf(operation, 'target', target);
    return this.#side.waits.waitSync(operation, () => this.#readOne(operation, bytes) ?? undefined, timeout);
  }

  /** As {@link tryReadBatch}, and waits for the first; null when the writer has closed the channel and all was read. */
  async readBatch(options?: WaitOptions & { readonly bytes?: number }): Promise<Uint8Array<ArrayBuffer>[] | null> {
    const operation = 'broadcast.readBatch';
    const most = byteCount(operation, 'bytes', options?.bytes ?? BATCH_BYTES, { minimum: 1 });
    return this.#side.waits.wait(operation, () => this.#someOf(operation, most), options);
  }

  /** The messages, one by one. Ends when the writer closes the channel; throws as {@link read} does. */
  async *messages(options?: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for await (const batch of this.#batches('broadcast.messages', AHEAD_BYTES, options)) yield* batch;
  }

  /** The messages in batches, as {@link readBatch} gives them. */
  batches(options?: {
    readonly signal?: AbortSignal;
    readonly bytes?: number;
  }): AsyncGenerator<Uint8Array<ArrayBuffer>[], void, undefined> {
    const operation = 'broadcast.batches';
    return this.#batches(operation, byteCount(operation, 'bytes', options?.bytes ?? BATCH_BYTES, { minimum: 1 }), options);
  }

  async *#batches(operation: string, most: number, options: WaitOptions | undefined) {
    for (;;) {
      const batch = await this.#side.waits.wait(operation, () => this.#someOf(operation, most), options);
      if (batch === null) return;
      yield batch;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    return this.messages();
  }

  #someOf(operation: string, most: number): Uint8Array<ArrayBuffer>[] | undefined {
    const batch = this.#readBatch(operation, most);
    return batch.length === 0 ? undefined : batch;
  }

  #readOne(operation: string, target: Uint8Array | null): Uint8Array<ArrayBuffer> | number | null {
    this.#patience.begin();
    while (this.#isThere(operation)) {
      const at = this.#at;
      const word = this.#data + at / 4;
      const length = this.#words[word] as number;
      const check = this.#words[word + 1] as number;
      const isWhole = length !== GAP && this.#fits(length) && check === (this.#number | 0);
      let copy: Uint8Array<ArrayBuffer> | number = length;
      if (isWhole) {
        const from = at + MESSAGE_HEADER;
        if (target === null) copy = this.#log.bytes.slice(from, from + length);
        else if (length <= target.length) this.#log.copyOut(from, length, target);
      }
      if (this.#wasOvertaken(operation)) continue;
      if (length === GAP) {
        this.#skipGap(operation);
        continue;
      }
      if (!isWhole) throw this.#damage(operation, length);
      if (target !== null && length > target.length) throw this.#tooSmall(operation, length, target.length);
      this.#advance(recordBytes(length));
      this.#number++;
      this.#bytes += length;
      return copy;
    }
    return null;
  }

  #readBatch(operation: string, most: number): Uint8Array<ArrayBuffer>[] {
    this.#patience.begin();
    while (this.#isThere(operation)) {
      const start = this.#position;
      const first = this.#words[this.#data + this.#at / 4] as number;
      const least = this.#fits(first) ? recordBytes(first) : MESSAGE_HEADER;
      const span = Math.min(Math.max(most, least), this.#state.head - this.#position, this.capacity - this.#at);
      const copy = this.#log.bytes.slice(this.#at, this.#at + span);
      if (this.#wasOvertaken(operation)) continue;
      const batch = this.#parse(operation, copy);
      if (batch.length > 0) return batch;
      // A gap is passed over. A message that is longer than it was when its header was looked at is none of the writer's.
      if (this.#position === start) throw this.#damage(operation, first);
    }
    return [];
  }

  /** The whole messages in a copy of the log from the position on, which goes on behind them. */
  #parse(operation: string, copy: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const words = new Int32Array(copy.buffer, 0, copy.length >> 2);
    const batch: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (at + MESSAGE_HEADER <= copy.length) {
      const length = words[at / 4] as number;
      if (length === GAP) {
        this.#skipGap(operation);
        break;
      }
      if (!this.#fits(length) || words[at / 4 + 1] !== (this.#number | 0)) throw this.#damage(operation, length);
      const record = recordBytes(length);
      if (at + record > copy.length) break;
      batch.push(copy.subarray(at + MESSAGE_HEADER, at + MESSAGE_HEADER + length));
      at += record;
      this.#advance(record);
      this.#number++;
      this.#bytes += length;
    }
    return batch;
  }

  /** Whether a message so long can stand at the position. */
  #fits(length: number): boolean {
    if (length < 0 || length > this.longest) return false;
    const record = recordBytes(length);
    return record <= this.capacity - this.#at && record <= this.#state.head - this.#position;
  }

  #skipGap(operation: string): void {
    const gap = this.capacity - this.#at;
    if (gap > this.#state.head - this.#position) throw this.#damage(operation, GAP);
    this.#advance(gap);
  }

  #advance(bytes: number): void {
    this.#position += bytes;
    this.#at += bytes;
    if (this.#at === this.capacity) this.#at = 0;
  }

  /** Whether there is something at the position, which goes on at the oldest message if the writer has overtaken it. */
  #isThere(operation: string): boolean {
    this.#side.cell.mustBeOpen(operation);
    this.#refresh(operation);
    if (this.#position < this.#state.tail) this.#catchUp(operation);
    return this.#position < this.#state.head;
  }

  /** Whether what was copied from the position may have been overwritten meanwhile. */
  #wasOvertaken(operation: string): boolean {
    // Nothing may be taken from the log after the state is looked at again.
    order();
    this.#refresh(operation);
    if (this.#position >= this.#state.tail) return false;
    if (this.#patience.isOver()) throw this.#patience.error(operation, this.#side.cell.object);
    return true;
  }

  #catchUp(operation: string): void {
    const { tail, tailNumber, tailBytes } = this.#state;
    const messages = tailNumber - this.#number;
    const bytes = tailBytes - this.#bytes;
    if (messages < 0 || bytes < 0) {
      throw damaged(operation, this.#side.cell.object, `message ${tailNumber} is said to stand behind message ${this.#number}`);
    }
    this.#position = tail;
    this.#at = tail % this.capacity;
    this.#number = tailNumber;
    this.#bytes = tailBytes;
    if (messages === 0) return;
    this.#lostMessages += messages;
    this.#lostBytes += bytes;
    this.#onLost?.({ messages, bytes });
  }

  /** Takes the newest state, whole, if it is another than the one that is known. */
  #refresh(operation: string): void {
    const words = this.#words;
    let attempts: Patience | null = null;
    for (;;) {
      const newest = load(words, NEWEST);
      if (newest === this.#seen) return;
      const at = stateAt(newest);
      const next = this.#next;
      next.load(words, at);
      // Nothing above may be taken after this looks whether it was overwritten.
      order();
      if (load(words, at + StateWord.begun) === newest) {
        const wrong = next.wrongAfter(this.#state);
        if (wrong !== null) throw damaged(operation, this.#side.cell.object, wrong);
        this.#next = this.#state;
        this.#state = next;
        this.#seen = newest;
        return;
      }
      if (load(words, NEWEST) === newest) {
        throw damaged(operation, this.#side.cell.object, `its newest state, ${newest >>> 0}, does not stand where it should`);
      }
      attempts ??= new Patience();
      if (attempts.isOver()) throw attempts.error(operation, this.#side.cell.object);
    }
  }

  #damage(operation: string, length: number): SectionError {
    const said = length === GAP ? 'is a gap that goes beyond what was written' : `says ${length} bytes, or is another`;
    return damaged(operation, this.#side.cell.object, `message ${this.#number} ${said}`);
  }

  #tooSmall(operation: string, length: number, room: number): SectionError {
    return new SectionError('ERR_SECTION_OUT_OF_RANGE', {
      operation,
      object: this.#side.cell.object,
      rule: `the message has ${length} bytes, the target ${room}`,
      wayOut: `Give a target of ${length} bytes or more; the longest message has ${this.longest}`,
    });
  }

  /** Whoever waits gets ERR_SECTION_CLOSED. Safe to call twice. */
  close(): void {
    this.#side.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
