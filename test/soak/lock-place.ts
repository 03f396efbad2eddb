/**
 * The mutex, the events and the semaphore of a turn, with what they guard: in one section, or under names of their own. Used by
 * the parent, which makes them, and by its workers.
 */
import { Event, Mutex, Section, Semaphore, type View } from 'sectile';

/** How many may hold a token at a time. */
export const TOKENS = 2;

const At = { mutex: 0, resume: 64, baton: 128, semaphore: 192, guarded: 256 } as const;
const SIZE = 4096;

/** Words of what is guarded. */
export const Guarded = { owner: 0, begun: 1, done: 2, abandoned: 3, repaired: 4, holders: 8 } as const;

export class LockPlace {
  readonly #section: Section;
  readonly #view: View;
  readonly #named: readonly { close(): void }[];
  readonly words: Int32Array<ArrayBuffer>;
  readonly mutex: Mutex;
  /** Signalled unless all are to stop for a count. */
  readonly resume: Event;
  /** Whoever gets the signal takes it. */
  readonly baton: Event;
  readonly semaphore: Semaphore;

  private constructor(section: Section, makes: boolean, name: string, isPlaced: boolean) {
    this.#section = section;
    this.#view = section.map({ access: 'readwrite' });
    this.words = new Int32Array(this.#view.buffer, At.guarded, 64);
    const view = this.#view;
    const tokens = { count: TOKENS, maximum: TOKENS };
    const running = { manualReset: true, signalled: true };
    if (isPlaced) {
      this.mutex = makes ? Mutex.place(view, At.mutex) : Mutex.at(view, At.mutex);
      this.resume = makes ? Event.place(view, At.resume, running) : Event.at(view, At.resume);
      this.baton = makes ? Event.place(view, At.baton) : Event.at(view, At.baton);
      this.semaphore = makes ? Semaphore.place(view, At.semaphore, tokens) : Semaphore.at(view, At.semaphore);
    } else {
      this.mutex = makes ? Mutex.create({ name: `${name}-mutex` }) : Mutex.open(`${name}-mutex`);
      this.resume = makes ? Event.create({ name: `${name}-resume`, ...running }) : Event.open(`${name}-resume`);
      this.baton = makes ? Event.create({ name: `${name}-baton` }) : Event.open(`${name}-baton`);
      this.semaphore = makes ? Semaphore.create({ name: `${name}-tokens`, ...tokens }) : Semaphore.open(`${name}-tokens`);
    }
    this.#named = [this.mutex, this.resume, this.baton, this.semaphore];
  }

  static create(name: string, isPlaced: boolean): LockPlace {
    return new LockPlace(Section.create({ name: `${name}-guarded`, size: SIZE }), true, name, isPlaced);
  }

  static open(name: string, isPlaced: boolean): LockPlace {
    return new LockPlace(Section.open(`${name}-guarded`, { access: 'readwrite' }), false, name, isPlaced);
  }

  get(word: number): number {
    return Atomics.load(this.words, word);
  }

  set(word: number, value: number): void {
    Atomics.store(this.words, word, value);
  }

  /**
   * What whoever gets the mutex finds: in order, if he is not told that its owner was killed; and if he is, it is put in order.
   *
   * @returns What is wrong, or null.
   */
  judge(ownership: 'owned' | 'abandoned'): string | null {
    const [owner, begun, done] = [this.get(Guarded.owner), this.get(Guarded.begun), this.get(Guarded.done)];
    if (ownership === 'owned') {
      if (owner === 0 && begun === done) return null;
      return `the mutex is owned, nobody was told that life ${owner} left ${begun} begun and ${done} done`;
    }
    this.set(Guarded.abandoned, this.get(Guarded.abandoned) + 1);
    if (begun !== done) {
      if (begun !== done + 1) return `${begun} are begun and ${done} done`;
      this.set(Guarded.repaired, this.get(Guarded.repaired) + 1);
      this.set(Guarded.done, begun);
    }
    this.set(Guarded.owner, 0);
    return null;
  }

  close(): void {
    for (const each of this.#named) each.close();
    this.#view.close();
    this.#section.close();
  }
}
