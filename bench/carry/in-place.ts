/**
 * Round trips of messages that are produced and consumed where they stand: in a section that both processes have, with a
 * word for each direction that tells of them.
 */
import { Section, type View } from 'sectile';
import type { Bench } from '../bench.js';
import type { Peer } from '../peer.js';
import type { PlacerAnswer, PlacerRequest } from '../peers/placer.js';
import { PING, PONG } from '../spin.js';
import { Words } from '../words.js';
import { check, stamp } from './load.js';

/** Where messages begin: behind the page of words. */
const DATA = 4096;

/** Where a message stands on its way there, and the one on its way back. */
export function partsOf(view: View, bytes: number): { there: Uint8Array; back: Uint8Array } {
  return { there: view.bytes.subarray(DATA, DATA + bytes), back: view.bytes.subarray(DATA + bytes, DATA + 2 * bytes) };
}

export class InPlace {
  readonly peer: Peer<PlacerAnswer>;
  readonly #name: string;
  readonly #view: View;
  readonly #words: Words;
  #last = 0;

  constructor(bench: Bench, name: string, longest: number) {
    const section = Section.create({ name, size: DATA + 2 * longest });
    bench.defer(() => section.close());
    const view = section.map();
    bench.defer(() => view.close());
    this.#name = name;
    this.#view = view;
    this.#words = new Words(view);
    this.peer = bench.peer<PlacerAnswer>('placer');
  }

  /** The nanoseconds of each round trip. */
  async trips(bytes: number, count: number): Promise<number[]> {
    const words = this.#words;
    const { there, back } = partsOf(this.#view, bytes);
    await this.peer.ask({ name: this.#name, bytes, last: this.#last, count } satisfies PlacerRequest);
    const times: number[] = [];
    for (const end = this.#last + count; this.#last < end; ) {
      const start = performance.now();
      const turn = ++this.#last;
      stamp(there, turn);
      words.tell(PING, turn);
      await words.until(PONG, turn);
      check(back, bytes, turn);
      times.push((performance.now() - start) * 1e6);
    }
    await this.peer.next();
    return times;
  }
}
