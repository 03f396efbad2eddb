/**
 * The two processes of the demo, besides itself: the system process with the driver in it, and the
 * application. Each wait has a limit, and each process an end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { READY } from '../background.js';
import type { ApplicationCall, ArgumentsOf, FromApplication, ResultOf, Snapshot } from './messages.js';

const main = fileURLToPath(new URL('../main.js', import.meta.url));
const sample = new URL('../../drivers/host-telemetry/', import.meta.url);
const driverFile = fileURLToPath(new URL('driver.js', sample));
const applicationFile = fileURLToPath(new URL('demo/application.js', sample));

const START_LIMIT = 15_000;
const END_LIMIT = 5000;
const LAST_LINES = 5;

/** Waits no longer than `limit` milliseconds, and not at all once the signal is aborted. */
export function within<T>(limit: number, what: string, signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what}: nothing came of it within ${limit / 1000} s`)), limit);
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    });
  });
}

/** A child whose words are kept, for the case that it fails. */
class DemoProcess {
  readonly child: ChildProcess;
  /** Its exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #title: string;
  #words: string[] = [];
  #hasEnded = false;

  constructor(title: string, args: readonly string[]) {
    this.#title = title;
    // Nothing is written to its input: that it ends tells the child that the demo has died.
    this.child = spawn(process.execPath, [...process.execArgv, ...args], { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#words = [...this.#words, ...text.trimEnd().split('\n')].slice(-LAST_LINES);
      });
    }
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject);
      this.child.once('exit', (code, signal) => {
        this.#hasEnded = true;
        resolve(code ?? signal ?? 0);
      });
    });
    this.ended.catch(() => {}); // whoever waits is told
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Rejects when the process ends: for whoever waits for a word from it. */
  get died(): Promise<never> {
    return this.ended.then((how) => {
      const words = this.#words.length === 0 ? '' : `; its last words: ${this.#words.join(' | ')}`;
      throw new Error(`${this.#title} has ended (${how})${words}`);
    });
  }

  /** Ends it in any case: asks first, then does not ask. */
  async end(): Promise<void> {
    if (this.#hasEnded || this.child.pid === undefined) return;
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), END_LIMIT);
    await this.ended;
    clearTimeout(timer);
  }

  /** For the last moment of this process, when nothing can be waited for. */
  kill(): void {
    if (!this.#hasEnded) this.child.kill('SIGKILL');
  }
}

export class SystemProcess extends DemoProcess {
  private constructor(file: string) {
    const start = [main, 'system', 'start', '--foreground', '--until-input-ends'];
    super('the system process', [...start, '--driver', driverFile, '--set', `File=${file}`]);
  }

  static start(file: string): SystemProcess {
    return new SystemProcess(file);
  }

  /** Waits until it serves and has loaded the driver. */
  async isReady(signal: AbortSignal): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.child.on('message', (message) => {
        if (message === READY) resolve();
      });
    });
    await within(START_LIMIT, 'starting the system process', signal, Promise.race([ready, this.died]));
  }
}

export class ApplicationProcess extends DemoProcess {
  uid = 0;
  /** Where the driver's view is, as the driver says. */
  driverAddress = 0n;
  onSnapshot: (snapshot: Snapshot) => void = () => {};
  onProgress: (bytes: number, total: number) => void = () => {};
  #onReady: () => void = () => {};
  #onAnswer: (message: Extract<FromApplication, { type: 'result' | 'failed' }>) => void = () => {};

  private constructor() {
    super('the application', [applicationFile]);
    this.child.on('message', (message) => this.#receive(message as FromApplication));
  }

  static start(): ApplicationProcess {
    return new ApplicationProcess();
  }

  #receive(message: FromApplication): void {
    if (message.type === 'ready') {
      this.uid = message.uid;
      this.driverAddress = BigInt(`0x${message.driverAddress}`);
      this.#onReady();
    } else if (message.type === 'snapshot') this.onSnapshot(message.snapshot);
    else if (message.type === 'progress') this.onProgress(message.bytes, message.total);
    else this.#onAnswer(message);
  }

  async isReady(signal: AbortSignal): Promise<void> {
    const ready = new Promise<void>((resolve) => {
      this.#onReady = resolve;
    });
    await within(START_LIMIT, 'starting the application', signal, Promise.race([ready, this.died]));
  }

  /** Has the application do something, and waits for what comes of it. One call at a time. */
  async call<C extends ApplicationCall>(
    call: C,
    given: ArgumentsOf<C>,
    limit: number,
    signal: AbortSignal,
  ): Promise<ResultOf<C>> {
    const answered = new Promise<ResultOf<C>>((resolve, reject) => {
      this.#onAnswer = (message) => {
        if (message.type === 'result') resolve(message.value as ResultOf<C>);
        else reject(new Error(`the application: ${message.message}`));
      };
    });
    this.child.send({ call, ...given });
    return within(limit, `the application's ${call}`, signal, Promise.race([answered, this.died]));
  }

  /** Lets it go: it ends by itself when nobody talks to it. */
  async leave(signal: AbortSignal): Promise<number | NodeJS.Signals> {
    if (this.child.connected) this.child.disconnect();
    return within(END_LIMIT, 'the end of the application', signal, this.ended);
  }
}
