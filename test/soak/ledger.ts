/**
 * What outlives a process that is killed: a section in which each worker notes what it begins and what it has done, and which
 * the parent reads. Words of 32 bits, written one at a time, each by one process. It judges nothing.
 */
import { Section, type View } from 'sectile';

/** What concerns all workers of a turn. */
const Control = { phase: 0, windows: 1, lastLife: 2, current: 3, census: 4 } as const;

/** How far a turn is: workers are killed; none is, and senders stop; all stop. */
export const Phase = { run: 0, windDown: 1, end: 2 } as const;

/** Words of a post, which one worker after another has. */
export const PostWord = { life: 0, doing: 1, progress: 2, calling: 3, count: 4, told: 5, first: 6 } as const;
const POSTS_AT = 64;
const POST_WORDS = 32;
const MOST_POSTS = 16;

/** Words of a life: one process that works, from its orders to its end. */
export const LifeWord = { begun: 0, noted: 1, next: 2, lost: 3, windows: 4 } as const;
const LIVES_AT = POSTS_AT + POST_WORDS * MOST_POSTS;
const LIFE_WORDS = 8;
export const MOST_LIVES = 30_000;

const WORDS = LIVES_AT + LIFE_WORDS * MOST_LIVES;

/** What a worker can be in the middle of. */
export const doings = [
  'starting',
  'taking its role',
  'sending',
  'sending, blocked',
  'sending many',
  'waiting for room',
  'waiting for a consumer',
  'receiving',
  'receiving, blocked',
  'receiving many',
  'waiting for a producer',
  'reading',
  'writing',
  'waiting for a frame',
  'holding a frame',
  'waiting for a block',
  'waiting for the mutex',
  'waiting for the mutex, blocked',
  'in the mutex',
  'waiting for the semaphore',
  'waiting for the semaphore, blocked',
  'holding a token',
  'waiting for the event',
  'waiting for the event, blocked',
  'waiting for several',
  'parked',
  'closing',
] as const;
export type Doing = (typeof doings)[number];

export class Ledger {
  readonly #section: Section;
  readonly #view: View;
  readonly words: Int32Array<ArrayBuffer>;
  readonly #longs: BigInt64Array<ArrayBuffer>;

  private constructor(section: Section) {
    this.#section = section;
    this.#view = section.map({ access: 'readwrite' });
    this.words = new Int32Array(this.#view.buffer, 0, WORDS);
    this.#longs = new BigInt64Array(this.#view.buffer, 0, WORDS / 2);
  }

  static create(name: string): Ledger {
    return new Ledger(Section.create({ name, size: 4 * WORDS }));
  }

  static open(name: string): Ledger {
    return new Ledger(Section.open(name, { access: 'readwrite' }));
  }

  #word(name: keyof typeof Control): number {
    return Atomics.load(this.words, Control[name]);
  }

  get phase(): number {
    return this.#word('phase');
  }

  set phase(phase: number) {
    Atomics.store(this.words, Control.phase, phase);
  }

  /** How many messages all receivers together can have had in their hands when they were killed. */
  get windows(): number {
    return this.#word('windows');
  }

  set windows(count: number) {
    Atomics.store(this.words, Control.windows, count);
  }

  /** The life whose message is the last of the turn; 0: not known yet. */
  get lastLife(): number {
    return this.#word('lastLife');
  }

  set lastLife(life: number) {
    Atomics.store(this.words, Control.lastLife, life);
  }

  /** The life whose message was received last, where one sends at a time. */
  get current(): number {
    return this.#word('current');
  }

  set current(life: number) {
    Atomics.store(this.words, Control.current, life);
  }

  /** 1 while all workers are to stop for a count. */
  get census(): number {
    return this.#word('census');
  }

  set census(on: number) {
    Atomics.store(this.words, Control.census, on);
  }

  post(index: number, word: number): number {
    return Atomics.load(this.words, POSTS_AT + POST_WORDS * index + word);
  }

  setPost(index: number, word: number, value: number): void {
    Atomics.store(this.words, POSTS_AT + POST_WORDS * index + word, value);
  }

  life(life: number, word: number): number {
    return Atomics.load(this.words, LIVES_AT + LIFE_WORDS * life + word);
  }

  setLife(life: number, word: number, value: number): void {
    Atomics.store(this.words, LIVES_AT + LIFE_WORDS * life + word, value);
  }

  /** What comes next of a life and what of it was lost, at once. */
  setNextAndLost(life: number, next: number, lost: number): void {
    const word = BigInt.asIntN(64, (BigInt(lost) << 32n) | BigInt(next >>> 0));
    Atomics.store(this.#longs, (LIVES_AT + LIFE_WORDS * life + LifeWord.next) / 2, word);
  }

  close(): void {
    this.#view.close();
    this.#section.close();
  }
}
