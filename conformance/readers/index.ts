/**
 * The interpreters of tabular cases, in the order that they are asked.
 */
import type { Case, Suite } from '../case.js';
import { behaviours } from './behaviours.js';
import { errors } from './errors.js';
import { win32Rows } from './map-view-of-file.js';
import { mappingFlags } from './mapping-flags.js';
import { growthRows, isGrowth, ntRows } from './nt-sections.js';
import { protectionMatrix } from './protection-matrix.js';
import type { Read, Reader } from './reader.js';
import { sharedMemoryRows } from './shared-memory.js';
import { zwCreateSection } from './zw-create-section.js';
import { zwMapView } from './zw-map-view.js';

type Rows = readonly (readonly [call: RegExp, read: Read])[];

const byCall = (isOurs: (testCase: Case, suite: Suite) => boolean, rows: Rows): readonly Reader[] =>
  rows.map(([call, read]) => ({ reads: (testCase, suite) => isOurs(testCase, suite) && call.test(testCase.call), read }));

const isMapViewOfFile = ({ fn = '' }: Case, { name }: Suite): boolean =>
  name.startsWith('wine-kernel32-mapviewoffile') || /^test_(?:MapViewOfFile|shared_memory|NtAreMappedFilesTheSame)/.test(fn);

const readers: readonly Reader[] = [
  errors,
  ...zwCreateSection,
  ...zwMapView,
  ...protectionMatrix,
  ...mappingFlags,
  ...byCall(isMapViewOfFile, [...win32Rows, ...ntRows, ...sharedMemoryRows]),
  ...byCall(isGrowth, growthRows),
];

const first = (among: readonly Reader[], testCase: Case, suite: Suite): Read | undefined =>
  among.find(({ reads }) => reads(testCase, suite))?.read;

export function readerFor(testCase: Case, suite: Suite): Read | undefined {
  return first(readers, testCase, suite);
}

/** For rows in prose that no script is for. */
export function lastReaderFor(testCase: Case, suite: Suite): Read | undefined {
  return first(behaviours, testCase, suite);
}
