/**
 * Other runtimes than Node.js: the examples in two processes of one, and of one and Node.js; every use of
 * a view that must end no process; the demo with all its steps. `scripts/test.mjs --runtimes deno,bun`
 * brings the runtimes; without it these tests are skipped.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import busyThreads from '../fixtures/busy-threads.js';
import closedViews from '../fixtures/closed-views.js';
import dispatchers, { isWhole } from '../fixtures/dispatchers.js';
import faultingViews from '../fixtures/faulting-views.js';
import manyViews from '../fixtures/many-views.js';
import otherRuntimes from '../fixtures/other-runtimes.js';
import { type Runtime, run, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { startSystem } from '../support/system.js';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const example = (name: string) => join(root, 'build/examples/named-shared-memory', name);

const node: Runtime = { command: [process.execPath], execArgv: (given) => given };

const notFreed = 'sections that a terminated Worker held stay until the process ends';
const notDetached = 'close does not detach a buffer that a call is at work on: it shows zeros from then on';

/** The other runtimes, with what they cannot do and why; the README tells the same. */
const others: Readonly<Record<string, { readonly limits: ReadonlyMap<string, string>; of(path: string): Runtime }>> = {
  deno: {
    of: (path) => ({
      command: [path, 'run', '--allow-all'],
      execArgv: (given) => (given.length === 0 ? [] : [`--v8-flags=${given.join(',')}`]),
    }),
    limits: new Map([
      ['crypto works on views that are closed meanwhile', 'randomFill throws where nobody can catch it'],
      ['Workers that are terminated in the middle of an access', notFreed],
    ]),
  },
  bun: {
    of: (path) => ({ command: [path], execArgv: (given) => given }),
    limits: new Map([
      ['zlib compresses a view that is closed meanwhile', notDetached],
      ['files are read into and written from views that are closed meanwhile', notDetached],
      [
        'ten thousand waits: no processor time, little memory, and each wakes alone',
        'its promises take more memory: see docs/runtimes.md',
      ],
      ['Workers that are terminated in the middle of an access', notFreed],
    ]),
  },
};

function launch(t: TestContext, runtime: Runtime, scratch: string, file: string, ...args: string[]) {
  const [command, ...before] = runtime.command;
  const env = { ...process.env, SECTILE_RUNTIME_DIR: runtimeFolder(scratch), TMPDIR: scratch };
  const child = spawn(command, [...before, file, ...args], { env, timeout: 120_000, killSignal: 'SIGKILL' });
  t.after(() => child.kill('SIGKILL'));
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.err += text;
  });
  return { child, output, ended: once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]> };
}

async function says(child: ChildProcess, output: { readonly out: string; readonly err: string }, text: string): Promise<void> {
  while (!output.out.includes(text)) {
    const [what] = await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), once(child, 'close')]);
    if (typeof what !== 'string') assert.fail(`ended with ${String(what)}: ${output.out}${output.err}`);
  }
}

/** "Creating Named Shared Memory", with the first process in one runtime and the second in another. */
async function twoProcesses(t: TestContext, first: Runtime, second: Runtime): Promise<void> {
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch });
  const writer = launch(t, first, scratch, example('first.js'));
  await says(writer.child, writer.output, 'Press Enter');
  const reader = launch(t, second, scratch, example('second.js'));
  assert.deepEqual([await reader.ended, reader.output.err], [[0, null], '']);
  assert.equal(reader.output.out, 'Message from first process.\n');
  writer.child.stdin.write('\n');
  assert.deepEqual([await writer.ended, writer.output.err], [[0, null], '']);
  const late = launch(t, second, scratch, example('second.js'));
  assert.deepEqual([await late.ended, late.output.out], [[1, null], 'Could not open file mapping object (2).\n']);
  system.tell('stop');
  await system.endsWell();
}

for (const [name, { limits, of }] of Object.entries(others)) {
  const path = process.env[`SECTILE_${name.toUpperCase()}`];
  if (path === undefined) {
    test(`all of ${name}`, { skip: `node scripts/test.mjs --runtimes ${name} runs them` }, () => {});
    continue;
  }
  const other = of(path);

  test(`${name}: two processes share named memory`, (t) => twoProcesses(t, other, other));
  test(`${name} writes, Node.js reads`, (t) => twoProcesses(t, other, node));
  test(`Node.js writes, ${name} reads`, (t) => twoProcesses(t, node, other));

  test(`${name}: the demo, with its driver in a system process, holds in every step`, async (t) => {
    const scratch = scratchFolder(t);
    const temporary = join(scratch, 'tmp');
    mkdirSync(temporary);
    const demo = launch(t, other, temporary, join(root, 'dist/cli/main.js'), 'demo', '--seconds', '1', '--json');
    const [code, signal] = await demo.ended;
    const { steps } = JSON.parse(demo.output.out) as { steps: { id: string; held: boolean; evidence: string }[] };
    assert.deepEqual(
      steps.filter(({ held }) => !held),
      [],
    );
    assert.deepEqual([code, signal], [0, null], demo.output.err);
    assert.ok(steps.length > 15);
    assert.deepEqual(
      readdirSync(temporary).filter((entry) => entry.startsWith('sectile')),
      [],
    );
  });

  test(`${name} and Node.js answer each other by events`, async (t) => {
    const scratch = scratchFolder(t);
    const asker = start(t, dispatchers, 'ask', { scratch, args: [500] });
    await asker.reached('made');
    await run(t, dispatchers, 'echo', { scratch, args: [500, false], runtime: other });
    await asker.endsWell();
  });

  for (const title of dispatchers.titles.filter(isWhole)) {
    test(`${name}: ${title}`, { skip: limits.get(title) ?? false }, async (t) => {
      await run(t, dispatchers, title, { runtime: other });
    });
  }

  for (const fixture of [faultingViews, closedViews, manyViews, busyThreads, otherRuntimes]) {
    for (const title of fixture.titles) {
      const skip = limits.get(title) ?? false;
      test(`${name}: ${title}`, { skip }, async (t) => {
        await run(t, fixture, title, { runtime: other });
      });
    }
  }
}
