/**
 * The lock that several producers of a ring take from the claim to the commit. A thread that has it may take it again, so
 * that objects of one thread keep each other out here.
 */
import { mappingOf } from '../memory/view.js';
import { MutexState } from '../sync/mutex-state.js';
import { ownProcess } from '../sync/owner.js';
import type { ProcessWatch } from '../sync/process-watch.js';
import { watchProcess } from '../sync/process-watch.js';
import { RingAt, type RingMemory } from './ring-layout.js';

/** Attempts before somebody else's lock counts as taken: copying a message takes less. */
const ATTEMPTS = 100;

/** Of this thread, by the rings' random numbers: who is inside. */
const inside = new Map<bigint, object>();

export class RingLock {
  readonly #mutex: MutexState;
  readonly #id: bigint;
  readonly #onEnd: () => void;
  #watched = 0;
  #watch: ProcessWatch | null = null;

  /** @param onEnd Told when the process has ended that had the lock when it was watched. */
  constructor(memory: RingMemory, onEnd: () => void) {
    this.#mutex = new MutexState(memory.view[mappingOf], memory.start + RingAt.mutex);
    this.#id = memory.id;
    this.#onEnd = onEnd;
  }

  /** What a process did under it that was killed was not published, and is nothing. */
  take(owner: object): boolean {
    if (inside.has(this.#id)) return false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      if (this.#mutex.try() === undefined) continue;
      inside.set(this.#id, owner);
      return true;
    }
    return false;
  }

  give(): void {
    inside.delete(this.#id);
    this.#mutex.release();
  }

  /** Somebody waits for it: the end of its owner's process wakes nobody by itself. */
  watchOwner(): void {
    const { pid } = this.#mutex.query();
    if (pid === this.#watched) return;
    this.#unwatch();
    if (pid === 0 || pid === ownProcess().pid) return;
    this.#watched = pid;
    this.#watch = watchProcess({ pid, startLow: 0, namespace: ownProcess().namespace }, () => {
      this.#watched = 0;
      this.#onEnd();
    });
  }

  #unwatch(): void {
    this.#watch?.close();
    this.#watch = null;
    this.#watched = 0;
  }

  close(): void {
    this.#unwatch();
    this.#mutex.close();
  }
}
