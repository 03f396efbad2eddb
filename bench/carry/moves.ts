/**
 * Moving messages through a ring, on either side: every one is stamped and copied in, copied out and checked.
 */
import { MessageBatch, type RingConsumer, type RingProducer } from 'sectile/channel';
import type { How } from '../words.js';
import { batchOf, check, checkWords, makeMessage, stamp, stampWords } from './load.js';

/** How messages go through a ring: each made known at once, or many together, or from two producers one by one. */
export type Way = 'one by one' | 'batches' | 'two producers';

/** Numbers of each producer: it says by the upper bits who it is. */
const OWN_NUMBERS = 2 ** 28;

/** How a message goes there and back: copied in and out while both sides block or await, or written and read in the rings themselves. */
export type TripWay = How | 'in place';

interface Prepared {
  readonly message: Uint8Array<ArrayBuffer>;
  readonly words: Int32Array;
  readonly batch: MessageBatch;
  readonly batchWords: Int32Array;
}

const prepared = new Map<number, Prepared>();

/** Memory of this side for messages of a size: made when it is first asked for, which a warm-up does. */
function memoryFor(bytes: number): Prepared {
  let memory = prepared.get(bytes);
  if (memory === undefined) {
    const message = makeMessage(bytes);
    const batch = new MessageBatch(batchOf(bytes) * (8 + Math.ceil(bytes / 8) * 8), batchOf(bytes));
    batch.data.fill(0x5a);
    memory = { message, words: new Int32Array(message.buffer), batch, batchWords: new Int32Array(batch.data.buffer) };
    prepared.set(bytes, memory);
  }
  return memory;
}

/** Sends `count` messages one by one. `who` is 0 or 1. */
export function sendEach(producer: RingProducer, bytes: number, count: number, who = 0): void {
  const { message, words } = memoryFor(bytes);
  for (let number = 0; number < count; number++) {
    stampWords(words, 0, bytes, who * OWN_NUMBERS + number);
    producer.sendSync(message);
  }
}

/** Sends `count` messages, a batch at a time. */
export function sendBatches(producer: RingProducer, bytes: number, count: number): void {
  const { batch, batchWords } = memoryFor(bytes);
  const { starts, lengths } = batch;
  batch.clear();
  for (let number = 0; number < count; ) {
    const size = Math.min(lengths.length, count - number);
    if (size !== batch.count) {
      batch.clear();
      for (let i = 0; i < size; i++) {
        if (batch.reserve(bytes) < 0) throw new Error(`a batch has no room for ${size} messages of ${bytes} bytes`);
      }
    }
    for (let i = 0; i < size; i++) stampWords(batchWords, (starts[i] ?? 0) / 4, bytes, number++);
    producer.sendManySync(batch);
  }
}

/** Takes `count` messages one by one. */
export function takeEach(consumer: RingConsumer, bytes: number, count: number): void {
  const { message: target, words } = memoryFor(bytes);
  const next = [0, 0];
  for (let taken = 0; taken < count; taken++) {
    const length = consumer.receiveIntoSync(target);
    const who = (words[0] ?? 0) >>> 28;
    const own = next[who] ?? 0;
    if (length !== bytes) throw new Error(`a message of ${length} bytes came instead of one of ${bytes}`);
    checkWords(words, 0, bytes, who * OWN_NUMBERS + own);
    next[who] = own + 1;
  }
}

/** Takes `count` messages, as many at a time as there are. */
export function takeBatches(consumer: RingConsumer, bytes: number, count: number): void {
  const { batch, batchWords } = memoryFor(bytes);
  const { starts, lengths } = batch;
  let number = 0;
  while (number < count) {
    const found = consumer.receiveBatchSync(batch);
    if (found === 0) throw new Error('the other side of a ring has closed');
    for (let i = 0; i < found; i++) {
      if (lengths[i] !== bytes) throw new Error(`message ${number} of a batch has ${lengths[i]} bytes`);
      checkWords(batchWords, (starts[i] ?? 0) / 4, bytes, number++);
    }
  }
}

/** Sends a message and takes the one that comes back, copied. */
export async function trip(
  how: How,
  to: RingProducer,
  from: RingConsumer,
  message: Uint8Array,
  target: Uint8Array,
): Promise<void> {
  if (how === 'blocking') {
    to.sendSync(message);
    from.receiveIntoSync(target);
  } else {
    await to.send(message);
    await from.receiveInto(target);
  }
}

/** As {@link trip}, with the message written and the answer read where they stand. */
export async function tripInPlace(to: RingProducer, from: RingConsumer, bytes: number, number: number): Promise<void> {
  stamp(await roomIn(to, bytes), number);
  to.commit();
  check(from.next() ?? (await nextIn(from)), bytes, number);
  from.release();
}

async function roomIn(to: RingProducer, bytes: number): Promise<Uint8Array> {
  for (let room = to.claim(bytes); ; room = to.claim(bytes)) {
    if (room !== null) return room;
    await to.room(bytes);
  }
}

async function nextIn(from: RingConsumer): Promise<Uint8Array> {
  const message = await from.waitNext();
  if (message === null) throw new Error('the other side of a ring has closed');
  return message;
}

/** Sends back what comes. */
export async function echo(way: TripWay, from: RingConsumer, to: RingProducer, bytes: number, count: number): Promise<void> {
  const message = makeMessage(bytes);
  for (let i = 0; i < count; i++) {
    if (way === 'blocking') {
      from.receiveIntoSync(message);
      to.sendSync(message);
    } else if (way === 'event loop') {
      await from.receiveInto(message);
      await to.send(message);
    } else {
      const found = from.next() ?? (await nextIn(from));
      const number = new DataView(found.buffer, found.byteOffset).getUint32(0, true);
      check(found, bytes, number);
      stamp(await roomIn(to, bytes), number);
      to.commit();
      from.release();
    }
  }
}
