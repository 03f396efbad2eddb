/**
 * OBJECT_ATTRIBUTES: how a caller says which object it means and what the handle shall be like. Made by
 * InitializeObjectAttributes, judged when a call uses it, as in NT.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { MAXIMUM_NAME_LENGTH, type SectionName } from '../namespace/name.js';
import { type Handle, ulong } from './arguments.js';
import {
  OBJ_CASE_INSENSITIVE,
  OBJ_EXCLUSIVE,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_OPENIF,
  OBJ_OPENLINK,
  OBJ_PERMANENT,
  OBJ_PROTECT_CLOSE,
} from './constants.js';
import { type Purpose, resolveInSession, resolvePath } from './object-directory.js';

const OBJ_KNOWN =
  OBJ_PROTECT_CLOSE |
  OBJ_INHERIT |
  OBJ_PERMANENT |
  OBJ_EXCLUSIVE |
  OBJ_CASE_INSENSITIVE |
  OBJ_OPENIF |
  OBJ_OPENLINK |
  OBJ_KERNEL_HANDLE |
  OBJ_FORCE_ACCESS_CHECK;

/** In place of a root directory's handle: the directory of the caller's session, where Win32 names start. */
export const SESSION_DIRECTORY = Symbol('\\Sessions\\N\\BaseNamedObjects');

/** sizeof(OBJECT_ATTRIBUTES) on x64. */
const LENGTH = 48;

/** Which object, and what kind of handle on it. Made by {@link InitializeObjectAttributes}; never changes. */
export class ObjectAttributes {
  readonly Length = LENGTH;
  readonly RootDirectory: Handle | typeof SESSION_DIRECTORY | null;
  readonly ObjectName: string | null;
  readonly Attributes: number;
  /** SDDL. */
  readonly SecurityDescriptor: string | null;
  readonly SecurityQualityOfService = null;
  /** Tells what was made here from what only looks like it. */
  readonly #made = true;

  /** @internal */
  constructor(
    name: string | null,
    attributes: number,
    rootDirectory: Handle | typeof SESSION_DIRECTORY | null,
    securityDescriptor: string | null,
  ) {
    this.ObjectName = name;
    this.Attributes = attributes;
    this.RootDirectory = rootDirectory;
    this.SecurityDescriptor = securityDescriptor;
    Object.freeze(this);
  }

  /** @internal */
  static is(value: unknown): value is ObjectAttributes {
    return typeof value === 'object' && value !== null && #made in value && value.#made;
  }
}

/**
 * Describes an object for the calls that create or open one. Nothing is checked here: as in NT, the
 * call that uses it finds what is wrong.
 *
 * @param name The object's name: a path from the root of the object namespace, such as
 * `\BaseNamedObjects\Frames`. Null for an object without a name. It is a counted string: a NUL is a
 * character like any other.
 * @param attributes A union of OBJ_ flags. Unknown ones make the call fail with
 * STATUS_INVALID_PARAMETER.
 * - OBJ_INHERIT is kept with the handle; handles are not inherited in this version.
 * - OBJ_PERMANENT needs a privilege that user mode does not hold (STATUS_PRIVILEGE_NOT_HELD), and in
 *   kernel mode is not supported in this version (STATUS_NOT_SUPPORTED).
 * - OBJ_EXCLUSIVE holds by itself for an object without a name, and is STATUS_NOT_SUPPORTED for one
 *   with a name in this version.
 * - OBJ_CASE_INSENSITIVE makes this lookup ignore case.
 * - OBJ_OPENIF opens the object if it exists: STATUS_OBJECT_NAME_EXISTS then.
 * - OBJ_KERNEL_HANDLE puts the handle into the kernel's table; from user mode it is ignored.
 * - OBJ_FORCE_ACCESS_CHECK has kernel mode checked as user mode is: at the lookup, and whenever the
 *   handle is used.
 * - OBJ_PROTECT_CLOSE makes a handle that cannot be closed (STATUS_HANDLE_NOT_CLOSABLE).
 * @param rootDirectory Handle of the directory that `name` starts from. Directories are not opened in
 * this version, so only null will do.
 * @param securityDescriptor Who may do what, as SDDL. Null or left out for the creator's default. It
 * counts when the object is created, not when it is opened.
 * @returns The attributes, which never change.
 * @see {@link https://learn.microsoft.com/windows/win32/api/ntdef/nf-ntdef-initializeobjectattributes}
 */
export function InitializeObjectAttributes(
  name: string | null,
  attributes: number,
  rootDirectory: Handle | null = null,
  securityDescriptor: string | null = null,
): ObjectAttributes {
  return new ObjectAttributes(name, attributes, rootDirectory, securityDescriptor);
}

/** Attributes whose flags and form a call has accepted. */
export interface Captured {
  readonly given: ObjectAttributes;
  /** OBJ_… */
  readonly attributes: number;
  readonly security: string | undefined;
}

/**
 * Takes the attributes that a call was given.
 *
 * @returns them, or STATUS_INVALID_PARAMETER (not made by InitializeObjectAttributes, unknown flags),
 * STATUS_INVALID_SECURITY_DESCR (no text)
 */
export function capture(given: unknown): Captured | { readonly status: NTSTATUS } {
  if (!ObjectAttributes.is(given)) return { status: Status.STATUS_INVALID_PARAMETER };
  const attributes = ulong(given.Attributes);
  if (attributes === undefined || (attributes & ~OBJ_KNOWN) !== 0) return { status: Status.STATUS_INVALID_PARAMETER };
  const security = given.SecurityDescriptor ?? undefined;
  if (security !== undefined && typeof security !== 'string') return { status: Status.STATUS_INVALID_SECURITY_DESCR };
  return { given, attributes, security };
}

/** For an object without a name there is nothing to resolve. */
const unnamed = { name: null } as const;

/**
 * What name and root directory mean together.
 *
 * @param rootStatus says why a handle is no directory's
 * @returns the name, null for none; or STATUS_OBJECT_NAME_INVALID (too long; a root but no name),
 * STATUS_ACCESS_VIOLATION (no string), STATUS_OBJECT_PATH_SYNTAX_BAD (opening without a name), the
 * root's status, and what {@link resolvePath} has
 */
export function nameOf(
  { given, attributes }: Captured,
  purpose: Purpose,
  rootStatus: (handle: Handle) => NTSTATUS,
): { readonly name: SectionName | null } | { readonly status: NTSTATUS } {
  const { ObjectName: name, RootDirectory: root } = given;
  const hasRoot = root !== null && root !== undefined && root !== 0;
  if (name === null || name === undefined) {
    if (hasRoot) return { status: Status.STATUS_OBJECT_NAME_INVALID };
    return purpose === 'create' ? unnamed : { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  }
  if (typeof name !== 'string') return { status: Status.STATUS_ACCESS_VIOLATION };
  if (name.length > MAXIMUM_NAME_LENGTH) return { status: Status.STATUS_OBJECT_NAME_INVALID };
  if (name === '' && purpose === 'create') return unnamed;
  const caseInsensitive = (attributes & OBJ_CASE_INSENSITIVE) !== 0;
  if (root === SESSION_DIRECTORY) {
    return name === '' ? { status: Status.STATUS_OBJECT_TYPE_MISMATCH } : resolveInSession(name, purpose, caseInsensitive);
  }
  return hasRoot ? { status: rootStatus(root) } : resolvePath(name, purpose, caseInsensitive);
}
