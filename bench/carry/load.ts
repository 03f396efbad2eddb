/**
 * What the messages of the benchmarks hold, the same on every transport: their number in the first word of each 4 KiB.
 * Who receives one checks these words before it counts.
 */

const PAGE = 4096;

/** The sizes that are measured. */
export const sizes: readonly { readonly label: string; readonly bytes: number }[] = [
  { label: '16 B', bytes: 16 },
  { label: '64 B', bytes: 64 },
  { label: '1 KiB', bytes: 2 ** 10 },
  { label: '64 KiB', bytes: 2 ** 16 },
  { label: '1 MiB', bytes: 2 ** 20 },
];
/** A frame; no message is longer. */
export const FRAME = 2 ** 23;

/** How many bytes a ring holds for messages of a size: what caches hold, and some of the long ones. */
export function ringBytes(bytes: number): number {
  return Math.max(2 ** 18, 4 * bytes);
}

/** Messages of one batch, if they are short. */
export const BATCH = 32;

/** Messages of one batch of a size: no more than a quarter of the ring. */
export function batchOf(bytes: number): number {
  return Math.max(1, Math.min(BATCH, Math.floor(ringBytes(bytes) / 4 / bytes)));
}

/** A message of this process's own, filled. */
export function makeMessage(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes).fill(0x5a);
}

/** Writes `number` into the message; numbers are less than 2 ** 32. */
export function stamp(message: Uint8Array, number: number): void {
  for (let at = 0; at < message.length; at += PAGE) {
    message[at] = number;
    message[at + 1] = number >>> 8;
    message[at + 2] = number >>> 16;
    message[at + 3] = number >>> 24;
  }
}

/** The same through the words of a buffer, from the word `at` on: quicker, for where the harness would count. */
export function stampWords(words: Int32Array, at: number, bytes: number, number: number): void {
  words[at] = number;
  for (let word = at + PAGE / 4; word < at + bytes / 4; word += PAGE / 4) words[word] = number;
}

/** Whether the message is number `number`. */
export function hasStamp(message: Uint8Array, number: number): boolean {
  for (let at = 0; at < message.length; at += PAGE) {
    if (
      message[at] !== (number & 0xff) ||
      message[at + 1] !== ((number >>> 8) & 0xff) ||
      message[at + 2] !== ((number >>> 16) & 0xff) ||
      message[at + 3] !== number >>> 24
    ) {
      return false;
    }
  }
  return true;
}

/** As {@link check}, by words. */
export function checkWords(words: Int32Array, at: number, bytes: number, number: number): void {
  let word = at;
  do {
    if (words[word] !== (number | 0)) throw new Error(`message ${words[word]} came in place of ${number}`);
    word += PAGE / 4;
  } while (word < at + bytes / 4);
}

/** Throws unless the message is whole and number `number`. */
export function check(message: Uint8Array, bytes: number, number: number): void {
  if (message.length !== bytes || !hasStamp(message, number)) {
    throw new Error(`message ${number} of ${bytes} bytes came with ${message.length} bytes, or another came in its place`);
  }
}
