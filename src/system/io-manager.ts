/**
 * The I/O manager: makes devices for drivers, opens files of them for clients, dispatches IRPs and sees that
 * each is completed exactly once, whatever its driver does. Knows nothing of sockets and wire formats.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { isSuccess, type NTSTATUS, Status, statusName } from '../base/status.js';
import { fromSddl, kernelToken, type Token } from '../security/index.js';
import {
  Device,
  DeviceDirectory,
  type DeviceEntry,
  type DeviceEntryKind,
  type DeviceFile,
  type DeviceObject,
} from './devices.js';
import type { IoDriver } from './driver-object.js';
import { IRP_MJ_CLEANUP, IRP_MJ_CLOSE, SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R } from './io-codes.js';
import { majorFunctionNames } from './io-rules.js';
import { type ControlInput, Request, type Requestor } from './irps.js';
import { WorkItem } from './work-items.js';

/** What hosts drivers. */
export interface Host {
  /** Runs a driver's code: in the system's own context, or for a request in that of whoever made it. */
  run<T>(driver: IoDriver, request: Request | null, code: () => T): T;
  /** A driver threw: it is to be unloaded. */
  failed(driver: IoDriver, error: unknown): void;
  driverOf(driverObject: unknown): IoDriver | undefined;
  current(): IoDriver | null;
}

/** What a driver asks for with IoCreateDevice. */
export interface NewDevice {
  readonly name: string | null;
  readonly deviceType: number;
  readonly characteristics: number;
  readonly exclusive: boolean;
  /** SDDL; null for the default. */
  readonly security: string | null;
}

export interface Opening {
  readonly token: Token;
  readonly requestor: Requestor;
  readonly desired: number;
  readonly share: number;
  readonly options: number;
  readonly attributes: number;
}

/** Functions that a driver need not have: without them there is nothing to do. */
const OPTIONAL: ReadonlySet<number> = new Set([IRP_MJ_CLEANUP, IRP_MJ_CLOSE]);

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';

export class IoManager {
  readonly #host: Host;
  readonly #directory = new DeviceDirectory();
  readonly #devices = new Map<DeviceObject, Device>();
  /** For what clients can cause: limited. */
  readonly #audit: (line: string) => void;

  constructor(host: Host, audit: (line: string) => void) {
    this.#host = host;
    this.#audit = audit;
  }

  /* ---------------------------------------------------------------- what drivers call ---- */

