/**
 * Our end of the two processes of `sectile bench`: starts the other one, asks it, and hears when it
 * ends too early.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Section } from '../../index.js';
import { socketAddress } from '../../os/index.js';
import type { ToPeer } from './turns.js';

export class Partner {
  readonly #child: ChildProcess;
  readonly #server: Server;
  readonly #folder: string;
  #socket: Socket | undefined;
  #answered: () => void = () => {};
  #failed: (error: Error) => void = () => {};
  #closing = false;

  private constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), 'sectile-bench-'));
    // A connection's bytes are single signs.
    this.#server = createServer((socket) => socket.on('data', () => this.#answered()));
    this.#child = fork(fileURLToPath(new URL('./peer.js', import.meta.url)), {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child.on('message', () => this.#answered());
    this.#child.on('error', (error) => this.#failed(error));
    this.#child.on('exit', (code, signal) => {
      if (!this.#closing) this.#failed(new Error(`sectile bench: its other process ended with ${signal ?? code}`));
    });
  }

  /** Starts the other process and lets it open the section. */
  static async start(section: Section): Promise<Partner> {
    const partner = new Partner();
    const path = socketAddress(partner.#folder);
    partner.#server.listen(path);
    await once(partner.#server, 'listening');
    const connection = once(partner.#server, 'connection') as Promise<[Socket]>;
    await partner.ask({ open: section.name ?? '', socket: path });
    [partner.#socket] = await connection;
    return partner;
  }

  /** Waits for the next answer, by IPC or on the socket. */
  #answer(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
    });
  }

  /** Asks by IPC and waits for the answer. */
  ask(request: ToPeer): Promise<void> {
    const answer = this.#answer();
    this.#child.send(request);
    return answer;
  }

  /** Writes to the socket and waits for the sign that comes back. */
  write(bytes: Uint8Array): Promise<void> {
    const answer = this.#answer();
    this.#socket?.write(bytes);
    return answer;
  }

  /** Waits for one more answer to what was asked before. */
  next(): Promise<void> {
    return this.#answer();
  }

  close(): void {
    this.#closing = true;
    this.#socket?.destroy();
    this.#server.close();
    if (this.#child.connected) this.#child.disconnect();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
