/**
 * Locks on byte ranges: who is in the way, whatever the order in which they came.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type Descriptor, OpenFlag, os } from '../../dist/os/index.js';
import { scratchFolder } from '../support/child.js';

function openings(t: TestContext, count: number): Descriptor[] {
  const path = join(scratchFolder(t), 'locks');
  const all = Array.from({ length: count }, () => os.descriptorOpen(path, OpenFlag.write | OpenFlag.create, 0o600));
  t.after(() => all.forEach((each) => void os.descriptorClose(each)));
  return all;
}

test('the first lock in a range is told, although a later one is older', (t) => {
  const [first, second, third, look] = openings(t, 4) as [Descriptor, Descriptor, Descriptor, Descriptor];
  assert.ok(os.lockTry(first, 100, 1));
  assert.ok(os.lockTry(second, 101, 1));
  assert.ok(os.lockTry(third, 110, 5));
  os.unlock(first, 100, 1);
  assert.equal(os.lockHolder(look, 100, 50), 101);
  assert.ok(os.lockTry(first, 100, 1));
  const found: number[] = [];
  for (let from = 0; from < 120; from++) {
    const start = os.lockHolder(look, from, 120 - from);
    if (start < 0) break;
    found.push(start);
    from = start;
  }
  assert.deepEqual(found, [100, 101, 110, 111, 112, 113, 114]);
  assert.equal(os.lockHolder(third, 102, 0), -1, "its own lock is in nobody's way");
  assert.equal(os.lockHolder(look, 112, 0), 112);
});

test('a shared lock is in the way of an exclusive one alone', (t) => {
  const [holder, look] = openings(t, 2) as [Descriptor, Descriptor];
  assert.ok(os.lockShare(holder, 5, 10));
  assert.equal(os.lockHolder(look, 0, 100), 5);
  assert.equal(os.lockExcluder(look, 0, 100), -1);
  assert.ok(os.lockShare(look, 0, 100));
  assert.ok(!os.lockTry(look, 5, 1));
});
