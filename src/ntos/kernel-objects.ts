/**
 * Events, semaphores and mutexes of the kernel as somebody holds them: waited for, signalled and looked at by its own calls.
 */
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import type { HeldHandle, MutexOwner, NtSystem } from '../os/index.js';
import type { HeldEvent, HeldMutex, HeldSemaphore, HeldWaitable } from '../sync/dispatcher-source.js';
import { judgeOptions, type WaitOptions } from '../sync/wait-options.js';
import { closedError } from '../sync/wait-queue.js';
import type { Signal } from '../sync/waitable.js';
import { failureOfStatus } from './failure.js';
import { type GivingUp, type HandleWaits, handleWaits, type Stop } from './handle-waits.js';
import { callOf } from './handles.js';
import type { KeptMutex } from './kept-mutexes.js';
import { longIn, Structure } from './structures.js';
import { isGot, WaitLine } from './wait-line.js';

/** What a wait for one object has ended with. */
export function signalOf(operation: string, object: string, status: NTSTATUS): Signal | undefined {
  if (status === Status.STATUS_TIMEOUT) return undefined;
  if (isGot(status)) return status === Status.STATUS_SUCCESS ? 'signalled' : 'abandoned';
  throw failureOfStatus(operation, object, status);
}

/** Has a wait end when one of its objects is closed. `forget`: when it has ended otherwise. */
export function endedByClosing(
  objects: readonly KernelObject[],
  operation: string,
  object: string,
): { readonly givingUp: Set<GivingUp>; readonly forget: () => void } {
  const givingUp = new Set<GivingUp>();
  const onClose = (): void => {
    for (const giveUp of givingUp) giveUp(closedError(operation, object));
  };
  const forgets = objects.map((each) => each.whenClosed(onClose));
  return {
    givingUp,
    forget: () => {
      for (const forget of forgets) forget();
    },
  };
}

export abstract class KernelObject implements HeldWaitable {
  readonly handle: number;
  protected readonly nt: NtSystem;
  protected readonly waits: HandleWaits;
  readonly #held: HeldHandle;
  readonly #closers = new Set<() => void>();
  #closed = false;

  /** Takes over the handle. */
  constructor(nt: NtSystem, handle: number) {
    this.nt = nt;
    this.handle = handle;
    this.#held = nt.handleHold(handle);
    this.waits = handleWaits(nt);
  }

  /** Has it at once, or STATUS_TIMEOUT. */
  protected abstract now(): NTSTATUS;
  protected abstract start(settle: (status: NTSTATUS) => void): Stop;
  protected abstract block(milliseconds: number): NTSTATUS;
  /** It was got after it was closed. */
  protected giveBack(): void {}

  async wait(operation: string, object: string, options?: WaitOptions): Promise<Signal | undefined> {
    const { timeout: milliseconds, signal } = judgeOptions(operation, options);
    signal?.throwIfAborted();
    let status = this.now();
    if (status === Status.STATUS_TIMEOUT && milliseconds > 0) {
      status = await this.#waitLong(operation, object, milliseconds, signal);
    }
    return signalOf(operation, object, status);
  }

  async #waitLong(operation: string, object: string, milliseconds: number, signal: AbortSignal | undefined): Promise<NTSTATUS> {
    const { givingUp, forget } = endedByClosing([this], operation, object);
    try {
      const status = await this.waits.waitFor((settle) => this.start(settle), { milliseconds, signal, givingUp });
      if (!this.#closed || !isGot(status)) return status;
      this.giveBack();
      throw closedError(operation, object);
    } finally {
      forget();
    }
  }

  /** Has something done when it is closed; returns how to take that back. */
  whenClosed(action: () => void): () => void {
    this.#closers.add(action);
    return () => this.#closers.delete(action);
  }

  waitSync(operation: string, object: string, timeout: number): Signal | undefined {
    return signalOf(operation, object, timeout === 0 ? this.now() : this.block(timeout));
  }

  /** Calls the kernel, which must not refuse. */
  protected ask(operation: string, call: string, ...given: readonly (number | Uint8Array | null)[]): NTSTATUS {
    const status = callOf(this.nt, call)(this.handle, ...given);
    if (status >= 0x8000_0000) throw failureOfStatus(operation, 'the object', status);
    return status;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const action of this.#closers) action();
    this.nt.handleClose(this.#held);
  }
}

/** An object that any thread can take from. */
abstract class FreeObject extends KernelObject {
  readonly #line: WaitLine;

  constructor(nt: NtSystem, handle: number) {
    super(nt, handle);
    const now = () => this.waits.waitSync([handle], false, 0);
    this.#line = new WaitLine(nt, { start: (ended) => nt.handleWait(handle, ended), now });
  }

  /** Whoever came before has it before. */
  protected now(): NTSTATUS {
    return this.#line.busy ? Status.STATUS_TIMEOUT : this.block(0);
  }

  protected start(settle: (status: NTSTATUS) => void): Stop {
    const waiter = { settle };
    this.#line.add(waiter);
    return () => this.#line.remove(waiter);
  }

