/**
 * The end of a process, waited for as everything else is.
 */
import { hasEnded, type ProcessWords } from './owner.js';
import { type ProcessWatch, watchProcess } from './process-watch.js';
import { sleepSync } from './timer.js';
import { WaitQueue } from './wait-queue.js';
import type { Signal, Waitable } from './waitable.js';

/** Milliseconds between two looks of a thread that blocks. */
const SLICE = 5;

class ProcessQueue extends WaitQueue {
  readonly #process: ProcessWords;
  #watch: ProcessWatch | null = null;

  constructor(process: ProcessWords) {
    super();
    this.#process = process;
  }

  look(): void {}

  protected sleep(): void {
    this.#watch ??= watchProcess(this.#process, () => {
      this.#watch = null;
      this.poke();
    });
  }

  protected stopSleeping(): void {
    this.#watch?.close();
    this.#watch = null;
  }

  protected sleepSync(milliseconds: number): void {
    sleepSync(Math.min(milliseconds, SLICE));
  }
}

export class ProcessEnd implements Waitable {
  readonly queue: WaitQueue;
  readonly looks = true;
  readonly #ended: () => boolean;

  /** @param ended Where somebody knows it better than the words: all of its threads have ended. */
  constructor(process: ProcessWords, ended: () => boolean = () => hasEnded(process)) {
    this.#ended = ended;
    this.queue = new ProcessQueue(process);
  }

  isReady(): boolean {
    return this.#ended();
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
