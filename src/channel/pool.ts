/**
 * `Pool`: large blocks that a producer fills and consumers read where they are. Makes, opens and places one; what the two
 * sides do stands in pool-producer.ts and pool-consumer.ts.
 */
import { byteCount, oneOf, options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import { Cell, type PartOptions, partKeys, type SectionOptions } from './cell.js';
import { PoolConsumer, type PoolConsumerOptions } from './pool-consumer.js';
import { checkPool, Policy, type PolicyName, poolFacts } from './pool-layout.js';
import { PoolProducer, type PoolProducerOptions } from './pool-producer.js';

export interface PoolFormat {
  /** Bytes in a block, 1 to 2^31, rounded up to a multiple of 64. */
  readonly blockSize: number | bigint;
  /** 1 to 4096. */
  readonly blocks: number;
  /** How many consumers can be attached at a time, 1 to 64, default 8. */
  readonly consumers?: number;
}

export type PoolCreateOptions = PoolFormat & Omit<SectionOptions, 'protection'> & PoolProducerOptions;

const formatKeys = ['blockSize', 'blocks', 'consumers'] as const;
const producerKeys = ['onConsumer'] as const;
const consumerKeys = ['whenSlow', 'depth', 'row'] as const;

function producerOptions(operation: string, given: Partial<PoolProducerOptions>): PoolProducerOptions {
  if (given.onConsumer !== undefined && typeof given.onConsumer !== 'function') {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `onConsumer must be a function, not ${show(given.onConsumer)}`,
    });
  }
  return given;
}

function consumerOptions(operation: string, given: Partial<PoolConsumerOptions>): PoolConsumerOptions {
  if (given.whenSlow !== undefined) oneOf(operation, 'whenSlow', given.whenSlow, Object.keys(Policy) as PolicyName[]);
  if (given.depth !== undefined) byteCount(operation, 'depth', given.depth, { minimum: 1 });
  return given;
}

/** The row that a consumer asks for can be judged only where the pool is known. */
function consumer(operation: string, cell: Cell, given: PoolConsumerOptions): PoolConsumer {
  try {
    if (given.row !== undefined) byteCount(operation, 'row', given.row, { maximum: cell.header.parameters[2] - 1 });
    return new PoolConsumer(operation, cell, given);
  } catch (error) {
    cell.close();
    throw error;
  }
}

/**
 * Blocks of megabytes that one producer fills in place and any of the attached consumers read in place: nothing is copied.
 *
 * A block is free again when each consumer that got it has given it back, or has ended. A producer that is killed leaves the
 * consumers what they have; another can take its place.
 */
export const Pool = {
  /**
   * Makes a pool in a section of its own, and becomes its producer.
   *
   * @throws SectionError as Section.create
   */
  create(createOptions: PoolCreateOptions): PoolProducer {
    const operation = 'Pool.create';
    const given = options(operation, createOptions, [...formatKeys, ...producerKeys, 'name', 'security']);
    const checked = producerOptions(operation, given);
    const facts = poolFacts(operation, given.blockSize, given.blocks, given.consumers);
    return new PoolProducer(operation, Cell.create(operation, given, facts, checkPool), checked);
  },

  /**
   * Attaches a consumer. Its view of the blocks is read-only.
   *
   * @param name As given to create.
   * @throws SectionError as Section.open; ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_LIMIT (as many
   * consumers as there can be), ERR_SECTION_ROLE_TAKEN (the row that was asked for)
   */
  open(name: string, given?: PoolConsumerOptions): PoolConsumer {
    const operation = 'Pool.open';
    const checked = consumerOptions(operation, options(operation, given, consumerKeys));
    return consumer(operation, Cell.open(operation, name, 'pool', checkPool, 'readwrite', 'read'), checked);
  },

  /**
   * Opens a pool as its producer, in the place of one that has closed it or has ended. Consumers keep what they have.
   *
   * @throws SectionError as {@link open}; ERR_SECTION_ROLE_TAKEN, ERR_SECTION_ACCESS_DENIED
   */
  openProducer(name: string, given?: PoolProducerOptions): PoolProducer {
    const operation = 'Pool.openProducer';
    const checked = producerOptions(operation, options(operation, given, producerKeys));
    return new PoolProducer(operation, Cell.open(operation, name, 'pool', checkPool, 'readwrite'), checked);
  },

  /**
   * Makes a pool in a part of a view, and becomes its producer. What stood there is lost.
   *
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_ACCESS_DENIED
   */
  format(view: View, formatOptions: PoolFormat & PartOptions & PoolProducerOptions): PoolProducer {
    const operation = 'Pool.format';
    const given = options(operation, formatOptions, [...formatKeys, ...partKeys, ...producerKeys]);
    const checked = producerOptions(operation, given);
    const facts = poolFacts(operation, given.blockSize, given.blocks, given.consumers);
    return new PoolProducer(operation, Cell.format(operation, view, given, facts, checkPool), checked);
  },

  /** Attaches a consumer to a pool that stands in a part of a view, which must be writable: frames are read in that view. */
  over(view: View, given?: PartOptions & PoolConsumerOptions): PoolConsumer {
    const operation = 'Pool.over';
    const known = options(operation, given, [...partKeys, ...consumerKeys]);
    const checked = consumerOptions(operation, known);
    return consumer(operation, Cell.over(operation, view, known, 'pool', checkPool, 'readwrite'), checked);
  },

  /** Produces for a pool that stands in a part of a view. */
  producerOver(view: View, given?: PartOptions & PoolProducerOptions): PoolProducer {
    const operation = 'Pool.producerOver';
    const known = options(operation, given, [...partKeys, ...producerKeys]);
    const checked = producerOptions(operation, known);
    return new PoolProducer(operation, Cell.over(operation, view, known, 'pool', checkPool, 'readwrite'), checked);
  },
};
