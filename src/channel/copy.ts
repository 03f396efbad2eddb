/**
 * Copies of a few bytes, and the one place that knows what processors keep in order. A typed array's own `set` costs more
 * than a loop for up to some dozens of 64-bit words, and needs an object for a part of an array. BigInt words, for a
 * Float64Array may change the bits of what is not a number.
 */

/** Up to so many bytes are copied by a loop. */
export const LOOP_BYTES = 384;

/** x86 lets no load pass an `Atomics.store` before it, so a plain load, which is no call, does. */
const strong = process.arch === 'x64' || process.arch === 'ia32';

/** The value of a word, loaded after every `Atomics.store` before it. */
export function lookAfterStore(words: Int32Array, index: number): number {
  return strong ? (words[index] as number) : Atomics.load(words, index);
}

/** Copies 64-bit words. */
export function copyLongs(from: BigInt64Array, at: number, to: BigInt64Array, toAt: number, count: number): void {
  let index = 0;
  for (; index + 7 < count; index += 8) {
    const source = at + index;
    const target = toAt + index;
    to[target] = from[source] as bigint;
    to[target + 1] = from[source + 1] as bigint;
    to[target + 2] = from[source + 2] as bigint;
    to[target + 3] = from[source + 3] as bigint;
    to[target + 4] = from[source + 4] as bigint;
    to[target + 5] = from[source + 5] as bigint;
    to[target + 6] = from[source + 6] as bigint;
    to[target + 7] = from[source + 7] as bigint;
  }
  for (; index < count; index++) to[toAt + index] = from[at + index] as bigint;
}
