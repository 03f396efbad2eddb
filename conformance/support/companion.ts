/**
 * Another process that a case maps views into, and looks into.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import type { Parent, World } from '../script.js';
import type { Trial } from './trial.js';
import { errorNameOf } from './values.js';

export interface Companion {
  /** With all access. */
  readonly handle: number;
  bytes(base: bigint, offset: number, length: number): Promise<Uint8Array>;
}

export async function startCompanion(t: Trial): Promise<Companion> {
  const peer = t.world.child(import.meta.url, 'attends');
  assert.equal(await peer.told(), 'ready');
  const handle = w.OpenProcess(w.PROCESS_ALL_ACCESS, false, peer.pid);
  assert.notEqual(handle, 0, `OpenProcess: ${errorNameOf(w.GetLastError())}`);
  t.keep(handle);
  t.after(() => peer.kill());
  return {
    handle,
    bytes: async (base, offset, length) => {
      peer.tell({ base, offset, length });
      return (await peer.told()) as Uint8Array;
    },
  };
}

/** The process: reads its own memory when asked. */
export async function attends(_world: World, parent: Parent): Promise<void> {
  assert.ok(w.AllowProcessAccess(), errorNameOf(w.GetLastError()));
  parent.tell('ready');
  for (;;) {
    const { base, offset, length } = (await parent.told()) as { base: bigint; offset: number; length: number };
    const view = w.ViewOfAddress(base);
    parent.tell(view?.bytes.slice(offset, offset + length));
  }
}
