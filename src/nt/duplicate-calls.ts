/**
 * NtDuplicateObject and its like: a further handle on the object that a handle is on, here or in another
 * process. Which rights it gets is decided here, for objects of every type alike.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { ACCESS_SYSTEM_SECURITY, MAXIMUM_ALLOWED, mapGeneric, PROCESS_DUP_HANDLE } from '../security/index.js';
import { type Handle, handleValue, ulong } from './arguments.js';
import {
  DUPLICATE_CLOSE_SOURCE,
  DUPLICATE_SAME_ACCESS,
  DUPLICATE_SAME_ATTRIBUTES,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_PROTECT_CLOSE,
} from './constants.js';
import type { ObjectBody } from './object-types.js';
import { anyHandleOf, processOf } from './process-handles.js';
import { closeHandle, statusOf } from './section-calls.js';
import { addHandle, CURRENT_PROCESS, handleOf, type Mode, type OpenHandle } from './tables.js';

/** What duplicating gives back; the handle is 0 on failure. */
export interface DuplicateResult {
  readonly status: NTSTATUS;
  /** A handle of the target process: 0 where no target was given. */
  readonly targetHandle: Handle;
}

const refuse = (status: NTSTATUS): DuplicateResult => ({ status, targetHandle: 0 });

/** What stands behind a duplicate, and what it may do. */
interface Hold {
  readonly body: ObjectBody;
  readonly granted: number;
}

/**
 * A hold on the source's object with these rights. No more than the source has come without asking; for
 * what goes beyond, the object's security descriptor is asked anew.
 */
function hold(mode: Mode, source: OpenHandle, desired: number): Hold | { readonly status: NTSTATUS } {
  const { type, body, granted, checked } = source;
  const share = (rights: number): Hold => ({ body: type.duplicate?.(body, rights) ?? body, granted: rights });
  const unchecked = mode === 'kernel' && !checked;
  if ((desired & ACCESS_SYSTEM_SECURITY & ~granted) !== 0 && !unchecked) return { status: Status.STATUS_ACCESS_DENIED };
  const wanted = mapGeneric(desired, type.mapping) & (type.rights | MAXIMUM_ALLOWED);
  if (unchecked) return share((wanted & MAXIMUM_ALLOWED) === 0 ? wanted : type.rights);
  if ((wanted & ~granted) === 0) return share(wanted);
  if (type.reopen !== undefined) return type.reopen(body, wanted);
  return (wanted & MAXIMUM_ALLOWED) === 0 ? { status: Status.STATUS_ACCESS_DENIED } : share(granted);
}

/** OBJ_INHERIT and OBJ_PROTECT_CLOSE of a handle. */
function attributesOf({ inherit, protectedFromClose }: OpenHandle): number {
  return (inherit ? OBJ_INHERIT : 0) | (protectedFromClose ? OBJ_PROTECT_CLOSE : 0);
}

/** ZwDuplicateObject and NtDuplicateObject. */
export function duplicateObject(
  mode: Mode,
  sourceProcess: Handle,
  sourceHandle: Handle,
  targetProcess: Handle | null,
  desiredAccess: number,
  handleAttributes: number,
  options: number,
): DuplicateResult {
  const desired = ulong(desiredAccess);
  const attributes = ulong(handleAttributes);
  const how = ulong(options);
  if (desired === undefined || attributes === undefined || how === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  const from = processOf(mode, sourceProcess, PROCESS_DUP_HANDLE);
  if ('status' in from) return refuse(from.status);
  const source = anyHandleOf(mode, sourceHandle);
  if ('status' in source) return refuse(source.status);
  const close = (how & DUPLICATE_CLOSE_SOURCE) !== 0;
  try {
    return duplicateTo(mode, source, targetProcess, {
      desired: (how & DUPLICATE_SAME_ACCESS) !== 0 ? source.granted : desired,
      attributes: (how & DUPLICATE_SAME_ATTRIBUTES) !== 0 ? attributesOf(source) | (attributes & OBJ_KERNEL_HANDLE) : attributes,
      closes: close,
    });
  } catch (error) {
    return refuse(statusOf(error));
  } finally {
    // Whatever became of the duplicate; a protected source stays.
    if (close) closeHandle(mode, sourceHandle);
  }
}

interface Wish {
  readonly desired: number;
  readonly attributes: number;
  /** Whether the source is closed, so that no target is needed. */
  readonly closes: boolean;
}

function duplicateTo(mode: Mode, source: OpenHandle, targetProcess: Handle | null, wish: Wish): DuplicateResult {
  if (targetProcess === null || targetProcess === undefined || handleValue(targetProcess) === 0) {
    return refuse(wish.closes ? Status.STATUS_SUCCESS : Status.STATUS_INVALID_PARAMETER);
  }
  const to = processOf(mode, targetProcess, PROCESS_DUP_HANDLE);
  if ('status' in to) return refuse(to.status);
  const held = hold(mode, source, wish.desired);
  if ('status' in held) return refuse(held.status);
  // The calling process's table is the user's, the system process's, by a handle to it, the kernel's.
  const kernel =
    mode === 'kernel' && handleValue(targetProcess) !== CURRENT_PROCESS && (wish.attributes & OBJ_KERNEL_HANDLE) !== 0;
  const handle = addHandle(kernel, {
    type: source.type,
    body: held.body,
    object: source.object,
    granted: held.granted,
    checked: mode === 'user' || source.checked,
    inherit: (wish.attributes & OBJ_INHERIT) !== 0,
    protectedFromClose: (wish.attributes & OBJ_PROTECT_CLOSE) !== 0,
  });
  return handle === null ? refuse(Status.STATUS_INSUFFICIENT_RESOURCES) : { status: Status.STATUS_SUCCESS, targetHandle: handle };
}

/** What a handle is like beside its rights: OBJ_INHERIT, OBJ_PROTECT_CLOSE. Pseudo handles are like nothing. */
export function handleFlags(
  mode: Mode,
  value: Handle,
): Pick<OpenHandle, 'inherit' | 'protectedFromClose'> | { readonly status: NTSTATUS } {
  return handleOf(mode, value);
}

/** Changes what a handle is like; what is left out stays. */
export function setHandleFlags(
  mode: Mode,
  value: Handle,
  flags: { readonly inherit?: boolean; readonly protectedFromClose?: boolean },
): NTSTATUS {
  const found = handleOf(mode, value);
  if ('status' in found) return found.status;
  found.inherit = flags.inherit ?? found.inherit;
  found.protectedFromClose = flags.protectedFromClose ?? found.protectedFromClose;
  return Status.STATUS_SUCCESS;
}
