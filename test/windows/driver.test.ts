/**
 * The WDM driver in the kernel, driven from TypeScript: its sections opened, mapped, read, written under the lock,
 * refused beyond their rights; what hostile and dying applications do to it; and how it goes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Section } from 'sectile';
import * as kernel32 from 'sectile/kernel32';
import { DriverConnection, DriverError } from '../../dist/drivers/windows-wdm/connection.js';
import { LockWord, MAGIC, SectionNames } from '../../dist/drivers/windows-wdm/protocol.js';
import { Driver, noDrivers, prints, program } from './programs.js';

const run = promisify(execFile);
const SAMPLE = `Global\\${SectionNames.sample}`;
const CONTROLS = `Global\\${SectionNames.controls}`;
const STATUS_INVALID_PARAMETER = 0xc000_000d;
const ERROR_ACCESS_DENIED = 5;

/** What the driver's section is refused with by either system. */
const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;

async function loaded(t: TestContext): Promise<Driver> {
  const driver = new Driver(t, 'SectileWdm');
  await driver.load();
  return driver;
}

function connected(t: TestContext): DriverConnection {
  const connection = DriverConnection.open();
  t.after(() => connection.close());
  return connection;
}

/** The first sample after this one. */
async function next(connection: DriverConnection, number: bigint) {
  for (;;) {
    const sample = connection.read();
    if (sample.number > number) return sample;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test('the section of a driver is opened, mapped and read', { skip: noDrivers }, async (t) => {
  await loaded(t);
  const connection = connected(t);
  assert.ok(connection.isLive);
  const first = await next(connection, 0n);
  const second = await next(connection, first.number);
  assert.ok(second.time > first.time);
  assert.equal(second.interval, 20);
  assert.ok(second.processors >= 1 && second.processors <= 4096);
  const taken = Number(second.wallClock / 10_000n - 11_644_473_600_000n);
  assert.ok(Math.abs(taken - Date.now()) < 60_000, `the driver's clock says ${new Date(taken).toISOString()}`);
});

test('controls are written under the lock, and the driver takes what can be', { skip: noDrivers }, async (t) => {
  await loaded(t);
  const connection = connected(t);
  await connection.set({ slot: 2, amount: 5n });
  await connection.set({ slot: 7, amount: 2n ** 63n });
  await connection.set({ slot: 2, amount: 10n });
  assert.deepEqual(connection.read().tally, [0n, 0n, 15n, 0n, 0n, 0n, 0n, 2n ** 63n]);
});

test('an index beyond its array is refused by the driver, and nothing is changed', { skip: noDrivers }, async (t) => {
  const driver = await loaded(t);
  const connection = connected(t);
  for (const slot of [8, 0x7fff_ffff, 0xffff_ffff])
    await assert.rejects(
      connection.set({ slot, amount: 1n }),
      (error) => error instanceof DriverError && error.status === STATUS_INVALID_PARAMETER,
    );
  assert.deepEqual(connection.read().tally, Array(8).fill(0n));
  assert.match(await driver.client('counts'), /requests 0, refused 3, leases 0, faults 0/);
});

test('what is not granted is refused by the kernel', { skip: noDrivers }, async (t) => {
  await loaded(t);
  assert.throws(() => Section.open(SAMPLE, { access: 'readwrite' }), code('ERR_SECTION_ACCESS_DENIED'));
  for (const access of [kernel32.FILE_MAP_WRITE, kernel32.FILE_MAP_ALL_ACCESS]) {
    assert.equal(kernel32.OpenFileMapping(access, false, SAMPLE), 0);
    assert.equal(kernel32.GetLastError(), ERROR_ACCESS_DENIED);
  }
  using section = Section.open(SAMPLE, { access: 'read' });
  assert.throws(() => section.map({ access: 'readwrite' }), code('ERR_SECTION_ACCESS_DENIED'));
  using controls = Section.open(CONTROLS, { access: 'readwrite' });
  assert.equal(controls.access, 'readwrite');
  assert.equal(kernel32.OpenFileMapping(kernel32.FILE_MAP_ALL_ACCESS, false, CONTROLS), 0);
});

test("a write to a view for reading never reaches the driver's section", { skip: noDrivers }, async (t) => {
  await loaded(t);
  using section = Section.open(SAMPLE, { access: 'read' });
  using view = section.map({ access: 'read' });
  const before = Buffer.from(view.bytes.subarray(0, 4)).toString('hex');
  view.bytes[0] = 0xee;
  using other = section.map({ access: 'read' });
  assert.equal(Buffer.from(other.bytes.subarray(0, 4)).toString('hex'), before);
  assert.ok(connected(t).isLive);
});

test('a native application sees what TypeScript set, and the other way round', { skip: noDrivers }, async (t) => {
  const driver = await loaded(t);
  const connection = connected(t);
  await connection.set({ slot: 1, amount: 4n });
  const native = await driver.client('write');
  assert.equal(native, 'request 2: 00000000\n');
  const sample = connection.read();
  assert.deepEqual([sample.request, sample.status, sample.tally[1]], [2, 0, 8n]);
  assert.match(await driver.client('read', '2'), /^sample \d+ at \d+, request 2: 00000000, every 20 ms\nsample /);
});

test('a lock that a killed application leaves is taken from it', { skip: noDrivers }, async (t) => {
  const driver = await loaded(t);
  const connection = connected(t);
  const taker = `
    import { Section } from ${JSON.stringify(import.meta.resolve('sectile'))};
    const section = Section.open(${JSON.stringify(CONTROLS)}, { access: 'readwrite' });
    const lock = section.map({ access: 'readwrite' }).as(Int32Array);
    while (Atomics.compareExchange(lock, ${LockWord.owner}, 0, 77) !== 0);
    process.exit(0);`;
  await run(process.execPath, ['--input-type=module', '--eval', taker]);
  await connection.set({ slot: 0, amount: 1n });
  assert.equal(connection.read().leases, 1);
  assert.match(await driver.client('hold'), /lost/);
  await connection.set({ slot: 0, amount: 1n });
  assert.deepEqual([connection.read().tally[0], connection.read().leases], [2n, 2]);
});

test('two applications that write at the same time lose nothing that was confirmed', { skip: noDrivers }, async (t) => {
  const driver = await loaded(t);
  await driver.client('interval', '1');
  const connections = [connected(t), connected(t)];
  let confirmed = 0n;
  await Promise.all(
    connections.map(async (connection) => {
      for (let round = 0; round < 40; round++) {
        const outcome = await connection.set({ slot: 3, amount: 1n }).catch((error: Error) => error);
        if (outcome === undefined) confirmed++;
        else assert.match(outcome.message, /another application set other values|the lock was lost/);
      }
    }),
  );
  const [tally = 0n] = [connections[0]?.read().tally[3]];
  assert.ok(confirmed > 0n && tally >= confirmed && tally <= 80n, `${confirmed} confirmed, ${tally} counted`);
});

test('random bytes in every field that applications may write neither end nor hang the driver', {
  skip: noDrivers,
}, async (t) => {
  const driver = await loaded(t);
  await driver.client('interval', '1');
  const connection = connected(t);
  using section = Section.open(CONTROLS, { access: 'readwrite' });
  using view = section.map({ access: 'readwrite' });
  const words = view.as(Int32Array);
  const end = performance.now() + Number(process.env['SECTILE_FUZZ_SECONDS'] ?? 2) * 1000;
  let sample = connection.read();
  for (let round = 0; performance.now() < end; round++) {
    for (let index = 0; index < words.length; index++) words[index] = (Math.random() * 2 ** 32) | 0;
    // Let some through: with the lock free the driver looks at the rest.
    if (round % 2 === 0) words[LockWord.owner] = 0;
    const now = await next(connection, sample.number);
    assert.ok(now.tally.length === 8 && now.number > sample.number);
    sample = now;
  }
  words[LockWord.owner] = 0;
  await connection.set({ slot: 0, amount: 0n });
  assert.match(await driver.client('counts'), /faults 0/);
});

test('a driver that is unloaded leaves its last sample to those who have a view, and then no name', {
  skip: noDrivers,
}, async (t) => {
  const driver = await loaded(t);
  const connection = connected(t);
  const { number } = connection.read();
  await driver.unload();
  assert.equal(connection.isLive, false);
  assert.ok(connection.read().number >= number);
  await assert.rejects(driver.client('counts'), /open the device: error 2/);
  connection.close();
  for (const name of [SAMPLE, CONTROLS]) assert.throws(() => Section.open(name), code('ERR_SECTION_NOT_FOUND'));
  assert.throws(() => DriverConnection.open(), code('ERR_SECTION_NOT_FOUND'));
  await assert.rejects(driver.client('read'), /error 2/);
  await driver.load();
  assert.ok((await next(connected(t), 0n)).number < number + 100n);
});

test('a name that somebody has taken is not taken over by the driver', { skip: noDrivers }, async (t) => {
  const squatter = Section.create({ name: SAMPLE, size: 4096 });
  t.after(() => squatter.close());
  await assert.rejects(loaded(t), /StartService/);
  squatter.close();
  const driver = await loaded(t);
  assert.match(await driver.client('read', '1'), /^sample /);
});

test('a section that is not of this layout is told', { skip: noDrivers }, () => {
  const small = Section.create({ name: SAMPLE, size: 16 });
  assert.throws(() => DriverConnection.open(), /has \d+ bytes, and the layout|has no header/);
  small.close();
  using strange = Section.create({ name: SAMPLE, size: 4096 });
  assert.throws(() => DriverConnection.open(), /has no header/);
  using view = strange.map();
  view.as(Uint32Array).set([MAGIC, 0x1234]);
  assert.throws(() => DriverConnection.open(), /has layout 1234, this application/);
});

test('what the system grants a native application', { skip: noDrivers }, async (t) => {
  const driver = await loaded(t);
  assert.deepEqual((await driver.client('rights')).trimEnd().split('\n'), [
    'open samples for writing: 5',
    'open samples for everything: 5',
    // Wine runs drivers and programs for one user: the owner of an object may always change its security.
    'open samples to change their security: 5',
    'open controls for everything: 5',
    'open samples for reading: 0',
    'map samples for writing: 5',
    'map samples for reading: 0',
    'make a mapped page writable: 87',
  ]);
});

test('the application of the kit prints what the driver publishes', { skip: noDrivers }, async (t) => {
  await loaded(t);
  const application = fileURLToPath(new URL('../../dist/drivers/windows-wdm/application.js', import.meta.url));
  const lines = (await prints(process.execPath, application, '3')).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => Object.keys(JSON.parse(line) as object).length),
    [9, 9, 9],
  );
});

test('accesses of the driver that raise an exception are told, and leave registers and stack as they were', {
  skip: noDrivers,
}, async () => {
  assert.deepEqual((await prints(program('guarded.exe'))).trimEnd().split('\n'), [
    'copy there 00000000 local',
    'copy nothing 00000000',
    'copy to gone c0000006',
    'copy from gone c0000006 local',
    'copy across c0000006 xxxal',
    'compare equal 00000000 5 6',
    'compare other 00000000 6 6',
    'compare gone c0000006 -1',
    'exchange there 00000000 8',
    'exchange gone c0000006',
    'exchange read-only c0000006 8',
    'rounds 1000',
  ]);
});
