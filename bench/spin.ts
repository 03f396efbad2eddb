/**
 * Waiting by looking: two processes that pass turns over words of a section. Each side spins on a
 * word that only the other one writes.
 */

import type { View } from 'sectile';

/** Index of the answering word: 128 bytes after the asking one, so that they share no cache line. */
export const PING = 0;
export const PONG = 32;

/** Looks before a spinning side gives up: some seconds, for when the other side died. */
const PATIENCE = 2 ** 30;

/** Spins until `words[index]` has come to `value`; such words only ever grow. */
export function spinUntil(words: Int32Array, index: number, value: number): void {
  let patience = PATIENCE;
  while (Atomics.load(words, index) < value) {
    if (--patience === 0) throw new Error('the other process did not answer');
  }
}

/** Sends `count` pings after `last`, each when the one before was answered. */
export function ping(words: Int32Array, last: number, count: number): void {
  for (let turn = last + 1; turn <= last + count; turn++) {
    Atomics.store(words, PING, turn);
    spinUntil(words, PONG, turn);
  }
}

/** Answers `count` pings after `last`. */
export function pong(words: Int32Array, last: number, count: number): void {
  for (let turn = last + 1; turn <= last + count; turn++) {
    spinUntil(words, PING, turn);
    Atomics.store(words, PONG, turn);
  }
}

/** Words of a control page, each on a cache line of its own. */
export const FLAG = 0;
const GIVEN = 32;
const TAKEN = 64;
export const CONTROL_WORDS = 96;

/** How bytes are copied through a section: in chunks, of which so many find room before one is reused. */
export interface Ring {
  readonly chunk: number;
  readonly slots: number;
}

/** Copies all of `source` in; waits for room when the receiver is behind. */
export function giveAll(shared: View, control: Int32Array, source: Uint8Array, { chunk, slots }: Ring): void {
  let given = Atomics.load(control, GIVEN);
  for (let offset = 0, slot = 0; offset < source.length; offset += chunk, slot = (slot + 1) % slots) {
    spinUntil(control, TAKEN, given - slots + 1);
    shared.write(source.subarray(offset, offset + chunk), slot * chunk);
    Atomics.store(control, GIVEN, ++given);
  }
}

/** Copies out until `target` is full. */
export function takeAll(shared: View, control: Int32Array, target: Uint8Array, { chunk, slots }: Ring): void {
  let taken = Atomics.load(control, TAKEN);
  for (let offset = 0, slot = 0; offset < target.length; offset += chunk, slot = (slot + 1) % slots) {
    spinUntil(control, GIVEN, taken + 1);
    shared.read(target.subarray(offset, offset + chunk), slot * chunk);
    Atomics.store(control, TAKEN, ++taken);
  }
}
