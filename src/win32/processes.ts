/**
 * Processes as Win32 has them: this one and others.
 */
import { isSuccess, Status } from '../base/status.js';
import type { View } from '../memory/view.js';
import { type Handle, ulong64 } from '../nt/arguments.js';
import { OBJ_INHERIT } from '../nt/constants.js';
import { openDoor } from '../nt/door.js';
import { InitializeObjectAttributes } from '../nt/object-attributes.js';
import { exitCodeOf, openProcess, processIdOf, terminateProcess } from '../nt/process-calls.js';
import { CURRENT_PROCESS, CURRENT_THREAD, views } from '../nt/tables.js';
import { fail } from './arguments.js';

export { STILL_ACTIVE } from '../nt/process-object.js';

/**
 * The handle that stands for this process, in this process. It needs no closing; DuplicateHandle makes a
 * real one of it.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess}
 */
export function GetCurrentProcess(): Handle {
  return CURRENT_PROCESS;
}

/**
 * The number of this process.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocessid}
 */
export function GetCurrentProcessId(): number {
  return process.pid;
}

/**
 * The handle that stands for the calling thread, as {@link GetCurrentProcess} does for the process.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentthread}
 */
export function GetCurrentThread(): Handle {
  return CURRENT_THREAD;
}

/**
 * Opens a process by its number: this one, a child that CreateProcess made, or another process of this user that
 * has opened its door ({@link AllowProcessAccess}).
 *
 * @param dwDesiredAccess PROCESS_…: what the handle may do. PROCESS_VM_OPERATION maps and unmaps, PROCESS_DUP_HANDLE
 * duplicates.
 * @param bInheritHandle Whether children get the handle.
 * @param dwProcessId The number.
 * @returns The handle, which means this one process also when its number is used again; or 0: ERROR_INVALID_PARAMETER
 * (no such process), ERROR_ACCESS_DENIED (its door is closed to us, or it runs without Sectile; no right at all).
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-openprocess}
 */
export function OpenProcess(dwDesiredAccess: number, bInheritHandle: boolean, dwProcessId: number): Handle {
  const attributes = InitializeObjectAttributes(null, bInheritHandle === true ? OBJ_INHERIT : 0);
  const { status, processHandle } = openProcess('user', dwDesiredAccess, attributes, { UniqueProcess: dwProcessId });
  return isSuccess(status) ? processHandle : fail(status, 0);
}

/**
 * The number of the process that a handle means.
 *
 * @returns It, or 0: ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocessid}
 */
export function GetProcessId(Process: Handle): number {
  const found = processIdOf('user', Process);
  return typeof found === 'number' ? found : fail(found.status, 0);
}

/**
 * How a process ended.
 *
 * @returns STILL_ACTIVE (259) while it runs, then its exit code: the one that TerminateProcess gave it, 128 and the
 * signal's number where another signal ended it. False for none: ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED,
 * ERROR_NOT_SUPPORTED (an ended process that is no child of this one: Linux tells its parent alone, and from 6.15 on others
 * as soon as that has asked).
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-getexitcodeprocess}
 */
export function GetExitCodeProcess(hProcess: Handle): number | false {
  const found = exitCodeOf('user', hProcess);
  return typeof found === 'number' ? found : fail(found.status, false);
}

/**
 * Ends a process at once, as SIGKILL does.
 *
 * @param uExitCode What GetExitCodeProcess says of it afterwards, in this process; others see a process that was killed.
 * @returns Whether it was told to; if not, ERROR_ACCESS_DENIED (also: it has ended already), ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-terminateprocess}
 */
export function TerminateProcess(hProcess: Handle, uExitCode: number): boolean {
  const status = terminateProcess('user', hProcess, uExitCode);
  return isSuccess(status) || fail(status, false);
}

/**
 * Opens this process's door: from then on other processes of its user, and root, can open it (OpenProcess), map views
 * into it and duplicate handles from and to it. It answers them when its event loop runs. Ours: in NT processes are
 * open to their user from the start. Children of CreateProcess open theirs by themselves.
 *
 * @returns Whether it is open; if not, ERROR_NOT_SUPPORTED (in a Worker), ERROR_NO_SYSTEM_RESOURCES.
 */
export function AllowProcessAccess(): boolean {
  const status = openDoor();
  return isSuccess(status) || fail(status, false);
}

/**
 * The view that an address lies in: for views that this process did not map by itself, but inherited, or had mapped
 * into it. Ours: in Win32 the address is all there is.
 *
 * @returns The view, or null where there is none: ERROR_INVALID_ADDRESS.
 */
export function ViewOfAddress(lpAddress: bigint): View | null {
  const address = ulong64(lpAddress);
  const mapped = address === undefined ? undefined : views.find(address);
  return mapped?.view ?? fail(Status.STATUS_NOT_MAPPED_VIEW, null);
}
