/**
 * Memory of channels whose headers are in order and whose words are anything: what a client must find damaged, or wait for, and
 * never follow out of the channel. Headers are written by docs/channel-layout.md alone.
 */

const HEADER_BYTES = 128;

export interface GarbageKind {
  readonly name: 'ring' | 'latest' | 'broadcast' | 'pool';
  readonly kind: number;
  readonly data: number;
  readonly bytes: number;
  readonly parameters: readonly number[];
}

export const garbageKinds: readonly GarbageKind[] = [
  { name: 'ring', kind: 1, data: 1536, bytes: 1024, parameters: [1024, 0, 0, 0] },
  { name: 'latest', kind: 2, data: 448, bytes: 1024, parameters: [200, 4, 256, 0] },
  { name: 'broadcast', kind: 3, data: 512, bytes: 1024, parameters: [1024, 0, 0, 0] },
  { name: 'pool', kind: 4, data: 4096, bytes: 1024, parameters: [256, 4, 2, 4] },
];

/** Numbers from 0 up to 1, the same for the same seed. */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A channel in memory that ends with it: an access beyond is an access to nothing, or to what is not the channel's. */
export function garbage({ kind, data, bytes, parameters }: GarbageKind, seed: number): Buffer {
  const next = numbersFrom(seed);
  const memory = Buffer.alloc(data + bytes);
  const shape = next();
  for (let at = HEADER_BYTES; at + 4 <= memory.length; at += 4) {
    // Words that are nearly possible go further than any others.
    const word = next() < 0.5 ? 0 : next() < 0.5 ? Math.floor(next() * 64) * 8 : Math.floor(next() * 2 ** 32);
    if (next() < shape) memory.writeUInt32LE(word, at);
  }
  // Nobody has a role, or a process that has ended.
  const roles = { 1: [128, 896], 2: [128], 3: [128], 4: [128] }[kind] ?? [];
  for (const at of roles) memory.fill(0, at, at + 8);
  const words = [0x4e484353, 1, kind, 0, data + bytes, 0, 1, 2, 0, data, ...parameters];
  for (const [index, word] of words.entries()) memory.writeUInt32LE(word, index * 4);
  return memory;
}
