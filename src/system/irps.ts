/**
 * IRPs: one request to a driver, from the time it is made to its one completion. Which buffers it has, what
 * of them goes back, and that nothing is completed twice. Who makes and dispatches them: io-manager.ts.
 *
 * No buffer is the caller's own memory: whatever the method in the control code, the driver works on copies,
 * and what it returns is copied back when the IRP is completed. So nothing needs to be probed, nobody changes
 * a buffer under a driver's hands, and a driver cannot write beyond what its caller has asked for.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { ObjectName } from '../namespace/name.js';
import type { Device, DeviceFile, DeviceObject } from './devices.js';
import {
  IRP_MJ_CREATE,
  IRP_MJ_DEVICE_CONTROL,
  METHOD_BUFFERED,
  METHOD_IN_DIRECT,
  METHOD_NEITHER,
  METHOD_OUT_DIRECT,
} from './io-codes.js';
import { majorFunctionNames, methodOfCode } from './io-rules.js';
import type { Referable } from './referenced-object.js';

/** An open file of a device, as its driver sees it. */
export interface FileObject {
  readonly DeviceObject: DeviceObject;
  /** What followed the device's name in the path: empty, or `\…`. */
  readonly FileName: string;
  /** The driver's own. */
  FsContext: unknown;
  FsContext2: unknown;
}

/** Describes a buffer of a direct method; MmGetSystemAddressForMdlSafe gives its bytes. */
export interface Mdl {
  readonly ByteCount: number;
  readonly MappedSystemVa: Uint8Array;
}

export interface IoStatusBlock {
  Status: NTSTATUS;
  Information: number;
}

/** One request, as dispatch routines get it. */
export interface Irp {
  readonly AssociatedIrp: { readonly SystemBuffer: Uint8Array | null };
  readonly MdlAddress: Mdl | null;
  readonly UserBuffer: Uint8Array | null;
  readonly IoStatus: IoStatusBlock;
  /** UserMode: every request comes from an application. */
  readonly RequestorMode: number;
  /** Set when nobody waits for it any more: its file was closed, or its application has ended. */
  Cancel: boolean;
}

/** What is asked for. Only the part that belongs to the major function is there. */
export interface IoParameters {
  readonly Create?: {
    readonly DesiredAccess: number;
    readonly Options: number;
    readonly FileAttributes: number;
    readonly ShareAccess: number;
  };
  readonly DeviceIoControl?: {
    readonly OutputBufferLength: number;
    readonly InputBufferLength: number;
    readonly IoControlCode: number;
    /** METHOD_NEITHER: the input. */
    readonly Type3InputBuffer: Uint8Array | null;
  };
}

export interface IoStackLocation {
  readonly MajorFunction: number;
  readonly MinorFunction: number;
  readonly Parameters: IoParameters;
  readonly FileObject: FileObject;
  readonly DeviceObject: DeviceObject;
}

/** What the one who asked gets. */
export interface Completion {
  readonly status: NTSTATUS;
  readonly information: number;
  readonly output: Uint8Array;
}

/** A control request as it came. */
export interface ControlInput {
  readonly code: number;
  readonly input: Uint8Array;
  readonly outputLength: number;
  /** METHOD_IN_DIRECT: what the second buffer holds; null for zeros. */
  readonly direct: Uint8Array | null;
  /** What the handles in the input are on; null for any other number. */
  readonly handle: (value: number) => RequestorsHandle | null;
}

const UserMode = 1;
const NOTHING = new Uint8Array(0);
/** Statuses from here on are errors: with them nothing goes back. */
const FIRST_ERROR = 0xc000_0000;

interface Buffers {
  readonly system: Uint8Array | null;
  readonly mdl: Uint8Array | null;
  readonly user: Uint8Array | null;
  readonly type3: Uint8Array | null;
  /** Where the driver puts what goes back. */
  readonly result: Uint8Array;
}

const orNull = (bytes: Uint8Array): Uint8Array | null => (bytes.length === 0 ? null : bytes);

/** The buffers of each method. */
const buffersOf: ReadonlyMap<number, (given: ControlInput) => Buffers> = new Map<number, (given: ControlInput) => Buffers>([
  [
    METHOD_BUFFERED,
    ({ input, outputLength }) => {
      const system = new Uint8Array(Math.max(input.length, outputLength));
      system.set(input);
      return { system: orNull(system), mdl: null, user: null, type3: null, result: system.subarray(0, outputLength) };
    },
  ],
  [
    METHOD_IN_DIRECT,
    ({ input, outputLength, direct }) => {
      const second = new Uint8Array(outputLength);
      if (direct !== null) second.set(direct.subarray(0, outputLength));
      return { system: orNull(input), mdl: orNull(second), user: null, type3: null, result: second };
    },
  ],
  [
    METHOD_OUT_DIRECT,
    ({ input, outputLength }) => {
      const second = new Uint8Array(outputLength);
      return { system: orNull(input), mdl: orNull(second), user: null, type3: null, result: second };
    },
  ],
  [
    METHOD_NEITHER,
    ({ input, outputLength }) => {
      const user = new Uint8Array(outputLength);
      return { system: null, mdl: null, user: orNull(user), type3: orNull(input), result: user };
    },
  ],
]);

