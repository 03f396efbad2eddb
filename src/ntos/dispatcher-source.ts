/**
 * Events, semaphores and mutexes of a system whose kernel is NT: created and opened by its own calls, with its names, rights
 * and errors. Those that are placed in sections are words there as everywhere.
 */
import { SectionError } from '../base/error.js';
import type { ObjectName } from '../memory/object-handle.js';
import type { NtSystem, SystemArgument } from '../os/index.js';
import { MAXIMUM_ALLOWED, SYNCHRONIZE } from '../security/index.js';
import type { DispatcherSource, HeldWaitable, NewObject } from '../sync/dispatcher-source.js';
import { ownDispatcher } from '../sync/own-dispatcher.js';
import type { ManyOutcome } from '../sync/wait-many.js';
import { judgeOptions, type WaitOptions } from '../sync/wait-options.js';
import { failureOf } from './failure.js';
import { handleWaits } from './handle-waits.js';
import { callOf, closeHandle, grantedAccess } from './handles.js';
import { endedByClosing, KernelEvent, KernelMutex, KernelObject, KernelSemaphore, mixed, signalOf } from './kernel-objects.js';
import { checkName } from './section-source.js';
import { securityFromText } from './security.js';

/** Win32 errors that are told apart here. */
const Win32 = { accessDenied: 5, alreadyExists: 183 } as const;

/** EVENT_ALL_ACCESS, SEMAPHORE_ALL_ACCESS; MUTEX_ALL_ACCESS. */
const ALL_ACCESS = 0x1f_0003;
const ALL_ACCESS_OF_MUTEX = 0x1f_0001;
const CREATE_EVENT_MANUAL_RESET = 1;
const CREATE_EVENT_INITIAL_SET = 2;

const STATUS_ABANDONED_WAIT_0 = 0x80;

class KernelDispatcher implements DispatcherSource {
  readonly #nt: NtSystem;

  constructor(nt: NtSystem) {
    this.#nt = nt;
  }

