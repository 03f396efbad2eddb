/**
 * The part of `sectile/kernel32` on virtual memory: allocation, protection, what is known of memory, and
 * views by the newer calls. Addresses may be given as views.
 */
import { isSuccess, Status } from '../base/status.js';
import { largePages } from '../memory/huge-pages.js';
import { View } from '../memory/view.js';
import type { MEM_EXTENDED_PARAMETER } from '../nt/address-requirements.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull } from '../nt/arguments.js';
import { ALLOCATION_GRANULARITY, MEM_COALESCE_PLACEHOLDERS, MEM_PRESERVE_PLACEHOLDER, MEM_RELEASE } from '../nt/constants.js';
import { basicInformation, type MEMORY_BASIC_INFORMATION, mappedFileName } from '../nt/memory-query.js';
import { HIGHEST_USER_ADDRESS } from '../nt/rules.js';
import { CURRENT_PROCESS, processStatus } from '../nt/tables.js';
import { mapViewOfSectionEx, unmapViewOfSectionEx } from '../nt/view-calls.js';
import { allocateVirtualMemory, allocateVirtualMemoryEx, freeVirtualMemory, protectVirtualMemory } from '../nt/virtual-memory.js';
import { fail, invalidParameter, pointerOf } from './arguments.js';

export type { MEM_ADDRESS_REQUIREMENTS, MEM_EXTENDED_PARAMETER } from '../nt/address-requirements.js';
export type { MEMORY_BASIC_INFORMATION as MemoryBasicInformation } from '../nt/memory-query.js';

/**
 * Reserves private memory, commits it, or commits pages of a view: of a SEC_RESERVE section for everybody
 * who maps it, of a file that was mapped with MEM_RESERVE by making the file as large. The protection is
 * this view's alone.
 *
 * @param lpAddress Where, or null to let the system choose; rounded down to 64 KiB for MEM_RESERVE, to a
 * page for MEM_COMMIT alone.
 * @param dwSize Bytes; every page that the range touches counts.
 * @param flAllocationType MEM_RESERVE, MEM_COMMIT or both, with MEM_TOP_DOWN; or MEM_RESET, MEM_RESET_UNDO,
 * which have no effect.
 * @param flProtect PAGE_…; in a view, within what it was mapped with.
 * @returns The first page's address, or null: ERROR_INVALID_PARAMETER (also a protection that the view does
 * not allow), ERROR_INVALID_ADDRESS (taken, or not reserved), ERROR_ACCESS_DENIED (a view of a file),
 * ERROR_COMMITMENT_LIMIT, ERROR_DISK_FULL, ERROR_NOT_ENOUGH_MEMORY.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc}
 */
export function VirtualAlloc(
  lpAddress: View | bigint | null,
  dwSize: Size,
  flAllocationType: number,
  flProtect: number,
): bigint | null {
  return VirtualAllocEx(CURRENT_PROCESS, lpAddress, dwSize, flAllocationType, flProtect);
}

/**
 * As {@link VirtualAlloc}, of a process that a handle means.
 *
 * @param hProcess GetCurrentProcess(), or a handle to this process with PROCESS_VM_OPERATION.
 * @returns As there; also ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED (another process).
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualallocex}
 */
export function VirtualAllocEx(
  hProcess: Handle,
  lpAddress: View | bigint | null,
  dwSize: Size,
  flAllocationType: number,
  flProtect: number,
): bigint | null {
  const address = pointerOf(lpAddress);
  const where = ulong64OrNull(address);
  if (where !== undefined && where !== 0n && where < ALLOCATION_GRANULARITY) return invalidParameter(null);
  const { status, baseAddress } = allocateVirtualMemory('user', hProcess, address, 0, dwSize, flAllocationType, flProtect);
  return isSuccess(status) ? baseAddress : fail(status, null);
}

/**
 * As {@link VirtualAlloc}, within limits and with placeholders.
 *
 * @param process GetCurrentProcess(), or null.
 * @param allocationType Also MEM_RESERVE | MEM_RESERVE_PLACEHOLDER with PAGE_NOACCESS, and MEM_RESERVE with
 * MEM_REPLACE_PLACEHOLDER, exactly as large as the placeholder.
 * @param extendedParameters Address requirements: the lowest and the highest address, the alignment.
 * @returns As there.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualalloc2}
 */
