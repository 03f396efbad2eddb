/**
 * The part of `sectile/ntddk` for devices: making them, answering IRPs, work items.
 *
 * A dispatch routine runs for the application that asks. In it, and in whatever it starts (timers, promises),
 * ZwCreateSection, ZwOpenSection and ZwMapViewOfSection are refused with STATUS_INVALID_DEVICE_STATE: the view
 * would be that application's. A routine that IoQueueWorkItem runs belongs to the system, and may.
 */

import { types } from 'node:util';
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import type { DeviceObject } from '../system/devices.js';
import { type IoStackLocation, type Irp, type Mdl, Request } from '../system/irps.js';
import { kernelMode } from '../system/kernel.js';
import type { WorkItem } from '../system/work-items.js';
import { fieldsOf, ulong } from './arguments.js';

import './device-calls.js';

export type { DeviceObject } from '../system/devices.js';
export * from '../system/io-codes.js';
export type { FileObject, IoParameters, IoStackLocation, IoStatusBlock, Irp, Mdl } from '../system/irps.js';
export type { WorkItem } from '../system/work-items.js';

const kernel = kernelMode('import sectile/ntddk');

export const KernelMode = 0;
export const UserMode = 1;

/** For IoCompleteRequest: nobody's priority is raised here. */
export const IO_NO_INCREMENT = 0;

/** Queue types of IoQueueWorkItem: one queue serves them all here. */
export const CriticalWorkQueue = 0;
export const DelayedWorkQueue = 1;

/** A driver's routine for IRPs of one major function. */
export type DriverDispatch = (deviceObject: DeviceObject, irp: Irp) => NTSTATUS | Promise<NTSTATUS>;

const isNameOrNull = (name: unknown): name is string | null | undefined =>
  name === null || name === undefined || typeof name === 'string';

interface DeviceResult {
  readonly status: NTSTATUS;
  readonly deviceObject: DeviceObject | null;
}

const refuse = (status: NTSTATUS): DeviceResult => ({ status, deviceObject: null });

function createDevice(
  driverObject: unknown,
  deviceExtensionSize: number,
  name: unknown,
  deviceType: number,
  characteristics: number,
  exclusive: boolean,
  security: string | null,
): DeviceResult {
  const [size, type, flags] = [ulong(deviceExtensionSize), ulong(deviceType), ulong(characteristics)];
  if (size === undefined || type === undefined || flags === undefined || !isNameOrNull(name))
    return refuse(Status.STATUS_INVALID_PARAMETER);
  return kernel.io.createDevice(driverObject, {
    name: name ?? null,
    deviceType: type,
    characteristics: flags,
    exclusive: Boolean(exclusive),
    security,
  });
}

/**
 * Creates a device. Applications open it under its name, or under a link to it.
 *
 * Everybody may open it for reading and writing (SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R); to have it
 * otherwise, use {@link IoCreateDeviceSecure}.
 *
 * @param driverObject As DriverEntry got it.
 * @param deviceExtensionSize Bytes in C. Here DeviceExtension is an object that takes what it is given: any size will do.
 * @param deviceName `\Device\NAME`, unique without its case; null for a device that nobody can open.
 * @param deviceType FILE_DEVICE_UNKNOWN or another FILE_DEVICE_…: recorded.
 * @param deviceCharacteristics 0 or FILE_DEVICE_SECURE_OPEN: recorded, and always so; a path behind the device's
 * name opens no way around its descriptor.
 * @param exclusive Whether only one file of it can be open at a time.
 * @returns STATUS_SUCCESS with the device; else STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD,
 * STATUS_OBJECT_PATH_NOT_FOUND (not in `\Device`), STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_COLLISION.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocreatedevice}
 */
export function IoCreateDevice(
  driverObject: object,
  deviceExtensionSize: number,
  deviceName: string | null,
  deviceType: number,
  deviceCharacteristics: number,
  exclusive: boolean,
): DeviceResult {
  return createDevice(driverObject, deviceExtensionSize, deviceName, deviceType, deviceCharacteristics, exclusive, null);
}

/**
 * As {@link IoCreateDevice}, with a security descriptor that says who may open the device.
 *
 * @param deviceName As there; a device without a name needs no descriptor, so null is refused.
 * @param defaultSDDLString SDDL, such as SDDL_DEVOBJ_SYS_ALL_ADM_ALL.
 * @param deviceClassGuid Not looked at: nothing overrides the descriptor here.
 * @returns As there; STATUS_INVALID_SECURITY_DESCR and the like for SDDL that is none.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdmsec/nf-wdmsec-wdmlibiocreatedevicesecure}
 */
export function IoCreateDeviceSecure(
  driverObject: object,
  deviceExtensionSize: number,
  deviceName: string,
  deviceType: number,
  deviceCharacteristics: number,
  exclusive: boolean,
  defaultSDDLString: string,
  _deviceClassGuid: string | null = null,
): DeviceResult {
  if (typeof deviceName !== 'string' || typeof defaultSDDLString !== 'string') return refuse(Status.STATUS_INVALID_PARAMETER);
  return createDevice(
    driverObject,
    deviceExtensionSize,
    deviceName,
    deviceType,
    deviceCharacteristics,
    exclusive,
    defaultSDDLString,
  );
}

/**
 * Deletes a device: its name is free, nobody can open it, requests to files that are open fail with
 * STATUS_DEVICE_REMOVED, and so do those that wait. Its files still get IRP_MJ_CLEANUP and IRP_MJ_CLOSE.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iodeletedevice}
 */
export function IoDeleteDevice(deviceObject: DeviceObject): void {
  if (!kernel.io.deleteDevice(deviceObject)) throw misuse('IoDeleteDevice', 'device', deviceObject);
}

