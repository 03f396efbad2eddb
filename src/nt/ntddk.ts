/**
 * `sectile/ntddk`: the driver's side of sections, in kernel mode. Importing it outside the system
 * process throws: put the code into a driver and load it with `sectile driver load FILE`.
 *
 * The documented IN parameters stand in the documented order; OUT parameters are left out and come
 * back. Every call answers with a status and throws for no input.
 */
import { writeSync } from 'node:fs';
import { format } from 'node:util';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { DeviceObject } from '../system/devices.js';
import { kernelMode } from '../system/kernel.js';
import { elementsOf, fieldsOf, type Handle, type Size } from './arguments.js';
import { type DuplicateResult, duplicateObject } from './duplicate-calls.js';
import { type FlushResult, flushVirtualMemory } from './flush-calls.js';
import type { DriverDispatch } from './ntddk-io.js';
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
export * from './ntddk-files.js';
export * from './ntddk-io.js';
export * from './ntddk-memory.js';
export * from './ntddk-objects.js';
export * from './ntddk-references.js';
export * from './ntddk-sections.js';
export * from './ntddk-synchronization.js';
export { InitializeObjectAttributes, type ObjectAttributes, type UNICODE_STRING } from './object-attributes.js';
export type { CLIENT_ID, ProcessResult } from './process-calls.js';
export type { QueryResult, SECTION_BASIC_INFORMATION, SectionResult } from './section-calls.js';
export type { MapResult } from './view-calls.js';

const kernel = kernelMode('import sectile/ntddk');

/* ------------------------------------------------------------------------------- drivers ---- */

/** What stands for the device that AddDevice is called for. */
export interface PhysicalDeviceObject {
  readonly DeviceName: string;
}

/** A driver, as DriverEntry gets it and fills it in. */
export interface DriverObject {
  /** `\Driver\NAME` */
  readonly DriverName: string;
  /** The device that it made last; the others follow by NextDevice. Null without any. */
  readonly DeviceObject: DeviceObject | null;
  /** Called before the driver goes. What it leaves open is closed afterwards. */
  DriverUnload: ((driverObject: DriverObject) => void | Promise<void>) | null;
  readonly DriverExtension: {
    /** Called after DriverEntry, in the context of the system process as well. */
    AddDevice: ((driverObject: DriverObject, physicalDeviceObject: PhysicalDeviceObject) => NTSTATUS | Promise<NTSTATUS>) | null;
  };
  /** Dispatch routines by IRP_MJ_…; null where there is none, and then such requests are refused. */
  readonly MajorFunction: (DriverDispatch | null)[];
}

/** A driver's entry point: `export function DriverEntry(driverObject, registryPath)`. */
export type DriverEntry = (driverObject: DriverObject, registryPath: string) => NTSTATUS | Promise<NTSTATUS>;

/**
 * Writes one line to the system process's standard error, after the driver's name.
 *
 * @param message Text with the placeholders of `util.format`: %s, %d, %j.
 * @param values What takes their place.
 * @returns STATUS_SUCCESS
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-dbgprint}
 */
export function DbgPrint(message: string, ...values: unknown[]): NTSTATUS {
  const line = `${kernel.currentDriver()?.name ?? 'system'}: ${format(message, ...values).trimEnd()}\n`;
  try {
    writeSync(2, line);
  } catch {
    // Nobody reads it (a closed terminal, a full pipe): a driver must not fail for that.
  }
  return Status.STATUS_SUCCESS;
}

/** `relativeTo` of {@link RtlQueryRegistryValues}: the path is whole. */
export const RTL_REGISTRY_ABSOLUTE = 0;

/** One value that a driver asks for. */
export interface RtlQueryRegistryTable {
  readonly Name: string;
  /** Stands in where the value is not set. */
  readonly DefaultData?: string;
}

/**
 * Reads the parameters that a driver was loaded with: `sectile driver load FILE name=value …`.
 *
 * @param relativeTo RTL_REGISTRY_ABSOLUTE, the only one there is here.
 * @param path The registry path that DriverEntry got.
 * @param queryTable The values that are wanted.
 * @returns STATUS_SUCCESS with the values by name, as texts; one that is not set and has no default is
 * left out. STATUS_OBJECT_NAME_NOT_FOUND (no driver has that path), STATUS_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlqueryregistryvalues}
 */
