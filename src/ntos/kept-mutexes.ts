/**
 * Mutexes of the kernel that threads of the addon own for this thread of JavaScript: the kernel gives a mutex to the thread that
 * waits for it, and a promise has none. One keeper for each such mutex, so that who owns it by one wait owns it for the next.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { Keeper, NtSystem } from '../os/index.js';
import { callOf, closeHandle, duplicateHandle } from './handles.js';

const STATUS_ABANDONED_WAIT_0 = 0x80;

/** Whether a wait for one object has got it. */
export const isGot = (status: NTSTATUS): boolean => status === 0 || status === STATUS_ABANDONED_WAIT_0;

/** A keeper that ends with the last mutex that it is for. */
export class SharedKeeper {
  readonly keeper: Keeper;
  readonly #nt: NtSystem;
  #users = 1;

  constructor(nt: NtSystem) {
    this.#nt = nt;
    this.keeper = nt.keeperStart();
  }

  retain(): this {
    this.#users++;
    return this;
  }

  release(): void {
    if (--this.#users === 0) this.#nt.keeperEnd(this.keeper);
  }
}

/** Somebody who waits by a promise. */
interface Waiter {
  settle(status: NTSTATUS): void;
}

export class KeptMutex {
  readonly #nt: NtSystem;
  readonly #keeper: SharedKeeper;
  /** Of its own. */
  readonly #handle: number;
  readonly #table: Set<KeptMutex>;
  readonly #waiters = new Set<Waiter>();
  #wait = 0;
  #times = 0;
  #holders = 1;

  /**
   * The caller holds it, until {@link letGo}.
   *
   * @param handle Stays the caller's.
   * @param keeper A use of it is taken over.
   * @param times How often the keeper owns it.
   */
  constructor(nt: NtSystem, table: Set<KeptMutex>, handle: number, keeper = new SharedKeeper(nt), times = 0) {
    this.#nt = nt;
    this.#keeper = keeper;
    this.#handle = duplicateHandle(nt, handle) ?? 0;
    this.#times = times;
    this.#table = table;
    table.add(this);
  }

  /** How often the keeper owns it. */
  get times(): number {
    return this.#times;
  }

  isFor(handle: number): boolean {
    return callOf(this.#nt, 'NtCompareObjects')(this.#handle, handle) === Status.STATUS_SUCCESS;
  }

  hold(): this {
    this.#holders++;
    return this;
  }

  /** The keeper goes when nobody holds it, waits for it or owns it. */
  letGo(): void {
    this.#holders--;
    this.#endIfIdle();
  }

  /** Whoever is left finds it abandoned. */
  abandon(): void {
    this.#times = 0;
    this.letGo();
  }

  #endIfIdle(): void {
    if (this.#holders > 0 || this.#times > 0 || this.#waiters.size > 0 || !this.#table.delete(this)) return;
    this.#keeper.release();
    closeHandle(this.#nt, this.#handle);
  }

  /** Starts a wait for who is to come; those who wait have it in the order in which they came. */
  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.#start();
  }

  /** Ends somebody's wait. Null: he has got nothing. Else he has got it already: the status. */
  remove(waiter: Waiter): NTSTATUS | null {
    const [first] = this.#waiters;
    if (!this.#waiters.delete(waiter)) return null;
    const status = waiter === first ? this.#stop() : null;
    if (status !== null && isGot(status)) this.#times++;
    this.#start();
    this.#endIfIdle();
    return status;
  }

  /** Ends the keeper's wait. */
  #stop(): NTSTATUS | null {
    const wait = this.#wait;
    this.#wait = 0;
    return wait === 0 ? null : this.#nt.waitStop(wait);
  }

  #start(): void {
    if (this.#wait !== 0 || this.#waiters.size === 0) return;
    const started = this.#nt.keeperWait(this.#keeper.keeper, [this.#handle], false, (status) => {
      this.#wait = 0;
      this.#settleFirst(status);
    });
    if (started > 0) this.#wait = started;
    else this.#settleFirst(-started);
  }

  #settleFirst(status: NTSTATUS): void {
    const [first] = this.#waiters;
    if (first === undefined) return;
    this.#waiters.delete(first);
    if (isGot(status)) this.#times++;
    first.settle(status);
    this.#start();
    this.#endIfIdle();
  }

  /** Has it at once, or not: STATUS_TIMEOUT, also where others of this thread wait for it. */
  tryNow(): NTSTATUS {
    return this.#times === 0 && this.#waiters.size > 0 ? Status.STATUS_TIMEOUT : this.waitSync(0);
  }

  /** Waits, and this thread stands still: before those who wait by promises. */
  waitSync(milliseconds: number): NTSTATUS {
    for (let ended = this.#stop(); ended !== null; ended = this.#stop()) this.#settleFirst(ended);
    const status = this.#nt.keeperWaitSync(this.#keeper.keeper, [this.#handle], false, milliseconds);
    if (isGot(status)) this.#times++;
    this.#start();
    this.#endIfIdle();
    return status;
  }

  /** Gives it back once; `previousCount` as NtReleaseMutant says it. */
  release(): { readonly status: NTSTATUS; readonly previousCount: number } {
    const status = this.#nt.keeperRelease(this.#keeper.keeper, this.#handle);
    const before = this.#times;
    if (isSuccess(status) && before > 0) this.#times--;
    this.#endIfIdle();
    return { status, previousCount: isSuccess(status) ? 1 - before : 0 };
  }
}

/** Those of this thread of JavaScript. */
export class KeptMutexes {
  readonly #nt: NtSystem;
  readonly #all = new Set<KeptMutex>();

  constructor(nt: NtSystem) {
    this.#nt = nt;
  }

  isMutex(handle: number): boolean {
    const status = callOf(this.#nt, 'NtQueryMutant')(handle, 0, new Uint8Array(8), 8, null);
    return status !== Status.STATUS_OBJECT_TYPE_MISMATCH && status !== Status.STATUS_INVALID_HANDLE;
  }

  /** The one that is owned, else any that there is for the object. */
  find(handle: number): KeptMutex | undefined {
    let found: KeptMutex | undefined;
    for (const each of this.#all) {
      if ((found === undefined || each.times > 0) && each.isFor(handle)) found = each;
      if (found !== undefined && found.times > 0) break;
    }
    return found;
  }

  /** The mutex of a handle, held by the caller. */
  hold(handle: number): KeptMutex {
    return this.find(handle)?.hold() ?? new KeptMutex(this.#nt, this.#all, handle);
  }

  /** Enters one that a keeper has got among others. */
  enter(handle: number, keeper: SharedKeeper): void {
    new KeptMutex(this.#nt, this.#all, handle, keeper.retain(), 1).letGo();
  }
}
