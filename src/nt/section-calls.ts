/**
 * The calls on section objects and their handles: create, open, query, close. The faces differ in the
 * mode that they call in and in the names they give these functions; what a call does stands here.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/object-handle.js';
import { os } from '../os/index.js';
import { SECTION_QUERY } from '../security/index.js';
import { createSection as create } from '../system/lookup.js';
import { elementsOf, fieldsOf, type Handle, handleValue, type Size, ulong, ulong64, ulong64OrNull } from './arguments.js';
import {
  MemSectionExtendedParameterNumaNode,
  MemSectionExtendedParameterUserPhysicalFlags,
  PAGE_SIZE,
  SEC_LARGE_PAGES,
  SEC_RESERVE,
  SectionBasicInformation,
  SectionImageInformation,
} from './constants.js';
import { statusOf } from './failure.js';
import { fileBacking } from './file-sections.js';
import type { ObjectAttributes } from './object-attributes.js';
import { createOfType, type Opened, openNamed } from './object-opening.js';
import { sectionType } from './object-types.js';
import { createRules, firstBroken } from './rules.js';
import { contextStatus, dropHandle, handleOf, type Mode, mayUse, sectionOf } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface SectionResult {
  readonly status: NTSTATUS;
  readonly sectionHandle: Handle;
}

/** What a section is, in bytes and attributes. */
export interface SECTION_BASIC_INFORMATION {
  /** NULL unless the section is SEC_BASED, and that is only recorded here. */
  readonly BaseAddress: bigint | null;
  /** SEC_… */
  readonly AllocationAttributes: number;
  /** Bytes. */
  readonly MaximumSize: number;
}

export interface QueryResult {
  readonly status: NTSTATUS;
  readonly sectionInformation: SECTION_BASIC_INFORMATION | null;
  /** Bytes that the structure has on x64; 0 on failure. */
  readonly returnLength: number;
}

const refuse = (status: NTSTATUS): SectionResult => ({ status, sectionHandle: 0 });
const resultOf = ({ status, handle }: Opened): SectionResult => ({ status, sectionHandle: handle });

/** A section's size as NT counts it: whole pages where the paging file backs it, else as it is. */
export function sectionSize(section: SectionHandle): number {
  const { memory, facts } = section;
  if (memory.backing === 'pagefile') return Math.ceil(facts.size / PAGE_SIZE) * PAGE_SIZE;
  // A file that is no longer than the section was cannot have had it extended.
  if (memory.backing !== 'file' || os.descriptorStat(memory.descriptor).size <= facts.size) return facts.size;
  try {
    return section.currentSize();
  } catch (error) {
    // Who counts its handles has gone: nobody can extend it any more.
    statusOf(error);
    return facts.size;
  }
}