export function RtlQueryRegistryValues(
  relativeTo: number,
  path: string,
  queryTable: readonly RtlQueryRegistryTable[],
): { readonly status: NTSTATUS; readonly values: Readonly<Record<string, string>> } {
  const values: Record<string, string> = Object.create(null) as Record<string, string>;
  const rows = elementsOf(queryTable, undefined)?.map((each) => fieldsOf(each, 'Name', 'DefaultData'));
  const isTable = rows?.every((row) => typeof row?.Name === 'string') ?? false;
  if (relativeTo !== RTL_REGISTRY_ABSOLUTE || typeof path !== 'string' || !isTable)
    return { status: Status.STATUS_INVALID_PARAMETER, values };
  const parameters = kernel.driverParameters(path);
  if (parameters === null) return { status: Status.STATUS_OBJECT_NAME_NOT_FOUND, values };
  for (const { Name, DefaultData } of rows as readonly RtlQueryRegistryTable[]) {
    const value = Object.hasOwn(parameters, Name) ? parameters[Name] : DefaultData;
    if (value !== undefined) values[Name] = value;
  }
  return { status: Status.STATUS_SUCCESS, values };
}

/* ------------------------------------------------------------------------------ sections ---- */

/**
 * The handle that stands for the system process.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/kernel/zwcurrentprocess}
 */
export function ZwCurrentProcess(): Handle {
  return CURRENT_PROCESS;
}

/** The same under its other name. */
export const NtCurrentProcess = ZwCurrentProcess;

/** Whether a status means success: 0 to 0x7FFFFFFF. */
export const NT_SUCCESS = isSuccess;

/**
 * Creates a section object, or with OBJ_OPENIF opens the one that has the name.
 *
 * Sections of the paging file are rounded up to whole pages of 4096 bytes. SEC_COMMIT memory is
 * committed before this returns. SEC_RESERVE memory is committed by the page, by
 * {@link ZwMapViewOfSection} and ZwAllocateVirtualMemory. Sections over files keep their size to the byte.
 *
 * @param desiredAccess SECTION_… and generic rights for the handle. Kernel mode gets what it asks for;
 * with OBJ_FORCE_ACCESS_CHECK, a section that exists is opened only if its descriptor grants them.
 * @param objectAttributes Name, flags and security; null for an unnamed section.
 * @param maximumSize Bytes, up to 2^46.
 * @param pageProtection One of PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE…: the most
 * that views may have.
 * @param allocationAttributes SEC_COMMIT or SEC_RESERVE, with SEC_NOCACHE, SEC_WRITECOMBINE (both
 * recorded, without effect) or SEC_LARGE_PAGES (with SEC_COMMIT).
 * @param fileHandle The file that backs it, with the rights that `pageProtection` needs; null for the paging file.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with the first of
 * STATUS_INVALID_PARAMETER_6, STATUS_INVALID_PAGE_PROTECTION, STATUS_INVALID_PARAMETER_4,
 * STATUS_SECTION_TOO_BIG, STATUS_INVALID_FILE_FOR_SECTION, STATUS_INVALID_HANDLE,
 * STATUS_INVALID_PARAMETER, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED, STATUS_COMMITMENT_LIMIT,
 * STATUS_INSUFFICIENT_RESOURCES that applies.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatesection}
 */
export function ZwCreateSection(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  maximumSize: Size | null,
  pageProtection: number,
  allocationAttributes: number,
  fileHandle: Handle | null = null,
): SectionResult {
  return createSection('kernel', desiredAccess, objectAttributes, maximumSize, pageProtection, allocationAttributes, fileHandle);
}

/**
 * Opens a section object by name.
 *
 * @param desiredAccess SECTION_… and generic rights, or MAXIMUM_ALLOWED. Checked against the section's
 * descriptor only with OBJ_FORCE_ACCESS_CHECK.
 * @param objectAttributes The name, and OBJ_KERNEL_HANDLE for a handle that user mode cannot use.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED, which
 * `\Device\PhysicalMemory` always gets.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensection}
 */
export function ZwOpenSection(desiredAccess: number, objectAttributes: ObjectAttributes): SectionResult {
  return openSection('kernel', desiredAccess, objectAttributes);
}

/**
 * Maps a view of a section into the system process. The view stays until it is unmapped, or its driver
 * is unloaded, whatever becomes of the handle.
 *
 * @param sectionHandle From ZwCreateSection or ZwOpenSection.
 * @param processHandle ZwCurrentProcess(), or another process by a handle with PROCESS_VM_OPERATION: it maps the view itself, when
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
export function ZwMapViewOfSection(
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
    'kernel',
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
 * @param processHandle ZwCurrentProcess(), or another process by a handle with PROCESS_VM_OPERATION.
 * @param baseAddress Any address inside the view.
 * @returns STATUS_SUCCESS, STATUS_NOT_MAPPED_VIEW, STATUS_INVALID_HANDLE or STATUS_OBJECT_TYPE_MISMATCH.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwunmapviewofsection}
 */
