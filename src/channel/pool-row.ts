/**
 * A consumer's row as the producer of a Pool keeps it: which blocks it has handed to the consumer, and which came back. What
 * the producer itself has written it knows by itself; what the consumer writes is looked at once, and can at most keep this
 * consumer's own blocks away.
 */
import type { ProcessWatch } from '../sync/process-watch.js';
import type { WaitPoint } from '../sync/wait-point.js';
import { fence, load, order, store } from './fence.js';
import { ENTRY_WORDS, EntryWord, Policy, type PolicyName, type PoolShape, RowWord } from './pool-layout.js';

/** Not handed out. */
const IN = 0;

const policyNames = Object.keys(Policy) as PolicyName[];

/** Whether one counter is before another, both of 32 bits. */
const isBefore = (one: number, other: number): boolean => ((one - other) | 0) < 0;

export class PoolRow {
  readonly index: number;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #shape: PoolShape;
  readonly #point: WaitPoint;
  readonly #free: (block: number) => void;
  /** For each block, the number of its last handing over; odd when it was taken back. */
  readonly #given: Int32Array<ArrayBuffer>;
  /** For each block, that number while the consumer has it, else {@link IN}. */
  readonly #out: Int32Array<ArrayBuffer>;
  /** For each entry of the queue, its block and that number. */
  readonly #entryBlock: Int32Array<ArrayBuffer>;
  readonly #entryGiven: Int32Array<ArrayBuffer>;
  #outCount = 0;
  #pushed: number;
  #revoked: number;
  #missed: number;
  #rings = 0;
  /** The `ready` that is served, 0 for none, and one that is not served any more. */
  accepted = 0;
  refused = 0;
  policy: PolicyName = 'wait';
  depth = 1;
  pid = 0;
  watch: ProcessWatch | null = null;

  /**
   * @param words the row, from its start on
   * @param point wakes its consumer
   * @param free is told of each block that the consumer has not any more
   */
  constructor(index: number, words: Int32Array<ArrayBuffer>, shape: PoolShape, point: WaitPoint, free: (block: number) => void) {
    this.index = index;
    this.#words = words;
    this.#shape = shape;
    this.#point = point;
    this.#free = free;
    this.#given = words.slice(shape.givenWords, shape.givenWords + shape.blocks);
    this.#out = new Int32Array(shape.blocks);
    this.#entryBlock = new Int32Array(shape.queue);
    this.#entryGiven = new Int32Array(shape.queue);
    this.#pushed = words[RowWord.pushed] as number;
    this.#revoked = words[RowWord.revoked] as number;
    this.#missed = words[RowWord.missed] as number;
  }

  /** Blocks that the consumer has, or that wait for it. */
  get holding(): number {
    return this.#outCount;
  }

  /** Frames that passed it by. */
  get missed(): number {
    return this.#missed >>> 0;
  }