/** Who asks: a client's connection. */
export interface Requestor {
  readonly pid: number;
}

/** What a handle of the application is on, and what that handle may. */
export interface RequestorsHandle {
  readonly object: Referable & { readonly name: ObjectName };
  readonly granted: number;
}

/** Behind an {@link Irp}: its state. */
export class Request {
  readonly irp: Irp;
  readonly location: IoStackLocation;
  readonly device: Device;
  readonly file: DeviceFile;
  readonly requestor: Requestor;
  readonly result: Promise<Completion>;
  /** IoMarkIrpPending has been called. */
  pending = false;
  /** It was taken away from its driver, which may still complete it: that is no mistake then. */
  takenAway = false;
  readonly #output: Uint8Array;
  #handles: ControlInput['handle'] = () => null;
  #completion: Completion | null = null;
  #settle: (completion: Completion) => void = () => {};

  private constructor(file: DeviceFile, major: number, parameters: IoParameters, buffers: Buffers | null, requestor: Requestor) {
    this.device = file.device;
    this.file = file;
    this.requestor = requestor;
    this.#output = buffers?.result ?? NOTHING;
    const mdl = buffers?.mdl ?? null;
    this.irp = {
      AssociatedIrp: Object.freeze({ SystemBuffer: buffers?.system ?? null }),
      MdlAddress: mdl === null ? null : Object.freeze({ ByteCount: mdl.length, MappedSystemVa: mdl }),
      UserBuffer: buffers?.user ?? null,
      IoStatus: { Status: Status.STATUS_SUCCESS, Information: 0 },
      RequestorMode: UserMode,
      Cancel: false,
    };
    this.location = Object.freeze({
      MajorFunction: major,
      MinorFunction: 0,
      Parameters: parameters,
      FileObject: file.object,
      DeviceObject: file.device.object,
    });
    this.result = new Promise((resolve) => {
      this.#settle = resolve;
    });
    byIrp.set(this.irp, this);
    this.device.requests.add(this);
  }

  static create(
    file: DeviceFile,
    given: { readonly desired: number; readonly share: number; readonly options: number; readonly attributes: number },
    requestor: Requestor,
  ): Request {
    const { desired, share, options, attributes } = given;
    const Create = { DesiredAccess: desired, Options: options, FileAttributes: attributes, ShareAccess: share };
    return new Request(file, IRP_MJ_CREATE, { Create }, null, requestor);
  }

  static control(file: DeviceFile, given: ControlInput, requestor: Requestor): Request {
    const { code, input, outputLength } = given;
    const make = buffersOf.get(methodOfCode(code)) as (given: ControlInput) => Buffers;
    const buffers = make(given);
    const DeviceIoControl = {
      OutputBufferLength: outputLength,
      InputBufferLength: input.length,
      IoControlCode: code,
      Type3InputBuffer: buffers.type3,
    };
    const request = new Request(file, IRP_MJ_DEVICE_CONTROL, { DeviceIoControl }, buffers, requestor);
    // Not all of what was given: the buffers that came are copied by now, and stay no longer than that.
    request.#handles = given.handle;
    return request;
  }

  /** IRP_MJ_CLEANUP and IRP_MJ_CLOSE. */
  static ending(file: DeviceFile, major: number, requestor: Requestor): Request {
    return new Request(file, major, {}, null, requestor);
  }

  /** The request behind what a driver says is an IRP. */
  static of(irp: unknown): Request | undefined {
    return typeof irp === 'object' && irp !== null ? byIrp.get(irp) : undefined;
  }

  /** What a handle in its input is on, until it is completed: then its application is not in this any more. */
  handle(value: number): RequestorsHandle | null {
    return this.#completion === null ? this.#handles(value) : null;
  }

  get major(): number {
    return this.location.MajorFunction;
  }

  /** `IRP_MJ_DEVICE_CONTROL of "\Device\X"`, for messages. */
  get description(): string {
    return `${majorFunctionNames.get(this.major)} of ${this.device.description}`;
  }

  get completion(): Completion | null {
    return this.#completion;
  }

  /**
   * Completes it, once. What goes back is `information` bytes of its output buffer, and never more than
   * its caller has room for; nothing with an error.
   */
  finish(status: NTSTATUS, information: number): void {
    if (this.#completion !== null) return;
    this.device.requests.delete(this);
    const length = status >>> 0 >= FIRST_ERROR ? 0 : Math.min(information, this.#output.length);
    // A copy: the driver may still have its hands on the buffer.
    this.#completion = { status: status >>> 0, information, output: this.#output.slice(0, length) };
    this.#settle(this.#completion);
  }

  /** Completes it over its driver's head. */
  takeAway(status: NTSTATUS): void {
    this.takenAway = true;
    this.irp.Cancel = true;
    this.finish(status, 0);
  }
}

const byIrp = new WeakMap<object, Request>();
