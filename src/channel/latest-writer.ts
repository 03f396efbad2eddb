/**
 * The writer of a Latest: puts each value whole into a slot that no reader looks at, and then makes it the newest.
 */
import { SectionError } from '../base/error.js';
import { type Bytes, bytesOf } from '../memory/bytes.js';
import type { Cell } from './cell.js';
import { highOf, load, order, store, wide } from './fence.js';
import { factsAt, SlotWord } from './latest-layout.js';
import { OneWriterAt, WriterWords } from './one-writer.js';
import { SharedBytes } from './shared-bytes.js';

const NEWEST = OneWriterAt.newest / 4;

export class LatestWriter {
  readonly #side: WriterWords;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #slots: readonly SharedBytes[];
  /** Bytes that a value has at most. */
  readonly capacity: number;
  #version: number;
  #busy = false;

  /** @internal */
  constructor(operation: string, cell: Cell) {
    this.#side = new WriterWords(operation, cell);
    this.#words = this.#side.words;
    const [capacity, slots, stride] = cell.header.parameters;
    const { buffer, start } = cell.place;
    this.capacity = capacity;
    this.#slots = Array.from(
      { length: slots },
      (_, slot) => new SharedBytes(buffer, start + cell.header.data + slot * stride, capacity),
    );
    const newest = load(this.#words, NEWEST);
    this.#version = wide(newest, this.#words[factsAt(newest & (slots - 1)) + SlotWord.numberHigh] ?? 0);
  }

  /** The number of the newest value, which counts all values from 1 on, those of earlier writers too; 0: there is none yet. */
  get version(): number {
    return this.#version;
  }

  get closed(): boolean {
    return !this.#side.cell.isOpen;
  }

  /**
   * Makes a value the newest.
   *
   * @param value At most {@link capacity} bytes. Copied.
   * @returns its number
   * @throws SectionError ERR_SECTION_MESSAGE_TOO_BIG, ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_CLOSED
   */
  write(value: Bytes): number {
    const operation = 'latest.write';
    const bytes = bytesOf(operation, 'value', value);
    const { length } = bytes;
    if (length > this.capacity) throw this.#tooBig(operation, length);
    this.#begin(operation).copyIn(bytes, 0);
    return this.#publish(length);
  }

  /**
   * Makes a value the newest that is written in place, without a copy.
   *
   * @param fill Gets {@link capacity} bytes of any content, to be used during the call only. Returns how many of them the value
   * has; all if it returns nothing. If it throws, nothing is published.
   * @returns the value's number
   * @throws SectionError as {@link write}, and what `fill` throws
   */
  update(fill: (bytes: Uint8Array<ArrayBuffer>) => number | undefined): number {
    const operation = 'latest.update';
    const slot = this.#begin(operation);
    this.#busy = true;
    let length: unknown;
    try {
      length = fill(slot.bytes);
    } finally {
      this.#busy = false;
    }
    if (length === undefined) length = this.capacity;
    if (typeof length !== 'number' || !Number.isInteger(length) || length < 0) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object: this.#side.cell.object,
        rule: 'fill must return how many bytes the value has, or nothing, before it ends',
      });
    }
    if (length > this.capacity) throw this.#tooBig(operation, length);
    this.#side.cell.mustBeOpen(operation);
    return this.#publish(length);
  }

  /** The bytes of the next value's slot, which no reader takes for whole from now on. */
  #begin(operation: string): SharedBytes {
    this.#side.cell.mustBeOpen(operation);
    if (this.#busy) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object: this.#side.cell.object,
        rule: 'a value is being written: fill may not write another',
      });
    }
    const next = this.#version + 1;
    const slot = next & (this.#slots.length - 1);
    const facts = factsAt(slot);
    store(this.#words, facts + SlotWord.begun, next | 0);
    order();
    this.#words[facts + SlotWord.numberHigh] = highOf(next);
    return this.#slots[slot] as SharedBytes;
  }

  #publish(length: number): number {
    const next = this.#version + 1;
    this.#words[factsAt(next & (this.#slots.length - 1)) + SlotWord.length] = length;
    this.#version = next;
    this.#side.publish(next | 0);
    return next;
  }

  #tooBig(operation: string, length: number): SectionError {
    return new SectionError('ERR_SECTION_MESSAGE_TOO_BIG', {
      operation,
      object: this.#side.cell.object,
      rule: `a value has at most ${this.capacity} bytes, not ${length}`,
      wayOut: 'Create the channel with a larger size',
    });
  }

  /** Tells the readers that this was the last value, which they can still read, and lets another write. Safe to call twice. */
  close(): void {
    this.#side.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
