/**
 * SIGKILL of either side of a ring at any moment, after which the other goes on with no message torn, doubled or out of
 * order.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Ring } from 'sectile/channel';
import users, { ways } from '../fixtures/ring-users.js';
import { sharedScratch, start } from '../support/child.js';
import { eventually } from '../support/processes.js';

const ROUNDS = 6;

/** A ring that this process holds and that its children open. */
function shared(t: TestContext, options: { capacity: number; producers?: 'one' | 'many' }): { ring: Ring; scratch: string } {
  const scratch = sharedScratch(t);
  const ring = Ring.create({ name: 'ring', ...options });
  t.after(() => ring.close());
  return { ring, scratch };
}

/** Waits until things move in a ring, or it is full, then for a random number of turns of the event loop. */
async function anyMoment(ring: Ring): Promise<void> {
  const before = ring.used;
  await eventually('the ring moves', () => ring.used !== before || ring.used > ring.capacity / 2);
  for (let turns = Math.floor(Math.random() * 200); turns > 0; turns--) await new Promise((resolve) => setImmediate(resolve));
}

test('producers are killed at any moment: the consumer gets all they published, is told, and goes on with the next', async (t) => {
  const { ring, scratch } = shared(t, { capacity: 8192 });
  const consumer = start(t, users, 'outlives producers', { scratch, args: ['ring', 'many', ROUNDS] });
  let from = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await consumer.reached('receiving');
    const way = ways[round % ways.length];
    const producer = start(t, users, 'sends for ever', { scratch, args: ['ring', way, 1, from] });
    await Promise.race([producer.reached('producer'), consumer.ended]);
    await anyMoment(ring);
    await producer.kill();
    const last = (await consumer.reached('peer ended')) as Record<string, number>;
    from = last['1'] ?? 0;
    consumer.tell('go on');
  }
  await consumer.endsWell();
  assert.ok(from > 0);
});

test('consumers are killed at any moment: the producer is told, and the next one gets each message once', async (t) => {
  const { ring, scratch } = shared(t, { capacity: 8192 });
  const producer = start(t, users, 'outlives consumers', { scratch, args: ['ring', ROUNDS] });
  for (let round = 0; round < ROUNDS; round++) {
    const way = ['copying', 'blocking', 'batch'][round % 3];
    const consumer = start(t, users, 'receives for ever', { scratch, args: ['ring', way] });
    await Promise.race([consumer.reached('consumer'), producer.ended]);
    await anyMoment(ring);
    await consumer.kill();
    await producer.reached('peer ended');
    producer.tell('go on');
  }
  await producer.endsWell();
});

test('of several producers some are killed: the others and the consumer go on', async (t) => {
  const { ring, scratch } = shared(t, { capacity: 8192, producers: 'many' });
  const consumer = start(t, users, 'receives', { scratch, args: ['ring', 'batch'] });
  await consumer.reached('consumer');
  const steady = start(t, users, 'sends', { scratch, args: ['ring', 'copying', 0, 20_000] });
  await steady.reached('producer');
  for (let round = 1; round <= ROUNDS / 2; round++) {
    const args = ['ring', ways[round % ways.length], round, 0];
    const victim = start(t, users, 'sends for ever', { scratch, args });
    await victim.reached('producer');
    if (round === 1) steady.tell('begin');
    await anyMoment(ring);
    await victim.kill();
  }
  await steady.endsWell();
  // The last of them has closed, and others have died: the consumer is told of that.
  const { code, stderr } = await consumer.ended;
  assert.ok(code === 1 && stderr.includes('ERR_SECTION_PEER_ENDED'), stderr);
});
