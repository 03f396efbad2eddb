/**
 * Broadcast: readers in processes of their own, with read-only views, get every message or are told exactly what they lost,
 * and no message that is not whole, whatever the writer does, and however it dies.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import { Broadcast, type Lost } from 'sectile/channel';
import sides, { fill, lengthOf, numberOf } from '../fixtures/one-writer.js';
import { sharedScratch, start } from '../support/child.js';
import { unlessOutrun, withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';

const text = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString());

test('messages come in order, each to every reader, from the oldest or from now on', (t) => {
  sharedScratch(t);
  using writer = Broadcast.create({ name: 'order', capacity: 1000 });
  assert.equal(writer.capacity, 1024);
  assert.equal(writer.longest, 504);
  using early = Broadcast.open('order');
  assert.equal(early.tryRead(), null);
  assert.deepEqual(early.tryReadBatch(), []);
  writer.write(Buffer.from('one'));
  writer.write(new Uint8Array(0));
  using late = Broadcast.open('order');
  using now = Broadcast.open('order', { from: 'now' });
  writer.writeAll([Buffer.from('three'), new Uint16Array([1, 2])]);
  writer.writeInPlace(4, (bytes) => bytes.set(Buffer.from('five')));
  for (const reader of [early, late]) {
    assert.equal(text(reader.tryRead()), 'one');
    assert.equal(text(reader.tryRead()), '');
    assert.equal(text(reader.tryRead()), 'three');
    const target = new Uint8Array(4);
    assert.throws(() => reader.tryRead(target.subarray(1)), withCode('ERR_SECTION_OUT_OF_RANGE', /has 4 bytes, the target 3/));
    assert.equal(reader.tryRead(target), 4);
    assert.deepEqual([...target], [1, 0, 2, 0]);
    assert.equal(text(reader.tryRead()), 'five');
    assert.equal(reader.tryRead(), null);
    assert.equal(reader.position, 5);
  }
  assert.deepEqual(now.tryReadBatch().map(text), ['three', '\u0001\0\u0002\0', 'five']);
  assert.deepEqual(now.tryReadBatch(), []);
  assert.deepEqual(early.lost, { messages: 0, bytes: 0 });
});

test('a reader that is overtaken is told what it lost, to the message and to the byte', (t) => {
  sharedScratch(t);
  const most = 100;
  using writer = Broadcast.create({ name: 'overtaken', capacity: 1024 });
  const told: Lost[] = [];
  using reader = Broadcast.open('overtaken', { onLost: (lost) => told.push(lost) });
  using batches = Broadcast.open('overtaken');
  const write = (count: number) => {
    for (let index = 0; index < count; index++) {
      const number = writer.written;
      writer.writeInPlace(lengthOf(number, most), (bytes) => void fill(bytes, number, most));
    }
  };
  let next = 0;
  for (let round = 1; round < 60; round++) {
    write(round);
    const message = reader.tryRead() as Uint8Array;
    const number = numberOf(message, most);
    const lost = told.splice(0);
    const bytes = Array.from({ length: number - next }, (_, index) => lengthOf(next + index, most)).reduce((a, b) => a + b, 0);
    assert.deepEqual(lost, number === next ? [] : [{ messages: number - next, bytes }]);
    next = number + 1;
  }
  assert.ok(reader.lost.messages > 500);
  let count = 0;
  for (let batch = batches.tryReadBatch(64); batch.length > 0; batch = batches.tryReadBatch(64)) {
    for (const message of batch) assert.equal(numberOf(message, most), batches.lost.messages + count++);
  }
  assert.equal(count + batches.lost.messages, writer.written);
});

test('messages of half the log, and of all lengths around its end', (t) => {
  sharedScratch(t);
  using writer = Broadcast.create({ capacity: 64, name: 'small' });
  using reader = Broadcast.open('small');
  assert.equal(writer.longest, 24);
  for (let round = 0; round < 500; round++) {
    const length = (round * 7) % 25;
    writer.write(Buffer.alloc(length, round));
    assert.deepEqual(reader.tryRead(), new Uint8Array(length).fill(round));
  }
  writer.writeAll(Array.from({ length: 100 }, (_, index) => Buffer.alloc(index % 25, index)));
  const rest = reader.tryReadBatch();
  assert.equal(rest.at(-1)?.length ?? reader.tryRead()?.length, 99 % 25);
  assert.throws(() => writer.write(new Uint8Array(25)), withCode('ERR_SECTION_MESSAGE_TOO_BIG', /at most 24 bytes, not 25/));
  assert.throws(() => writer.writeAll([new Uint8Array(1), new Uint8Array(25)]), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
  assert.throws(() => writer.writeInPlace(-1, () => {}), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(
    () => writer.writeInPlace(1, () => writer.write(new Uint8Array(1))),
    withCode('ERR_SECTION_INVALID_ARGUMENT', /may not write another/),
  );
  writer.write(Buffer.from('after'));
  while (reader.tryRead() !== null);
  assert.equal(reader.position, writer.written);
});

for (const together of [1, 20]) {
  test(`readers of a writer that never rests get whole messages only, ${together} written together`, async (t) => {
    const scratch = sharedScratch(t);
    const most = 1000;
    const args = ['restless', 16_384, most, together];
    const writer = start(t, sides, 'writes messages without end', { scratch, args });
    await writer.reached('writing');
    const readers = (['one', 'target', 'batch'] as const).map((way, index) =>
      start(t, sides, 'follows messages', { scratch, args: ['restless', most, 1.5, way, index * 3] }),
    );
    for (const reader of readers) {
      const { read, lost } = (await reader.reached('followed')) as { read: number; lost: { messages: number; times: number } };
      await reader.endsWell();
      t.diagnostic(`${read} read, ${lost.messages} lost in ${lost.times} times`);
      assert.ok(read > 0 && lost.messages > 0);
    }
    assert.equal((await writer.kill()).signal, 'SIGKILL');
  });
}

test('a writer that dies in the middle of a message leaves what it had written, and another goes on', async (t) => {
  const scratch = sharedScratch(t);
  const most = 1000;
  for (const before of [0, 50]) {
    const name = `killed-${before}`;
    const writer = start(t, sides, 'dies in the middle of a message', { scratch, args: [name, 8192, most, before] });
    await writer.reached('written');
    using reader = Broadcast.open(name);
    const first = reader.position;
    const waiting = start(t, sides, 'waits for the end of its writer', { scratch, args: [name, 'broadcast'] });
    await waiting.reached('waiting');
    writer.tell('die');
    assert.ok(platform.endedBy(await writer.ended, 'SIGKILL'));
    assert.equal(await waiting.reached('told'), 'ERR_SECTION_PEER_ENDED');
    assert.equal(await waiting.reached('waiting again'), 'ended');
    let next = before;
    const numbers: number[] = [];
    const iterating = (async () => {
      for await (const message of reader) numbers.push(numberOf(message, most));
    })();
    await assert.rejects(iterating, withCode('ERR_SECTION_PEER_ENDED', new RegExp(String(writer.pid))));
    assert.equal(numbers.at(-1) ?? -1, before - 1);
    assert.equal(first + numbers.length + reader.lost.messages, before);
    await assert.rejects(reader.read(undefined, { timeout: 1 }), withCode('ERR_SECTION_TIMEOUT'));
    const successor = start(t, sides, 'goes on writing messages', { scratch, args: [name, most, 1000] });
    assert.equal(await successor.reached('writing'), before);
    for await (const message of reader.messages()) {
      const number = numberOf(message, most);
      assert.ok(number >= next);
      next = number + 1;
    }
    assert.equal(next, before + 1000);
    assert.equal(await waiting.reached('had'), true);
    await waiting.endsWell();
    await successor.endsWell();
  }
});

test('a writer killed at any moment leaves a log that holds together', async (t) => {
  const scratch = sharedScratch(t);
  const most = 200;
  for (let round = 0; round < 4; round++) {
    const name = `mortal-${round}`;
    const writer = start(t, sides, 'writes messages without end', { scratch, args: [name, 4096, most, 1 + 10 * (round % 2)] });
    await writer.reached('writing');
    using reader = Broadcast.open(name);
    while (reader.position < 2000) {
      unlessOutrun(() => reader.tryReadBatch());
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writer.kill();
    let next = reader.position;
    for (let message = reader.tryRead(); message !== null; message = reader.tryRead()) {
      const number = numberOf(message, most);
      assert.ok(number >= next);
      next = number + 1;
    }
    using second = Broadcast.openWriter(name);
    assert.equal(second.written, next);
    for (let count = 0; count < 100; count++) {
      second.writeInPlace(lengthOf(next, most), (bytes) => void fill(bytes, next, most));
      assert.equal(numberOf(reader.tryRead() as Uint8Array, most), next++);
    }
  }
});

test('waiting: messages, batches, the end, timeouts, signals, closing', async (t) => {
  sharedScratch(t);
  for (const wake of ['always', 'never'] as const) {
    const writer = Broadcast.create({ name: `waiting-${wake}`, capacity: 4096, wake });
    const reader = Broadcast.open(`waiting-${wake}`);
    const first = reader.read();
    writer.write(Buffer.from('first'));
    assert.equal(text(await first), 'first');
    const target = new Uint8Array(8);
    const second = reader.read(target);
    writer.write(Buffer.from('second'));
    assert.equal(await second, 6);
    const batch = reader.readBatch();
    writer.writeAll([Buffer.from('a'), Buffer.from('b')]);
    assert.deepEqual((await batch)?.map(text), ['a', 'b']);
    await assert.rejects(reader.read(undefined, { timeout: 2 }), withCode('ERR_SECTION_TIMEOUT'));
    await assert.rejects(reader.readBatch({ timeout: 2 }), withCode('ERR_SECTION_TIMEOUT'));
    const controller = new AbortController();
    const aborted = reader.read(undefined, { signal: controller.signal });
    controller.abort();
    await assert.rejects(aborted, { name: 'AbortError' });
    writer.write(Buffer.from('last'));
    writer.close();
    const all: string[][] = [];
    for await (const each of reader.batches()) all.push(each.map((bytes) => text(bytes) ?? ''));
    assert.deepEqual(all, [['last']]);
    assert.equal(await reader.read(), null);
    assert.equal(await reader.readBatch(), null);
    using again = Broadcast.openWriter(`waiting-${wake}`);
    const waiting = reader.read();
    reader.close();
    await assert.rejects(waiting, withCode('ERR_SECTION_CLOSED'));
    assert.equal(again.written, 5);
  }
});

test('a log in a part of a view, and what is refused', (t) => {
  sharedScratch(t);
  using section = Section.create({ size: 65_536 });
  using view = section.map();
  using readOnly = section.map({ access: 'read' });
  using writer = Broadcast.format(view, { capacity: 4096, offset: 1024, length: 8192 });
  using reader = Broadcast.over(readOnly, { offset: 1024 });
  writer.write(Buffer.from('in place'));
  assert.equal(text(reader.tryRead()), 'in place');
  assert.throws(() => Broadcast.writerOver(view, { offset: 1024 }), withCode('ERR_SECTION_ROLE_TAKEN'));
  assert.throws(() => Broadcast.over(view, { offset: 0 }), withCode('ERR_SECTION_TYPE_MISMATCH'));
  assert.throws(() => Broadcast.over(view, { offset: 1024, length: 2048 }), withCode('ERR_SECTION_CHANNEL_DAMAGED'));
  assert.throws(() => Broadcast.over(view, { offset: 1024, from: 'later' as never }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(() => Broadcast.over(view, { offset: 1024, onLost: 1 as never }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  for (const capacity of [0, 63, 2 ** 30 + 1, 64.5]) {
    assert.throws(() => Broadcast.create({ capacity }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  }
  view.close();
  assert.ok(writer.closed);
  assert.throws(() => writer.write(Buffer.from('gone')), withCode('ERR_SECTION_CLOSED'));
});
