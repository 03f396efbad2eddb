/**
 * The other process of a benchmark, and how the two talk: a request, one or more answers. The
 * channel only steers; what is measured never goes through it, except where it is the thing measured.
 */
import { type ChildProcess, fork, type SerializationType } from 'node:child_process';
import { once } from 'node:events';
import { within } from './patience.js';

/** What a peer's answer looks like when it broke. */
interface Broken {
  readonly broken: string;
}

function isBroken(message: unknown): message is Broken {
  return typeof message === 'object' && message !== null && 'broken' in message;
}

/** Bytes, and text that stands for bytes, are what a benchmark measures and nothing that a peer says. */
function isCargo(message: unknown): boolean {
  return typeof message === 'string' || message instanceof Uint8Array;
}

export interface PeerOptions {
  /** How its channel carries messages; 'advanced' unless said. */
  readonly serialization?: SerializationType;
  /** Whether its standard input is a pipe of ours. */
  readonly pipes?: boolean;
  readonly args?: readonly string[];
}

/** The parent's end: `Answer` is what this peer replies with. */
export class Peer<Answer> {
  readonly child: ChildProcess;
  readonly #module: string;
  readonly #answers: Answer[] = [];
  #error: Error | undefined;
  #wake: () => void = () => {};

  /** `module` is a file beside this one's folder `peers`. */
  constructor(module: string, options: PeerOptions = {}) {
    this.#module = module;
    this.child = fork(new URL(`peers/${module}.js`, import.meta.url), options.args ?? [], {
      serialization: options.serialization ?? 'advanced',
      stdio: options.pipes === true ? ['pipe', 'inherit', 'inherit', 'ipc'] : ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.child.on('message', (message) => {
      if (isCargo(message)) return;
      if (isBroken(message)) this.#error = new Error(`peer ${module}: ${message.broken}`);
      else this.#answers.push(message as Answer);
      this.#wake();
    });
    this.child.on('error', (error) => {
      this.#error ??= error;
      this.#wake();
    });
    this.child.on('exit', (code, signal) => {
      this.#error ??= new Error(`peer ${module} ended with ${signal ?? code}`);
      this.#wake();
    });
  }

  send(request: object): void {
    this.child.send(request);
  }

  /** The next answer; rejects when the peer broke, ended or keeps silent. */
  next(): Promise<Answer> {
    return within(`an answer of peer ${this.#module}`, this.#next());
  }

  async #next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async ask(request: object): Promise<Answer> {
    this.send(request);
    return this.next();
  }

  async close(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const exit = once(this.child, 'exit');
    this.child.disconnect();
    await exit;
  }
}

/** Sends an answer from the peer; resolves when it is on its way, so that the peer may spin after it. */
export function answer(message: object): Promise<void> {
  return new Promise((resolve, reject) => {
    process.send?.(message, undefined, {}, (error: Error | null) => (error === null ? resolve() : reject(error)));
  });
}

/** The peer's end: handles each request; ends when the parent hangs up. */
export function serve<Request>(handle: (request: Request) => void | Promise<void>): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (request) => {
    void (async () => {
      try {
        await handle(request as Request);
      } catch (error) {
        await answer({ broken: error instanceof Error ? (error.stack ?? error.message) : String(error) });
      }
    })();
  });
}
