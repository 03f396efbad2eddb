/**
 * Arguments as callers pass them, read into the number types of the NT interface. What is no such
 * number becomes undefined, and the rule tables say which status stands for that.
 */

import { PAGE_SIZE } from './constants.js';

/** A handle: 32 bits, sign-extended. Kernel handles are negative. */
export type Handle = number;

/** Bytes, or an offset. */
export type Size = number | bigint;

const LONG_MINIMUM = -(2 ** 31);
const ULONG_END = 2 ** 32;

/** A ULONG: flags, an access mask, a class. Signed values count as their bit pattern. */
export function ulong(value: unknown): number | undefined {
  const number = typeof value === 'bigint' && value >= LONG_MINIMUM && value < ULONG_END ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < LONG_MINIMUM || number >= ULONG_END) return undefined;
  return number >>> 0;
}

/** A ULONG64: a size, an offset, an address. Negative values count as their bit pattern. */
export function ulong64(value: unknown): bigint | undefined {
  if (typeof value === 'number' && !Number.isInteger(value)) return undefined;
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const whole = BigInt(value);
  if (whole >= 0n && whole < 1n << 64n) return whole;
  return whole >= -(1n << 63n) && whole < 0n ? BigInt.asUintN(64, whole) : undefined;
}

/** A pointer to such a number that may be NULL, which reads as 0: null, or left out. */
export function ulong64OrNull(value: unknown): bigint | undefined {
  return value === null || value === undefined ? 0n : ulong64(value);
}

/** A handle's value; 0, which no handle has, for anything that cannot be one. */
export function handleValue(value: unknown): Handle {
  return (ulong(value) ?? 0) | 0;
}

/**
 * Fields of a structure that a caller gave, each read once. Undefined for what is none, and for what
 * throws when it is read: both are no memory of the caller's.
 */
export function fieldsOf<K extends string>(given: unknown, ...names: readonly K[]): Readonly<Record<K, unknown>> | undefined {
  if (given === null || typeof given !== 'object') return undefined;
  try {
    return Object.fromEntries(names.map((name) => [name, (given as Record<K, unknown>)[name]])) as Record<K, unknown>;
  } catch {
    return undefined;
  }
}

/** The bytes of a buffer that a caller gave. Undefined for what is none, and for one that is detached: a closed view's. */
export function memoryOf(given: unknown): Uint8Array | undefined {
  if (!ArrayBuffer.isView(given)) return undefined;
  try {
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  } catch {
    return undefined;
  }
}

/** The first of an array's elements, or all; null for none. Undefined for what is no array, or has fewer. */
export function elementsOf(given: unknown, count: unknown): readonly unknown[] | undefined {
  try {
    const all: unknown = given ?? [];
    if (!Array.isArray(all)) return undefined;
    const wanted = count === undefined ? all.length : ulong(count);
    return wanted === undefined || wanted > all.length ? undefined : all.slice(0, wanted);
  } catch {
    return undefined;
  }
}

/** An output that nobody has written to: what the caller had in it. */
export const unchanged = (value: unknown): number => (typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0);
export const unchangedAddress = (value: unknown): bigint | null => (typeof value === 'bigint' ? value : null);

/** Bytes, rounded up to whole pages of 4096. */
export const wholePages = (bytes: bigint): number => Math.ceil(Number(bytes) / PAGE_SIZE) * PAGE_SIZE;
