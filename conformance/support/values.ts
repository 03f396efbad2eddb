/**
 * The names that the vectors write, as numbers: `PAGE_READWRITE|SEC_COMMIT`, `0x1000`, `4096`; and back,
 * statuses and errors by name.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';

const constants = new Map<string, number>();
const statuses = new Map<number, string>();
const errors = new Map<number, string>();
for (const face of [w, n]) {
  for (const [name, value] of Object.entries(face)) {
    if (typeof value !== 'number') continue;
    constants.set(name, value);
    // STATUS_WAIT_0 is what waits call success.
    if (name.startsWith('STATUS_') && !name.startsWith('STATUS_WAIT_')) statuses.set(value, name);
    if (name.startsWith('ERROR_')) errors.set(value, name);
  }
}
constants.set('AT_ROUND_TO_PAGE', 0x4000_0000);

const hex = (value: number): string => `0x${(value >>> 0).toString(16)}`;

/** A constant of the faces by its name. */
export function constant(name: string): number {
  const value = constants.get(name);
  assert.ok(value !== undefined, `no face has a constant ${name}`);
  return value;
}

/** What a vector writes for a number: the number, digits, or names with | between them. */
export function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  assert.equal(typeof value, 'string', `${JSON.stringify(value)} stands for no number`);
  return String(value)
    .split('|')
    .map((part) => part.trim())
    .map((part) => (/^(0x[\da-f]+|\d+)$/i.test(part) ? Number(part) : constant(part)))
    .reduce((union, each) => (union | each) >>> 0, 0);
}

export function statusNameOf(status: number): string {
  return statuses.get(status >>> 0) ?? hex(status);
}

export function errorNameOf(error: number): string {
  return error === 0 ? 'ERROR_SUCCESS' : (errors.get(error) ?? String(error));
}

/** The names STATUS_… or ERROR_… in a text, such as `STATUS_SUCCESS (file deleted on close)`. */
export function namesIn(value: unknown, prefix: 'STATUS' | 'ERROR'): string[] {
  return (Array.isArray(value) ? value : [value]).flatMap((each) => {
    const found = String(each).match(new RegExp(`\\b${prefix}_\\w+`, 'g'));
    assert.ok(found !== null, `${JSON.stringify(each)} names no ${prefix}_…`);
    return found;
  });
}
