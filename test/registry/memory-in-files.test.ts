/**
 * Local names whose memory is in files, as on macOS: the same promises, and nothing left of it in the folder.
 */
import assert from 'node:assert/strict';
import { readdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import inFiles from '../fixtures/memory-in-files.js';
import { type Child, run, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { platform } from '../support/platform.js';

const skip = platform.lacks.posixFiles;
const env = { SECTILE_LOCAL_STORE: 'file' };
const registry = (scratch: string) => join(runtimeFolder(scratch), `local-${process.geteuid?.()}`);
const entries = (scratch: string) => readdirSync(registry(scratch)).sort();

async function holding(t: TestContext, scratch: string, ...args: unknown[]): Promise<Child> {
  const child = start(t, inFiles, 'holds a section', { scratch, env, args });
  await child.reached('held');
  return child;
}

test('a name is a record and a file of its own, and both go with the last handle', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const child = await holding(t, scratch);
  const [memory = '', record = '', ...others] = entries(scratch);
  assert.deepEqual(others, []);
  assert.match(record, /^[0-9a-f]{64}\.object$/);
  assert.equal(memory, record.replace('.object', '.memory'));
  const { size, mode, blocks } = statSync(join(registry(scratch), memory));
  assert.deepEqual([size, mode & 0o777], [8192, 0o600]);
  assert.ok(blocks * 512 >= size, 'its storage is there before it is used');
  await run(t, inFiles, 'opens it, reads and writes', { scratch, env });
  child.tell('end');
  await child.endsWell();
  assert.deepEqual(entries(scratch), []);
});

test('whoever is killed leaves files, and the name free; who looks next removes them', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const child = await holding(t, scratch);
  await child.kill('SIGKILL');
  assert.equal(entries(scratch).length, 2);
  await run(t, inFiles, 'finds none, and makes another', { scratch, env });
  assert.deepEqual(entries(scratch), []);
});

test('memory that was never published goes when its maker has been killed, and not before', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const child = await holding(t, scratch);
  const start = (await child.reached('start')) as string;
  const space = (await child.reached('space')) as string;
  const living = `${child.pid}-${start}-${space}-0123456789abcdef.new`;
  const dead = `${child.pid}-${BigInt(start) + 1n}-${space}-0123456789abcdef.new`;
  for (const each of [living, dead]) writeFileSync(join(registry(scratch), each), '', { mode: 0o600 });
  await run(t, inFiles, 'makes a section of another name', { scratch, env });
  assert.deepEqual(
    entries(scratch).filter((each) => each.endsWith('.new')),
    [living],
  );
  child.tell('end');
  await child.endsWell();
});

test('who may only read cannot map it for writing; of a sole writer nobody can', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  await run(t, inFiles, 'grants reading alone', { scratch, env });
});

test('pages of a reserved section are committed for all, by a map behind them', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const child = await holding(t, scratch, 'reserved');
  await run(t, inFiles, 'commits a page of it', { scratch, env });
  child.tell('look');
  assert.deepEqual(await child.reached('committed'), [0, 7]);
  child.tell('end');
  await child.endsWell();
});

test('a named section over a file is found by its path', { skip }, async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'data.bin');
  writeFileSync(file, Buffer.alloc(8192, 5));
  const child = await holding(t, scratch, 'file', file);
  await run(t, inFiles, 'opens what is over a file', { scratch, env });
  renameSync(file, `${file}.moved`);
  await run(t, inFiles, 'cannot reach what was moved', { scratch, env });
  child.tell('end');
  await child.endsWell();
  assert.deepEqual(entries(scratch), []);
});

test('a disk without room is an error at create, and nothing is left there', {
  skip: skip || platform.lacks.smallDisk,
}, async (t) => {
  await run(t, inFiles, 'fills a small disk', { env, wrapper: platform.smallDisk });
});
