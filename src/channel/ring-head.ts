/**
 * Where the consumer takes: which records are there, and what was given back. Believes no word that producers write: each is read once,
 * and checked before it is used.
 */
import type { SectionError } from '../base/error.js';
import { storeAndLook, storeThenLook } from './fence.js';
import type { MessageBatch } from './message-batch.js';
import { Pace } from './pace.js';
import { ReadAhead } from './ring-ahead.js';
import { type Damaged, PAD, RECORD_HEADER, type RingMemory, recordOf, Word } from './ring-layout.js';

/** Looked up once: each message needs them. */
const { head: HEAD, producerSleeps: PRODUCER_SLEEPS } = Word;

/** Most bytes that a batch copies before it looks what they are, but for a longer record. */
const PIECE = 2 ** 16;

export class RingHead {
  readonly #memory: RingMemory;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #data: Uint8Array<ArrayBuffer>;
  readonly #lengths: Int32Array<ArrayBuffer>;
  readonly #longs: BigInt64Array<ArrayBuffer>;
  readonly #capacity: number;
  readonly #maximum: number;
  /** Whether to look at the sleep word behind a barrier. */
  readonly #barrier: boolean;
  readonly #damaged: Damaged;
  /** The record to take next. What is before `#published` is the producer's again. */
  #head = 0;
  #published = 0;
  /** Up to where there is something, as it was last seen. */
  #tail = 0;
  /** Of the record that was found last. */
  #length = 0;
  readonly #pace: Pace;
  /** What was copied before it is received. */
  readonly ahead = new ReadAhead();

  /** @param damaged What to throw for what cannot be. */
  constructor(memory: RingMemory, damaged: Damaged) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#data = memory.data;
    this.#lengths = memory.lengths;
    this.#longs = memory.longs;
    this.#capacity = memory.capacity;
    this.#maximum = memory.maximum;
    this.#damaged = damaged;
    // Of several producers one may have said for another that they sleep, who then looks no more.
    this.#barrier = memory.many;
    this.#pace = new Pace(memory.words, Word.tail, memory.capacity);
  }

  /** Begins where the last consumer has given back. */
  begin(operation: string): void {
    const { tail, head } = this.#memory.positions(operation, this.#damaged);
    this.#head = head;
    this.#published = head;
    this.#tail = tail;
  }

  /** The length of the message that was found last. */
  get length(): number {
    return this.#length;
  }

  /** Whether the next record stands at a position. */
  isAt(position: number): boolean {
    return this.#head === position;
  }

  /** Where the payload of the next message starts, with its length noted; −1: there is none. */
  find(): number {
    const head = this.#head;
    if (head === this.#tail && this.look() === head) return -1;
    const available = (this.#tail - head) | 0;
    const at = head & (this.#capacity - 1);
    const length = this.#lengths[at >> 2] as number;
    if (length === PAD) return this.#findBehindPad(at, available);
    const record = recordOf(length);
    if (length < 0 || length > this.#maximum || record > available || record > this.#capacity - at)
      throw this.#badRecord(at, length);
    this.#length = length;
    return at + RECORD_HEADER;
  }

  /** A pad, and what stands behind it at the data's beginning. */
  #findBehindPad(at: number, available: number): number {
    const rest = this.#capacity - at;
    const length = this.#lengths[0] as number;
    const record = recordOf(length);
    if (at === 0 || length < 0 || length > this.#maximum || rest + record > available) throw this.#badRecord(at, PAD);
    this.#head = (this.#head + rest) | 0;
    this.#length = length;
    return RECORD_HEADER;
  }

  /** Goes on to the record behind the one that was found. */
  pass(): void {
    this.ahead.forget();
    this.#head = (this.#head + recordOf(this.#length)) | 0;
  }

  /** Goes on behind a record of so many bytes that was read ahead. */
  passAhead(record: number): void {
    this.ahead.pass(record);
    this.#head = (this.#head + record) | 0;
  }

  /** Reads ahead, from the message that was found on: one of LOOP_BYTES at most. */
  readAhead(found: number): void {
    const from = found - RECORD_HEADER;
    this.ahead.fetch(this.#data, this.#longs, from, Math.min((this.#tail - this.#head) | 0, this.#capacity - from));
    if (this.ahead.nextLength() < 0) throw this.#badRecord(from, this.#length);
  }

  /** Takes as many messages into a batch as there are behind the one that was found, and have room. */
  takeRun(batch: MessageBatch, found: number): void {
    const from = found - RECORD_HEADER;
    const record = recordOf(this.#length);
    const rest = Math.min((this.#tail - this.#head) | 0, this.#capacity - from, batch.data.length - batch.end);
    // As much as there are places for, if those behind it are as long.
    const places = Math.min(batch.lengths.length, batch.starts.length) - batch.count;
    const piece = Math.min(rest, Math.max(record, Math.min(PIECE, places * record)));
    const run = batch.take(this.#data, this.#longs, from, piece, this.#maximum);
    if (run === 0) throw this.#badRecord(from, this.#length);
    this.#head = (this.#head + run) | 0;
    this.ahead.forget();
  }

  /** Looks how far producers are. */
  look(): number {
    const tail = Atomics.load(this.#words, Word.tail);
    const more = (tail - this.#tail) | 0;
    const used = (tail - this.#published) | 0;
    if (more < 0 || used < 0 || used > this.#capacity || (tail & 7) !== 0) {
      throw this.#damaged('consumer.receive', `a producer is said to be at ${tail >>> 0}`);
    }
    this.#tail = tail;
    this.#pace.note(more);
    return tail;
  }

  /** Producers may write where the messages stood that were taken. Returns whether one seems to sleep. */
  giveBack(): boolean {
    const head = this.#head;
    this.#published = head;
    const sleeps = this.#barrier
      ? storeThenLook(this.#words, HEAD, head, PRODUCER_SLEEPS)
      : storeAndLook(this.#words, HEAD, head, PRODUCER_SLEEPS);
    return sleeps !== 0;
  }

  /** Before a thread that may block looks. */
  putOff(): void {
    if (this.#head === this.#tail) this.#pace.putOff();
  }

  /** Whether something has come soon after there was nothing: for a thread that may block. */
  comesSoon(): boolean {
    return this.#pace.moves(this.#tail);
  }

  #badRecord(at: number, length: number): SectionError {
    return this.#damaged('consumer.receive', `a record at ${at} says ${length} bytes`);
  }
}
