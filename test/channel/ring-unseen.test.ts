/**
 * A processor may keep a store to itself for a moment: then who sends does not see that the other side sleeps, nor that one what was
 * sent. Here the other side's stores are made without a look and without a wake-up.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Section, type View, wakeAddress } from 'sectile';
import { Ring } from 'sectile/channel';
import { eventually } from '../support/processes.js';

const DATA = 1536;
const CAPACITY = 1024;
const At = { tail: 256, head: 384, consumerSleeps: 512, producerSleeps: 640 } as const;
const PATIENCE = 30_000;

function ringIn(t: TestContext): { view: View; ring: Ring; words: Int32Array } {
  const section = Section.create({ size: 4096 });
  const view = section.map();
  t.after(() => {
    view.close();
    section.close();
  });
  return { view, ring: Ring.format(view, { length: DATA + CAPACITY }), words: view.as(Int32Array) };
}

/** Another producer's store of a message of four bytes. */
function sendUnseen(words: Int32Array, number: number): void {
  const tail = Atomics.load(words, At.tail / 4);
  const at = (DATA + (tail & (CAPACITY - 1))) / 4;
  words[at] = 4;
  words[at + 2] = number;
  Atomics.store(words, At.tail / 4, tail + 16);
}

/** A wait without a timeout of its own, which would look a last time. */
async function soon<T>(wait: Promise<T>): Promise<T> {
  const limit = new AbortController();
  const never = pause(PATIENCE, undefined, limit).then(() => assert.fail('nobody looked again'));
  try {
    return await Promise.race([wait, never]);
  } finally {
    limit.abort();
    never.catch(() => {});
  }
}

/** Has the other side look in vain, and waits until it says again that it sleeps. */
async function wakeInVain(view: View, words: Int32Array, sleeps: number): Promise<void> {
  await eventually('the other side sleeps', () => Atomics.load(words, sleeps / 4) === 1);
  Atomics.store(words, sleeps / 4, 0);
  wakeAddress(view, sleeps);
  while (Atomics.load(words, sleeps / 4) === 0) await turn();
}

test('a message that was sent unseen is received', async (t) => {
  const { view, ring, words } = ringIn(t);
  const producer = ring.producer();
  const consumer = ring.consumer();
  const number = (message: Uint8Array | null): number | undefined => message?.[0];
  for (let round = 0; round < 20; round++) {
    const first = consumer.receive();
    sendUnseen(words, round);
    assert.equal(number(await soon(first)), round);
    const second = consumer.receive();
    await wakeInVain(view, words, At.consumerSleeps);
    sendUnseen(words, 100 + round);
    assert.equal(number(await soon(second)), 100 + round);
  }
  producer.close();
  ring.close();
});

test('room that was made unseen is used', async (t) => {
  const { view, ring, words } = ringIn(t);
  const producer = ring.producer();
  const consumer = ring.consumer();
  const message = new Uint8Array(CAPACITY / 2 - 8);
  /** The consumer's store when it has received one. */
  const giveBack = (): void => {
    Atomics.store(words, At.head / 4, Atomics.load(words, At.head / 4) + CAPACITY / 2);
  };
  while (producer.trySend(message));
  for (let round = 0; round < 20; round++) {
    const first = producer.send(message);
    giveBack();
    await soon(first);
    const second = producer.send(message);
    await wakeInVain(view, words, At.producerSleeps);
    giveBack();
    await soon(second);
  }
  consumer.close();
  ring.close();
});

test('who waits long has looked again, and costs nothing more', async (t) => {
  const { ring, words } = ringIn(t);
  const consumer = ring.consumer();
  const controller = new AbortController();
  const waiting = consumer.receive({ signal: controller.signal });
  await eventually('the consumer sleeps', () => Atomics.load(words, At.consumerSleeps / 4) === 1);
  // Past its second look it writes no more: the word stays as it is left.
  const end = performance.now() + 100;
  while (performance.now() < end) await turn();
  Atomics.store(words, At.consumerSleeps / 4, 7);
  const later = performance.now() + 100;
  while (performance.now() < later) await turn();
  assert.equal(Atomics.load(words, At.consumerSleeps / 4), 7);
  controller.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  ring.close();
});
