/**
 * Hosts drivers: ES modules with a DriverEntry, in kernel mode, that is in this process. A driver that
 * throws, whenever it does, is unloaded: its timers stop, its views and handles are closed, its error
 * is reported, and the system process goes on.
 */

import { statSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { register } from 'node:module';
import { basename, dirname, extname, isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { isSuccess, type NTSTATUS, statusName } from '../base/status.js';
import type { Device } from './devices.js';
import * as hooks from './driver-hooks.js';
import { type DriverObject, type IoDriver, newDriverObject } from './driver-object.js';
import { DriverScope } from './driver-timers.js';
import { type Host, IoManager } from './io-manager.js';
import type { Request } from './irps.js';
import type { DriverContext, DriverHold } from './kernel.js';
import type { DriverListing } from './protocol.js';

/** Milliseconds for a driver's DriverUnload. */
const LEAVING_TIME = 5000;

const REGISTRY_ROOT = '\\Registry\\Machine\\System\\CurrentControlSet\\Services\\';

interface Release {
  readonly what: DriverHold;
  readonly release: () => void;
}

class Driver implements DriverContext, IoDriver {
  readonly name: string;
  readonly file: string;
  readonly loaded = Date.now();
  readonly parameters: Readonly<Record<string, string>>;
  readonly object: DriverObject;
  readonly devices = new Set<Device>();
  readonly releases = new Set<Release>();
  /** Settles when the driver is discarded: whatever it was waiting for may never come then. */
  readonly discarded: Promise<void>;
  url = '';
  isGone = false;
  unloading: Promise<void> | null = null;
  #tellDiscarded: () => void = () => {};

  constructor(name: string, file: string, parameters: Readonly<Record<string, string>>) {
    this.name = name;
    this.file = file;
    this.parameters = parameters;
    this.discarded = new Promise((resolve) => {
      this.#tellDiscarded = resolve;
    });
    this.object = newDriverObject(name, this.devices);
  }

  get registryPath(): string {
    return REGISTRY_ROOT + this.name;
  }

  /** What a driver makes after it was unloaded is taken back as soon as it is made. */
  onUnload(what: DriverHold, release: () => void): () => void {
    if (this.isGone) {
      queueMicrotask(release);
      return () => {};
    }
    const entry = { what, release };
    this.releases.add(entry);
    return () => this.releases.delete(entry);
  }

  discard(): void {
    this.isGone = true;
    this.#tellDiscarded();
  }

  listing(): DriverListing {
    const count = (what: Release['what']) => [...this.releases].filter((each) => each.what === what).length;
    return { name: this.name, file: this.file, loaded: this.loaded, handles: count('handle'), views: count('view') };
  }
}

/** `drivers/echo.ts` is echo; `drivers/echo/driver.js` and `drivers/echo/index.js` are echo as well. */
function nameOf(file: string): string {
  const stem = basename(file, extname(file));
  return ['driver', 'index'].includes(stem) ? basename(dirname(file)) : stem;
}

let hooksAreSet = false;

async function setHooks(): Promise<void> {
  if (hooksAreSet) return;
  hooksAreSet = true;
  const { registerHooks } = nodeModule as { registerHooks?: (given: typeof hooks) => unknown };
  if (registerHooks === undefined) {
    register(new URL('./driver-hooks.js', import.meta.url));
  } else {
    if (!(process.features as { typescript?: unknown }).typescript) await hooks.prepare();
    registerHooks({ resolve: hooks.resolve, load: hooks.load } as typeof hooks);
  }
}

export class DriverHost {
  readonly #drivers = new Map<string, Driver>();
  readonly #scope = new DriverScope<Driver, Request>();
  readonly #log: (line: string) => void;
  #loads = 0;

  readonly #onError = (error: unknown): void => this.#fail(error);

  /** The devices of these drivers. */
  readonly io: IoManager;

  readonly #ioHost: Host = {
    run: (driver, request, code) => this.#scope.run(driver as Driver, code, request),
    failed: (driver, error) => this.#failed(driver as Driver, error),
    driverOf: (driverObject) => [...this.#drivers.values()].find((each) => each.object === driverObject),
    current: () => this.#scope.current(),
  };

  /**
   * @param log for what drivers do
   * @param audit for what clients can cause: limited
   */
  constructor(log: (line: string) => void, audit: (line: string) => void) {
    this.#log = log;
    this.io = new IoManager(this.#ioHost, audit);
  }

  /** Takes over the process's last-resort error handling and its timers. */
  install(): void {
    this.#scope.install();
    process.on('uncaughtException', this.#onError);
    process.on('unhandledRejection', this.#onError);
  }

  current(): DriverContext | null {
    return this.#scope.current();
  }

  /** Runs the system's own code. Not every runtime gives callbacks from threads a context of their own. */
  outside<T>(code: () => T): T {
    return this.#scope.exit(code);
  }

  /** The request for which the running code of a driver was called, if it was for one. */
  currentRequest(): Request | null {
    return this.#scope.currentRequest();
  }

  parametersOf(registryPath: string): Readonly<Record<string, string>> | null {
    const wanted = registryPath.toLowerCase();
    return [...this.#drivers.values()].find((each) => each.registryPath.toLowerCase() === wanted)?.parameters ?? null;
  }

  list(): readonly DriverListing[] {
    return [...this.#drivers.values()].map((each) => each.listing());
  }

  /**
   * Loads a driver and calls its DriverEntry, then its AddDevice if it has set one. Either may return a
   * promise of its status.
   *
   * @param file Absolute path of an ES module, JavaScript or TypeScript.
   * @throws SectionError ERR_SECTION_DRIVER with the driver's own status or error; it is unloaded then.
   */
  async load(file: string, parameters: Readonly<Record<string, string>>): Promise<DriverListing> {
    const refuse = (rule: string, extra: { wayOut?: string; status?: NTSTATUS; cause?: unknown } = {}): SectionError =>
      new SectionError('ERR_SECTION_DRIVER', { operation: 'driver load', object: file, rule, ...extra });
    if (!isAbsolute(file) || !(statSync(file, { throwIfNoEntry: false })?.isFile() ?? false))
      throw refuse('there is no such file', { wayOut: 'Give an absolute path that the system process can read' });
    const name = nameOf(file);
    if (this.#drivers.has(name))
      throw refuse(`a driver of the name ${name} is loaded`, { wayOut: `"sectile driver unload ${name}" first` });
    const driver = new Driver(name, file, parameters);
    this.#drivers.set(name, driver);
    try {
      await setHooks();
      // A driver that is loaded again starts anew: another query makes another instance of the module.
      driver.url = `${pathToFileURL(file).href}?load=${++this.#loads}`;
      const entered = this.#scope.run(driver, () => this.#enter(driver, refuse));
      entered.catch(() => {}); // it may end after the driver has been discarded
      await Promise.race([entered, driver.discarded]);
    } catch (error) {
      this.#discard(driver);
      if (error instanceof SectionError && error.code === 'ERR_SECTION_DRIVER') throw error;
      throw refuse(`it threw: ${describe(error)}`, { cause: error });
    }
    if (driver.isGone) {
      throw refuse(
        driver.unloading === null ? 'it threw while it was loaded; the log has its error' : 'it was unloaded while it was loaded',
      );
    }
    this.#log(`driver ${name}: loaded from ${file}`);
    return driver.listing();
  }

  async #enter(
    driver: Driver,
    refuse: (rule: string, extra?: { wayOut?: string; status?: NTSTATUS }) => SectionError,
  ): Promise<void> {
    const module: Record<string, unknown> = await import(driver.url);
    const entry = module['DriverEntry'];
    if (typeof entry !== 'function')
      throw refuse('it exports no function DriverEntry', { wayOut: 'export function DriverEntry(driverObject, registryPath)' });
    const check = (what: string, status: unknown): void => {
      if (typeof status !== 'number')
        throw refuse(`${what} must return an NTSTATUS, not ${show(status)}`, { wayOut: 'Return STATUS_SUCCESS' });
      if (!isSuccess(status)) throw refuse(`${what} returned ${statusName(status)}`, { status: status >>> 0 });
    };
    check('DriverEntry', await this.#scope.run(driver, () => entry(driver.object, driver.registryPath) as unknown));
    const { AddDevice } = driver.object.DriverExtension;
    if (AddDevice === null) return;
    if (typeof AddDevice !== 'function') throw refuse(`DriverExtension.AddDevice must be a function, not ${show(AddDevice)}`);
    const device = Object.freeze({ DeviceName: `\\Device\\${driver.name}` });
    check('AddDevice', await this.#scope.run(driver, () => AddDevice(driver.object, device)));
  }

  /**
   * Calls the driver's DriverUnload and takes back whatever it still holds.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND, or ERR_SECTION_DRIVER when DriverUnload threw: the
   * driver is gone all the same.
   */
  async unload(name: string): Promise<void> {
    const driver = this.#drivers.get(name);
    if (driver === undefined) {
      throw new SectionError('ERR_SECTION_NOT_FOUND', {
        operation: 'driver unload',
        object: name,
        rule: 'no driver of that name is loaded',
        wayOut: '"sectile driver ls" shows what is',
      });
    }
    driver.unloading ??= this.#leave(driver);
    return driver.unloading;
  }

  async #leave(driver: Driver): Promise<void> {
    const { name } = driver;
    const { DriverUnload } = driver.object;
    try {
      await Promise.race([this.io.leave(driver), driver.discarded, this.#patience()]);
      if (typeof DriverUnload !== 'function' || driver.isGone) return;
      const left = Promise.resolve(this.#scope.run(driver, () => DriverUnload(driver.object)));
      left.catch(() => {});
      await Promise.race([left, driver.discarded, this.#patience()]);
    } catch (error) {
      throw new SectionError('ERR_SECTION_DRIVER', {
        operation: 'driver unload',
        object: name,
        rule: `DriverUnload failed: ${describe(error)}`,
        cause: error,
      });
    } finally {
      this.#discard(driver);
      this.#log(`driver ${name}: unloaded`);
    }
  }

  /** Rejects when a driver takes too long to leave: nobody may keep the system process from stopping. */
  #patience(): Promise<never> {
    return this.#scope.exit(
      () =>
        new Promise((_, reject) => {
          const rule = `it did not end within ${LEAVING_TIME / 1000} s`;
          setTimeout(() => reject(new Error(rule)), LEAVING_TIME).unref();
        }),
    );
  }

  /** Unloads all, last loaded first; no error stops it. */
  async unloadAll(): Promise<void> {
    for (let name = [...this.#drivers.keys()].at(-1); name !== undefined; name = [...this.#drivers.keys()].at(-1)) {
      try {
        await this.unload(name);
      } catch (error) {
        this.#log(describe(error));
      }
    }
    this.#scope.uninstall();
    process.off('uncaughtException', this.#onError);
    process.off('unhandledRejection', this.#onError);
  }

  /** An error that nobody caught: of the driver whose code was running, or whose file is in the stack. */
  #fail(error: unknown): void {
    const stack = error instanceof Error ? String(error.stack) : '';
    const driver =
      this.#scope.current() ?? [...this.#drivers.values()].find((each) => stack.includes(each.url) || stack.includes(each.file));
    if (driver === undefined || driver === null) {
      this.#log(`error outside of any driver: ${stack || describe(error)}`);
      return;
    }
    this.#failed(driver as Driver, error);
  }

  #failed(driver: Driver, error: unknown): void {
    const stack = error instanceof Error ? String(error.stack) : '';
    this.#log(`driver ${driver.name}: threw and is unloaded: ${stack || describe(error)}`);
    this.#discard(driver);
  }

  #discard(driver: Driver): void {
    if (this.#drivers.get(driver.name) === driver) this.#drivers.delete(driver.name);
    driver.discard();
    this.#scope.clear(driver);
    this.io.discard(driver);
    const left = [...driver.releases].reverse();
    driver.releases.clear();
    if (left.length > 0) this.#log(`driver ${driver.name}: left ${whatIsLeft(left)}; it is taken back`);
    for (const { release } of left) {
      try {
        release();
      } catch (error) {
        this.#log(`driver ${driver.name}: closing what it left: ${describe(error)}`);
      }
    }
  }
}

/** `2 handles, 1 view`. */
function whatIsLeft(left: readonly Release[]): string {
  const counts = new Map<DriverHold, number>();
  for (const { what } of left) counts.set(what, (counts.get(what) ?? 0) + 1);
  return [...counts].map(([what, count]) => `${count} ${what}${count === 1 ? '' : 's'}`).join(', ');
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : show(error);
}
