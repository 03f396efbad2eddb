/**
 * `sectile ls`, `show`, `dump`, `create`, `write`, `doctor` and `bench` where the kernel keeps the objects.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import { CommandLine, type ListingJson, type ObjectJson } from '../cli/command.js';

const name = (leaf: string): string => `inspected-${process.pid}-${leaf}`;

test('ls lists the session and the machine, and who holds what', async (t) => {
  const line = new CommandLine(t);
  using mine = Section.create({ name: name('mine'), size: 100_000 });
  using machine = Section.create({ name: `Global\\${name('machine')}`, size: 4096, security: 'D:(A;;GA;;;WD)' });
  using sparse = Section.create({ name: name('sparse'), size: 2 ** 24, reserve: true });
  using second = Section.open(name('mine'), { access: 'read' });
  const { objects, problems } = await line.facts<ListingJson>(['ls']);
  const found = (full: string | undefined): ObjectJson => {
    const object = objects.find((each) => each.name === full);
    assert.ok(object !== undefined, `${full} is not listed`);
    return object;
  };
  assert.deepEqual(problems, []);
  const { scope, kind, size, holders } = found(mine.name);
  assert.deepEqual([scope, kind, size], ['local', 'section', 102_400]);
  assert.deepEqual(
    holders.map(({ pid, handles, command }) => [pid, handles, command]),
    [[process.pid, 2, 'node.exe']],
  );
  assert.equal(found(machine.name).scope, 'global');
  assert.match(found(machine.name).security ?? '', /;;;WD\)/);
  assert.equal(found(sparse.name).reserved, true);
  assert.equal(second.access, 'read');
  assert.ok(objects.some(({ kind: other }) => other === 'event' || other === 'mutant'));

  const local = await line.facts<ListingJson>(['ls', '--local']);
  assert.ok(local.objects.every((each) => each.scope === 'local'));
  const text = await line.prints(['ls', '--global']);
  assert.match(text, /^Global: names of the whole machine/);
});

test('show tells of one object, whatever the case of its name, and says what is not there', async (t) => {
  const line = new CommandLine(t);
  using section = Section.create({ name: name('Shown'), size: 4096, security: 'D:(A;;GR;;;WD)' });
  const facts = await line.facts<ObjectJson>(['show', name('shown')]);
  assert.deepEqual([facts.name, facts.size, facts.holders[0]?.pid], [section.name, 4096, process.pid]);
  assert.match(await line.prints(['show', name('Shown')]), /everyone may: read, query/);
  assert.match(await line.fails(['show', name('absent')]), /nobody of this session holds a section of that name/);
  assert.match(await line.fails(['show', 'posix:/x']), /POSIX shared memory: this system has none/);
});

test('dump shows the bytes of others, and wakes no page of a sparse section', async (t) => {
  const line = new CommandLine(t);
  using section = Section.create({ name: name('dumped'), size: 4096 });
  using view = section.map();
  view.bytes.set(Buffer.from('a section'), 16);
  assert.equal(await line.prints(['dump', name('dumped'), '--offset', '16', '--length', '9', '--raw']), 'a section');
  using sparse = Section.create({ name: name('far'), size: 2 ** 24, reserve: true });
  using there = sparse.map();
  there.write(Buffer.from('far'), 2 ** 20);
  const rows = (await line.prints(['dump', name('far'), '--offset', '0xfffe0', '--length', '64'])).split('\n');
  assert.match(rows[0] ?? '', /^000fffe0 {2}00 00/);
  assert.ok(rows.some((row) => /^00100000 {2}66 61 72 00/.test(row)));
  assert.match(await line.fails(['dump', name('absent')]), /it does not exist/);
});

test('create holds a section that write fills, in other processes', async (t) => {
  const line = new CommandLine(t);
  const holder = await line.holds(['create', name('made'), '--size', '64K']);
  await line.prints(['write', name('made'), '--offset', '8'], 'written');
  using section = Section.open(name('made'), { access: 'read' });
  using view = section.map();
  assert.equal(Buffer.from(view.bytes.subarray(8, 15)).toString(), 'written');
  holder.kill();
  await holder.ended;
});

test('doctor finds sections that work', async (t) => {
  const line = new CommandLine(t);
  const { findings } = await line.facts<{ findings: readonly { key: string; state: string }[] }>(['doctor']);
  const states = new Map(findings.map(({ key, state }) => [key, state]));
  assert.equal(states.get('kernel.sections'), 'ok');
  assert.equal(states.get('names.listing'), 'ok');
  assert.ok([...states.values()].every((state) => state !== 'problem'));
});

test('bench measures, with a second process', async (t) => {
  const line = new CommandLine(t);
  const { sweep } = await line.facts<{ sweep: readonly { size: number; section?: number }[] }>(['bench']);
  assert.ok(sweep.length > 5);
});

test('what needs a system process says that the kernel is the system’s own', async (t) => {
  const line = new CommandLine(t);
  for (const args of [['system', 'status'], ['system', 'start'], ['driver', 'ls'], ['demo']]) {
    assert.match(await line.fails(args), new RegExp(`^sectile: ${args.join(' ')}: here the kernel is Windows' own`));
  }
});
