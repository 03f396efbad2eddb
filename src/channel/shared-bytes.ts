/**
 * Copies into shared memory and out of it, of a few bytes without an object for a part of an array. Knows nothing of what
 * the bytes mean, nor whether they are whole.
 */
import { copyLongs, LOOP_BYTES, RepeatedArray } from './copy.js';

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
    const longs = length <= LOOP_BYTES ? this.#others.longsOf(target, length) : null;
    if (longs === null) {
      target.set(this.bytes.subarray(at, at + length));
      return;
    }
    copyLongs(this.#longs, at / 8, longs, 0, length >> 3);
    for (let index = length & ~7; index < length; index++) target[index] = this.bytes[at + index] as number;
  }

  /** Puts a source there. `at` is a multiple of 8; there is room. */
  copyIn(source: Uint8Array, at: number): void {
    const { length } = source;
    const longs = length <= LOOP_BYTES ? this.#others.longsOf(source, length) : null;
    if (longs === null) {
      this.bytes.set(source, at);
      return;
    }
    copyLongs(longs, 0, this.#longs, at / 8, length >> 3);
    for (let index = length & ~7; index < length; index++) this.bytes[at + index] = source[index] as number;
  }
}
