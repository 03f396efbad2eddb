/**
 * The part of `sectile/ntddk` on objects of every type, on directories and on symbolic links: kernel mode.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Handle, Size } from './arguments.js';
import {
  createDirectoryObject,
  type DirectoryQueryResult,
  type DirectoryResult,
  openDirectoryObject,
  queryDirectoryObject,
} from './directory-calls.js';
import {
  createSymbolicLinkObject,
  type LinkQueryResult,
  type LinkResult,
  openSymbolicLinkObject,
  querySymbolicLinkObject,
} from './link-calls.js';
import type { ObjectAttributes, UNICODE_STRING } from './object-attributes.js';
import {
  makePermanentObject,
  makeTemporaryObject,
  type OBJECT_HANDLE_FLAG_INFORMATION,
  type ObjectQueryResult,
  queryObject,
  querySecurityObject,
  type SecurityQueryResult,
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
 * Changes what a handle is like: whether children get it, whether it can be closed.
 *
 * @param handle Any handle.
 * @param objectInformationClass ObjectHandleFlagInformation.
 * @param objectInformation Both flags; what is left out is off.
 * @returns STATUS_SUCCESS, STATUS_INVALID_INFO_CLASS, STATUS_ACCESS_VIOLATION (no structure) or
 * STATUS_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-sethandleinformation}
 */
export function ZwSetInformationObject(
  handle: Handle,
  objectInformationClass: number,
  objectInformation: Partial<OBJECT_HANDLE_FLAG_INFORMATION>,
): NTSTATUS {
  return setInformationObject('kernel', handle, objectInformationClass, objectInformation);
}

/**
 * Has a permanent object go with its last handle.
 *
 * @param handle With DELETE, where rights count.
 * @returns STATUS_SUCCESS, also for what is temporary; STATUS_INVALID_HANDLE or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject}
 */
export function ZwMakeTemporaryObject(handle: Handle): NTSTATUS {
  return makeTemporaryObject('kernel', handle);
}

/**
 * Has an object with a global name outlive its last handle.
 *
 * @param handle Any handle.
 * @returns STATUS_SUCCESS, also for an object without a name, which cannot last; STATUS_PRIVILEGE_NOT_HELD,
 * STATUS_INVALID_HANDLE or STATUS_NOT_SUPPORTED (a local name).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwmaketemporaryobject}
 */
export function ZwMakePermanentObject(handle: Handle): NTSTATUS {
  return makePermanentObject('kernel', handle);
}

/**
 * Tells who may do what with an object.
 *
 * @param handle With READ_CONTROL; for SACL_SECURITY_INFORMATION with ACCESS_SYSTEM_SECURITY, where rights count.
 * @param securityInformation OWNER_, GROUP_, DACL_, SACL_ and LABEL_SECURITY_INFORMATION. Audit lists and labels
 * are kept for no object.
 * @param length Bytes of the caller's buffer; left out, they suffice.
 * @returns STATUS_SUCCESS with the parts asked for as SDDL; else STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE,
 * STATUS_ACCESS_DENIED, STATUS_BUFFER_TOO_SMALL (for the descriptor in its self-relative form), or
 * STATUS_NOT_SUPPORTED for objects without a descriptor.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwquerysecurityobject}
 */
export function ZwQuerySecurityObject(handle: Handle, securityInformation: number, length?: Size): SecurityQueryResult {
  return querySecurityObject('kernel', handle, securityInformation, length);
}

/**
 * Changes who may do what with an object. Handles that are open keep what they were granted.
 *
 * @param handle With WRITE_DAC for DACL_SECURITY_INFORMATION, WRITE_OWNER for OWNER_ and
 * GROUP_SECURITY_INFORMATION, where rights count.
 * @param securityInformation The parts to replace.
 * @param securityDescriptor SDDL that has these parts; others in it do not count.
 * @returns STATUS_SUCCESS; else STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE, STATUS_ACCESS_DENIED,
 * STATUS_ACCESS_VIOLATION (no text), STATUS_INVALID_SECURITY_DESCR, STATUS_INVALID_OWNER,
 * STATUS_INVALID_PRIMARY_GROUP, STATUS_INVALID_ACL (parts that the text lacks, or an owner who cannot be named) or
 * STATUS_NOT_SUPPORTED (audit lists, labels).
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-zwsetsecurityobject}
 */
export function ZwSetSecurityObject(handle: Handle, securityInformation: number, securityDescriptor: string): NTSTATUS {
  return setSecurityObject('kernel', handle, securityInformation, securityDescriptor);
}

