/**
 * `Latest`: one writer, any number of readers, always the newest value, whole. Makes, opens and places one; what the two
 * sides do stands in latest-writer.ts and latest-reader.ts.
 */
import { options } from '../base/checks.js';
import type { View } from '../memory/view.js';
import { Cell, type PartOptions, partKeys, type SectionOptions, sectionKeys, type Wake, wakes } from './cell.js';
import { checkLatest, latestFacts } from './latest-layout.js';
import { LatestReader } from './latest-reader.js';
import { LatestWriter } from './latest-writer.js';

export interface LatestFormat {
  /** Bytes that a value has at most, 1 to 2^30. */
  readonly size: number | bigint;
  /** Places for values, 2 to 64 (rounded up to a power of two), default 4. A reader is disturbed only if the writer writes so many, less one, while it copies one. */
  readonly slots?: number;
  /** Default `'always'`. */
  readonly wake?: Wake;
}

export type LatestCreateOptions = LatestFormat & SectionOptions;

const formatKeys = ['size', 'slots', 'wake'] as const;

/**
 * One writer, any number of readers, always the newest value.
 *
 * Readers never wait for the writer, and the writer never for them. A read-only view is enough to read. A writer that is killed
 * in the middle leaves the last complete value, and another can take its place.
 */
export const Latest = {
  /**
   * Makes a channel in a section of its own, and becomes its writer.
   *
   * @throws SectionError as Section.create
   */
  create(createOptions: LatestCreateOptions): LatestWriter {
    const operation = 'Latest.create';
    const given = options(operation, createOptions, [...formatKeys, ...sectionKeys]);
    const facts = latestFacts(operation, given.size, given.slots, wakes(operation, given.wake));
    return new LatestWriter(operation, Cell.create(operation, given, facts, checkLatest));
  },

  /**
   * Opens a channel as a reader.
   *
   * @param name As given to create.
   * @throws SectionError as Section.open; ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_CHANNEL_DAMAGED
   */
  open(name: string): LatestReader {
    return new LatestReader(Cell.open('Latest.open', name, 'latest', checkLatest, 'read'));
  },

  /**
   * Opens a channel as its writer, in the place of one that has closed it or has ended.
   *
   * @throws SectionError as {@link open}; ERR_SECTION_ROLE_TAKEN, ERR_SECTION_ACCESS_DENIED
   */
  openWriter(name: string): LatestWriter {
    const operation = 'Latest.openWriter';
    return new LatestWriter(operation, Cell.open(operation, name, 'latest', checkLatest, 'readwrite'));
  },

  /**
   * Makes a channel in a part of a view, and becomes its writer. What stood there is lost.
   *
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_ACCESS_DENIED
   */
  format(view: View, formatOptions: LatestFormat & PartOptions): LatestWriter {
    const operation = 'Latest.format';
    const given = options(operation, formatOptions, [...formatKeys, ...partKeys]);
    const facts = latestFacts(operation, given.size, given.slots, wakes(operation, given.wake));
    return new LatestWriter(operation, Cell.format(operation, view, given, facts, checkLatest));
  },

  /** Reads a channel that stands in a part of a view; a read-only one will do. */
  over(view: View, part?: PartOptions): LatestReader {
    const operation = 'Latest.over';
    return new LatestReader(Cell.over(operation, view, options(operation, part, partKeys), 'latest', checkLatest, 'read'));
  },

  /** Writes a channel that stands in a part of a view. */
  writerOver(view: View, part?: PartOptions): LatestWriter {
    const operation = 'Latest.writerOver';
    const given = options(operation, part, partKeys);
    return new LatestWriter(operation, Cell.over(operation, view, given, 'latest', checkLatest, 'readwrite'));
  },
};
