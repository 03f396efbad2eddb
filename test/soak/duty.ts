/**
 * What every worker of the soak run has: its orders, its words in the ledger, its random numbers, and an end when the parent has
 * gone.
 */
import { SectionError } from 'sectile';
import { type Doing, doings, Ledger, Phase, PostWord } from './ledger.js';
import { type Random, randoms } from './pattern.js';

/** What the parent tells a worker. */
export interface Orders {
  readonly part: string;
  readonly role: string;
  /** What all objects of the turn have in their names. */
  readonly name: string;
  readonly post: number;
  readonly life: number;
  readonly seed: number;
  /** After so many operations it ends by itself, as it should. */
  readonly quota: number;
  /** The part's own. */
  readonly more: Readonly<Record<string, number>>;
}

/** Milliseconds that a blocked thread waits at most: the watchdog comes before. */
export const BLOCKED = 30_000;

const parent = process.ppid;

/** Ends a process whose parent has gone. */
export function stayOnlyWithParent(): void {
  if (process.ppid !== parent) process.exit(2);
}

export class Duty {
  readonly orders: Orders;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly life: number;
  readonly #post: number;
  #progress = 0;
  #count: number;

  constructor(orders: Orders) {
    this.orders = orders;
    this.ledger = Ledger.open(`${orders.name}-ledger`);
    this.random = randoms(orders.seed);
    this.life = orders.life;
    this.#post = orders.post;
    this.#count = this.get(PostWord.count);
    this.#progress = this.get(PostWord.progress);
  }

  get(word: number): number {
    return this.ledger.post(this.#post, word);
  }

  set(word: number, value: number): void {
    this.ledger.setPost(this.#post, word, value);
  }

  doing(what: Doing): void {
    this.set(PostWord.doing, doings.indexOf(what));
  }

  /** Something has been done: what the watchdog looks at. */
  progress(): void {
    this.#progress = (this.#progress + 1) | 0;
    this.set(PostWord.progress, this.#progress);
    if ((this.#progress & 1023) === 0) stayOnlyWithParent();
  }

  /** One more of what the part counts. */
  count(): void {
    this.#count = (this.#count + 1) | 0;
    this.set(PostWord.count, this.#count);
  }

  /** So much more of what it was told that it has lost. */
  told(more: number): void {
    this.set(PostWord.told, (this.get(PostWord.told) + more) | 0);
  }

  get running(): boolean {
    return this.ledger.phase === Phase.run;
  }

  fail(message: string): never {
    throw new Error(message);
  }
}

/** Takes a role that another process may have until it is quite gone. */
export async function taken<T>(duty: Duty, take: () => T): Promise<T> {
  duty.doing('taking its role');
  for (;;) {
    try {
      return take();
    } catch (error) {
      if (!(error instanceof SectionError && error.code === 'ERR_SECTION_ROLE_TAKEN')) throw error;
      await pause(1);
    }
  }
}

/** One turn of the event loop. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets others run for so many milliseconds. */
export const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Keeps the processor busy for so many microseconds. */
export function spin(microseconds: number): void {
  for (const until = performance.now() + microseconds / 1000; performance.now() < until; );
}
