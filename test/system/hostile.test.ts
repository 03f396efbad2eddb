/**
 * What another user may try with a client of its own making: names, memory and objects that an honest
 * client never asks for.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gadgetSource } from '../fixtures/drivers/gadget.js';
import hostilePeers from '../fixtures/hostile-peers.js';
import { type Child, scratchFolder, start } from '../support/child.js';
import { NOBODY, startSystem } from '../support/system.js';

const user = process.geteuid?.() === 0 ? NOBODY : {};
const MAXIMUM_ALLOWED = 0x0200_0000;
const ACCESS_SYSTEM_SECURITY = 0x0100_0000;

const lookup = { name: 'x', directory: null, caseInsensitive: false, exclusive: false, desired: MAXIMUM_ALLOWED };
const creation = { operation: 'object.create', ...lookup, security: 'D:(A;;GA;;;WD)', openExisting: false, permanent: false };

interface Heard {
  readonly value?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: string; readonly rule: string };
  readonly count: number;
}

async function hostile(t: TestContext, scratch: string): Promise<{ child: Child; say(what: object): Promise<Heard> }> {
  const child = start(t, hostilePeers, 'speaks for itself', { scratch, ...user });
  await child.reached('ready');
  const say = async (what: object) => {
    child.tell('say', what);
    return (await child.reached('heard')) as Heard;
  };
  return { child, say };
}

test('directories in directories: names do not grow with each of them', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch });
  const { say } = await hostile(t, scratch);
  const deep = { ...creation, kind: 'Directory', content: '', name: 'n'.repeat(10_000), take: { identity: 'directory' } };
  const { error, count } = await say({ ...deep, times: 10 });
  assert.equal(error?.code, 'ERR_SECTION_INVALID_NAME');
  assert.match(error?.rule ?? '', /at most 32766 UTF-16 units/);
  assert.equal(count, 4);
  assert.equal((await say({ ...lookup, operation: 'object.open', kind: null, name: 'n'.repeat(10_000) })).error, undefined);
});

test('files of devices: their names are on the account of their user', async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'gadget.mjs');
  writeFileSync(file, gadgetSource);
  await startSystem(t, { scratch, drivers: [{ file }], limits: { deviceBytesPerUser: 300_000 } });
  const { say } = await hostile(t, scratch);
  const path = `\\Device\\Gadget\\${'n'.repeat(30_000)}`;
  const open = {
    operation: 'device.open',
    path,
    desired: MAXIMUM_ALLOWED,
    share: 7,
    options: 0,
    attributes: 0,
    patience: 10_000,
  };
  // Nobody gets a pipe to wait for nothing.
  assert.equal((await say({ operation: 'device.collect' })).error?.code, 'ERR_SECTION_CLOSED');
  const first = await say(open);
  assert.equal((await say({ ...open, times: 10 })).count, 4);
  assert.equal((await say(open)).error?.code, 'ERR_SECTION_LIMIT');
  // What is closed, or was not opened, is not counted any more.
  assert.deepEqual((await say({ operation: 'device.close', handle: first.value?.['handle'] })).value, {});
  const refused = { ...open, path: '\\Device\\Gadget\\refused' };
  assert.equal((await say({ ...refused, times: 100 })).count, 100);
  assert.equal((await say(open)).error, undefined);
  assert.equal((await say(open)).error?.code, 'ERR_SECTION_LIMIT');
});

test('an event that is too short for its state harms nobody who uses it', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch });
  const { say } = await hostile(t, scratch);
  const contents = ['', 'AQ==', 'AQAAAA==', 'AQAAAAEA'];
  for (const content of contents) {
    const name = `short${content}`;
    assert.equal((await say({ ...creation, kind: 'Event', content, name })).error, undefined);
  }
  const victim = start(t, hostilePeers, 'uses events', { scratch, args: [contents.map((each) => `short${each}`)] });
  const useless = ['STATUS_SUCCESS', 'STATUS_OBJECT_TYPE_MISMATCH', 'STATUS_OBJECT_TYPE_MISMATCH'];
  assert.deepEqual(
    await victim.reached('used'),
    contents.flatMap(() => useless),
  );
  await victim.endsWell();
});

test('a privilege that an honest client asks itself for is asked for again', async (t) => {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch });
  const { say } = await hostile(t, scratch);
  const event = { ...creation, kind: 'Event', content: 'AAAAAAAAAAA=' };
  const refused = await say({ ...event, desired: ACCESS_SYSTEM_SECURITY | 3 });
  assert.equal(refused.error?.code, 'ERR_SECTION_ACCESS_DENIED');
  assert.match(refused.error?.rule ?? '', /SeSecurityPrivilege/);
  assert.equal((await say({ ...event, desired: MAXIMUM_ALLOWED })).value?.['granted'], 0x1f_0003);
});
