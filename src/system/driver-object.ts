/**
 * A driver as it stands between the driver host, which loads it and takes it back, and the I/O manager,
 * which calls its dispatch routines.
 */
import type { Device, DeviceObject } from './devices.js';
import { IRP_MJ_MAXIMUM_FUNCTION } from './io-codes.js';
import type { Irp } from './irps.js';

/** Called for each IRP of its function; returns the status that it completed the IRP with, or STATUS_PENDING. */
export type DispatchRoutine = (deviceObject: DeviceObject, irp: Irp) => unknown;

/** As DriverEntry gets it, and as the driver fills it in. */
export interface DriverObject {
  readonly DriverName: string;
  /** The device that it made last; the others follow as NextDevice. Null without any. */
  readonly DeviceObject: DeviceObject | null;
  DriverUnload: ((driverObject: DriverObject) => unknown) | null;
  readonly DriverExtension: { AddDevice: ((driverObject: DriverObject, physicalDeviceObject: object) => unknown) | null };
  /** By IRP_MJ_…; null where the driver has none. */
  readonly MajorFunction: (DispatchRoutine | null)[];
}

/** What the I/O manager needs to know of a driver. */
export interface IoDriver {
  readonly name: string;
  readonly object: DriverObject;
  /** What it has made and not deleted, the oldest first. */
  readonly devices: Set<Device>;
  /** Nothing of it may run any more. */
  readonly isGone: boolean;
}

export function newDriverObject(name: string, devices: ReadonlySet<Device>): DriverObject {
  return {
    DriverName: `\\Driver\\${name}`,
    get DeviceObject() {
      return [...devices].at(-1)?.object ?? null;
    },
    DriverUnload: null,
    DriverExtension: { AddDevice: null },
    MajorFunction: new Array<DispatchRoutine | null>(IRP_MJ_MAXIMUM_FUNCTION + 1).fill(null),
  };
}
