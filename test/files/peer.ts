/**
 * Another process that uses files, as an object: its calls return what they return there.
 */
import type { TestContext } from 'node:test';
import users, { type Returned } from '../fixtures/file-users.js';
import { type Child, start } from '../support/child.js';

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