export function ZwUnmapViewOfSection(processHandle: Handle, baseAddress: bigint | null): NTSTATUS {
  return unmapViewOfSection('kernel', processHandle, baseAddress);
}

/**
 * Closes a handle. Views live on; the section's name goes with its last handle.
 *
 * @param handle A kernel handle, or a user handle of the system process.
 * @returns STATUS_SUCCESS, STATUS_INVALID_HANDLE, or STATUS_HANDLE_NOT_CLOSABLE (OBJ_PROTECT_CLOSE).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwclose}
 */
export function ZwClose(handle: Handle): NTSTATUS {
  return closeHandle('kernel', handle);
}

/**
 * Tells what a section is.
 *
 * @param sectionHandle With SECTION_QUERY, where rights count.
 * @param sectionInformationClass SectionBasicInformation.
 * @param sectionInformationLength Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with what was asked for; else STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH, STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED,
 * or STATUS_SECTION_NOT_IMAGE for SectionImageInformation.
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntquerysection}
 */
export function ZwQuerySection(
  sectionHandle: Handle,
  sectionInformationClass: number,
  sectionInformationLength?: Size,
): QueryResult {
  return querySection('kernel', sectionHandle, sectionInformationClass, sectionInformationLength);
}

/**
 * Writes a range of a file's view to the disk and waits for it; for other views there is nothing to do.
 *
 * @param processHandle ZwCurrentProcess().
 * @param baseAddress First byte; its whole page is written.
 * @param regionSize Bytes; 0 for all to the view's end.
 * @returns STATUS_SUCCESS with the range that was written; else STATUS_INVALID_PARAMETER_2,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_NOT_MAPPED_VIEW (no view, or the range
 * goes beyond it), STATUS_DISK_FULL.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwflushvirtualmemory}
 */
export function ZwFlushVirtualMemory(processHandle: Handle, baseAddress: bigint | null, regionSize: Size): FlushResult {
  return flushVirtualMemory('kernel', processHandle, baseAddress, regionSize);
}

/**
 * Makes a further handle on the object that a handle is on: events, files, sections and processes alike.
 *
 * @param sourceProcess Whose handle `sourceHandle` is: ZwCurrentProcess(), or another process by a handle with PROCESS_DUP_HANDLE,
 * which hands it over when its event loop comes to it.
 * @param sourceHandle The handle; the pseudo handles of this process and thread as well, which become real ones.
 * @param targetProcess Who shall have the new handle, likewise; null, with DUPLICATE_CLOSE_SOURCE, for nobody.
 * @param desiredAccess Its rights, generic ones and MAXIMUM_ALLOWED as well. Within the source's they are granted;
 * for others the object's security descriptor is asked. Kernel mode is granted them unasked,
 * unless the source came with OBJ_FORCE_ACCESS_CHECK.
 * @param handleAttributes OBJ_INHERIT, OBJ_PROTECT_CLOSE; OBJ_KERNEL_HANDLE counts where the target is the system
 * process by a handle to it: into ZwCurrentProcess() a user handle is made.
 * @param options DUPLICATE_CLOSE_SOURCE (closes the source whatever comes of it), DUPLICATE_SAME_ACCESS,
 * DUPLICATE_SAME_ATTRIBUTES.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES; of other processes also
 * STATUS_IO_TIMEOUT (no answer within 5 s), STATUS_PROCESS_IS_TERMINATING, STATUS_NOT_SUPPORTED (objects that stay in
 * their process: threads, devices).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwduplicateobject}
 */
export function ZwDuplicateObject(
  sourceProcess: Handle,
  sourceHandle: Handle,
  targetProcess: Handle | null,
  desiredAccess: number,
  handleAttributes: number,
  options: number,
): DuplicateResult {
  return duplicateObject('kernel', sourceProcess, sourceHandle, targetProcess, desiredAccess, handleAttributes, options);
}

/**
 * Opens a process by its number, as NtOpenProcess of sectile/ntdll does; the system process itself as well.
 *
 * @param desiredAccess PROCESS_… and generic rights, or MAXIMUM_ALLOWED.
 * @param objectAttributes Flags alone; OBJ_KERNEL_HANDLE for a handle that user mode cannot use. Null for none.
 * @param clientId The number, as `UniqueProcess`.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_CID, STATUS_ACCESS_DENIED,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_INVALID_PARAMETER or STATUS_PROCESS_IS_TERMINATING.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-zwopenprocess}
 */
export function ZwOpenProcess(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  clientId: CLIENT_ID,
): ProcessResult {
  return openProcess('kernel', desiredAccess, objectAttributes, clientId);
}
