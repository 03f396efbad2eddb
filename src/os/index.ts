/**
 * The doorway to the operating system: one object, chosen once. The only place that looks at the
 * platform's name.
 */
import { SectionError } from '../base/error.js';
import type { Os } from './os.js';
import { posix } from './posix.js';

function choose(): Os {
  if (process.platform === 'linux') return posix();
  throw new SectionError('ERR_SECTION_NATIVE', {
    operation: 'import sectile',
    rule: `${process.platform} has no implementation in this version`,
    wayOut: 'Linux is supported; see "What works where" in the README',
  });
}

export const os: Os = choose();
export * from './os.js';