  /**
   * @returns STATUS_INVALID_PARAMETER (no driver object), STATUS_OBJECT_PATH_SYNTAX_BAD,
   * STATUS_OBJECT_PATH_NOT_FOUND, STATUS_OBJECT_NAME_INVALID, STATUS_OBJECT_NAME_COLLISION,
   * STATUS_INVALID_SECURITY_DESCR
   */
  createDevice(
    driverObject: unknown,
    asked: NewDevice,
  ): { readonly status: NTSTATUS; readonly deviceObject: DeviceObject | null } {
    const refuse = (status: NTSTATUS) => ({ status, deviceObject: null });
    const owner = this.#host.driverOf(driverObject);
    if (owner === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
    const leaf = asked.name === null ? null : this.#directory.newName(asked.name);
    if (leaf !== null && typeof leaf !== 'string') return refuse(leaf.status);
    try {
      const security = fromSddl(asked.security ?? SDDL_DEVOBJ_SYS_ALL_ADM_RWX_WORLD_RW_RES_R, kernelToken(), 'IoCreateDevice');
      const { deviceType, characteristics, exclusive } = asked;
      const device = new Device(owner, { leaf, deviceType, characteristics, exclusive, security });
      this.#directory.add(device);
      this.#devices.set(device.object, device);
      owner.devices.add(device);
      return { status: Status.STATUS_SUCCESS, deviceObject: device.object };
    } catch (error) {
      if (error instanceof SectionError) return refuse(error.status);
      throw error;
    }
  }

  /** Its name is free then; what still waits in it is told that it has gone. False for what is no device. */
  deleteDevice(deviceObject: unknown): boolean {
    const device = this.#devices.get(deviceObject as DeviceObject);
    if (device === undefined) return false;
    this.#remove(device);
    return true;
  }

  link(name: string, target: string): NTSTATUS {
    return this.#directory.link(name, target, this.#host.current());
  }

  unlink(name: string): NTSTATUS {
    return this.#directory.unlink(name);
  }

  markPending(irp: unknown): void {
    requestOf(irp, 'IoMarkIrpPending').pending = true;
  }

  /** Completes an IRP with what its IoStatus says. */
  complete(irp: unknown): void {
    const request = requestOf(irp, 'IoCompleteRequest');
    const { owner } = request.device;
    if (request.takenAway) return;
    if (request.completion !== null) {
      this.#audit(`driver ${owner.name}: ${request.description} was completed twice`);
      return;
    }
    const { Status: status, Information: information } = request.irp.IoStatus;
    const isValid = Number.isInteger(status) && Number.isInteger(information) && information >= 0;
    if (!isValid || status === Status.STATUS_PENDING) {
      this.#audit(`driver ${owner.name}: ${request.description} was completed with ${show(status)}, ${show(information)}`);
      request.finish(Status.STATUS_DRIVER_INTERNAL_ERROR, 0);
      return;
    }
    request.finish(status, information);
  }

  allocateWorkItem(deviceObject: unknown): WorkItem | null {
    const device = this.#devices.get(deviceObject as DeviceObject);
    return device === undefined ? null : new WorkItem(device);
  }

  /** Has a routine run soon, for nobody but the system itself. False when the item is queued already, or none. */
  queueWorkItem(item: unknown, routine: (deviceObject: DeviceObject, context: unknown) => unknown, context: unknown): boolean {
    const device = WorkItem.start(item);
    if (device === null) return false;
    const { owner } = device;
    // The host's timers are noted as the driver's: the routine does not run once that has gone.
    this.#host.run(owner, null, () =>
      setImmediate(() => {
        WorkItem.done(item);
        if (owner.isGone) return;
        // A promise that rejects is an error that nobody caught: the host knows whose.
        routine(device.object, context);
      }),
    );
    return true;
  }

  /* ------------------------------------------------------------------- what clients ask ---- */

  /**
   * Opens a file of a device: the result comes with the IRP's completion, and the file is open if that is a
   * success. A status alone when it comes to no IRP.
   */
  open(path: string, opening: Opening): { readonly file: DeviceFile; readonly request: Request } | { readonly status: NTSTATUS } {
    const found = this.#directory.find(path);
    if ('status' in found) return found;
    const { device, fileName } = found;
    const { status, granted } = device.check(opening.token, opening.desired);
    if (!isSuccess(status)) return { status };
    const object = { DeviceObject: device.object, FileName: fileName, FsContext: null, FsContext2: null };
    const file: DeviceFile = { device, object, granted, opened: false, closed: false };
    device.files.add(file);
    const request = Request.create(file, { ...opening, desired: granted }, opening.requestor);
    request.result.then(({ status: outcome }) => {
      file.opened = isSuccess(outcome);
      if (!file.opened) device.files.delete(file);
    });
    this.#dispatch(request);
    return { file, request };
  }

  entry(kind: DeviceEntryKind, leaf: string, caseInsensitive: boolean): DeviceEntry | null {
    return this.#directory.entry(kind, leaf, caseInsensitive);
  }

  entries(kind: DeviceEntryKind): readonly DeviceEntry[] {
    return this.#directory.entries(kind);
  }

  control(file: DeviceFile, given: ControlInput, requestor: Requestor): Request {
    const request = Request.control(file, given, requestor);
    if (file.closed || file.device.removed) request.finish(Status.STATUS_DEVICE_REMOVED, 0);
    else this.#dispatch(request);
    return request;
  }

  /**
   * Ends a file: IRP_MJ_CLEANUP, then whatever the driver has not completed comes back as cancelled, then
   * IRP_MJ_CLOSE. Settles when the driver is through with it.
   */
  async close(file: DeviceFile, requestor: Requestor): Promise<void> {
    if (file.closed) return;
    file.closed = true;
    const { device } = file;
    const waiting = [...device.requests].filter((each) => each.file === file);
    for (const each of waiting) each.irp.Cancel = true;
    if (file.opened) await this.#end(file, IRP_MJ_CLEANUP, requestor);
    for (const each of waiting) each.takeAway(Status.STATUS_CANCELLED);
    if (file.opened) await this.#end(file, IRP_MJ_CLOSE, requestor);
    device.files.delete(file);
  }

