/**
 * The end of a process, waited for as everything else is.
 */
import { type Descriptor, os } from '../os/index.js';
import { sleepSync } from './timer.js';
import { WaitQueue } from './wait-queue.js';
import type { Signal, Waitable } from './waitable.js';
import { cancelWait, waitForProcess } from './waits.js';

/** Milliseconds between two looks of a thread that blocks. */
const SLICE = 5;

class ProcessQueue extends WaitQueue {
  readonly #process: Descriptor | null;
  #wait: number | null = null;

  constructor(process: Descriptor | null) {
    super();
    this.#process = process;
  }

  look(): void {}

  protected sleep(): void {
    if (this.#process === null) return;
    this.#wait ??= waitForProcess(this.#process, () => {
      this.#wait = null;
      this.poke();
    });
  }

  protected stopSleeping(): void {
    if (this.#wait !== null) cancelWait(this.#wait);
    this.#wait = null;
  }

  protected sleepSync(milliseconds: number): void {
    sleepSync(Math.min(milliseconds, SLICE));
  }
}

/**
 * Not before the last of its threads: what a process's numbers tell (owner.ts) changes with the first, which may end long
 * before the others.
 */
export class ProcessEnd implements Waitable {
  readonly queue: WaitQueue;
  readonly looks = true;
  readonly #process: Descriptor | null;

  /** @param process Open for as long as this is not closed. Null: this process, which nobody in it sees end. */
  constructor(process: Descriptor | null) {
    this.#process = process;
    this.queue = new ProcessQueue(process);
  }

  isReady(): boolean {
    return this.#process !== null && os.processHasEnded(this.#process);
  }

  attempt(): Signal | undefined {
    return this.isReady() ? 'signalled' : undefined;
  }

  undo(): void {}

  isOwn(): boolean {
    return false;
  }
  close(): void {
    this.queue.close();
  }
}
