/**
 * What this process holds by way of the NT and Win32 faces: its user handles, in the system process the
 * kernel's handles too, and its views. One of each, whichever face was used: a handle from kernel32 is
 * one for ntdll as well. (A Worker is a world of its own, with tables of its own.)
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/section-handle.js';
import { systemInThisProcess } from '../system/kernel.js';
import { type Handle, handleValue } from './arguments.js';
import { HandleTable } from './handle-table.js';
import { ViewTable } from './view-table.js';

/** Who calls: a driver in the system process, or an application. */
export type Mode = 'kernel' | 'user';

/** An open handle on a section. */
export interface OpenSection {
  readonly section: SectionHandle;
  /** As messages name it. */
  readonly object: string;
  /** SECTION_… bits. */
  readonly granted: number;
  /** Whether kernel mode, too, can do with it only what was granted (OBJ_FORCE_ACCESS_CHECK). */
  readonly checked: boolean;
  readonly protectedFromClose: boolean;
  readonly forget: () => void;
}

const KERNEL_HANDLE_BIT = 0x8000_0000 | 0;
const userHandles = new HandleTable<OpenSection>(0);
const kernelHandles = new HandleTable<OpenSection>(KERNEL_HANDLE_BIT);
export const views = new ViewTable();

/** The calling process, in place of a handle to it: ZwCurrentProcess(). */
export const CURRENT_PROCESS: Handle = -1;
/** The calling thread: ZwCurrentThread(). */
export const CURRENT_THREAD: Handle = -2;

const tableOf = (handle: Handle): HandleTable<OpenSection> => (handle < 0 ? kernelHandles : userHandles);

/** Enters a handle; null when the table is full. */
export function addHandle(kernel: boolean, entry: OpenSection): Handle | null {
  return (kernel ? kernelHandles : userHandles).add(entry);
}

/** The section behind a handle, or why there is none: STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH. */
export function sectionOf(mode: Mode, value: unknown): OpenSection | { readonly status: NTSTATUS } {
  const handle = handleValue(value);
  if (handle === CURRENT_PROCESS || handle === CURRENT_THREAD) return { status: Status.STATUS_OBJECT_TYPE_MISMATCH };
  const entry = handle < 0 && mode === 'user' ? undefined : tableOf(handle).get(handle);
  return entry ?? { status: Status.STATUS_INVALID_HANDLE };
}

/** Whether a handle stands for this process: no other can be mapped into. */
export function processStatus(mode: Mode, value: unknown): NTSTATUS {
  return handleValue(value) === CURRENT_PROCESS ? Status.STATUS_SUCCESS : strangerStatus(mode, value);
}

/** Why a handle is of no file, directory or process: in this version all handles are sections'. */
export function strangerStatus(mode: Mode, value: unknown): NTSTATUS {
  const found = sectionOf(mode, value);
  return 'status' in found ? found.status : Status.STATUS_OBJECT_TYPE_MISMATCH;
}

/** Takes a handle out of its table and gives the section back. */
export function dropHandle(value: Handle, entry: OpenSection): void {
  if (tableOf(value).get(value) !== entry) return;
  tableOf(value).delete(value);
  entry.forget();
  entry.section.close();
}

/** Has something released when the driver that is running is unloaded. Returns how to take that back. */
export function heldByDriver(what: 'handle' | 'view', release: () => void): () => void {
  return systemInThisProcess()?.currentDriver()?.onUnload(what, release) ?? (() => {});
}
