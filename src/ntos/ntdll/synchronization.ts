/**
 * Events, mutants and semaphores, by the kernel.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { type Size, ulong, ulong64 } from '../../nt/arguments.js';
import type * as ours from '../../nt/ntdll.js';
import { handleWaits } from '../handle-waits.js';
import { handleIn, longIn, Structure } from '../structures.js';
import type { Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  | 'NtCreateEvent'
  | 'NtOpenEvent'
  | 'NtSetEvent'
  | 'NtResetEvent'
  | 'NtClearEvent'
  | 'NtQueryEvent'
  | 'NtCreateMutant'
  | 'NtOpenMutant'
  | 'NtReleaseMutant'
  | 'NtQueryMutant'
  | 'NtCreateSemaphore'
  | 'NtOpenSemaphore'
  | 'NtReleaseSemaphore'
  | 'NtQuerySemaphore'
>;

const EVENT_BASIC_INFORMATION = new Structure(8, { EventType: [0, 'u32'], EventState: [4, 'i32'] });
const MUTANT_BASIC_INFORMATION = new Structure(8, {
  CurrentCount: [0, 'i32'],
  OwnedByCaller: [4, 'u8'],
  AbandonedState: [5, 'u8'],
});
const SEMAPHORE_BASIC_INFORMATION = new Structure(8, { CurrentCount: [0, 'i32'], MaximumCount: [4, 'i32'] });

export function synchronizationCalls(kernel: Kernel): Calls {
  const waits = handleWaits(kernel.nt);

  /** A call that changes a state and fills in the one before. */
  const put = (call: string, handle: unknown, ...given: readonly number[]): { status: NTSTATUS; before: number } => {
    const before = new Uint8Array(4);
    const status = kernel.call(call, kernel.handle(handle), ...given, before);
    return { status, before: isSuccess(status) ? longIn(before) : 0 };
  };

  /** The bytes of an information structure, or why there are none. */
  const query = (
    call: string,
    handle: unknown,
    informationClass: unknown,
    length: Size | undefined,
  ): { readonly bytes: Uint8Array; readonly returnLength: number } | { readonly status: NTSTATUS } => {
    const wanted = ulong(informationClass);
    if (wanted === undefined) return { status: Status.STATUS_INVALID_INFO_CLASS };
    // All of them have these many bytes; one more tells the kernel of more.
    const room = length === undefined ? 8n : (ulong64(length) ?? 0n);
    const bytes = new Uint8Array(room > 9n ? 9 : Number(room));
    const returned = new Uint8Array(4);
    const status = kernel.call(call, kernel.handle(handle), wanted, bytes, bytes.length, returned);
    return isSuccess(status) ? { bytes, returnLength: handleIn(returned) } : { status };
  };

  return {
    NtCreateEvent(access, attributes, eventType, initialState) {
      const type = ulong(eventType);
      if (type === undefined) return { status: Status.STATUS_INVALID_PARAMETER, eventHandle: 0 };
      const { status, handle } = kernel.createNamed('NtCreateEvent', access, attributes, type, initialState ? 1 : 0);
      return { status, eventHandle: handle };
    },
    NtOpenEvent(access, attributes) {
      const { status, handle } = kernel.openNamed('NtOpenEvent', access, attributes);
      return { status, eventHandle: handle };
    },
    NtSetEvent(handle) {
      const { status, before } = put('NtSetEvent', handle);
      return { status, previousState: before };
    },
    NtResetEvent(handle) {
      const { status, before } = put('NtResetEvent', handle);
      return { status, previousState: before };
    },
    NtClearEvent: (handle) => kernel.call('NtClearEvent', kernel.handle(handle)),
    NtQueryEvent(handle, informationClass, length) {
      const found = query('NtQueryEvent', handle, informationClass, length);
      if ('status' in found) return { ...found, eventInformation: null, returnLength: 0 };
      const eventInformation = EVENT_BASIC_INFORMATION.read(found.bytes);
      return { status: Status.STATUS_SUCCESS, eventInformation, returnLength: found.returnLength };
    },

    NtCreateMutant(access, attributes, initialOwner) {
      const { status, handle } = kernel.createNamed('NtCreateMutant', access, attributes, initialOwner ? 1 : 0);
      return { status, mutantHandle: handle };
    },
    NtOpenMutant(access, attributes) {
      const { status, handle } = kernel.openNamed('NtOpenMutant', access, attributes);
      return { status, mutantHandle: handle };
    },
    NtReleaseMutant(handle) {
      const { status, before } = put('NtReleaseMutant', handle);
      // A thread of the addon may own it for this one, by a promise.
      const kept = status === Status.STATUS_MUTANT_NOT_OWNED ? waits.mutexes.find(kernel.handle(handle)) : undefined;
      return kept === undefined ? { status, previousCount: before } : kept.release();
    },
    NtQueryMutant(handle, informationClass, length) {
      const found = query('NtQueryMutant', handle, informationClass, length);
      if ('status' in found) return { ...found, mutantInformation: null, returnLength: 0 };
      const { CurrentCount, OwnedByCaller, AbandonedState } = MUTANT_BASIC_INFORMATION.read(found.bytes);
      const isOwn = OwnedByCaller !== 0 || (waits.mutexes.find(kernel.handle(handle))?.times ?? 0) > 0;
      return {
        status: Status.STATUS_SUCCESS,
        mutantInformation: { CurrentCount, OwnedByCaller: isOwn, AbandonedState: AbandonedState !== 0 },
        returnLength: found.returnLength,
      };
    },

    NtCreateSemaphore(access, attributes, initialCount, maximumCount) {
      const [initial, maximum] = [ulong(initialCount), ulong(maximumCount)];
      if (initial === undefined || maximum === undefined) {
        return { status: Status.STATUS_INVALID_PARAMETER, semaphoreHandle: 0 };
      }
      const { status, handle } = kernel.createNamed('NtCreateSemaphore', access, attributes, initial, maximum);
      return { status, semaphoreHandle: handle };
    },
    NtOpenSemaphore(access, attributes) {
      const { status, handle } = kernel.openNamed('NtOpenSemaphore', access, attributes);
      return { status, semaphoreHandle: handle };
    },
    NtReleaseSemaphore(handle, releaseCount) {
      const count = ulong(releaseCount);
      if (count === undefined) return { status: Status.STATUS_INVALID_PARAMETER, previousCount: 0 };
      const { status, before } = put('NtReleaseSemaphore', handle, count);
      return { status, previousCount: before };
    },
    NtQuerySemaphore(handle, informationClass, length) {
      const found = query('NtQuerySemaphore', handle, informationClass, length);
      if ('status' in found) return { ...found, semaphoreInformation: null, returnLength: 0 };
      const semaphoreInformation = SEMAPHORE_BASIC_INFORMATION.read(found.bytes);
      return { status: Status.STATUS_SUCCESS, semaphoreInformation, returnLength: found.returnLength };
    },
  };
}
