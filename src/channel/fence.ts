/**
 * The order of loads and stores in shared memory, and the one place of these kinds that knows what processors keep by
 * themselves. JavaScript has no fences, and each use of `Atomics` is a call: where the processor keeps the order anyway,
 * plain accesses do, for they stay where they are written.
 */

/** x86 keeps loads with loads and stores with stores: only a load can pass a store before it. */
const strong = process.arch === 'x64' || process.arch === 'ia32';

const own = new Int32Array(1);

/** What stands before it is seen by all before anything behind it is done. An exchange of a word that is nobody else's. */
export function fence(): void {
  Atomics.exchange(own, 0, 0);
}

/** As {@link fence}, but that a load behind it may pass a store before it. */
export function order(): void {
  if (!strong) Atomics.exchange(own, 0, 0);
}

/** A word, loaded before everything behind this. */
export function load(words: Int32Array, index: number): number {
  return strong ? (words[index] as number) : Atomics.load(words, index);
}

/** Stores a word after everything before this. */
export function store(words: Int32Array, index: number, value: number): void {
  if (strong) words[index] = value;
  else Atomics.store(words, index, value);
}

/** Two words as one number. Beyond 2^53 it is not exact: whoever believes it checks that first. */
export function wide(low: number, high: number): number {
  return (high >>> 0) * 2 ** 32 + (low >>> 0);
}

/** The upper of a number's two words. */
export function highOf(value: number): number {
  return Math.floor(value / 2 ** 32) | 0;
}
