/**
 * The producer of a Pool: takes free blocks, has them filled in place, hands them to the consumers, and takes them back when all
 * have given them back, or have ended. Which block is whose it knows by itself; of the consumers it believes only what
 * concerns their own blocks.
 */
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { mappingOf } from '../memory/view.js';
import { judgeTimeout, type WaitOptions } from '../sync/wait-options.js';
import { WaitPoint } from '../sync/wait-point.js';
import type { Cell } from './cell.js';
import { highOf, load, store, wide } from './fence.js';
import { timedOut } from './peer-waits.js';
import { FactWord, factsOf, type PolicyName, PoolAt, type PoolShape, poolShape, RowWord } from './pool-layout.js';
import { PoolRow } from './pool-row.js';
import { FREE, holderHasEnded, holderOf, releaseRole, roleTaken, takeRole } from './role.js';
import { watchRole } from './watch-role.js';

/** A consumer as its producer sees it. */
export interface PoolConsumerFacts {
  /** Its row: what `to` takes. */
  readonly id: number;
  readonly pid: number;
  readonly whenSlow: PolicyName;
  /** Blocks that it has, or that wait for it. */
  readonly holding: number;
  /** Frames that passed it by because it was slow; those that it lost from its queue it counts itself. */
  readonly missed: number;
}

/** `attached`; `detached`: it has closed its side; `ended`: its process has ended without; `expelled` by the producer. */
export type PoolEvent = 'attached' | 'detached' | 'ended' | 'expelled';

export interface PoolProducerOptions {
  /** Told of consumers that come and go, when the producer notices: at a call or while it waits. */
  readonly onConsumer?: (event: PoolEvent, consumer: PoolConsumerFacts) => void;
}

/** A block that the producer has taken, to be filled. */
export class PoolBlock {
  readonly #producer: PoolProducer;
  readonly #publish: (length: number, to: readonly number[] | null) => number;
  readonly #discard: () => void;
  #isTaken = true;
  readonly index: number;
  /** The memory itself; of any content. Not to be used after {@link publish} or {@link discard}. */
  readonly bytes: Uint8Array<ArrayBuffer>;

  /** @internal */
  constructor(
    producer: PoolProducer,
    index: number,
    bytes: Uint8Array<ArrayBuffer>,
    publish: (length: number, to: readonly number[] | null) => number,
    discard: () => void,
  ) {
    this.#producer = producer;
    this.index = index;
    this.bytes = bytes;
    this.#publish = publish;
    this.#discard = discard;
  }

  /**
   * Hands the block over as the next frame.
   *
   * @param length Bytes of the frame, from the block's start; default all.
   * @param to Consumers by their `id`; default all that are attached.
   * @returns to how many it went. If to none, the block is free again at once.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT (the block was handed over already), ERR_SECTION_OUT_OF_RANGE,
   * ERR_SECTION_CLOSED
   */
  publish(length: number = this.bytes.length, to?: number | readonly number[]): number {
    const operation = 'block.publish';
    this.#mustBeTaken(operation);
    const bytes = byteCount(operation, 'length', length, { maximum: this.bytes.length, code: 'ERR_SECTION_OUT_OF_RANGE' });
    const rows = to === undefined ? null : typeof to === 'number' ? [to] : to;
    if (rows !== null && !(Array.isArray(rows) && rows.every((row) => Number.isInteger(row)))) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        rule: `to must be a consumer's id or an array of them, not ${show(to)}`,
      });
    }
    this.#isTaken = false;
    return this.#publish(bytes, rows);
  }

  /** Gives the block back unused. Safe to call twice, and after {@link publish}. */
  discard(): void {
    if (!this.#isTaken || this.#producer.closed) return;
    this.#isTaken = false;
    this.#discard();
  }

  #mustBeTaken(operation: string): void {
    if (this.#producer.closed) throw this.#producer.closedError(operation);
    if (this.#isTaken) return;
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `block ${this.index} was handed over or given back already`,
      wayOut: 'Take another one with acquire()',
    });
  }

  [Symbol.dispose](): void {
    this.discard();
  }
}

export class PoolProducer {
  readonly #cell: Cell;
  readonly #shape: PoolShape;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #roles: BigUint64Array<ArrayBuffer>;
  readonly #blocks: readonly Uint8Array<ArrayBuffer>[];
  readonly #rows: readonly PoolRow[];
  readonly #point: WaitPoint;
  readonly #onConsumer: PoolProducerOptions['onConsumer'];
  /** How many consumers have a block, and one more while the producer fills it. */
  readonly #users: Int32Array<ArrayBuffer>;
  readonly #free: number[] = [];
  #doorbell: number;
  #number = 0;
  /** Bytes in a block, and how many blocks there are. */
  readonly blockSize: number;
  readonly blocks: number;

