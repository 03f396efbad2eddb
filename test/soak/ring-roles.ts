/**
 * The producers and the consumer of the ring in the soak run: every way to send, every way to receive a copy.
 */
import { SectionError } from 'sectile';
import { MessageBatch, Ring, type RingConsumer, type RingProducer } from 'sectile/channel';
import { BLOCKED, type Duty, stayOnlyWithParent, taken, turn } from './duty.js';
import { LifeWord } from './ledger.js';
import { fill, lengthOf, oneOf, type Sizes } from './pattern.js';
import { Inbox } from './ring-inbox.js';

/** Attempts of somebody who does not sleep, before he lets others run. */
const ATTEMPTS = 2000;

/** Messages in a batch at most. */
const MANY = 48;

const codeOf = (error: unknown): string => (error instanceof SectionError ? error.code : '');

export const sizesOf = (ring: Ring): Sizes => ({ maximum: ring.maximum, shorts: ring.producers === 'one' });

/* -------------------------------------------------------------------------------------- producer ---- */

/** The messages of one producer's life, in order; it notes what it begins to send and what it has sent. */
class Outbox {
  readonly #duty: Duty;
  readonly #sizes: Sizes;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly batch: MessageBatch;
  sent = 0;

  constructor(duty: Duty, ring: Ring) {
    this.#duty = duty;
    this.#sizes = sizesOf(ring);
    this.#memory = new Uint8Array(new ArrayBuffer(Math.ceil(ring.maximum / 4) * 4));
    this.batch = new MessageBatch(2 * ring.maximum, MANY);
  }

