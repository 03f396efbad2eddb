/**
 * Events, mutexes and semaphores of the system.
 */
import { type Handle, ulong } from '../../nt/arguments.js';
import { invalidParameter } from '../../win32/arguments.js';
import * as c from '../../win32/constants.js';
import { GetLastError } from '../../win32/last-error.js';
import type { SecurityAttributes } from '../../win32/object-names.js';
import { handleWaits } from '../handle-waits.js';
import { nameOf, securityOf, type Win32System } from './win32-system.js';

type Security = string | SecurityAttributes | null;

export function synchronizationCalls(system: Win32System) {
  const waits = handleWaits(system.nt);

  /** Calls `name` with the security, the name and the numbers where they belong. */
  function create(
    name: string,
    security: Security,
    lpName: string | null,
    numbers: readonly unknown[],
    order: (...given: readonly [number[], string | null]) => readonly (number | string | null)[],
  ): Handle {
    const values = numbers.map(ulong);
    if (values.includes(undefined)) return invalidParameter(0);
    const attributes = securityOf(system, security);
    const text = attributes === null ? null : nameOf(lpName);
    if (attributes === null || text === null) return 0;
    return system.creates(0, name, attributes.value, ...order(values as number[], text.value));
  }

  function open(name: string, access: unknown, inherit: unknown, lpName: unknown): Handle {
    const wanted = ulong(access);
    if (wanted === undefined || lpName === null || lpName === undefined) return invalidParameter(0);
    const text = nameOf(lpName);
    return text === null ? 0 : system.opens(0, name, wanted, inherit === true ? 1 : 0, text.value);
  }

  const change = (name: string, handle: unknown): boolean => system.does(name, system.handles.usable(handle));

  function CreateEventEx(security: Security, lpName: string | null, dwFlags: number, dwDesiredAccess: number): Handle {
    return create('CreateEventExW', security, lpName, [dwFlags, dwDesiredAccess], (numbers, name) => [name, ...numbers]);
  }

  function CreateMutexEx(security: Security, lpName: string | null, dwFlags: number, dwDesiredAccess: number): Handle {
    return create('CreateMutexExW', security, lpName, [dwFlags, dwDesiredAccess], (numbers, name) => [name, ...numbers]);
  }

  function CreateSemaphoreEx(
    security: Security,
    lInitialCount: number,
    lMaximumCount: number,
    lpName: string | null,
    dwFlags: number,
    dwDesiredAccess: number,
  ): Handle {
    return create(
      'CreateSemaphoreExW',
      security,
      lpName,
      [lInitialCount, lMaximumCount, dwFlags, dwDesiredAccess],
      ([initial = 0, maximum = 0, flags = 0, access = 0], name) => [initial, maximum, name, flags, access],
    );
  }

  function CreateEvent(security: Security, bManualReset: boolean, bInitialState: boolean, lpName: string | null = null): Handle {
    const flags = (bManualReset ? c.CREATE_EVENT_MANUAL_RESET : 0) | (bInitialState ? c.CREATE_EVENT_INITIAL_SET : 0);
    return CreateEventEx(security, lpName, flags, c.EVENT_ALL_ACCESS);
  }

  function CreateMutex(security: Security, bInitialOwner: boolean, lpName: string | null = null): Handle {
    return CreateMutexEx(security, lpName, bInitialOwner ? c.CREATE_MUTEX_INITIAL_OWNER : 0, c.MUTEX_ALL_ACCESS);
  }

  function CreateSemaphore(
    security: Security,
    lInitialCount: number,
    lMaximumCount: number,
    lpName: string | null = null,
  ): Handle {
    return CreateSemaphoreEx(security, lInitialCount, lMaximumCount, lpName, 0, c.SEMAPHORE_ALL_ACCESS);
  }

  const OpenEvent = (access: number, inherit: boolean, lpName: string): Handle => open('OpenEventW', access, inherit, lpName);
  const OpenMutex = (access: number, inherit: boolean, lpName: string): Handle => open('OpenMutexW', access, inherit, lpName);
  const OpenSemaphore = (access: number, inherit: boolean, lpName: string): Handle =>
    open('OpenSemaphoreW', access, inherit, lpName);

  return {
    CreateEvent,
    CreateEventA: CreateEvent,
    CreateEventW: CreateEvent,
    CreateEventEx,
    CreateEventExA: CreateEventEx,
    CreateEventExW: CreateEventEx,
    OpenEvent,
    OpenEventA: OpenEvent,
    OpenEventW: OpenEvent,
    SetEvent: (hEvent: Handle): boolean => change('SetEvent', hEvent),
    ResetEvent: (hEvent: Handle): boolean => change('ResetEvent', hEvent),
    CreateMutex,
    CreateMutexA: CreateMutex,
    CreateMutexW: CreateMutex,
    CreateMutexEx,
    CreateMutexExA: CreateMutexEx,
    CreateMutexExW: CreateMutexEx,
    OpenMutex,
    OpenMutexA: OpenMutex,
    OpenMutexW: OpenMutex,
    ReleaseMutex(hMutex: Handle): boolean {
      if (change('ReleaseMutex', hMutex)) return true;
      // A thread of the addon may own it for this one, by a promise.
      const kept = GetLastError() === c.ERROR_NOT_OWNER ? waits.mutexes.find(system.handles.usable(hMutex)) : undefined;
      const status = kept?.release().status;
      return status === undefined ? false : status === 0 || system.failsWith(status, false);
    },
    CreateSemaphore,
    CreateSemaphoreA: CreateSemaphore,
    CreateSemaphoreW: CreateSemaphore,
    CreateSemaphoreEx,
    CreateSemaphoreExA: CreateSemaphoreEx,
    CreateSemaphoreExW: CreateSemaphoreEx,
    OpenSemaphore,
    OpenSemaphoreA: OpenSemaphore,
    OpenSemaphoreW: OpenSemaphore,
    ReleaseSemaphore(hSemaphore: Handle, lReleaseCount: number): boolean {
      const count = ulong(lReleaseCount);
      if (count === undefined) return invalidParameter(false);
      return system.does('ReleaseSemaphore', system.handles.usable(hSemaphore), count, null);
    },
  };
}
