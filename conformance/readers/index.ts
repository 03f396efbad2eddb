/**
 * The interpreters of tabular cases, in the order that they are asked.
 */
import type { Case, Suite } from '../case.js';
import { errors } from './errors.js';
import { mappingFlags } from './mapping-flags.js';
import { protectionMatrix } from './protection-matrix.js';
import type { Read, Reader } from './reader.js';
import { zwCreateSection } from './zw-create-section.js';
import { zwMapView } from './zw-map-view.js';

const readers: readonly Reader[] = [errors, ...zwCreateSection, ...zwMapView, ...protectionMatrix, ...mappingFlags];

export function readerFor(testCase: Case, suite: Suite): Read | undefined {
  return readers.find(({ reads }) => reads(testCase, suite))?.read;
}
