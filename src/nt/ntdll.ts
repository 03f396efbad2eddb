/**
 * `sectile/ntdll`: the NT calls on sections, in user mode. The documented IN parameters stand in the
 * documented order; OUT parameters are left out and come back. Every call answers with a status and
 * throws for no input.
 *
 * User mode is always checked: a handle holds what the section's security descriptor grants, a view
 * needs the rights for its protection, kernel handles mean nothing and OBJ_KERNEL_HANDLE is ignored.
 */
import './inherited.js';
import { isSuccess, type NTSTATUS, win32ErrorOf } from '../base/status.js';
import { type Handle, type Size, ulong } from './arguments.js';
import { type DuplicateResult, duplicateObject } from './duplicate-calls.js';
import { type FlushResult, flushVirtualMemory } from './flush-calls.js';
import type { ObjectAttributes } from './object-attributes.js';
import { type CLIENT_ID, openProcess, type ProcessResult } from './process-calls.js';
import { closeHandle, createSection, openSection, type QueryResult, querySection, type SectionResult } from './section-calls.js';
import { CURRENT_PROCESS } from './tables.js';
import { type MapResult, mapViewOfSection, unmapViewOfSection } from './view-calls.js';

export type { NTSTATUS } from '../base/status.js';
export type { FaultReport, View } from '../memory/view.js';
export type { Handle, Size } from './arguments.js';
export * from './constants.js';
export type { DuplicateResult } from './duplicate-calls.js';
export type { FlushResult } from './flush-calls.js';
export * from './ntdll-devices.js';
export * from './ntdll-files.js';
export * from './ntdll-memory.js';
export * from './ntdll-objects.js';
export * from './ntdll-sections.js';
export * from './ntdll-synchronization.js';
export * from './ntdll-waits.js';
export { InitializeObjectAttributes, type ObjectAttributes, type UNICODE_STRING } from './object-attributes.js';
export type { CLIENT_ID, ProcessResult } from './process-calls.js';
export type { QueryResult, SECTION_BASIC_INFORMATION, SectionResult } from './section-calls.js';
export type { MapResult } from './view-calls.js';

/**
 * The handle that stands for this process.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/kernel/zwcurrentprocess}
 */
export function NtCurrentProcess(): Handle {
  return CURRENT_PROCESS;
}

/** Whether a status means success: 0 to 0x7FFFFFFF. */
export const NT_SUCCESS = isSuccess;

/**
 * The Win32 error that stands for a status: what GetLastError says when a Win32 call fails with it.
 *
 * @param status Any status, signed or unsigned.
 * @returns The error, or ERROR_MR_MID_NOT_FOUND (317) for a status that has none here.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror}
 */
export function RtlNtStatusToDosError(status: NTSTATUS): number {
  // What is no status at all gets the answer for an unknown one.
  return win32ErrorOf(ulong(status) ?? 0xffff_ffff);
}

/**
 * Creates a section object, or with OBJ_OPENIF opens the one that has the name.
 *
 * @param desiredAccess SECTION_… and generic rights. The creator is granted what it asks for; a section
 * that exists is opened only if its descriptor grants it.
 * @param objectAttributes Name (`\BaseNamedObjects\X` is Win32's `Global\X`,
 * `\Sessions\N\BaseNamedObjects\X` its `Local\X`), flags and security; null for an unnamed section.
 * @param maximumSize Bytes, up to 2^46; rounded up to whole pages of 4096.
 * @param pageProtection One of PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE…: the most
 * that views may have.
 * @param allocationAttributes SEC_COMMIT or SEC_RESERVE, with SEC_NOCACHE, SEC_WRITECOMBINE (both
 * recorded, without effect) or SEC_LARGE_PAGES (with SEC_COMMIT).
 * @param fileHandle The file that backs it, with the rights that `pageProtection` needs; null for the paging file.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with the first of
 * STATUS_INVALID_PARAMETER_6, STATUS_INVALID_PAGE_PROTECTION, STATUS_INVALID_PARAMETER_4,
 * STATUS_SECTION_TOO_BIG, STATUS_INVALID_FILE_FOR_SECTION, STATUS_INVALID_HANDLE,
 * STATUS_INVALID_PARAMETER, STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID,
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_PATH_NOT_FOUND (also: no system process runs),
 * STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_SECURITY_DESCR,
 * STATUS_ACCESS_DENIED, STATUS_COMMITMENT_LIMIT, STATUS_INSUFFICIENT_RESOURCES that applies.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatesection}
 */