  /** @internal */
  constructor(operation: string, cell: Cell, { onConsumer }: PoolProducerOptions) {
    const { buffer, start, view } = cell.place;
    this.#cell = cell;
    this.#onConsumer = onConsumer;
    const shape = poolShape(cell.header);
    this.#shape = shape;
    this.blockSize = shape.blockSize;
    this.blocks = shape.blocks;
    this.#words = new Int32Array(buffer, start, cell.header.data / 4);
    this.#roles = new BigUint64Array(buffer, start, cell.header.data / 8);
    if (takeRole(this.#roles, PoolAt.producer / 8, cell.header.home) === null) {
      const holder = Atomics.load(this.#roles, PoolAt.producer / 8);
      cell.close();
      throw roleTaken(operation, cell.object, 'producer', holder);
    }
    this.#point = new WaitPoint(view[mappingOf], start + PoolAt.doorbell);
    this.#blocks = Array.from(
      { length: shape.blocks },
      (_, block) => new Uint8Array(buffer, start + cell.header.data + block * shape.blockSize, shape.blockSize),
    );
    this.#users = new Int32Array(shape.blocks);
    this.#rows = Array.from({ length: shape.consumers }, (_, index) => {
      const at = shape.row(index);
      const words = this.#words.subarray(at / 4, shape.row(index + 1) / 4);
      const signal = new WaitPoint(view[mappingOf], start + at + 4 * RowWord.signal);
      return new PoolRow(index, words, shape, signal, (block) => this.#letGo(block));
    });
    store(this.#words, PoolAt.epoch / 4, ((this.#words[PoolAt.epoch / 4] as number) + 1) | 0);
    store(this.#words, PoolAt.ended / 4, 0);
    this.#doorbell = load(this.#words, PoolAt.doorbell / 4);
    cell.whenViewCloses(() => this.close());
    this.#recover();
  }

  /** Goes on where another producer has stopped: consumers that live keep their blocks. */
  #recover(): void {
    for (let block = 0; block < this.blocks; block++) {
      const at = factsOf(block) + FactWord.number;
      const number = wide(this.#words[at] as number, this.#words[at + 1] as number);
      if (number > this.#number && number < Number.MAX_SAFE_INTEGER) this.#number = number;
    }
    for (const row of this.#rows) {
      for (const block of row.recover()) this.#users[block] = (this.#users[block] as number) + 1;
    }
    for (let block = this.blocks - 1; block >= 0; block--) if (this.#users[block] === 0) this.#free.push(block);
    for (const row of this.#rows) {
      const role = this.#roleOf(row);
      const isServed = row.accepted !== 0 && row.accepted === row.ready && (row.accepted & 1) === 1;
      if (isServed && role !== FREE && !holderHasEnded(role, this.#cell.header.home)) this.#serve(row, role);
      else row.clear();
    }
    this.#sweep();
  }

  #roleOf(row: PoolRow): bigint {
    return Atomics.load(this.#roles, (this.#shape.row(row.index) + 4 * RowWord.consumer) / 8);
  }

  /** A consumer has a block no more, or the producer itself. */
  #letGo(block: number): void {
    const users = (this.#users[block] as number) - 1;
    this.#users[block] = users;
    if (users === 0) this.#free.push(block);
  }

  /** Looks who came, who went, and which blocks came back, if anybody has rung. */
  #look(): void {
    const doorbell = load(this.#words, PoolAt.doorbell / 4);
    if (doorbell === this.#doorbell) return;
    this.#doorbell = doorbell;
    this.#sweep();
  }

  #sweep(): void {
    for (const row of this.#rows) {
      const { ready } = row;
      if (row.accepted !== 0 && row.accepted !== ready) this.#dismiss(row, 'detached');
      else row.collect();
      if (row.accepted === 0 && (ready & 1) === 1 && ready !== row.refused) this.#accept(row, ready);
    }
  }

  #accept(row: PoolRow, ready: number): void {
    const role = this.#roleOf(row);
    if (role === FREE || holderHasEnded(role, this.#cell.header.home)) {
      row.refused = ready;
      return;
    }
    const at = this.#shape.row(row.index) / 4;
    row.accept(ready, this.#words[at + RowWord.policy] as number, this.#words[at + RowWord.depth] as number);
    this.#serve(row, role);
    this.#onConsumer?.('attached', this.#factsOf(row));
  }

  #serve(row: PoolRow, role: bigint): void {
    row.pid = holderOf(role)?.pid ?? 0;
    const { accepted } = row;
    row.watch = watchRole(role, this.#cell.header.home, () => {
      if (row.accepted !== accepted) return;
      this.#dismiss(row, 'ended');
      this.#point.poke();
    });
  }

  #dismiss(row: PoolRow, event: PoolEvent): void {
    const facts = this.#factsOf(row);
    row.refused = row.accepted;
    row.clear();
    this.#onConsumer?.(event, facts);
  }

  #factsOf(row: PoolRow): PoolConsumerFacts {
    return { id: row.index, pid: row.pid, whenSlow: row.policy, holding: row.holding, missed: row.missed };
  }

  /** Who is attached. */
  get consumers(): PoolConsumerFacts[] {
    if (this.closed) return [];
    this.#look();
    return this.#rows.filter((row) => row.accepted !== 0).map((row) => this.#factsOf(row));
  }

  /** Blocks that nobody has. */
  get free(): number {
    if (!this.closed) this.#look();
    return this.#free.length;
  }

  /** The number of the last frame; frames are numbered from 1 on, those of earlier producers too. */
  get number(): number {
    return this.#number;
  }

  get closed(): boolean {
    return !this.#cell.isOpen;
  }

  /** @internal */
  closedError(operation: string): SectionError {
    return this.#cell.closedError(operation);
  }

  /**
   * A free block, at once; null if there is none. If there is none, consumers that may lose frames lose their oldest one for it.
   *
   * @throws SectionError ERR_SECTION_CLOSED
   */
  tryAcquire(): PoolBlock | null {
    return this.#acquire('pool.tryAcquire') ?? null;
  }

  #acquire(operation: string): PoolBlock | undefined {
    this.#cell.mustBeOpen(operation);
    if (this.#free.length === 0) this.#look();
    for (const row of this.#rows) {
      if (this.#free.length > 0) break;
      if (row.policy === 'drop' && row.accepted !== 0) row.revokeOldest();
    }
    const block = this.#free.pop();
    if (block === undefined) return undefined;
    this.#users[block] = 1;
    return new PoolBlock(
      this,
      block,
      this.#blocks[block] as Uint8Array<ArrayBuffer>,
      (length, to) => this.#publish(block, length, to),
      () => this.#letGo(block),
    );
  }

  /**
   * A free block; waits until a consumer gives one back, or ends.
   *
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_CLOSED; the signal's reason
   */
  acquire(options?: WaitOptions): Promise<PoolBlock> {
    return this.#wait('pool.acquire', () => this.#acquire('pool.acquire'), options);
  }

  /**
   * As {@link acquire}, and blocks the thread.
   *
   * @param timeout Milliseconds. Default: for ever.
   */
  acquireSync(timeout?: number): PoolBlock {
    const operation = 'pool.acquireSync';
    const attempt = () => this.#acquire(operation) ?? (this.#dismissEnded() ? this.#acquire(operation) : undefined);
    const { object } = this.#cell;
    this.#cell.mustBeOpen(operation);
    const block = this.#point.waitSync(operation, object, attempt, judgeTimeout(operation, timeout), true);
    if (block === undefined) throw timedOut(operation, object, timeout ?? 0);
    return block;
  }

  /** Asks the system which consumers have ended: nobody can be told while the thread is blocked. Whether any has. */
  #dismissEnded(): boolean {
    const ended = this.#rows.filter((row) => row.accepted !== 0 && holderHasEnded(this.#roleOf(row), this.#cell.header.home));
    for (const row of ended) this.#dismiss(row, 'ended');
    return ended.length > 0;
  }

  /** Waits until so many consumers are attached. */
  async attached(count = 1, options?: WaitOptions): Promise<void> {
    await this.#wait('pool.attached', () => (this.consumers.length >= count ? true : undefined), options);
  }

  /** Waits until all blocks have come back. */
  async drained(options?: WaitOptions): Promise<void> {
    await this.#wait('pool.drained', () => (this.free === this.blocks ? true : undefined), options);
  }

  async #wait<T>(operation: string, attempt: () => T | undefined, options: WaitOptions | undefined): Promise<T> {
    const { object } = this.#cell;
    this.#cell.mustBeOpen(operation);
    const outcome = await this.#point.wait(operation, object, attempt, options);
    if (outcome === undefined) throw timedOut(operation, object, options?.timeout ?? 0);
    return outcome;
  }

  #publish(block: number, length: number, to: readonly number[] | null): number {
    this.#look();
    this.#number++;
    const at = factsOf(block);
    this.#words[at + FactWord.length] = length;
    this.#words[at + FactWord.number] = this.#number | 0;
    this.#words[at + FactWord.number + 1] = highOf(this.#number);
    let count = 0;
    for (const row of this.#rows) {
      if (row.accepted === 0 || (to !== null && !to.includes(row.index))) continue;
      if (!row.handOver(block)) continue;
      this.#users[block] = (this.#users[block] as number) + 1;
      count++;
    }
    this.#letGo(block);
    return count;
  }

  /**
   * Serves a consumer no more, and takes its blocks back: for one that holds them for too long. It is told when it looks next;
   * until then it may read what is written into them anew.
   *
   * @param id As in {@link consumers}.
   */
  expel(id: number): void {
    const row = this.#rows[id];
    if (row !== undefined && row.accepted !== 0 && !this.closed) this.#dismiss(row, 'expelled');
  }

  /**
   * Tells the consumers that this was the last frame, and lets another produce. They can still take what waits for them, and
   * keep what they have. Safe to call twice.
   */
  close(): void {
    if (this.#cell.isOpen) {
      store(this.#words, PoolAt.ended / 4, 1);
      for (const row of this.#rows) if (row.accepted !== 0) row.tell();
      releaseRole(this.#roles, PoolAt.producer / 8, this.#cell.header.home);
    }
    for (const row of this.#rows) row.close();
    this.#cell.close();
    this.#point.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
