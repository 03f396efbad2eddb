/**
 * The part of `sectile/ntddk` on objects of every type, on directories and on symbolic links. In kernel
 * mode: rights count with OBJ_FORCE_ACCESS_CHECK only, and with OBJ_KERNEL_HANDLE a handle is the kernel's.
 */
import type { Handle, Size } from './arguments.js';
import { createDirectoryObject, openDirectoryObject, queryDirectoryObject } from './directory-calls.js';
import { createSymbolicLinkObject, openSymbolicLinkObject, querySymbolicLinkObject } from './link-calls.js';
import type {
  NtCreateDirectoryObject,
  NtCreateSymbolicLinkObject,
  NtMakePermanentObject,
  NtMakeTemporaryObject,
  NtOpenDirectoryObject,
  NtOpenSymbolicLinkObject,
  NtQueryDirectoryObject,
  NtQuerySecurityObject,
  NtQuerySymbolicLinkObject,
  NtSetInformationObject,
  NtSetSecurityObject,
} from './ntdll-objects.js';
import {
  makePermanentObject,
  makeTemporaryObject,
  type ObjectQueryResult,
  queryObject,
  querySecurityObject,
  setInformationObject,
  setSecurityObject,
} from './object-calls.js';

export type { DirectoryQueryResult, DirectoryResult, OBJECT_DIRECTORY_INFORMATION } from './directory-calls.js';
export type { LinkQueryResult, LinkResult } from './link-calls.js';
export type {
  GENERIC_MAPPING,
  OBJECT_BASIC_INFORMATION,
  OBJECT_HANDLE_FLAG_INFORMATION,
  OBJECT_NAME_INFORMATION,
  OBJECT_TYPE_INFORMATION,
  ObjectInformation,
  ObjectQueryResult,
  SecurityQueryResult,
} from './object-calls.js';

/**
 * Tells what an object, its type or a handle is.
 *
 * @param handle Any handle, whatever it may do; null for ObjectTypesInformation.
 * @param objectInformationClass ObjectBasicInformation (attributes, granted access, counts over all processes),
 * ObjectNameInformation (the whole path, each character of it), ObjectTypeInformation, ObjectTypesInformation or
 * ObjectHandleFlagInformation.
 * @param length Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with what was asked for; else STATUS_INVALID_HANDLE, STATUS_INVALID_INFO_CLASS,
 * STATUS_INFO_LENGTH_MISMATCH or STATUS_BUFFER_OVERFLOW (a name that the buffer is too short for), with the bytes
 * that it takes.
 * @see {@link https://learn.microsoft.com/windows/win32/api/winternl/nf-winternl-ntqueryobject}
 */
export function ZwQueryObject<C extends number>(
  handle: Handle | null,
  objectInformationClass: C,
  length?: Size,
): ObjectQueryResult<C> {
  return queryObject('kernel', handle, objectInformationClass, length);
}

/**
 * Changes what a handle is like: whether children get it, whether it can be closed. Parameters and statuses:
 * {@link NtSetInformationObject}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation}
 */
export const ZwSetInformationObject: typeof NtSetInformationObject = (...given) => setInformationObject('kernel', ...given);

/**
 * Has a permanent object go with its last handle. Parameters and statuses: {@link NtMakeTemporaryObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject}
 */
export const ZwMakeTemporaryObject: typeof NtMakeTemporaryObject = (...given) => makeTemporaryObject('kernel', ...given);

/**
 * Has an object with a global name outlive its last handle. Parameters and statuses: {@link
 * NtMakePermanentObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject}
 */
export const ZwMakePermanentObject: typeof NtMakePermanentObject = (...given) => makePermanentObject('kernel', ...given);

/**
 * Tells who may do what with an object. Parameters and statuses: {@link NtQuerySecurityObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwquerysecurityobject}
 */
export const ZwQuerySecurityObject: typeof NtQuerySecurityObject = (...given) => querySecurityObject('kernel', ...given);

/**
 * Changes who may do what with an object. Handles that are open keep what they were granted. Parameters and
 * statuses: {@link NtSetSecurityObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwsetsecurityobject}
 */
export const ZwSetSecurityObject: typeof NtSetSecurityObject = (...given) => setSecurityObject('kernel', ...given);

/**
 * Creates a directory of the object namespace, or with OBJ_OPENIF opens the one that has the name. It goes, and
 * the way to what is in it, with its last handle. Parameters and statuses: {@link NtCreateDirectoryObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatedirectoryobject}
 */
export const ZwCreateDirectoryObject: typeof NtCreateDirectoryObject = (...given) => createDirectoryObject('kernel', ...given);

/**
 * Opens a directory of the object namespace: one that was created, or one that is always there, such as
 * `\BaseNamedObjects`. Its handle can be the root of other names. Parameters and statuses: {@link
 * NtOpenDirectoryObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopendirectoryobject}
 */
export const ZwOpenDirectoryObject: typeof NtOpenDirectoryObject = (...given) => openDirectoryObject('kernel', ...given);

/**
 * Lists what is in a directory. Parameters and statuses: {@link NtQueryDirectoryObject}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject}
 */
export const ZwQueryDirectoryObject: typeof NtQueryDirectoryObject = (...given) => queryDirectoryObject('kernel', ...given);

/**
 * Creates a symbolic link of the object namespace, or with OBJ_OPENIF opens the one that has the name. Lookups
 * go on where it leads to. Parameters and statuses: {@link NtCreateSymbolicLinkObject}.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntcreatesymboliclinkobject}
 */
export const ZwCreateSymbolicLinkObject: typeof NtCreateSymbolicLinkObject = (...given) =>
  createSymbolicLinkObject('kernel', ...given);

/**
 * Opens a symbolic link itself, not what it leads to. Parameters and statuses: {@link NtOpenSymbolicLinkObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensymboliclinkobject}
 */
export const ZwOpenSymbolicLinkObject: typeof NtOpenSymbolicLinkObject = (...given) => openSymbolicLinkObject('kernel', ...given);

/**
 * Tells where a symbolic link leads to. Parameters and statuses: {@link NtQuerySymbolicLinkObject}.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwquerysymboliclinkobject}
 */
export const ZwQuerySymbolicLinkObject: typeof NtQuerySymbolicLinkObject = (...given) =>
  querySymbolicLinkObject('kernel', ...given);
