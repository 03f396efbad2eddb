/**
 * Mutexes: one thread at a time, of all processes; and if its process is killed, the next one is told.
 */
import { options } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import { parseName } from '../namespace/name.js';
import type { HeldMutex } from '../sync/dispatcher-source.js';
import { MUTEX_ALIGNMENT, MUTEX_BYTES } from '../sync/mutex-state.js';
import { OwnMutex } from '../sync/own-dispatcher.js';
import type { Signal } from '../sync/waitable.js';
import { type DispatcherOptions, judgeCreation } from './create-options.js';
import { DispatcherObject, got, type Origin, type WaitOptions, type WaitSyncOptions } from './dispatcher-object.js';
import { dispatcher, placeIn } from './sources.js';

/**
 * How a mutex was got. `abandoned`: its last owner ended without giving it back, so what it guards may be half done; it is
 * owned all the same.
 */
export type Ownership = 'owned' | 'abandoned';

const ownership = (signal: Signal | undefined): Ownership | false =>
  signal === undefined ? false : signal === 'abandoned' ? 'abandoned' : 'owned';

/** How often an object has the mutex; kept apart from it, for the collector. */
class Times {
  #count = 0;
  readonly #held: HeldMutex;

  constructor(held: HeldMutex) {
    this.#held = held;
  }

  add(change: 1 | -1): void {
    this.#count = Math.max(0, this.#count + change);
  }

  giveBack(): void {
    for (; this.#count > 0; this.#count--) if (this.#held.release() < 0) this.#count = 1;
  }
}

export class Mutex extends DispatcherObject<HeldMutex> {
  readonly #times: Times;

  private constructor(held: HeldMutex, origin: Origin) {
    const times = new Times(held);
    super('mutex', held, origin, () => times.giveBack());
    this.#times = times;
  }

  /**
   * Creates a mutex that nobody owns, in one namespace with sections and all other objects, or without a name.
   *
   * @throws SectionError as `Event.create`
   * @see CreateMutexW (Microsoft)
   */
  static create(mutexOptions?: DispatcherOptions): Mutex {
    const operation = 'Mutex.create';
    const { name, wish } = judgeCreation(operation, mutexOptions, []);
    return new Mutex(dispatcher.createMutex(operation, name, wish), { name });
  }

  /** Opens a mutex that some process holds: on Windows any program's. @throws SectionError as `Event.open` */
  static open(name: string): Mutex {
    const operation = 'Mutex.open';
    const parsed = parseName(operation, name);
    return new Mutex(dispatcher.openMutex(operation, parsed), { name: parsed });
  }

  /** Bytes of a mutex that is placed in a section. */
  static readonly bytes = MUTEX_BYTES;

  /**
   * Makes a mutex in a section: 16 bytes (docs/channel-layout.md), which everybody who maps them finds by {@link at}. Zeros are
   * a mutex that nobody owns: in a new section there is nothing to make.
   *
   * @param view Writable. The mutex is closed with it.
   * @param offset Bytes from the view's start; a multiple of 8 in the section.
   * @throws SectionError as `Event.place`
   */
  static place(view: View, offset: number | bigint = 0): Mutex {
    const words = placeIn('Mutex.place', view, offset, MUTEX_BYTES, MUTEX_ALIGNMENT);
    view.write(new Uint8Array(MUTEX_BYTES), words.offset);
    const held = new OwnMutex(words);
    held.state.queue.wake();
    return new Mutex(held, { name: null, view });
  }

  /** The mutex that {@link place} made at an offset, in this process or another. @throws SectionError as {@link place} */
  static at(view: View, offset: number | bigint = 0): Mutex {
    const words = placeIn('Mutex.at', view, offset, MUTEX_BYTES, MUTEX_ALIGNMENT);
    return new Mutex(new OwnMutex(words), { name: null, view });
  }

  /** Whether this thread owns it. */
  get isOwned(): boolean {
    return this.use('mutex.isOwned').query().isOwn;
  }

  /** The number of the process whose thread owns it; 0: nobody does, or nobody here can tell. */
  get ownerPid(): number {
    return this.use('mutex.ownerPid').query().pid;
  }

  /** @internal */
  override [got](): void {
    this.#times.add(1);
  }

  /**
   * Waits until this thread owns it, and leaves the event loop free. Who owns it already gets it once more, and gives it back
   * as often: all code of one thread is one owner. That the owner's process has ended, however it ended, is noticed at once.
   *
   * @returns `'owned'`, `'abandoned'` (owned as well), or false: the timeout has passed
   * @throws SectionError as `event.wait`, and ERR_SECTION_LIMIT (owned 2^31 - 1 times)
   * @see WaitForSingleObject, WAIT_ABANDONED (Microsoft)
   */
  wait(waitOptions?: WaitOptions): Promise<Ownership | false> {
    return this.waited('mutex.wait', waitOptions, ownership);
  }

  /** As {@link wait}, and blocks the thread; an owner's end is noticed within 50 milliseconds. */
  waitSync(waitOptions?: WaitSyncOptions): Ownership | false {
    const { timeout } = options('mutex.waitSync', waitOptions, ['timeout']);
    return ownership(this.waitedSync('mutex.waitSync', timeout));
  }

  /** Takes it if it is free, abandoned or owned by this thread; returns at once. */
  tryWait(): Ownership | false {
    return ownership(this.waitedSync('mutex.tryWait', 0));
  }

  /**
   * Gives it back once. Closing gives back what this object has.
   *
   * @returns how often this thread still owns it
   * @throws SectionError ERR_SECTION_NOT_OWNER, ERR_SECTION_CLOSED
   * @see ReleaseMutex (Microsoft)
   */
  release(): number {
    const operation = 'mutex.release';
    const left = this.use(operation).release();
    if (left >= 0) {
      this.#times.add(-1);
      return left;
    }
    throw new SectionError('ERR_SECTION_NOT_OWNER', {
      operation,
      object: this.object,
      rule: 'this thread does not own the mutex',
      wayOut: 'Give it back as often as waits for it have ended well, in the thread that waited',
    });
  }
}
