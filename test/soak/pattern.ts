/**
 * What messages of the soak run consist of: every byte and the length follow from who sent it and which of his it is, so that
 * whoever gets one can say whether it is whole. Knows no channel.
 */

/** Two numbers as one that looks random; 32 bits, signed. */
export function mix(one: number, other: number): number {
  let value = Math.imul(one ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(other + 0x165667b1, 0xc2b2ae35);
  value = Math.imul(value ^ (value >>> 15), 0x2c1b3c6d);
  value = Math.imul(value ^ (value >>> 12), 0x297a2d39);
  return value ^ (value >>> 15);
}

/** A number below `below`, the next of a sequence that a seed gives (Mulberry32). */
export type Random = (below: number) => number;

export function randoms(seed: number): Random {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return Math.floor((((value ^ (value >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** One of them. */
export const oneOf = <T>(random: Random, all: readonly T[]): T => all[random(all.length)] as T;

/** Bytes of a message that say whose it is: sender, number, and a check of both and the length. */
export const IDENTITY_BYTES = 12;

/** Of so many messages the first always says whose it is. */
const ANCHOR = 4;

/** Sizes that a part sends. */
export interface Sizes {
  readonly maximum: number;
  /** Some are shorter than what says whose they are, down to nothing. */
  readonly shorts: boolean;
}

export function lengthOf(sender: number, number: number, { maximum, shorts }: Sizes): number {
  const random = mix(sender, number) >>> 0;
  const kind = random % 100;
  const size = random >>> 8;
  if (kind < 10 && shorts && number % ANCHOR !== 0) return size % IDENTITY_BYTES;
  if (kind < 75) return IDENTITY_BYTES + (size % Math.min(200, maximum - IDENTITY_BYTES));
  if (kind < 97) return IDENTITY_BYTES + (size % Math.min(2000, maximum - IDENTITY_BYTES));
  if (kind < 99) return IDENTITY_BYTES + (size % (maximum - IDENTITY_BYTES));
  return maximum;
}

/** The words of a message, each made as it is asked for. */
function wordOf(index: number, sender: number, number: number, base: number): number {
  if (index === 0) return sender;
  if (index === 1) return number;
  return (base + Math.imul(index - 2, 0x9e3779b1)) | 0;
}

const baseOf = (sender: number, number: number, length: number): number => mix(mix(sender, number), length);

/** Fills a message; it starts at a multiple of 4 bytes of its buffer. */
export function fill(target: Uint8Array<ArrayBuffer>, sender: number, number: number): Uint8Array<ArrayBuffer> {
  const { length } = target;
  const base = baseOf(sender, number, length);
  const words = new Int32Array(target.buffer, target.byteOffset, length >> 2);
  for (let index = 0; index < words.length; index++) words[index] = wordOf(index, sender, number, base);
  const rest = wordOf(words.length, sender, number, base);
  for (let at = length & ~3; at < length; at++) target[at] = rest >>> (8 * (at & 3));
  return target;
}

/** The first byte that is not as it was sent; −1: all are. */
export function firstWrong(message: Uint8Array<ArrayBuffer>, sender: number, number: number): number {
  const { length } = message;
  const base = baseOf(sender, number, length);
  const words = new Int32Array(message.buffer, message.byteOffset, length >> 2);
  for (let index = 0; index < words.length; index++) {
    if (words[index] !== wordOf(index, sender, number, base)) return 4 * index;
  }
  const rest = wordOf(words.length, sender, number, base);
  for (let at = length & ~3; at < length; at++) if (message[at] !== ((rest >>> (8 * (at & 3))) & 255)) return at;
  return -1;
}

/** Whose a message says it is, or null if it is too short to say. */
export function identityOf(message: Uint8Array<ArrayBuffer>): { sender: number; number: number } | null {
  if (message.length < IDENTITY_BYTES) return null;
  const words = new Int32Array(message.buffer, message.byteOffset, 2);
  return { sender: words[0] as number, number: words[1] as number };
}
