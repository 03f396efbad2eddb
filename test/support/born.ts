/**
 * Children that CreateProcess makes, and that follow orders; see fixtures/inheritors.ts.
 */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as w from 'sectile/kernel32';
import inheritors, { type Orders } from '../fixtures/inheritors.js';
import { Child } from './child.js';

const TIMEOUT = 120_000;

export class Born {
  readonly child: Child;
  readonly information: w.ProcessInformation;

  constructor(information: w.ProcessInformation) {
    this.information = information;
    this.child = new Child(information.process, 'a child of CreateProcess', TIMEOUT);
  }

  get handle(): number {
    return this.information.hProcess;
  }

  /** Has the child do something; addresses go as texts that end in an n, and come back so. */
  async does<N extends keyof Orders>(name: N, ...given: readonly (number | string | null)[]): Promise<unknown> {
    this.child.tell('do', { name, given });
    return this.child.reached('done');
  }

  async end(): Promise<void> {
    this.child.tell('do', { name: 'end', given: [] });
    await this.child.endsWell();
    assert.ok(w.CloseHandle(this.information.hProcess) && w.CloseHandle(this.information.hThread));
  }
}

/** Makes a child that follows orders, and waits until it does unless told otherwise. */
export async function born(t: TestContext, { inherits = true, waits = true } = {}): Promise<Born> {
  const line = `node "${fileURLToPath(inheritors.url)}" "follows orders" "[]"`;
  const information = w.CreateProcess(process.execPath, line, null, null, inherits, 0, null, null, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  assert.ok(information !== null, `last error ${w.GetLastError()}`);
  const made = new Born(information);
  t.after(() => made.child.kill());
  if (waits) await made.child.reached('ready');
  return made;
}

/** An address, as orders have it. */
export function text(address: bigint | null | undefined): string {
  return `${address}n`;
}