/** ZwCreateSection and NtCreateSection. */
export function createSection(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  maximumSize: Size | null,
  pageProtection: number,
  allocationAttributes: number,
  fileHandle: Handle | null,
): SectionResult {
  const context = contextStatus('ZwCreateSection');
  if (!isSuccess(context)) return refuse(context);
  const hasFile = fileHandle !== null && fileHandle !== undefined && fileHandle !== 0;
  const request = {
    attributes: ulong(allocationAttributes),
    protection: ulong(pageProtection),
    size: ulong64OrNull(maximumSize),
    hasFile,
  };
  const broken = firstBroken(createRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const { attributes = 0, protection = 0, size = 0n } = request;
  const backing = hasFile ? fileBacking(mode, fileHandle, { attributes, protection, size }) : null;
  if (backing !== null && 'status' in backing) return refuse(backing.status);
  const facts = backing ?? {
    size: Math.ceil(Number(size) / PAGE_SIZE) * PAGE_SIZE,
    reserve: (attributes & SEC_RESERVE) !== 0,
    largePages: (attributes & SEC_LARGE_PAGES) !== 0,
    soleWriter: false,
    pageProtection: protection,
    attributes,
  };
  return resultOf(
    createOfType(mode, sectionType, desiredAccess, objectAttributes, (name, creation, options) =>
      create('ZwCreateSection', name, { ...creation, ...facts }, options),
    ),
  );
}

/** MEM_EXTENDED_PARAMETER of a section. */
export interface MEM_SECTION_EXTENDED_PARAMETER {
  /** MemSectionExtendedParameterNumaNode, which has no effect; others are refused. */
  readonly Type: number;
  readonly ULong?: number;
}

/** What is wrong with extended parameters. The levels of signing are for images, physical pages for nobody. */
function parameterStatus(parameters: unknown, count: unknown): NTSTATUS {
  const given = elementsOf(parameters, count);
  if (given === undefined) return Status.STATUS_INVALID_PARAMETER;
  const types = new Set<number>();
  for (const each of given) {
    const fields = fieldsOf(each, 'Type', 'ULong');
    const type = ulong(fields?.Type) ?? 0;
    if (type === MemSectionExtendedParameterUserPhysicalFlags) return Status.STATUS_NOT_SUPPORTED;
    const isNode = type === MemSectionExtendedParameterNumaNode && ulong(fields?.ULong) !== undefined;
    if (!isNode || types.has(type)) return Status.STATUS_INVALID_PARAMETER;
    types.add(type);
  }
  return Status.STATUS_SUCCESS;
}

/** ZwCreateSectionEx and NtCreateSectionEx. */
export function createSectionEx(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  maximumSize: Size | null,
  pageProtection: number,
  allocationAttributes: number,
  fileHandle: Handle | null,
  extendedParameters: readonly MEM_SECTION_EXTENDED_PARAMETER[] | null,
  extendedParameterCount?: number,
): SectionResult {
  const parameters = parameterStatus(extendedParameters, extendedParameterCount);
  if (!isSuccess(parameters)) return refuse(parameters);
  return createSection(mode, desiredAccess, objectAttributes, maximumSize, pageProtection, allocationAttributes, fileHandle);
}

/** ZwOpenSection and NtOpenSection. */
export function openSection(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): SectionResult {
  const context = contextStatus('ZwOpenSection');
  if (!isSuccess(context)) return refuse(context);
  return resultOf(openNamed('ZwOpenSection', mode, sectionType, desiredAccess, objectAttributes));
}

/** Bytes of what each class gives, on x64. */
const informationLength: ReadonlyMap<number | undefined, bigint> = new Map([
  [SectionBasicInformation, 24n],
  [SectionImageInformation, 64n],
]);

/** Bytes that a buffer of structures can have. */
const LONGEST_BUFFER = 0xffff_ffffn;

/** ZwQuerySection and NtQuerySection. Class and length are judged before the handle. */
export function querySection(
  mode: Mode,
  sectionHandle: Handle,
  sectionInformationClass: number,
  sectionInformationLength?: Size,
): QueryResult {
  const fail = (status: NTSTATUS): QueryResult => ({ status, sectionInformation: null, returnLength: 0 });
  const wanted = ulong(sectionInformationClass);
  const length = informationLength.get(wanted);
  if (length === undefined) return fail(Status.STATUS_INVALID_INFO_CLASS);
  const given = sectionInformationLength === undefined ? length : (ulong64(sectionInformationLength) ?? 0n);
  if (given < length) return fail(Status.STATUS_INFO_LENGTH_MISMATCH);
  // A buffer of user mode is probed to its end, and none is that long.
  if (mode === 'user' && given > LONGEST_BUFFER) return fail(Status.STATUS_ACCESS_VIOLATION);
  const found = sectionOf(mode, sectionHandle);
  if ('status' in found) return fail(found.status);
  if (!mayUse(mode, found, SECTION_QUERY)) return fail(Status.STATUS_ACCESS_DENIED);
  if (wanted === SectionImageInformation) return fail(Status.STATUS_SECTION_NOT_IMAGE);
  const { body: section } = found;
  return {
    status: Status.STATUS_SUCCESS,
    sectionInformation: { BaseAddress: null, AllocationAttributes: section.facts.attributes, MaximumSize: sectionSize(section) },
    returnLength: Number(length),
  };
}

/** ZwClose and NtClose. */
export function closeHandle(mode: Mode, value: Handle): NTSTATUS {
  const handle = handleValue(value);
  const found = handleOf(mode, handle);
  if ('status' in found) return found.status;
  if (found.protectedFromClose) return Status.STATUS_HANDLE_NOT_CLOSABLE;
  dropHandle(handle, found);
  return Status.STATUS_SUCCESS;
}
