/**
 * Control of devices, whose drivers are the system's.
 */
import { show } from '../../base/checks.js';
import { SectionError } from '../../base/error.js';
import { Status, statusName } from '../../base/status.js';
import { type Handle, memoryOf, type Size, ulong, ulong64 } from '../../nt/arguments.js';
import { failWith, invalidParameter } from '../../win32/arguments.js';
import { ERROR_NOACCESS, ERROR_NOT_ENOUGH_MEMORY } from '../../win32/constants.js';
import type { DeviceInput } from '../../win32/devices.js';
import type { Win32System } from './win32-system.js';

const MOST_BYTES = 0xffff_ffffn;

interface Control {
  readonly code: number;
  readonly input: Uint8Array | null;
  /** What comes back goes here first. */
  readonly output: Uint8Array | null;
}

type Refusal = 'parameter' | 'memory' | 'access';

/** Room for what comes back: the caller's memory, or as much as he asks for. */
function roomFor(output: unknown): Uint8Array | null | Refusal {
  if (ArrayBuffer.isView(output)) return memoryOf(output) ?? 'access';
  const length = ulong64(output ?? 0);
  if (length === undefined || length > MOST_BYTES) return 'parameter';
  try {
    return length === 0n ? null : new Uint8Array(Number(length));
  } catch {
    return 'memory';
  }
}

function controlOf(ioControlCode: unknown, input: unknown, output: unknown): Control | Refusal {
  const code = ulong(ioControlCode);
  if (code === undefined) return 'parameter';
  const bytes = input === null || input === undefined ? null : memoryOf(input);
  const room = roomFor(output);
  if (bytes === undefined) return 'access';
  return typeof room === 'string' ? room : { code, input: bytes, output: room };
}

const refusals = {
  parameter: { status: Status.STATUS_INVALID_PARAMETER, error: 87 },
  memory: { status: Status.STATUS_NO_MEMORY, error: ERROR_NOT_ENOUGH_MEMORY },
  access: { status: Status.STATUS_ACCESS_VIOLATION, error: ERROR_NOACCESS },
} as const;

export function deviceCalls(system: Win32System) {
  const { handles, nt } = system;

  function DeviceIoControl(
    hDevice: Handle,
    dwIoControlCode: number,
    lpInBuffer: DeviceInput,
    nOutBufferSize: Size | ArrayBufferView,
  ): Uint8Array | false {
    const asked = controlOf(dwIoControlCode, lpInBuffer, nOutBufferSize);
    if (asked === 'parameter') return invalidParameter(false);
    if (typeof asked === 'string') return failWith(refusals[asked].error, false);
    const { code, input, output } = asked;
    const count = system.transferred(nt.deviceControl(handles.usable(hDevice), code, input, output));
    if (count === false) return false;
    const given = output?.subarray(0, count) ?? new Uint8Array(0);
    return ArrayBuffer.isView(nOutBufferSize) ? given.slice() : given;
  }

  async function DeviceIoControlAsync(
    hDevice: Handle,
    dwIoControlCode: number,
    lpInBuffer: DeviceInput,
    nOutBufferSize: Size | ArrayBufferView,
  ): Promise<Uint8Array> {
    const asked = controlOf(dwIoControlCode, lpInBuffer, nOutBufferSize);
    const answer =
      typeof asked === 'string'
        ? refusals[asked].status
        : await nt.deviceControlAsync(handles.usable(hDevice), asked.code, asked.input, asked.output);
    if (typeof answer !== 'number') return delivered(answer, nOutBufferSize);
    throw new SectionError('ERR_SECTION_DRIVER', {
      operation: 'DeviceIoControlAsync',
      object: `handle ${show(hDevice)}`,
      rule: `control code 0x${(ulong(dwIoControlCode) ?? 0).toString(16)} ended with ${statusName(answer)}`,
      status: answer,
    });
  }

  return { DeviceIoControl, DeviceIoControlAsync };
}

/** What came back; a caller that gave memory of its own finds it there too, unless that has gone meanwhile. */
function delivered(answer: Uint8Array, target: unknown): Uint8Array {
  if (ArrayBuffer.isView(target)) memoryOf(target)?.set(answer);
  return answer;
}
