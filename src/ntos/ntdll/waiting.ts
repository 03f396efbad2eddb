/**
 * Waiting for objects, by the kernel: as kernel32/waiting.ts, by statuses.
 */
import { type NTSTATUS, Status } from '../../base/status.js';
import { elementsOf, type Handle, type Size, ulong, ulong64 } from '../../nt/arguments.js';
import { WaitAll, WaitAny } from '../../nt/constants.js';
import type { AsyncWaitOptions } from '../../nt/wait-calls.js';
import { handleWaits, MOST_OBJECTS, signalOf } from '../handle-waits.js';
import { words64 } from '../structures.js';
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

  /** The handles and whether all are waited for, or why there are none. */
  function several(
    count: unknown,
    given: unknown,
    waitType: unknown,
  ): { readonly handles: readonly Handle[]; readonly all: boolean } | NTSTATUS {
    const [number, type] = [ulong(count), ulong(waitType)];
    if (number === undefined || number < 1 || number > MOST_OBJECTS) return Status.STATUS_INVALID_PARAMETER_1;
    if (type !== WaitAll && type !== WaitAny) return Status.STATUS_INVALID_PARAMETER_3;
    const handles = elementsOf(given, number);
    if (handles === undefined) return Status.STATUS_ACCESS_VIOLATION;
    // Not map, which leaves holes as they are.
    return { handles: Array.from(handles, (handle) => kernel.handle(handle)), all: type === WaitAll };
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
    const type = asked.all ? WaitAll : WaitAny;
    return kernel.call('NtWaitForMultipleObjects', null, asked.handles, type, alertable ? 1 : 0, time.bytes);
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

  async function promised(
    handles: readonly Handle[],
    all: boolean,
    timeout: unknown,
    options?: AsyncWaitOptions,
  ): Promise<NTSTATUS> {
    const time = timeOf(timeout);
    const signal = signalOf(options);
    if (time === undefined || signal === null) return Status.STATUS_INVALID_PARAMETER;
    return await waits.wait(handles, all, { milliseconds: time.milliseconds, signal });
  }

  async function NtWaitForMultipleObjectsAsync(
    count: number,
    handles: readonly Handle[],
    waitType: number,
    _alertable: boolean,
    timeout: Size | null,
    options?: AsyncWaitOptions,
  ): Promise<NTSTATUS> {
    const asked = several(count, handles, waitType);
    return typeof asked === 'number' ? asked : await promised(asked.handles, asked.all, timeout, options);
  }

  return {
    NtWaitForSingleObject,
    NtWaitForMultipleObjects,
    NtSignalAndWaitForSingleObject,
    NtWaitForSingleObjectAsync: (handle: Handle, _alertable: boolean, timeout: Size | null, options?: AsyncWaitOptions) =>
      promised([kernel.handle(handle)], false, timeout, options),
    NtWaitForMultipleObjectsAsync,
  };
}
