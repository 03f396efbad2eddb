/**
 * The waits of this thread of JavaScript on Windows: the addon tells their numbers and how they ended, and whoever started
 * one is called. Knows neither objects nor words.
 */
import type { Keeper, NtWaits } from './nt.js';

/** What the addon has: see native/win32/waits.c, stations.c and keepers.c. */
export interface WaitsAddon {
  /** Once in each thread, before the others. Numbers and outcomes, by turns. */
  waitsListen(listener: (pairs: Float64Array) => void): void;
  waitsKeep(keeps: boolean): void;
  waitStop(wait: number): number | null;
  handleWait(handle: number): number;
  keeperStart(): Keeper;
  keeperWait(keeper: Keeper, handles: readonly number[], all: boolean): number;
  keeperWaitSync(keeper: Keeper, handles: readonly number[], all: boolean, milliseconds: number): number;
  keeperRelease(keeper: Keeper, mutex: number): number;
  keeperEnd(keeper: Keeper): void;
}

export interface Win32Waits extends NtWaits {
  /** Before the addon is asked to wait. */
  listen(): void;
  /** Has somebody told of waits that end and were started by nobody here. */
  tellOthers(listener: (ended: Float64Array) => void): void;
}

export function win32Waits(addon: WaitsAddon): Win32Waits {
  const pending = new Map<number, (outcome: number) => void>();
  let listening = false;
  let keeping = 0;
  let others: (ended: Float64Array) => void = () => {};

  function act(action: () => void): void {
    try {
      action();
    } catch (error) {
      // The others' waits have ended too.
      queueMicrotask(() => {
        throw error;
      });
    }
  }

  function onEnded(pairs: Float64Array): void {
    const rest: number[] = [];
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const number = pairs[i] as number;
      const action = pending.get(number);
      if (action === undefined) rest.push(number);
      else if (pending.delete(number)) act(() => action(pairs[i + 1] as number));
    }
    if (rest.length > 0) act(() => others(Float64Array.from(rest)));
  }

  function listen(): void {
    if (!listening) addon.waitsListen(onEnded);
    listening = true;
  }

  function enter(started: number, ended: (outcome: number) => void): number {
    if (started > 0) pending.set(started, ended);
    return started;
  }

  return {
    listen,
    tellOthers(listener) {
      others = listener;
    },
    handleWait(handle, ended) {
      listen();
      return enter(addon.handleWait(handle), ended);
    },
    waitStop: (wait) => (pending.delete(wait) ? addon.waitStop(wait) : null),
    waitsKeep(keeps) {
      listen();
      keeping += keeps ? 1 : -1;
      if (keeping === (keeps ? 1 : 0)) addon.waitsKeep(keeps);
    },
    keeperStart() {
      listen();
      return addon.keeperStart();
    },
    keeperWait: (keeper, handles, all, ended) => enter(addon.keeperWait(keeper, handles, all), ended),
    keeperWaitSync: (keeper, handles, all, milliseconds) => addon.keeperWaitSync(keeper, handles, all, milliseconds),
    keeperRelease: (keeper, mutex) => addon.keeperRelease(keeper, mutex),
    keeperEnd: (keeper) => addon.keeperEnd(keeper),
  };
}
