/**
 * Other processes of a case: starts one that runs a function of a module, and talks with it. What they
 * tell each other may be anything that structured cloning takes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface PeerOptions {
  readonly args?: readonly unknown[];
  /** Another user, where the runner is root. */
  readonly uid?: number;
  readonly gid?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** The other process, as its starter sees it. */
export interface Peer {
  readonly pid: number;
  /** The function's value; rejects with its error, or when the process ends without one. */
  readonly result: Promise<unknown>;
  tell(value: unknown): void;
  /** The next thing that it told; rejects when it ends instead. */
  told(): Promise<unknown>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** The starter, as the other process sees it. */
export interface Parent {
  tell(value: unknown): void;
  told(): Promise<unknown>;
}

export type PeerMessage = { readonly told: unknown } | { readonly value: unknown } | { readonly error: string };

export const PEER = fileURLToPath(new URL('./peer-main.js', import.meta.url));

/** Values in the order they came, for whoever waits; ends with an error. */
export class Inbox {
  readonly #values: unknown[] = [];
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  #ended: Error | null = null;

  put(value: unknown): void {
    const first = this.#waiting.shift();
    if (first === undefined) this.#values.push(value);
    else first.resolve(value);
  }

  take(): Promise<unknown> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift());
    if (this.#ended !== null) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }
}

export function startPeer(folder: string, module: string, name: string, options: PeerOptions = {}): Peer {
  const child: ChildProcess = spawn(process.execPath, [PEER, folder, module, name], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...options.env },
    ...(options.uid === undefined ? {} : { uid: options.uid }),
    ...(options.gid === undefined ? {} : { gid: options.gid }),
  });
  const inbox = new Inbox();
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const result = new Promise<unknown>((resolve, reject) => {
    const end = (error: Error): void => {
      inbox.end(error);
      reject(error);
    };
    child.on('message', (message: PeerMessage) => {
      if ('told' in message) inbox.put(message.told);
      else if ('error' in message) end(new Error(`${name} in another process: ${message.error}`));
      else resolve(message.value);
    });
    child.on('error', end);
    child.on('close', (code, signal) => end(new Error(`${name} ended with ${signal ?? `exit code ${code}`}: ${errors.trim()}`)));
  });
  result.catch(() => {}); // whoever wants it, awaits it
  child.send({ args: options.args ?? [] });
  return {
    pid: child.pid ?? -1,
    result,
    tell: (value) => void (child.connected && child.send({ told: value })),
    told: () => inbox.take(),
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      await ended;
    },
  };
}
