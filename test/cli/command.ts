/**
 * Runs the command `sectile` as a user does: a process of its own, in a runtime directory of the test's.
 */
import assert from 'node:assert/strict';
import { type SpawnOptions, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Child, type Ending, runtimeFolder, scratchFolder } from '../support/child.js';

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The keys of `ls --json` that tests look at. */
export interface ObjectJson {
  readonly name: string;
  readonly scope: string;
  readonly kind: string;
  readonly size: number;
  readonly resident: number | null;
  readonly backing: string;
  readonly file: string | null;
  readonly soleWriter: boolean;
  readonly reserved: boolean | null;
  readonly security: string | null;
  readonly device: string;
  readonly inode: string;
  readonly holders: readonly HolderJson[];
}

export interface HolderJson {
  readonly pid: number;
  readonly command: string | null;
  readonly kernel: boolean;
  readonly handles: number;
  readonly views: number;
  readonly mappings?: readonly {
    readonly address: string;
    readonly length: number;
    readonly offset: number;
    readonly access: string;
  }[];
}

export interface ListingJson {
  readonly objects: readonly ObjectJson[];
  readonly system: { readonly running: boolean; readonly pid: number | null };
  readonly problems: readonly { readonly code: string; readonly message: string }[];
  readonly unseenProcesses: number;
}

export class CommandLine {
  readonly scratch: string;
  readonly #test: TestContext;
  #startedSystem = false;

  constructor(t: TestContext) {
    this.#test = t;
    // Before the folder goes: what a test ends first goes first.
    t.after(async () => {
      if (this.#startedSystem) await this.run(['system', 'stop']);
    });
    this.scratch = scratchFolder(t);
  }

  get runtime(): string {
    return runtimeFolder(this.scratch);
  }

  /** Starts a command that stays; it is killed when the test ends. */
  start(args: readonly string[], options: SpawnOptions = {}): Child {
    if (args[0] === 'system' && args[1] === 'start') this.#startedSystem = true;
    const child = new Child(
      spawn(process.execPath, [main, ...args], {
        stdio: ['pipe', 'pipe', 'pipe'],
        cwd: this.scratch,
        ...options,
        env: { ...process.env, NODE_OPTIONS: '', FORCE_COLOR: undefined, SECTILE_RUNTIME_DIR: this.runtime, ...options.env },
      }),
      `sectile ${args.join(' ')}`,
      60_000,
    );
    this.#test.after(() => child.kill());
    return child;
  }

  /** Runs a command to its end. */
  run(args: readonly string[], input: string | Buffer = ''): Promise<Ending> {
    const child = this.start(args);
    child.process.stdin?.on('error', () => {}); // it may have ended without reading
    child.process.stdin?.end(input);
    return child.ended;
  }

  /** Runs a command that must go well, and returns what it printed. */
  async prints(args: readonly string[], input: string | Buffer = ''): Promise<string> {
    const { code, signal, stdout, stderr } = await this.run(args, input);
    assert.ok(code === 0 && signal === null, `sectile ${args.join(' ')}: exit code ${code}, signal ${signal}\n${stderr}`);
    return stdout;
  }

  /** The facts that a command prints with --json. */
  async facts<T>(args: readonly string[]): Promise<T> {
    return JSON.parse(await this.prints([...args, '--json'])) as T;
  }

  /** Runs a command that must fail with this exit code, nothing on stdout and one line on stderr; returns the line. */
  async fails(args: readonly string[], exitCode = 1, input: string | Buffer = ''): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, input);
    assert.equal(code, exitCode, `sectile ${args.join(' ')}: ${stderr}${stdout}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^sectile: [^\n]+\n$/);
    return stderr.trimEnd();
  }

  /** The exit code of wrong usage, and what it says. */
  async refuses(args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(args);
    assert.equal(code, 2, `sectile ${args.join(' ')}: ${stderr}`);
    assert.equal(stdout, '');
    assert.match(stderr, /^(sectile: |Usage: )/);
    return stderr;
  }

  /** Starts a command that holds something, and waits until it has said so. */
  async holds(args: readonly string[]): Promise<Child> {
    const child = this.start(args);
    let told = '';
    await new Promise<void>((resolve, reject) => {
      child.process.stdout?.on('data', (chunk: string) => {
        told += chunk;
        if (told.endsWith('\n')) resolve();
      });
      void child.ended.then(({ stderr }) => reject(new Error(`sectile ${args.join(' ')} ended: ${stderr}`)));
    });
    return child;
  }
}
