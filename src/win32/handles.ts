/**
 * What Win32 does to handles of every type: duplicates and compares them, says what they are
 * like, and who may use the object.
 */
import { isSuccess } from '../base/status.js';
import { type Handle, ulong } from '../nt/arguments.js';
import { OBJ_INHERIT } from '../nt/constants.js';
import { duplicateObject, handleFlags, setHandleFlags } from '../nt/duplicate-calls.js';
import { compareObjects, querySecurityObject, setSecurityObject } from '../nt/object-calls.js';
import { fail } from './arguments.js';
import { ERROR_INVALID_PARAMETER, HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE } from './constants.js';
import { SetLastError } from './last-error.js';

/**
 * Makes a further handle on the object that a handle is on.
 *
 * @param hSourceProcessHandle Whose handle it is: GetCurrentProcess(), or another process by a handle with PROCESS_DUP_HANDLE,
 * which hands it over when its event loop comes to it.
 * @param hSourceHandle The handle; GetCurrentProcess() itself as well, which becomes a real handle.
 * @param hTargetProcessHandle Who shall have the new one, likewise.
 * @param dwDesiredAccess Its rights; 0 for none at all. Those that the source has are granted, others only if
 * the object's security descriptor grants them. Ignored with DUPLICATE_SAME_ACCESS.
 * @param bInheritHandle Whether children get it, see SetHandleInformation.
 * @param dwOptions DUPLICATE_CLOSE_SOURCE (closes the source, also when the call fails), DUPLICATE_SAME_ACCESS.
 * @returns The handle, or 0: ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER; of other processes also
 * ERROR_SEM_TIMEOUT (no answer within 5 s), ERROR_NOT_SUPPORTED (threads, devices).
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-duplicatehandle}
 */
export function DuplicateHandle(
  hSourceProcessHandle: Handle,
  hSourceHandle: Handle,
  hTargetProcessHandle: Handle | null,
  dwDesiredAccess: number,
  bInheritHandle: boolean,
  dwOptions: number,
): Handle {
  const { status, targetHandle } = duplicateObject(
    'user',
    hSourceProcessHandle,
    hSourceHandle,
    hTargetProcessHandle,
    dwDesiredAccess,
    bInheritHandle === true ? OBJ_INHERIT : 0,
    dwOptions,
  );
  return isSuccess(status) ? targetHandle : fail(status, 0);
}

/**
 * Says what a handle is like.
 *
 * @returns HANDLE_FLAG_INHERIT and HANDLE_FLAG_PROTECT_FROM_CLOSE where they hold; null for no handle:
 * ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-gethandleinformation}
 */
export function GetHandleInformation(hObject: Handle): number | null {
  const found = handleFlags('user', hObject);
  if ('status' in found) return fail(found.status, null);
  return (found.inherit ? HANDLE_FLAG_INHERIT : 0) | (found.protectedFromClose ? HANDLE_FLAG_PROTECT_FROM_CLOSE : 0);
}

/**
 * Changes what a handle is like: whether children that are created with bInheritHandles get it, and
 * whether it can be closed.
 *
 * @param dwMask Which flags are changed.
 * @param dwFlags What they become.
 * @returns Whether it was done; if not, ERROR_INVALID_HANDLE, or ERROR_INVALID_PARAMETER for unknown flags.
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation}
 */
export function SetHandleInformation(hObject: Handle, dwMask: number, dwFlags: number): boolean {
  const mask = ulong(dwMask);
  const flags = ulong(dwFlags);
  if (mask === undefined || flags === undefined || (mask & ~(HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE)) !== 0) {
    SetLastError(ERROR_INVALID_PARAMETER);
    return false;
  }
  const status = setHandleFlags('user', hObject, {
    ...((mask & HANDLE_FLAG_INHERIT) === 0 ? {} : { inherit: (flags & HANDLE_FLAG_INHERIT) !== 0 }),
    ...((mask & HANDLE_FLAG_PROTECT_FROM_CLOSE) === 0
      ? {}
      : { protectedFromClose: (flags & HANDLE_FLAG_PROTECT_FROM_CLOSE) !== 0 }),
  });
  return isSuccess(status) || fail(status, false);
}

/**
 * Whether two handles are on one object.
 *
 * @returns False also where one is no handle: ERROR_INVALID_HANDLE; for two objects ERROR_NOT_SAME_OBJECT.
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-compareobjecthandles}
 */
export function CompareObjectHandles(hFirstObjectHandle: Handle, hSecondObjectHandle: Handle): boolean {
  const status = compareObjects('user', hFirstObjectHandle, hSecondObjectHandle);
  return isSuccess(status) || fail(status, false);
}

/**
 * Reads an object's security descriptor. Of advapi32 in Win32.
 *
 * @param handle On any object with security: with READ_CONTROL.
 * @param requestedInformation OWNER_, GROUP_ and DACL_SECURITY_INFORMATION: the parts that are asked for.
 * @returns SDDL, or null: ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED
 * (files, processes and threads: the host guards those).
 * @see {@link https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-getkernelobjectsecurity}
 */
export function GetKernelObjectSecurity(handle: Handle, requestedInformation: number): string | null {
  const { status, securityDescriptor } = querySecurityObject('user', handle, requestedInformation);
  return isSuccess(status) ? securityDescriptor : fail(status, null);
}

/**
 * Changes an object's security descriptor: for those who open it from then on. Of advapi32 in Win32.
 *
 * @param handle With WRITE_DAC for the DACL, WRITE_OWNER for owner and group.
 * @param securityInformation OWNER_, GROUP_ and DACL_SECURITY_INFORMATION: the parts that are changed.
 * @param securityDescriptor SDDL that has those parts.
 * @returns Whether it was done; if not, ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED, ERROR_INVALID_PARAMETER,
 * ERROR_NOACCESS (none given), ERROR_INVALID_SECURITY_DESCR, ERROR_INVALID_OWNER, ERROR_INVALID_PRIMARY_GROUP,
 * ERROR_INVALID_ACL (a part is missing), ERROR_NOT_SUPPORTED (audit lists and labels).
 * @see {@link https://learn.microsoft.com/windows/win32/api/securitybaseapi/nf-securitybaseapi-setkernelobjectsecurity}
 */
export function SetKernelObjectSecurity(handle: Handle, securityInformation: number, securityDescriptor: string): boolean {
  const status = setSecurityObject('user', handle, securityInformation, securityDescriptor);
  return isSuccess(status) || fail(status, false);
}
