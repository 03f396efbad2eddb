/**
 * Waiting for objects, by the kernel: as kernel32/waiting.ts, by statuses.
 */
import { type NTSTATUS, Status } from '../../base/status.js';
import { elementsOf, type Handle, type Size, ulong, ulong64 } from '../../nt/arguments.js';
import { type AbortOptions, handleWaits, MOST_OBJECTS } from '../handle-waits.js';
import { longIn, words64 } from '../structures.js';
import type { Kernel } from './kernel.js';

/** A timeout in the kernel's form. */
interface Time {
  readonly bytes: Uint8Array | null;
  readonly milliseconds: number;
}

/** From 1601 to 1970, in 100 ns. */
const TO_1970 = 116_444_736_000_000_000n;

/** Undefined for what is no number. */
function timeOf(timeout: unknown): Time | undefined {
  if (timeout === null || timeout === undefined) return { bytes: null, milliseconds: Number.POSITIVE_INFINITY };
  const bits = ulong64(timeout);
  if (bits === undefined) return undefined;
  const time = BigInt.asIntN(64, bits);
  const wait = time <= 0n ? -time : time - TO_1970 - BigInt(Date.now()) * 10_000n;
  return { bytes: words64(bits), milliseconds: Math.max(0, Number(wait) / 10_000) };
}

export function waitingCalls(kernel: Kernel) {
  const waits = handleWaits(kernel.nt);

  function NtWaitForSingleObject(handle: Handle, alertable: boolean, timeout: Size | null): NTSTATUS {
    const time = timeOf(timeout);
    if (time === undefined) return Status.STATUS_INVALID_PARAMETER;
    return kernel.call('NtWaitForSingleObject', kernel.handle(handle), alertable ? 1 : 0, time.bytes);
  }

  /** The handles, or why there are none. */
  function several(count: unknown, given: unknown, waitType: unknown): readonly Handle[] | NTSTATUS {
    const [number, type] = [ulong(count), ulong(waitType)];
    if (number === undefined) return Status.STATUS_INVALID_PARAMETER;
    if (number < 1 || number > MOST_OBJECTS) return Status.STATUS_INVALID_PARAMETER_1;
    if (type === undefined || type > 1) return Status.STATUS_INVALID_PARAMETER_3;
    return elementsOf(given, number)?.map((handle) => kernel.handle(handle)) ?? Status.STATUS_ACCESS_VIOLATION;
  }

  function NtWaitForMultipleObjects(
    count: number,
    handles: readonly Handle[],
    waitType: number,
    alertable: boolean,
    timeout: Size | null,
  ): NTSTATUS {
    const asked = several(count, handles, waitType);
    const time = timeOf(timeout);
    if (typeof asked === 'number') return asked;
    if (time === undefined) return Status.STATUS_INVALID_PARAMETER;
    return kernel.call('NtWaitForMultipleObjects', null, asked, waitType, alertable ? 1 : 0, time.bytes);
  }

  function NtSignalAndWaitForSingleObject(
    objectToSignal: Handle,
    waitableObject: Handle,
    alertable: boolean,
    timeout: Size | null,
  ): NTSTATUS {
    const time = timeOf(timeout);
    if (time === undefined) return Status.STATUS_INVALID_PARAMETER;
    const [signal, wait] = [kernel.handle(objectToSignal), kernel.handle(waitableObject)];
    return kernel.call('NtSignalAndWaitForSingleObject', signal, wait, alertable ? 1 : 0, time.bytes);
  }

  async function promised(handles: readonly Handle[], all: boolean, timeout: unknown, options?: AbortOptions): Promise<NTSTATUS> {
    const time = timeOf(timeout);
    if (time === undefined) return Status.STATUS_INVALID_PARAMETER;
    return await waits.wait(handles, all, { milliseconds: time.milliseconds, signal: options?.signal });
  }

  async function NtWaitForMultipleObjectsAsync(
    count: number,
    handles: readonly Handle[],
    waitType: number,
    _alertable: boolean,
    timeout: Size | null,
    options?: AbortOptions,
  ): Promise<NTSTATUS> {
    const asked = several(count, handles, waitType);
    const waitAll = 0;
    return typeof asked === 'number' ? asked : await promised(asked, waitType === waitAll, timeout, options);
  }

  return {
    NtWaitForSingleObject,
    NtWaitForMultipleObjects,
    NtSignalAndWaitForSingleObject,
    NtWaitForSingleObjectAsync: (handle: Handle, _alertable: boolean, timeout: Size | null, options?: AbortOptions) =>
      promised([kernel.handle(handle)], false, timeout, options),
    NtWaitForMultipleObjectsAsync,
    NtPulseEvent(eventHandle: Handle): { readonly status: NTSTATUS; readonly previousState: number } {
      const before = new Uint8Array(4);
      const status = kernel.call('NtPulseEvent', kernel.handle(eventHandle), before);
      return { status, previousState: status < 0x8000_0000 ? longIn(before) : 0 };
    },
  };
}
