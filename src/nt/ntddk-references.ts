/**
 * The part of `sectile/ntddk` for objects that a driver holds by pointers, and for views that it maps
 * from them.
 *
 * A handle that an application puts into a request means nothing to a driver; what it is on can be had by
 * {@link ObReferenceObjectByHandle} while the dispatch routine runs for that application.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import type { View } from '../memory/view.js';
import { type Handle, type Size, ulong64 } from './arguments.js';
import { setPointerCounter } from './object-calls.js';
import { sectionType } from './object-types.js';
import {
  dereference,
  type ObjectPointer,
  openByPointer,
  pointerCount,
  type ReferenceResult,
  reference,
  referenceByHandle,
  referenceOf,
} from './references.js';
import { closeHandle } from './section-calls.js';
import { CURRENT_PROCESS } from './tables.js';
import { mapReferencedSection, unmapViewOfSection } from './view-calls.js';

export type { ObjectPointer, ReferenceResult } from './references.js';

setPointerCounter(pointerCount);

/** An object type, as ObReferenceObjectByHandle takes it: `*MmSectionObjectType` in C. */
export type ObjectTypeName = string;
export const MmSectionObjectType: ObjectTypeName = 'Section';
export const ExEventObjectType: ObjectTypeName = 'Event';
export const ExSemaphoreObjectType: ObjectTypeName = 'Semaphore';
export const IoFileObjectType: ObjectTypeName = 'File';
export const PsProcessType: ObjectTypeName = 'Process';

const USER_MODE = 1;

const isTypeOrNull = (type: unknown): type is string | null => type === null || typeof type === 'string';

/**
 * Takes a pointer to what a handle is on. The object lives until the pointer is given back with
 * {@link ObDereferenceObject}: its name goes with its last handle, its memory stays.
 *
 * @param handle With KernelMode, a handle of the system process. With UserMode in a dispatch routine, a handle
 * of the application that asks; it must stand in the request's input, as 32 bits, little-endian, at a multiple of
 * 4 bytes (the first 64 such), and be on a section, event, mutant or semaphore of the global namespace. Local
 * objects and those without a name are the application's own: to share one, give it a global name. Elsewhere,
 * UserMode means a user handle of the system process, whose rights count.
 * @param desiredAccess Rights that the handle must have. In KernelMode they count only for handles that were opened
 * with OBJ_FORCE_ACCESS_CHECK.
 * @param objectType MmSectionObjectType and so on; null for any.
 * @param accessMode KernelMode or UserMode.
 * @returns STATUS_SUCCESS with the pointer: the same for the same object, and one more to give back; else
 * STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED or STATUS_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-obreferenceobjectbyhandle}
 */
export function ObReferenceObjectByHandle(
  handle: Handle,
  desiredAccess: number,
  objectType: ObjectTypeName | null,
  accessMode: number,
): ReferenceResult {
  if (!isTypeOrNull(objectType) || (accessMode !== 0 && accessMode !== USER_MODE))
    return { status: Status.STATUS_INVALID_PARAMETER, object: null };
  return referenceByHandle(accessMode === USER_MODE ? 'user' : 'kernel', handle, desiredAccess, objectType);
}

function misuse(operation: string, pointer: unknown): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `this is no pointer to an object, or was given back: ${show(pointer)}`,
  });
}

/**
 * Takes a pointer once more.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no pointer, where NT would stop the machine
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-obreferenceobject}
 */
export function ObReferenceObject(object: ObjectPointer): void {
  if (!reference(object)) throw misuse('ObReferenceObject', object);
}

/**
 * Gives a pointer back; with the last one, and no handle left, the object goes.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no pointer, or none any more
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-obdereferenceobject}
 */
export function ObDereferenceObject(object: ObjectPointer): void {
  if (!dereference(object)) throw misuse('ObDereferenceObject', object);
}

/**
 * Opens a handle on what a pointer is on, so that the Zw… calls can use it. It does not count among the object's
 * handles: a name that has gone does not come back.
 *
 * @param handleAttributes OBJ_KERNEL_HANDLE, OBJ_INHERIT.
 * @param _passedAccessState Null.
 * @param desiredAccess Rights of the handle: kernel mode gets what it asks for.
 * @param objectType As in {@link ObReferenceObjectByHandle}.
 * @param _accessMode KernelMode.
 * @returns STATUS_SUCCESS with the handle; else STATUS_INVALID_PARAMETER (no pointer), STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INSUFFICIENT_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-obopenobjectbypointer}
 */
export function ObOpenObjectByPointer(
  object: ObjectPointer,
  handleAttributes: number,
  _passedAccessState: null,
  desiredAccess: number,
  objectType: ObjectTypeName | null,
  _accessMode: number,
): { readonly status: NTSTATUS; readonly handle: Handle } {
  if (!isTypeOrNull(objectType)) return { status: Status.STATUS_INVALID_PARAMETER, handle: 0 };
  return openByPointer(object, handleAttributes, desiredAccess, objectType);
}

/**
 * Closes a handle.
 *
 * @param accessMode KernelMode for any handle of the system process; UserMode for its user handles alone. In a
 * dispatch routine there is no user handle to be closed: the application's are its own.
 * @returns STATUS_SUCCESS, STATUS_INVALID_HANDLE, STATUS_HANDLE_NOT_CLOSABLE.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-obclosehandle}
 */
export function ObCloseHandle(handle: Handle, accessMode: number): NTSTATUS {
  return closeHandle(accessMode === USER_MODE ? 'user' : 'kernel', handle);
}

/** What mapping into the system's addresses gives. */
export interface SystemViewResult {
  readonly status: NTSTATUS;
  readonly mappedBase: bigint | null;
  /** Bytes, whole pages. */
  readonly viewSize: number;
  readonly view: View | null;
}

/**
 * Maps a section into the addresses of the system, from its start, as its page protection allows: for writing where
 * that does. A section whose creator is its only writer is mapped for reading. The view needs no handle, and is
 * nobody's but the driver's: it may be mapped in a dispatch routine as well.
 *
 * @param section A pointer to a section.
 * @param viewSize Bytes; 0 for the whole section.
 * @returns STATUS_SUCCESS with the view; else STATUS_INVALID_PARAMETER, STATUS_OBJECT_TYPE_MISMATCH,
 * STATUS_INVALID_VIEW_SIZE, STATUS_NO_MEMORY.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-mmmapviewinsystemspace}
 */
export function MmMapViewInSystemSpace(section: ObjectPointer, viewSize: Size): SystemViewResult {
  const refuse = (status: NTSTATUS): SystemViewResult => ({ status, mappedBase: null, viewSize: 0, view: null });
  const found = referenceOf(section);
  const size = ulong64(viewSize);
  if (found === undefined || size === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  if (found.type !== (sectionType as unknown)) return refuse(Status.STATUS_OBJECT_TYPE_MISMATCH);
  const result = mapReferencedSection(found.body as never, found.object, size);
  return {
    status: result.status,
    mappedBase: result.baseAddress,
    viewSize: result.view === null ? 0 : result.viewSize,
    view: result.view,
  };
}

/**
 * Unmaps a view of {@link MmMapViewInSystemSpace}.
 *
 * @param mappedBase Any address inside it.
 * @returns STATUS_SUCCESS or STATUS_NOT_MAPPED_VIEW.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntifs/nf-ntifs-mmunmapviewinsystemspace}
 */
export function MmUnmapViewInSystemSpace(mappedBase: bigint | null): NTSTATUS {
  return unmapViewOfSection('kernel', CURRENT_PROCESS, mappedBase);
}
