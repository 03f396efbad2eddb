/**
 * The words of the vectors: names of constants, and numbers with remarks beside them, as values.
 */
import * as kernel32 from 'sectile/kernel32';
import * as ntdll from 'sectile/ntdll';

const constants = new Map<string, number>(
  [...Object.entries(ntdll), ...Object.entries(kernel32), ['NO_ERROR', 0] as const].flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, value] as const] : [],
  ),
);

/** A word that nobody knows. */
export class UnknownWord extends Error {}

/** `(SEC_COMMIT not reported for files)`, `<` and `>` are remarks. */
const withoutRemarks = (text: string): string => text.replace(/\([^)]*\)/g, '').trim();

function single(word: string): number | bigint {
  const value = constants.get(word);
  if (value !== undefined) return value;
  if (/^-?(0x[0-9a-f]+|\d+)$/i.test(word)) {
    const negative = word.startsWith('-');
    const number = BigInt(negative ? word.slice(1) : word);
    const signed = negative ? -number : number;
    return signed >= BigInt(Number.MIN_SAFE_INTEGER) && signed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(signed) : signed;
  }
  throw new UnknownWord(`"${word}" is no constant and no number`);
}

/** A number, a name, or names with `|` between them. @throws UnknownWord */
export function wordValue(text: unknown): number | bigint {
  if (typeof text === 'number') return text;
  if (typeof text !== 'string') throw new UnknownWord(`${JSON.stringify(text)} is no word`);
  const parts = withoutRemarks(text)
    .split('|')
    .map((part) => single(part.trim()));
  if (parts.length === 1) return parts[0] as number | bigint;
  return Number(parts.reduce<bigint>((all, part) => all | BigInt(part), 0n));
}

/** The same, as bits of 32: -1 is all of them. @throws UnknownWord */
export function flags(text: unknown): number {
  return Number(BigInt.asUintN(32, BigInt(wordValue(text))));
}

/** A size or an offset of 64 bits; null stays null. @throws UnknownWord */
export function quantity(text: unknown): number | bigint | null {
  if (text === null || text === undefined) return null;
  const value = wordValue(text);
  return value < 0 ? BigInt.asUintN(64, BigInt(value)) : value;
}

/** The value where the text is made of such words, else undefined. */
export function valueIfWords(text: unknown): number | bigint | undefined {
  try {
    return wordValue(text);
  } catch {
    return undefined;
  }
}

const nameTables = new Map<string, Map<number, string>>();

/** The name of a status or an error, for reports. */
export function nameOf(prefix: 'STATUS_' | 'ERROR_', value: number): string {
  let table = nameTables.get(prefix);
  if (table === undefined) {
    // STATUS_WAIT_0 is what waits call success.
    const named = [...constants].filter(([name]) => name.startsWith(prefix) && !name.startsWith('STATUS_WAIT_'));
    table = new Map(named.map(([name, number]) => [number, name]));
    nameTables.set(prefix, table);
  }
  return table.get(value) ?? `${prefix}0x${value.toString(16)}`;
}

/** A status by its name. */
export const status = (value: number): string => nameOf('STATUS_', value);
/** A Win32 error by its name. */
export const error = (value: number): string => (value === 0 ? 'ERROR_SUCCESS' : nameOf('ERROR_', value));
