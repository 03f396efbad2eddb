/**
 * Copies of a few bytes. A typed array's own `set` costs more than a loop for up to some dozens of 64-bit words, and needs an object
 * for a part of an array. BigInt words, for a Float64Array may change the bits of what is not a number.
 */

/** Up to so many bytes are copied by a loop. */
export const LOOP_BYTES = 384;

/** Copies 64-bit words. `| 0` spares the processor checks for overflow. */
export function copyLongs(from: BigInt64Array, at: number, to: BigInt64Array, toAt: number, count: number): void {
  let source = at | 0;
  let target = toAt | 0;
  let left = count | 0;
  for (; left >= 8; left = (left - 8) | 0) {
    to[target] = from[source] as bigint;
    to[(target + 1) | 0] = from[(source + 1) | 0] as bigint;
    to[(target + 2) | 0] = from[(source + 2) | 0] as bigint;
    to[(target + 3) | 0] = from[(source + 3) | 0] as bigint;
    to[(target + 4) | 0] = from[(source + 4) | 0] as bigint;
    to[(target + 5) | 0] = from[(source + 5) | 0] as bigint;
    to[(target + 6) | 0] = from[(source + 6) | 0] as bigint;
    to[(target + 7) | 0] = from[(source + 7) | 0] as bigint;
    source = (source + 8) | 0;
    target = (target + 8) | 0;
  }
  for (; left > 0; left = (left - 1) | 0) {
    to[target] = from[source] as bigint;
    source = (source + 1) | 0;
    target = (target + 1) | 0;
  }
}

/** Nobody's. */
const NONE = new Uint8Array(0);

/** An array that is used again and again, as words to copy by: made the second time in a row, for that costs more than one copy. */
export class RepeatedArray {
  /** The one that is used again and again. */
  array: Uint8Array = NONE;
  #longs: BigInt64Array | null = null;
  #last: Uint8Array | null = null;

  /**
   * Null where it is new, does not start at a multiple of 8 bytes of its buffer, or has grown since it was met.
   *
   * @param length Bytes that are to be copied.
   */
  longsOf(array: Uint8Array, length: number): BigInt64Array | null {
    const longs = array === this.array ? this.#longs : this.#meet(array);
    return longs !== null && length >> 3 <= longs.length ? longs : null;
  }

  #meet(array: Uint8Array): BigInt64Array | null {
    if (array !== this.#last) {
      this.#last = array;
      return null;
    }
    const { buffer, byteOffset, length } = array;
    this.array = array;
    this.#longs = byteOffset % 8 === 0 ? new BigInt64Array(buffer, byteOffset, length >> 3) : null;
    return this.#longs;
  }
}

/** Copies an array that is used again and again by words, any other by its own means. */
export function copyIn(sources: RepeatedArray, from: Uint8Array, to: Uint8Array, toLongs: BigInt64Array, at: number): void {
  const { length } = from;
  const longs = length <= LOOP_BYTES ? sources.longsOf(from, length) : null;
  if (longs === null) {
    to.set(from, at);
    return;
  }
  copyLongs(longs, 0, toLongs, at >> 3, length >> 3);
  for (let index = length & ~7; index < length; index++) to[at + index] = from[index] as number;
}

/** The other way: so many bytes, from a multiple of 8 on, to the target's beginning, which has room for them. */
export function copyOut(
  targets: RepeatedArray,
  from: Uint8Array,
  fromLongs: BigInt64Array,
  at: number,
  length: number,
  to: Uint8Array,
): void {
  const longs = length <= LOOP_BYTES ? targets.longsOf(to, length) : null;
  if (longs === null) {
    to.set(from.subarray(at, at + length));
    return;
  }
  copyLongs(fromLongs, at >> 3, longs, 0, length >> 3);
  for (let index = length & ~7; index < length; index++) to[index] = from[at + index] as number;
}
