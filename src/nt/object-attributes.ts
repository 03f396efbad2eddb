/**
 * OBJECT_ATTRIBUTES: how a caller says which object it means and what the handle shall be like. Made by
 * InitializeObjectAttributes, judged when a call uses it, as in NT.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { MAXIMUM_NAME_LENGTH } from '../namespace/name.js';
import { fieldsOf, type Handle, ulong } from './arguments.js';
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
import {
  type Directory,
  type Found,
  type Lookup,
  lookUpIn,
  lookUpPath,
  type Purpose,
  sessionDirectory,
} from './object-directory.js';

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

/** A counted string of UTF-16 units, as the structure of that name in NT. */
export interface UNICODE_STRING {
  /** Bytes of the text, two for each unit. */
  readonly Length: number;
  /** Bytes of the buffer. */
  readonly MaximumLength: number;
  /** The text; it ends with a NUL that `Length` may count. An address is never read. */
  readonly Buffer: string | bigint | null;
}

/** sizeof(OBJECT_ATTRIBUTES) on x64. */
const LENGTH = 48;

/** Which object, and what kind of handle on it. Made by {@link InitializeObjectAttributes}; never changes. */
export class ObjectAttributes {
  readonly Length = LENGTH;
  readonly RootDirectory: Handle | typeof SESSION_DIRECTORY | null;
  readonly ObjectName: string | UNICODE_STRING | null;
  readonly Attributes: number;
  /** SDDL. */
  readonly SecurityDescriptor: string | null;
  readonly SecurityQualityOfService = null;
  /** Tells what was made here from what only looks like it. */
  readonly #made = true;

  /** @internal */
  constructor(
    name: string | UNICODE_STRING | null,
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
 * `\BaseNamedObjects\Frames`, or with a root directory from there. Null for an object without a name. It
 * is a counted string: a NUL is a character like any other.
 * @param attributes A union of OBJ_ flags. Unknown ones make the call fail with
 * STATUS_INVALID_PARAMETER.
 * - OBJ_INHERIT has children that CreateProcess makes with bInheritHandles get the handle, under the same value.
 * - OBJ_PERMANENT has a new global object outlive its last handle. It takes SeCreatePermanentPrivilege
 *   (else STATUS_PRIVILEGE_NOT_HELD), means nothing without a name, and is STATUS_NOT_SUPPORTED for a local
 *   name, which nobody keeps but its users.
 * - OBJ_EXCLUSIVE allows one open handle at a time; opening with it what was created without it is
 *   STATUS_INVALID_PARAMETER.
 * - OBJ_CASE_INSENSITIVE makes this lookup ignore case.
 * - OBJ_OPENIF opens the object if it exists: STATUS_OBJECT_NAME_EXISTS then.
 * - OBJ_OPENLINK takes a symbolic link at the end of the name for itself, not for what it leads to.
 * - OBJ_KERNEL_HANDLE puts the handle into the kernel's table; from user mode it is ignored.
 * - OBJ_FORCE_ACCESS_CHECK has kernel mode checked as user mode is: at the lookup, and whenever the
 *   handle is used.
 * - OBJ_PROTECT_CLOSE makes a handle that cannot be closed (STATUS_HANDLE_NOT_CLOSABLE).
 * @param rootDirectory Handle of the directory that `name` starts from; null for the root of the
 * namespace.
 * @param securityDescriptor Who may do what, as SDDL. Null or left out for the creator's default. It
 * counts when the object is created, not when it is opened.
 * @returns The attributes, which never change.
 * @see {@link https://learn.microsoft.com/windows/win32/api/ntdef/nf-ntdef-initializeobjectattributes}
 */
export function InitializeObjectAttributes(
  name: string | UNICODE_STRING | null,
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

/**
 * The text of a name or of a link's target as a caller gave it; null for none.
 *
 * @returns STATUS_DATATYPE_MISALIGNMENT (an odd address), STATUS_OBJECT_NAME_INVALID (an odd length; too
 * long), STATUS_ACCESS_VIOLATION (no string, an address, or more bytes than there are)
 */
export function textOf(given: unknown): string | null | { readonly status: NTSTATUS } {
  if (given === null || given === undefined) return null;
  const fields = typeof given === 'string' ? { Length: given.length * 2, Buffer: given } : fieldsOf(given, 'Length', 'Buffer');
  const [length, buffer] = [ulong(fields?.Length), fields?.Buffer];
  if (length === undefined) return { status: Status.STATUS_ACCESS_VIOLATION };
  if (length === 0) return '';
  if (typeof buffer === 'bigint' && (buffer & 1n) !== 0n) return { status: Status.STATUS_DATATYPE_MISALIGNMENT };
  if (length % 2 !== 0 || length / 2 > MAXIMUM_NAME_LENGTH) return { status: Status.STATUS_OBJECT_NAME_INVALID };
  // The NUL that ends a text may be counted; what comes after it is not ours to read.
  if (typeof buffer !== 'string' || length / 2 > buffer.length + 1) return { status: Status.STATUS_ACCESS_VIOLATION };
  return `${buffer}\0`.slice(0, length / 2);
}

/** The directory behind a root handle, or why it is none. */
export type RootOf = (handle: Handle) => Directory | { readonly status: NTSTATUS };

/**
 * What name and root directory mean together.
 *
 * @returns what the name is; null for none; or STATUS_OBJECT_NAME_INVALID (a root but no name), and what
 * {@link textOf}, the root and {@link lookUpPath} have
 */
export function nameOf({ given, attributes }: Captured, purpose: Purpose, rootOf: RootOf, wantsLink = false): Found | null {
  const { ObjectName, RootDirectory: root } = given;
  const hasRoot = root !== null && root !== undefined && root !== 0;
  const name = textOf(ObjectName);
  if (name === null && hasRoot) return { status: Status.STATUS_OBJECT_NAME_INVALID };
  if (name !== null && typeof name !== 'string') return name;
  // Without a name there is nothing to look up, and a root is not looked at.
  if (name === null || (purpose === 'create' && name === '')) return null;
  const lookup = lookupFor(attributes, purpose, wantsLink);
  if (!hasRoot) return lookUpPath(name, lookup);
  const directory = root === SESSION_DIRECTORY ? sessionDirectory() : rootOf(root);
  return 'status' in directory ? directory : lookUpIn(directory, name, lookup);
}

/** How the flags of a call have its name looked up. */
export function lookupFor(attributes: number, purpose: Purpose, wantsLink: boolean): Lookup {
  return {
    purpose,
    caseInsensitive: (attributes & OBJ_CASE_INSENSITIVE) !== 0,
    stopAtLink: wantsLink || (attributes & OBJ_OPENLINK) !== 0,
  };
}
