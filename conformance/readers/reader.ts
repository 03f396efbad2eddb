/**
 * What an interpreter of tabular cases is: it does the call that the fields tell, and says what it saw
 * under the names that the case's `expect` uses. It never looks at an id.
 */
import type { Case, Suite } from '../case.js';
import type { Observation } from '../compare.js';
import type { World } from '../script.js';

export type Read = (world: World, testCase: Case, suite: Suite) => Observation | Promise<Observation>;

export interface Reader {
  /** Whether the case is one that it reads. */
  readonly reads: (testCase: Case, suite: Suite) => boolean;
  readonly read: Read;
}
