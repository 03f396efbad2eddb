/**
 * NtDuplicateObject and its like: a further handle on the object that a handle is on, here or in another
 * process. Which rights it gets is decided here, for objects of every type alike.
 */
import { SectionError } from '../base/error.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { os } from '../os/index.js';
import { PROCESS_DUP_HANDLE } from '../security/index.js';
import { type Handle, handleValue, ulong } from './arguments.js';
import {
  DUPLICATE_CLOSE_SOURCE,
  DUPLICATE_SAME_ACCESS,
  DUPLICATE_SAME_ATTRIBUTES,
  OBJ_INHERIT,
  OBJ_KERNEL_HANDLE,
  OBJ_PROTECT_CLOSE,
} from './constants.js';
import { ask } from './door-client.js';
import { type Hold, hold } from './duplicate-rights.js';
import { statusOf } from './failure.js';
import type { ObjectBody, ObjectType, ProcessBody } from './object-types.js';
import { type Arrived, pack, unpack } from './passing.js';
import { anyHandleOf, processOf } from './process-handles.js';
import { OtherProcess } from './process-object.js';
import { closeHandle } from './section-calls.js';
import { addHandle, CURRENT_PROCESS, handleOf, type Mode, type OpenHandle } from './tables.js';

/** What duplicating gives back; the handle is 0 on failure. */
export interface DuplicateResult {
  readonly status: NTSTATUS;
  /** A handle of the target process: 0 where no target was given. */
  readonly targetHandle: Handle;
}

const refuse = (status: NTSTATUS): DuplicateResult => ({ status, targetHandle: 0 });

/** What a duplicate is made of: a hold on the source's object, which is the caller's to give up. */
interface Source extends Hold {
  readonly type: ObjectType<ObjectBody>;
  readonly object: string;
  /** OBJ_INHERIT, OBJ_PROTECT_CLOSE */
  readonly attributes: number;
  /** See OpenHandle. */
  readonly checked: boolean;
  /** Whether the body is the source's own as well, and not to be closed. */
  readonly shared: boolean;
}

interface Wish {
  /** Null for the source's rights. */
  readonly desired: number | null;
  /** Null for the source's. */
  readonly attributes: number | null;
  /** OBJ_KERNEL_HANDLE */
  readonly kernel: boolean;
}

const attributesOf = ({ inherit, protectedFromClose }: Pick<OpenHandle, 'inherit' | 'protectedFromClose'>): number =>
  (inherit ? OBJ_INHERIT : 0) | (protectedFromClose ? OBJ_PROTECT_CLOSE : 0);

/** A hold on what a handle of this process is on. */
function takeHere(mode: Mode, handle: Handle, desired: number | null): Source | { readonly status: NTSTATUS } {
  const source = anyHandleOf(mode, handle);
  if ('status' in source) return source;
  const held = hold(mode, source, desired ?? source.granted);
  if ('status' in held) return held;
  const { type, object, checked, body } = source;
  return { ...held, type, object, attributes: attributesOf(source), checked, shared: held.body === body };
}

/** What another process has packed; null for what is no parcel: that process may be anybody's. */
function unpackOrNull(...parcel: Parameters<typeof unpack>): Arrived | null {
  try {
    return unpack(...parcel);
  } catch (error) {
    if (error instanceof SectionError) throw error;
    return null;
  }
}

/** A hold on what a handle of another process is on: it comes with no more than that handle has. */
function takeFrom(process_: OtherProcess, handle: Handle, desired: number | null): Source | { readonly status: NTSTATUS } {
  const { answer, descriptors } = ask(process_, 'handle.take', { handle, desired });
  if (!isSuccess(answer.status)) {
    for (const each of descriptors) os.descriptorClose(each);
    return { status: answer.status };
  }
  const { type, facts, object, granted, inherit, protectedFromClose } = answer;
  const rights = ulong(granted) ?? 0;
  const arrived = unpackOrNull(type, facts, descriptors, rights);
  if (arrived === null) return { status: Status.STATUS_UNSUCCESSFUL };
  return {
    ...arrived,
    granted: rights & arrived.type.rights,
    object: String(object),
    attributes: attributesOf({ inherit: inherit === true, protectedFromClose: protectedFromClose === true }),
    checked: true,
    shared: false,
  };
}

