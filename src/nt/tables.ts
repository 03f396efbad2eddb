/**
 * What this process holds by way of the NT and Win32 faces: its user handles, in the system process the
 * kernel's handles too, and its views. One of each, whichever face was used: a handle from kernel32 is
 * one for ntdll as well. (A Worker is a world of its own, with tables of its own.)
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/object-handle.js';
import { PROCESS_VM_OPERATION } from '../security/index.js';
import { type DriverHold, systemInThisProcess } from '../system/kernel.js';
import { type Handle, handleValue } from './arguments.js';
import { HandleTable } from './handle-table.js';
import { fileType, type ObjectBody, type ObjectType, processType, sectionType } from './object-types.js';
import { ViewTable } from './view-table.js';

/** Who calls: a driver in the system process, or an application. */
export type Mode = 'kernel' | 'user';

/** An open handle on an object of any type. */
export interface OpenHandle<B extends ObjectBody = ObjectBody> {
  readonly type: ObjectType<B>;
  readonly body: B;
  /** As messages name the object. */
  readonly object: string;
  /** Rights: the type's own, standard ones. */
  readonly granted: number;
  /** Whether kernel mode, too, can do with it only what was granted (OBJ_FORCE_ACCESS_CHECK). */
  readonly checked: boolean;
  /** OBJ_INHERIT */
  inherit: boolean;
  /** OBJ_PROTECT_CLOSE */
  protectedFromClose: boolean;
  /** Takes it off the list of what its driver holds. */
  forget: () => void;
}

export type OpenSection = OpenHandle<SectionHandle>;

const KERNEL_HANDLE_BIT = 0x8000_0000 | 0;
const userHandles = new HandleTable<OpenHandle>(0);
const kernelHandles = new HandleTable<OpenHandle>(KERNEL_HANDLE_BIT);
export const views = new ViewTable();

/** The calling process, in place of a handle to it: ZwCurrentProcess(). */
export const CURRENT_PROCESS: Handle = -1;
/** The calling thread: ZwCurrentThread(). */
export const CURRENT_THREAD: Handle = -2;

/** How many handles are on a body: of some types they share one, and the last of them closes it. */
const holds = new Map<ObjectBody, number>();

/** Holds a body without a handle: it is closed when the last hold is given up. */
export function holdBody(body: ObjectBody): void {
  holds.set(body, (holds.get(body) ?? 0) + 1);
}

/** Gives up one hold on a body. */
export function releaseBody(body: ObjectBody): void {
  const others = (holds.get(body) ?? 1) - 1;
  if (others > 0) {
    holds.set(body, others);
    return;
  }
  holds.delete(body);
  body.close();
}

const tableOf = (handle: Handle): HandleTable<OpenHandle> => (handle < 0 ? kernelHandles : userHandles);

/** What a new handle shall be like. */
export interface NewHandle<B extends ObjectBody> {
  readonly type: ObjectType<B>;
  readonly body: B;
  readonly object: string;
  readonly granted: number;
  readonly checked: boolean;
  readonly inherit?: boolean;
  readonly protectedFromClose?: boolean;
}

/** @returns null when `enter` refuses it; this hold on the body is given up then */
function addWith<B extends ObjectBody>(given: NewHandle<B>, enter: (entry: OpenHandle) => Handle | null): Handle | null {
  const entry = { inherit: false, protectedFromClose: false, ...given, forget: () => {} } as OpenHandle;
  holdBody(given.body);
  const handle = enter(entry);
  if (handle === null) {
    releaseBody(given.body);
    return null;
  }
  entry.forget = heldByDriver('handle', () => dropHandle(handle, entry));
  return handle;
}

/**
 * Enters a handle into this process's table, or into the kernel's. It then belongs to the driver that is
 * running, if one is. The body may be that of other handles already.
 *
 * @returns null when the table is full; this hold on the body is given up then
 */
export function addHandle<B extends ObjectBody>(kernel: boolean, given: NewHandle<B>): Handle | null {
  return addWith(given, (entry) => (kernel ? kernelHandles : userHandles).add(entry));
}

/** Enters an inherited handle under the value that it had in the parent; as {@link addHandle}, null where that is taken. */
export function addHandleAs<B extends ObjectBody>(value: Handle, given: NewHandle<B>): Handle | null {
  return addWith(given, (entry) => (userHandles.addAs(value, entry) ? value : null));
}

