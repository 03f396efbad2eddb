/**
 * `sectile system` and `sectile driver`: the background process, its drivers, and its end.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { notRoot } from '../support/child.js';
import { NOBODY, startUser } from '../support/system.js';
import { CommandLine, type ListingJson, type ObjectJson } from './command.js';

const good = `
export function DriverEntry(driverObject) {
  console.log('entered', driverObject.DriverName);
  driverObject.DriverUnload = () => {};
  return 0;
}`;
const bad = `export function DriverEntry() { throw new Error('no camera'); }`;

interface StatusJson {
  readonly running: boolean;
  readonly pid: number;
  readonly drivers: number;
  readonly objects: number;
  readonly socket: string;
}

function drivers(sectile: CommandLine): void {
  writeFileSync(join(sectile.scratch, 'good.mjs'), good);
  writeFileSync(join(sectile.scratch, 'bad.mjs'), bad);
}

test('start, status and stop', async (t) => {
  const sectile = new CommandLine(t);
  const none = await sectile.run(['system', 'status', '--json']);
  assert.deepEqual([none.code, JSON.parse(none.stdout)], [1, { running: false }]);

  const started = await sectile.facts<StatusJson & { log: string }>(['system', 'start']);
  assert.deepEqual(
    [started.running, started.socket, started.log],
    [true, join(sectile.runtime, 'system.socket'), join(sectile.runtime, 'system.log')],
  );
  assert.equal(statSync(started.log).mode & 0o777, 0o600);
  assert.equal((await sectile.facts<StatusJson>(['system', 'status'])).pid, started.pid);
  assert.match(await sectile.prints(['system', 'status']), new RegExp(`^System process ${started.pid}\n`));
  assert.match(await sectile.fails(['system', 'start']), new RegExp(`runs already, process ${started.pid}`));
  assert.match(readFileSync(started.log, 'utf8'), /listens at/, 'a second start leaves the log alone');

  assert.match(await sectile.prints(['system', 'stop']), new RegExp(`System process ${started.pid} has stopped`));
  assert.equal(existsSync(`/proc/${started.pid}/exe`), false);
  assert.equal(existsSync(started.socket), false);
});

test('global sections are listed with their holders', async (t) => {
  const sectile = new CommandLine(t);
  const { pid: systemPid } = await sectile.facts<StatusJson>(['system', 'start']);
  const child = await sectile.holds([
    'create',
    'Global\\shared',
    '--size',
    '1M',
    '--security',
    'D:(A;;GA;;;OW)(A;;GR;;;WD)(A;;GA;;;SY)',
  ]);
  const listing = await sectile.facts<ListingJson>(['ls', '--global']);
  assert.deepEqual(listing.system, { running: true, pid: systemPid });
  const [shared, ...others] = listing.objects;
  assert.equal(others.length, 0);
  assert.deepEqual([shared?.name, shared?.scope, shared?.size, shared?.resident], ['Global\\shared', 'global', 1 << 20, 1 << 20]);
  assert.deepEqual(
    shared?.holders.map(({ pid, handles, views }) => [pid, handles, views]),
    [[child.pid, 1, 0]],
  );
  assert.match(await sectile.prints(['show', 'Global\\shared']), /everyone may: read, query/);
  assert.match(await sectile.fails(['show', 'Global\\other']), /no section of that name/);
  await sectile.prints(['write', 'Global\\shared', '--text', 'global']);
  assert.match(await sectile.prints(['dump', 'Global\\shared', '--length', '16']), /\|global\.+\|/);
  assert.equal((await child.kill('SIGTERM')).code, 0);
  assert.deepEqual((await sectile.facts<ListingJson>(['ls', '--global'])).objects, []);
});

test('drivers load at start and later, and unload', async (t) => {
  const sectile = new CommandLine(t);
  drivers(sectile);
  // Relative to where the command runs, not to where the system process does.
  const started = await sectile.facts<StatusJson>([
    'system',
    'start',
    '--driver',
    'good.mjs',
    '--set',
    'rate=60',
    '--max-bytes',
    '1G',
  ]);
  assert.equal(started.drivers, 1);
  const listed = await sectile.facts<{ drivers: { name: string; file: string }[] }>(['driver', 'ls']);
  assert.deepEqual(
    listed.drivers.map(({ name, file }) => [name, file]),
    [['good', join(sectile.scratch, 'good.mjs')]],
  );
  assert.match(await sectile.prints(['driver', 'ls']), /good .*good\.mjs/);
  assert.match(await sectile.fails(['driver', 'load', 'bad.mjs']), /it threw: no camera/);
  assert.match(await sectile.fails(['driver', 'load', 'none.mjs']), /there is no such file/);
  await sectile.prints(['driver', 'unload', 'good']);
  await sectile.fails(['driver', 'unload', 'good']);
  assert.match(await sectile.prints(['driver', 'ls']), /no driver is loaded/);
  const loaded = await sectile.facts<{ name: string }>(['driver', 'load', 'good.mjs', '--set', 'a=b']);
  assert.equal(loaded.name, 'good');
});

test('a start that fails says why in one line, and leaves nothing', async (t) => {
  const sectile = new CommandLine(t);
  drivers(sectile);
  for (const file of ['bad.mjs', 'none.mjs']) {
    assert.match(await sectile.fails(['system', 'start', '--driver', file]), /(no camera|no such file).*--foreground/);
    assert.equal((await sectile.run(['system', 'status'])).code, 1);
    assert.equal(existsSync(join(sectile.runtime, 'system.socket')), false);
  }
});

test('limits reach the system process', async (t) => {
  const sectile = new CommandLine(t);
  await sectile.prints(['system', 'start', '--max-bytes', '1M']);
  assert.match(await sectile.fails(['create', 'Global\\large', '--size', '2M']), /1048576|1 MiB|limit/i);
});

test('--foreground logs here, and ends well by a signal or by stop', async (t) => {
  const sectile = new CommandLine(t);
  for (const end of ['SIGINT', 'SIGTERM', 'stop'] as const) {
    const child = await sectile.holds(['system', 'start', '--foreground']);
    assert.equal((await sectile.facts<StatusJson>(['system', 'status'])).pid, child.pid);
    if (end === 'stop') await sectile.prints(['system', 'stop']);
    else child.process.kill(end);
    const { code, signal, stdout } = await child.ended;
    assert.deepEqual([code, signal], [0, null]);
    assert.match(stdout, /listens at[\s\S]*stopped/);
  }
});

test('--until-input-ends: it goes with the program that started it', async (t) => {
  const sectile = new CommandLine(t);
  const child = await sectile.holds(['system', 'start', '--foreground', '--until-input-ends']);
  assert.equal((await sectile.facts<StatusJson>(['system', 'status'])).pid, child.pid);
  child.process.stdin?.end();
  const { code, signal, stdout } = await child.ended;
  assert.deepEqual([code, signal], [0, null]);
  assert.match(stdout, /stopped/);
});

test('ls and show tell the drivers of the system process from its clients', async (t) => {
  const sectile = new CommandLine(t);
  const source = `
import * as k from ${JSON.stringify(new URL('../../dist/nt/ntddk.js', import.meta.url).href)};
export function DriverEntry() {
  const oa = k.InitializeObjectAttributes('\\\\BaseNamedObjects\\\\kernel', k.OBJ_KERNEL_HANDLE, null, 'D:(A;;GR;;;WD)(A;;GA;;;SY)');
  const { status, sectionHandle } = k.ZwCreateSection(k.SECTION_ALL_ACCESS, oa, 8192, k.PAGE_READWRITE, k.SEC_COMMIT, null);
  if (status !== 0) return status;
  return k.ZwMapViewOfSection(sectionHandle, k.NtCurrentProcess(), null, 0, 0, null, 0, k.ViewUnmap, 0, k.PAGE_READWRITE).status;
}`;
  writeFileSync(join(sectile.scratch, 'kernel.mjs'), source);
  const { pid } = await sectile.facts<StatusJson>(['system', 'start', '--driver', 'kernel.mjs']);
  const { holders } = await sectile.facts<ObjectJson>(['show', 'Global\\kernel']);
  assert.deepEqual(
    holders.map((each) => [each.pid, each.kernel, each.handles, each.views]),
    [[pid, true, 1, 1]],
  );
});

test('users who may create global sections are named or numbered', { skip: notRoot }, async (t) => {
  const sectile = new CommandLine(t);
  for (const user of ['no-such-user', '4294967295', '-1', ''])
    assert.match((await sectile.run(['system', 'start', `--grant-global=${user}`])).stderr, /name or the number of a user/);
  const nobody = await startUser(t, { scratch: sectile.scratch, ...NOBODY });
  const order = { key: 's', name: { scope: 'global', leaf: 's' }, kind: 'Section' };
  for (const [users, may] of [
    [['7', 'nobody'], true],
    [['7'], false],
    [['all', '7'], true],
  ] as const) {
    await sectile.prints(['system', 'start', ...users.flatMap((user) => ['--grant-global', user])]);
    if (may) await nobody.succeeds('create', order);
    else await nobody.fails('ERR_SECTION_ACCESS_DENIED', 'create', order);
    await sectile.prints(['system', 'stop']);
  }
});
