/**
 * The worlds that cases run in: of an application, and of a driver. Importing this file brings user mode
 * in; kernel mode comes from the driver that has it.
 */
import * as kernel32 from 'sectile/kernel32';
import type * as ntddk from 'sectile/ntddk';
import * as ntdll from 'sectile/ntdll';
import type { Suite } from './case.js';
import { PEER, type Peer, type PeerOptions, startPeer } from './peer.js';
import type { World } from './script.js';

/** A world with its end. */
export interface LiveWorld extends World {
  /** Ends its other processes and undoes what was registered. */
  end(): Promise<void>;
}

abstract class AnyWorld implements LiveWorld {
  readonly nt = ntdll;
  readonly win32 = kernel32;
  readonly suite: Suite;
  readonly folder: string;
  readonly kept = new Map<string, unknown>();
  readonly #undo: (() => void)[] = [];
  readonly #peers: Peer[] = [];

  constructor(suite: Suite, folder: string) {
    this.suite = suite;
    this.folder = folder;
  }

  abstract get k(): World['k'];

  later(undo: () => void): void {
    this.#undo.push(undo);
  }

  child(module: string, name: string, options: PeerOptions = {}): Peer {
    const peer = startPeer(this.folder, module, name, options);
    this.#peers.push(peer);
    return peer;
  }

  application(module: string, name: string, options?: PeerOptions): Peer {
    return this.child(module, name, options);
  }

  command(module: string, name: string, ...args: readonly unknown[]): readonly [string, ...string[]] {
    return [process.execPath, PEER, this.folder, module, name, JSON.stringify(args)];
  }

  async end(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.kill()));
    for (const undo of this.#undo.splice(0).reverse()) {
      try {
        undo();
      } catch {
        // What is to be undone may be gone already; the case was judged before.
      }
    }
    this.kept.clear();
  }
}

class UserWorld extends AnyWorld {
  get k(): never {
    throw new Error('kernel mode is for cases of kernel mode');
  }
}

class KernelWorld extends AnyWorld {
  readonly k: World['k'];

  constructor(suite: Suite, folder: string, kernel: typeof ntddk) {
    super(suite, folder);
    this.k = kernel;
  }
}

export function userWorld(suite: Suite, folder: string): LiveWorld {
  return new UserWorld(suite, folder);
}

export function kernelWorld(suite: Suite, folder: string, kernel: typeof ntddk): LiveWorld {
  return new KernelWorld(suite, folder, kernel);
}
