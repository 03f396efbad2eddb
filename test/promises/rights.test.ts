/**
 * Promise 3, rights hold against a hostile process: what a sole writer's section promises within one user, and that no
 * holder can take memory away from the others. What the system process grants to other users: test/system/rights.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import hostile from '../fixtures/hostile-start.js';
import { attempts } from '../support/attacks.js';
import { scratchFolder, start } from '../support/child.js';
import { platform } from '../support/platform.js';
import { startClient } from '../support/system.js';

const SIZE = 64 * 1024;

test('a sole writer: another process of the same user cannot write to its memory, whatever it tries', {
  skip: platform.lacks.seals,
}, async (t) => {
  const scratch = scratchFolder(t);
  const name = `one-writer-${process.pid}`;
  const holder = start(t, hostile, 'holds a sole-writer section', { scratch, args: [name, SIZE] });
  await holder.reached('held');
  const reader = await startClient(t, { scratch });
  assert.deepEqual(await reader.succeeds('open', { name }), { access: 'read', first: 'k'.charCodeAt(0), size: SIZE });
  await reader.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name, access: 'readwrite' });

  for (const { title, args } of platform.attacks.ways(holder.pid, name, SIZE)) {
    const found = await attempts(t, title, { scratch, args });
    for (const attempt of platform.attacks.refusedToReaders) {
      assert.match(found.get(attempt) ?? '', /^refused/, `${attempt}, with ${args.join(' ')}`);
    }
    assert.deepEqual([found.get('size-kept'), found.get('content-kept')], ['SUCCEEDED', 'SUCCEEDED']);
  }
  holder.tell('look');
  assert.equal(await holder.reached('content'), 'kept');
  assert.equal(await holder.reached('content'), 'Kept', 'the owner itself still writes');
  await holder.endsWell();
});

test('a sealed size: no holder of an ordinary section can shrink it under the others', {
  skip: platform.lacks.seals,
}, async (t) => {
  const scratch = scratchFolder(t);
  const name = `sealed-${process.pid}`;
  const owner = await startClient(t, { scratch });
  await owner.succeeds('create', { name, size: SIZE });
  const way = platform.attacks.ways(owner.child.pid, name, SIZE).at(-1);
  assert.ok(way !== undefined);
  const found = await attempts(t, way.title, { scratch, args: way.args });
  for (const attempt of platform.attacks.refusedToHolders) assert.match(found.get(attempt) ?? '', /^refused/, attempt);
  assert.equal(found.get('size-kept'), 'SUCCEEDED');
});
