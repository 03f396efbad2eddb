/**
 * Mutexes of the kernel that threads of the addon own for this thread of JavaScript: the kernel gives a mutex to the thread that
 * waits for it, and a promise has none. One keeper for each such mutex, so that who owns it by one wait owns it for the next.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { Keeper, NtSystem } from '../os/index.js';
import { callOf, closeHandle, duplicateHandle } from './handles.js';
import { isGot, WaitLine } from './wait-line.js';

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

export class KeptMutex {
  readonly #nt: NtSystem;
  readonly #keeper: SharedKeeper;
  /** Of its own. */
  readonly #handle: number;
  readonly #table: Set<KeptMutex>;
  readonly #line: WaitLine;
  #times: number;
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
    this.#line = new WaitLine(nt, {
      start: (ended) => nt.keeperWait(keeper.keeper, [this.#handle], false, ended),
      now: () => (this.#times > 0 ? this.#ask(0) : Status.STATUS_TIMEOUT),
    });
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

  #endIfIdle(): void {
    if (this.#holders > 0 || this.#times > 0 || this.#line.busy || !this.#table.delete(this)) return;
    this.#keeper.release();
    closeHandle(this.#nt, this.#handle);
  }

  /** Starts a wait by a promise. Returns how to end it: see {@link WaitLine.remove}. */
  wait(settle: (status: NTSTATUS) => void): () => NTSTATUS | null {
    const waiter = {
      settle: (status: NTSTATUS) => {
        this.#count(status);
        settle(status);
        this.#endIfIdle();
      },
    };
    this.#line.add(waiter);
    return () => {
      const status = this.#line.remove(waiter);
      if (status !== null) this.#count(status);
      this.#endIfIdle();
      return status;
    };
  }

  /** Has it at once, or not: STATUS_TIMEOUT, also where others of this thread wait for it. */
  tryNow(): NTSTATUS {
    return this.#times === 0 && this.#line.busy ? Status.STATUS_TIMEOUT : this.waitSync(0);
  }

  /** Waits, and this thread stands still: before those who wait by promises. */
  waitSync(milliseconds: number): NTSTATUS {
    this.#line.pause();
    const status = this.#ask(milliseconds);
    this.#count(status);
    this.#line.resume();
    return status;
  }

  #ask(milliseconds: number): NTSTATUS {
    return this.#nt.keeperWaitSync(this.#keeper.keeper, [this.#handle], false, milliseconds);
  }

  #count(status: NTSTATUS): void {
    if (isGot(status)) this.#times++;
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
