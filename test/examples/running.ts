/**
 * Examples as processes, beside a system process where there is one.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runtimeFolder, scratchFolder } from '../support/child.js';
import { platform } from '../support/platform.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
export const example = (name: string) => join(root, 'build/examples', name);
export const command = join(root, 'dist/cli/main.js');

export class Running {
  readonly process: ChildProcessWithoutNullStreams;
  readonly ended: Promise<number | null>;
  output = '';

  constructor(t: TestContext, scratch: string, file: string, ...args: string[]) {
    const env = { ...process.env, SECTILE_RUNTIME_DIR: runtimeFolder(scratch) };
    this.process = spawn(process.execPath, [file, ...args], { env });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
      });
    }
    this.ended = new Promise((resolve) => this.process.on('close', resolve));
    t.after(() => this.process.kill('SIGKILL'));
  }

  /** Waits until the process has said something, or has ended without. */
  async says(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      const ended = await Promise.race([once(this.process.stdout, 'data'), once(this.process.stderr, 'data'), this.ended]);
      if (!Array.isArray(ended)) assert.fail(`ended with ${String(ended)}: ${this.output}`);
    }
  }
}

export async function output(t: TestContext, scratch: string, file: string, ...args: string[]): Promise<string> {
  const running = new Running(t, scratch, file, ...args);
  assert.equal(await running.ended, 0, running.output);
  return running.output;
}

/** Runs a system process for as long as a test needs it. */
export async function withSystem(
  t: TestContext,
  start: readonly string[],
  act: (scratch: string) => Promise<void>,
): Promise<void> {
  const scratch = scratchFolder(t);
  if (platform.lacks.systemProcess) return act(scratch);
  await output(t, scratch, command, 'system', 'start', ...start);
  try {
    await act(scratch);
  } finally {
    await output(t, scratch, command, 'system', 'stop');
  }
}
