/**
 * The way from a call to a handle, for objects of every type that has names: the attributes are judged,
 * the name is looked up, the object is created or opened, its handle entered. What a type adds is how
 * the object is made.
 */
import { SectionError } from '../base/error.js';
import { kindText, type ObjectKind } from '../base/object-kind.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import type { ObjectName } from '../namespace/name.js';
import {
  ACCESS_SYSTEM_SECURITY,
  creatorAccess,
  DIRECTORY_CREATE_OBJECT,
  DIRECTORY_CREATE_SUBDIRECTORY,
  holdsPrivilege,
  MAXIMUM_ALLOWED,
  tokenOfThisProcess,
} from '../security/index.js';
import { createObject, findEntry, type LookupOptions, openObject } from '../system/lookup.js';
import { type Handle, ulong } from './arguments.js';
import {
  OBJ_CASE_INSENSITIVE,
  OBJ_EXCLUSIVE,
  OBJ_FORCE_ACCESS_CHECK,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_OPENIF,
  OBJ_PERMANENT,
  OBJ_PROTECT_CLOSE,
} from './constants.js';
import { type Refusal, statusOf } from './failure.js';
import { directoryType, fixedDirectoryBody, fixedLinkBody, symbolicLinkType } from './named-types.js';
import { type Captured, capture, lookupFor, nameOf, type ObjectAttributes } from './object-attributes.js';
import { type Directory, type FixedLink, type Found, type FoundName, follow, type Purpose } from './object-directory.js';
import type { NamedType, ObjectBody } from './object-types.js';
import { addHandle, type Mode, objectOf } from './tables.js';

/** What a call gets that creates or opens an object; the handle is 0 on failure. */
export interface Opened {
  readonly status: NTSTATUS;
  readonly handle: Handle;
}

const refuse = (status: NTSTATUS): Opened => ({ status, handle: 0 });

/** A call whose parameters have been judged, up to its name. */
interface Request {
  readonly mode: Mode;
  readonly purpose: Purpose;
  /** OBJ_… */
  readonly attributes: number;
  readonly desired: number;
  /** Whether rights count: always in user mode, in kernel mode when it asks for that. */
  readonly checked: boolean;
  readonly security: string | undefined;
  /** Null for an object without a name. */
  readonly found: Found | null;
}

const has = (attributes: number, flag: number): boolean => (attributes & flag) !== 0;

/** The directory that a root handle is on. */
export function rootOf(mode: Mode, handle: Handle): Directory | Refusal {
  const found = objectOf(mode, handle, directoryType);
  return 'status' in found ? found : found.body.directory;
}

/** Privileges that rights take when an object is created. Kernel mode holds all; those of flags are asked for where the object lives. */
function privilegeStatus(mode: Mode, desired: number): NTSTATUS {
  if (mode === 'kernel' || !has(desired, ACCESS_SYSTEM_SECURITY)) return Status.STATUS_SUCCESS;
  const holds = holdsPrivilege(tokenOfThisProcess(), 'SeSecurityPrivilege');
  return holds ? Status.STATUS_SUCCESS : Status.STATUS_PRIVILEGE_NOT_HELD;
}

