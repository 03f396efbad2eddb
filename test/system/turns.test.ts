/**
 * Users take turns: a flood of requests of one holds up another's by one of them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Turns } from '../../dist/system/turns.js';

test('each user waits for one request of each other, and for its own', async () => {
  const turns = new Turns();
  const served: string[] = [];
  const all = new Promise<void>((resolve) => {
    const ask = (user: number, what: string) => turns.take(user, () => served.push(`${user}${what}`) === 10 && resolve());
    for (const what of 'abcde') ask(1, what);
    ask(2, 'a');
    ask(2, 'b');
    ask(3, 'a');
    // Who comes later waits no longer than that.
    setImmediate(() => {
      for (const what of 'ab') ask(4, what);
    });
  });
  await all;
  assert.deepEqual(served, ['1a', '1b', '2a', '3a', '1c', '4a', '2b', '1d', '4b', '1e']);
});

test('who is alone does not wait', async () => {
  const turns = new Turns();
  let served = 0;
  for (let round = 0; round < 3; round++) {
    turns.take(1, () => served++);
    assert.equal(served, round + 1);
    await new Promise((resolve) => setImmediate(resolve));
  }
});
