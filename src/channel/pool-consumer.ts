/**
 * A consumer of a Pool: gets the producer's blocks in place and gives them back. Writes its own row only. It need not trust the
 * producer: block numbers and lengths are read once and checked.
 */
import { SectionError } from '../base/error.js';
import { mappingOf } from '../memory/view.js';
import type { WaitOptions } from '../sync/wait-options.js';
import { WaitPoint } from '../sync/wait-point.js';
import type { Cell } from './cell.js';
import { fence, load, order, store, wide } from './fence.js';
import { damaged } from './header.js';
import { Patience } from './patience.js';
import { type PeerState, PeerWaits } from './peer-waits.js';
import {
  doorbellOf,
  ENTRY_WORDS,
  EntryWord,
  FactWord,
  factsOf,
  Policy,
  type PolicyName,
  PoolAt,
  type PoolShape,
  poolShape,
  RowWord,
} from './pool-layout.js';
import { releaseRole, takeRole } from './role.js';

export interface PoolConsumerOptions {
  /**
   * What happens when this consumer has `depth` frames and the next one comes: `'wait'` (the default): it gets that one too, and
   * the producer waits when it has no block left; `'skip'`: that one passes it by; `'drop'`: it loses the oldest that it has not taken yet.
   */
  readonly whenSlow?: PolicyName;
  /** Default 2. */
  readonly depth?: number;
  /** A row of one's own, 0 to the number of consumers less one. Default: any that is free. */
  readonly row?: number;
}

/** A block with a frame in it, in place. */
export class PoolFrame {
  readonly #giveBack: () => void;
  #isHeld = true;
  /** The frame's bytes; not to be used after {@link release}. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Frames are numbered from 1 on. */
  readonly number: number;
  /** Frames that this consumer missed right before this one, because it was slow. */
  readonly missed: number;
  /** Which block it is. */
  readonly index: number;

  /** @internal */
  constructor(bytes: Uint8Array<ArrayBuffer>, number: number, missed: number, index: number, giveBack: () => void) {
    this.bytes = bytes;
    this.number = number;
    this.missed = missed;
    this.index = index;
    this.#giveBack = giveBack;
  }

  /** False once it was given back. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Gives the block back. Safe to call twice. */
  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#giveBack();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** A number's upper half is below this: it is exact then. */
const HIGH_LIMIT = 2 ** 21;

export class PoolConsumer implements AsyncIterable<PoolFrame> {
  readonly #cell: Cell;
  readonly #shape: PoolShape;
  readonly #waits: PeerWaits;
  readonly #patience = new Patience();
  readonly #doorbell: WaitPoint;
  /** The whole control part, and this consumer's row in it; writable. */
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #roles: BigUint64Array<ArrayBuffer>;
  readonly #row: Int32Array<ArrayBuffer>;
  readonly #ready: number;
  #isAccepted = false;
  #next = 0;
  /** The row's count of missed frames as far as it was told, and those that were lost from the queue. */
  #skipped = 0;
  #lost = 0;
  #missed = 0;
  /** This consumer's row: what the producer calls it by. */
  readonly id: number;
  /** Bytes in a block. */
  readonly blockSize: number;

  /** @internal */
  constructor(operation: string, cell: Cell, { whenSlow = 'wait', depth = 2, row }: PoolConsumerOptions) {
    this.#cell = cell;
    const shape = poolShape(cell.header);
    this.#shape = shape;
    this.blockSize = shape.blockSize;
    const { buffer, start, view } = cell.control(cell.header.data);
    this.#words = new Int32Array(buffer, start, cell.header.data / 4);
    this.#roles = new BigUint64Array(buffer, start, cell.header.data / 8);
    const id = this.#takeRow(row);
    if (id === null) {
      throw new SectionError(row === undefined ? 'ERR_SECTION_LIMIT' : 'ERR_SECTION_ROLE_TAKEN', {
        operation,
        object: cell.object,
        rule: row === undefined ? `all ${shape.consumers} consumers are attached` : `another process has row ${row}`,
        wayOut: 'Close one, or create the pool for more consumers',
      });
    }
    this.id = id;
    const at = shape.row(id);
    this.#row = this.#words.subarray(at / 4, shape.row(id + 1) / 4);
    this.#row[RowWord.policy] = Policy[whenSlow];
    this.#row[RowWord.depth] = Math.min(depth, shape.blocks);
    // The next odd number: even where the last consumer has left well.
    this.#ready = ((this.#row[RowWord.ready] as number) + 1) | 1;
    store(this.#row, RowWord.ready, this.#ready);
    this.#waits = new PeerWaits(cell, {
      title: 'producer',
      role: PoolAt.producer,
      ended: PoolAt.ended,
      signal: at + 4 * RowWord.signal,
      isQuiet: false,
    });
    this.#doorbell = new WaitPoint(view[mappingOf], start + PoolAt.doorbell);
    cell.whenViewCloses(() => this.close());
    this.#ring();
  }

