/**
 * All checks of this host, in the order in which a person wants to read them.
 */
import { os } from '../../os/index.js';
import { fileChecks } from './files.js';
import { type Finding, finding, messageOf } from './finding.js';
import { kernelChecks } from './kernel.js';
import { memoryChecks } from './memory.js';
import { processChecks } from './processes.js';
import { sectileChecks } from './sectile.js';

/** Findings that belong together, under a heading. */
export interface FindingGroup {
  readonly title: string;
  readonly findings: readonly Finding[];
}

/** What there is to look at here: no memfds where memory is in files, no /proc where the system shows no process. */
const groups: readonly (readonly [string, readonly (() => Finding)[]])[] = [
  ['Sectile', [...sectileChecks, ...(os.localMemory === 'in-files' ? fileChecks : [])]],
  ['Kernel', os.sealsMemory ? kernelChecks : []],
  ['Memory', os.showsProcesses ? memoryChecks : []],
  ['Processes', os.showsProcesses && os.localMemory === 'from-holders' ? processChecks : []],
];

/** A check that breaks is itself a finding: the others are still worth having. */
function run(title: string, check: () => Finding): Finding {
  try {
    return check();
  } catch (error) {
    return finding(`doctor.${check.name}`, `${title}: ${check.name}`, 'note', 'could not be checked', messageOf(error));
  }
}

/** Runs every check once. Changes nothing on the host. */
export function examineHost(): readonly FindingGroup[] {
  const present = groups.filter(([, checks]) => checks.length > 0);
  return present.map(([title, checks]) => ({ title, findings: checks.map((check) => run(title, check)) }));
}
