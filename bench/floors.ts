/**
 * The C floors: compiles bench/floors/*.c and talks to the running programs. A floor lives as long
 * as its benchmark and works only when asked, so that its rounds lie between ours.
 */
import { type ChildProcess, execFile, type StdioOptions, spawn } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { promisify } from 'node:util';
import { packageRoot } from './machine.js';
import { within } from './patience.js';

const sources = join(packageRoot, 'bench', 'floors');
/** Where floors are that somebody compiled already: for a system that has no compiler of its own. */
const compiled = process.env.SECTILE_BENCH_FLOORS;
const programs = compiled ?? join(packageRoot, 'build', 'bench', 'floors');
const compiler = process.env.CC ?? 'cc';
const flags = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Werror'];

/** Whether floors can run; if not, `reason` is a sentence for the user. */
export type Floors = { readonly ready: true; readonly compiler: string } | { readonly ready: false; readonly reason: string };

/** Compiles every floor. A missing compiler is an answer; source that does not compile is an error. */
export async function compileFloors(): Promise<Floors> {
  if (compiled !== undefined) return { ready: true, compiler: `compiled before: ${compiled}` };
  const run = promisify(execFile);
  let version: string;
  try {
    version = (await run(compiler, ['--version'])).stdout.split('\n', 1)[0] ?? compiler;
  } catch {
    return {
      ready: false,
      reason: `There is no C compiler (${JSON.stringify(compiler)} did not run), so nothing is compared with C. Install one, or name it in the environment variable CC.`,
    };
  }
  mkdirSync(programs, { recursive: true });
  const files = readdirSync(sources).filter((file) => file.endsWith('.c'));
  await Promise.all(
    files.map((file) => run(compiler, [...flags, '-o', join(programs, basename(file, '.c')), join(sources, file)])),
  );
  return { ready: true, compiler: `${version}, ${flags.join(' ')}` };
}

export class Floor {
  readonly child: ChildProcess;
  readonly #lines: Interface;
  readonly #name: string;
  #complaint = '';
  #waiting: { resolve: (line: string) => void; reject: (error: Error) => void } | undefined;

  /** `inherit` are descriptors that the floor gets as 3, 4, … */
  constructor(name: string, args: readonly (string | number)[], inherit: readonly number[] = []) {
    this.#name = `C floor ${name}`;
    const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...inherit];
    this.child = spawn(join(programs, name), args.map(String), { stdio });
    const { stdout, stderr } = this.child;
    if (stdout === null || stderr === null) throw new Error(`${this.#name} has no pipes`);
    this.#lines = createInterface({ input: stdout });
    this.#lines.on('line', (line) => this.#waiting?.resolve(line));
    stderr.on('data', (text: Buffer) => {
      this.#complaint += text;
    });
    this.child.on('error', (error) => this.#waiting?.reject(error));
    this.child.on('close', (code, signal) => {
      this.#waiting?.reject(new Error(`${this.#name} ended with ${signal ?? code}: ${this.#complaint.trim()}`));
    });
  }

  /** Takes `samples` samples, each the mean of `batch` operations; nanoseconds per operation. */
  async sample(samples: number, batch: number): Promise<readonly number[]> {
    if (this.child.exitCode !== null) throw new Error(`${this.#name} ended early: ${this.#complaint.trim()}`);
    const answer = new Promise<string>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.child.stdin?.write(`${samples} ${batch}\n`);
    });
    const line = await within(`a line of ${this.#name}`, answer).finally(() => {
      this.#waiting = undefined;
    });
    return line.split(' ').map(Number);
  }

  close(): void {
    this.child.stdin?.end();
    this.child.kill();
  }
}
