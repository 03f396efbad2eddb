/**
 * The examples run as they stand: the documented Win32 sample in two processes, and a driver by the five
 * steps with its application, in a system process that the command line starts.
 */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runtimeFolder, scratchFolder } from '../support/child.js';
import { platform } from '../support/platform.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const example = (name: string) => join(root, 'build/examples', name);
const command = join(root, 'dist/cli/main.js');

class Running {
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

async function output(t: TestContext, scratch: string, file: string, ...args: string[]): Promise<string> {
  const running = new Running(t, scratch, file, ...args);
  assert.equal(await running.ended, 0, running.output);
  return running.output;
}

/** Runs a system process for as long as a test needs it. */
async function withSystem(t: TestContext, start: readonly string[], act: (scratch: string) => Promise<void>): Promise<void> {
  const scratch = scratchFolder(t);
  if (platform.lacks.systemProcess) return act(scratch);
  await output(t, scratch, command, 'system', 'start', ...start);
  try {
    await act(scratch);
  } finally {
    await output(t, scratch, command, 'system', 'stop');
  }
}

test('creating named shared memory: the second process shows the string of the first', (t) =>
  withSystem(t, [], async (scratch) => {
    const first = new Running(t, scratch, example('named-shared-memory/first.js'));
    await first.says('Press Enter');
    assert.equal(await output(t, scratch, example('named-shared-memory/second.js')), 'Message from first process.\n');
    first.process.stdin.write('\n');
    assert.equal(await first.ended, 0, first.output);
    const late = new Running(t, scratch, example('named-shared-memory/second.js'));
    assert.equal(await late.ended, 1);
    assert.equal(late.output, 'Could not open file mapping object (2).\n');
  }));

test(
  'the five steps: the application shows what the driver wrote, until the driver is unloaded',
  { skip: platform.lacks.systemProcess },
  (t) =>
    withSystem(t, ['--driver', example('five-steps/driver.js')], async (scratch) => {
      assert.equal(await output(t, scratch, example('five-steps/application.js')), 'Hello from kernel mode\n');
      await output(t, scratch, command, 'driver', 'unload', 'five-steps');
      const late = new Running(t, scratch, example('five-steps/application.js'));
      assert.equal(await late.ended, 1);
      assert.equal(late.output, "Could not open the driver's section (2).\n");
    }),
);
