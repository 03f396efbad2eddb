/**
 * The calls of applications on devices: open one, control it. The faces differ in names and in how they
 * report; what a call does stands here.
 */
import { show } from '../base/checks.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { FILE_ALL_ACCESS, fileMapping } from '../security/index.js';
import {
  type DeviceControl,
  type DeviceHandle,
  type DeviceOutcome,
  findDevice,
  listDevices,
  openDevice,
} from '../system/device-client.js';
import { systemHandleOf } from '../system/global.js';
import { METHOD_IN_DIRECT } from '../system/io-codes.js';
import { MAXIMUM_HANDLES_IN_INPUT, methodOfCode } from '../system/io-rules.js';
import { systemInThisProcess } from '../system/kernel.js';
import { type Handle, memoryOf, type Size, ulong, ulong64 } from './arguments.js';
import { OBJ_INHERIT, OBJ_PROTECT_CLOSE } from './constants.js';
import { statusOf } from './failure.js';
import { type DeviceOpener, fileResult, type IO_STATUS_BLOCK, setDeviceOpener } from './file-open-calls.js';
import { DEVICES, type DOS_DEVICES, setDeviceNamespace } from './object-directory.js';
import type { ObjectType } from './object-types.js';
import { addHandle, handleOf, isPseudoHandle, type Mode } from './tables.js';

/** Files of devices: of the type File, as those of disks. */
export const deviceFileType: ObjectType<DeviceHandle> = {
  name: 'File',
  mapping: fileMapping,
  rights: FILE_ALL_ACCESS,
};

/** Memory that a device gets: any view of a buffer. */
export type DeviceInput = ArrayBufferView | null;

export interface DeviceControlResult {
  readonly status: NTSTATUS;
  /** What the driver returned; empty with an error. */
  readonly outputBuffer: Uint8Array;
  readonly ioStatus: IO_STATUS_BLOCK;
}

/** Opens a file of a device; ZwCreateFile has found out which. */
const openDeviceFile: DeviceOpener = (mode, device, rest, { access, share, attributes }) => {
  // It would wait for its own answer.
  if (mode === 'kernel' || systemInThisProcess() !== null) return fileResult(Status.STATUS_NOT_SUPPORTED);
  const path = device + rest;
  try {
    const { handle, status, information } = openDevice('CreateFile', path, { desired: access, share, options: 0, attributes: 0 });
    if (handle === null) return fileResult(isSuccess(status) ? Status.STATUS_UNSUCCESSFUL : status);
    const fileHandle = addHandle(false, {
      type: deviceFileType,
      body: handle,
      object: path,
      granted: handle.granted,
      checked: true,
      inherit: (attributes & OBJ_INHERIT) !== 0,
      protectedFromClose: (attributes & OBJ_PROTECT_CLOSE) !== 0,
    });
    return fileHandle === null ? fileResult(Status.STATUS_INSUFFICIENT_RESOURCES) : fileResult(status, information, fileHandle);
  } catch (error) {
    return fileResult(statusOf(error));
  }
};

const kindOf = (directory: typeof DEVICES | typeof DOS_DEVICES) => (directory === DEVICES ? 'device' : 'link');

setDeviceOpener(openDeviceFile);
setDeviceNamespace({
  find: (directory, leaf, caseInsensitive) => findDevice(kindOf(directory), leaf, caseInsensitive),
  list: (directory) => listDevices(kindOf(directory)),
});

/** The device behind a handle: STATUS_INVALID_DEVICE_REQUEST for a file of another kind. */
function deviceOf(mode: Mode, value: unknown): DeviceHandle | { readonly status: NTSTATUS } {
  const found = isPseudoHandle(value) ? { status: Status.STATUS_OBJECT_TYPE_MISMATCH } : handleOf(mode, value);
  if ('status' in found) return found;
  if ((found.type as unknown) === deviceFileType) return found.body as DeviceHandle;
  return {
    status: found.type.name === deviceFileType.name ? Status.STATUS_INVALID_DEVICE_REQUEST : Status.STATUS_OBJECT_TYPE_MISMATCH,
  };
}

/**
 * Which 32-bit words of an input are handles of this process on objects of the system process. The driver
 * can refer to those, and to no others: it is told what they are, and what they may.
 */
