/**
 * Latest: readers in processes of their own, with read-only views, get whole values and none that is older than one they had,
 * whatever the writer does, and however it dies.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import { Latest } from 'sectile/channel';
import sides, { fill, numberOf } from '../fixtures/one-writer.js';
import { sharedScratch, start } from '../support/child.js';
import { unlessOutrun, withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';

test('a value is read as it was written, and nothing is there before', (t) => {
  sharedScratch(t);
  using writer = Latest.create({ name: 'value', size: 100 });
  using reader = Latest.open('value');
  assert.equal(reader.tryRead(), null);
  assert.equal(reader.tryRead(new Uint8Array(0)), null);
  assert.equal(writer.write(Buffer.from('first')), 1);
  assert.equal(Buffer.from(reader.tryRead() ?? []).toString(), 'first');
  assert.equal(reader.version, 1);
  assert.equal(writer.write(new Float64Array([1, 2])), 2);
  const target = new Float64Array(4);
  assert.equal(reader.tryRead(target), 16);
  assert.deepEqual([...target], [1, 2, 0, 0]);
  writer.write(new Uint8Array(0));
  assert.deepEqual(reader.tryRead(), new Uint8Array(0));
  assert.equal(reader.capacity, 100);
  for (let count = 0; count < 20; count++) writer.write(Buffer.alloc(100, count));
  assert.deepEqual(reader.tryRead(), new Uint8Array(100).fill(19));
  assert.equal(reader.version, 23);
});

test('what cannot be is refused', async (t) => {
  sharedScratch(t);
  using writer = Latest.create({ name: 'refused', size: 64 });
  using reader = Latest.open('refused');
  assert.throws(() => writer.write(new Uint8Array(65)), withCode('ERR_SECTION_MESSAGE_TOO_BIG', /at most 64 bytes, not 65/));
  assert.throws(() => writer.write('text' as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(() => writer.update(() => 65), withCode('ERR_SECTION_MESSAGE_TOO_BIG'));
  assert.throws(() => writer.update((async () => 3) as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(
    () =>
      writer.update(() => {
        writer.write(new Uint8Array(1));
        return 1;
      }),
    withCode('ERR_SECTION_INVALID_ARGUMENT', /may not write another/),
  );
  assert.throws(() => {
    writer.update(() => {
      throw new Error('not now');
    });
  }, /not now/);
  assert.equal(reader.tryRead(), null);
  writer.write(new Uint8Array(64));
  assert.throws(() => reader.tryRead(new Uint8Array(63)), withCode('ERR_SECTION_OUT_OF_RANGE', /64 bytes, the target 63/));
  assert.throws(() => Latest.openWriter('refused'), withCode('ERR_SECTION_ROLE_TAKEN', new RegExp(String(process.pid))));
  assert.throws(() => Latest.open('nowhere'), withCode('ERR_SECTION_NOT_FOUND'));
  assert.throws(() => Latest.create({ name: 'refused', size: 64 }), withCode('ERR_SECTION_EXISTS'));
  for (const size of [0, -1, 1.5, 2 ** 30 + 1, '1']) {
    assert.throws(() => Latest.create({ size } as never), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  }
  assert.throws(() => Latest.create({ size: 1, slots: 1 }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  assert.throws(() => Latest.create({ size: 1, speed: 1 } as never), withCode('ERR_SECTION_INVALID_ARGUMENT', /speed/));
  await assert.rejects(reader.changed({ timeout: -1 }), withCode('ERR_SECTION_INVALID_ARGUMENT'));
  using section = Section.create({ name: 'none', size: 4096 });
  assert.throws(() => Latest.open('none'), withCode('ERR_SECTION_TYPE_MISMATCH', /no channel/));
  section.close();
  reader.close();
  reader.close();
  assert.throws(() => reader.tryRead(), withCode('ERR_SECTION_CLOSED'));
  await assert.rejects(reader.read(), withCode('ERR_SECTION_CLOSED'));
  writer.close();
  assert.throws(() => writer.write(new Uint8Array(1)), withCode('ERR_SECTION_CLOSED'));
});

test('readers of a writer that never rests get whole values only', async (t) => {
  const scratch = sharedScratch(t);
  for (const [size, times] of [
    [64, 30_000],
    [65_536, 2000],
  ] as const) {
    const name = `restless-${size}`;
    const writer = start(t, sides, 'writes values without end', { scratch, args: [name, size] });
    await writer.reached('writing');
    const readers = [0, 1].map(() => start(t, sides, 'reads values', { scratch, args: [name, size, times] }));
    for (const reader of readers) {
      const { different } = (await reader.reached('read')) as { different: number };
      await reader.endsWell();
      assert.ok(different > 1, `${different} values`);
    }
    const { signal } = await writer.kill();
    assert.equal(signal, 'SIGKILL');
  }
});

test('a writer that dies in the middle of a value leaves the last one, and another goes on', async (t) => {
  const scratch = sharedScratch(t);
  const size = 4096;
  const writer = start(t, sides, 'dies in the middle of a value', { scratch, args: ['killed', size] });
  await writer.reached('written');
  using reader = Latest.open('killed');
  const waiting = start(t, sides, 'waits for the end of its writer', { scratch, args: ['killed', 'latest'] });
  await waiting.reached('waiting');
  writer.tell('die');
  assert.ok(platform.endedBy(await writer.ended, 'SIGKILL'));
  assert.equal(await waiting.reached('told'), 'ERR_SECTION_PEER_ENDED');
  assert.equal(await waiting.reached('waiting again'), 'ended');
  assert.equal(numberOf(reader.tryRead() as Uint8Array, size), 5);
  using second = Latest.openWriter('killed');
  assert.equal(second.version, 5);
  assert.equal(numberOf(reader.tryRead() as Uint8Array, size), 5);
  second.update((bytes) => fill(bytes, 6, size));
  assert.equal(numberOf(reader.tryRead() as Uint8Array, size), 6);
  assert.equal(await waiting.reached('had'), true);
  await waiting.endsWell();
});

test('a writer killed at any moment leaves a whole value to readers and to the next writer', async (t) => {
  const scratch = sharedScratch(t);
  const size = 16_384;
  const first = start(t, sides, 'writes values without end', { scratch, args: ['mortal', size] });
  await first.reached('writing');
  using reader = Latest.open('mortal');
  let writer = first;
  let last = 0;
  for (let round = 0; round < 4; round++) {
    while (unlessOutrun(() => reader.tryRead()) === null || reader.version < last + 100)
      await new Promise((resolve) => setImmediate(resolve));
    await writer.kill();
    const value = numberOf(reader.tryRead() as Uint8Array, size);
    assert.ok(value >= last);
    assert.equal(reader.writer, 'ended');
    await assert.rejects(
      (async () => {
        while (await reader.changed()) reader.tryRead();
      })(),
      withCode('ERR_SECTION_PEER_ENDED', new RegExp(String(writer.pid))),
    );
    await assert.rejects(reader.changed({ timeout: 5 }), withCode('ERR_SECTION_TIMEOUT'));
    assert.equal(numberOf(reader.tryRead() as Uint8Array, size), value);
    last = value;
    writer = start(t, sides, 'goes on writing values without end', { scratch, args: ['mortal', size] });
    assert.equal(await writer.reached('writing'), value);
    assert.equal(await reader.changed(), true);
    assert.equal(reader.writer, 'alive');
  }
});

test('readers wait for values, skip what they are too slow for, and see the end', async (t) => {
  const scratch = sharedScratch(t);
  for (const wake of ['always', 'never'] as const) {
    const name = `waits-${wake}`;
    const writer = start(t, sides, 'writes values when told', { scratch, args: [name, 256, wake] });
    await writer.reached('ready');
    const readers = [0, 1].map(() => start(t, sides, 'waits for each value', { scratch, args: [name, 256] }));
    for (const reader of readers) await reader.reached('waiting');
    using own = Latest.open(name);
    const first = own.read();
    writer.tell('write', 1);
    assert.equal(numberOf((await first) as Uint8Array, 256), 1);
    for (let round = 0; round < 50; round++) {
      const changed = own.changed({ timeout: 10_000 });
      writer.tell('write', 3);
      assert.equal(await changed, true);
      own.tryRead();
    }
    writer.tell('write', null);
    for (const reader of readers) {
      const { last, count } = (await reader.reached('over')) as { last: number; count: number };
      await reader.endsWell();
      assert.equal(last, 151);
      assert.ok(count <= 151 && count >= 1);
    }
    await writer.endsWell();
    own.tryRead();
    assert.equal(await own.changed(), false);
    assert.equal(numberOf((await own.read()) as Uint8Array, 256), 151);
    assert.equal(own.writer, 'none');
  }
});

test('a wait ends by timeout, by a signal, and when its side is closed', async (t) => {
  sharedScratch(t);
  using writer = Latest.create({ name: 'ends', size: 8 });
  using reader = Latest.open('ends');
  await assert.rejects(reader.read(undefined, { timeout: 5 }), withCode('ERR_SECTION_TIMEOUT', /within 5 ms/));
  await assert.rejects(reader.changed({ timeout: 0 }), withCode('ERR_SECTION_TIMEOUT'));
  const reason = new Error('enough');
  await assert.rejects(reader.read(undefined, { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const waiting = reader.changed({ signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(waiting, reason);
  const values = reader.values();
  const next = values.next();
  reader.close();
  await assert.rejects(next, withCode('ERR_SECTION_CLOSED'));
  writer.write(new Uint8Array(8));
});

test('a channel stands anywhere in a view, at multiples of 64 bytes', async (t) => {
  sharedScratch(t);
  using section = Section.create({ size: 65_536 });
  using view = section.map();
  using readOnly = section.map({ access: 'read', offset: 4096 });
  assert.throws(() => Latest.format(view, { size: 8, offset: 4 }), withCode('ERR_SECTION_MISALIGNED'));
  assert.throws(() => Latest.format(view, { size: 65_536 }), withCode('ERR_SECTION_OUT_OF_RANGE'));
  assert.throws(() => Latest.format(readOnly, { size: 8 }), withCode('ERR_SECTION_ACCESS_DENIED'));
  assert.throws(() => Latest.over(view, { offset: 128 }), withCode('ERR_SECTION_TYPE_MISMATCH'));
  using writer = Latest.format(view, { size: 8, offset: 4096 + 64, length: 4096 });
  using reader = Latest.over(readOnly, { offset: 64 });
  assert.throws(() => Latest.writerOver(readOnly, { offset: 64 }), withCode('ERR_SECTION_ACCESS_DENIED'));
  writer.write(Buffer.from('in place'));
  assert.equal(Buffer.from(reader.tryRead() ?? []).toString(), 'in place');
  const waiting = reader.changed();
  readOnly.close();
  await assert.rejects(waiting, withCode('ERR_SECTION_CLOSED'));
  assert.throws(() => reader.tryRead(), withCode('ERR_SECTION_CLOSED'));
  view.close();
  assert.throws(() => writer.write(Buffer.from('gone')), withCode('ERR_SECTION_CLOSED'));
});

test('where only the creator may write, readers read and no other writes', (t) => {
  sharedScratch(t);
  using writer = Latest.create({ name: 'sealed', size: 8, protection: 'read' });
  using reader = Latest.open('sealed');
  writer.write(Buffer.from('8 bytes.'));
  assert.equal(Buffer.from(reader.tryRead() ?? []).toString(), '8 bytes.');
  writer.close();
  assert.throws(() => Latest.openWriter('sealed'), withCode('ERR_SECTION_ACCESS_DENIED'));
});