  protected block(milliseconds: number): NTSTATUS {
    return this.waits.waitSync([this.handle], false, milliseconds);
  }
}

const EVENT_BASIC_INFORMATION = new Structure(8, { EventType: [0, 'u32'], EventState: [4, 'i32'] });
const SEMAPHORE_BASIC_INFORMATION = new Structure(8, { CurrentCount: [0, 'i32'], MaximumCount: [4, 'i32'] });
const MUTANT_BASIC_INFORMATION = new Structure(8, {
  CurrentCount: [0, 'i32'],
  OwnedByCaller: [4, 'u8'],
  AbandonedState: [5, 'u8'],
});

export class KernelEvent extends FreeObject implements HeldEvent {
  #query(operation: string): { readonly EventType: number; readonly EventState: number } {
    const facts = EVENT_BASIC_INFORMATION.room();
    this.ask(operation, 'NtQueryEvent', 0, facts, facts.length, null);
    return EVENT_BASIC_INFORMATION.read(facts);
  }

  get manualReset(): boolean {
    return this.#query('event.manualReset').EventType === 0;
  }

  isSignalled(): boolean {
    return this.#query('event.signalled').EventState !== 0;
  }

  set(): boolean {
    const before = new Uint8Array(4);
    this.ask('event.set', 'NtSetEvent', before);
    return longIn(before) !== 0;
  }

  reset(): boolean {
    const before = new Uint8Array(4);
    this.ask('event.reset', 'NtResetEvent', before);
    return longIn(before) !== 0;
  }
}

export class KernelSemaphore extends FreeObject implements HeldSemaphore {
  #query(operation: string): { readonly CurrentCount: number; readonly MaximumCount: number } {
    const facts = SEMAPHORE_BASIC_INFORMATION.room();
    this.ask(operation, 'NtQuerySemaphore', 0, facts, facts.length, null);
    return SEMAPHORE_BASIC_INFORMATION.read(facts);
  }

  get count(): number {
    return this.#query('semaphore.count').CurrentCount;
  }

  get maximum(): number {
    return this.#query('semaphore.maximum').MaximumCount;
  }

  release(more: number): number | undefined {
    const before = new Uint8Array(4);
    const status = callOf(this.nt, 'NtReleaseSemaphore')(this.handle, more, before);
    if (status === Status.STATUS_SEMAPHORE_LIMIT_EXCEEDED) return undefined;
    if (status !== Status.STATUS_SUCCESS) throw failureOfStatus('semaphore.release', 'the semaphore', status);
    return longIn(before);
  }
}

export class KernelMutex extends KernelObject implements HeldMutex {
  /** Keeps the keeper from one wait to the next; null until there is one. */
  #kept: KeptMutex | null = null;

  /** That which owns it, if one does. */
  #use<T>(action: (mutex: KeptMutex) => T): T {
    this.#kept ??= this.waits.mutexes.hold(this.handle);
    const mutex = this.#kept.times > 0 ? this.#kept.hold() : this.waits.mutexes.hold(this.handle);
    try {
      return action(mutex);
    } finally {
      mutex.letGo();
    }
  }

  protected now(): NTSTATUS {
    return this.#use((mutex) => mutex.tryNow());
  }

  protected start(settle: (status: NTSTATUS) => void): Stop {
    return this.#use((mutex) => mutex.wait(settle));
  }

  protected block(milliseconds: number): NTSTATUS {
    return this.#use((mutex) => mutex.waitSync(milliseconds));
  }

  protected override giveBack(): void {
    this.waits.mutexes.find(this.handle)?.release();
  }

  query(): MutexOwner {
    const operation = 'look at a mutex';
    const times = this.waits.mutexes.find(this.handle)?.times ?? 0;
    if (times > 0) return { pid: process.pid, isOwn: true, abandoned: false, times };
    const facts = MUTANT_BASIC_INFORMATION.room();
    this.ask(operation, 'NtQueryMutant', 0, facts, facts.length, null);
    const { CurrentCount, AbandonedState } = MUTANT_BASIC_INFORMATION.read(facts);
    const isFree = CurrentCount > 0;
    return {
      pid: isFree ? 0 : this.#ownerPid(),
      isOwn: false,
      abandoned: AbandonedState !== 0,
      times: isFree ? 0 : 1 - CurrentCount,
    };
  }

  /** 0 where the system does not tell. */
  #ownerPid(): number {
    const mutantOwnerInformation = 1;
    const client = new Uint8Array(16);
    const status = callOf(this.nt, 'NtQueryMutant')(this.handle, mutantOwnerInformation, client, client.length, null);
    return status === Status.STATUS_SUCCESS ? longIn(client) : 0;
  }

  release(): number {
    const mutex = this.waits.mutexes.find(this.handle);
    if (mutex === undefined || mutex.times === 0) return -1;
    const { status } = mutex.release();
    if (status !== Status.STATUS_SUCCESS) throw failureOfStatus('mutex.release', 'the mutex', status);
    return mutex.times;
  }

  override close(): void {
    super.close();
    this.#kept?.letGo();
    this.#kept = null;
  }
}

/** Refuses a wait for objects of the kernel and objects that are placed in sections at once. */
export function mixed(operation: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    rule: 'on Windows objects of the kernel and objects that are placed in a section cannot be waited for in one call',
    wayOut: 'Create all of them with names or without, or place all of them',
  });
}
