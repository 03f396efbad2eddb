/**
 * Types of calls that the vectors use and that the faces' own types do not have.
 */
import type { Handle, NTSTATUS, ObjectAttributes, Size, View } from 'sectile/ntdll';

interface Allocated {
  readonly status: NTSTATUS;
  readonly baseAddress: bigint | null;
  readonly regionSize: number;
}

type AllocateVirtualMemory = (
  process: Handle,
  base: bigint | null,
  zeroBits: Size,
  size: Size,
  type: number,
  protect: number,
) => Allocated;
type FreeVirtualMemory = (process: Handle, base: bigint, size: Size, type: number) => Allocated;

export interface MoreNtdll {
  readonly MEM_RELEASE: number;
  readonly MEM_DECOMMIT: number;
  readonly MEM_RESET: number;
  readonly NtAllocateVirtualMemory: AllocateVirtualMemory;
  readonly NtFreeVirtualMemory: FreeVirtualMemory;
  readonly NtAreMappedFilesTheSame: (address1: bigint | null, address2: bigint | null) => NTSTATUS;
}

export interface MoreNtddk {
  readonly ObjectBasicInformation: number;
  readonly ZwAllocateVirtualMemory: AllocateVirtualMemory;
  readonly ZwFreeVirtualMemory: FreeVirtualMemory;
  readonly ZwQueryObject: (
    handle: Handle,
    informationClass: number,
  ) => { readonly status: NTSTATUS; readonly objectInformation: object | null };
  readonly ZwCreateFile: (
    access: number,
    attributes: ObjectAttributes,
    allocationSize: Size | null,
    fileAttributes: number,
    shareAccess: number,
    disposition: number,
    options: number,
  ) => { readonly status: NTSTATUS; readonly fileHandle: Handle };
}

export interface MoreKernel32 {
  readonly GetLargePageMinimum: () => number;
  readonly GetCurrentProcess: () => Handle;
  readonly CreateFile: (
    name: string,
    access: number,
    share: number,
    security: null,
    disposition: number,
    flags: number,
  ) => Handle;
  readonly SetFilePointerEx: (file: Handle, distance: Size, method: number) => number | false;
  readonly SetEndOfFile: (file: Handle) => boolean;
  readonly GetFileSizeEx: (file: Handle) => number | false;
  readonly DuplicateHandle: (
    source: Handle,
    handle: Handle,
    target: Handle,
    access: number,
    inherit: boolean,
    options: number,
  ) => Handle;
  readonly VirtualAlloc: (address: bigint | null, size: Size, type: number, protect: number) => bigint | null;
  readonly VirtualFree: (address: bigint, size: Size, type: number) => boolean;
  readonly VirtualProtect: (address: bigint | View, size: Size, protect: number) => number | false;
}
