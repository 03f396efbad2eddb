/**
 * Compares what a case expects with what was observed, field by field. What the case does not speak of
 * does not count.
 */
import type { Expectation } from './profile.js';
import { valueIfWords } from './words.js';

/** What a reader saw, under the names of the case's `expect`. */
export type Observation = Readonly<Record<string, unknown>>;

/** The same value, be it written as a name, as bits, or as a number of another kind. */
function same(expected: unknown, observed: unknown): boolean {
  if (expected === observed) return true;
  if (expected === null || observed === null || typeof expected === 'boolean' || typeof observed === 'boolean') return false;
  const [left, right] = [valueIfWords(expected), valueIfWords(observed)].map((value) =>
    value === undefined ? undefined : BigInt.asUintN(64, BigInt(value)),
  );
  return left !== undefined && left === right;
}

/** The fields that differ. */
export function differences(expectation: Expectation, observed: Observation): string[] {
  return Object.entries(expectation)
    .filter(([key, allowed]) => !(key in observed) || !allowed.some((each) => same(each, observed[key])))
    .map(([key]) => key);
}
