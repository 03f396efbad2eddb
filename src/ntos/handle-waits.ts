/**
 * Waits for objects of the kernel by promises, with a timeout and a signal: what the faces and the idiomatic classes wait by
 * where the kernel is NT. What a wait has got before it was given up, it has got: nothing is lost.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { fieldsOf } from '../nt/arguments.js';
import type { NtSystem } from '../os/index.js';
import { sleepTimer } from '../sync/timer.js';
import { callOf, closeHandle, duplicateHandle } from './handles.js';
import { KeptMutexes, SharedKeeper } from './kept-mutexes.js';
import { words64 } from './structures.js';

const STATUS_ABANDONED_WAIT_0 = 0x80;
/** The most objects of one wait: MAXIMUM_WAIT_OBJECTS. */
export const MOST_OBJECTS = 64;

/** The signal among a promise's options; null for what is none. */
export function signalOf(options: unknown): AbortSignal | undefined | null {
  if (options === undefined) return undefined;
  const signal = fieldsOf(options, 'signal')?.signal;
  if (typeof options !== 'object' || options === null) return null;
  return signal === undefined || signal instanceof AbortSignal ? signal : null;
}

/** How long, and until when. */
export interface Patience {
  /** Or Infinity. */
  readonly milliseconds: number;
  readonly signal?: AbortSignal | undefined;
  /** What else may end it early, with a reason: see {@link GivingUp}. */
  readonly givingUp?: Set<GivingUp>;
}

/** Ends a wait that has got nothing yet: it rejects with the reason. */
export type GivingUp = (reason: unknown) => void;

interface Waited {
  readonly handle: number;
  readonly isMutex: boolean;
}

/** Ends a wait that was started. Null: it has got nothing. Else it had ended already, and this is how. */
export type Stop = () => NTSTATUS | null;

export class HandleWaits {
  readonly #nt: NtSystem;
  readonly mutexes: KeptMutexes;

  constructor(nt: NtSystem) {
    this.#nt = nt;
    this.mutexes = new KeptMutexes(nt);
  }

  /**
   * Waits for one object, or for one or all of several.
   *
   * @param handles 1 to {@link MOST_OBJECTS}; they may be closed meanwhile.
   * @returns STATUS_WAIT_0 and the index, STATUS_ABANDONED_WAIT_0 and the index, STATUS_TIMEOUT, or an error
   * @throws the signal's reason
   */
  async wait(handles: readonly number[], all: boolean, patience: Patience): Promise<NTSTATUS> {
    patience.signal?.throwIfAborted();
    const objects = this.#look(handles);
    const now = this.#tryNow(objects, all);
    return now === Status.STATUS_TIMEOUT && patience.milliseconds > 0 ? this.#waitLong(objects, all, patience) : now;
  }

  /** The same, and this thread stands still. */
  waitSync(handles: readonly number[], all: boolean, milliseconds: number): NTSTATUS {
    const objects = this.#look(handles);
    const [first] = objects;
    if (!objects.some(({ isMutex }) => isMutex)) return this.#callKernel(objects, all, milliseconds);
    if (objects.length > 1) return this.#keepSync(objects, all, milliseconds);
    const mutex = this.mutexes.hold((first as Waited).handle);
    const status = mutex.waitSync(milliseconds);
    mutex.letGo();
    return status;
  }

