/**
 * The order of loads and stores in shared memory, and the one place of these kinds that knows what processors keep by
 * themselves. JavaScript has no fences, and each use of `Atomics` is a call: where the processor keeps the order anyway,
 * plain accesses do, for they stay where they are written.
 */

/** x86 keeps loads with loads and stores with stores: only a load can pass a store before it. */
const strong = process.arch === 'x64' || process.arch === 'ia32';

const own = new Int32Array(1);

/** As much of it as is used here; absent where code may not be made at run time. */
interface MakesCode {
  readonly WebAssembly?: {
    readonly Module: new (bytes: Uint8Array) => object;
    readonly Instance: new (module: object) => { readonly exports: Readonly<Record<string, unknown>> };
  };
}

/**
 * A function in WebAssembly that stores a word of its own memory: on x86 one locked instruction, which is a full barrier, for V8
 * compiles such a call in place where it calls a function for `Atomics`. Null where that is not so, or is forbidden.
 */
function quickFence(): (() => void) | null {
  const { WebAssembly } = globalThis as MakesCode;
  if (!strong || process.versions.v8 === undefined || WebAssembly === undefined) return null;
  // (module (memory 1 1 shared) (func (export "f") (i32.atomic.store (i32.const 0) (i32.const 0))))
  const body = [0, 0x41, 0, 0x41, 0, 0xfe, 0x17, 2, 0, 0x0b];
  const sections = [
    [1, 4, 1, 0x60, 0, 0],
    [3, 2, 1, 0],
    [5, 4, 1, 3, 1, 1],
    [7, 5, 1, 1, 0x66, 0, 0],
    [10, body.length + 2, 1, body.length, ...body],
  ];
  try {
    const module = new WebAssembly.Module(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections.flat()]));
    return new WebAssembly.Instance(module).exports['f'] as () => void;
  } catch {
    return null;
  }
}

const quick = quickFence();

/** What stands before it is seen by all before anything behind it is done. */
export function fence(): void {
  if (quick !== null) quick();
  else Atomics.exchange(own, 0, 0);
}

/** Stores a word, and loads another one after that: what the one who sleeps does to the same two words the other way round. */
export function storeThenLook(words: Int32Array, index: number, value: number, look: number): number {
  if (quick === null) {
    Atomics.store(words, index, value);
    return load(words, look);
  }
  words[index] = value;
  quick();
  return words[look] as number;
}

/**
 * Milliseconds within which what a processor has stored is seen by all others: thousands of times as long as any keeps it to itself.
 *
 * @see A. Morrison, Y. Afek: Temporally Bounding TSO for Fence-Free Asymmetric Synchronization. ASPLOS 2015
 */
export const SEEN_WITHIN = 1;

/**
 * As {@link storeThenLook}, but that the look may come before others see the store: a barrier between them has each message wait until all
 * that was written of it is there. So whoever says that he sleeps looks once more after {@link SEEN_WITHIN}.
 */
export function storeAndLook(words: Int32Array, index: number, value: number, look: number): number {
  store(words, index, value);
  return load(words, look);
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
