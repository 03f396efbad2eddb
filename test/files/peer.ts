/**
 * Another process that uses files, as an object: its calls return what they return there.
 */
import { type StdioOptions, spawn } from 'node:child_process';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as w from 'sectile/kernel32';
import users, { type Returned } from '../fixtures/file-users.js';
import { Child, start } from '../support/child.js';

export class Peer {
  readonly child: Child;

  private constructor(child: Child) {
    this.child = child;
  }

  /** @param scratch As the test's own: its runtime directory is the same. */
  static async start(t: TestContext, scratch: string, runtime: string): Promise<Peer> {
    const peer = new Peer(start(t, users, 'makes the calls that it is told', { scratch, env: { SECTILE_RUNTIME_DIR: runtime } }));
    await peer.child.reached('ready');
    return peer;
  }

  /** A peer that inherits from this process. */
  static async inheriting(t: TestContext, scratch: string, runtime: string): Promise<Peer> {
    const legacy = w.inheritance(['ignore', 'inherit', 'inherit', 'ipc']);
    const process_ = spawn(
      process.execPath,
      [...users.execArgv, fileURLToPath(users.url), 'makes the calls that it is told', '[]'],
      {
        stdio: legacy.stdio as StdioOptions,
        serialization: 'advanced',
        env: { ...process.env, ...legacy.env, SECTILE_RUNTIME_DIR: runtime, SECTILE_TEST_SCRATCH: scratch },
      },
    );
    legacy.spawned(process_);
    const child = new Child(process_, 'inherits', 60_000);
    t.after(() => child.kill());
    const peer = new Peer(child);
    await child.reached('ready');
    return peer;
  }

  async #call(face: string, name: string, args: readonly unknown[]): Promise<Returned> {
    this.child.tell('call', { face, name, args });
    return (await this.child.reached('returned')) as Returned;
  }

  /** Calls kernel32: the value and the last error. */
  win32(name: string, ...args: unknown[]): Promise<Returned> {
    return this.#call('kernel32', name, args);
  }

  /** Calls ntdll. */
  async nt(name: string, ...args: unknown[]): Promise<unknown> {
    return (await this.#call('ntdll', name, args)).value;
  }

  async open(path: string, access: number, share: number, disposition = 3, flags = 0): Promise<number> {
    return (await this.win32('CreateFile', path, access, share, null, disposition, flags)).value as number;
  }

  async close(handle: number): Promise<void> {
    await this.win32('CloseHandle', handle);
  }
}
