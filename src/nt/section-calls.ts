/**
 * The calls on section objects and their handles: create, open, query, close. The faces differ in the
 * mode that they call in and in the names they give these functions; what a call does stands here.
 */
import { SectionError } from '../base/error.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/object-handle.js';
import type { SectionName } from '../namespace/name.js';
import { ACCESS_SYSTEM_SECURITY, creatorAccess, MAXIMUM_ALLOWED, SECTION_QUERY } from '../security/index.js';
import { createSection as create, openSection as open } from '../system/lookup.js';
import { type Handle, handleValue, type Size, ulong, ulong64, ulong64OrNull } from './arguments.js';
import {
  OBJ_CASE_INSENSITIVE,
  OBJ_EXCLUSIVE,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_OPENIF,
  OBJ_PERMANENT,
  OBJ_PROTECT_CLOSE,
  PAGE_SIZE,
  SEC_LARGE_PAGES,
  SEC_RESERVE,
  SectionBasicInformation,
  SectionImageInformation,
} from './constants.js';
import { type Captured, capture, nameOf, type ObjectAttributes } from './object-attributes.js';
import type { Found } from './object-directory.js';
import { sectionType } from './object-types.js';
import { createRules, firstBroken } from './rules.js';
import { addHandle, dropHandle, handleOf, type Mode, mayUse, sectionOf, strangerStatus } from './tables.js';

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

/** A status for what the floors below threw; anything but their own error is a fault of ours. */
export function statusOf(error: unknown): NTSTATUS {
  if (error instanceof SectionError) return error.status;
  throw error;
}

const refuse = (status: NTSTATUS): SectionResult => ({ status, sectionHandle: 0 });

/** A section's size as NT counts it: whole pages where the paging file backs it, else as it is. */
export function sectionSize({ memory, facts }: SectionHandle): number {
  return memory.backing === 'pagefile' ? Math.ceil(facts.size / PAGE_SIZE) * PAGE_SIZE : facts.size;
}

/** How the lookup is done for a caller, and what the handle then holds. */
class Access {
  /** Whether rights count: always in user mode, in kernel mode when it asks for that. */
  readonly checked: boolean;
  readonly #desired: number;
  readonly #attributes: number;

  constructor(mode: Mode, attributes: number, desired: number) {
    this.checked = mode === 'user' || (attributes & OBJ_FORCE_ACCESS_CHECK) !== 0;
    this.#desired = desired;
    this.#attributes = attributes;
  }

  /**
   * What to ask for. Unchecked, rights are no limit: the memory shall be as capable as can be had. A
   * global section's is in kernel mode; a local one's is what this user is granted.
   */
  desiredOf(name: SectionName | null): number {
    return this.checked || name?.scope === 'global' ? this.#desired : MAXIMUM_ALLOWED;
  }

