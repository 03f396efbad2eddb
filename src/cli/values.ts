/**
 * Reading what users type: sizes, counts, users and KEY=VALUE pairs. Each refuses with commander's own error,
 * which names the option and ends in exit code 2.
 */
import { execFileSync } from 'node:child_process';
import { InvalidArgumentError } from 'commander';

const powers: Readonly<Record<string, number>> = { '': 0, K: 1, M: 2, G: 3, T: 4 };

/** `4096`, `0x1000`, `64K`, `64KiB`, `2G`: bytes, with binary suffixes. */
export function parseSize(text: string): number {
  const [, digits, suffix = ''] = /^(0x[0-9a-f]+|\d+)([KMGT]?)(?:i?B)?$/i.exec(text.trim()) ?? [];
  const bytes = Number(digits) * 1024 ** (powers[suffix.toUpperCase()] ?? 0);
  if (digits === undefined)
    throw new InvalidArgumentError('It must be a number of bytes such as 4096, 0x1000, 64K, 16M, 2G or 1T.');
  if (!Number.isSafeInteger(bytes)) throw new InvalidArgumentError('It is too large.');
  return bytes;
}

/** As {@link parseSize}, at least 1. */
export function parsePositiveSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes === 0) throw new InvalidArgumentError('It must be at least 1.');
  return bytes;
}

/** A reader of whole numbers within a range. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (value >= minimum && value <= maximum) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}

/** `KEY=VALUE` as its two parts. */
export function parsePair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new InvalidArgumentError('It must have the form KEY=VALUE.');
}

/** The number of a user, given by it or by name, as the host knows its users. */
export function parseUser(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= LAST_USER) return Number(text);
  try {
    // Not /etc/passwd alone: users come from directories of networks as well.
    return Number(execFileSync('id', ['-u', '--', text], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    throw new InvalidArgumentError('It must be the name or the number of a user.');
  }
}

/** -1 means nobody. */
const LAST_USER = 2 ** 32 - 2;

/** Collects pairs of a repeatable option into one object. */
export function collectPairs(text: string, before: Readonly<Record<string, string>>): Record<string, string> {
  const [key, value] = parsePair(text);
  return { ...before, [key]: value };
}

/** Bytes as pairs of hexadecimal digits; blanks between are fine. */
export function parseHex(text: string): Buffer {
  const digits = text.replace(/\s+/g, '').replace(/^0x/i, '');
  if (digits.length > 0 && digits.length % 2 === 0 && /^[0-9a-f]+$/i.test(digits)) return Buffer.from(digits, 'hex');
  throw new InvalidArgumentError('It must be pairs of hexadecimal digits, such as "de ad be ef".');
}
