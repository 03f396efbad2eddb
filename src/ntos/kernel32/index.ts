/**
 * The calls of `sectile/kernel32` where the kernel is NT: the system's own, with the parameters and results that
 * win32/kernel32.ts documents.
 */
import type { NtSystem } from '../../os/index.js';
import type * as ours from '../../win32/kernel32.js';
import { GetLastError, SetLastError } from '../../win32/last-error.js';
import { deviceCalls } from './devices.js';
import { fileCalls } from './files.js';
import { handleCalls } from './handles.js';
import { memoryCalls } from './memory.js';
import { processCalls } from './processes.js';
import { sectionCalls } from './sections.js';
import { synchronizationCalls } from './synchronization.js';
import { systemInfoCalls } from './system-info.js';
import { waitingCalls } from './waiting.js';
import { Win32System } from './win32-system.js';

/** What asks nothing of a system, and is the same everywhere. */
type Plain = 'CTL_CODE';

/** Every call of the face. */
export type Kernel32Calls = {
  [Name in Exclude<keyof typeof ours, Plain> as (typeof ours)[Name] extends (...given: never[]) => unknown
    ? Name
    : never]: (typeof ours)[Name];
};

export function kernelKernel32(nt: NtSystem): Kernel32Calls {
  const system = new Win32System(nt);
  return {
    GetLastError,
    SetLastError,
    ...sectionCalls(system),
    ...memoryCalls(system),
    ...handleCalls(system),
    ...fileCalls(system),
    ...synchronizationCalls(system),
    ...waitingCalls(system),
    ...processCalls(system),
    ...deviceCalls(system),
    ...systemInfoCalls(system),
  };
}