  get options() {
    return { checkAccess: this.checked, caseInsensitive: (this.#attributes & OBJ_CASE_INSENSITIVE) !== 0 };
  }

  granted(section: SectionHandle): number {
    return (this.checked ? section.granted : creatorAccess('Section', this.#desired)) & sectionType.rights;
  }
}

/** Enters a section into the table that the caller asks for. */
function enter(
  mode: Mode,
  { attributes }: Pick<Captured, 'attributes'>,
  access: Access,
  section: SectionHandle,
  object: string,
): SectionResult {
  const handle = addHandle(mode === 'kernel' && (attributes & OBJ_KERNEL_HANDLE) !== 0, {
    type: sectionType,
    body: section,
    object,
    granted: access.granted(section),
    checked: access.checked,
    inherit: (attributes & OBJ_INHERIT) !== 0,
    protectedFromClose: (attributes & OBJ_PROTECT_CLOSE) !== 0,
  });
  if (handle === null) return refuse(Status.STATUS_INSUFFICIENT_RESOURCES);
  return { status: section.created ? Status.STATUS_SUCCESS : Status.STATUS_OBJECT_NAME_EXISTS, sectionHandle: handle };
}

/** Flags that an object cannot be created with. */
function flagStatus(mode: Mode, { attributes, given }: Captured): NTSTATUS {
  if ((attributes & OBJ_PERMANENT) !== 0) {
    return mode === 'user' ? Status.STATUS_PRIVILEGE_NOT_HELD : Status.STATUS_NOT_SUPPORTED;
  }
  return (attributes & OBJ_EXCLUSIVE) !== 0 && given.ObjectName ? Status.STATUS_NOT_SUPPORTED : Status.STATUS_SUCCESS;
}

/** Why what was found is no name of a section: a directory, a link, a device or a file is of another type. */
function noSectionStatus(found: Found): NTSTATUS {
  return 'status' in found ? found.status : Status.STATUS_OBJECT_TYPE_MISMATCH;
}

/** The attributes of a call that was given none. */
const NONE = { attributes: 0, security: undefined } as const;

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
  const hasFile = fileHandle !== null && fileHandle !== undefined && fileHandle !== 0;
  const request = {
    attributes: ulong(allocationAttributes),
    protection: ulong(pageProtection),
    size: ulong64OrNull(maximumSize),
    hasFile,
  };
  const broken = firstBroken(createRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  if (hasFile) return refuse(strangerStatus(mode, fileHandle));

  const captured = objectAttributes === null || objectAttributes === undefined ? null : capture(objectAttributes);
  if (captured !== null && 'status' in captured) return refuse(captured.status);
  const flags = captured === null ? Status.STATUS_SUCCESS : flagStatus(mode, captured);
  if (!isSuccess(flags)) return refuse(flags);
  const desired = ulong(desiredAccess);
  if (desired === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  if (mode === 'user' && (desired & ACCESS_SYSTEM_SECURITY) !== 0) return refuse(Status.STATUS_PRIVILEGE_NOT_HELD);
  const found = captured === null ? null : nameOf(captured, 'create', (root) => ({ status: strangerStatus(mode, root) }));
  if (found !== null && !('name' in found)) return refuse(noSectionStatus(found));
  const name = found?.name ?? null;

  const { attributes: flagged, security } = captured ?? NONE;
  const { attributes = 0, protection = 0, size = 0n } = request;
  const access = new Access(mode, flagged, desired);
  const creation = {
    size: Math.ceil(Number(size) / PAGE_SIZE) * PAGE_SIZE,
    reserve: (attributes & SEC_RESERVE) !== 0,
    largePages: (attributes & SEC_LARGE_PAGES) !== 0,
    soleWriter: false,
    pageProtection: protection,
    attributes,
    security,
    openExisting: (flagged & OBJ_OPENIF) !== 0,
    desired: access.desiredOf(name),
  };
  try {
    const section = create('ZwCreateSection', name, creation, access.options);
    return enter(mode, { attributes: flagged }, access, section, name === null ? 'an unnamed section' : `"${name.full}"`);
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/** ZwOpenSection and NtOpenSection. */
export function openSection(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): SectionResult {
  const captured = capture(objectAttributes);
  if ('status' in captured) return refuse(captured.status);
  const desired = ulong(desiredAccess);
  // No object is exclusive here, and one that is not cannot be opened as if it were.
  if (desired === undefined || (captured.attributes & OBJ_EXCLUSIVE) !== 0) return refuse(Status.STATUS_INVALID_PARAMETER);
  const found = nameOf(captured, 'open', (root) => ({ status: strangerStatus(mode, root) }));
  if (found === null) return refuse(Status.STATUS_OBJECT_PATH_SYNTAX_BAD);
  if (!('name' in found)) return refuse(noSectionStatus(found));
  const access = new Access(mode, captured.attributes, desired);
  try {
    const section = open('ZwOpenSection', found.name, access.desiredOf(found.name), access.options);
    return { ...enter(mode, captured, access, section, `"${found.name.full}"`), status: Status.STATUS_SUCCESS };
  } catch (error) {
    return refuse(statusOf(error));
  }
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