  #look(handles: readonly number[]): readonly Waited[] {
    return handles.map((handle) => ({ handle, isMutex: this.mutexes.isMutex(handle) }));
  }

  /** On this very thread: no mutex is among them. */
  #callKernel(objects: readonly Waited[], all: boolean, milliseconds: number): NTSTATUS {
    const timeout = milliseconds === Number.POSITIVE_INFINITY ? null : words64(BigInt(Math.ceil(milliseconds * -10_000)));
    const [waitAll, waitAny] = [0, 1];
    const handles = objects.map(({ handle }) => handle);
    const [first = 0] = handles;
    // Pseudo handles can be waited for alone.
    if (handles.length === 1) return callOf(this.#nt, 'NtWaitForSingleObject')(first, 0, timeout);
    return callOf(this.#nt, 'NtWaitForMultipleObjects')(null, handles, all ? waitAll : waitAny, 0, timeout);
  }

  #tryNow(objects: readonly Waited[], all: boolean): NTSTATUS {
    if (!objects.some(({ isMutex }) => isMutex)) return this.#callKernel(objects, all, 0);
    if (objects.length > 1) return this.#keepSync(objects, all, 0);
    const mutex = this.mutexes.hold((objects[0] as Waited).handle);
    const status = mutex.tryNow();
    mutex.letGo();
    return status;
  }

  #keepSync(objects: readonly Waited[], all: boolean, milliseconds: number): NTSTATUS {
    const keeper = new SharedKeeper(this.#nt);
    const handles = objects.map(({ handle }) => handle);
    const status = this.#nt.keeperWaitSync(keeper.keeper, handles, all, milliseconds);
    this.#enter(objects, all, keeper, status);
    return status;
  }

  /** The mutexes that a keeper has got. Its use is given up. */
  #enter(objects: readonly Waited[], all: boolean, keeper: SharedKeeper, status: NTSTATUS): void {
    const index = status >= STATUS_ABANDONED_WAIT_0 ? status - STATUS_ABANDONED_WAIT_0 : status;
    objects.forEach(({ handle, isMutex }, i) => {
      if (index < objects.length && isMutex && (all || i === index)) this.mutexes.enter(handle, keeper);
    });
    keeper.release();
  }

  #waitLong(objects: readonly Waited[], all: boolean, patience: Patience): Promise<NTSTATUS> {
    return this.waitFor((settle) => this.#start(objects, all, settle), patience);
  }

  /** Waits until something settles that `start` starts. */
  waitFor(start: (settle: (status: NTSTATUS) => void) => Stop, { milliseconds, signal, givingUp }: Patience): Promise<NTSTATUS> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof sleepTimer> | undefined;
      let ended = false;
      this.#nt.waitsKeep(true);
      const end = () => {
        ended = true;
        timer?.cancel();
        signal?.removeEventListener('abort', onAbort);
        givingUp?.delete(giveUp);
        this.#nt.waitsKeep(false);
      };
      const settle = (status: NTSTATUS) => {
        end();
        resolve(status);
      };
      const giveUp = (reason: unknown) => {
        const status = stop();
        if (status !== null) return settle(status);
        end();
        reject(reason);
      };
      const onAbort = () => giveUp(signal?.reason);
      const onTimeout = () => settle(stop() ?? Status.STATUS_TIMEOUT);
      const stop = start(settle);
      if (ended) return; // for an error
      if (milliseconds !== Number.POSITIVE_INFINITY) timer = sleepTimer(milliseconds, onTimeout);
      signal?.addEventListener('abort', onAbort, { once: true });
      givingUp?.add(giveUp);
    });
  }

  #start(objects: readonly Waited[], all: boolean, settle: (status: NTSTATUS) => void): Stop {
    if (objects.length > 1) return this.#startSeveral(objects, all, settle);
    const { handle, isMutex } = objects[0] as Waited;
    if (!isMutex) return this.#entered(this.#nt.handleWait(handle, settle), settle);
    const mutex = this.mutexes.hold(handle);
    const stop = mutex.wait(settle);
    mutex.letGo();
    return stop;
  }

  #startSeveral(given: readonly Waited[], all: boolean, settle: (status: NTSTATUS) => void): Stop {
    const keeper = new SharedKeeper(this.#nt);
    // Whoever has got a mutex must be able to give it back, whatever was closed meanwhile.
    const objects = given.map((each) => (each.isMutex ? { ...each, handle: duplicateHandle(this.#nt, each.handle) ?? 0 } : each));
    const end = (status: NTSTATUS) => {
      this.#enter(objects, all, keeper, status);
      for (const { handle, isMutex } of objects) if (isMutex) closeHandle(this.#nt, handle);
    };
    const onEnded = (status: NTSTATUS) => {
      end(status);
      settle(status);
    };
    const handles = objects.map(({ handle }) => handle);
    const stop = this.#entered(this.#nt.keeperWait(keeper.keeper, handles, all, onEnded), onEnded);
    return () => {
      const status = stop();
      end(status ?? Status.STATUS_TIMEOUT);
      return status;
    };
  }

  #entered(wait: number, ended: (status: NTSTATUS) => void): Stop {
    if (wait < 0) ended(-wait);
    return () => this.#nt.waitStop(wait);
  }
}

const made = new WeakMap<NtSystem, HandleWaits>();

/** Those of this thread of JavaScript, whichever face is used. */
export function handleWaits(nt: NtSystem): HandleWaits {
  let waits = made.get(nt);
  if (waits === undefined) {
    waits = new HandleWaits(nt);
    made.set(nt, waits);
  }
  return waits;
}