/**
 * Creates a directory of the object namespace, or with OBJ_OPENIF opens the one that has the name. It goes, and
 * the way to what is in it, with its last handle.
 *
 * @param desiredAccess DIRECTORY_… and generic rights. The creator is granted what it asks for; a directory that
 * exists is checked for them with OBJ_FORCE_ACCESS_CHECK only.
 * @param objectAttributes Name, flags and security; null for a directory without a name.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with STATUS_INVALID_PARAMETER,
 * STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED or STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwcreatedirectoryobject}
 */
export function ZwCreateDirectoryObject(desiredAccess: number, objectAttributes: ObjectAttributes | null): DirectoryResult {
  return createDirectoryObject('kernel', desiredAccess, objectAttributes);
}

/**
 * Opens a directory of the object namespace: one that was created, or one that is always there, such as
 * `\BaseNamedObjects`. Its handle can be the root of other names.
 *
 * @param desiredAccess DIRECTORY_… and generic rights, or MAXIMUM_ALLOWED; checked with OBJ_FORCE_ACCESS_CHECK
 * only.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopendirectoryobject}
 */
export function ZwOpenDirectoryObject(desiredAccess: number, objectAttributes: ObjectAttributes): DirectoryResult {
  return openDirectoryObject('kernel', desiredAccess, objectAttributes);
}

/**
 * Lists what is in a directory.
 *
 * @param directoryHandle With DIRECTORY_QUERY, where rights count.
 * @param length Bytes of the caller's buffer; null if they suffice.
 * @param returnSingleEntry One entry, or as many as there is room for.
 * @param restartScan Whether to begin again, whatever `context` says.
 * @param context 0, or what the last call gave back.
 * @returns STATUS_SUCCESS with the entries, STATUS_MORE_ENTRIES if there was no room for all; else
 * STATUS_NO_MORE_ENTRIES, STATUS_BUFFER_TOO_SMALL (one entry), STATUS_INVALID_PARAMETER, STATUS_INVALID_HANDLE,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntquerydirectoryobject}
 */
export function ZwQueryDirectoryObject(
  directoryHandle: Handle,
  length: Size | null,
  returnSingleEntry: boolean,
  restartScan: boolean,
  context: number,
): DirectoryQueryResult {
  return queryDirectoryObject('kernel', directoryHandle, length, returnSingleEntry, restartScan, context);
}

/**
 * Creates a symbolic link of the object namespace, or with OBJ_OPENIF opens the one that has the name. Lookups go
 * on where it leads to.
 *
 * @param desiredAccess SYMBOLIC_LINK_QUERY, standard and generic rights. The creator is granted what it asks for;
 * a link that exists is checked for them with OBJ_FORCE_ACCESS_CHECK only.
 * @param objectAttributes Name, flags and security.
 * @param linkTarget An absolute path. Nobody looks whether anything is there.
 * @returns The handle with STATUS_SUCCESS or STATUS_OBJECT_NAME_EXISTS; else 0 with STATUS_ACCESS_VIOLATION,
 * STATUS_DATATYPE_MISALIGNMENT, STATUS_INVALID_PARAMETER, STATUS_PRIVILEGE_NOT_HELD, STATUS_OBJECT_NAME_INVALID,
 * STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_COLLISION,
 * STATUS_OBJECT_TYPE_MISMATCH, STATUS_INVALID_SECURITY_DESCR, STATUS_ACCESS_DENIED or
 * STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows/win32/devnotes/ntcreatesymboliclinkobject}
 */
export function ZwCreateSymbolicLinkObject(
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  linkTarget: string | UNICODE_STRING,
): LinkResult {
  return createSymbolicLinkObject('kernel', desiredAccess, objectAttributes, linkTarget);
}

/**
 * Opens a symbolic link itself, not what it leads to.
 *
 * @param desiredAccess SYMBOLIC_LINK_QUERY, standard and generic rights, or MAXIMUM_ALLOWED; checked with
 * OBJ_FORCE_ACCESS_CHECK only.
 * @param objectAttributes The name and flags.
 * @returns The handle with STATUS_SUCCESS; else 0 with STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwopensymboliclinkobject}
 */
export function ZwOpenSymbolicLinkObject(desiredAccess: number, objectAttributes: ObjectAttributes): LinkResult {
  return openSymbolicLinkObject('kernel', desiredAccess, objectAttributes);
}

/**
 * Tells where a symbolic link leads to.
 *
 * @param linkHandle With SYMBOLIC_LINK_QUERY, where rights count.
 * @param length Bytes of the caller's buffer, with room for a NUL; left out, they suffice.
 * @returns STATUS_SUCCESS with the path; else STATUS_BUFFER_TOO_SMALL with the bytes that it takes,
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH or STATUS_ACCESS_DENIED.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-zwquerysymboliclinkobject}
 */
export function ZwQuerySymbolicLinkObject(linkHandle: Handle, length?: Size): LinkQueryResult {
  return querySymbolicLinkObject('kernel', linkHandle, length);
}
