/**
 * Where the memory of local names lies when it is in files, and what room there is for it.
 */
import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { runtimeDirectory } from '../../namespace/runtime-directory.js';
import { sizeText } from '../units.js';
import { type Finding, finding } from './finding.js';

function room(): Finding {
  const path = runtimeDirectory();
  const { bsize, bavail } = statfsSync(existsSync(path) ? path : dirname(path));
  const free = bsize * bavail;
  return finding(
    'sectile.files',
    'Memory in files',
    'ok',
    `${sizeText(free)} free at ${path}`,
    'Local sections are files there. Whoever grants only reading asks others of this user to keep to it: nothing is sealed.',
    { values: { path, free } },
  );
}

export const fileChecks: readonly (() => Finding)[] = [room];
