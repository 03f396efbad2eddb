/**
 * A reader of a Latest: takes copies of the newest value that are whole, without asking the writer, and without writing
 * anything. It need not trust the writer: what cannot be is not believed, and nothing is tried for ever.
 */
import { SectionError } from '../base/error.js';
import { type Bytes, bytesOf } from '../memory/bytes.js';
import type { WaitOptions } from '../sync/wait-options.js';
import type { Cell } from './cell.js';
import { load, order, wide } from './fence.js';
import { damaged } from './header.js';
import { factsAt, SlotWord } from './latest-layout.js';
import { OneWriterAt, ReaderWords } from './one-writer.js';
import { Patience } from './patience.js';
import type { PeerState } from './peer-waits.js';
import { SharedBytes } from './shared-bytes.js';

const NEWEST = OneWriterAt.newest / 4;

/** A number's upper half is below this: it is exact then. */
const HIGH_LIMIT = 2 ** 21;

export class LatestReader implements AsyncIterable<Uint8Array<ArrayBuffer>> {
  readonly #side: ReaderWords;
  readonly #words: Int32Array<ArrayBuffer>;
  /** All slots, one behind the other. */
  readonly #slots: SharedBytes;
  readonly #stride: number;
  /** Numbers find their slots by so many of their lowest bits. */
  readonly #mask: number;
  readonly #patience = new Patience();
  /** Bytes that a value has at most. */
  readonly capacity: number;
  #version = 0;
  #retries = 0;

  /** @internal */
  constructor(cell: Cell) {
    this.#side = new ReaderWords(cell);
    this.#words = this.#side.words;
    const [capacity, slots, stride] = cell.header.parameters;
    const { buffer, start } = cell.place;
    this.capacity = capacity;
    this.#slots = new SharedBytes(buffer, start + cell.header.data, slots * stride);
    this.#stride = stride;
    this.#mask = slots - 1;
  }

  /** The number of the value that was read last, 0 before. Values are numbered from 1 on. */
  get version(): number {
    return this.#version;
  }

  /** How often a value had to be read again because the writer had come round meanwhile. */
  get retries(): number {
    return this.#retries;
  }

  /** Who writes. Asks the system: for people and for a look now and then. */
  get writer(): PeerState {
    return this.#side.waits.state;
  }

  get closed(): boolean {
    return !this.#side.cell.isOpen;
  }

  /**
   * The newest value, at once; null if there is none yet. With a target nothing is allocated.
   *
   * @param target Filled from its start.
   * @returns the value, a copy; with a target, how many of its bytes the value has
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE (the target is too small), ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_TIMEOUT
   * (the writer writes faster than a value can be copied), ERR_SECTION_CLOSED
   */
  tryRead(): Uint8Array<ArrayBuffer> | null;
  tryRead(target: Bytes): number | null;
  tryRead(target?: Bytes): Uint8Array<ArrayBuffer> | number | null {
    const operation = 'latest.tryRead';
    return this.#read(operation, target === undefined ? null : bytesOf(operation, 'target', target));
  }

  #read(operation: string, target: Uint8Array | null): Uint8Array<ArrayBuffer> | number | null {
    this.#side.cell.mustBeOpen(operation);
    const words = this.#words;
    this.#patience.begin();
    for (;;) {
      const newest = load(words, NEWEST);
      const slot = newest & this.#mask;
      const facts = factsAt(slot);
      const high = words[facts + SlotWord.numberHigh] as number;
      const length = (words[facts + SlotWord.length] as number) >>> 0;
      let copy: Uint8Array<ArrayBuffer> | number = length;
      if (length <= this.capacity) {
        const at = slot * this.#stride;
        if (target === null) copy = this.#slots.bytes.slice(at, at + length);
        else if (length <= target.length) this.#slots.copyOut(at, length, target);
      }
      // Nothing above may be taken after this looks whether it was overwritten.
      order();
      if (load(words, facts + SlotWord.begun) === newest) {
        if (newest === 0 && high === 0) return null;
        if (length > this.capacity || high < 0 || high >= HIGH_LIMIT) {
          throw damaged(operation, this.#side.cell.object, `value ${newest >>> 0} says ${length} bytes and upper half ${high}`);
        }
        if (target !== null && length > target.length) throw this.#tooSmall(operation, length, target.length);
        this.#version = wide(newest, high);
        return copy;
      }
      // The writer gets to a slot again only long after its value was the newest.
      if (load(words, NEWEST) === newest) {
        throw damaged(operation, this.#side.cell.object, `the newest value, ${newest >>> 0}, does not stand where it should`);
      }
      this.#retries++;
      if (this.#patience.isOver()) throw this.#patience.error(operation, this.#side.cell.object);
    }
  }

  /** Whether there is a value that was not read yet. */
  get isChanged(): boolean {
    return this.#side.cell.isOpen && load(this.#words, NEWEST) !== (this.#version | 0);
  }

  /**
   * Waits until there is a value that was not read yet, however many came before it.
   *
   * @returns true: {@link tryRead} has it; false: the writer has closed the channel, and nothing new comes
   * @throws SectionError ERR_SECTION_TIMEOUT; ERR_SECTION_PEER_ENDED when the writer's process has ended without closing, once
   * for each writer: its last value is still there, and a later wait is for the next writer; ERR_SECTION_CLOSED
   */
  async changed(options?: WaitOptions): Promise<boolean> {
    return (await this.#side.waits.wait('latest.changed', () => this.isChanged || undefined, options)) !== null;
  }

  /**
   * As {@link changed}, and blocks the thread.
   *
   * @param timeout Milliseconds. Default: for ever.
   */
  changedSync(timeout?: number): boolean {
    return this.#side.waits.waitSync('latest.changedSync', () => this.isChanged || undefined, timeout) !== null;
  }

  /**
   * The newest value; waits for the first one if there is none yet.
   *
   * @returns as {@link tryRead}; null when the writer has closed the channel without one
   * @throws SectionError as {@link tryRead} and {@link changed}
   */
  read(target?: undefined, options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null>;
  read(target: Bytes, options?: WaitOptions): Promise<number | null>;
  async read(target?: Bytes, options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | number | null> {
    const operation = 'latest.read';
    const bytes = target === undefined ? null : bytesOf(operation, 'target', target);
    return this.#side.waits.wait(operation, () => this.#read(operation, bytes) ?? undefined, options);
  }

  /**
   * Each value that is new when it is asked for the next one: a slow loop skips values, {@link version} tells how many. Ends
   * when the writer closes the channel; throws as {@link changed} does.
   */
  async *values(options?: { readonly signal?: AbortSignal }): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    const operation = 'latest.values';
    const attempt = (): Uint8Array<ArrayBuffer> | undefined =>
      this.isChanged ? ((this.#read(operation, null) as Uint8Array<ArrayBuffer> | null) ?? undefined) : undefined;
    for (;;) {
      const value = await this.#side.waits.wait(operation, attempt, options);
      if (value === null) return;
      yield value;
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    return this.values();
  }

  #tooSmall(operation: string, length: number, room: number): SectionError {
    return new SectionError('ERR_SECTION_OUT_OF_RANGE', {
      operation,
      object: this.#side.cell.object,
      rule: `the value has ${length} bytes, the target ${room}`,
      wayOut: `Give a target of ${this.capacity} bytes`,
    });
  }

  /** Whoever waits gets ERR_SECTION_CLOSED. Safe to call twice. */
  close(): void {
    this.#side.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
