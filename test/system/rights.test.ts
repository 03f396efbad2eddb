/**
 * Promise 3, rights hold against a hostile process, where the system process grants them: with a read-only grant,
 * another user can do nothing but read; without one it cannot even open.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { attempts } from '../support/attacks.js';
import { type Child, notRoot, scratchFolder } from '../support/child.js';
import { compile } from '../support/compile.js';
import { type Client, NOBODY, startClient, startSystem } from '../support/system.js';

const SIZE = 64 * 1024;
/** Everybody may read, the creator's user (root) may do everything. */
const READ_FOR_ALL = 'D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;WD)';

const granted = ['map-read', 'size-kept', 'content-kept'];

function assertOnly(allowed: readonly string[], found: Map<string, string>): void {
  assert.ok(found.size > 30, 'all attempts were made');
  const succeeded = [...found].filter(([, answer]) => answer === 'SUCCEEDED').map(([name]) => name);
  assert.deepEqual(succeeded.sort(), [...allowed].sort());
}

async function globalSection(t: TestContext, scratch: string, security: string): Promise<{ system: Child; owner: Client }> {
  const system = await startSystem(t, { scratch });
  const owner = await startClient(t, { scratch });
  await owner.succeeds('create', { name: 'Global\\guarded', size: SIZE, security });
  return { system, owner };
}

test('another user with a read-only grant can read, and nothing else', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const { system, owner } = await globalSection(t, scratch, READ_FOR_ALL);
  await owner.succeeds('write', { value: 'k'.charCodeAt(0) });
  for (const target of [system.pid, owner.child.pid]) {
    const found = await attempts(t, 'attacks with a grant of the system process', {
      scratch,
      ...NOBODY,
      args: [compile('hostile.c', 'program'), target, SIZE, 'guarded'],
    });
    assert.equal(found.get('user'), '65534');
    assertOnly(
      granted.filter((each) => each !== 'content-kept'),
      found,
    );
  }
  assert.equal(await owner.succeeds('look'), 'k'.charCodeAt(0));
  assert.equal(await owner.succeeds('write', { value: 9 }), 9);
  assert.deepEqual(((await owner.succeeds('status')) as { uid: number }).uid, 0);
});

test('another user with a read-only grant is refused more by name', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  await globalSection(t, scratch, READ_FOR_ALL);
  const stranger = await startClient(t, { scratch, ...NOBODY });
  assert.deepEqual(await stranger.succeeds('open', { name: 'Global\\guarded' }), { access: 'read', first: 1, size: SIZE });
  assert.equal(await stranger.succeeds('write', { value: 9 }), 9, 'in its own copy of the page');
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name: 'Global\\guarded', access: 'readwrite' });
  await stranger.fails('ERR_SECTION_EXISTS', 'create', { name: 'Global\\guarded', size: SIZE });
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'stop');
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'load', '/tmp/driver.js');
  await stranger.end();
});

test('another user without a grant cannot open it', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const { owner } = await globalSection(t, scratch, 'D:(A;;GA;;;SY)(A;;GA;;;BA)');
  const stranger = await startClient(t, { scratch, ...NOBODY });
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name: 'Global\\guarded' });
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name: 'Global\\guarded', access: 'read' });
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'create', { name: 'Global\\guarded', size: SIZE, ifExists: 'open' });
  await stranger.end();
  assert.equal(await owner.succeeds('look'), 1);
});

test('a local name of one user means nothing to another', { skip: notRoot }, async (t) => {
  const scratch = scratchFolder(t);
  const owner = await startClient(t, { scratch });
  await owner.succeeds('create', { name: 'mine', size: SIZE });
  const stranger = await startClient(t, { scratch, ...NOBODY });
  // The runtime directory is root's: another user finds nothing there, and can put nothing there.
  await stranger.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'mine' });
  await stranger.fails('ERR_SECTION_REGISTRY_OWNER', 'create', { name: 'mine', size: SIZE });
  await stranger.end();
});
