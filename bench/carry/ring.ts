/**
 * The near end of the ring benchmarks: makes the rings, sends runs of messages and round trips through them, and returns their times.
 */
import type { ChildProcess } from 'node:child_process';
import { Ring, type RingConsumer, type RingProducer } from 'sectile/channel';
import type { Bench } from '../bench.js';
import { clock } from '../payload.js';
import type { Peer } from '../peer.js';
import type { RingerAnswer, RingerRequest } from '../peers/ringer.js';
import { check, makeMessage, ringBytes, stamp } from './load.js';
import { sendBatches, sendEach, type TripWay, trip, tripInPlace, type Way } from './moves.js';

/** Messages in one direction. */
export class RunRing {
  readonly #bench: Bench;
  readonly #consumer: Peer<RingerAnswer>;
  readonly #second: Peer<RingerAnswer>;
  readonly #producers = new Map<string, RingProducer>();

  constructor(bench: Bench) {
    this.#bench = bench;
    this.#consumer = bench.peer<RingerAnswer>('ringer');
    this.#second = bench.peer<RingerAnswer>('ringer');
  }

  /** The consumer's process; the second producer's may run where it likes. */
  get child(): ChildProcess {
    return this.#consumer.child;
  }

  /** Nanoseconds for each of `count` messages, until the other side has the last one. */
  async run(way: Way, bytes: number, count: number): Promise<number> {
    const several = way === 'two producers';
    const name = `bench-ring-${several ? 'many' : 'one'}-${bytes}`;
    const producer = this.#producer(name, bytes, several);
    await this.#consumer.ask({ take: way, ring: name, bytes, count } satisfies RingerRequest);
    const theirs = several ? Math.floor(count / 2) : 0;
    if (several) await this.#second.ask({ send: name, bytes, count: theirs } satisfies RingerRequest);
    const start = clock();
    if (way === 'batches') sendBatches(producer, bytes, count);
    else sendEach(producer, bytes, count - theirs);
    const { end } = await this.#consumer.next();
    if (several) await this.#second.next();
    if (end === undefined) throw new Error('the consumer answered out of turn');
    return (end - start) / count;
  }

  #producer(name: string, bytes: number, several: boolean): RingProducer {
    let producer = this.#producers.get(name);
    if (producer === undefined) {
      const ring = Ring.create({ name, capacity: ringBytes(bytes), producers: several ? 'many' : 'one' });
      this.#bench.defer(() => ring.close());
      producer = ring.producer();
      this.#producers.set(name, producer);
    }
    return producer;
  }
}

/** Messages there and back, through a ring for each direction. */
export class TripRing {
  readonly peer: Peer<RingerAnswer>;
  readonly #there: Ring;
  readonly #back: Ring;
  readonly #producer: RingProducer;
  readonly #consumer: RingConsumer;

  constructor(bench: Bench, longest: number) {
    this.#there = Ring.create({ name: 'bench-ring-there', capacity: ringBytes(longest) });
    this.#back = Ring.create({ name: 'bench-ring-back', capacity: ringBytes(longest) });
    bench.defer(() => {
      this.#there.close();
      this.#back.close();
    });
    this.#producer = this.#there.producer();
    this.#consumer = this.#back.consumer();
    this.peer = bench.peer<RingerAnswer>('ringer');
  }

  /** The nanoseconds of each of `count` round trips. */
  async trips(way: TripWay, bytes: number, count: number): Promise<number[]> {
    await this.peer.ask({ echo: way, there: 'bench-ring-there', back: 'bench-ring-back', bytes, count } satisfies RingerRequest);
    const message = makeMessage(bytes);
    const target = makeMessage(bytes);
    const times: number[] = [];
    for (let number = 0; number < count; number++) {
      const start = performance.now();
      if (way === 'in place') {
        await tripInPlace(this.#producer, this.#consumer, bytes, number);
      } else {
        stamp(message, number);
        await trip(way, this.#producer, this.#consumer, message, target);
        check(target, bytes, number);
      }
      times.push((performance.now() - start) * 1e6);
    }
    await this.peer.next();
    return times;
  }
}