function handlesIn(input: Uint8Array, device: DeviceHandle): DeviceControl['handles'] {
  const found = new Map<Handle, readonly [number, number, number]>();
  const words = new DataView(input.buffer, input.byteOffset, input.byteLength);
  for (let offset = 0; offset + 4 <= input.length && found.size < MAXIMUM_HANDLES_IN_INPUT; offset += 4) {
    const value = words.getInt32(offset, true);
    // Handles step by four; most words are none.
    if (value <= 0 || value % 4 !== 0 || found.has(value)) continue;
    const entry = handleOf('user', value);
    if ('status' in entry) continue;
    const known = systemHandleOf(entry.type.objectOf?.(entry.body));
    if (known !== null && known.through === device.through) found.set(value, [value, known.handle, entry.granted]);
  }
  return [...found.values()];
}

/** A control request as its caller put it, or the status of the parameter that is wrong. */
function captured(
  mode: Mode,
  fileHandle: unknown,
  ioControlCode: unknown,
  input: unknown,
  output: unknown,
): { readonly device: DeviceHandle; readonly given: DeviceControl } | { readonly status: NTSTATUS } {
  const device = deviceOf(mode, fileHandle);
  if ('status' in device) return device;
  const code = ulong(ioControlCode);
  if (code === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
  const bytes = input === null || input === undefined ? new Uint8Array(0) : memoryOf(input);
  const target = ArrayBuffer.isView(output) ? memoryOf(output) : null;
  if (bytes === undefined || target === undefined) return { status: Status.STATUS_ACCESS_VIOLATION };
  const outputLength = target === null ? ulong64(output ?? 0) : BigInt(target.length);
  if (outputLength === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
  // What the caller's memory holds is an input for this method alone.
  const direct = methodOfCode(code) === METHOD_IN_DIRECT ? target : null;
  const given = { code, input: bytes, outputLength: Number(outputLength), direct, handles: handlesIn(bytes, device) };
  return { device, given };
}

/** NtDeviceIoControlFile: returns when the driver has completed the request. */
export function deviceIoControlFile(
  mode: Mode,
  fileHandle: Handle,
  event: Handle | null,
  apcRoutine: null,
  _apcContext: unknown,
  ioControlCode: number,
  inputBuffer: DeviceInput,
  output: Size | ArrayBufferView,
): DeviceControlResult {
  if ((event ?? 0) !== 0 || (apcRoutine ?? null) !== null) return refusal(Status.STATUS_NOT_SUPPORTED);
  const asked = captured(mode, fileHandle, ioControlCode, inputBuffer, output);
  if ('status' in asked) return refusal(asked.status);
  try {
    return resultOf(asked.device.control('DeviceIoControl', asked.given), output);
  } catch (error) {
    return refusal(statusOf(error));
  }
}

/** As {@link deviceIoControlFile}, and the event loop goes on meanwhile. @throws SectionError */
export async function deviceIoControlFileAsync(
  fileHandle: Handle,
  ioControlCode: number,
  inputBuffer: DeviceInput,
  output: Size | ArrayBufferView,
): Promise<DeviceControlResult & { readonly object: string }> {
  const asked = captured('user', fileHandle, ioControlCode, inputBuffer, output);
  if ('status' in asked) return { ...refusal(asked.status), object: `handle ${show(fileHandle)}` };
  const outcome = await asked.device.controlAsync('DeviceIoControlAsync', asked.given);
  return { ...resultOf(outcome, output), object: asked.device.path };
}

function refusal(status: NTSTATUS): DeviceControlResult {
  return { status, outputBuffer: new Uint8Array(0), ioStatus: { Status: status, Information: 0 } };
}

/** What came back; a caller that gave memory of its own finds it there, too, unless that has gone meanwhile. */
function resultOf({ status, information, output }: DeviceOutcome, target: unknown): DeviceControlResult {
  if (ArrayBuffer.isView(target)) {
    const memory = memoryOf(target);
    if (memory === undefined || memory.length < output.length) return refusal(Status.STATUS_ACCESS_VIOLATION);
    memory.set(output);
  }
  return { status, outputBuffer: output, ioStatus: { Status: status, Information: information } };
}