/** Enters a duplicate into the table of another process. */
function giveTo(process_: OtherProcess, source: Source, attributes: number): DuplicateResult {
  const { type, body, granted, object } = source;
  const parcel = pack(type, body, granted);
  if ('status' in parcel) return refuse(parcel.status);
  try {
    const { answer } = ask(
      process_,
      'handle.give',
      {
        type: type.name,
        facts: parcel.facts,
        object,
        granted,
        inherit: (attributes & OBJ_INHERIT) !== 0,
        protectedFromClose: (attributes & OBJ_PROTECT_CLOSE) !== 0,
      },
      parcel.descriptors,
    );
    return { status: answer.status, targetHandle: isSuccess(answer.status) ? handleValue(answer['handle']) : 0 };
  } finally {
    parcel.close();
  }
}

/** Enters a duplicate into a table of this process, which then owns the hold. */
function giveHere(mode: Mode, source: Source, attributes: number, kernel: boolean): DuplicateResult {
  const { type, body, object, granted } = source;
  const handle = addHandle(kernel, {
    type,
    body,
    object,
    granted,
    checked: mode === 'user' || source.checked,
    inherit: (attributes & OBJ_INHERIT) !== 0,
    protectedFromClose: (attributes & OBJ_PROTECT_CLOSE) !== 0,
  });
  return handle === null ? refuse(Status.STATUS_INSUFFICIENT_RESOURCES) : { status: Status.STATUS_SUCCESS, targetHandle: handle };
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
  const closes = (how & DUPLICATE_CLOSE_SOURCE) !== 0;
  const source = anyHandleOf(mode, sourceHandle);
  if (from.isCurrent && 'status' in source) return refuse(source.status);
  if (targetProcess === null || targetProcess === undefined || handleValue(targetProcess) === 0) {
    return refuse(closes ? closeIn(mode, from, sourceHandle) : Status.STATUS_INVALID_PARAMETER);
  }
  try {
    return duplicateTo(mode, from, sourceHandle, targetProcess, {
      desired: (how & DUPLICATE_SAME_ACCESS) !== 0 ? null : desired,
      attributes: (how & DUPLICATE_SAME_ATTRIBUTES) !== 0 ? null : attributes,
      kernel: (attributes & OBJ_KERNEL_HANDLE) !== 0,
    });
  } catch (error) {
    return refuse(statusOf(error));
  } finally {
    // Whatever became of the duplicate; a protected source stays.
    if (closes) closeIn(mode, from, sourceHandle);
  }
}

/** Closes a handle in its process. */
function closeIn(mode: Mode, process_: ProcessBody, handle: Handle): NTSTATUS {
  if (process_ instanceof OtherProcess) return ask(process_, 'handle.close', { handle }).answer.status;
  return closeHandle(mode, handle);
}

function duplicateTo(mode: Mode, from: ProcessBody, handle: Handle, targetProcess: Handle, wish: Wish): DuplicateResult {
  const to = processOf(mode, targetProcess, PROCESS_DUP_HANDLE);
  if ('status' in to) return refuse(to.status);
  const source = from instanceof OtherProcess ? takeFrom(from, handle, wish.desired) : takeHere(mode, handle, wish.desired);
  if ('status' in source) return refuse(source.status);
  const attributes = wish.attributes ?? source.attributes;
  if (!(to instanceof OtherProcess)) {
    // The calling process's table is the user's; the system process's, by a handle to it, the kernel's.
    const kernel = mode === 'kernel' && wish.kernel && handleValue(targetProcess) !== CURRENT_PROCESS;
    return giveHere(mode, source, attributes, kernel);
  }
  try {
    return giveTo(to, source, attributes);
  } finally {
    if (!source.shared) source.body.close();
  }
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
