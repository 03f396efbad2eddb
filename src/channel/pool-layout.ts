/**
 * Where the words of a Pool stand, and whether a header's parameters can be. docs/channel-layout.md says what they mean.
 */
import { byteCount } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type ChannelFacts, type ChannelHeader, damaged } from './header.js';

/** Bytes from the channel's start. */
export const PoolAt = { producer: 128, epoch: 136, ended: 140, doorbell: 256, blockFacts: 384 } as const;

/** Words of a block's facts, by index; `number` has 64 bits. */
export const FactWord = { length: 0, number: 2 } as const;
const FACT_BYTES = 16;

/** Index of the first word of a block's facts. */
export const factsOf = (block: number): number => (PoolAt.blockFacts + block * FACT_BYTES) / 4;

/** Words of a consumer's row, by index; the `consumer` is a role of 64 bits. */
export const RowWord = {
  signal: 0,
  accepted: 1,
  start: 2,
  pushed: 3,
  revoked: 4,
  missed: 5,
  consumer: 32,
  ready: 34,
  taking: 35,
  rings: 36,
  policy: 37,
  depth: 38,
  queue: 64,
} as const;

/** Words of an entry in a row's queue, by index. */
export const EntryWord = { check: 0, block: 1, given: 2, missed: 3 } as const;
export const ENTRY_WORDS = 4;

/** What happens when a consumer is slow. */
export const Policy = { wait: 0, skip: 1, drop: 2 } as const;
export type PolicyName = keyof typeof Policy;

/** Who rings and how often it did: a word that nobody has stored before. */
export const doorbellOf = (row: number, rings: number): number => (row << 24) | (rings & 0xff_ffff);

const MOST_BLOCKS = 4096;
const MOST_CONSUMERS = 64;
const DEFAULT_CONSUMERS = 8;
const BLOCK_UNIT = 64;
const MOST_BLOCK_BYTES = 2 ** 31;
const APART = 128;
const PAGE = 4096;

const up = (value: number, unit: number): number => Math.ceil(value / unit) * unit;

/** All that follows from a header's parameters, in bytes unless said. */
export class PoolShape {
  readonly blockSize: number;
  readonly blocks: number;
  readonly consumers: number;
  /** Entries in each queue, a power of two. */
  readonly queue: number;
  readonly #rows: number;
  readonly #rowBytes: number;
  /** From a row's start to `given` and `returned`, in words. */
  readonly givenWords: number;
  readonly returnedWords: number;
  /** The least that blocks can start at. */
  readonly data: number;

  constructor(blockSize: number, blocks: number, consumers: number, queue: number) {
    this.blockSize = blockSize;
    this.blocks = blocks;
    this.consumers = consumers;
    this.queue = queue;
    const given = RowWord.queue * 4 + queue * ENTRY_WORDS * 4;
    const returned = up(given + 4 * blocks, APART);
    this.#rows = up(PoolAt.blockFacts + FACT_BYTES * blocks, APART);
    this.#rowBytes = up(returned + 4 * blocks, APART);
    this.givenWords = given / 4;
    this.returnedWords = returned / 4;
    this.data = up(this.#rows + consumers * this.#rowBytes, PAGE);
  }

  /** Where a row starts. */
  row(index: number): number {
    return this.#rows + index * this.#rowBytes;
  }
}

/** The header for a new Pool; the numbers are checked as users pass them. */
export function poolFacts(operation: string, blockSize: unknown, blocks: unknown, consumers: unknown): ChannelFacts {
  const wanted = byteCount(operation, 'blockSize', blockSize, { minimum: 1, maximum: MOST_BLOCK_BYTES });
  const count = byteCount(operation, 'blocks', blocks, { minimum: 1, maximum: MOST_BLOCKS });
  const rows = byteCount(operation, 'consumers', consumers ?? DEFAULT_CONSUMERS, { minimum: 1, maximum: MOST_CONSUMERS });
  const shape = new PoolShape(up(wanted, BLOCK_UNIT), count, rows, 2 ** Math.ceil(Math.log2(count)));
  const size = shape.data + shape.blocks * shape.blockSize;
  if (size > 2 ** 46)
    throw new SectionError('ERR_SECTION_TOO_BIG', { operation, rule: `the blocks take ${size} bytes together` });
  return {
    kind: 'pool',
    flags: 0,
    size,
    data: shape.data,
    parameters: [shape.blockSize, shape.blocks, shape.consumers, shape.queue],
  };
}

export function checkPool(operation: string, object: string, header: ChannelHeader): void {
  const [blockSize, blocks, consumers, queue] = header.parameters;
  const isCountable =
    blockSize >= BLOCK_UNIT &&
    blockSize <= MOST_BLOCK_BYTES &&
    blockSize % BLOCK_UNIT === 0 &&
    blocks >= 1 &&
    blocks <= MOST_BLOCKS &&
    consumers >= 1 &&
    consumers <= MOST_CONSUMERS &&
    queue >= blocks &&
    queue <= MOST_BLOCKS &&
    (queue & (queue - 1)) === 0;
  const isPossible =
    isCountable &&
    header.data >= new PoolShape(blockSize, blocks, consumers, queue).data &&
    header.data % PAGE === 0 &&
    header.data + blocks * blockSize <= header.size;
  if (!isPossible) {
    throw damaged(operation, object, `its header speaks of ${blocks} blocks of ${blockSize} bytes for ${consumers} consumers`);
  }
}

export function poolShape(header: ChannelHeader): PoolShape {
  return new PoolShape(...header.parameters);
}
