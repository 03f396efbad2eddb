/**
 * The life of a system process: started once per place, taken over when it died, stopped cleanly or killed
 * with clients' views going on and their later calls told so; clients that die lose their handles.
 */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import systems from '../fixtures/systems.js';
import { type Child, notRoot, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { eventually, processesWith } from '../support/processes.js';
import { NOBODY, startClient, startSystem } from '../support/system.js';

const SIZE = 64 * 1024;

function tries(t: Parameters<typeof start>[0], scratch: string): Child {
  return start(t, systems, 'tries to run a system process', { scratch });
}

test('without a system process, a global name is an error that says how to start one', async (t) => {
  const client = await startClient(t, { scratch: scratchFolder(t) });
  const message = await client.fails('ERR_SECTION_SYSTEM_NOT_RUNNING', 'open', { name: 'Global\\x' });
  assert.match(message, /sectile system start/);
  await client.fails('ERR_SECTION_SYSTEM_NOT_RUNNING', 'create', { name: 'Global\\x', size: SIZE });
  await client.succeeds('create', { name: 'x', size: SIZE });
  await client.end();
});

test('of many that start at the same time, one runs', async (t) => {
  const scratch = scratchFolder(t);
  const children = Array.from({ length: 5 }, () => tries(t, scratch));
  const outcomes = await Promise.all(children.map((child) => child.reached('outcome')));
  assert.deepEqual([...outcomes].sort(), [
    'ERR_SECTION_SYSTEM_RUNNING',
    'ERR_SECTION_SYSTEM_RUNNING',
    'ERR_SECTION_SYSTEM_RUNNING',
    'ERR_SECTION_SYSTEM_RUNNING',
    'runs',
  ]);
  const client = await startClient(t, { scratch });
  await client.succeeds('create', { name: 'Global\\x', size: SIZE });
  await client.end();
  for (const child of children) child.tell('stop');
  for (const child of children) await child.endsWell();
  assert.equal(existsSync(join(runtimeFolder(scratch), 'system.socket')), false, 'the socket is removed');
});

for (const how of ['stopped', 'killed'] as const) {
  test(`a system process that is ${how} leaves views working, and its successor is found`, async (t) => {
    const scratch = scratchFolder(t);
    const system = await startSystem(t, { scratch });
    const writer = await startClient(t, { scratch });
    const reader = await startClient(t, { scratch });
    await writer.succeeds('create', { name: 'Global\\x', size: SIZE });
    await reader.succeeds('open', { name: 'Global\\x' });
    if (how === 'stopped') {
      system.tell('stop');
      await system.endsWell();
    } else {
      assert.equal((await system.kill('SIGKILL')).signal, 'SIGKILL');
      assert.ok(existsSync(join(runtimeFolder(scratch), 'system.socket')), 'a stale socket stays');
    }
    await writer.succeeds('write', { value: 77 });
    assert.equal(await reader.succeeds('look'), 77);
    for (const client of [writer, reader]) {
      await client.fails('ERR_SECTION_SYSTEM_NOT_RUNNING', 'open', { name: 'Global\\x' });
      await client.fails('ERR_SECTION_SYSTEM_NOT_RUNNING', 'create', { name: 'Global\\y', size: SIZE });
    }
    const successor = await startSystem(t, { scratch });
    await reader.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\x' });
    await writer.succeeds('create', { name: 'Global\\x', size: SIZE });
    await writer.succeeds('write', { value: 5 });
    assert.deepEqual(await reader.succeeds('open', { name: 'Global\\x' }), { access: 'readwrite', first: 5, size: SIZE });
    await reader.succeeds('closeAll');
    await writer.succeeds('closeAll');
    assert.equal(((await reader.succeeds('status')) as { objects: number }).objects, 0);
    await reader.end();
    await writer.end();
    successor.tell('stop');
    await successor.endsWell();
  });
}

test('a client stops it, and it answers first', async (t) => {
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch });
  const client = await startClient(t, { scratch });
  await client.succeeds('create', { name: 'Global\\x', size: SIZE });
  await client.succeeds('stop');
  await system.endsWell();
  assert.equal(await client.succeeds('look'), 1);
  await client.fails('ERR_SECTION_SYSTEM_NOT_RUNNING', 'status');
  await client.succeeds('closeAll');
  await client.end();
});

test('a client that is killed loses its handles; the object goes with the last', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch });
  const first = await startClient(t, { scratch });
  const second = await startClient(t, { scratch });
  const objects = async () => ((await second.succeeds('status')) as { objects: number }).objects;
  await first.succeeds('create', { name: 'Global\\of-the-first', size: SIZE });
  await first.succeeds('createMany', { prefix: 'Global\\more-', count: 20, size: 4096 });
  await second.succeeds('open', { name: 'Global\\of-the-first' });
  assert.equal(await objects(), 21);
  assert.equal((await first.child.kill('SIGKILL')).signal, 'SIGKILL');
  await second.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\more-3' });
  assert.equal(await objects(), 1);
  assert.equal(await second.succeeds('look'), 1);
  await second.succeeds('closeAll');
  assert.equal(await objects(), 0);
  await second.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\of-the-first' });
  await eventually('the memory is gone', () => processesWith('of-the-first').length === 0);
  await second.end();
});

test('a system process of a user who is not trusted is not spoken to', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const folder = runtimeFolder(scratch);
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  chownSync(folder, NOBODY.uid, NOBODY.gid);
  await startSystem(t, { scratch, ...NOBODY });
  const root = await startClient(t, { scratch });
  const message = await root.fails('ERR_SECTION_SYSTEM_UNTRUSTED', 'open', { name: 'Global\\x' });
  assert.match(message, /65534/);
  const own = await startClient(t, { scratch, ...NOBODY });
  await own.succeeds('create', { name: 'Global\\x', size: SIZE });
  await own.end();
  await root.end();
});

test('a place that somebody else owns is refused at start', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const folder = runtimeFolder(scratch);
  mkdirSync(folder);
  chownSync(folder, NOBODY.uid, NOBODY.gid);
  assert.equal(await tries(t, scratch).reached('outcome'), 'ERR_SECTION_REGISTRY_OWNER');
});
