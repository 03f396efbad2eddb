/**
 * `sectile demo`, run as a user runs it: every step must hold, and whatever happens nothing stays.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { folderFor, main } from './system.js';

interface Ending {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What is left in the folder where it put its temporary files. */
  readonly left: readonly string[];
}

/** @param meanwhile is given the process and told of its output */
async function demo(
  t: TestContext,
  args: readonly string[],
  meanwhile?: (kill: (signal: NodeJS.Signals) => void, stdout: string) => void,
): Promise<Ending> {
  const temporary = join(folderFor(t), 'tmp');
  mkdirSync(temporary);
  const child = spawn(process.execPath, [main, 'demo', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary },
    timeout: 120_000,
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      text[name] += chunk;
      meanwhile?.((signal) => child.kill(signal), text.stdout);
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text, left: readdirSync(temporary) };
}

interface Facts {
  readonly ok: boolean;
  readonly system: { readonly pid: number };
  readonly application: { readonly pid: number; readonly uid: number };
  readonly telemetry: { readonly torn: number; readonly nanosecondsPerRead: number };
  readonly transfer: { readonly bytes: number; readonly digest: string; readonly driverDigest: string };
  readonly steps: readonly { readonly id: string; readonly held: boolean; readonly evidence: string }[];
}

function assertHeld({ code, stdout, stderr, left }: Ending): Facts {
  const facts = JSON.parse(stdout) as Facts;
  const failed = facts.steps.filter(({ held }) => !held);
  assert.deepEqual(failed, [], stderr);
  assert.equal(facts.ok, true, stdout);
  assert.equal(code, 0, stderr);
  assert.deepEqual(left, []);
  return facts;
}

test('every step holds, with a real file', async (t) => {
  const facts = assertHeld(await demo(t, ['--seconds', '1', '--json']));
  assert.equal(facts.steps.length, 19);
  assert.equal(new Set(facts.steps.map(({ id }) => id)).size, 19);
  assert.ok(facts.transfer.bytes >= 64 * 2 ** 20);
  assert.ok(facts.telemetry.nanosecondsPerRead < 2000, `${facts.telemetry.nanosecondsPerRead} ns`);
  if (process.geteuid?.() === 0) assert.notEqual(facts.application.uid, 0);
});

for (const [what, bytes] of [
  ['an empty file', 0],
  ['a file of one byte', 1],
  ['a file of whole chunks', 2 * 2 ** 20],
  ['a file larger than the ring', 150 * 2 ** 20 + 12_345],
] as const) {
  test(`--file moves ${what}`, async (t) => {
    const content = randomBytes(bytes);
    const file = join(folderFor(t), 'file');
    writeFileSync(file, content);
    const { transfer } = assertHeld(await demo(t, ['--seconds', '1', '--json', '--file', file]));
    const digest = createHash('sha256').update(content).digest('hex');
    assert.deepEqual([transfer.bytes, transfer.digest, transfer.driverDigest], [bytes, digest, digest]);
  });
}

test('a file that is not there is said in one line, before anything is started', async (t) => {
  const { code, stdout, stderr, left } = await demo(t, ['--file', '/no/such/file']);
  assert.deepEqual([code, stdout, left], [1, '', []]);
  assert.match(stderr, /^sectile: sectile demo file \/no\/such\/file: there is no such file\.[^\n]*\n$/);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends it and all that it has started`, async (t) => {
    let pids: string[] = [];
    const { code, left } = await demo(t, ['--seconds', '60'], (kill, stdout) => {
      const found = [...stdout.matchAll(/(?:System process|Application) +(\d+)/g)].map(([, pid = '']) => pid);
      if (found.length < 2 || pids.length > 0 || !stdout.includes('samples/s')) return;
      pids = found;
      kill(signal);
    });
    assert.equal(code, expected);
    assert.deepEqual(left, []);
    assert.equal(pids.length, 2);
    for (const pid of pids) assert.throws(() => readFileSync(`/proc/${pid}/stat`), `process ${pid} still runs`);
  });
}

test('an application that dies is reported, and everything is cleared', async (t) => {
  let isKilled = false;
  const { code, stderr, left } = await demo(t, ['--seconds', '60'], (_, stdout) => {
    const pid = /Application +(\d+)/.exec(stdout)?.[1];
    if (pid === undefined || isKilled || !stdout.includes('samples/s')) return;
    isKilled = true;
    process.kill(Number(pid), 'SIGKILL');
  });
  assert.equal(code, 1);
  assert.match(stderr, /the application has ended \(SIGKILL\)/);
  assert.deepEqual(left, []);
});