  #end(file: DeviceFile, major: number, requestor: Requestor): Promise<unknown> {
    const request = Request.ending(file, major, requestor);
    if (file.device.removed && file.device.owner.isGone) request.finish(Status.STATUS_DEVICE_REMOVED, 0);
    else this.#dispatch(request);
    return request.result;
  }

  /* -------------------------------------------------------------------------- dispatching ---- */

  #dispatch(request: Request): void {
    const { device, irp, major } = request;
    const { owner } = device;
    const routine = owner.object.MajorFunction[major];
    if (typeof routine !== 'function') {
      request.finish(OPTIONAL.has(major) ? Status.STATUS_SUCCESS : Status.STATUS_INVALID_DEVICE_REQUEST, 0);
      return;
    }
    let returned: unknown;
    try {
      returned = this.#host.run(owner, request, () => routine(device.object, irp));
    } catch (error) {
      this.#failed(request, error);
      return;
    }
    if (!isThenable(returned)) {
      this.#returned(request, returned);
      return;
    }
    Promise.resolve(returned).then(
      (status) => this.#returned(request, status),
      (error: unknown) => this.#failed(request, error),
    );
  }

  /** A dispatch routine has come to its end: the IRP is completed, or said to be pending, or forgotten. */
  #returned(request: Request, status: unknown): void {
    if (request.completion !== null || request.pending || status === Status.STATUS_PENDING) return;
    const { owner } = request.device;
    const isStatus = typeof status === 'number' && Number.isInteger(status);
    this.#audit(
      `driver ${owner.name}: ${request.description} returned ${isStatus ? statusName(status) : show(status)} without ` +
        'IoCompleteRequest or IoMarkIrpPending; it is completed with that',
    );
    const { Information: information } = request.irp.IoStatus;
    if (isStatus) request.finish(status, Number.isInteger(information) && information >= 0 ? information : 0);
    else request.finish(Status.STATUS_DRIVER_INTERNAL_ERROR, 0);
  }

  #failed(request: Request, error: unknown): void {
    request.takeAway(Status.STATUS_DRIVER_INTERNAL_ERROR);
    if (!request.device.owner.isGone) this.#host.failed(request.device.owner, error);
  }

  /* ------------------------------------------------------------------------- drivers go ---- */

  /** Before DriverUnload: nobody opens its devices any more, and what is open is closed. */
  async leave(driver: IoDriver): Promise<void> {
    const devices = [...driver.devices];
    for (const device of devices) device.removed = true;
    const files = devices.flatMap((device) => [...device.files]);
    await Promise.all(files.map((file) => this.close(file, SYSTEM)));
  }

  /** Takes back whatever a driver has left; its code does not run any more. */
  discard(driver: IoDriver): void {
    for (const device of driver.devices) this.#remove(device);
    this.#directory.unlinkAll(driver);
  }

  /** How many devices a driver has. */
  countOf(driver: IoDriver): number {
    return driver.devices.size;
  }

  #remove(device: Device): void {
    device.removed = true;
    this.#devices.delete(device.object);
    device.owner.devices.delete(device);
    this.#directory.remove(device);
    for (const request of [...device.requests]) request.takeAway(Status.STATUS_DEVICE_REMOVED);
  }

  /* --------------------------------------------------------------------- context rule ---- */

  /**
   * Refuses a call that makes or maps sections while a dispatch routine runs for somebody, and says why.
   */
  refuseInDispatch(request: Request, call: string): NTSTATUS {
    const { owner } = request.device;
    this.#audit(
      `driver ${owner.name}: ${majorFunctionNames.get(request.major)} called ${call}, refused with ` +
        `STATUS_INVALID_DEVICE_STATE: it runs in the context of process ${request.requestor.pid}, whose view it would be, and ` +
        'that process must not be trusted with it. Do it in DriverEntry, in AddDevice or in a routine for IoQueueWorkItem',
    );
    return Status.STATUS_INVALID_DEVICE_STATE;
  }
}

/** Who asks where the system itself ends a file. */
const SYSTEM: Requestor = { pid: process.pid };

function requestOf(irp: unknown, operation: string): Request {
  const request = Request.of(irp);
  if (request !== undefined) return request;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule: `this is no IRP: ${show(irp)}` });
}
