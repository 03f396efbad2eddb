/**
 * Which process a handle means: this one, whose memory is watched over, or another.
 */
import { type Handle, handleValue } from '../../nt/arguments.js';
import { CURRENT_PROCESS } from '../../nt/tables.js';
import { PROCESS_VM_OPERATION } from '../../security/index.js';
import { failWith } from '../../win32/arguments.js';
import { ERROR_ACCESS_DENIED, ERROR_INVALID_HANDLE } from '../../win32/constants.js';
import { grantedAccess } from '../handles.js';
import type { Win32System } from './win32-system.js';

/** Whether a usable handle on a process means this one; that needs no right to it. */
export function isOwnProcess(system: Win32System, process_: Handle): boolean {
  if (process_ === CURRENT_PROCESS) return true;
  if (process_ === 0) return false;
  return Number(system.call('CompareObjectHandles', process_, CURRENT_PROCESS)) !== 0;
}

/** The process whose memory is meant. Null where there is none, or no right to its memory: the last error says so. */
export function memoryOwner(system: Win32System, given: unknown): { readonly handle: Handle; readonly own: boolean } | null {
  const handle = system.handles.usable(given);
  if (handle === 0 || (handle < 0 && handleValue(given) !== CURRENT_PROCESS)) return failWith(ERROR_INVALID_HANDLE, null);
  if (!isOwnProcess(system, handle)) return { handle, own: false };
  if (handle === CURRENT_PROCESS || (grantedAccess(system.nt, handle) & PROCESS_VM_OPERATION) !== 0) return { handle, own: true };
  return failWith(ERROR_ACCESS_DENIED, null);
}
