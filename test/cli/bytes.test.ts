/**
 * `sectile dump`, `write` and `create`: ranges, forms, and how long a section lives.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { start } from '../support/child.js';
import { CommandLine, type ListingJson, type ObjectJson } from './command.js';
import holding from './holding.js';

async function withBytes(t: import('node:test').TestContext, size: number): Promise<CommandLine> {
  const sectile = new CommandLine(t);
  await start(t, holding, 'holds a section with known bytes', { scratch: sectile.scratch, args: ['bytes', size] }).reached(
    'holds',
  );
  return sectile;
}

test('dump shows the range that was asked for', async (t) => {
  const sectile = await withBytes(t, 1000);
  assert.equal(
    await sectile.prints(['dump', 'bytes', '--offset', '0x40', '--length', '20']),
    [
      '00000040  40 41 42 43 44 45 46 47  48 49 4a 4b 4c 4d 4e 4f  |@ABCDEFGHIJKLMNO|',
      '00000050  50 51 52 53                                       |PQRS|',
      '00000054',
      '',
    ].join('\n'),
  );
  assert.equal(
    await sectile.prints(['dump', 'Local\\bytes', '--offset', '996', '--width', '3']),
    ['000003e4  e4 e5 e6  |...|', '000003e7  e7        |.|', '000003e8', ''].join('\n'),
  );
  // A range may reach over the end, but not start there.
  assert.equal((await sectile.prints(['dump', 'bytes', '--offset', '999', '--length', '1K'])).split('\n').length, 3);
  assert.match(await sectile.fails(['dump', 'bytes', '--offset', '1000']), /offset 1000 is beyond its 1000 bytes/);
});

test('dump --raw gives the bytes themselves', async (t) => {
  const sectile = new CommandLine(t);
  const path = join(sectile.scratch, 'file');
  // Texts survive the reader of the test; the zero byte and the windows' borders are what matters.
  const text = `${'0123456789abcde\0'.repeat(200_000)}end`;
  writeFileSync(path, text);
  assert.ok((await sectile.prints(['dump', `file:${path}`, '--raw'])) === text);
  assert.ok(
    (await sectile.prints(['dump', `file:${path}`, '--raw', '--offset', '5', '--length', '2M'])) === text.slice(5, 5 + (2 << 20)),
  );
});

test('dump leaves out what repeats, over the borders of its windows', async (t) => {
  const sectile = new CommandLine(t);
  const path = join(sectile.scratch, 'file');
  const bytes = Buffer.alloc((3 << 20) + 5);
  bytes[0] = 1;
  bytes[(2 << 20) + 33] = 2;
  writeFileSync(path, bytes);
  const zeros = '00 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|';
  assert.equal(
    await sectile.prints(['dump', `file:${path}`]),
    [
      '00000000  01 00 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|',
      `00000010  ${zeros}`,
      '*',
      '00200020  00 02 00 00 00 00 00 00  00 00 00 00 00 00 00 00  |................|',
      `00200030  ${zeros}`,
      '*',
      '00300000  00 00 00 00 00                                    |.....|',
      '00300005',
      '',
    ].join('\n'),
  );
});

test('dump of a sparse section brings none of it to life', async (t) => {
  const sectile = new CommandLine(t);
  await sectile.holds(['create', 'sparse', '--size', '1T', '--reserve']);
  const text = await sectile.prints(['dump', 'sparse', '--offset', '512G', '--length', '64M']);
  assert.match(text, /^8000000000 {2}(00 +){16}\|\.{16}\|\n\*\n8004000000\n$/);
  assert.equal((await sectile.facts<ObjectJson>(['show', 'sparse'])).resident, 0);
});

test('write takes text, digits, files and stdin', async (t) => {
  const sectile = new CommandLine(t);
  await sectile.holds(['create', 'board', '--size', '64K']);
  assert.equal(await sectile.prints(['write', 'board', '--text', 'hello']), '5 bytes written at offset 0\n');
  await sectile.prints(['write', 'board', '--offset', '0x10', '--hex', 'de ad BEEF']);
  const file = join(sectile.scratch, 'file');
  writeFileSync(file, 'from a file');
  await sectile.prints(['write', 'board', '--offset', '32', '--from', file]);
  await sectile.prints(['write', 'board', '--offset', '48'], 'from stdin');
  const text = await sectile.prints(['dump', 'board', '--length', '64']);
  for (const part of ['hello', 'de ad be ef', 'from a file', 'from stdin']) assert.ok(text.includes(part), text);

  const late = await sectile.fails(['write', 'board', '--offset', '65530', '--text', 'too long']);
  assert.match(late, /more bytes than the 6 that fit/);
  assert.match(await sectile.fails(['write', 'board', '--offset', '1M', '--text', 'x']), /more bytes than the 0 that fit/);
  assert.match(await sectile.fails(['write', 'board', '--from', join(sectile.scratch, 'none')]), /ENOENT/);
});

test('create holds a section until it is told to stop', async (t) => {
  const sectile = new CommandLine(t);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const child = await sectile.holds(['create', 'held', '--size', '4K', '--json']);
    const { objects } = await sectile.facts<ListingJson>(['ls', '--local']);
    assert.deepEqual(
      objects.map(({ name, size, holders }) => [name, size, holders[0]?.pid]),
      [['Local\\held', 4096, child.pid]],
    );
    assert.match(await sectile.fails(['create', 'held', '--size', '4K']), /"Local\\held".*exists/);
    const { code, stdout, stderr } = await child.kill(signal);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout), { name: 'Local\\held', size: 4096, access: 'readwrite', pid: child.pid });
    assert.deepEqual((await sectile.facts<ListingJson>(['ls', '--local'])).objects, []);
  }
});

test('create says what it holds, and for how long', async (t) => {
  const sectile = new CommandLine(t);
  const child = await sectile.holds(['create', 'told', '--size', '2M', '--read-only-for-others']);
  assert.match(await sectile.fails(['write', 'told', '--text', 'x']), /only its creator writes/);
  const { stdout } = await child.kill('SIGTERM');
  assert.equal(
    stdout,
    `Local\\told, 2 MiB: it lives as long as somebody holds it, and process ${child.pid} does. Ctrl-C lets it go.\n`,
  );
});

test('create over a file', async (t) => {
  const sectile = new CommandLine(t);
  const file = join(sectile.scratch, 'file');
  writeFileSync(file, 'content');
  await sectile.holds(['create', 'over', '--file', file, '--size', '8K']);
  await sectile.prints(['write', 'over', '--offset', '4K', '--text', 'more']);
  assert.match(await sectile.prints(['dump', 'over']), /\|content\.+\|[\s\S]*\|more\.+\|[\s\S]*00002000\n$/);
  assert.match(await sectile.fails(['create', 'other', '--file', join(sectile.scratch, 'none')]), /none/);
});
