/**
 * The calls of `sectile/ntdll` where the kernel is NT: the system's own, with the parameters and results that
 * nt/ntdll.ts documents. The kernel decides; only what JavaScript can pass and C cannot is judged here.
 */
import * as ours from '../../nt/ntdll.js';
import type { NtSystem } from '../../os/index.js';

/** What asks nothing of a system, and is the same everywhere. */
type Plain = 'NtCurrentProcess';
type CallName = Exclude<Extract<keyof typeof ours, `Nt${string}` | `Rtl${string}`>, Plain>;

/** Every call of the face. */
export type NtdllCalls = Pick<typeof ours, CallName>;

export function kernelNtdll(_nt: NtSystem): NtdllCalls {
  return ours;
}
