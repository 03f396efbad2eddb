/**
 * What the tests of sockets share: a listening server that notes its events, children that run a script,
 * and a rogue client that keeps to no protocol.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { isOsError, os, type Server, type ServerEvent, type ServerOptions } from '../../dist/os/index.js';

export const doorway = new URL('../../dist/os/index.js', import.meta.url).href;
export const limits = {
  mode: 0o600,
  maximumMessage: 4096,
  maximumDescriptors: 3,
  descriptorsFromOthers: false,
  clientsFromOthers: true,
  keepsProcess: true,
  maximumInFlight: 4,
  maximumClients: 8,
};
export const bytes = (text: string) => new TextEncoder().encode(text);
export const text = (value: Uint8Array) => new TextDecoder().decode(value);

export function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sectile-socket-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

/** How many descriptors of this process are of that file. */
export function openHere(path: string): number {
  return readdirSync('/proc/self/fd').filter((number) => {
    try {
      return readlinkSync(`/proc/self/fd/${number}`) === path;
    } catch {
      return false; // the descriptor that listed the directory
    }
  }).length;
}

export class Listening {
  readonly events: ServerEvent[] = [];
  readonly path: string;
  readonly server: Server;
  #waiting: (() => void)[] = [];

  constructor(t: TestContext, options: Partial<ServerOptions> = {}, answer?: (event: ServerEvent, server: Server) => void) {
    this.path = options.path ?? join(directory(t), 'socket');
    this.server = os.serverListen({ ...limits, ...options, path: this.path }, (event) => {
      this.events.push(event);
      answer?.(event, this.server);
      for (const check of this.#waiting) check();
    });
    t.after(() => os.serverClose(this.server));
  }

  /** Resolves as soon as the events so far satisfy the condition. */
  until(condition: (events: ServerEvent[]) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!condition(this.events)) return;
        this.#waiting = this.#waiting.filter((other) => other !== check);
        resolve();
      };
      this.#waiting.push(check);
      check();
    });
  }

  ended(): Promise<void> {
    return this.until((events) => events.at(-1)?.type === 'disconnect');
  }

  get types(): string {
    return this.events.map((event) => event.type).join(' ');
  }
}

export function echo(event: ServerEvent, server: Server): void {
  if (event.type === 'message') os.serverReply(server, event.client, event.message.bytes, event.message.descriptors);
}

export function closeAll(event: ServerEvent): void {
  if (event.type === 'message') for (const descriptor of event.message.descriptors) os.descriptorClose(descriptor);
}

/** A child that reports by lines of JSON. */
export class Child {
  readonly process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(t: TestContext, file: string, args: string[]) {
    this.process = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    t.after(() => this.process.kill('SIGKILL'));
  }

  async report(): Promise<unknown> {
    const line = await this.#lines.next();
    assert(!line.done, 'the child ended without a report');
    return JSON.parse(line.value);
  }

  async exit(): Promise<[code: number | null, signal: string | null]> {
    const { exitCode, signalCode } = this.process;
    if (exitCode !== null || signalCode !== null) return [exitCode, signalCode];
    return (await once(this.process, 'exit')) as [number | null, string | null];
  }
}

/** Runs `script` with `os`, `path`, `report(value)` and `failure(call)`, the code of an exception. */
export function child(t: TestContext, path: string, script: string): Child {
  const prelude = `
    import { writeSync } from 'node:fs';
    import { os } from ${JSON.stringify(doorway)};
    const path = ${JSON.stringify(path)};
    const report = (value) => writeSync(1, JSON.stringify(value ?? null) + '\\n');
    const failure = (call) => { try { call(); return null; } catch (error) { return error.code; } };
    const bytes = (text) => new TextEncoder().encode(text);
    const text = (value) => new TextDecoder().decode(value);
  `;
  return new Child(t, process.execPath, ['--input-type=module', '--eval', prelude + script]);
}

/** A client that keeps to no protocol: Sectile's own cannot send twice without an answer. */
export function rogue(t: TestContext, path: string, script: string): Child {
  const prelude = `
import json, socket, sys
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect(${JSON.stringify(path)})
def report(value): print(json.dumps(value), flush=True)
`;
  return new Child(t, 'python3', ['-c', prelude + script]);
}
export const withoutPython = spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not there to play the rogue';

export const code = (name: string) => (error: unknown) => isOsError(error) && error.code === name;
