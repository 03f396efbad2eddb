/**
 * The part of `sectile/ntddk` on virtual memory: allocation, protection, what is known of memory, and the
 * extended calls on views. All is of the system process, and what a driver leaves goes with it.
 */
import type { NTSTATUS } from '../base/status.js';
import type { MEM_EXTENDED_PARAMETER } from './address-requirements.js';
import type { Handle, Size } from './arguments.js';
import { areMappedFilesTheSame, queryVirtualMemory } from './memory-query.js';
import type {
  NtAllocateVirtualMemory,
  NtFreeVirtualMemory,
  NtProtectVirtualMemory,
  NtQueryVirtualMemory,
  NtUnmapViewOfSectionEx,
} from './ntdll-memory.js';
import { type MapResult, mapViewOfSectionEx, unmapViewOfSectionEx } from './view-calls.js';
import {
  allocateVirtualMemory,
  allocateVirtualMemoryEx,
  freeVirtualMemory,
  type MemoryResult,
  protectVirtualMemory,
} from './virtual-memory.js';

export type { MEM_ADDRESS_REQUIREMENTS, MEM_EXTENDED_PARAMETER } from './address-requirements.js';
export type {
  MEMORY_BASIC_INFORMATION,
  MEMORY_REGION_INFORMATION,
  MEMORY_SECTION_NAME,
  MemoryQueryResult,
} from './memory-query.js';
export type { MemoryResult, ProtectResult } from './virtual-memory.js';

/**
 * Reserves private memory, commits it, or commits pages of a view. Parameters and statuses: {@link
 * NtAllocateVirtualMemory}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntallocatevirtualmemory}
 */
export const ZwAllocateVirtualMemory: typeof NtAllocateVirtualMemory = (...given) => allocateVirtualMemory('kernel', ...given);

/**
 * As {@link ZwAllocateVirtualMemory}, within limits and with placeholders.
 *
 * @param allocationType Also MEM_RESERVE | MEM_RESERVE_PLACEHOLDER with PAGE_NOACCESS, for addresses that
 * a view or memory takes over later; and MEM_REPLACE_PLACEHOLDER with MEM_RESERVE, for the memory that
 * does, exactly as large.
 * @param extendedParameters Address requirements: the lowest and the highest address, the alignment.
 * @param extendedParameterCount How many of them count; default all.
 * @returns As there, but STATUS_INVALID_PARAMETER for what no rule allows.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntallocatevirtualmemoryex}
 */
export function ZwAllocateVirtualMemoryEx(
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  allocationType: number,
  pageProtection: number,
  extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  extendedParameterCount?: number,
): MemoryResult {
  return allocateVirtualMemoryEx(
    'kernel',
    processHandle,
    baseAddress,
    regionSize,
    allocationType,
    pageProtection,
    extendedParameters,
    extendedParameterCount,
  );
}

/**
 * Gives private memory back, or cuts and joins placeholders. Pages of a section cannot be decommitted.
 * Parameters and statuses: {@link NtFreeVirtualMemory}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntfreevirtualmemory}
 */
export const ZwFreeVirtualMemory: typeof NtFreeVirtualMemory = (...given) => freeVirtualMemory('kernel', ...given);

/**
 * Changes the protection of committed pages, in this view alone. A write to a page made read-only never reaches
 * the section. Pages made PAGE_WRITECOPY become copies when they are written to, and stay so. Parameters and
 * statuses: {@link NtProtectVirtualMemory}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect}
 */
export const ZwProtectVirtualMemory: typeof NtProtectVirtualMemory = (...given) => protectVirtualMemory('kernel', ...given);

/**
 * Tells what an address belongs to. It knows the views and the memory of the NT and Win32 faces, and takes
 * everything else in the process for free. Parameters and statuses: {@link NtQueryVirtualMemory}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwqueryvirtualmemory}
 */
export const ZwQueryVirtualMemory: typeof NtQueryVirtualMemory = (...given) => queryVirtualMemory('kernel', ...given);

/**
 * As ZwMapViewOfSection, within limits and into placeholders. Views are ViewShare.
 *
 * @param allocationType 0, or MEM_TOP_DOWN, MEM_LARGE_PAGES, MEM_RESERVE, MEM_REPLACE_PLACEHOLDER: the view
 * takes the place of the placeholder at baseAddress, which is exactly as large and may start at any page.
 * @param extendedParameters Address requirements without an alignment, where there is no base address.
 * @param extendedParameterCount How many of them count; default all.
 * @returns As there, but STATUS_INVALID_PARAMETER for what no rule allows, and STATUS_CONFLICTING_ADDRESSES
 * where there is no such placeholder.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile3}
 */
export function ZwMapViewOfSectionEx(
  sectionHandle: Handle,
  processHandle: Handle,
  baseAddress: bigint | null,
  sectionOffset: Size | null,
  viewSize: Size,
  allocationType: number,
  protect: number,
  extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  extendedParameterCount?: number,
): MapResult {
  return mapViewOfSectionEx(
    'kernel',
    sectionHandle,
    processHandle,
    baseAddress,
    sectionOffset,
    viewSize,
    allocationType,
    protect,
    extendedParameters,
    extendedParameterCount,
  );
}

/**
 * As ZwUnmapViewOfSection; with MEM_PRESERVE_PLACEHOLDER, leaves the placeholder whose place the view took.
 * Parameters and statuses: {@link NtUnmapViewOfSectionEx}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile2}
 */
export const ZwUnmapViewOfSectionEx: typeof NtUnmapViewOfSectionEx = (...given) => unmapViewOfSectionEx('kernel', ...given);

/**
 * Whether two addresses are of one image. Views of data are the same as nothing but themselves.
 *
 * @returns STATUS_SUCCESS, STATUS_NOT_SAME_DEVICE, STATUS_CONFLICTING_ADDRESSES (private memory), or
 * STATUS_INVALID_ADDRESS (nothing there).
 */
export function ZwAreMappedFilesTheSame(address1: bigint | null, address2: bigint | null): NTSTATUS {
  return areMappedFilesTheSame(address1, address2);
}
