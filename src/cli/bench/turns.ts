/**
 * What both processes of the benchmark agree on: where words lie in the shared section, how turns pass
 * by looking at them, and what they say to each other.
 */

/** Data first, then a page with the words that turns pass by; 128 bytes apart, so in different cache lines. */
export const DATA_BYTES = 4 << 20;
export const SECTION_BYTES = DATA_BYTES + 4096;
const PING = 0;
const PONG = 32;

export type ToPeer =
  | { readonly open: string; readonly socket: string }
  | { readonly pong: number }
  /** From now on, every so many bytes on the socket are one message. */
  | { readonly expect: number }
  /** From now on, every byte on the socket says that so many bytes are in the section. */
  | { readonly copyOnByte: number }
  | { readonly message: Uint8Array }
  | { readonly copy: number };

export type FromPeer = 'done';

/** The words of a section's last page. */
export function words(buffer: ArrayBuffer, byteOffset: number): Int32Array {
  return new Int32Array(buffer, byteOffset + DATA_BYTES, 64);
}

/** Looks before a spinning side believes that the other one has died: some seconds. */
const PATIENCE = 2 ** 30;

function spinUntil(turns: Int32Array, index: number, value: number): void {
  for (let left = PATIENCE; Atomics.load(turns, index) !== value; ) {
    if (--left === 0) throw new Error('the other process does not answer');
  }
}

export function ping(turns: Int32Array, count: number): void {
  for (let turn = 1; turn <= count; turn++) {
    Atomics.store(turns, PING, turn);
    spinUntil(turns, PONG, turn);
  }
}

export function pong(turns: Int32Array, count: number): void {
  for (let turn = 1; turn <= count; turn++) {
    spinUntil(turns, PING, turn);
    Atomics.store(turns, PONG, turn);
  }
}

export function reset(turns: Int32Array): void {
  Atomics.store(turns, PING, 0);
  Atomics.store(turns, PONG, 0);
}
