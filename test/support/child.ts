/**
 * Runs scenarios of a fixture in processes of their own, each test with a runtime directory of its own.
 * Waits for states that a child reports, never for time; a child that hangs is killed, and its test fails.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { platform } from './platform.js';
import type { Scenarios } from './scenario.js';

const HARD_TIMEOUT = 120_000;

export interface ChildOptions {
  readonly args?: readonly unknown[];
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** The scratch folder, when several children share one; default a new one for each call. */
  readonly scratch?: string;
  /** A command that starts the child, with its arguments: `unshare --pid …`. */
  readonly wrapper?: readonly string[];
  readonly timeout?: number;
  /** Another runtime that runs the fixture: its command, and how it is given options that are Node.js's. */
  readonly runtime?: Runtime;
}

export interface Runtime {
  readonly command: readonly [string, ...string[]];
  readonly execArgv: (options: readonly string[]) => readonly string[];
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder that goes when the test ends; its `run` is the runtime directory of children. Others may enter it. */
export function scratchFolder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sectile-test-'));
  chmodSync(path, 0o755);
  t.after(() => platform.removeFolder(path));
  return path;
}

export function runtimeFolder(scratch: string): string {
  return join(scratch, 'run');
}

/** Has this process use a scratch folder's runtime directory, until the test ends. */
export function shareScratch(t: TestContext, scratch: string): void {
  const before = process.env['SECTILE_RUNTIME_DIR'];
  process.env['SECTILE_RUNTIME_DIR'] = runtimeFolder(scratch);
  t.after(() => {
    if (before === undefined) delete process.env['SECTILE_RUNTIME_DIR'];
    else process.env['SECTILE_RUNTIME_DIR'] = before;
  });
}

/** A scratch folder that this process shares with its children. */
export function sharedScratch(t: TestContext): string {
  const scratch = scratchFolder(t);
  shareScratch(t, scratch);
  return scratch;
}

export class Child {
  readonly ended: Promise<Ending>;
  readonly process: ChildProcess;
  readonly #title: string;
  readonly #states: { readonly state: string; readonly value: unknown }[] = [];
  #waiting: (() => void)[] = [];
  #ending: Ending | null = null;

  constructor(process: ChildProcess, title: string, timeout: number) {
    this.process = process;
    this.#title = title;
    const text = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      process[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
        text[stream] += chunk;
      });
    }
    process.on('message', (message) => {
      this.#states.push(message as { state: string; value: unknown });
      this.#wake();
    });
    const timer = setTimeout(() => process.kill('SIGKILL'), timeout);
    this.ended = new Promise((resolve, reject) => {
      process.on('error', reject);
      process.on('close', (code, signal) => {
        clearTimeout(timer);
        this.#ending = { code, signal, ...text };
        this.#wake();
        resolve(this.#ending);
      });
    });
  }

  get pid(): number {
    return this.process.pid ?? -1;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /** Waits until the child reports this state, takes the report away, and returns what came with it. */
  async reached(state: string): Promise<unknown> {
    for (;;) {
      const index = this.#states.findIndex((each) => each.state === state);
      if (index >= 0) return this.#states.splice(index, 1)[0]?.value;
      if (this.#ending !== null) assert.fail(`${this.#title} ended before "${state}": ${describe(this.#ending)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** What came with the first report of a state, if there was one so far. */
  reportOf(state: string): unknown {
    return this.#states.find((each) => each.state === state)?.value;
  }

  tell(order: string, value?: unknown): void {
    if (this.process.connected) this.process.send({ order, value }, () => {});
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Ending> {
    this.process.kill(signal);
    return this.ended;
  }

  /** Waits for the end that every use of a section must have: exit code 0, no signal. */
  async endsWell(): Promise<Ending> {
    const ending = await this.ended;
    assert.ok(ending.code === 0 && ending.signal === null, `${this.#title}: ${describe(ending)}`);
    return ending;
  }
}

function describe({ code, signal, stdout, stderr }: Ending): string {
  return `exit code ${code}, signal ${signal}\n${stderr}${stdout}`;
}

/** Starts a scenario; the test's end kills it if it still runs. */
export function start(t: TestContext, from: Scenarios, title: string, options: ChildOptions = {}): Child {
  const scratch = options.scratch ?? scratchFolder(t);
  const { runtime = { command: [process.execPath], execArgv: (given) => given } } = options;
  const [command = process.execPath, ...before] = [...(options.wrapper ?? []), ...runtime.command];
  const process_ = spawn(
    command,
    [
      ...before,
      ...runtime.execArgv([...from.execArgv, ...(options.execArgv ?? [])]),
      fileURLToPath(from.url),
      title,
      JSON.stringify(options.args ?? []),
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // The other kind is Node.js's own.
      serialization: options.runtime === undefined ? 'advanced' : 'json',
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        SECTILE_RUNTIME_DIR: runtimeFolder(scratch),
        SECTILE_TEST_SCRATCH: scratch,
        ...options.env,
      },
      ...(options.uid === undefined ? {} : { uid: options.uid }),
      ...(options.gid === undefined ? {} : { gid: options.gid }),
    },
  );
  const child = new Child(process_, title, options.timeout ?? HARD_TIMEOUT);
  t.after(() => child.kill());
  return child;
}

/** Runs a scenario to its good end; skips the test when the child says why it cannot run here. */
export async function run(t: TestContext, from: Scenarios, title: string, options: ChildOptions = {}): Promise<Ending> {
  const child = start(t, from, title, options);
  const ending = await child.endsWell();
  const reason = child.reportOf('skipped');
  if (reason !== undefined) t.skip(String(reason));
  return ending;
}

/** One test for each scenario, each in a process of its own. */
export function testEach(from: Scenarios, options: ChildOptions = {}): void {
  for (const title of from.titles) {
    test(title, async (t) => {
      await run(t, from, title, options);
    });
  }
}

/** Why a test for root cannot run, or false. */
export const notRoot = platform.lacks.root;