/** The handles that children get. */
export function inheritableHandles(): readonly (readonly [Handle, OpenHandle])[] {
  return [...userHandles.entries()].filter(([, { inherit }]) => inherit);
}

/** Every handle of this process, the kernel's among them where this is the system process. */
export function openHandles(): readonly OpenHandle[] {
  return [...userHandles.values(), ...kernelHandles.values()];
}

/**
 * What is behind a handle, of whatever type; STATUS_INVALID_HANDLE where nothing is. In a dispatch routine of a
 * driver a user handle would be the application's: it means nothing.
 */
export function handleOf(mode: Mode, value: unknown): OpenHandle | { readonly status: NTSTATUS } {
  const handle = handleValue(value);
  const isMeant = handle < 0 ? mode === 'kernel' : systemInThisProcess()?.isInDispatch() !== true;
  const entry = isMeant ? tableOf(handle).get(handle) : undefined;
  return entry ?? { status: Status.STATUS_INVALID_HANDLE };
}

/** The object of one type behind a handle, or why there is none: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
export function objectOf<B extends ObjectBody>(
  mode: Mode,
  value: unknown,
  type: ObjectType<B>,
): OpenHandle<B> | { readonly status: NTSTATUS } {
  const found = isPseudoHandle(value) ? { status: Status.STATUS_OBJECT_TYPE_MISMATCH } : handleOf(mode, value);
  if ('status' in found || found.type === (type as ObjectType<ObjectBody>)) return found as OpenHandle<B>;
  return { status: Status.STATUS_OBJECT_TYPE_MISMATCH };
}

/** Whether a handle is on a file that none of the calls on the host's files can work with: a device's. */
export function isOtherFile(mode: Mode, value: unknown): boolean {
  const found = isPseudoHandle(value) ? null : handleOf(mode, value);
  return found !== null && 'type' in found && found.type !== (fileType as unknown) && found.type.name === fileType.name;
}

/** Whether a caller in this mode may use a handle for what needs these rights. */
export function mayUse(mode: Mode, { granted, checked }: Pick<OpenHandle, 'granted' | 'checked'>, rights: number): boolean {
  return (mode === 'kernel' && !checked) || (granted & rights) === rights;
}

/** ZwCurrentProcess() or ZwCurrentThread(): of a type, but in no table. */
export function isPseudoHandle(value: unknown): boolean {
  const handle = handleValue(value);
  return handle === CURRENT_PROCESS || handle === CURRENT_THREAD;
}

/** The section behind a handle, as {@link objectOf}. */
export function sectionOf(mode: Mode, value: unknown): OpenSection | { readonly status: NTSTATUS } {
  return objectOf(mode, value, sectionType);
}

/** Whether a handle stands for this process: no other can be mapped into. */
export function processStatus(mode: Mode, value: unknown): NTSTATUS {
  if (handleValue(value) === CURRENT_PROCESS) return Status.STATUS_SUCCESS;
  const found = objectOf(mode, value, processType);
  if ('status' in found) return found.status;
  if (!mayUse(mode, found, PROCESS_VM_OPERATION)) return Status.STATUS_ACCESS_DENIED;
  return found.body.isCurrent ? Status.STATUS_SUCCESS : Status.STATUS_NOT_SUPPORTED;
}

/** Takes a handle out of its table; what is behind it is closed with its last handle. */
export function dropHandle(value: Handle, entry: OpenHandle): void {
  if (tableOf(value).get(value) !== entry) return;
  tableOf(value).delete(value);
  entry.forget();
  releaseBody(entry.body);
}

/** Has something released when the driver that is running is unloaded. Returns how to take that back. */
export function heldByDriver(what: DriverHold, release: () => void): () => void {
  return systemInThisProcess()?.currentDriver()?.onUnload(what, release) ?? (() => {});
}

/** STATUS_INVALID_DEVICE_STATE where a driver's dispatch routine runs, for a call that must not be made there. */
export function contextStatus(call: string): NTSTATUS {
  return systemInThisProcess()?.contextStatus(call) ?? Status.STATUS_SUCCESS;
}
