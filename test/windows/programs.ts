/**
 * The Windows programs that the tests of this folder drive: drivers, and native programs beside Node.js. All are built
 * by scripts/windows-programs.mjs, into the folder that SECTILE_TEST_PROGRAMS names.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

export function program(...parts: readonly string[]): string {
  const folder = process.env['SECTILE_TEST_PROGRAMS'];
  assert.ok(folder, 'SECTILE_TEST_PROGRAMS names no folder: tests of Windows start by npm run test:windows');
  return join(folder, ...parts);
}

/** Windows itself loads signed drivers only, and these are not: they are built for Wine alone. */
export const noDrivers = existsSync(program('SectileWdm', 'SectileWdm.sys')) ? false : 'loads drivers without a signature';

/** How often a program is started that Wine does not start. */
const ATTEMPTS = 5;

/** Wine now and then refuses to start a program, for no reason that libuv has a name for; nothing has run then. */
const isNotStarted = (error: unknown): boolean => (error as NodeJS.ErrnoException).message === 'spawn UNKNOWN';

/** Runs a program to its end; its output must come with exit code 0. */
export async function prints(file: string, ...args: readonly string[]): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const { stdout } = await run(file, args);
      return stdout.replaceAll('\r\n', '\n');
    } catch (error) {
      if (attempt === ATTEMPTS || !isNotStarted(error)) throw error;
      console.log(`# ${file} was not started: attempt ${attempt} of ${ATTEMPTS}`);
    }
  }
}

/** Loads a driver; it is unloaded when the test ends, if it still is there. */
export class Driver {
  readonly name: string;
  #loaded = false;

  constructor(t: TestContext, name: string) {
    this.name = name;
    t.after(() => this.unload());
  }

  async load(): Promise<void> {
    await prints(program('service.exe'), 'load', this.name, program(this.name, `${this.name}.sys`));
    this.#loaded = true;
  }

  async unload(): Promise<void> {
    if (!this.#loaded) return;
    this.#loaded = false;
    await prints(program('service.exe'), 'unload', this.name);
  }

  /** What the native application prints. */
  client(...args: readonly string[]): Promise<string> {
    return prints(program(this.name, 'client.exe'), ...args);
  }
}

/** A program that answers one line by one: partner.exe, or signals.exe. */
export class Partner {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(t: TestContext, file: string, args: readonly string[]) {
    this.#child = spawn(program(file), args, { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(this.#child.stdout);
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
    t.after(() => this.#child.kill());
  }

  /** Starts it, and waits until it has its section; its view has as many bytes as it says. */
  static start(t: TestContext, ...args: readonly string[]): Promise<{ partner: Partner; bytes: number }> {
    return Partner.#begin(t, 'partner.exe', args);
  }

  /** Starts the one with an object that is waited for. */
  static async signals(t: TestContext, ...args: readonly string[]): Promise<Partner> {
    return (await Partner.#begin(t, 'signals.exe', args)).partner;
  }

  static async #begin(t: TestContext, file: string, args: readonly string[]): Promise<{ partner: Partner; bytes: number }> {
    const partner = new Partner(t, file, args);
    const [word, bytes] = (await partner.#line()).split(' ');
    assert.equal(word, 'ready');
    return { partner, bytes: Number(bytes) };
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    assert.ok(done !== true, 'the program has ended');
    return value.trimEnd();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  async asks(line: string): Promise<string> {
    this.#child.stdin?.write(`${line}\n`);
    return await this.#line();
  }

  /** Ends it at once, whatever it holds. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  /** Ends it as programs end: by the end of its input. */
  async ends(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.stdin?.end();
    assert.equal((await ended)[0], 0);
  }
}
