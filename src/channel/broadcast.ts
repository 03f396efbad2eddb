/**
 * `Broadcast`: one writer, any number of readers, a log that each reads at its own pace. Makes, opens and places one; what
 * the two sides do stands in broadcast-writer.ts and broadcast-reader.ts.
 */
import { oneOf, options, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import { broadcastFacts, checkBroadcast } from './broadcast-layout.js';
import { BroadcastReader, type BroadcastReadOptions } from './broadcast-reader.js';
import { BroadcastWriter } from './broadcast-writer.js';
import { Cell, type PartOptions, partKeys, type SectionOptions, sectionKeys, type Wake, wakes } from './cell.js';

export interface BroadcastFormat {
  /** Bytes of the log, 64 to 2^30, rounded up to a power of two. Each message takes 8 more than it has, rounded up to 8; the longest takes half the log. */
  readonly capacity: number | bigint;
  /** Default `'always'`. */
  readonly wake?: Wake;
}

export type BroadcastCreateOptions = BroadcastFormat & SectionOptions;

const formatKeys = ['capacity', 'wake'] as const;
const readKeys = ['from', 'onLost'] as const;

function readOptions(operation: string, given: Partial<BroadcastReadOptions>): BroadcastReadOptions {
  if (given.from !== undefined) oneOf(operation, 'from', given.from, ['oldest', 'now']);
  if (given.onLost !== undefined && typeof given.onLost !== 'function') {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `onLost must be a function, not ${show(given.onLost)}`,
    });
  }
  return given;
}

/**
 * One writer, any number of readers, each of which gets every message that it is not too slow for.
 *
 * The writer never waits: a reader that it overtakes is told what it has lost. A read-only view is enough to read. A writer that
 * is killed in the middle leaves all that it had shown, and another can take its place.
 */
export const Broadcast = {
  /**
   * Makes a channel in a section of its own, and becomes its writer.
   *
   * @throws SectionError as Section.create
   */
  create(createOptions: BroadcastCreateOptions): BroadcastWriter {
    const operation = 'Broadcast.create';
    const given = options(operation, createOptions, [...formatKeys, ...sectionKeys]);
    const facts = broadcastFacts(operation, given.capacity, wakes(operation, given.wake));
    return new BroadcastWriter(operation, Cell.create(operation, given, facts, checkBroadcast));
  },

  /**
   * Opens a channel as a reader.
   *
   * @param name As given to create.
   * @throws SectionError as Section.open; ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_CHANNEL_DAMAGED
   */
  open(name: string, given?: BroadcastReadOptions): BroadcastReader {
    const operation = 'Broadcast.open';
    const checked = readOptions(operation, options(operation, given, readKeys));
    return new BroadcastReader(operation, Cell.open(operation, name, 'broadcast', checkBroadcast, 'read'), checked);
  },

  /**
   * Opens a channel as its writer, in the place of one that has closed it or has ended.
   *
   * @throws SectionError as {@link open}; ERR_SECTION_ROLE_TAKEN, ERR_SECTION_ACCESS_DENIED
   */
  openWriter(name: string): BroadcastWriter {
    const operation = 'Broadcast.openWriter';
    return new BroadcastWriter(operation, Cell.open(operation, name, 'broadcast', checkBroadcast, 'readwrite'));
  },

  /**
   * Makes a channel in a part of a view, and becomes its writer. What stood there is lost.
   *
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_ACCESS_DENIED
   */
  format(view: View, formatOptions: BroadcastFormat & PartOptions): BroadcastWriter {
    const operation = 'Broadcast.format';
    const given = options(operation, formatOptions, [...formatKeys, ...partKeys]);
    const facts = broadcastFacts(operation, given.capacity, wakes(operation, given.wake));
    return new BroadcastWriter(operation, Cell.format(operation, view, given, facts, checkBroadcast));
  },

  /** Reads a channel that stands in a part of a view; a read-only one will do. */
  over(view: View, given?: PartOptions & BroadcastReadOptions): BroadcastReader {
    const operation = 'Broadcast.over';
    const known = options(operation, given, [...partKeys, ...readKeys]);
    const checked = readOptions(operation, known);
    return new BroadcastReader(operation, Cell.over(operation, view, known, 'broadcast', checkBroadcast, 'read'), checked);
  },

  /** Writes a channel that stands in a part of a view. */
  writerOver(view: View, part?: PartOptions): BroadcastWriter {
    const operation = 'Broadcast.writerOver';
    const given = options(operation, part, partKeys);
    return new BroadcastWriter(operation, Cell.over(operation, view, given, 'broadcast', checkBroadcast, 'readwrite'));
  },
};
