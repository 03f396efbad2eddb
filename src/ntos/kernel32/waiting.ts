/**
 * Waiting for objects, by the kernel. The forms that block are the calls themselves, on the thread of JavaScript; the
 * promises wait in threads of the addon, which own what mutexes they get.
 */
import { SectionError } from '../../base/error.js';
import { type NTSTATUS, Status, statusName } from '../../base/status.js';
import { elementsOf, type Handle, ulong } from '../../nt/arguments.js';
import type { AsyncWaitOptions } from '../../nt/wait-calls.js';
import { failWith } from '../../win32/arguments.js';
import { ERROR_INVALID_PARAMETER, ERROR_NOACCESS, INFINITE, WAIT_FAILED } from '../../win32/constants.js';
import { handleWaits, MOST_OBJECTS, signalOf } from '../handle-waits.js';
import type { Win32System } from './win32-system.js';

/** No handle of anybody's: the kernel says what is wrong with it. */
const NO_HANDLE: Handle = 0x7fff_fffc;

/** What a wait is given; else why it is none. */
type Asked = { readonly handles: readonly Handle[]; readonly milliseconds: number } | { readonly status: NTSTATUS };

/** What a promise rejects with; there is no last error by then that would be its own. */
function failed(operation: string, status: NTSTATUS): SectionError {
  const isDenied = status === Status.STATUS_ACCESS_DENIED;
  return new SectionError(isDenied ? 'ERR_SECTION_ACCESS_DENIED' : 'ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: `the wait ended with ${statusName(status)}`,
    status,
  });
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
    if (number === undefined || number < 1 || number > MOST_OBJECTS) return { status: Status.STATUS_INVALID_PARAMETER_1 };
    const handles = elementsOf(given, number);
    if (handles === undefined) return { status: Status.STATUS_ACCESS_VIOLATION };
    if (time === undefined) return { status: Status.STATUS_INVALID_PARAMETER };
    // Not map, which leaves holes as they are.
    return { handles: Array.from(handles, usable), milliseconds: time };
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

  async function promised(operation: string, what: Asked, all: boolean, options: AsyncWaitOptions | undefined): Promise<number> {
    const signal = signalOf(options);
    if (signal === null) throw failed(operation, Status.STATUS_INVALID_PARAMETER);
    if ('status' in what) throw failed(operation, what.status);
    const milliseconds = what.milliseconds === INFINITE ? Number.POSITIVE_INFINITY : what.milliseconds;
    const status = await waits.wait(what.handles, all, { milliseconds, signal });
    if (status > Status.STATUS_TIMEOUT) throw failed(operation, status);
    return status;
  }

  function WaitForSingleObjectAsync(hHandle: Handle, dwMilliseconds: number, options?: AsyncWaitOptions): Promise<number> {
    return promised('WaitForSingleObjectAsync', asked(1, [hHandle], dwMilliseconds), false, options);
  }

  function WaitForMultipleObjectsAsync(
    nCount: number,
    lpHandles: readonly Handle[],
    bWaitAll: boolean,
    dwMilliseconds: number,
    options?: AsyncWaitOptions,
  ): Promise<number> {
    const what = asked(nCount, lpHandles, dwMilliseconds);
    return promised('WaitForMultipleObjectsAsync', what, Boolean(bWaitAll), options);
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
  };
}