function judge<B extends ObjectBody>(
  mode: Mode,
  type: NamedType<B>,
  purpose: Purpose,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
): Request | Refusal {
  const isNone = objectAttributes === null || objectAttributes === undefined;
  const captured: Captured | Refusal | null = isNone && purpose === 'create' ? null : capture(objectAttributes);
  if (captured !== null && 'status' in captured) return captured;
  const { attributes = 0, security } = captured ?? {};
  const desired = ulong(desiredAccess);
  if (desired === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
  const privileges = purpose === 'create' ? privilegeStatus(mode, desired) : Status.STATUS_SUCCESS;
  if (!isSuccess(privileges)) return { status: privileges };
  const checked = mode === 'user' || has(attributes, OBJ_FORCE_ACCESS_CHECK);
  const found = captured === null ? null : nameOf(captured, purpose, (root) => rootOf(mode, root), type.kind === 'SymbolicLink');
  return { mode, purpose, attributes, desired, checked, security, found };
}

/**
 * What to ask for. Unchecked, rights are no limit: the memory shall be as capable as can be had. A global
 * object's is in kernel mode; a local one's is what this user is granted.
 */
function desiredOf({ checked, desired }: Request, name: ObjectName | null): number {
  return checked || name?.scope === 'global' ? desired : MAXIMUM_ALLOWED;
}

function optionsOf({ checked, attributes, purpose }: Request): LookupOptions {
  const exclusive = purpose === 'open' && has(attributes, OBJ_EXCLUSIVE);
  return { checkAccess: checked, caseInsensitive: has(attributes, OBJ_CASE_INSENSITIVE), exclusive };
}

/** Enters a handle into the table that the caller asks for. */
function enter<B extends ObjectBody>(
  { mode, attributes, checked }: Request,
  type: NamedType<B>,
  { body, granted, object }: { readonly body: B; readonly granted: number; readonly object: string },
): Handle {
  const handle = addHandle(mode === 'kernel' && has(attributes, OBJ_KERNEL_HANDLE), {
    type,
    body,
    object,
    granted: (granted & type.rights) >>> 0,
    checked,
    inherit: has(attributes, OBJ_INHERIT),
    protectedFromClose: has(attributes, OBJ_PROTECT_CLOSE),
  });
  return handle ?? 0;
}

const entered = (status: NTSTATUS, handle: Handle): Opened =>
  handle === 0 ? refuse(Status.STATUS_INSUFFICIENT_RESOURCES) : { status, handle };

function enterObject<B extends ObjectBody>(request: Request, type: NamedType<B>, object: ObjectHandle): Opened {
  const { purpose, checked, desired } = request;
  let body: B;
  try {
    body = type.bodyOf(object);
  } catch (error) {
    object.close();
    throw error;
  }
  const text = object.name === null ? kindText(type.kind).replace(/^an? /, 'an unnamed ') : `"${object.name.full}"`;
  const granted = checked ? object.granted : creatorAccess(type.kind, desired);
  const status = purpose === 'open' || object.created ? Status.STATUS_SUCCESS : Status.STATUS_OBJECT_NAME_EXISTS;
  return entered(status, enter(request, type, { body, granted, object: text }));
}

/** A directory or a link that is always there, or the directory that an empty name under a root means. */
function openFixed<B extends ObjectBody>(
  request: Request,
  type: NamedType<B>,
  found: { readonly directory: Directory } | { readonly link: FixedLink },
): Opened {
  const { purpose, attributes, checked, desired } = request;
  const isDirectory = 'directory' in found;
  if (type.kind !== (isDirectory ? directoryType : symbolicLinkType).kind) return refuse(Status.STATUS_OBJECT_TYPE_MISMATCH);
  if (purpose === 'create' && !has(attributes, OBJ_OPENIF)) return refuse(Status.STATUS_OBJECT_NAME_COLLISION);
  if (purpose === 'open' && has(attributes, OBJ_EXCLUSIVE)) return refuse(Status.STATUS_INVALID_PARAMETER);
  if (isDirectory && found.directory.reopen !== undefined) return enterObject(request, type, found.directory.reopen(desired));
  const body = isDirectory ? fixedDirectoryBody(found.directory) : fixedLinkBody(found.link);
  const granted = checked ? body.object.grant(desired) : creatorAccess(type.kind, desired);
  const handle = enter(request, type, { body: body as unknown as B, granted, object: `"${body.object.path}"` });
  return entered(purpose === 'open' ? Status.STATUS_SUCCESS : Status.STATUS_OBJECT_NAME_EXISTS, handle);
}

/** Where a link leads that has the name, if that is why the object could not be had under it; else null. */
function linkAt(error: unknown, type: NamedType<ObjectBody>, { name }: FoundName, { attributes }: Request): string | null {
  const isMismatch = error instanceof SectionError && error.code === 'ERR_SECTION_TYPE_MISMATCH';
  if (!isMismatch || lookupFor(attributes, 'open', type.kind === 'SymbolicLink').stopAtLink === true) return null;
  return findEntry('follow a link', name.scope, name.directory, name.leaf, has(attributes, OBJ_CASE_INSENSITIVE))?.target ?? null;
}

function obtain<B extends ObjectBody>(
  request: Request,
  type: NamedType<B>,
  obtainAt: (found: FoundName) => ObjectHandle,
  unnamed?: () => ObjectHandle,
): Opened {
  const { purpose, attributes } = request;
  let { found } = request;
  for (;;) {
    if (found === null) {
      return unnamed === undefined ? refuse(Status.STATUS_OBJECT_PATH_SYNTAX_BAD) : enterObject(request, type, unnamed());
    }
    if ('status' in found) return refuse(found.status);
    if ('directory' in found || 'link' in found) return openFixed(request, type, found);
    // A device or a file.
    if (!('name' in found)) return refuse(Status.STATUS_OBJECT_TYPE_MISMATCH);
    let object: ObjectHandle;
    try {
      object = obtainAt(found);
    } catch (error) {
      const target = linkAt(error, type as unknown as NamedType<ObjectBody>, found, request);
      if (target === null) throw error;
      found = follow(target, { ...lookupFor(attributes, purpose, false), followed: found.followed });
      continue;
    }
    return enterObject(request, type, object);
  }
}

/**
 * Refuses to create what the descriptor of its directory does not allow. In global directories the system
 * process sees to that itself.
 *
 * @throws SectionError ERR_SECTION_ACCESS_DENIED
 */
function requireCreation({ checked, attributes }: Request, kind: ObjectKind, { name, within }: FoundName): void {
  if (!checked || name.scope === 'global' || within.identity === undefined) return;
  const operation = 'create an object';
  // What is there is opened, or is in the way; who may create does not matter then.
  if (findEntry(operation, name.scope, within.identity, name.leaf, has(attributes, OBJ_CASE_INSENSITIVE)) !== null) return;
  const right = kind === 'Directory' ? DIRECTORY_CREATE_SUBDIRECTORY : DIRECTORY_CREATE_OBJECT;
  if (within.reopen !== undefined) within.reopen(right).close();
  else if (within.name !== undefined) openObject(operation, within.name, 'Directory', right).close();
}

/** What an object is to be created with, beside what its type knows. */
export interface NewObject {
  readonly security: string | undefined;
  readonly openExisting: boolean;
  readonly desired: number;
  readonly permanent: boolean;
  readonly exclusive: boolean;
}

/**
 * Creates an object, or with OBJ_OPENIF opens the one that has the name.
 *
 * @param make makes it under a name, or without one
 */
export function createOfType<B extends ObjectBody>(
  mode: Mode,
  type: NamedType<B>,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  make: (name: ObjectName | null, creation: NewObject, options: LookupOptions) => ObjectHandle,
): Opened {
  try {
    const request = judge(mode, type, 'create', desiredAccess, objectAttributes);
    if ('status' in request) return refuse(request.status);
    const { attributes, security } = request;
    const makeAt = (name: ObjectName | null): ObjectHandle => {
      const creation = {
        security,
        openExisting: has(attributes, OBJ_OPENIF),
        desired: desiredOf(request, name),
        permanent: has(attributes, OBJ_PERMANENT),
        exclusive: has(attributes, OBJ_EXCLUSIVE),
      };
      return make(name, creation, optionsOf(request));
    };
    const makeIn = (found: FoundName): ObjectHandle => {
      requireCreation(request, type.kind, found);
      return makeAt(found.name);
    };
    return obtain(request, type, makeIn, () => makeAt(null));
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/** Creates an object of a type that keeps its state in these bytes: {@link createOfType}. */
export function createNamed<B extends ObjectBody>(
  operation: string,
  mode: Mode,
  type: NamedType<B>,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  content: Uint8Array,
): Opened {
  return createOfType(mode, type, desiredAccess, objectAttributes, (name, creation, options) =>
    createObject(operation, name, type.kind as Exclude<typeof type.kind, 'Section'>, { ...creation, content }, options),
  );
}

/** Opens an object by its name. */
export function openNamed<B extends ObjectBody>(
  operation: string,
  mode: Mode,
  type: NamedType<B>,
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
): Opened {
  try {
    const request = judge(mode, type, 'open', desiredAccess, objectAttributes);
    if ('status' in request) return refuse(request.status);
    return obtain(request, type, ({ name }) =>
      openObject(operation, name, type.kind, desiredOf(request, name), optionsOf(request)),
    );
  } catch (error) {
    return refuse(statusOf(error));
  }
}