  /** What the consumer says of itself: odd while somebody is attached. */
  get ready(): number {
    return load(this.#words, RowWord.ready);
  }

  has(block: number): boolean {
    return this.#out[block] !== IN;
  }

  /**
   * Goes on with what another producer has handed to this row's consumer.
   *
   * @returns the blocks that the consumer has
   */
  recover(): number[] {
    const { blocks, queue } = this.#shape;
    this.accepted = load(this.#words, RowWord.accepted);
    // A consumer gives back what it has lost before it says that it takes what is behind.
    const taking = load(this.#words, RowWord.taking);
    fence();
    const returned = this.#words.slice(this.#shape.returnedWords, this.#shape.returnedWords + blocks);
    for (let block = 0; block < blocks; block++) {
      const given = this.#given[block] as number;
      if (given === 0 || (given & 1) !== 0 || given === returned[block]) continue;
      this.#out[block] = given;
      this.#outCount++;
    }
    for (let back = 0; back < queue; back++) {
      const entry = (this.#pushed - back) | 0;
      const at = RowWord.queue + (entry & (queue - 1)) * ENTRY_WORDS;
      const block = this.#words[at + EntryWord.block] as number;
      const given = this.#words[at + EntryWord.given] as number;
      if (this.#words[at + EntryWord.check] !== entry || block < 0 || block >= blocks) continue;
      if (this.#out[block] !== given || given === IN) continue;
      // Its handing over was cut off, or its taking back.
      if (back === 0 || (isBefore(entry, this.#revoked) && !isBefore(entry, taking))) this.#takeBack(block);
      else this.#remember(entry, block, given);
    }
    return [...this.#out.keys()].filter((block) => this.has(block));
  }

  #remember(entry: number, block: number, given: number): void {
    const slot = entry & (this.#shape.queue - 1);
    this.#entryBlock[slot] = block;
    this.#entryGiven[slot] = given;
  }

  /** Serves the consumer that says so, from the next frame on. */
  accept(ready: number, policy: number, depth: number): void {
    const words = this.#words;
    this.policy = policyNames[policy] ?? 'wait';
    this.depth = Math.min(Math.max(depth, 1), this.#shape.blocks);
    this.#missed = 0;
    words[RowWord.missed] = 0;
    this.#revoked = this.#pushed;
    words[RowWord.revoked] = this.#pushed;
    words[RowWord.start] = this.#pushed;
    this.accepted = ready;
    store(words, RowWord.accepted, ready);
    this.tell();
  }

  /** Takes all blocks back and serves nobody. */
  clear(): void {
    this.watch?.close();
    this.watch = null;
    this.accepted = 0;
    store(this.#words, RowWord.accepted, 0);
    for (let block = 0; block < this.#shape.blocks; block++) {
      if (!this.has(block)) continue;
      this.#takeBack(block);
      this.#free(block);
    }
    this.tell();
  }

  #takeBack(block: number): void {
    const given = ((this.#given[block] as number) + 1) | 0;
    this.#given[block] = given;
    store(this.#words, this.#shape.givenWords + block, given);
    this.#forget(block);
  }

  #forget(block: number): void {
    this.#out[block] = IN;
    this.#outCount--;
  }

  /** Looks which blocks came back. */
  collect(): void {
    const rings = load(this.#words, RowWord.rings);
    if (rings === this.#rings || this.#outCount === 0) return;
    this.#rings = rings;
    for (let block = 0; block < this.#shape.blocks; block++) {
      const given = this.#out[block] as number;
      if (given === IN || load(this.#words, this.#shape.returnedWords + block) !== given) continue;
      this.#forget(block);
      this.#free(block);
    }
  }

  /** Hands a block over, if the consumer is not too slow for it. */
  handOver(block: number): boolean {
    if (this.policy !== 'wait' && this.#outCount >= this.depth) {
      if (this.policy === 'drop') this.revokeOldest();
      if (this.#outCount >= this.depth) {
        this.#missed = (this.#missed + 1) | 0;
        store(this.#words, RowWord.missed, this.#missed);
        return false;
      }
    }
    this.#push(block);
    return true;
  }

  #push(block: number): void {
    const words = this.#words;
    const entry = this.#pushed;
    const last = this.#given[block] as number;
    // The next even number, without 0.
    const given = ((last | 1) + 1) | 0 || 2;
    const at = RowWord.queue + (entry & (this.#shape.queue - 1)) * ENTRY_WORDS;
    store(words, at + EntryWord.check, ~entry);
    order();
    words[at + EntryWord.block] = block;
    words[at + EntryWord.given] = given;
    words[at + EntryWord.missed] = this.#missed;
    store(words, at + EntryWord.check, entry);
    this.#given[block] = given;
    this.#out[block] = given;
    this.#outCount++;
    this.#remember(entry, block, given);
    store(words, this.#shape.givenWords + block, given);
    this.#pushed = (entry + 1) | 0;
    store(words, RowWord.pushed, this.#pushed);
    this.tell();
  }

  /** Takes the oldest frame back that the consumer has not taken, if there is one. Whether a block came back by it. */
  revokeOldest(): boolean {
    const words = this.#words;
    const taking = load(words, RowWord.taking);
    const entry = isBefore(this.#revoked, taking) ? taking : this.#revoked;
    if (!isBefore(entry, this.#pushed)) return false;
    this.#revoked = (entry + 1) | 0;
    store(words, RowWord.revoked, this.#revoked);
    fence();
    // The consumer says what it takes before it looks what was taken back: one of the two sees the other.
    if (isBefore(entry, load(words, RowWord.taking))) return false;
    const slot = entry & (this.#shape.queue - 1);
    const block = this.#entryBlock[slot] as number;
    if (this.#out[block] !== this.#entryGiven[slot] || !this.has(block)) return false;
    this.#takeBack(block);
    this.#free(block);
    return true;
  }

  /** Wakes the consumer: something that concerns it has changed. */
  tell(): void {
    store(this.#words, RowWord.signal, ((this.#words[RowWord.signal] as number) + 1) | 0);
    this.#point.wake();
  }

  close(): void {
    this.watch?.close();
    this.#point.close();
  }
}
