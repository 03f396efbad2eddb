/**
 * The calls of `sectile/kernel32` where the kernel is NT: the system's own, with the parameters and results that
 * win32/kernel32.ts documents.
 */
import type { NtSystem } from '../../os/index.js';
import * as ours from '../../win32/kernel32.js';

/** What asks nothing of a system, and is the same everywhere. */
type Plain = 'CTL_CODE';

/** Every call of the face. */
export type Kernel32Calls = {
  [Name in Exclude<keyof typeof ours, Plain> as (typeof ours)[Name] extends (...given: never[]) => unknown
    ? Name
    : never]: (typeof ours)[Name];
};

export function kernelKernel32(_nt: NtSystem): Kernel32Calls {
  return ours;
}
