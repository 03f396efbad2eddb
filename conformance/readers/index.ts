/**
 * The interpreters of tabular cases, in the order that they are asked.
 */
import type { Case, Suite } from '../case.js';
import { errors } from './errors.js';
import type { Read, Reader } from './reader.js';

const readers: readonly Reader[] = [errors];

export function readerFor(testCase: Case, suite: Suite): Read | undefined {
  return readers.find(({ reads }) => reads(testCase, suite))?.read;
}
