/**
 * Promise 3, rights hold against a hostile process: with a read-only grant, another user can do nothing
 * but read; without one it cannot even open. And what a sole writer's section promises within one user.
 */
import assert from 'node:assert/strict';
import { readdirSync, readlinkSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import hostile from '../fixtures/hostile-start.js';
import { type Child, type ChildOptions, notRoot, scratchFolder, start } from '../support/child.js';
import { compile } from '../support/compile.js';
import { platform } from '../support/platform.js';
import { type Client, NOBODY, startClient, startSystem } from '../support/system.js';

const SIZE = 64 * 1024;
/** Everybody may read, the creator's user (root) may do everything. */
const READ_FOR_ALL = 'D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;WD)';

/** What the hostile program reports: what it tried, and the answer. */
async function attempts(t: TestContext, title: string, options: ChildOptions): Promise<Map<string, string>> {
  const child = start(t, hostile, title, options);
  const report = String(await child.reached('attempts'));
  await child.endsWell();
  t.diagnostic(report.replaceAll('\n', '; '));
  return new Map(
    report
      .trim()
      .split('\n')
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
}

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

/** A path to a descriptor of that process's memory. */
function memoryOf(pid: number, text: string): string {
  const folder = `/proc/${pid}/fd`;
  const number = readdirSync(folder).find((each) => readlinkSync(`${folder}/${each}`).includes(text));
  assert.ok(number !== undefined, 'the process has the memory');
  return `${folder}/${number}`;
}

test('a sole writer: another process of the same user cannot map its memory for writing, by any descriptor', {
  skip: platform.lacks.posixAttacks || platform.lacks.seals,
}, async (t) => {
  const scratch = scratchFolder(t);
  const holder = start(t, hostile, 'holds a sole-writer section', { scratch, args: ['one-writer', SIZE] });
  await holder.reached('held');
  const reader = await startClient(t, { scratch });
  assert.deepEqual(await reader.succeeds('open', { name: 'one-writer' }), {
    access: 'read',
    first: 'k'.charCodeAt(0),
    size: SIZE,
  });
  await reader.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name: 'one-writer', access: 'readwrite' });

  const path = memoryOf(holder.pid, 'one-writer');
  for (const flags of ['read', 'write']) {
    const found = await attempts(t, 'attacks with a descriptor of another process', {
      args: [compile('hostile.c', 'program'), 0, SIZE, path, flags],
    });
    for (const attempt of [
      'map-write',
      'map-write-only',
      'mprotect-write',
      'mremap-mprotect-write',
      'write',
      'pwrite',
      'pwritev',
      'sendfile-into',
      'ftruncate-grow',
      'ftruncate-shrink',
      'fallocate-grow',
      'fallocate-punch',
      'fallocate-zero',
      'madvise-remove',
      'truncate-path',
      'reopen-truncate',
      'add-seals',
    ]) {
      assert.match(found.get(attempt) ?? '', /^refused/, `${attempt}, with a descriptor for ${flags}`);
    }
    assert.deepEqual([found.get('size-kept'), found.get('content-kept')], ['SUCCEEDED', 'SUCCEEDED']);
  }
  holder.tell('look');
  assert.equal(await holder.reached('content'), 'kept');
  assert.equal(await holder.reached('content'), 'Kept', 'the owner itself still writes');
  await holder.endsWell();
});

test('a sealed size: no holder of an ordinary section can shrink it under the others', {
  skip: platform.lacks.posixAttacks || platform.lacks.seals,
}, async (t) => {
  const scratch = scratchFolder(t);
  const owner = await startClient(t, { scratch });
  await owner.succeeds('create', { name: 'sealed', size: SIZE });
  const found = await attempts(t, 'attacks with a descriptor of another process', {
    args: [compile('hostile.c', 'program'), 0, SIZE, memoryOf(owner.child.pid, 'sealed'), 'write'],
  });
  for (const attempt of [
    'ftruncate-grow',
    'ftruncate-shrink',
    'fallocate-grow',
    'truncate-path',
    'add-seals',
    'add-future-write',
  ]) {
    assert.match(found.get(attempt) ?? '', /^refused/, attempt);
  }
  assert.equal(found.get('size-kept'), 'SUCCEEDED');
});