export function NtCreateSection(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  maximumSize: Size | null,
  pageProtection: number,
  allocationAttributes: number,
  fileHandle: Handle | null = null,
): SectionResult {
  return createSection('user', desiredAccess, objectAttributes, maximumSize, pageProtection, allocationAttributes, fileHandle);
}

/**
 * Opens a section object by name.
 *
 * @param desiredAccess SECTION_… and generic rights, or MAXIMUM_ALLOWED; no right at all is denied.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED, which
 * `\Device\PhysicalMemory` always gets.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensection}
 */
export function NtOpenSection(desiredAccess: number, objectAttributes: ObjectAttributes): SectionResult {
  return openSection('user', desiredAccess, objectAttributes);
}

/**
 * Maps a view of a section into this process. The view stays until it is unmapped, whatever becomes of
 * the handle.
 *
 * @param sectionHandle With SECTION_MAP_READ, SECTION_MAP_WRITE, SECTION_MAP_EXECUTE as `protect` needs.
 * @param processHandle NtCurrentProcess(), or another process by a handle with PROCESS_VM_OPERATION: it maps the view itself, when
 * its event loop comes to it, and the view is its own (there is none in the result). It gets what the view needs of the
 * section, and no more.
 * @param baseAddress Where the view shall start, a multiple of 64 KiB; null to let the system choose.
 * @param zeroBits High bits of the address that must be 0: 1 to 21 of 32, or from 32 on a mask.
 * @param commitSize Bytes to commit at once, at most the view's: of a SEC_RESERVE section; others are committed as they are.
 * @param sectionOffset First byte of the section, a multiple of 64 KiB; null for 0.
 * @param viewSize Bytes; 0 for all to the section's end.
 * @param inheritDisposition ViewShare: children that CreateProcess makes with bInheritHandles have the view at the same
 * address. ViewUnmap: they do not.
 * @param allocationType 0, or MEM_TOP_DOWN, MEM_LARGE_PAGES (with SEC_LARGE_PAGES), MEM_RESERVE
 * (sections over files, which may then be smaller than the view).
 * @param protect PAGE_…, within what the section's protection allows. PAGE_GUARD, PAGE_NOCACHE and
 * PAGE_WRITECOMBINE beside it are recorded, without effect.
 * @returns STATUS_SUCCESS with the base address, the offset, the size rounded up to whole pages, and
 * the view; else the outputs as they were given, and the first of STATUS_INVALID_PARAMETER_8,
 * STATUS_INVALID_PARAMETER_9, STATUS_INVALID_PAGE_PROTECTION, STATUS_INVALID_PARAMETER_3,
 * STATUS_INVALID_PARAMETER_4, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED,
 * STATUS_MAPPED_ALIGNMENT, STATUS_SECTION_PROTECTION, STATUS_INVALID_VIEW_SIZE,
 * STATUS_INVALID_PARAMETER_5, STATUS_INVALID_PARAMETER_9, STATUS_CONFLICTING_ADDRESSES,
 * STATUS_NO_MEMORY that applies; of other processes also STATUS_IO_TIMEOUT (no answer within 5 s) and
 * STATUS_PROCESS_IS_TERMINATING.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmapviewofsection}
 */
export function NtMapViewOfSection(
  sectionHandle: Handle,
  processHandle: Handle,
  baseAddress: bigint | null,
  zeroBits: Size,
  commitSize: Size,
  sectionOffset: Size | null,
  viewSize: Size,
  inheritDisposition: number,
  allocationType: number,
  protect: number,
): MapResult {
  return mapViewOfSection(
    'user',
    sectionHandle,
    processHandle,
    baseAddress,
    zeroBits,
    commitSize,
    sectionOffset,
    viewSize,
    inheritDisposition,
    allocationType,
    protect,
  );
}

/**
 * Unmaps a view: its buffer is detached, its addresses are free.
 *
 * @param processHandle NtCurrentProcess(), or another process by a handle with PROCESS_VM_OPERATION.
 * @param baseAddress Any address inside the view.
 * @returns STATUS_SUCCESS, STATUS_NOT_MAPPED_VIEW, STATUS_INVALID_HANDLE or STATUS_OBJECT_TYPE_MISMATCH.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwunmapviewofsection}
 */
export function NtUnmapViewOfSection(processHandle: Handle, baseAddress: bigint | null): NTSTATUS {
  return unmapViewOfSection('user', processHandle, baseAddress);
}

