/**
 * Where a producer writes: the records that it has put behind each other, and how far the consumer is. Its own position it keeps itself;
 * believes the consumer's only within bounds.
 */
import { copyIn, copyLongs, LOOP_BYTES, RepeatedArray } from './copy.js';
import { storeAndLook } from './fence.js';
import type { MessageBatch } from './message-batch.js';
import { Pace } from './pace.js';
import { invalid, tooBig } from './ring-errors.js';
import { type Damaged, PAD, RECORD_HEADER, type RingMemory, recordOf, Word } from './ring-layout.js';

/** Looked up once: each message needs them. */
const { tail: TAIL, consumerSleeps: CONSUMER_SLEEPS } = Word;

/** Bytes whose cache lines are taken ahead at a time; such a part of the ring at most; and how many records must have room there to pay for it. */
const AHEAD = 8192;
const AHEAD_OF = 8;
const RECORDS_AHEAD = 4;

export class RingTail {
  readonly #memory: RingMemory;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #data: Uint8Array<ArrayBuffer>;
  readonly #lengths: Int32Array<ArrayBuffer>;
  readonly #longs: BigInt64Array<ArrayBuffer>;
  readonly #capacity: number;
  readonly #maximum: number;
  readonly #damaged: Damaged;
  /** Where the next record starts; what is behind `#published` nobody sees yet. */
  #tail = 0;
  #published = 0;
  /** The consumer's position as it was last seen. */
  #head = 0;
  /** So much is taken ahead; not with several producers, who would take it from each other. */
  readonly #ahead: number;
  /** Up to where it was. */
  #taken = 0;
  readonly #sources = new RepeatedArray();
  readonly #pace: Pace;

