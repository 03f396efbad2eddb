/**
 * Waiting for objects, by the kernel. The forms that block are the calls themselves, on the thread of JavaScript; the
 * promises wait in threads of the addon, which own what mutexes they get.
 */
import { show } from '../../base/checks.js';
import { SectionError, type SectionErrorCode } from '../../base/error.js';
import { type NTSTATUS, Status, statusName } from '../../base/status.js';
import { elementsOf, fieldsOf, type Handle, ulong } from '../../nt/arguments.js';
import { failWith } from '../../win32/arguments.js';
import { ERROR_INVALID_PARAMETER, ERROR_NOACCESS } from '../../win32/constants.js';
import { type AbortOptions, handleWaits, MOST_OBJECTS } from '../handle-waits.js';
import type { Win32System } from './win32-system.js';

const INFINITE = 0xffff_ffff;
const WAIT_FAILED = 0xffff_ffff;
/** No handle of anybody's: the kernel says what is wrong with it. */
const NO_HANDLE: Handle = 0x7fff_fffc;

/** What a wait is given; else why it is none. */
type Asked = { readonly handles: readonly Handle[]; readonly milliseconds: number } | { readonly status: NTSTATUS };

const codes: ReadonlyMap<NTSTATUS, SectionErrorCode> = new Map([
  [Status.STATUS_INVALID_HANDLE, 'ERR_SECTION_CLOSED'],
  [Status.STATUS_ACCESS_DENIED, 'ERR_SECTION_ACCESS_DENIED'],
  [Status.STATUS_OBJECT_TYPE_MISMATCH, 'ERR_SECTION_TYPE_MISMATCH'],
  [Status.STATUS_NO_MEMORY, 'ERR_SECTION_NO_MEMORY'],
]);

function failed(operation: string, object: string, status: NTSTATUS): SectionError {
  const rule = `it cannot be waited for: ${statusName(status)}`;
  return new SectionError(codes.get(status) ?? 'ERR_SECTION_INVALID_ARGUMENT', { operation, object, rule, status });
}

export function waitingCalls(system: Win32System) {
  const waits = handleWaits(system.nt);
  const usable = (handle: unknown): Handle => system.handles.usable(handle) || NO_HANDLE;

  /** The last error is that of the call, if it failed. */
  function waited(name: string, ...given: readonly (number | readonly number[] | null)[]): number {
    const answer = Number(system.call(name, ...given));
    return answer === WAIT_FAILED ? system.fails(answer) : answer;
  }

  function asked(count: unknown, given: unknown, milliseconds: unknown): Asked {
    const [number, time] = [ulong(count), ulong(milliseconds)];
    if (number === undefined || time === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
    if (number < 1 || number > MOST_OBJECTS) return { status: Status.STATUS_INVALID_PARAMETER_1 };
    const handles = elementsOf(given, number);
    if (handles === undefined) return { status: Status.STATUS_ACCESS_VIOLATION };
    return { handles: handles.map(usable), milliseconds: time };
  }

  function WaitForSingleObjectEx(hHandle: Handle, dwMilliseconds: number, bAlertable: boolean): number {
    const time = ulong(dwMilliseconds);
    if (time === undefined) return failWith(ERROR_INVALID_PARAMETER, WAIT_FAILED);
    return waited('WaitForSingleObjectEx', usable(hHandle), time, bAlertable ? 1 : 0);
  }

  function WaitForMultipleObjectsEx(
    nCount: number,
    lpHandles: readonly Handle[],
    bWaitAll: boolean,
    dwMilliseconds: number,
    bAlertable: boolean,
  ): number {
    const what = asked(nCount, lpHandles, dwMilliseconds);
    if ('status' in what) {
      const error = what.status === Status.STATUS_ACCESS_VIOLATION ? ERROR_NOACCESS : ERROR_INVALID_PARAMETER;
      return failWith(error, WAIT_FAILED);
    }
    const [all, alertable] = [bWaitAll ? 1 : 0, bAlertable ? 1 : 0];
    return waited('WaitForMultipleObjectsEx', null, what.handles, all, what.milliseconds, alertable);
  }

  function SignalObjectAndWait(
    hObjectToSignal: Handle,
    hObjectToWaitOn: Handle,
    dwMilliseconds: number,
    bAlertable: boolean,
  ): number {
    const time = ulong(dwMilliseconds);
    if (time === undefined) return failWith(ERROR_INVALID_PARAMETER, WAIT_FAILED);
    return waited('SignalObjectAndWait', usable(hObjectToSignal), usable(hObjectToWaitOn), time, bAlertable ? 1 : 0);
  }

  async function promised(
    operation: string,
    object: string,
    what: Asked,
    all: boolean,
    options: AbortOptions | undefined,
  ): Promise<number> {
    const signal = fieldsOf(options, 'signal')?.signal;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      const rule = `signal must be an AbortSignal, not ${show(signal)}`;
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, object, rule });
    }
    if ('status' in what) throw failed(operation, object, what.status);
    const milliseconds = what.milliseconds === INFINITE ? Number.POSITIVE_INFINITY : what.milliseconds;
    const status = await waits.wait(what.handles, all, { milliseconds, signal });
    if (status > Status.STATUS_TIMEOUT) throw failed(operation, object, status);
    return status;
  }

  function WaitForSingleObjectAsync(hHandle: Handle, dwMilliseconds: number, options?: AbortOptions): Promise<number> {
    const what = asked(1, [hHandle], dwMilliseconds);
    return promised('WaitForSingleObjectAsync', `handle ${show(hHandle)}`, what, false, options);
  }

  function WaitForMultipleObjectsAsync(
    nCount: number,
    lpHandles: readonly Handle[],
    bWaitAll: boolean,
    dwMilliseconds: number,
    options?: AbortOptions,
  ): Promise<number> {
    const what = asked(nCount, lpHandles, dwMilliseconds);
    return promised('WaitForMultipleObjectsAsync', `handles ${show(lpHandles)}`, what, Boolean(bWaitAll), options);
  }

  return {
    WaitForSingleObject: (hHandle: Handle, dwMilliseconds: number): number =>
      WaitForSingleObjectEx(hHandle, dwMilliseconds, false),
    WaitForSingleObjectEx,
    WaitForMultipleObjects: (nCount: number, lpHandles: readonly Handle[], bWaitAll: boolean, dwMilliseconds: number): number =>
      WaitForMultipleObjectsEx(nCount, lpHandles, bWaitAll, dwMilliseconds, false),
    WaitForMultipleObjectsEx,
    SignalObjectAndWait,
    WaitForSingleObjectAsync,
    WaitForMultipleObjectsAsync,
    PulseEvent: (hEvent: Handle): boolean => system.does('PulseEvent', system.handles.usable(hEvent)),
  };
}
