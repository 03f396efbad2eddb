/**
 * The lock that several producers of a ring take from the claim to the commit. A thread that has it may take it again, so
 * that objects of one thread keep each other out here.
 */
import { mappingOf } from '../memory/view.js';
import { MutexState } from '../sync/mutex-state.js';
import { ownProcess } from '../sync/owner.js';
import type { ProcessWatch } from '../sync/process-watch.js';
import { watchProcess } from '../sync/process-watch.js';
import { load } from './fence.js';
import { idle } from './pace.js';
import { RingAt, type RingMemory, Word } from './ring-layout.js';

/** Looks before somebody else's lock counts as taken: copying a message takes less. */
const LOOKS = 40;
/** In the mutex's first word: who has it. */
const OWNER = 0x3fff_ffff;

/** Of this thread, by the rings' random numbers: who is inside. */
const inside = new Map<bigint, object>();

export class RingLock {
  readonly #mutex: MutexState;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #id: bigint;
  readonly #onEnd: () => void;
  #watched = 0;
  #watch: ProcessWatch | null = null;

  /** @param onEnd Told when the process has ended that had the lock when it was watched. */
  constructor(memory: RingMemory, onEnd: () => void) {
    this.#mutex = new MutexState(memory.view[mappingOf], memory.start + RingAt.mutex);
    this.#words = memory.words;
    this.#id = memory.id;
    this.#onEnd = onEnd;
  }

  /** What a process did under it that was killed was not published, and is nothing. */
  take(owner: object): boolean {
    if (inside.has(this.#id)) return false;
    // An attempt at somebody else's lock asks the system whether he lives, which takes longer than he needs it.
    for (let look = 0; look < LOOKS && (load(this.#words, Word.mutex) & OWNER) !== 0; look++) idle();
    if (this.#mutex.try() === undefined) return false;
    inside.set(this.#id, owner);
    return true;
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
