/**
 * What the profile of this project, Windows 11 x64, expects of a case: the one place that decides where
 * a case knows several Windows versions or several outcomes.
 */
import type { Case } from './case.js';

/** For each field the values that are right. */
export type Expectation = Readonly<Record<string, readonly unknown[]>>;

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

/**
 * Fields that stand for another one, and what they do to it. Later rows win over earlier ones.
 *
 * - `status64` and `anyOf64` speak of 64-bit Windows, which the profile is: they replace `status`.
 *   `status32` speaks of another.
 * - `anyOf` and `anyError` list what their suite accepts on any version: each is right.
 * - `orStatus64Win8` is a second status of Windows 8 and later on x64. Which of the two comes depends on
 *   what the sequence left in the base address there, so either is right.
 */
const special: Readonly<Record<string, readonly [field: string, 'replaces' | 'joins'] | null>> = {
  status32: null,
  anyOf: ['status', 'replaces'],
  anyError: ['error', 'replaces'],
  status64: ['status', 'replaces'],
  anyOf64: ['status', 'replaces'],
  orStatus64Win8: ['status', 'joins'],
  // Windows counts pointers in its own way, differently in each version; handles are what a caller has.
  PointerCount: null,
  PointerCountUnchangedByMap: null,
  note: null,
};

/**
 * `versions` that name one status for Windows 10 and later: the profile's. A note that on Windows 10 any
 * status of a family is accepted changes nothing: the listed status belongs to it, and is the stricter demand.
 */
const windows10 = /\b(STATUS_\w+) on (?:Windows|Win) ?10\+/;

export function expectationOf({ expect, versions }: Case): Expectation {
  const result: Record<string, readonly unknown[]> = {};
  for (const [field, value] of Object.entries(expect)) if (!(field in special)) result[field] = list(value);
  for (const [field, rule] of Object.entries(special)) {
    if (rule === null || !(field in expect)) continue;
    const [target, how] = rule;
    result[target] = how === 'joins' ? [...(result[target] ?? []), ...list(expect[field])] : list(expect[field]);
  }
  const newer = windows10.exec(versions ?? '')?.[1];
  if (newer !== undefined && 'status' in result) result['status'] = [newer];
  return result;
}