export function VirtualAlloc2(
  process: Handle | null,
  baseAddress: bigint | null,
  size: Size,
  allocationType: number,
  pageProtection: number,
  extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
): bigint | null {
  const result = allocateVirtualMemoryEx(
    'user',
    process ?? CURRENT_PROCESS,
    baseAddress,
    size,
    allocationType,
    pageProtection,
    extendedParameters,
  );
  return isSuccess(result.status) ? result.baseAddress : fail(result.status, null);
}

/**
 * Gives private memory back, or cuts and joins placeholders. Pages of a section cannot be decommitted.
 *
 * @param lpAddress For dwSize 0 the first address of the allocation.
 * @param dwSize Bytes; 0 for all. MEM_RELEASE without a placeholder takes 0 only.
 * @param dwFreeType MEM_DECOMMIT or MEM_RELEASE, which takes MEM_PRESERVE_PLACEHOLDER or
 * MEM_COALESCE_PLACEHOLDERS beside it.
 * @returns Whether it was done; if not, ERROR_INVALID_PARAMETER (also for a view), ERROR_INVALID_ADDRESS.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualfree}
 */
export function VirtualFree(lpAddress: View | bigint, dwSize: Size, dwFreeType: number): boolean {
  return VirtualFreeEx(CURRENT_PROCESS, lpAddress, dwSize, dwFreeType);
}

/**
 * As {@link VirtualFree}, of a process that a handle means: as {@link VirtualAllocEx} takes it.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualfreeex}
 */
export function VirtualFreeEx(hProcess: Handle, lpAddress: View | bigint, dwSize: Size, dwFreeType: number): boolean {
  const type = ulong(dwFreeType) ?? 0;
  const ofPlaceholder = (type & (MEM_PRESERVE_PLACEHOLDER | MEM_COALESCE_PLACEHOLDERS)) !== 0;
  if ((type & MEM_RELEASE) !== 0 && !ofPlaceholder && ulong64(dwSize) !== 0n) return invalidParameter(false);
  const { status } = freeVirtualMemory('user', hProcess, pointerOf(lpAddress), dwSize, dwFreeType);
  return isSuccess(status) || fail(status, false);
}

/**
 * Changes the protection of committed pages, in this view alone. A write to a page made read-only never
 * reaches the section; pages made PAGE_WRITECOPY become copies when they are written to.
 *
 * @param dwSize Bytes; every page that the range touches counts.
 * @param flNewProtect PAGE_…; in a view, what allows no more than it was mapped with.
 * @returns What the first page had, or false: ERROR_INVALID_PARAMETER (not allowed), ERROR_INVALID_ADDRESS
 * (not within one view or allocation, or not committed).
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect}
 */
export function VirtualProtect(lpAddress: View | bigint, dwSize: Size, flNewProtect: number): number | false {
  return VirtualProtectEx(CURRENT_PROCESS, lpAddress, dwSize, flNewProtect);
}

/**
 * As {@link VirtualProtect}, of a process that a handle means: as {@link VirtualAllocEx} takes it.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotectex}
 */
export function VirtualProtectEx(hProcess: Handle, lpAddress: View | bigint, dwSize: Size, flNewProtect: number): number | false {
  const { status, oldProtect } = protectVirtualMemory('user', hProcess, pointerOf(lpAddress), dwSize, flNewProtect);
  return isSuccess(status) ? oldProtect : fail(status, false);
}

/**
 * Tells what an address belongs to. It knows the views and the memory of the NT and Win32 faces, and takes
 * everything else in the process for free.
 *
 * @param lpAddress A view, or any address.
 * @returns The pages from that address on that are alike, or null: ERROR_INVALID_PARAMETER for what is no
 * address of user mode.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualquery}
 */
export function VirtualQuery(lpAddress: View | bigint | null): MEMORY_BASIC_INFORMATION | null {
  return VirtualQueryEx(CURRENT_PROCESS, lpAddress);
}

