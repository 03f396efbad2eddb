/**
 * A carrier in another thread, asked and answering as one in another process does.
 */
import { type Transferable, Worker } from 'node:worker_threads';
import { within } from '../patience.js';
import type { CarrierAnswer, CarrierRequest } from './carrier.js';
import { cargo } from './wire.js';

export class ThreadCarrier {
  readonly worker = new Worker(new URL('../peers/carrier-thread.js', import.meta.url));
  readonly #answers: CarrierAnswer[] = [];
  #error: Error | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.worker.on('message', (message) => {
      if (cargo(message) !== undefined) return;
      this.#answers.push(message as CarrierAnswer);
      this.#wake();
    });
    this.worker.on('error', (error) => {
      this.#error ??= error;
      this.#wake();
    });
  }

  ask(request: CarrierRequest, transfer: Transferable[] = []): Promise<CarrierAnswer> {
    this.worker.postMessage(request, transfer);
    return this.next();
  }

  next(): Promise<CarrierAnswer> {
    return within('an answer of the carrier thread', this.#next());
  }

  async #next(): Promise<CarrierAnswer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer !== undefined) return answer;
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
