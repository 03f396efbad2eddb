/**
 * Access masks: the rights of each kind of object, the standard and the generic rights, and how a generic
 * right becomes the rights of one kind. Numbers only: who holds a right is decided elsewhere.
 *
 * Source: [MS-DTYP] 2.4.3 ACCESS_MASK; Microsoft's pages "File Mapping Security and Access Rights",
 * "Standard Access Rights" and ZwCreateSection.
 */

/** 32 bits of rights, unsigned. */
export type AccessMask = number;

export const SECTION_QUERY = 0x0001;
export const SECTION_MAP_WRITE = 0x0002;
export const SECTION_MAP_READ = 0x0004;
export const SECTION_MAP_EXECUTE = 0x0008;
export const SECTION_EXTEND_SIZE = 0x0010;
export const SECTION_MAP_EXECUTE_EXPLICIT = 0x0020;
/** Every right of a section but SECTION_MAP_EXECUTE_EXPLICIT, which winnt.h leaves out as well. */
export const SECTION_ALL_ACCESS = 0x000f001f;

export const EVENT_QUERY_STATE = 0x0001;
export const EVENT_MODIFY_STATE = 0x0002;
export const EVENT_ALL_ACCESS = 0x001f0003;

export const MUTANT_QUERY_STATE = 0x0001;
export const MUTANT_ALL_ACCESS = 0x001f0001;

export const SEMAPHORE_QUERY_STATE = 0x0001;
export const SEMAPHORE_MODIFY_STATE = 0x0002;
export const SEMAPHORE_ALL_ACCESS = 0x001f0003;

export const DIRECTORY_QUERY = 0x0001;
export const DIRECTORY_TRAVERSE = 0x0002;
export const DIRECTORY_CREATE_OBJECT = 0x0004;
export const DIRECTORY_CREATE_SUBDIRECTORY = 0x0008;
export const DIRECTORY_ALL_ACCESS = 0x000f000f;

export const SYMBOLIC_LINK_QUERY = 0x0001;
export const SYMBOLIC_LINK_ALL_ACCESS = 0x000f0001;

export const DELETE = 0x00010000;
export const READ_CONTROL = 0x00020000;
export const WRITE_DAC = 0x00040000;
export const WRITE_OWNER = 0x00080000;
/** Not a right of sections; here because files, events and `FA` in SDDL carry it. */
export const SYNCHRONIZE = 0x00100000;

export const STANDARD_RIGHTS_REQUIRED = 0x000f0000;
export const STANDARD_RIGHTS_READ = READ_CONTROL;
export const STANDARD_RIGHTS_WRITE = READ_CONTROL;
export const STANDARD_RIGHTS_EXECUTE = READ_CONTROL;
export const STANDARD_RIGHTS_ALL = 0x001f0000;
export const SPECIFIC_RIGHTS_ALL = 0x0000ffff;

export const ACCESS_SYSTEM_SECURITY = 0x01000000;
export const MAXIMUM_ALLOWED = 0x02000000;

export const GENERIC_ALL = 0x10000000;
export const GENERIC_EXECUTE = 0x20000000;
export const GENERIC_WRITE = 0x40000000;
export const GENERIC_READ = 0x80000000;

/**
 * The rights an ACE can grant once generic bits are mapped: specific and standard ones.
 * ACCESS_SYSTEM_SECURITY comes from a privilege alone, MAXIMUM_ALLOWED is a question and not a right,
 * and the remaining bits are reserved ([MS-DTYP] 2.4.3).
 */
export const GRANTABLE_RIGHTS = (STANDARD_RIGHTS_ALL | SPECIFIC_RIGHTS_ALL) >>> 0;

/** What the four generic rights mean for one type of object (GENERIC_MAPPING of wdm.h). */
export interface GenericMapping {
  readonly read: AccessMask;
  readonly write: AccessMask;
  readonly execute: AccessMask;
  readonly all: AccessMask;
}

const genericBits = [
  [GENERIC_READ, 'read'],
  [GENERIC_WRITE, 'write'],
  [GENERIC_EXECUTE, 'execute'],
  [GENERIC_ALL, 'all'],
] as const satisfies readonly (readonly [AccessMask, keyof GenericMapping])[];

/**
 * Replaces the generic bits of a mask by the rights they stand for, as RtlMapGenericMask does.
 *
 * @param mask    any access mask; only its low 32 bits count
 * @param mapping the type's meaning of the generic rights
 * @returns the mask as an unsigned number, without generic bits; it never throws
 */
export function mapGeneric(mask: AccessMask, mapping: GenericMapping): AccessMask {
  let mapped = mask;
  for (const [bit, meaning] of genericBits) {
    if ((mask & bit) !== 0) mapped = (mapped & ~bit) | mapping[meaning];
  }
  return mapped >>> 0;
}
