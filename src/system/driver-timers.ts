/**
 * The timers of drivers. A driver that is unloaded, perhaps because it threw, must not run again: in
 * the system process the global timer functions note whose timer it is, and unloading clears them.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { syncBuiltinESMExports } from 'node:module';
import nodeTimers from 'node:timers';

/** The driver whose code runs, and for which request, followed through promises, timers and callbacks. */
export class DriverScope<Driver extends object, Request extends object> {
  readonly #storage = new AsyncLocalStorage<{ readonly driver: Driver; readonly request: Request | null }>();
  readonly #timers = new WeakMap<Driver, Set<NodeJS.Timeout | NodeJS.Immediate>>();
  readonly #originals = {
    setTimeout: globalThis.setTimeout,
    setInterval: globalThis.setInterval,
    setImmediate: globalThis.setImmediate,
  };

  current(): Driver | null {
    return this.#storage.getStore()?.driver ?? null;
  }

  /** The request in whose context code runs: null where the system itself has it run. */
  currentRequest(): Request | null {
    return this.#storage.getStore()?.request ?? null;
  }

  run<T>(driver: Driver, code: () => T, request: Request | null = null): T {
    return this.#storage.run({ driver, request }, code);
  }

  /** Runs code outside of any driver, whoever called it. */
  exit<T>(code: () => T): T {
    return this.#storage.exit(code);
  }

  /** Replaces the global functions; undone by {@link uninstall}. */
  install(): void {
    const { setTimeout, setInterval, setImmediate } = this.#originals;
    const note = <T extends NodeJS.Timeout | NodeJS.Immediate>(timer: T): T => {
      const driver = this.current();
      if (driver !== null) this.#of(driver).add(timer);
      return timer;
    };
    // A timer that fires once is forgotten when it has: a driver may start millions of them.
    const once = (start: (callback: (...args: unknown[]) => void) => NodeJS.Timeout | NodeJS.Immediate, callback: unknown) => {
      if (typeof callback !== 'function') return start(callback as never); // Node's own complaint
      const timer = start((...args) => {
        this.#forget(timer);
        callback(...args);
      });
      return note(timer);
    };
    const replacements = {
      setTimeout: Object.assign(
        (callback: unknown, delay?: number, ...args: unknown[]) =>
          once((wrapped) => setTimeout(wrapped, delay, ...args), callback),
        setTimeout, // util.promisify.custom
      ),
      setImmediate: Object.assign(
        (callback: unknown, ...args: unknown[]) => once((wrapped) => setImmediate(wrapped, ...args), callback),
        setImmediate,
      ),
      setInterval: (...args: Parameters<typeof setInterval>) => note(setInterval(...args)),
    };
    Object.assign(globalThis, replacements);
    Object.assign(nodeTimers, replacements);
    syncBuiltinESMExports();
  }

  uninstall(): void {
    Object.assign(globalThis, this.#originals);
    Object.assign(nodeTimers, this.#originals);
    syncBuiltinESMExports();
  }

  /** Clears every timer that a driver has left. */
  clear(driver: Driver): void {
    for (const timer of this.#of(driver)) {
      clearTimeout(timer as NodeJS.Timeout);
      clearImmediate(timer as NodeJS.Immediate);
    }
    this.#timers.delete(driver);
  }

  #of(driver: Driver): Set<NodeJS.Timeout | NodeJS.Immediate> {
    let timers = this.#timers.get(driver);
    if (timers === undefined) {
      timers = new Set();
      this.#timers.set(driver, timers);
    }
    return timers;
  }

  #forget(timer: NodeJS.Timeout | NodeJS.Immediate): void {
    const driver = this.current();
    if (driver !== null) this.#timers.get(driver)?.delete(timer);
  }
}