  /** @param create The call, by the security attributes and the name. */
  #create(
    operation: string,
    what: string,
    name: ObjectName | null,
    { security, openExisting }: NewObject,
    open: string,
    create: (security: SystemArgument, name: string | null) => number,
  ): number {
    const nt = this.#nt;
    const object = name === null ? `${what} without a name` : `"${name.full}"`;
    checkName(operation, name);
    const descriptor = security === undefined ? null : securityFromText(nt, operation, security);
    const handle = create(descriptor === null ? null : [descriptor, false], name?.full ?? null);
    const error = nt.lastError();
    if (handle === 0) {
      // It exists and grants less than all: what it grants will do.
      if (error === Win32.accessDenied && openExisting && name !== null) return this.#open(operation, open, name);
      throw failureOf(operation, object, error);
    }
    if (error !== Win32.alreadyExists || openExisting) return handle;
    closeHandle(nt, handle);
    throw failureOf(operation, object, error);
  }

  #open(operation: string, call: string, name: ObjectName): number {
    const nt = this.#nt;
    checkName(operation, name);
    const handle = callOf(nt, call)(MAXIMUM_ALLOWED, 0, name.full);
    if (handle === 0) throw failureOf(operation, `"${name.full}"`, nt.lastError());
    if ((grantedAccess(nt, handle) & SYNCHRONIZE) !== 0) return handle;
    closeHandle(nt, handle);
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: `"${name.full}"`,
      rule: 'its security descriptor does not grant SYNCHRONIZE',
      wayOut: 'Have its creator grant it',
    });
  }

  createEvent(
    operation: string,
    name: ObjectName | null,
    wish: NewObject & { readonly manualReset: boolean; readonly signalled: boolean },
  ): KernelEvent {
    const flags = (wish.manualReset ? CREATE_EVENT_MANUAL_RESET : 0) | (wish.signalled ? CREATE_EVENT_INITIAL_SET : 0);
    const call = callOf(this.#nt, 'CreateEventExW');
    const handle = this.#create(operation, 'an event', name, wish, 'OpenEventW', (security, text) =>
      call(security, text, flags, ALL_ACCESS),
    );
    return new KernelEvent(this.#nt, handle);
  }

  openEvent(operation: string, name: ObjectName): KernelEvent {
    return new KernelEvent(this.#nt, this.#open(operation, 'OpenEventW', name));
  }

  createSemaphore(
    operation: string,
    name: ObjectName | null,
    wish: NewObject & { readonly count: number; readonly maximum: number },
  ): KernelSemaphore {
    const call = callOf(this.#nt, 'CreateSemaphoreExW');
    const handle = this.#create(operation, 'a semaphore', name, wish, 'OpenSemaphoreW', (security, text) =>
      call(security, wish.count, wish.maximum, text, 0, ALL_ACCESS),
    );
    return new KernelSemaphore(this.#nt, handle);
  }

  openSemaphore(operation: string, name: ObjectName): KernelSemaphore {
    return new KernelSemaphore(this.#nt, this.#open(operation, 'OpenSemaphoreW', name));
  }

  createMutex(operation: string, name: ObjectName | null, wish: NewObject): KernelMutex {
    const call = callOf(this.#nt, 'CreateMutexExW');
    const handle = this.#create(operation, 'a mutex', name, wish, 'OpenMutexW', (security, text) =>
      call(security, text, 0, ALL_ACCESS_OF_MUTEX),
    );
    return new KernelMutex(this.#nt, handle);
  }

  openMutex(operation: string, name: ObjectName): KernelMutex {
    return new KernelMutex(this.#nt, this.#open(operation, 'OpenMutexW', name));
  }

  /** Those of the kernel; null where all are placed in sections. */
  #kernelObjects(operation: string, many: readonly HeldWaitable[]): readonly KernelObject[] | null {
    const found = many.flatMap((each) => (each instanceof KernelObject ? [each] : []));
    if (found.length === many.length) return found;
    if (found.length === 0) return null;
    throw mixed(operation);
  }

  async waitMany(
    operation: string,
    object: string,
    many: readonly HeldWaitable[],
    all: boolean,
    options?: WaitOptions,
  ): Promise<ManyOutcome | undefined> {
    const objects = this.#kernelObjects(operation, many);
    if (objects === null) return await ownDispatcher.waitMany(operation, object, many, all, options);
    const { timeout: milliseconds, signal } = judgeOptions(operation, options);
    const { givingUp, forget } = endedByClosing(objects, operation, object);
    const handles = objects.map(({ handle }) => handle);
    try {
      const status = await handleWaits(this.#nt).wait(handles, all, { milliseconds, signal, givingUp });
      return outcomeOf(operation, object, status, all);
    } finally {
      forget();
    }
  }

  waitManySync(
    operation: string,
    object: string,
    many: readonly HeldWaitable[],
    all: boolean,
    timeout: number,
  ): ManyOutcome | undefined {
    const objects = this.#kernelObjects(operation, many);
    if (objects === null) return ownDispatcher.waitManySync(operation, object, many, all, timeout);
    const handles = objects.map(({ handle }) => handle);
    return outcomeOf(operation, object, handleWaits(this.#nt).waitSync(handles, all, timeout), all);
  }
}

function outcomeOf(operation: string, object: string, status: number, all: boolean): ManyOutcome | undefined {
  const abandoned = status >= STATUS_ABANDONED_WAIT_0;
  const index = abandoned ? status - STATUS_ABANDONED_WAIT_0 : status;
  if (index < 64) return { index: all ? 0 : index, abandoned };
  signalOf(operation, object, status);
  return undefined;
}

/** The objects of a system whose kernel is NT. */
export function kernelDispatcher(nt: NtSystem): DispatcherSource {
  return new KernelDispatcher(nt);
}
