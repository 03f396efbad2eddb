/**
 * What is promised of rights on Windows alone: a descriptor that its owner cannot change.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import hostile from '../fixtures/hostile-start.js';
import { attempts } from '../support/attacks.js';
import { scratchFolder, start } from '../support/child.js';
import { platform } from '../support/platform.js';

const SIZE = 64 * 1024;

test('an owner whom the descriptor limits cannot change it', async (t) => {
  const scratch = scratchFolder(t);
  const name = `limited-${process.pid}`;
  const holder = start(t, hostile, 'holds a sole-writer section', { scratch, args: [name, SIZE] });
  await holder.reached('held');
  for (const { title, args } of platform.attacks.ways(holder.pid, name, SIZE)) {
    const found = await attempts(t, title, { scratch, args });
    for (const attempt of ['open-write-dac', 'open-write-owner', 'set-security']) {
      assert.match(found.get(attempt) ?? '', /^refused/, attempt);
    }
  }
});
