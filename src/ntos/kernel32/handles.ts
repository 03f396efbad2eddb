/**
 * Handles of every type: closed, duplicated, compared, described; and who may use their objects.
 */
import { type Handle, handleValue, ulong } from '../../nt/arguments.js';
import { DUPLICATE_CLOSE_SOURCE } from '../../nt/constants.js';
import { failWith, invalidParameter } from '../../win32/arguments.js';
import { ERROR_NOACCESS, HANDLE_FLAG_INHERIT, HANDLE_FLAG_PROTECT_FROM_CLOSE } from '../../win32/constants.js';
import { isOwnProcess } from './own-process.js';
import { descriptorOf, type Win32System } from './win32-system.js';

const FLAGS = HANDLE_FLAG_INHERIT | HANDLE_FLAG_PROTECT_FROM_CLOSE;
/** As long as any descriptor can be. */
const MOST_BYTES = 0x2_0200;

export function handleCalls(system: Win32System) {
  const { handles, nt } = system;

  function CloseHandle(hObject: Handle): boolean {
    const handle = handleValue(hObject);
    const closed = system.does('CloseHandle', handles.has(handle) ? handle : 0);
    if (closed) handles.forget(handle);
    return closed;
  }

  function DuplicateHandle(
    hSourceProcessHandle: Handle,
    hSourceHandle: Handle,
    hTargetProcessHandle: Handle | null,
    dwDesiredAccess: number,
    bInheritHandle: boolean,
    dwOptions: number,
  ): Handle {
    const [access, options] = [ulong(dwDesiredAccess), ulong(dwOptions)];
    if (access === undefined || options === undefined) return invalidParameter(0);
    const from = handles.usable(hSourceProcessHandle);
    const to = handles.usable(hTargetProcessHandle);
    const fromOwn = isOwnProcess(system, from);
    const source = fromOwn ? handles.usable(hSourceHandle) : handleValue(hSourceHandle);
    const target = new BigInt64Array(1);
    const done = system.does(
      'DuplicateHandle',
      from,
      source,
      to,
      new Uint8Array(target.buffer),
      access,
      bInheritHandle === true ? 1 : 0,
      options,
    );
    if (fromOwn && (options & DUPLICATE_CLOSE_SOURCE) !== 0 && !isOpen(source)) handles.forget(source);
    if (!done) return 0;
    const made = Number(BigInt.asIntN(32, target[0] as bigint));
    return isOwnProcess(system, to) ? handles.add(made) : made;
  }

  function isOpen(handle: Handle): boolean {
    return Number(system.call('GetHandleInformation', handle, new Uint8Array(4))) !== 0;
  }

  function GetHandleInformation(hObject: Handle): number | null {
    const flags = new Uint32Array(1);
    const known = system.does('GetHandleInformation', handles.usable(hObject), new Uint8Array(flags.buffer));
    return known ? (flags[0] as number) : null;
  }

  function SetHandleInformation(hObject: Handle, dwMask: number, dwFlags: number): boolean {
    const [mask, flags] = [ulong(dwMask), ulong(dwFlags)];
    if (mask === undefined || flags === undefined || (mask & ~FLAGS) !== 0) return invalidParameter(false);
    const handle = handleValue(hObject);
    return system.does('SetHandleInformation', handles.has(handle) ? handle : 0, mask, flags);
  }

  function GetKernelObjectSecurity(handle: Handle, requestedInformation: number): string | null {
    const parts = ulong(requestedInformation);
    if (parts === undefined) return invalidParameter(null);
    const descriptor = new Uint8Array(MOST_BYTES);
    const length = new Uint32Array(1);
    const told = system.does(
      'GetKernelObjectSecurity',
      handles.usable(handle),
      parts,
      descriptor,
      descriptor.length,
      new Uint8Array(length.buffer),
    );
    if (!told) return null;
    const text = nt.securityToText(descriptor.subarray(0, length[0]), parts);
    return typeof text === 'string' ? text : failWith(text, null);
  }

  function SetKernelObjectSecurity(handle: Handle, securityInformation: number, securityDescriptor: string): boolean {
    const parts = ulong(securityInformation);
    if (parts === undefined) return invalidParameter(false);
    if (typeof securityDescriptor !== 'string') return failWith(ERROR_NOACCESS, false);
    const own = handleValue(handle);
    const descriptor = descriptorOf(nt, securityDescriptor);
    return descriptor !== null && system.does('SetKernelObjectSecurity', handles.has(own) ? own : 0, parts, descriptor);
  }

  return {
    CloseHandle,
    DuplicateHandle,
    GetHandleInformation,
    SetHandleInformation,
    CompareObjectHandles: (first: Handle, second: Handle): boolean =>
      system.does('CompareObjectHandles', handles.usable(first), handles.usable(second)),
    GetKernelObjectSecurity,
    SetKernelObjectSecurity,
  };
}