  /** @param damaged What to throw for a position that cannot be. */
  constructor(memory: RingMemory, damaged: Damaged) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#data = memory.data;
    this.#lengths = memory.lengths;
    this.#longs = memory.longs;
    this.#capacity = memory.capacity;
    this.#maximum = memory.maximum;
    this.#damaged = damaged;
    this.#pace = new Pace(memory.words, Word.head, memory.capacity);
    this.#ahead = memory.many ? 0 : Math.min(AHEAD, memory.capacity / AHEAD_OF);
  }

  /** Begins where the last producer has published. */
  begin(operation: string): void {
    const { tail, head } = this.#memory.positions(operation, this.#damaged);
    this.#tail = tail;
    this.#published = tail;
    this.#taken = tail;
    this.#head = head;
  }

  /** Puts a record with a message, unpublished. False: there is no room. */
  put(message: Uint8Array): boolean {
    const { length } = message;
    const at = this.place(length);
    if (at < 0) return false;
    copyIn(this.#sources, message, this.#data, this.#longs, at);
    this.pass(length);
    return true;
  }

  /**
   * As {@link put}, of what was put before and is short, where there is room without a look or a pad; false: not like this. Once more, in
   * one piece, for checks and calls take as long as the copy.
   */
  putAgain(message: Uint8Array): boolean {
    const sources = this.#sources;
    if (message !== sources.array) return false;
    const { length } = message;
    const longs = sources.longsOf(message, length);
    const tail = this.#tail;
    const at = tail & (this.#capacity - 1);
    const record = recordOf(length);
    if (longs === null || length > LOOP_BYTES || this.#words.length === 0) return false;
    if (at + record > this.#capacity || ((tail + record - this.#head) | 0) > this.#capacity) return false;
    if (((tail + record - this.#taken) | 0) > 0) this.#takeAhead(tail, record);
    this.#lengths[at >> 2] = length;
    copyLongs(longs, 0, this.#longs, (at + RECORD_HEADER) >> 3, length >> 3);
    for (let index = length & ~7; index < length; index++) this.#data[at + RECORD_HEADER + index] = message[index] as number;
    this.#tail = (tail + record) | 0;
    return true;
  }

  /** Writes a record's header, and a pad before it where it must. Returns where its payload starts; −1: there is no room. */
  place(length: number): number {
    if (length > this.#maximum) throw tooBig(this.#memory.object, length, this.#maximum);
    const capacity = this.#capacity;
    const record = recordOf(length);
    const at = this.#tail & (capacity - 1);
    const rest = capacity - at;
    const pad = rest < record ? rest : 0;
    if (capacity - ((this.#tail - this.#head) | 0) < pad + record && !this.#look(pad + record)) return -1;
    if (pad === 0) {
      if (((this.#tail + record - this.#taken) | 0) > 0) this.#takeAhead(this.#tail, record);
      this.#lengths[at >> 2] = length;
      return at + RECORD_HEADER;
    }
    this.#lengths[at >> 2] = PAD;
    this.#lengths[0] = length;
    this.#tail = (this.#tail + pad) | 0;
    return RECORD_HEADER;
  }

  /**
   * Writes to the room behind the tail, which nobody reads, from where a record of so many bytes is to stand: the processor takes the cache
   * lines from who read them last, many at once. Each message would wait for its own otherwise, for words are written in their order.
   */
  #takeAhead(tail: number, record: number): void {
    let length = record;
    if (record * RECORDS_AHEAD <= this.#ahead) {
      const at = tail & (this.#capacity - 1);
      const free = this.#capacity - ((tail - this.#head) | 0);
      length = Math.max(record, Math.min(this.#ahead, free, this.#capacity - at));
      this.#data.fill(0, at, at + length);
    }
    this.#taken = (tail + length) | 0;
  }

  /** Gives the record whose payload starts there another length, no more than it was placed with. */
  shorten(at: number, length: number): void {
    this.#lengths[(at - RECORD_HEADER) >> 2] = length;
  }

  /** Goes on behind a record of such a length, which was placed. */
  pass(length: number): void {
    this.#tail = (this.#tail + recordOf(length)) | 0;
  }

  /** Takes back what was put since it was last published. */
  retract(): void {
    this.#tail = this.#published;
  }

  /** Shows the consumer what was put. Returns whether it seems to sleep. */
  publish(): boolean {
    const tail = this.#tail;
    this.#published = tail;
    return storeAndLook(this.#words, TAIL, tail, CONSUMER_SLEEPS) !== 0;
  }

  /** Puts runs of records, each by one copy: up to the data's end, or as far as there is room. Returns how many. */
  putBatch(operation: string, batch: MessageBatch, from: number): number {
    if (batch.longest > this.#maximum) throw tooBig(this.#memory.object, batch.longest, this.#maximum);
    const { count } = batch;
    let index = from;
    for (let isPlaced = false; index < count; ) {
      const at = this.#tail & (this.#capacity - 1);
      const room = Math.min(this.#capacity - at, this.#capacity - ((this.#tail - this.#head) | 0));
      const start = batch.recordAt(index);
      const next = batch.firstBehind(index, start + room);
      if (next > index) {
        const end = batch.recordAt(next);
        batch.copyRun(start, end, this.#data, this.#longs, at);
        this.#tail = (this.#tail + end - start) | 0;
        index = next;
        isPlaced = false;
      } else {
        if (isPlaced) throw invalid(operation, `the batch's message ${index} does not stand where it was put`);
        // There is a pad to write, or the consumer to look at.
        if (this.place(batch.lengths[index] as number) < 0) break;
        isPlaced = true;
      }
    }
    return index - from;
  }

  /** Before a thread that may block looks for room for such a length. */
  putOff(length: number): void {
    if (this.#capacity - ((this.#tail - this.#head) | 0) < recordOf(length)) this.#pace.putOff();
  }

  /** Whether the consumer has moved soon after there was no room: for a thread that may block. */
  movesSoon(): boolean {
    return this.#pace.moves(this.#head);
  }

  /** Looks how far the consumer is. */
  #look(need: number): boolean {
    const head = Atomics.load(this.#words, Word.head);
    const used = (this.#tail - head) | 0;
    if (used < 0 || used > ((this.#tail - this.#head) | 0) || (head & 7) !== 0) {
      throw this.#damaged('producer.send', `the consumer is said to be at ${head >>> 0}`);
    }
    this.#pace.note((head - this.#head) | 0);
    this.#head = head;
    return this.#capacity - used >= need;
  }
}
