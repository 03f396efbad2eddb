/**
 * Those of this thread of JavaScript who wait for one object of the kernel, in the order in which they came: the first one's wait is
 * the kernel's, the others wait behind it. Whoever leaves before it has got the object has taken nothing.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { NtSystem } from '../os/index.js';

const STATUS_ABANDONED_WAIT_0 = 0x80;

/** Whether a wait for one object has got it. */
export const isGot = (status: NTSTATUS): boolean => status === Status.STATUS_SUCCESS || status === STATUS_ABANDONED_WAIT_0;

/** Somebody who waits by a promise. */
export interface Waiter {
  settle(status: NTSTATUS): void;
}

/** How an object is waited for. */
export interface LineOfObject {
  /** Starts a wait: its number, or minus an NTSTATUS. */
  start(ended: (status: NTSTATUS) => void): number;
  /** Has it at once, or STATUS_TIMEOUT. */
  now(): NTSTATUS;
}

export class WaitLine {
  readonly #nt: NtSystem;
  readonly #object: LineOfObject;
  readonly #waiters = new Set<Waiter>();
  #wait = 0;

  constructor(nt: NtSystem, object: LineOfObject) {
    this.#nt = nt;
    this.#object = object;
  }

  get busy(): boolean {
    return this.#waiters.size > 0;
  }

  add(waiter: Waiter): void {
    this.#waiters.add(waiter);
    this.resume();
  }

  /** Ends somebody's wait. Null: it has got nothing. Else it has ended already, and this is how. */
  remove(waiter: Waiter): NTSTATUS | null {
    const [first] = this.#waiters;
    if (!this.#waiters.delete(waiter)) return null;
    const status = waiter === first ? this.#stop() : null;
    this.resume();
    return status;
  }

  /** Nobody of them waits in the kernel from here on, until {@link resume}: for who has it before them. */
  pause(): void {
    for (let ended = this.#stop(); ended !== null; ended = this.#stop()) this.#settleFirst(ended);
  }

  resume(): void {
    while (this.#wait === 0 && this.busy) {
      const started = this.#object.start((status) => {
        this.#wait = 0;
        this.#settleFirst(status);
        this.#settleMore();
        this.resume();
      });
      if (started > 0) this.#wait = started;
      else this.#settleFirst(-started);
    }
  }

  /** Nobody waits any more: each is told so. */
  close(): void {
    this.pause();
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.settle(Status.STATUS_INVALID_HANDLE);
    }
  }

  #stop(): NTSTATUS | null {
    const wait = this.#wait;
    this.#wait = 0;
    return wait === 0 ? null : this.#nt.waitStop(wait);
  }

  #settleFirst(status: NTSTATUS): void {
    const [first] = this.#waiters;
    if (first === undefined) return;
    this.#waiters.delete(first);
    first.settle(status);
  }

  /** What ends many waits, ends them in one turn. */
  #settleMore(): void {
    while (this.busy) {
      const status = this.#object.now();
      if (status === Status.STATUS_TIMEOUT) return;
      this.#settleFirst(status);
    }
  }
}
