/**
 * The calls of `sectile/ntdll` where the kernel is NT: the system's own, with the parameters and results that
 * nt/ntdll.ts documents. The kernel decides; only what JavaScript can pass and C cannot is judged here.
 */
import type * as ours from '../../nt/ntdll.js';
import type { NtSystem } from '../../os/index.js';
import { deviceCalls } from './devices.js';
import { directoryCalls } from './directories.js';
import { fileInformationCalls } from './file-information.js';
import { fileCalls } from './files.js';
import { Kernel } from './kernel.js';
import { memoryCalls } from './memory.js';
import { memoryQueryCalls } from './memory-query.js';
import { objectCalls } from './objects.js';
import { processCalls } from './processes.js';
import { sectionCalls } from './sections.js';
import { securityCalls } from './security.js';
import { synchronizationCalls } from './synchronization.js';
import { viewCalls } from './views.js';
import { waitingCalls } from './waiting.js';

/** What asks nothing of a system, and is the same everywhere. */
type Plain = 'NtCurrentProcess';
type CallName = Exclude<Extract<keyof typeof ours, `Nt${string}` | `Rtl${string}`>, Plain>;

/** Every call of the face. */
export type NtdllCalls = Pick<typeof ours, CallName>;

export function kernelNtdll(nt: NtSystem): NtdllCalls {
  const kernel = new Kernel(nt);
  return {
    ...sectionCalls(kernel),
    ...viewCalls(kernel),
    ...memoryCalls(kernel),
    ...memoryQueryCalls(kernel),
    ...objectCalls(kernel),
    ...securityCalls(kernel),
    ...directoryCalls(kernel),
    ...synchronizationCalls(kernel),
    ...waitingCalls(kernel),
    ...fileCalls(kernel),
    ...fileInformationCalls(kernel),
    ...deviceCalls(kernel),
    ...processCalls(kernel),
  };
}
