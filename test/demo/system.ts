/**
 * A system process with the host-telemetry driver in it, for a test: in a runtime directory of its own,
 * its log kept, its end certain.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const main = join(root, 'dist', 'cli', 'main.js');
const compiledDriver = join(root, 'dist', 'drivers', 'host-telemetry', 'driver.js');

export interface TestSystem {
  readonly process: ChildProcess;
  /** What it has written so far. */
  readonly log: () => string;
}

/** A folder that goes when the test ends. */
export function folderFor(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'sectile-test-'));
  chmodSync(path, 0o755);
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Starts one and waits until it serves; this process, and its children, talk to it from then on. */
export async function startSystem(
  t: TestContext,
  parameters: Record<string, string>,
  driver = compiledDriver,
): Promise<TestSystem> {
  process.env['SECTILE_RUNTIME_DIR'] = join(folderFor(t), 'run');
  const settings = Object.entries(parameters).flatMap(([key, value]) => ['--set', `${key}=${value}`]);
  const child = spawn(process.execPath, [main, 'system', 'start', '--foreground', '--driver', driver, ...settings], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (log += text));
  const ended = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(timer);
  });
  const first = await Promise.race([once(child, 'message').then(() => 'ready'), ended.then(() => 'ended')]);
  assert.equal(first, 'ready', `the system process has ended: ${log}`);
  return { process: child, log: () => log };
}

/** A child that runs a module given as text. */
export function runModule(t: TestContext, source: string): ChildProcess {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}
