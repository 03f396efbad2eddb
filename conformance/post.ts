/**
 * A process that runs cases, as the runner sees it: it starts, takes cases one at a time, and may die of one.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { nt } from '../dist/os/index.js';
import { CHANNEL, listen, type Order, type Report, send } from './channel.js';

const at = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Milliseconds for one case, and for a process to start or to end; a process of Wine's takes seconds to start under load. */
const PATIENCE = nt === null ? 20_000 : 60_000;

/** What starts each kind of process. */
const commands = {
  /** The product's own command, with the runner's driver. */
  system: [at('../dist/cli/main.js'), 'system', 'start', '--foreground', '--until-input-ends', '--driver', at('./driver.js')],
  application: [at('./application.js')],
} as const;

/** The process is gone, or did not answer in time. */
export class Gone extends Error {}

export class Post {
  readonly #child: ChildProcess;
  readonly #channel: Duplex;
  readonly #closed: Promise<void>;
  #waiting: { resolve: (report: Report) => void; reject: (error: Error) => void } | null = null;
  #output = '';
  #end: Gone | null = null;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#channel = child.stdio[CHANNEL] as Duplex;
    this.#channel.on('error', () => {});
    listen<Report>(this.#channel, (report) => {
      const waiting = this.#waiting;
      this.#waiting = null;
      waiting?.resolve(report);
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-2000);
      });
    }
    this.#closed = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#end ??= new Gone(`${how}: ${this.#output.trim().split('\n').slice(-3).join(' | ')}`);
        this.#waiting?.reject(this.#end);
        this.#waiting = null;
        resolve();
      };
      child.on('error', (error) => end(error.message));
      child.on('close', (code, signal) => end(`its process ended with ${signal ?? `exit code ${code}`}`));
    });
  }

  static async start(kind: keyof typeof commands, runtimeDirectory: string, cwd: string): Promise<Post> {
    const child = spawn(process.execPath, commands[kind], {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', SECTILE_RUNTIME_DIR: runtimeDirectory },
    });
    child.stdin?.on('error', () => {});
    const post = new Post(child);
    await post.#next();
    return post;
  }

  get gone(): boolean {
    return this.#end !== null;
  }

  /** @throws Gone when the process dies or does not answer in time; it is killed then. */
  #next(): Promise<Report> {
    if (this.#end !== null) return Promise.reject(this.#end);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#end ??= new Gone(`its process did not answer within ${PATIENCE / 1000} s`);
        this.#child.kill('SIGKILL');
      }, PATIENCE);
      this.#waiting = {
        resolve: (report) => {
          clearTimeout(timer);
          resolve(report);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
    });
  }

  async ask(order: Order): Promise<Report> {
    const report = this.#next();
    send(this.#channel, order);
    return report;
  }

  /** Ends it as its own command does, and by force if that takes too long. */
  async stop(): Promise<void> {
    if (this.#end === null) {
      this.#child.stdin?.end();
      this.#channel.end();
      this.#child.kill('SIGTERM');
    }
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), PATIENCE / 4);
    await this.#closed;
    clearTimeout(timer);
  }
}
