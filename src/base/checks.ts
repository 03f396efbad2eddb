/**
 * Checks of arguments that come from outside. Each throws ERR_SECTION_INVALID_ARGUMENT (or the code
 * it is told) with the parameter's name, what was given and what is allowed.
 */
import { SectionError, type SectionErrorCode } from './error.js';

/** The largest section: 2^46 bytes, 64 TiB. */
export const MAXIMUM_SECTION_SIZE = 2 ** 46;

/** How an offending value is shown in a message: short, and never throwing. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (value === null || typeof value !== 'object') return String(value);
  try {
    return `an object of type ${Object.prototype.toString.call(value).slice(8, -1)}`;
  } catch {
    return 'an object that cannot be read';
  }
}

interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly code?: SectionErrorCode;
  readonly wayOut?: string;
}

/**
 * A whole number of bytes given as number or bigint, checked in the full 64-bit range before it
 * becomes a number.
 */
export function byteCount(operation: string, name: string, value: unknown, range: Range = {}): number {
  const { minimum = 0, maximum = Number.MAX_SAFE_INTEGER } = range;
  const whole = typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value));
  if (!whole || (value as number | bigint) < minimum || (value as number | bigint) > maximum) {
    throw new SectionError(whole ? (range.code ?? 'ERR_SECTION_INVALID_ARGUMENT') : 'ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `${name} must be a whole number from ${minimum} to ${maximum}, not ${show(value)}`,
      ...(range.wayOut === undefined ? {} : { wayOut: range.wayOut }),
    });
  }
  return Number(value);
}

/** One of a closed set of words. */
export function oneOf<const T extends string>(operation: string, name: string, value: unknown, words: readonly T[]): T {
  if (words.includes(value as T)) return value as T;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `${name} must be ${words.map((word) => `'${word}'`).join(' or ')}, not ${show(value)}`,
  });
}

/** An options object whose keys are all known: a misspelt option is an error, not a default. */
export function options<T extends object>(
  operation: string,
  value: T | undefined,
  known: readonly (keyof T & string)[],
): Partial<T> {
  if (value === undefined) return {};
  if (value === null || typeof value !== 'object') {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule: `options must be an object, not ${show(value)}` });
  }
  const stranger = Object.keys(value).find((key) => !(known as readonly string[]).includes(key));
  if (stranger !== undefined) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `there is no option ${show(stranger)}`,
      wayOut: `The options are ${known.join(', ')}`,
    });
  }
  return value;
}

/** A flag that is true, false or left out. */
export function flag(operation: string, name: string, value: unknown): boolean {
  if (value === undefined) return false;
  if (typeof value === 'boolean') return value;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `${name} must be true or false, not ${show(value)}`,
  });
}
