/**
 * Copies into shared memory and out of it, of a few bytes without an object for a part of an array. Knows nothing of what
 * the bytes mean, nor whether they are whole.
 */
import { copyIn, copyOut, RepeatedArray } from './copy.js';

export class SharedBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #longs: BigInt64Array<ArrayBuffer>;
  readonly #others = new RepeatedArray();

  /** @param start a multiple of 8 */
  constructor(buffer: ArrayBuffer, start: number, length: number) {
    this.bytes = new Uint8Array(buffer, start, length);
    this.#longs = new BigInt64Array(buffer, start, length >> 3);
  }

  /** Fills a target's first bytes. `at` is a multiple of 8; the target is long enough. */
  copyOut(at: number, length: number, target: Uint8Array): void {
    copyOut(this.#others, this.bytes, this.#longs, at, length, target);
  }

  /** Puts a source there. `at` is a multiple of 8; there is room. */
  copyIn(source: Uint8Array, at: number): void {
    copyIn(this.#others, source, this.bytes, this.#longs, at);
  }
}
