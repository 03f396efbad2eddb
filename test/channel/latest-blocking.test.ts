/**
 * The waits of Latest, Broadcast and Pool that block their thread: they end by what they wait for, by the end of the other side,
 * however it ended, and by their timeout.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sides from '../fixtures/one-writer.js';
import poolSides from '../fixtures/pool-sides.js';
import { scratchFolder, start } from '../support/child.js';

for (const [how, code] of [
  ['closes', 'over'],
  ['is killed', 'ERR_SECTION_PEER_ENDED'],
] as const) {
  test(`readers block for what is new, until their writer ${how}`, async (t) => {
    const scratch = scratchFolder(t);
    const writer = start(t, sides, 'writes both when told', { scratch, args: ['blocking', 400] });
    await writer.reached('ready');
    const readers = [0, 1].map(() => start(t, sides, 'blocks for values and messages', { scratch, args: ['blocking', 400] }));
    for (const reader of readers) await reader.reached('blocking');
    for (let count = 0; count < 20; count++) {
      writer.tell('write', 'both');
      await writer.reached('written');
    }
    if (how === 'closes') {
      writer.tell('write', 'close');
      await writer.endsWell();
    } else {
      assert.equal((await writer.kill()).signal, 'SIGKILL');
    }
    const after = how === 'closes' ? 'over' : 'ERR_SECTION_TIMEOUT';
    for (const reader of readers) {
      assert.deepEqual(await reader.reached('told'), [20, 20, code, code, after, after]);
      await reader.endsWell();
    }
  });
}

test('a consumer blocks for frames, and a producer for blocks, also of a consumer that was killed', async (t) => {
  const scratch = scratchFolder(t);
  const producer = start(t, poolSides, 'blocks for blocks', { scratch, args: ['blocking', 3, 2, 50] });
  await producer.reached('ready');
  const holder = start(t, poolSides, 'holds frames', { scratch, args: ['blocking', 3] });
  await holder.reached('attached');
  const consumer = start(t, poolSides, 'blocks for frames', { scratch, args: ['blocking'] });
  assert.deepEqual(await holder.reached('holding'), [1, 2, 3]);
  assert.equal((await holder.kill()).signal, 'SIGKILL');
  assert.equal(await producer.reached('produced'), 'ERR_SECTION_TIMEOUT');
  await producer.endsWell();
  assert.deepEqual(
    await consumer.reached('consumed'),
    Array.from({ length: 50 }, (_, index) => index + 1),
  );
  await consumer.endsWell();
});
