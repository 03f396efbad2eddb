/**
 * The part of `sectile/ntddk` on virtual memory: allocation, protection, what is known of memory, and the
 * extended calls on views. All is of the system process, and what a driver leaves goes with it.
 */
import type { NTSTATUS } from '../base/status.js';
import type { MEM_EXTENDED_PARAMETER } from './address-requirements.js';
import type { Handle, Size } from './arguments.js';
import { areMappedFilesTheSame, type MemoryQueryResult, queryVirtualMemory } from './memory-query.js';
import { type MapResult, mapViewOfSectionEx, unmapViewOfSectionEx } from './view-calls.js';
import {
  allocateVirtualMemory,
  allocateVirtualMemoryEx,
  freeVirtualMemory,
  type MemoryResult,
  type ProtectResult,
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
 * Reserves private memory, commits it, or commits pages of a view.
 *
 * In a view of a SEC_RESERVE section, MEM_COMMIT commits the pages for everybody who maps the section, and
 * sets their protection in this view alone. In a view that was mapped with MEM_RESERVE over a file it
 * makes the file as large.
 *
 * @param processHandle ZwCurrentProcess(): no other process's memory can be allocated.
 * @param baseAddress Where; rounded down to 64 KiB for MEM_RESERVE, to a page for MEM_COMMIT alone. Null
 * to let the system choose.
 * @param zeroBits High bits of the address that must be 0, as for ZwMapViewOfSection.
 * @param regionSize Bytes; every page that the range touches counts.
 * @param allocationType MEM_RESERVE, MEM_COMMIT or both, with MEM_TOP_DOWN; or MEM_RESET or
 * MEM_RESET_UNDO, which have no effect.
 * @param protect PAGE_…; in a view, within what it was mapped with.
 * @returns STATUS_SUCCESS with the range in whole pages; else the first of STATUS_INVALID_PARAMETER_3,
 * STATUS_INVALID_PARAMETER_5, STATUS_INVALID_PAGE_PROTECTION, STATUS_INVALID_PARAMETER_2,
 * STATUS_INVALID_PARAMETER_4, STATUS_INVALID_HANDLE, STATUS_CONFLICTING_ADDRESSES (the range is taken; for
 * MEM_COMMIT, it is in nothing that is reserved, or goes beyond it), STATUS_ALREADY_COMMITTED (a view of a
 * file), STATUS_SECTION_PROTECTION, STATUS_COMMITMENT_LIMIT, STATUS_DISK_FULL, STATUS_NO_MEMORY.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntallocatevirtualmemory}
 */
export function ZwAllocateVirtualMemory(
  processHandle: Handle,
  baseAddress: bigint | null,
  zeroBits: Size,
  regionSize: Size,
  allocationType: number,
  protect: number,
): MemoryResult {
  return allocateVirtualMemory('kernel', processHandle, baseAddress, zeroBits, regionSize, allocationType, protect);
}

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
 *
 * @param baseAddress For regionSize 0 the first address of the allocation.
 * @param regionSize Bytes; 0 for the whole allocation.
 * @param freeType MEM_DECOMMIT or MEM_RELEASE; with MEM_RELEASE, MEM_PRESERVE_PLACEHOLDER leaves a
 * placeholder (and cuts one), MEM_COALESCE_PLACEHOLDERS makes neighbours one.
 * @returns STATUS_SUCCESS with the range; else the first of STATUS_INVALID_PARAMETER_4,
 * STATUS_INVALID_PARAMETER_2, STATUS_INVALID_PARAMETER_3, STATUS_INVALID_HANDLE,
 * STATUS_MEMORY_NOT_ALLOCATED, STATUS_UNABLE_TO_DELETE_SECTION (a view), STATUS_FREE_VM_NOT_AT_BASE,
 * STATUS_UNABLE_TO_FREE_VM, STATUS_CONFLICTING_ADDRESSES (placeholders).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntfreevirtualmemory}
 */
export function ZwFreeVirtualMemory(
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  freeType: number,
): MemoryResult {
  return freeVirtualMemory('kernel', processHandle, baseAddress, regionSize, freeType);
}

/**
 * Changes the protection of committed pages, in this view alone. A write to a page made read-only never
 * reaches the section. Pages made PAGE_WRITECOPY become copies when they are written to, and stay so.
 *
 * @param regionSize Bytes; every page that the range touches counts.
 * @param newProtect PAGE_…; in a view, what allows no more than the view was mapped with.
 * @returns STATUS_SUCCESS with the range and what the first page had; else the first of
 * STATUS_INVALID_PAGE_PROTECTION, STATUS_INVALID_PARAMETER_2, STATUS_INVALID_PARAMETER_3,
 * STATUS_INVALID_HANDLE, STATUS_CONFLICTING_ADDRESSES (not within one view or allocation),
 * STATUS_NOT_COMMITTED, STATUS_SECTION_PROTECTION.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-virtualprotect}
 */
export function ZwProtectVirtualMemory(
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  newProtect: number,
): ProtectResult {
  return protectVirtualMemory('kernel', processHandle, baseAddress, regionSize, newProtect);
}

/**
 * Tells what an address belongs to. It knows the views and the memory of the NT and Win32 faces, and takes
 * everything else in the process for free.
 *
 * @param memoryInformationClass MemoryBasicInformation (pages that are alike), MemoryRegionInformation
 * (the whole view or allocation) or MemoryMappedFilenameInformation.
 * @param memoryInformationLength Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with what was asked for; else STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_PARAMETER (no address of user mode), STATUS_INVALID_HANDLE,
 * STATUS_INVALID_ADDRESS (nothing there, or no view), STATUS_FILE_INVALID (a view of the paging file).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwqueryvirtualmemory}
 */
export function ZwQueryVirtualMemory(
  processHandle: Handle,
  baseAddress: bigint | null,
  memoryInformationClass: number,
  memoryInformationLength?: Size,
): MemoryQueryResult {
  return queryVirtualMemory('kernel', processHandle, baseAddress, memoryInformationClass, memoryInformationLength);
}

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
 *
 * @param flags 0, MEM_PRESERVE_PLACEHOLDER, MEM_UNMAP_WITH_TRANSIENT_BOOST (without effect).
 * @returns Also STATUS_INVALID_PARAMETER_3, STATUS_CONFLICTING_ADDRESSES (the view took no placeholder's
 * place), STATUS_SHARING_VIOLATION (a prefetch or a flush of the view goes on).
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile2}
 */
export function ZwUnmapViewOfSectionEx(processHandle: Handle, baseAddress: bigint | null, flags: number): NTSTATUS {
  return unmapViewOfSectionEx('kernel', processHandle, baseAddress, flags);
}

/**
 * Whether two addresses are of one image. Views of data are the same as nothing but themselves.
 *
 * @returns STATUS_SUCCESS, STATUS_NOT_SAME_DEVICE, STATUS_CONFLICTING_ADDRESSES (private memory), or
 * STATUS_INVALID_ADDRESS (nothing there).
 */
export function ZwAreMappedFilesTheSame(address1: bigint | null, address2: bigint | null): NTSTATUS {
  return areMappedFilesTheSame(address1, address2);
}