  get length(): number {
    return lengthOf(this.#duty.life, this.sent, this.#sizes);
  }

  get next(): Uint8Array<ArrayBuffer> {
    return this.fill(this.#memory.subarray(0, this.length));
  }

  fill(target: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return fill(target, this.#duty.life, this.sent);
  }

  /** The next messages, each in memory of its own. */
  some(count: number): Uint8Array<ArrayBuffer>[] {
    return Array.from({ length: count }, (_, index) => {
      const number = this.sent + index;
      return fill(new Uint8Array(lengthOf(this.#duty.life, number, this.#sizes)), this.#duty.life, number);
    });
  }

  fillBatch(most: number): MessageBatch {
    const { batch } = this;
    batch.clear();
    for (let number = this.sent; batch.count < most; number++) {
      const at = batch.reserve(lengthOf(this.#duty.life, number, this.#sizes));
      if (at < 0) break;
      fill(batch.at(batch.count - 1), this.#duty.life, number);
    }
    return batch;
  }

  begins(count: number): void {
    this.#duty.ledger.setLife(this.#duty.life, LifeWord.begun, this.sent + count);
  }

  has(count: number): void {
    this.sent += count;
    this.#duty.ledger.setLife(this.#duty.life, LifeWord.noted, this.sent);
    this.#duty.progress();
  }
}

type Send = (producer: RingProducer, box: Outbox, duty: Duty) => Promise<void>;

/** Those that know at any time how many were sent: they may be told that the consumer has ended. */
const exactSends: readonly Send[] = [
  async (producer, box, duty) => {
    duty.doing('sending');
    box.begins(1);
    await producer.send(box.next);
    box.has(1);
  },
  async (producer, box, duty) => {
    duty.doing('sending, blocked');
    box.begins(1);
    producer.sendSync(box.next, BLOCKED);
    box.has(1);
  },
  async (producer, box, duty) => {
    duty.doing('sending');
    box.begins(1);
    const message = box.next;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) if (producer.trySend(message)) return box.has(1);
    stayOnlyWithParent();
    await turn();
  },
  async (producer, box, duty) => {
    const { length } = box;
    const more = Math.min(duty.random(9), producer.maximum - length);
    let bytes = producer.claim(length + more);
    while (bytes === null) {
      duty.doing('waiting for room');
      if (duty.random(2) === 0) await producer.room(length + more);
      else producer.roomSync(length + more, BLOCKED);
      bytes = producer.claim(length + more);
    }
    duty.doing('sending');
    if (duty.random(50) === 0) return producer.abandon();
    box.fill(bytes.subarray(0, length));
    box.begins(1);
    producer.commit(length);
    box.has(1);
  },
  async (producer, box, duty) => {
    duty.doing('sending many');
    const messages = box.some(1 + duty.random(MANY));
    box.begins(messages.length);
    for (let sent = 0; sent < messages.length; ) {
      const more = producer.trySendMany(messages, sent);
      if (more === 0) await producer.room(messages[sent]?.length ?? 0);
      sent += more;
      if (more > 0) box.has(more);
    }
  },
];

/** Those that do not know, when they fail in the middle. */
const manySends: readonly Send[] = [
  async (producer, box, duty) => {
    duty.doing('sending many');
    const messages = box.some(1 + duty.random(MANY));
    box.begins(messages.length);
    await producer.sendMany(messages);
    box.has(messages.length);
  },
  async (producer, box, duty) => {
    duty.doing('sending many');
    const batch = box.fillBatch(1 + duty.random(MANY));
    const { count } = batch;
    box.begins(count);
    if (duty.random(2) === 0) await producer.sendMany(batch);
    else producer.sendManySync(batch, BLOCKED);
    box.has(count);
  },
];

async function produce(duty: Duty): Promise<void> {
  const ring = Ring.open(`${duty.orders.name}-ring`);
  const peerEnd = oneOf(duty.random, ['wait', 'fail'] as const);
  const producer = await taken(duty, () => ring.producer({ peerEnd }));
  const sends = peerEnd === 'wait' ? [...exactSends, ...manySends] : exactSends;
  const box = new Outbox(duty, ring);
  while (duty.running && box.sent < duty.orders.quota) {
    const send = oneOf(duty.random, sends);
    try {
      for (let times = 1 + duty.random(100); times > 0 && duty.running; times--) await send(producer, box, duty);
    } catch (error) {
      if (codeOf(error) !== 'ERR_SECTION_PEER_ENDED' || peerEnd === 'wait') throw error;
      duty.doing('waiting for a consumer');
      await producer.waitForConsumer();
    }
    // What waits for nothing lets nothing else of this process run.
    if (duty.random(4) === 0) await turn();
  }
  duty.doing('closing');
  producer.close();
  ring.close();
}

/* -------------------------------------------------------------------------------------- consumer ---- */

/** Receives once. False: the end, as the consumer says it. */
type Receive = (consumer: RingConsumer, inbox: Inbox, duty: Duty) => Promise<boolean>;

const receives: readonly Receive[] = [
  async (consumer, inbox, duty) => {
    duty.doing('receiving');
    inbox.calls(1);
    const message = await consumer.receive();
    if (message !== null) inbox.take(message);
    inbox.called();
    return message !== null;
  },
  async (consumer, inbox, duty) => {
    duty.doing('receiving, blocked');
    inbox.calls(1);
    const message = consumer.receiveSync(BLOCKED);
    if (message !== null) inbox.take(message);
    inbox.called();
    return message !== null;
  },
  async (consumer, inbox, duty) => {
    duty.doing('receiving');
    inbox.calls(1);
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const length = consumer.tryReceiveInto(inbox.memory);
      if (length < 0) continue;
      inbox.take(inbox.memory.subarray(0, length));
      inbox.called();
      return true;
    }
    inbox.called();
    stayOnlyWithParent();
    await turn();
    return true;
  },
  async (consumer, inbox, duty) => {
    duty.doing('receiving many');
    const most = 1 + duty.random(MANY);
    inbox.calls(most);
    const messages = duty.random(2) === 0 ? await consumer.receiveMany(most) : consumer.tryReceiveMany(most);
    for (const message of messages ?? []) inbox.take(message);
    inbox.called();
    if (messages?.length === 0) await turn();
    return messages !== null;
  },
  async (consumer, inbox, duty) => {
    duty.doing('receiving many');
    inbox.calls(MANY);
    const count =
      duty.random(2) === 0 ? await consumer.receiveBatch(inbox.batch) : consumer.receiveBatchSync(inbox.batch, BLOCKED);
    for (let index = 0; index < count; index++) inbox.take(inbox.batch.at(index));
    inbox.called();
    return count > 0;
  },
  async (consumer, inbox, duty) => {
    duty.doing('receiving');
    let left = 1 + duty.random(300);
    inbox.calls(1);
    for await (const message of consumer) {
      inbox.take(message);
      inbox.called();
      if (--left === 0 || inbox.isOver) return true;
      inbox.calls(1);
    }
    inbox.called();
    return false;
  },
];

async function consume(duty: Duty): Promise<void> {
  const ring = Ring.open(`${duty.orders.name}-ring`);
  const peerEnd = oneOf(duty.random, ['wait', 'fail'] as const);
  const consumer = await taken(duty, () => ring.consumer({ peerEnd }));
  const inbox = new Inbox(duty, sizesOf(ring), MANY);
  while (!inbox.isOver && inbox.received < duty.orders.quota) {
    const receive = oneOf(duty.random, receives);
    let goesOn = true;
    try {
      for (let times = 1 + duty.random(100); times > 0 && goesOn && !inbox.isOver; times--) {
        goesOn = await receive(consumer, inbox, duty);
      }
    } catch (error) {
      if (codeOf(error) !== 'ERR_SECTION_PEER_ENDED' || peerEnd === 'wait') throw error;
      inbox.called();
      goesOn = false;
    }
    if (!goesOn) {
      duty.doing('waiting for a producer');
      duty.progress();
      // One may come, send and go before it is looked for: its messages are there.
      await consumer.waitForProducer({ timeout: 100 }).catch((error: unknown) => {
        if (codeOf(error) !== 'ERR_SECTION_TIMEOUT') throw error;
      });
    }
  }
  duty.doing('closing');
  consumer.close();
  ring.close();
}

export const ringRoles = { produce, consume };
