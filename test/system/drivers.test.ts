/**
 * Drivers that fail, whenever and however: each is unloaded, what it held is taken back, its error is
 * reported, and the system process goes on with the others. And drivers in TypeScript; and kernel mode,
 * which there is in the system process alone.
 */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { behaviours, typescript } from '../fixtures/drivers/behaviours.js';
import { type Child, scratchFolder } from '../support/child.js';
import { withCode } from '../support/errors.js';
import { eventually } from '../support/processes.js';
import { type Client, startClient, startSystem } from '../support/system.js';

interface Running {
  readonly system: Child;
  readonly client: Client;
  file(name: string): string;
}

async function running(t: TestContext): Promise<Running> {
  const scratch = scratchFolder(t);
  const file = (name: string) => {
    const path = join(scratch, `${name}.mjs`);
    writeFileSync(path, behaviours[name] ?? '');
    return path;
  };
  const system = await startSystem(t, { scratch, drivers: [{ file: file('good') }] });
  return { system, client: await startClient(t, { scratch }), file };
}

/** The system process goes on: its first driver is there, what the other one held is not. */
async function assertGoesOn({ client, system }: Running, name: string): Promise<void> {
  await client.fails('ERR_SECTION_NOT_FOUND', 'open', { name: `Global\\${name}` });
  assert.deepEqual(await client.succeeds('drivers'), ['good']);
  assert.equal(((await client.succeeds('open', { name: 'Global\\good' })) as { first: number }).first, 42);
  await client.succeeds('closeAll');
  assert.equal(((await client.succeeds('status')) as { objects: number }).objects, 1);
  assert.equal(system.process.exitCode, null);
}

for (const [name, why] of [
  ['entry', /it threw: thrown in DriverEntry/],
  ['status', /DriverEntry returned STATUS_INSUFFICIENT_RESOURCES/],
  ['nothing', /must return an NTSTATUS/],
  ['rejects', /it threw: thrown after a promise/],
  ['device', /it threw: thrown in AddDevice/],
  ['refuses', /AddDevice returned STATUS_NOT_SUPPORTED/],
  ['syntax', /it threw/],
  ['empty', /exports no function DriverEntry/],
] as const) {
  test(`a driver that does not load: ${name}`, async (t) => {
    const all = await running(t);
    for (let round = 0; round < 3; round++) {
      assert.match(await all.client.fails('ERR_SECTION_DRIVER', 'load', all.file(name)), why);
      await assertGoesOn(all, name);
    }
  });
}

async function logged(system: Child, text: RegExp): Promise<void> {
  for (;;) if (text.test(String(await system.reached('log')))) return;
}

for (const [name, error] of [
  ['timer', /driver timer: threw and is unloaded: Error: thrown in a timer/],
  ['promise', /driver promise: threw and is unloaded: Error: thrown in a promise/],
] as const) {
  test(`a driver that throws later: ${name}`, async (t) => {
    const all = await running(t);
    await all.client.succeeds('load', all.file(name));
    await logged(all.system, error);
    await assertGoesOn(all, name);
    await all.client.succeeds('load', all.file(name));
  });
}

test('a driver whose DriverUnload throws is gone all the same', async (t) => {
  const all = await running(t);
  await all.client.succeeds('load', all.file('unload'));
  assert.match(await all.client.fails('ERR_SECTION_DRIVER', 'unload', 'unload'), /thrown in DriverUnload/);
  await assertGoesOn(all, 'unload');
});

test('a driver that leaves handles, views and timers behind', async (t) => {
  const all = await running(t);
  for (let round = 0; round < 5; round++) {
    await all.client.succeeds('load', all.file('leaving'));
    await all.client.succeeds('open', { name: 'Global\\leaving' });
    await all.client.succeeds('closeAll');
    await all.client.succeeds('unload', 'leaving');
    await assertGoesOn(all, 'leaving');
  }
});

test('two who unload one driver: it is asked to leave once, and both are answered', async (t) => {
  const all = await running(t);
  const file = all.file('slow');
  await all.client.succeeds('load', file);
  const other = await startClient(t, { scratch: dirname(file) });
  await Promise.all([all.client.succeeds('unload', 'slow'), other.succeeds('unload', 'slow')]);
  await assertGoesOn(all, 'slow');
});

test('a driver that is unloaded while it is loaded: what it makes later is taken back', async (t) => {
  const all = await running(t);
  const file = all.file('late');
  const other = await startClient(t, { scratch: dirname(file) });
  const loading = all.client.fails('ERR_SECTION_DRIVER', 'load', file);
  for (;;) if (((await other.succeeds('drivers')) as string[]).includes('late')) break;
  await other.succeeds('unload', 'late');
  assert.match(await loading, /unloaded while it was loaded/);
  await eventually('it goes on and makes its section', () => existsSync(join(dirname(file), 'late.done')));
  await assertGoesOn(all, 'late');
});

test('one driver twice, none at all, and one that is not loaded', async (t) => {
  const all = await running(t);
  assert.match(await all.client.fails('ERR_SECTION_DRIVER', 'load', all.file('good')), /a driver of the name good is loaded/);
  await all.client.fails('ERR_SECTION_DRIVER', 'load', '/nonexistent/driver.mjs');
  await all.client.fails('ERR_SECTION_DRIVER', 'load', 'relative.mjs');
  await all.client.fails('ERR_SECTION_NOT_FOUND', 'unload', 'nobody');
  await assertGoesOn(all, 'nobody');
  await all.client.succeeds('unload', 'good');
  await all.client.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\good' });
  await all.client.succeeds('load', all.file('good'));
});

test('a driver in TypeScript', async (t) => {
  const all = await running(t);
  const file = all.file('good').replace('good.mjs', 'typed.ts');
  writeFileSync(file, typescript);
  assert.equal(await all.client.succeeds('load', file), 'typed');
  await all.client.succeeds('open', { name: 'Global\\typed' });
  await all.client.succeeds('closeAll');
  await all.client.succeeds('unload', 'typed');
  await assertGoesOn(all, 'typed');
});

test('a driver that does not load keeps the system process from starting, and leaves nothing', async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'entry.mjs');
  writeFileSync(file, behaviours['entry'] ?? '');
  await assert.rejects(startSystem(t, { scratch, drivers: [{ file }] }), /ERR_SECTION_DRIVER/);
  await startSystem(t, { scratch });
});

test('outside of the system process there is no kernel mode', async () => {
  await assert.rejects(import('sectile/ntddk'), withCode('ERR_SECTION_NOT_KERNEL_MODE', /driver load/));
});
