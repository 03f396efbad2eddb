/**
 * The part of `sectile/ntddk` on sections that grow, and on the newer way to create them: kernel mode.
 */
import type { Handle, Size } from './arguments.js';
import { type ExtendResult, extendSection } from './extend-section.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createSectionEx, type MEM_SECTION_EXTENDED_PARAMETER, type SectionResult } from './section-calls.js';

export type { ExtendResult } from './extend-section.js';
export type { MEM_SECTION_EXTENDED_PARAMETER } from './section-calls.js';

/**
 * Has a section over a file reach further; the file is grown where it is too short. Whoever maps the
 * section from then on can map all of it, in every process, if the section has a name; views that are there
 * keep their size.
 *
 * @param sectionHandle With SECTION_EXTEND_SIZE, where rights count; also with SECTION_MAP_WRITE where the file has to grow.
 * @param newSectionSize Bytes, up to 2^46. Less than the section has changes nothing.
 * @returns STATUS_SUCCESS with the bytes that the section has then; else STATUS_INVALID_PARAMETER,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED, STATUS_SECTION_TOO_BIG,
 * STATUS_DISK_FULL, or STATUS_SECTION_NOT_EXTENDED (no file backs it; its protection lets nobody write and the
 * file is too short; the file cannot grow).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/}
 */
export function ZwExtendSection(sectionHandle: Handle, newSectionSize: Size): ExtendResult {
  return extendSection('kernel', sectionHandle, newSectionSize);
}

/**
 * As ZwCreateSection, with extended parameters.
 *
 * @param desiredAccess SECTION_… and generic rights.
 * @param objectAttributes Name, flags and security; null for an unnamed section.
 * @param maximumSize Bytes, up to 2^46.
 * @param pageProtection PAGE_…
 * @param allocationAttributes SEC_…
 * @param fileHandle The file that backs it; null for the paging file.
 * @param extendedParameters MemSectionExtendedParameterNumaNode, which has no effect; null for none.
 * @param extendedParameterCount How many of them count; left out, all.
 * @returns What ZwCreateSection returns; before that, STATUS_INVALID_PARAMETER for parameters of no known type,
 * of one type twice, or for images alone, and STATUS_NOT_SUPPORTED for physical pages.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntcreatesectionex}
 */
export function ZwCreateSectionEx(
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  maximumSize: Size | null,
  pageProtection: number,
  allocationAttributes: number,
  fileHandle: Handle | null,
  extendedParameters: readonly MEM_SECTION_EXTENDED_PARAMETER[] | null,
  extendedParameterCount?: number,
): SectionResult {
  return createSectionEx(
    'kernel',
    desiredAccess,
    objectAttributes,
    maximumSize,
    pageProtection,
    allocationAttributes,
    fileHandle,
    extendedParameters,
    extendedParameterCount,
  );
}
