/**
 * Rings between real processes: every way of sending with two ways of receiving, streams, several
 * producers.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Ring } from 'sectile/channel';
import users, { ways } from '../fixtures/ring-users.js';
import { run, sharedScratch, start } from '../support/child.js';

/** A ring that this process holds and that its children open. */
function shared(t: TestContext, options: { capacity: number; producers?: 'one' | 'many' }): { ring: Ring; scratch: string } {
  const scratch = sharedScratch(t);
  const ring = Ring.create({ name: 'ring', ...options });
  t.after(() => ring.close());
  return { ring, scratch };
}

for (const [index, way] of ways.entries()) {
  const other = ways[(index + 1) % ways.length] ?? way;
  for (const receiver of [way, other]) {
    test(`what one process sends (${way}) another receives (${receiver}), to the end`, async (t) => {
      const { scratch } = shared(t, { capacity: 8192 });
      const consumer = start(t, users, 'receives', { scratch, args: ['ring', receiver] });
      const producer = start(t, users, 'sends', { scratch, args: ['ring', way, 1, 5000] });
      assert.equal(await consumer.reached('received'), 5000);
      await Promise.all([producer.endsWell(), consumer.endsWell()]);
    });
  }
}

test('several producers send to one consumer, each in his order', async (t) => {
  const { scratch } = shared(t, { capacity: 8192, producers: 'many' });
  const consumer = start(t, users, 'receives', { scratch, args: ['ring', 'many'] });
  await consumer.reached('consumer');
  const producers = ['copying', 'in place', 'batch'].map((way, index) =>
    start(t, users, 'sends', { scratch, args: ['ring', way, index, 3000] }),
  );
  for (const each of producers) await each.reached('producer');
  for (const each of producers) each.tell('begin');
  assert.equal(await consumer.reached('received'), 9000);
  await Promise.all([consumer, ...producers].map((child) => child.endsWell()));
});

test('bytes go through streams of Node.js, with back-pressure', async (t) => {
  const { scratch } = shared(t, { capacity: 4096 });
  const consumer = run(t, users, 'streams bytes in', { scratch, args: ['ring', 400_000] });
  await Promise.all([consumer, run(t, users, 'streams bytes out', { scratch, args: ['ring', 400_000] })]);
});

test('messages go through streams of the Web', async (t) => {
  const { scratch } = shared(t, { capacity: 8192 });
  const consumer = run(t, users, 'streams messages in', { scratch, args: ['ring', 3000] });
  await Promise.all([consumer, run(t, users, 'streams messages out', { scratch, args: ['ring', 3000] })]);
});