/**
 * As {@link VirtualQuery}, of a process that a handle means: as {@link VirtualAllocEx} takes it.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualqueryex}
 */
export function VirtualQueryEx(hProcess: Handle, lpAddress: View | bigint | null): MEMORY_BASIC_INFORMATION | null {
  // Of a view that is closed: what is there now.
  const address = ulong64OrNull(View.is(lpAddress) ? lpAddress.address : lpAddress);
  if (address === undefined || address > HIGHEST_USER_ADDRESS) return invalidParameter(null);
  const process = processStatus('user', hProcess);
  return isSuccess(process) ? basicInformation(address) : fail(process, null);
}

/**
 * Maps a view, by its page protection, within limits or into a placeholder.
 *
 * @param process GetCurrentProcess(): no other can be mapped into.
 * @param baseAddress Where, a multiple of 64 KiB; with MEM_REPLACE_PLACEHOLDER where the placeholder is.
 * @param offset First byte of the section, a multiple of 64 KiB.
 * @param viewSize Bytes; 0 for all to the section's end.
 * @param allocationType 0, MEM_RESERVE (sections over files), MEM_REPLACE_PLACEHOLDER, MEM_LARGE_PAGES.
 * @param extendedParameters Address requirements without an alignment, where there is no base address.
 * @returns The view, or null: as MapViewOfFileEx.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile3}
 */
export function MapViewOfFile3(
  fileMapping: Handle,
  process: Handle | null,
  baseAddress: bigint | null,
  offset: Size,
  viewSize: Size,
  allocationType: number,
  pageProtection: number,
  extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
): View | null {
  const { status, view } = mapViewOfSectionEx(
    'user',
    fileMapping,
    process ?? CURRENT_PROCESS,
    baseAddress,
    offset,
    viewSize,
    allocationType,
    pageProtection,
    extendedParameters,
  );
  return isSuccess(status) ? view : fail(status, null);
}

/**
 * Unmaps a view; with MEM_PRESERVE_PLACEHOLDER, leaves the placeholder whose place it took.
 *
 * @param process GetCurrentProcess().
 * @param baseAddress The view, or any address inside it.
 * @param unmapFlags 0, MEM_PRESERVE_PLACEHOLDER, MEM_UNMAP_WITH_TRANSIENT_BOOST (without effect).
 * @returns Whether it was done; if not, ERROR_INVALID_ADDRESS, ERROR_INVALID_PARAMETER,
 * ERROR_SHARING_VIOLATION (a prefetch or a flush of the view goes on), ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile2}
 */
export function UnmapViewOfFile2(process: Handle, baseAddress: View | bigint, unmapFlags: number): boolean {
  const status = unmapViewOfSectionEx('user', process, pointerOf(baseAddress), unmapFlags);
  return isSuccess(status) || fail(status, false);
}

/**
 * The name of the file that a view shows, as a device and a path on it: every file of the host is on
 * `\Device\HarddiskVolume1`.
 *
 * @param hProcess GetCurrentProcess().
 * @param lpv The view, or any address inside it.
 * @returns The name, or null: ERROR_UNEXP_NET_ERR (no view), ERROR_FILE_INVALID (a view of the paging
 * file), ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/psapi/nf-psapi-getmappedfilenamew}
 */
export function GetMappedFileName(hProcess: Handle, lpv: View | bigint | null): string | null {
  const process = processStatus('user', hProcess);
  if (!isSuccess(process)) return fail(process, null);
  const address = ulong64OrNull(pointerOf(lpv));
  const name = address === undefined ? { status: Status.STATUS_INVALID_ADDRESS } : mappedFileName(address);
  return typeof name === 'string' ? name : fail(name.status, null);
}

export {
  GetMappedFileName as GetMappedFileNameA,
  GetMappedFileName as GetMappedFileNameW,
  GetMappedFileName as K32GetMappedFileName,
  GetMappedFileName as K32GetMappedFileNameA,
  GetMappedFileName as K32GetMappedFileNameW,
};

/**
 * Bytes of a large page, or 0 where the host has none.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-getlargepageminimum}
 */
export function GetLargePageMinimum(): number {
  return largePages()?.size ?? 0;
}
