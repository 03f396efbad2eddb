/**
 * The near end of the benchmarks of waiting: a section of words, and the process at its other side.
 */
import { Section } from 'sectile';
import type { Bench } from './bench.js';
import { clock } from './payload.js';
import type { Peer } from './peer.js';
import type { SleeperAnswer, SleeperRequest } from './peers/sleeper.js';
import { PING, PONG } from './spin.js';
import { type How, Words } from './words.js';

/** Turns that are played before the clock runs: they show that the other side is there, and wake its code. */
const FIRST = 2;

/** A word that nobody wakes: how this thread lets time pass without using the processor. */
const nobody = new Int32Array(new SharedArrayBuffer(4));

export class Sleepers {
  readonly peer: Peer<SleeperAnswer>;
  readonly #name: string;
  readonly #words: Words;
  #last = 0;

  constructor(bench: Bench, name: string) {
    const section = Section.create({ name, size: 4096 });
    bench.defer(() => section.close());
    const view = section.map();
    bench.defer(() => view.close());
    this.#name = name;
    this.#words = new Words(view);
    this.peer = bench.peer<SleeperAnswer>('sleeper');
  }

  async #begin(how: How, count: number, timed: boolean): Promise<void> {
    await this.peer.ask({ name: this.#name, how, timed, last: this.#last, count: FIRST + count } satisfies SleeperRequest);
    await this.#words.ping(how, this.#last, FIRST);
    this.#last += FIRST;
  }

  /** Samples of `batch` round trips each, in nanoseconds for one. */
  async trips(how: How, samples: number, batch: number): Promise<number[]> {
    await this.#begin(how, samples * batch, false);
    const times: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      const start = performance.now();
      await this.#words.ping(how, this.#last, batch);
      times.push(((performance.now() - start) * 1e6) / batch);
      this.#last += batch;
    }
    await this.peer.next();
    return times;
  }

  /** So many wake-ups with a pause before each: the nanoseconds from before the word changes until the sleeper reads the clock. */
  async wakes(how: How, samples: number, pause: number): Promise<number[]> {
    await this.#begin(how, samples, true);
    const times: number[] = [];
    for (let sample = 0; sample < samples; sample++) {
      Atomics.wait(nobody, 0, 0, pause / 1e6);
      const start = clock();
      this.#words.tell(PING, ++this.#last);
      this.#words.sleepUntil(PONG, this.#last);
      times.push(this.#words.time - start);
    }
    await this.peer.next();
    return times;
  }
}
