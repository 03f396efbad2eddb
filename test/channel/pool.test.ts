/**
 * Pool: blocks that a producer fills and consumers in processes of their own read in place. No block is written to while
 * somebody has it, none is lost, whoever dies, and a slow consumer is told what it missed.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import { Pool, type PoolEvent, type PoolFrame } from 'sectile/channel';
import sides, { check, paint, produce } from '../fixtures/pool-sides.js';
import { sharedScratch, start } from '../support/child.js';
import { withCode } from '../support/errors.js';
import { eventually } from '../support/processes.js';

const MiB = 1024 * 1024;

test('a block is free again when every consumer that got it has given it back', (t) => {
  sharedScratch(t);
  const events: string[] = [];
  using producer = Pool.create({
    name: 'counted',
    blockSize: 1000,
    blocks: 2,
    onConsumer: (event, { id }) => events.push(`${event} ${id}`),
  });
  assert.equal(producer.blockSize, 1024);
  const one = Pool.open('counted');
  const two = Pool.open('counted');
  assert.equal(one.tryNext(), null);
  assert.equal(producer.consumers.length, 2);
  const block = producer.tryAcquire();
  assert.ok(block !== null);
  paint(block.bytes, 1);
  assert.equal(block.publish(100), 2);
  assert.throws(() => block.publish(), withCode('ERR_SECTION_INVALID_ARGUMENT', /handed over/));
  block.discard();
  const first = one.tryNext();
  const second = two.tryNext();
  assert.ok(first !== null && second !== null);
  assert.equal(first.bytes.length, 100);
  assert.equal(first.number, 1);
  check(first);
  check(second);
  assert.equal(producer.free, 1);
  first.release();
  first.release();
  assert.equal(producer.free, 1);
  assert.ok(!first.isHeld && second.isHeld);
  second.release();
  assert.equal(producer.free, 2);
  // To one alone, and to nobody.
  assert.equal(producer.tryAcquire()?.publish(10, two.id), 1);
  assert.equal(one.tryNext(), null);
  assert.equal(producer.tryAcquire()?.publish(10, []), 0);
  assert.equal(producer.free, 1);
  const third = two.tryNext();
  assert.equal(third?.number, 2);
  const unused = producer.tryAcquire();
  assert.equal(producer.tryAcquire(), null);
  unused?.discard();
  unused?.discard();
  assert.equal(producer.free, 1);
  two.close();
  two.close();
  third?.release();
  assert.equal(producer.free, 2);
  one.close();
  assert.deepEqual(producer.consumers, []);
  assert.deepEqual(events, ['attached 0', 'attached 1', 'detached 1', 'detached 0']);
});

test('frames of 8 MiB go to several processes in place', async (t) => {
  const scratch = sharedScratch(t);
  const producer = start(t, sides, 'produces frames', { scratch, args: ['frames', 8 * MiB, 4, 2, 30] });
  await producer.reached('ready');
  const consumers = [0, 1].map(() => start(t, sides, 'consumes all frames', { scratch, args: ['frames', 'wait', 1, 0] }));
  for (const consumer of consumers) {
    const { last, frames, missed } = (await consumer.reached('consumed')) as Record<string, number>;
    await consumer.endsWell();
    assert.deepEqual([last, frames, missed], [30, 30, 0]);
  }
  await producer.endsWell();
});

for (const whenSlow of ['skip', 'drop'] as const) {
  test(`a slow consumer with '${whenSlow}' is told what it missed, and keeps nobody waiting`, async (t) => {
    const scratch = sharedScratch(t);
    const producer = start(t, sides, 'produces frames', { scratch, args: ['slow', 65_536, 6, 2, 3000] });
    await producer.reached('ready');
    const slow = start(t, sides, 'consumes all frames', { scratch, args: ['slow', whenSlow, 2, 5] });
    await slow.reached('attached');
    const fast = start(t, sides, 'consumes all frames', { scratch, args: ['slow', 'wait', 2, 0] });
    const all = (await fast.reached('consumed')) as Record<string, number>;
    const some = (await slow.reached('consumed')) as Record<string, number>;
    await fast.endsWell();
    await slow.endsWell();
    await producer.endsWell();
    t.diagnostic(JSON.stringify(some));
    assert.deepEqual([all['last'], all['frames'], all['missed']], [3000, 3000, 0]);
    assert.ok((some['missed'] ?? 0) > 0 && (some['frames'] ?? 0) > 1);
    // The newest frame comes to one that loses the oldest.
    if (whenSlow === 'drop') assert.equal(some['last'], 3000);
  });
}

test('what a consumer that loses frames has not taken comes back when there is no block left', (t) => {
  sharedScratch(t);
  using producer = Pool.create({ name: 'lossy', blockSize: 64, blocks: 3 });
  using consumer = Pool.open('lossy', { whenSlow: 'drop', depth: 3 });
  for (let number = 1; number <= 3; number++) assert.equal(producer.tryAcquire()?.publish(8), 1);
  const held = consumer.tryNext();
  assert.equal(held?.number, 1);
  for (let number = 4; number <= 9; number++) assert.equal(producer.tryAcquire()?.publish(8), 1);
  assert.equal(held?.isHeld, true);
  const next = consumer.tryNext();
  assert.deepEqual([next?.number, next?.missed], [8, 6]);
  const last = consumer.tryNext();
  assert.deepEqual([last?.number, last?.missed, consumer.missed], [9, 0, 6]);
  assert.equal(producer.tryAcquire(), null);
  for (const frame of [held, next, last]) frame?.release();
  assert.equal(producer.free, 3);
});

test('acquire waits for a block, by timeout, signal and close as well', async (t) => {
  sharedScratch(t);
  const producer = Pool.create({ name: 'waits', blockSize: 64, blocks: 1 });
  using consumer = Pool.open('waits');
  await producer.attached(1, { timeout: 1000 });
  const frame = consumer.next({ timeout: 1000 });
  await produce(producer);
  const held = (await frame) as PoolFrame;
  await assert.rejects(producer.acquire({ timeout: 5 }), withCode('ERR_SECTION_TIMEOUT'));
  await assert.rejects(producer.attached(2, { timeout: 5 }), withCode('ERR_SECTION_TIMEOUT'));
  await assert.rejects(producer.drained({ timeout: 5 }), withCode('ERR_SECTION_TIMEOUT'));
  const reason = new Error('enough');
  const controller = new AbortController();
  const aborted = producer.acquire({ signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(aborted, reason);
  const waiting = producer.acquire();
  held.release();
  (await waiting).discard();
  await assert.rejects(consumer.next({ timeout: 5 }), withCode('ERR_SECTION_TIMEOUT'));
  await produce(producer);
  const closed = producer.acquire();
  producer.close();
  await assert.rejects(closed, withCode('ERR_SECTION_CLOSED'));
  // What waits for the consumer is still there; then it is over.
  const numbers: number[] = [];
  for await (const each of consumer) numbers.push(each.number);
  assert.deepEqual(numbers, [2]);
  assert.equal(await consumer.next(), null);
});

test('a consumer that is killed gives its blocks back', async (t) => {
  const scratch = sharedScratch(t);
  const events: [PoolEvent, number, number][] = [];
  using producer = Pool.create({
    name: 'killed',
    blockSize: 4096,
    blocks: 3,
    onConsumer: (event, { pid, holding }) => events.push([event, pid, holding]),
  });
  const holder = start(t, sides, 'holds frames', { scratch, args: ['killed', 2] });
  await producer.attached(1);
  for (let count = 0; count < 3; count++) await produce(producer);
  assert.deepEqual(await holder.reached('holding'), [1, 2]);
  assert.equal(producer.tryAcquire(), null);
  const waiting = producer.acquire();
  assert.equal((await holder.kill()).signal, 'SIGKILL');
  (await waiting).discard();
  assert.equal(producer.free, 3);
  assert.deepEqual(events, [
    ['attached', holder.pid, 0],
    ['ended', holder.pid, 3],
  ]);
  const next = start(t, sides, 'holds frames', { scratch, args: ['killed', 1] });
  await producer.attached(1);
  await produce(producer);
  assert.deepEqual(await next.reached('holding'), [4]);
  next.tell('check');
  next.tell('release');
  await next.reached('released');
  await producer.drained();
  next.tell('close');
  await next.endsWell();
});

test('consumers that are killed at any moment leave no block behind', async (t) => {
  const scratch = sharedScratch(t);
  using producer = Pool.create({ name: 'mortal', blockSize: 16_384, blocks: 8 });
  const faithful = start(t, sides, 'consumes until it is killed', { scratch, args: ['mortal', 'wait'] });
  await producer.attached(1);
  for (let round = 0; round < 5; round++) {
    const policy = (['wait', 'skip', 'drop'] as const)[round % 3];
    const mortal = start(t, sides, 'consumes until it is killed', { scratch, args: ['mortal', policy] });
    await producer.attached(2, { timeout: 20_000 });
    const end = producer.number + 50 + 37 * round;
    while (producer.number < end) await produce(producer);
    mortal.process.kill('SIGKILL');
    while (producer.number < end + 50) await produce(producer);
    await mortal.ended;
  }
  await eventually('only one consumer is left', () => producer.consumers.length === 1);
  producer.close();
  await faithful.endsWell();
});

test('a producer that dies leaves consumers what they have, and another goes on', async (t) => {
  const scratch = sharedScratch(t);
  const producer = start(t, sides, 'produces when told', { scratch, args: ['dead', 65_536, 6] });
  await producer.reached('ready');
  const holder = start(t, sides, 'holds frames', { scratch, args: ['dead', 2] });
  await holder.reached('attached');
  producer.tell('produce', 2);
  assert.deepEqual(await holder.reached('holding'), [1, 2]);
  const follower = start(t, sides, 'is told of its producer', { scratch, args: ['dead'] });
  await follower.reached('attached');
  producer.tell('produce', 1);
  producer.tell('produce', null);
  // Of six blocks the holder has two, and one waits for it; the producer has one.
  await producer.reached('filling');
  assert.equal((await producer.kill()).signal, 'SIGKILL');
  assert.deepEqual(await follower.reached('told'), ['ERR_SECTION_PEER_ENDED', [3], 'ended']);
  holder.tell('check');
  await holder.reached('whole');
  const successor = start(t, sides, 'goes on producing frames', { scratch, args: ['dead', 2] });
  assert.equal(await successor.reached('ready'), 3);
  holder.tell('release');
  await holder.reached('released');
  // The third frame and those of the successor wait for the holder, which takes no more.
  holder.tell('close');
  await holder.endsWell();
  assert.equal(await successor.reached('produced'), 6);
  await successor.endsWell();
  assert.deepEqual(await follower.reached('told again'), ['over', [4, 5]]);
  await follower.endsWell();
});

test('a producer that is killed at any moment leaves no block behind', async (t) => {
  const scratch = sharedScratch(t);
  for (let round = 0; round < 5; round++) {
    const name = `mortal-${round}`;
    const policy = (['wait', 'drop', 'skip'] as const)[round % 3] ?? 'wait';
    const producer = start(t, sides, 'produces frames without end', { scratch, args: [name, 16_384, 4] });
    await producer.reached('ready');
    using consumer = Pool.open(name, { whenSlow: policy });
    for (let number = 0; number < 500 + 100 * round; ) {
      const frame = await consumer.next();
      if (frame === null) throw new Error('the pool is over');
      check(frame);
      ({ number } = frame);
      frame.release();
    }
    await producer.kill();
    const held = consumer.tryNext();
    using successor = Pool.openProducer(name);
    assert.equal(successor.consumers.length, 1);
    let last = held?.number ?? 0;
    for (let frame = consumer.tryNext(); frame !== null; frame = consumer.tryNext()) {
      check(frame);
      assert.ok(frame.number > last);
      last = frame.number;
      frame.release();
    }
    assert.equal(successor.free, held === null ? 4 : 3, `round ${round}`);
    for (let count = 0; count < 20; count++) {
      await produce(successor);
      const frame = consumer.tryNext();
      assert.ok(frame !== null && frame.number > last);
      check(frame);
      last = frame.number;
      frame.release();
      if (held !== null) check(held);
    }
    held?.release();
    assert.equal(successor.free, 4);
  }
});

test('a consumer that holds its blocks for too long can be expelled', async (t) => {
  sharedScratch(t);
  using producer = Pool.create({ name: 'expelled', blockSize: 64, blocks: 1 });
  using consumer = Pool.open('expelled');
  await produce(producer);
  const held = consumer.tryNext();
  const [facts] = producer.consumers;
  assert.ok(facts !== undefined && held !== null);
  assert.deepEqual({ ...facts }, { id: 0, pid: process.pid, whenSlow: 'wait', holding: 1, missed: 0 });
  const waiting = consumer.next();
  producer.expel(facts.id);
  producer.expel(facts.id);
  await assert.rejects(waiting, withCode('ERR_SECTION_ACCESS_DENIED', /serves this consumer no more/));
  assert.equal(producer.free, 1);
  held.release();
  assert.equal(producer.free, 1);
  consumer.close();
  using again = Pool.open('expelled');
  assert.equal(producer.consumers.length, 1);
  assert.equal(await produce(producer), 1);
  assert.equal(again.tryNext()?.number, 2);
});

test('what cannot be is refused', (t) => {
  sharedScratch(t);
  using producer = Pool.create({ name: 'refused', blockSize: 128, blocks: 2, consumers: 2 });
  assert.throws(() => Pool.openProducer('refused'), withCode('ERR_SECTION_ROLE_TAKEN', new RegExp(String(process.pid))));
  using first = Pool.open('refused', { row: 1 });
  assert.equal(first.id, 1);
  assert.throws(() => Pool.open('refused', { row: 1 }), withCode('ERR_SECTION_ROLE_TAKEN'));
  assert.throws(() => Pool.open('refused', { row: 2 }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  using second = Pool.open('refused');
  assert.equal(second.id, 0);
  assert.throws(() => Pool.open('refused'), withCode('ERR_SECTION_LIMIT', /all 2 consumers/));
  assert.throws(() => Pool.open('refused', { whenSlow: 'never' as never }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(() => Pool.open('refused', { depth: 0 }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  const block = producer.tryAcquire();
  assert.ok(block !== null);
  assert.throws(() => block.publish(129), withCode('ERR_SECTION_OUT_OF_RANGE'));
  assert.throws(() => block.publish(1, 'all' as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.equal(block.publish(0), 2);
  assert.equal(first.tryNext()?.bytes.length, 0);
  for (const [key, values] of [
    ['blockSize', [0, 2 ** 31 + 1, 1.5]],
    ['blocks', [0, 4097]],
    ['consumers', [0, 65]],
  ] as const) {
    for (const value of values) {
      assert.throws(() => Pool.create({ blockSize: 64, blocks: 1, [key]: value }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    }
  }
  producer.close();
  assert.throws(() => producer.tryAcquire(), withCode('ERR_SECTION_CLOSED'));
  assert.deepEqual(producer.consumers, []);
  first.close();
  assert.throws(() => first.tryNext(), withCode('ERR_SECTION_CLOSED'));
});

test('a stray write of a consumer stays out of the blocks; a pool stands in a part of a view as well', async (t) => {
  sharedScratch(t);
  using producer = Pool.create({ name: 'stray', blockSize: 4096, blocks: 1 });
  using consumer = Pool.open('stray');
  using other = Pool.open('stray');
  await produce(producer);
  const frame = consumer.tryNext();
  const same = other.tryNext();
  assert.ok(frame !== null && same !== null);
  frame.bytes.fill(0xff);
  check(same);
  using section = Section.create({ size: MiB });
  using view = section.map();
  using placed = Pool.format(view, { blockSize: 4096, blocks: 3, offset: 64 });
  const within = Pool.over(view, { offset: 64 });
  await produce(placed);
  check(within.tryNext() as PoolFrame);
  placed.close();
  using successor = Pool.producerOver(view, { offset: 64 });
  assert.equal(successor.free, 2);
  const waiting = within.next();
  view.close();
  await assert.rejects(waiting, withCode('ERR_SECTION_CLOSED'));
  assert.ok(within.closed && successor.closed);
});