  #takeRow(wanted: number | undefined): number | null {
    for (let row = wanted ?? 0; row <= (wanted ?? this.#shape.consumers - 1); row++) {
      if (takeRole(this.#roles, this.#roleAt(row), this.#cell.header.home) !== null) return row;
    }
    return null;
  }

  #roleAt(row: number): number {
    return (this.#shape.row(row) + 4 * RowWord.consumer) / 8;
  }

  #ring(): void {
    const rings = ((this.#row[RowWord.rings] as number) + 1) | 0;
    store(this.#row, RowWord.rings, rings);
    store(this.#words, PoolAt.doorbell / 4, doorbellOf(this.id, rings));
    this.#doorbell.wake();
  }

  /** All frames that this consumer missed because it was slow. */
  get missed(): number {
    return this.#missed;
  }

  /** Who produces. Asks the system: for people and for a look now and then. */
  get producer(): PeerState {
    return this.#waits.state;
  }

  get closed(): boolean {
    return !this.#cell.isOpen;
  }

  /**
   * The next frame, at once; null if there is none yet.
   *
   * @throws SectionError ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_ACCESS_DENIED (the producer has expelled this consumer),
   * ERR_SECTION_CLOSED
   */
  tryNext(): PoolFrame | null {
    return this.#take('pool.tryNext') ?? null;
  }

  /**
   * The next frame; waits for it.
   *
   * @returns null when the producer has closed the pool and all was taken
   * @throws SectionError as {@link tryNext}; ERR_SECTION_TIMEOUT; ERR_SECTION_PEER_ENDED when the producer's process has ended
   * without closing and all was taken, once for each producer: a later wait is for the next one; the signal's reason
   */
  next(options?: WaitOptions): Promise<PoolFrame | null> {
    return this.#waits.wait('pool.next', () => this.#take('pool.next'), options);
  }

  /**
   * As {@link next}, and blocks the thread.
   *
   * @param timeout Milliseconds. Default: for ever.
   */
  nextSync(timeout?: number): PoolFrame | null {
    return this.#waits.waitSync('pool.nextSync', () => this.#take('pool.nextSync'), timeout);
  }

  /**
   * The frames one by one. Each is given back when the loop asks for the next one or ends: whoever needs one for longer uses
   * {@link next}. Ends when the producer closes the pool; throws as {@link next} does.
   */
  async *frames(options?: { readonly signal?: AbortSignal }): AsyncGenerator<PoolFrame, void, undefined> {
    for (;;) {
      const frame = await this.next(options);
      if (frame === null) return;
      try {
        yield frame;
      } finally {
        frame.release();
      }
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<PoolFrame, void, undefined> {
    return this.frames();
  }

  #take(operation: string): PoolFrame | undefined {
    this.#cell.mustBeOpen(operation);
    if (!this.#isServed(operation)) return undefined;
    const row = this.#row;
    this.#patience.begin();
    for (;;) {
      const revoked = load(row, RowWord.revoked);
      const lost = (revoked - this.#next) | 0;
      if (lost > 0) this.#lose(lost, revoked);
      const entry = this.#next;
      const there = (load(row, RowWord.pushed) - entry) | 0;
      if (there === 0) return undefined;
      if (there > 0 && there <= this.#shape.queue) {
        const at = RowWord.queue + (entry & (this.#shape.queue - 1)) * ENTRY_WORDS;
        const block = row[at + EntryWord.block] as number;
        const given = row[at + EntryWord.given] as number;
        const skipped = row[at + EntryWord.missed] as number;
        // Nothing above may be taken after this looks whether it was overwritten.
        order();
        if (load(row, at + EntryWord.check) === entry) {
          const frame = this.#claim(operation, entry, block, given, skipped);
          if (frame !== undefined) return frame;
          continue;
        }
      }
      // An entry is overwritten, or too many are there, only while frames are taken back.
      if (this.#patience.isOver()) {
        throw damaged(
          operation,
          this.#cell.object,
          `entry ${entry >>> 0} of ${there} that are there does not stand where it should`,
        );
      }
    }
  }

  /** Goes on behind entries that were taken back. A producer that died over it may not have got their blocks. */
  #lose(count: number, revoked: number): void {
    this.#lost += count;
    this.#next = revoked;
    for (let back = Math.min(count, this.#shape.queue); back > 0; back--) {
      const entry = (revoked - back) | 0;
      const at = RowWord.queue + (entry & (this.#shape.queue - 1)) * ENTRY_WORDS;
      const block = this.#row[at + EntryWord.block] as number;
      const given = this.#row[at + EntryWord.given] as number;
      order();
      if (load(this.#row, at + EntryWord.check) !== entry || block < 0 || block >= this.#shape.blocks) continue;
      store(this.#row, this.#shape.returnedWords + block, given);
    }
  }

  /** Takes an entry, unless the producer takes it back at the same moment. */
  #claim(operation: string, entry: number, block: number, given: number, skipped: number): PoolFrame | undefined {
    const row = this.#row;
    if (block < 0 || block >= this.#shape.blocks) throw damaged(operation, this.#cell.object, `there is no block ${block}`);
    this.#next = (entry + 1) | 0;
    store(row, RowWord.taking, this.#next);
    // The producer says what it takes back before it looks what is taken: one of the two sees the other.
    fence();
    if (((load(row, RowWord.revoked) - entry) | 0) > 0) {
      this.#lost++;
      this.#giveBack(block, given);
      return undefined;
    }
    const facts = factsOf(block);
    const length = this.#words[facts + FactWord.length] as number;
    const low = this.#words[facts + FactWord.number] as number;
    const high = this.#words[facts + FactWord.number + 1] as number;
    if (length < 0 || length > this.blockSize || high < 0 || high >= HIGH_LIMIT) {
      this.#giveBack(block, given);
      throw damaged(operation, this.#cell.object, `block ${block} says ${length} bytes`);
    }
    const missed = ((skipped - this.#skipped) >>> 0) + this.#lost;
    this.#skipped = skipped;
    this.#lost = 0;
    this.#missed += missed;
    const { buffer, start } = this.#cell.place;
    const bytes = new Uint8Array(buffer, start + this.#cell.header.data + block * this.blockSize, length);
    return new PoolFrame(bytes, wide(low, high), missed, block, () => this.#giveBack(block, given));
  }

  #giveBack(block: number, given: number): void {
    if (!this.#cell.isOpen) return;
    store(this.#row, this.#shape.returnedWords + block, given);
    this.#ring();
  }

  /** Whether the producer has taken notice. */
  #isServed(operation: string): boolean {
    const accepted = load(this.#row, RowWord.accepted);
    if (accepted === this.#ready) {
      if (!this.#isAccepted) this.#next = this.#row[RowWord.start] as number;
      this.#isAccepted = true;
      return true;
    }
    if (!this.#isAccepted) return false;
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: this.#cell.object,
      rule: 'the producer has taken all blocks back and serves this consumer no more',
      wayOut: 'Open the pool again, and give frames back sooner',
    });
  }

  /** Gives all back and leaves the pool; whoever waits gets ERR_SECTION_CLOSED. Safe to call twice. */
  close(): void {
    if (this.#cell.isOpen) {
      store(this.#row, RowWord.ready, (this.#ready + 1) | 0);
      releaseRole(this.#roles, this.#roleAt(this.id), this.#cell.header.home);
      this.#ring();
    }
    this.#waits.close();
    this.#doorbell.close();
    this.#cell.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
