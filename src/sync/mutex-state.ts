/**
 * A mutex as 16 bytes of shared memory (native/mutex.c says how), owned by a thread of JavaScript. The end of its
 * owner's process wakes nobody, so whoever waits watches that process.
 *
 * Source: Microsoft's pages of CreateMutexW, ReleaseMutex and WaitForSingleObject (WAIT_ABANDONED).
 */
import { SectionError } from '../base/error.js';
import { type Mapping, type MutexOwner, MutexTake } from '../os/index.js';
import { ownProcess } from './owner.js';
import { type ProcessWatch, watchProcess } from './process-watch.js';
import { WaitPoint } from './wait-point.js';
import type { Signal, Waitable } from './waitable.js';
import { MutexWords } from './word.js';

/** Bytes of a mutex, which starts at a multiple of {@link MUTEX_ALIGNMENT}. All zeros: nobody owns it. */
export const MUTEX_BYTES = 16;
export const MUTEX_ALIGNMENT = 8;

/** In the word that is slept for: somebody sleeps. */
const WAITERS = 1 << 31;

/** The process in the word that is slept for. */
const pidIn = (word: number): number => (word >>> 8) & 0x3f_ffff;

export class MutexState implements Waitable {
  readonly queue: WaitPoint;
  readonly looks = true;
  readonly #words: MutexWords;
  #last: Signal = 'signalled';
  #watched = 0;
  #watch: ProcessWatch | null = null;

  /** @param offset Bytes, a multiple of {@link MUTEX_ALIGNMENT}. */
  constructor(mapping: Mapping, offset = 0) {
    this.#words = new MutexWords(mapping, offset);
    this.queue = new WaitPoint(mapping, offset);
  }

  query(): MutexOwner {
    return this.#words.query();
  }

  isOwn(): boolean {
    return this.query().isOwn;
  }

  /** Where it is not, its owner is told that somebody sleeps. */
  isReady(): boolean {
    const { pid, isOwn, abandoned } = this.query();
    if (isOwn || abandoned || pid === 0) return true;
    const word = this.queue.word.load();
    // It has changed hands meanwhile: the next look will tell.
    if (pidIn(word) !== pid) return false;
    this.queue.word.compareExchange(word, word | WAITERS);
    this.queue.sleepWhile(word | WAITERS);
    if (this.queue.busy) this.#watchOwner(pid);
    return false;
  }

  /**
   * @throws SectionError ERR_SECTION_ACCESS_DENIED (it belongs to the processes of another PID namespace),
   * ERR_SECTION_LIMIT (2^31 - 1 times are the most)
   */
  attempt(): Signal | undefined {
    return this.#take(true);
  }

  /** As {@link attempt}, for somebody who does not sleep next. */
  try(): Signal | undefined {
    return this.#take(false);
  }

  #take(sleeps: boolean): Signal | undefined {
    const taken = this.#words.take(sleeps);
    if (taken === MutexTake.taken || taken === MutexTake.takenAbandoned) {
      this.#last = taken === MutexTake.taken ? 'signalled' : 'abandoned';
      return this.#last;
    }
    if (taken >= MutexTake.sleep) {
      const word = (taken - MutexTake.sleep) | 0;
      this.queue.sleepWhile(word);
      if (sleeps && this.queue.busy) this.#watchOwner(pidIn(word));
      return undefined;
    }
    const isForeign = taken === MutexTake.foreign;
    throw new SectionError(isForeign ? 'ERR_SECTION_ACCESS_DENIED' : 'ERR_SECTION_LIMIT', {
      operation: 'take a mutex',
      rule: isForeign
        ? 'it belongs to processes of another PID namespace, and nobody here could tell when its owner ends'
        : 'this thread has it 2^31 - 1 times, or its count was damaged',
      wayOut: isForeign ? 'Run in the PID namespace in which it was first taken' : 'Give it back as often as it was taken',
    });
  }

  /** Of those who wait on their own turns, one watch is enough; it is kept while it means the owner. */
  #watchOwner(pid: number): void {
    if (pid === this.#watched) return;
    this.#watch?.close();
    this.#watched = pid;
    this.#watch =
      pid === 0
        ? null
        : watchProcess({ pid, startLow: 0, namespace: ownProcess().namespace }, () => {
            this.#watched = 0;
            this.queue.poke();
          });
  }

  /** Returns how often this thread still has it, or -1: it had it not. */
  release(): number {
    return this.#words.release();
  }

  undo(): void {
    if (this.#last === 'abandoned') this.#words.abandon();
    else this.release();
  }

  /** Ends the waits and the watch; the mutex stays as it is. */
  close(): void {
    this.queue.close();
    this.#watchOwner(0);
  }
}
