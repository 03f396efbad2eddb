/**
 * `sectile ls` and `sectile show`: the counts of real holders, and every kind of memory.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Child, start } from '../support/child.js';
import { platform } from '../support/platform.js';
import { CommandLine, type ListingJson, type ObjectJson } from './command.js';
import holding from './holding.js';

const MIB = 1 << 20;

async function holder(
  t: TestContext,
  sectile: CommandLine,
  title: string,
  ...args: unknown[]
): Promise<{ child: Child; value: unknown }> {
  const child = start(t, holding, title, { scratch: sectile.scratch, args });
  return { child, value: await child.reached('holds') };
}

function named(listing: ListingJson, name: string): ObjectJson {
  const found = listing.objects.find((each) => each.name === name);
  assert.ok(found, `no ${name} among ${listing.objects.map((each) => each.name).join(', ')}`);
  return found;
}

test('nothing is there at first', async (t) => {
  const sectile = new CommandLine(t);
  const listing = await sectile.facts<ListingJson>(['ls', '--local', '--global']);
  assert.deepEqual([listing.objects, listing.problems, listing.system], [[], [], { running: false, pid: null }]);
  assert.match(await sectile.prints(['ls']), /no system process runs/);
});

test('handles and views of real holders are counted', async (t) => {
  const sectile = new CommandLine(t);
  const { child: first } = await holder(t, sectile, 'holds two handles and four views');
  const { child: second } = await holder(t, sectile, 'opens a section and maps it once', 'frames');
  const frames = named(await sectile.facts<ListingJson>(['ls']), 'Local\\frames');
  assert.equal(frames.size, 3 * MIB);
  assert.equal(frames.resident, 3 * MIB);
  assert.deepEqual([frames.scope, frames.kind, frames.backing, frames.reserved], ['local', 'section', 'pagefile', false]);
  const counts = frames.holders.map(({ pid, handles, views, kernel }) => ({ pid, handles, views, kernel }));
  assert.deepEqual(
    counts.sort((a, b) => b.views - a.views),
    [
      { pid: first.pid, handles: 2, views: 4, kernel: false },
      { pid: second.pid, handles: 1, views: 1, kernel: false },
    ],
  );
  assert.match(frames.holders[0]?.command ?? '', /holding\.js/);

  second.tell('end');
  await second.endsWell();
  assert.deepEqual(
    named(await sectile.facts<ListingJson>(['ls']), 'Local\\frames').holders.map(({ pid }) => pid),
    [first.pid],
  );
  await first.kill();
  assert.deepEqual((await sectile.facts<ListingJson>(['ls', '--local'])).objects, []);
});

test('show tells addresses, rights and who may do what', async (t) => {
  const sectile = new CommandLine(t);
  const { child, value: partAddress } = await holder(t, sectile, 'holds two handles and four views');
  const facts = await sectile.facts<ObjectJson>(['show', 'frames']);
  const [only] = facts.holders;
  assert.ok(only?.mappings);
  assert.deepEqual(only.mappings.map(({ access }) => access).sort(), ['copy', 'read', 'readwrite', 'readwrite']);
  const part = only.mappings.find(({ offset }) => offset === MIB);
  assert.equal(part?.address, String(partAddress));
  assert.match(facts.security ?? '', /^O:.*D:/);

  const text = await sectile.prints(['show', 'Local\\frames']);
  assert.match(text, /3 MiB \(3145728 bytes\), 3 MiB of it in memory/);
  assert.match(text, /owned by user \d+/);
  assert.match(text, new RegExp(`${child.pid} node holding\\.js.*: 2 handles \\(everything\\), 4 views`));
  assert.match(text, new RegExp(`0x${(partAddress as bigint).toString(16)}`));
});

test("a sole writer's own bookkeeping is no view", async (t) => {
  const sectile = new CommandLine(t);
  const { child } = await holder(t, sectile, 'is the sole writer of a section, with two views');
  const { soleWriter, holders } = named(await sectile.facts<ListingJson>(['ls', '--local']), 'Local\\sole');
  assert.equal(soleWriter, true);
  assert.deepEqual(
    holders.map(({ pid, handles, views }) => [pid, handles, views]),
    [[child.pid, 1, 2]],
  );
});

test('sparse, file-backed and strangely named sections', async (t) => {
  const sectile = new CommandLine(t);
  const strange = 'a\u001b[31m\u202eb c';
  await holder(t, sectile, 'holds sparse, file-backed and strangely named sections', strange);
  const listing = await sectile.facts<ListingJson>(['ls', '--local']);
  const sparse = named(listing, 'Local\\sparse');
  assert.deepEqual([sparse.size, sparse.resident, sparse.reserved], [2 ** 40, 0, true]);
  const data = named(listing, 'Local\\data');
  assert.deepEqual([data.backing, data.size, data.file], ['file', 10_000, join(sectile.scratch, 'data.bin')]);
  assert.ok(data.resident !== null && data.resident >= 10_000);
  assert.deepEqual(
    data.holders.map(({ views }) => views),
    [1],
  );
  assert.equal(named(listing, `Local\\${strange}`).size, 1);
  const text = await sectile.prints(['ls', '--local']);
  assert.ok(text.includes('a\\u{1b}[31m\\u{202e}b c'), text);
  assert.ok((await sectile.prints(['show', strange])).includes('1 byte'));
  const file = await sectile.facts<ObjectJson>(['show', `file:${join(sectile.scratch, 'data.bin')}`]);
  assert.equal(file.kind, 'file');
  assert.deepEqual(
    file.holders.map(({ handles, views }) => [handles >= 1, views]),
    [[true, 1]],
  );
});

test('memory without a name is found by its holders', { skip: platform.lacks.seals }, async (t) => {
  const sectile = new CommandLine(t);
  const { child } = await holder(t, sectile, 'holds what has no name');
  // Others have memory that /proc calls the same.
  await holder(t, sectile, 'holds what has no name', 3);
  const { objects } = await sectile.facts<ListingJson>(['ls', '--foreign']);
  const ours = objects.filter(({ holders }) => holders.some(({ pid }) => pid === child.pid));
  const facts = ours.map(({ kind, file, holders }) => [kind, file, holders[0]?.handles, holders[0]?.views]);
  assert.deepEqual(
    facts.sort((a, b) => Number(b[2]) - Number(a[2])),
    [
      ['memfd', '/memfd:sectile:', 1, 1],
      ['memfd', '/memfd:sectile:Local\\gone', 0, 1],
    ],
  );
  const unnamed = ours.find(({ file }) => file === '/memfd:sectile:');
  assert.match(unnamed?.name ?? '', new RegExp(`^fd:${child.pid}/\\d+$`));
  const shown = await sectile.facts<ObjectJson>(['show', unnamed?.name ?? '']);
  assert.deepEqual([shown.inode, shown.holders.map(({ handles, views }) => [handles, views])], [unnamed?.inode, [[1, 1]]]);
  assert.match(await sectile.prints(['dump', unnamed?.name ?? '', '--length', '16']), /^00000000 {2}00 00/);
});

test('objects of shm_open are foreign, held or not', async (t) => {
  const sectile = new CommandLine(t);
  const leaf = `sectile-test-${randomBytes(6).toString('hex')}`;
  const path = `/dev/shm/${leaf}`;
  writeFileSync(path, Buffer.alloc(5000, 1), { mode: 0o640 });
  t.after(() => rmSync(path, { force: true }));
  const nobody = named(await sectile.facts<ListingJson>(['ls', '--foreign']), `posix:/${leaf}`);
  assert.deepEqual(
    [nobody.kind, nobody.backing, nobody.size, nobody.resident, nobody.holders],
    ['posix', 'posix', 5000, 8192, []],
  );

  const descriptor = openSync(path, 'r');
  t.after(() => closeSync(descriptor));
  const { holders } = await sectile.facts<ObjectJson>(['show', `posix:/${leaf}`]);
  assert.deepEqual(
    holders.map(({ pid, handles, views }) => [pid, handles, views]),
    [[process.pid, 1, 0]],
  );
  assert.match(await sectile.prints(['show', `posix:/${leaf}`]), /mode 0640/);
});

test('a damaged record is told of, and the rest is listed', async (t) => {
  const sectile = new CommandLine(t);
  const { child } = await holder(t, sectile, 'holds a section with known bytes', 'sound', 4096);
  const registry = join(sectile.runtime, readdirSync(sectile.runtime).find((each) => each.startsWith('local-')) ?? '');
  const before = new Set(readdirSync(registry));
  await holder(t, sectile, 'holds a section with known bytes', 'broken', 4096);
  const broken = readdirSync(registry).find((each) => each.endsWith('.object') && !before.has(each)) ?? '';
  truncateSync(join(registry, broken), 20);

  const { code, stdout, stderr } = await sectile.run(['ls', '--local', '--json']);
  const listing = JSON.parse(stdout) as ListingJson;
  assert.equal(code, 0);
  assert.deepEqual(
    named(listing, 'Local\\sound').holders.map(({ pid }) => pid),
    [child.pid],
  );
  assert.deepEqual(
    listing.problems.map((each) => each.code),
    ['ERR_SECTION_REGISTRY_DAMAGED'],
  );
  assert.match(stderr, /^sectile: .*damaged.*\n$/);
  assert.match(await sectile.fails(['show', 'broken']), /damaged/);
});

test('a runtime directory that cannot be trusted is a failure', async (t) => {
  const sectile = new CommandLine(t);
  const { code, stdout, stderr } = await sectile.start(['ls', '--local'], { env: { SECTILE_RUNTIME_DIR: 'relative' } }).ended;
  assert.equal(code, 1);
  assert.match(stdout, /unknown, see below/);
  assert.match(stderr, /^sectile: [^\n]*absolute path[^\n]*\n$/);
});

for (const scope of ['local', 'global'] as const) {
  test(`${scope} objects of other kinds are listed as what they are, with the directories that hold them`, async (t) => {
    const sectile = new CommandLine(t);
    if (scope === 'global') await sectile.run(['system', 'start']);
    await holder(t, sectile, 'holds an event in a directory, and a link', scope);
    const prefix = scope === 'global' ? 'Global' : 'Local';
    const { objects } = await sectile.facts<ListingJson>(['ls', `--${scope}`]);
    assert.deepEqual(
      objects.map(({ name, kind, holders }) => [name, kind, holders.length]),
      [
        [`${prefix}\\link`, 'symbolic link', 1],
        [`${prefix}\\things`, 'directory', 1],
        [`${prefix}\\things\\started`, 'event', 1],
      ],
    );
    assert.match(await sectile.prints(['ls', `--${scope}`]), /NAME +KIND .*things\\started +event /s);
    assert.match(await sectile.prints(['show', `${prefix}\\things`]), /Kind +directory.*: everything/s);
    if (scope === 'global') await sectile.run(['system', 'stop']);
  });
}