/**
 * Closes a handle. Views live on; the section's name goes with its last handle.
 *
 * @param handle A handle of this process.
 * @returns STATUS_SUCCESS, STATUS_INVALID_HANDLE (a kernel handle, too), or STATUS_HANDLE_NOT_CLOSABLE
 * (OBJ_PROTECT_CLOSE).
 * @see {@link https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntclose}
 */
export function NtClose(handle: Handle): NTSTATUS {
  return closeHandle('user', handle);
}

/**
 * Tells what a section is.
 *
 * @param sectionHandle With SECTION_QUERY.
 * @param sectionInformationClass SectionBasicInformation.
 * @param sectionInformationLength Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with what was asked for; else STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED,
 * or STATUS_SECTION_NOT_IMAGE for SectionImageInformation.
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntquerysection}
 */
export function NtQuerySection(
  sectionHandle: Handle,
  sectionInformationClass: number,
  sectionInformationLength?: Size,
): QueryResult {
  return querySection('user', sectionHandle, sectionInformationClass, sectionInformationLength);
}

/**
 * Writes a range of a file's view to the disk and waits for it; for other views there is nothing to do.
 *
 * @param processHandle NtCurrentProcess().
 * @param baseAddress First byte; its whole page is written.
 * @param regionSize Bytes; 0 for all to the view's end.
 * @returns STATUS_SUCCESS with the range that was written; else STATUS_INVALID_PARAMETER_2,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_NOT_MAPPED_VIEW (no view, or the range
 * goes beyond it), STATUS_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwflushvirtualmemory}
 */
export function NtFlushVirtualMemory(processHandle: Handle, baseAddress: bigint | null, regionSize: Size): FlushResult {
  return flushVirtualMemory('user', processHandle, baseAddress, regionSize);
}

/**
 * Makes a further handle on the object that a handle is on: events, files, sections and processes alike.
 *
 * @param sourceProcess Whose handle `sourceHandle` is: NtCurrentProcess(), or another process by a handle with PROCESS_DUP_HANDLE,
 * which hands it over when its event loop comes to it.
 * @param sourceHandle The handle; the pseudo handles of this process and thread as well, which become real ones.
 * @param targetProcess Who shall have the new handle, likewise; null, with DUPLICATE_CLOSE_SOURCE, for nobody.
 * @param desiredAccess Its rights, generic ones and MAXIMUM_ALLOWED as well. Within the source's they are granted;
 * for others the object's security descriptor is asked.
 * @param handleAttributes OBJ_INHERIT, OBJ_PROTECT_CLOSE.
 * @param options DUPLICATE_CLOSE_SOURCE (closes the source whatever comes of it), DUPLICATE_SAME_ACCESS,
 * DUPLICATE_SAME_ATTRIBUTES.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES; of other processes also
 * STATUS_IO_TIMEOUT (no answer within 5 s), STATUS_PROCESS_IS_TERMINATING, STATUS_NOT_SUPPORTED (objects that stay in
 * their process: threads, devices).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwduplicateobject}
 */
export function NtDuplicateObject(
  sourceProcess: Handle,
  sourceHandle: Handle,
  targetProcess: Handle | null,
  desiredAccess: number,
  handleAttributes: number,
  options: number,
): DuplicateResult {
  return duplicateObject('user', sourceProcess, sourceHandle, targetProcess, desiredAccess, handleAttributes, options);
}

/**
 * Opens a process by its number: this one, a child that CreateProcess made, or another process of this user
 * (root: of any) that has opened its door, see AllowProcessAccess of sectile/kernel32.
 *
 * @param desiredAccess PROCESS_… and generic rights, or MAXIMUM_ALLOWED; no right at all is denied.
 * @param objectAttributes Flags alone: OBJ_INHERIT, OBJ_PROTECT_CLOSE; null for none.
 * @param clientId The number, as `UniqueProcess`.
 * @returns The handle with STATUS_SUCCESS: it means this one process, also when its number is used again. Else 0
 * with STATUS_INVALID_CID (no such process), STATUS_ACCESS_DENIED (its door is closed to us, or it runs without
 * Sectile), STATUS_PRIVILEGE_NOT_HELD, STATUS_INVALID_PARAMETER, STATUS_PROCESS_IS_TERMINATING.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-ntopenprocess}
 */
export function NtOpenProcess(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  clientId: CLIENT_ID,
): ProcessResult {
  return openProcess('user', desiredAccess, objectAttributes, clientId);
}
