/**
 * What a ring promises to its users, in one process: lengths, room, the end, timeouts, aborts, roles, and rings in a part of
 * a view.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Section, type View } from 'sectile';
import { MessageBatch, Ring, type RingConsumer, type RingCreateOptions, type RingProducer } from 'sectile/channel';
import { sharedScratch } from '../support/child.js';
import { withCode } from '../support/errors.js';

interface Ends {
  readonly ring: Ring;
  readonly producer: RingProducer;
  readonly consumer: RingConsumer;
}

function ends(t: TestContext, options: Partial<RingCreateOptions> = {}): Ends {
  const ring = Ring.create({ capacity: 1024, ...options });
  t.after(() => ring.close());
  return { ring, producer: ring.producer(), consumer: ring.consumer() };
}

const bytes = (length: number, first = 0): Uint8Array => Uint8Array.from({ length }, (_, index) => first + index);

/** With one producer and with several the promises are the same. */
for (const producers of ['one', 'many'] as const) {
  test(`messages of every length come as they were sent (${producers})`, (t) => {
    const { producer, consumer } = ends(t, { producers });
    const targets = [new Uint8Array(504), new Uint8Array(new ArrayBuffer(520), 3, 504)];
    for (let length = 0; length <= 504; length++) {
      const message = bytes(length, length);
      assert.ok(producer.trySend(message));
      assert.deepEqual(consumer.tryReceive(), message);
      // Each twice and more in a row, for that is another way of copying.
      const target = targets[length % 20 < 10 ? 0 : 1] as Uint8Array;
      target.fill(255);
      producer.sendSync(message);
      assert.equal(consumer.receiveIntoSync(target, 0), length);
      assert.deepEqual(target.subarray(0, length), message);
      assert.ok(target.subarray(length).every((byte) => byte === 255));
      const claim = producer.claim(Math.min(length + 5, 504));
      claim?.set(message);
      producer.commit(length);
      assert.deepEqual(consumer.peek(), message);
      assert.deepEqual(consumer.next(), message);
      consumer.release();
      const batch = new MessageBatch(2048);
      assert.ok(batch.add(message) && batch.add(bytes(3)));
      const sent = producer.trySendMany(batch);
      assert.equal(sent, length > 480 ? 1 + (sent - 1) : 2);
      assert.equal(consumer.tryReceiveBatch(batch), sent);
      assert.deepEqual(batch.at(0), message);
      if (sent === 2) assert.deepEqual(batch.at(1), bytes(3));
      assert.equal(consumer.tryReceive(), null);
    }
  });

  test(`the same memory is sent and received into again and again, also when it grows or goes (${producers})`, async (t) => {
    const { producer, consumer } = ends(t, { producers });
    type Resizable = ArrayBuffer & { resize(bytes: number): void };
    const make = (): [Resizable, Uint8Array] => {
      const buffer = new (ArrayBuffer as unknown as new (bytes: number, options: object) => Resizable)(16, { maxByteLength: 64 });
      return [buffer, new Uint8Array(buffer)];
    };
    const [[from, message], [to, target]] = [make(), make()];
    for (const size of [16, 16, 16, 64, 64, 8, 48]) {
      from.resize(size);
      to.resize(size);
      message.set(bytes(size, size));
      producer.sendSync(message);
      assert.equal(await consumer.receiveInto(target), size);
      assert.deepEqual(target, bytes(size, size));
    }
    structuredClone(from, { transfer: [from] });
    producer.sendSync(message);
    assert.equal(consumer.receiveIntoSync(target), 0);
  });

  test(`memory of the caller's is received into when something comes, and told the end (${producers})`, async (t) => {
    const { producer, consumer } = ends(t, { producers });
    const target = new Uint8Array(504);
    await assert.rejects(consumer.receiveInto(target, { timeout: 1 }), withCode('ERR_SECTION_TIMEOUT'));
    assert.throws(() => consumer.receiveIntoSync(target, 1), withCode('ERR_SECTION_TIMEOUT'));
    assert.throws(() => consumer.receiveIntoSync(target, -1), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    const coming = consumer.receiveInto(target);
    producer.sendSync(bytes(9, 1));
    assert.equal(await coming, 9);
    assert.deepEqual(target.subarray(0, 9), bytes(9, 1));
    producer.sendSync(bytes(12));
    // What is wrong is told, whether there is something or not.
    assert.throws(() => consumer.receiveIntoSync(target, -1), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    assert.throws(() => producer.sendSync(bytes(1), -1), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    assert.throws(() => consumer.receiveIntoSync(new Uint8Array(11)), withCode('ERR_SECTION_OUT_OF_RANGE'));
    await assert.rejects(consumer.receiveInto(new Uint8Array(11)), withCode('ERR_SECTION_OUT_OF_RANGE'));
    assert.equal(consumer.receiveIntoSync(target), 12);
    producer.close();
    assert.equal(await consumer.receiveInto(target), -1);
    assert.equal(consumer.receiveIntoSync(target), -1);
  });

  test(`a full ring takes nothing until something is received (${producers})`, (t) => {
    const { ring, producer, consumer } = ends(t, { producers });
    let sent = 0;
    while (producer.trySend(bytes(40, sent))) sent++;
    assert.equal(sent, Math.floor(ring.capacity / 48));
    assert.equal(ring.used, 48 * sent);
    assert.ok(!producer.fits(40) && producer.fits(8) && producer.claim(40) === null);
    assert.deepEqual(consumer.tryReceive(), bytes(40));
    assert.ok(consumer.next() !== null);
    assert.ok(!producer.fits(72), 'a message in place keeps its room');
    consumer.release();
    assert.ok(producer.fits(72));
    assert.equal(consumer.tryReceiveMany().length, sent - 2);
    assert.equal(ring.used, 0);
  });

  test(`what is held in place, or not yet received, stays as it is while all other room is filled (${producers})`, (t) => {
    const { producer, consumer } = ends(t, { producers, capacity: 2 ** 16 });
    const again = new Uint8Array(new ArrayBuffer(96));
    const ways: readonly ((message: Uint8Array) => boolean)[] = [
      (message) => producer.trySend(message),
      (message) => {
        again.set(message);
        return producer.trySend(again);
      },
      (message) => {
        const claimed = producer.claim(message.length);
        claimed?.set(message);
        if (claimed !== null) producer.commit();
        return claimed !== null;
      },
    ];
    const message = (number: number): Uint8Array => bytes(96, number % 251);
    let [sent, received] = [0, 0];
    for (let turn = 0; turn < 40; turn++) {
      while (ways[(sent >> 3) % ways.length]?.(message(sent))) sent++;
      // Some hundred are held; those behind them are there, and all the room that there is is filled once more.
      const held: [Uint8Array, number][] = [];
      for (let count = 100 + turn; count > 0; count--) held.push([consumer.next() as Uint8Array, received++]);
      while (ways[(sent >> 3) % ways.length]?.(message(sent))) sent++;
      for (const [bytesHeld, number] of held) assert.deepEqual(bytesHeld, message(number));
      consumer.release();
      while (ways[(sent >> 3) % ways.length]?.(message(sent))) sent++;
      for (let count = 300 + turn; count > 0; count--) assert.deepEqual(consumer.tryReceive(), message(received++));
    }
    assert.ok(sent > 40 * 300);
  });

  test(`the longest message fits into an empty ring wherever that stands (${producers})`, (t) => {
    const { producer, consumer } = ends(t, { producers });
    for (let turn = 0; turn < 128; turn++) {
      assert.ok(producer.trySend(bytes(504, turn)));
      assert.deepEqual(consumer.tryReceive(), bytes(504, turn));
      assert.ok(producer.trySend(bytes(1)));
      assert.deepEqual(consumer.tryReceive(), bytes(1));
    }
    assert.throws(() => producer.trySend(bytes(505)), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
    assert.throws(() => producer.claim(505), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
    assert.throws(() => producer.trySendMany([bytes(8), bytes(505)]), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
    assert.equal(consumer.tryReceive(), null, 'nothing of what cannot be sent whole');
  });

  test(`a claim is sent by its commit, and not when it is abandoned (${producers})`, (t) => {
    const { producer, consumer } = ends(t, { producers });
    producer.claim(100)?.fill(1);
    assert.equal(consumer.tryReceive(), null);
    assert.throws(() => producer.trySend(bytes(1)), withCode('ERR_SECTION_INVALID_ARGUMENT', /claim/));
    assert.throws(() => producer.commit(101), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    producer.abandon();
    assert.throws(() => producer.commit(), withCode('ERR_SECTION_INVALID_ARGUMENT', /nothing is claimed/));
    producer.claim(10)?.fill(2);
    producer.commit(4);
    assert.deepEqual(consumer.tryReceive(), new Uint8Array(4).fill(2));
    assert.equal(consumer.tryReceive(), null);
  });

  test(`receivers get the end after all that was sent, and senders that of the consumer (${producers})`, async (t) => {
    const { ring, producer, consumer } = ends(t, { producers });
    producer.trySend(bytes(5));
    producer.close();
    assert.ok(!consumer.ended);
    assert.deepEqual(await consumer.receive(), bytes(5));
    assert.ok(consumer.ended);
    assert.equal(await consumer.receive(), null);
    assert.equal(consumer.receiveSync(), null);
    assert.equal(await consumer.receiveMany(), null);
    assert.equal(await consumer.receiveBatch(new MessageBatch(64)), 0);
    const next = ring.producer();
    assert.ok(!consumer.ended);
    const coming = consumer.receive();
    await next.send(bytes(6));
    assert.deepEqual(await coming, bytes(6));
    const waiting = consumer.receive();
    next.breakOff();
    await assert.rejects(waiting, withCode('ERR_SECTION_PEER_ENDED', /broke off/));
    const last = ring.producer();
    while (last.trySend(bytes(100)));
    const full = last.send(bytes(100));
    consumer.close();
    await assert.rejects(full, withCode('ERR_SECTION_PEER_ENDED', /the consumer has closed/));
    assert.throws(() => last.sendSync(bytes(100)), withCode('ERR_SECTION_PEER_ENDED'));
    const patient = last.waitForConsumer();
    const other = ring.consumer();
    await patient;
    assert.ok(other.tryReceiveMany().length >= 8);
    await last.send(bytes(100));
  });
}

test('who waits for a message or for room is served in turn, and gives up when told', async (t) => {
  const { producer, consumer } = ends(t);
  const both = [consumer.receive(), consumer.receive()];
  await producer.send(bytes(1, 1));
  await producer.sendMany([bytes(1, 2)]);
  assert.deepEqual(await Promise.all(both), [bytes(1, 1), bytes(1, 2)]);
  await assert.rejects(consumer.receive({ timeout: 5 }), withCode('ERR_SECTION_TIMEOUT', /no message within 5 ms/));
  assert.throws(() => consumer.receiveSync(5), withCode('ERR_SECTION_TIMEOUT'));
  const stop = new AbortController();
  const aborted = consumer.receive({ signal: stop.signal });
  stop.abort(new Error('enough'));
  await assert.rejects(aborted, /enough/);
  while (producer.trySend(bytes(100)));
  await assert.rejects(producer.send(bytes(100), { timeout: 5 }), withCode('ERR_SECTION_TIMEOUT', /no room/));
  assert.throws(() => producer.sendSync(bytes(100), 5), withCode('ERR_SECTION_TIMEOUT'));
  const room = producer.room(400).then(() => producer.trySend(bytes(400)));
  const order: number[] = [];
  const sending = [1, 2, 3].map((each) => producer.send(bytes(100, each)).then(() => order.push(each)));
  consumer.drain(() => {});
  assert.ok(await room);
  await Promise.all(sending);
  assert.deepEqual(order, [1, 2, 3]);
  const pending = consumer.drain(() => {});
  assert.equal(pending, 4);
  const closing = consumer.receive();
  consumer.close();
  await assert.rejects(closing, withCode('ERR_SECTION_CLOSED'));
  assert.throws(() => consumer.tryReceive(), withCode('ERR_SECTION_CLOSED'));
});

test('a role has one holder at a time, and several producers are 64', (t) => {
  const { ring } = ends(t);
  assert.throws(() => ring.producer(), withCode('ERR_SECTION_ROLE_TAKEN', new RegExp(`process ${process.pid} is its producer`)));
  assert.throws(() => ring.consumer(), withCode('ERR_SECTION_ROLE_TAKEN'));
  const many = Ring.create({ capacity: 1024, producers: 'many' });
  const producers = Array.from({ length: 64 }, () => many.producer());
  assert.throws(() => many.producer(), withCode('ERR_SECTION_LIMIT'));
  const [first, second] = producers as [RingProducer, RingProducer];
  assert.ok(first.claim(8) !== null);
  assert.ok(!second.trySend(bytes(1)), 'of one thread as well, one at a time');
  first.commit();
  assert.ok(second.trySend(bytes(1)));
  producers[63]?.close();
  many.producer();
  many.close();
});

test('positions go on where 32 bits end', (t) => {
  const section = Section.create({ size: 4096 });
  const view = section.map();
  t.after(() => {
    view.close();
    section.close();
  });
  for (const start of [0x7fff_ff00, -0x100]) {
    const ring = Ring.format(view, { length: 1536 + 1024 });
    const words = view.as(Int32Array);
    words[256 / 4] = start;
    words[384 / 4] = start;
    const producer = ring.producer();
    const consumer = ring.consumer();
    const batch = new MessageBatch(256, 4);
    const [again, target] = [bytes(61), new Uint8Array(64)];
    for (let turn = 0; turn < 20; turn++) {
      again[0] = turn;
      for (let more = 0; more < 5; more++) assert.ok(producer.trySend(again));
      for (let more = 0; more < 5; more++) {
        assert.equal(consumer.tryReceiveInto(target), 61);
        assert.deepEqual(target.subarray(0, 61), again);
      }
      assert.ok(producer.trySend(bytes(48, turn)) && producer.trySend(bytes(100, turn)));
      assert.ok(ring.used >= 56 + 112);
      assert.deepEqual(consumer.tryReceive(), bytes(48, turn));
      assert.equal(consumer.tryReceiveBatch(batch), 1);
      assert.deepEqual(batch.at(0), bytes(100, turn));
    }
    ring.close();
  }
});

test('a batch that was received can be sent on, in parts where there is not room for all', (t) => {
  const from = ends(t, { capacity: 4096 });
  const to = ends(t, { capacity: 1024 });
  const batch = new MessageBatch(4096, 100);
  for (let number = 0; number < 40; number++) from.producer.trySend(bytes(number * 2, number));
  assert.equal(from.consumer.tryReceiveBatch(batch), 40);
  const got: Uint8Array[] = [];
  for (let sent = 0; sent < 40; ) {
    const more = to.producer.trySendMany(batch, sent);
    assert.ok(more > 0);
    sent += more;
    got.push(...to.consumer.tryReceiveMany());
  }
  assert.deepEqual(
    got,
    Array.from({ length: 40 }, (_, number) => bytes(number * 2, number)),
  );
  batch.clear();
  assert.ok(batch.add(bytes(600)) && batch.add(bytes(1)));
  assert.throws(() => to.producer.trySendMany(batch), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
  assert.equal(to.consumer.tryReceive(), null);
});

test('a ring stands in any part of a view that starts at 64 bytes', (t) => {
  const section = Section.create({ size: 65536 });
  const view: View = section.map({ offset: 4096 });
  t.after(() => {
    view.close();
    section.close();
  });
  view.bytes.fill(0xee);
  const ring = Ring.format(view, { offset: 640, length: 1536 + 5000 });
  assert.deepEqual([ring.capacity, ring.maximum, ring.name], [4096, 2040, undefined]);
  const other = Ring.over(section.map(), { offset: 4096 + 640 });
  const producer = ring.producer();
  const consumer = other.consumer();
  for (let turn = 0; turn < 50; turn++) {
    assert.ok(producer.trySend(bytes(1999, turn)));
    assert.deepEqual(consumer.tryReceive(), bytes(1999, turn));
  }
  assert.ok(view.bytes.subarray(0, 640).every((byte) => byte === 0xee));
  assert.ok(view.bytes.subarray(640 + 1536 + 4096).every((byte) => byte === 0xee));
  assert.throws(() => Ring.format(view, { offset: 32 }), withCode('ERR_SECTION_MISALIGNED'));
  assert.throws(() => Ring.format(section.map({ offset: 36 }), { offset: 28 }), withCode('ERR_SECTION_MISALIGNED'));
  assert.throws(() => Ring.format(view, { length: 2000 }), withCode('ERR_SECTION_OUT_OF_RANGE'));
  assert.throws(() => Ring.over(view, { offset: 1024 }), withCode('ERR_SECTION_TYPE_MISMATCH'));
  assert.throws(() => Ring.over(section.map({ access: 'read' })), withCode('ERR_SECTION_ACCESS_DENIED'));
  const held = ring.consumer.bind(ring);
  consumer.close();
  held();
  view.close();
  assert.throws(() => producer.trySend(bytes(1)), withCode('ERR_SECTION_CLOSED'));
  assert.throws(() => ring.producer(), withCode('ERR_SECTION_CLOSED'));
  other.producer();
  other.consumer();
});

test('a name leads to one ring, and options are closed sets', (t) => {
  sharedScratch(t);
  const ring = Ring.create({ name: 'frames', capacity: 5000 });
  const same = Ring.create({ name: 'frames', capacity: 100, ifExists: 'open' });
  const again = Ring.open('frames');
  assert.deepEqual(
    [ring, same, again].map(({ capacity, name }) => [capacity, name]),
    Array(3).fill([8192, 'Local\\frames']),
  );
  assert.throws(() => Ring.create({ name: 'frames', capacity: 1 }), withCode('ERR_SECTION_EXISTS'));
  for (const each of [ring, same, again]) each.close();
  assert.throws(() => Ring.open('frames'), withCode('ERR_SECTION_NOT_FOUND'));
  assert.throws(() => ring.producer(), withCode('ERR_SECTION_CLOSED'));
  for (const wrong of [{ capacity: 0 }, { capacity: 2 ** 31 }, { capacity: 1024, producers: 'two' }, { size: 1 }, undefined]) {
    assert.throws(() => Ring.create(wrong as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  }
  const { producer, consumer } = ends(t);
  for (const wrong of [null, 'text', -1, {}, [1]]) {
    assert.throws(() => producer.trySend(wrong as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    assert.throws(() => producer.claim(wrong as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
    assert.throws(() => producer.trySendMany([wrong] as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  }
  producer.trySend(bytes(8));
  assert.throws(() => consumer.tryReceiveInto(new Uint8Array(7)), withCode('ERR_SECTION_OUT_OF_RANGE'));
  assert.throws(() => consumer.tryReceiveInto('text' as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.deepEqual(consumer.tryReceive(), bytes(8));
});