/**
 * Makes a link by which applications find a device: `\\.\NAME`.
 *
 * @param symbolicLinkName `\DosDevices\NAME`, `\??\NAME` or `\GLOBAL??\NAME`.
 * @param deviceName `\Device\NAME`; the device need not be there yet.
 * @returns STATUS_SUCCESS, STATUS_INVALID_PARAMETER, STATUS_OBJECT_PATH_SYNTAX_BAD, STATUS_OBJECT_PATH_NOT_FOUND,
 * STATUS_OBJECT_NAME_INVALID or STATUS_OBJECT_NAME_COLLISION.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocreatesymboliclink}
 */
export function IoCreateSymbolicLink(symbolicLinkName: string, deviceName: string): NTSTATUS {
  if (typeof symbolicLinkName !== 'string' || typeof deviceName !== 'string') return Status.STATUS_INVALID_PARAMETER;
  return kernel.io.link(symbolicLinkName, deviceName);
}

/**
 * Takes a link away.
 *
 * @returns STATUS_SUCCESS, STATUS_OBJECT_NAME_NOT_FOUND, or as {@link IoCreateSymbolicLink}.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iodeletesymboliclink}
 */
export function IoDeleteSymbolicLink(symbolicLinkName: string): NTSTATUS {
  if (typeof symbolicLinkName !== 'string') return Status.STATUS_INVALID_PARAMETER;
  return kernel.io.unlink(symbolicLinkName);
}

/* ---------------------------------------------------------------------------------- IRPs ---- */

/** What a bug check would be: the driver is unloaded for it, unless it catches it. */
function misuse(operation: string, what: string, value: unknown): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule: `this is no ${what}: ${show(value)}` });
}

function requestOf(operation: string, irp: Irp): Request {
  const request = Request.of(irp);
  if (request === undefined) throw misuse(operation, 'IRP', irp);
  return request;
}

/**
 * What an IRP asks for.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no IRP
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iogetcurrentirpstacklocation}
 */
export function IoGetCurrentIrpStackLocation(irp: Irp): IoStackLocation {
  return requestOf('IoGetCurrentIrpStackLocation', irp).location;
}

/**
 * The process that made the request.
 *
 * @returns Its id, as the kernel below says; it may have ended meanwhile.
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no IRP
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/ntddk/nf-ntddk-iogetrequestorprocessid}
 */
export function IoGetRequestorProcessId(irp: Irp): number {
  return requestOf('IoGetRequestorProcessId', irp).requestor.pid;
}

/**
 * The bytes behind an MDL: the second buffer of METHOD_IN_DIRECT and METHOD_OUT_DIRECT.
 *
 * @param mdl `irp.MdlAddress`, which is null where the caller gave no second buffer.
 * @param priority Not looked at.
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no MDL
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-mmgetsystemaddressformdlsafe}
 */
export function MmGetSystemAddressForMdlSafe(mdl: Mdl, _priority?: number): Uint8Array {
  const bytes = fieldsOf(mdl, 'MappedSystemVa')?.MappedSystemVa;
  if (types.isUint8Array(bytes)) return bytes;
  throw misuse('MmGetSystemAddressForMdlSafe', 'MDL', mdl);
}

/**
 * Says that an IRP will be completed later, from a timer or a work item. The dispatch routine then returns
 * STATUS_PENDING.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no IRP
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iomarkirppending}
 */
export function IoMarkIrpPending(irp: Irp): void {
  kernel.io.markPending(irp);
}

/**
 * Completes an IRP: its caller gets IoStatus.Status, and without an error IoStatus.Information bytes of the output,
 * but never more than it has room for. To complete one that the system has taken back (its file was closed) is
 * no mistake, and has no effect.
 *
 * @param priorityBoost IO_NO_INCREMENT.
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for what is no IRP
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iocompleterequest}
 */
export function IoCompleteRequest(irp: Irp, _priorityBoost: number = IO_NO_INCREMENT): void {
  kernel.io.complete(irp);
}

/* ---------------------------------------------------------------------------- work items ---- */

/**
 * Makes a work item.
 *
 * @returns The item, or null for what is no device.
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioallocateworkitem}
 */
export function IoAllocateWorkItem(deviceObject: DeviceObject): WorkItem | null {
  return kernel.io.allocateWorkItem(deviceObject);
}

/**
 * Has a routine run soon, in the context of the system process: there sections can be made and mapped.
 *
 * @param ioWorkItem One that does not wait already.
 * @param workerRoutine Called with the device and the context. What it throws unloads its driver.
 * @param queueType DelayedWorkQueue or CriticalWorkQueue: one queue serves both.
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT for an item that waits already, or is none
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-ioqueueworkitem}
 */
export function IoQueueWorkItem<Context>(
  ioWorkItem: WorkItem,
  workerRoutine: (deviceObject: DeviceObject, context: Context) => void | Promise<void>,
  _queueType: number,
  context: Context,
): void {
  const routine = workerRoutine as (deviceObject: DeviceObject, context: unknown) => unknown;
  if (typeof routine === 'function' && kernel.io.queueWorkItem(ioWorkItem, routine, context)) return;
  throw misuse('IoQueueWorkItem', 'work item with a routine that is not queued already', ioWorkItem);
}

/**
 * Gives a work item back. The collector does the work: the call is there for drivers as they are written.
 *
 * @see {@link https://learn.microsoft.com/windows-hardware/drivers/ddi/wdm/nf-wdm-iofreeworkitem}
 */
export function IoFreeWorkItem(_ioWorkItem: WorkItem): void {}
