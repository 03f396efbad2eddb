/**
 * Processes as Win32 has them: this one and others.
 */
import type { Handle } from '../nt/arguments.js';
import { CURRENT_PROCESS, CURRENT_THREAD } from '../nt/tables.js';

/**
 * The handle that stands for this process, in this process. It needs no closing; DuplicateHandle makes a
 * real one of it.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess}
 */
export function GetCurrentProcess(): Handle {
  return CURRENT_PROCESS;
}

/** The number of this process. */
export function GetCurrentProcessId(): number {
  return process.pid;
}

/** The handle that stands for the calling thread, as {@link GetCurrentProcess} does for the process. */
export function GetCurrentThread(): Handle {
  return CURRENT_THREAD;
}
