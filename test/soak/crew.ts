/**
 * The processes of the soak run: some are always started ahead, for a process takes far longer to start than it takes to be
 * killed. Knows no part.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Orders } from './duty.js';

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** Characters of what a process says at its end. */
const MOST_SAID = 4000;

export class Worker {
  readonly #process: ChildProcess;
  readonly ready: Promise<void>;
  readonly ended: Promise<Ending>;
  #isKilled = false;

  constructor(environment: NodeJS.ProcessEnv) {
    this.#process = spawn(process.execPath, [fileURLToPath(new URL('./worker.js', import.meta.url))], {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      env: environment,
    });
    let stderr = '';
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(0, MOST_SAID);
    });
    this.ended = new Promise((resolve) => {
      this.#process.on('error', (error) => resolve({ code: null, signal: null, stderr: String(error) }));
      this.#process.on('close', (code, signal) => resolve({ code, signal, stderr }));
    });
    this.ready = Promise.race([
      new Promise<void>((resolve) => this.#process.once('message', () => resolve())),
      this.ended.then(() => undefined),
    ]);
  }

  get pid(): number {
    return this.#process.pid ?? -1;
  }

  get isKilled(): boolean {
    return this.#isKilled;
  }

  tell(orders: Orders): void {
    if (this.#process.connected) this.#process.send(orders, () => {});
  }

  kill(): void {
    this.#isKilled = true;
    this.#process.kill('SIGKILL');
  }
}

export class Crew {
  readonly #environment: NodeJS.ProcessEnv;
  readonly #ahead: number;
  readonly #spares: Worker[] = [];
  readonly #all = new Set<Worker>();
  #started = 0;
  #isEnded = false;

  /** @param ahead How many wait for orders. */
  constructor(environment: NodeJS.ProcessEnv, ahead: number) {
    this.#environment = environment;
    this.#ahead = ahead;
  }

  get started(): number {
    return this.#started;
  }

  #start(): void {
    const worker = new Worker(this.#environment);
    this.#started++;
    this.#all.add(worker);
    this.#spares.push(worker);
    void worker.ended.then(() => this.#all.delete(worker));
  }

  /** A worker that waits for orders; others are started in its place. */
  async take(): Promise<Worker> {
    if (this.#isEnded) throw new Error('the run has ended');
    while (this.#spares.length <= this.#ahead) this.#start();
    const worker = this.#spares.shift() as Worker;
    await worker.ready;
    if (this.#isEnded) throw new Error('the run has ended');
    return worker;
  }

  giveBack(worker: Worker): void {
    this.#spares.unshift(worker);
  }

  /** Ends all, at once. */
  async end(): Promise<void> {
    this.#isEnded = true;
    const all = [...this.#all];
    for (const worker of all) worker.kill();
    await Promise.all(all.map((worker) => worker.ended));
  }
}
