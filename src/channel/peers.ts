/**
 * What is known of the processes that hold roles of a channel: whether they live, without asking the system again and
 * again. Reads roles, and never changes one.
 */
import { type ProcessWatch, watchProcess } from '../sync/process-watch.js';
import { FREE, holderHasEnded, holderOf, ownRole } from './role.js';

/** `none`: nobody holds a role. `living`: somebody does. `ended`: all who do have ended without giving it back. */
export type PeerState = 'none' | 'living' | 'ended';

interface Slot {
  word: bigint;
  ended: boolean;
  /** The holder whose end somebody has been told of. */
  told: bigint;
  watch: ProcessWatch | null;
}

export class Peers {
  readonly #roles: BigUint64Array<ArrayBuffer>;
  readonly #first: number;
  readonly #home: number;
  readonly #slots: Slot[];
  readonly #onEnd: () => void;

  /**
   * @param first Index of the first role, of so many.
   * @param onEnd Told when one that was seen to live has ended.
   */
  constructor(roles: BigUint64Array<ArrayBuffer>, first: number, count: number, home: number, onEnd: () => void) {
    this.#roles = roles;
    this.#first = first;
    this.#home = home;
    this.#onEnd = onEnd;
    this.#slots = Array.from({ length: count }, () => ({ word: FREE, ended: false, told: FREE, watch: null }));
  }

  /**
   * @param asks The system is asked of each once more, for nobody could be told meanwhile: the thread was blocked.
   */
  state(asks: boolean): PeerState {
    let held = false;
    let living = false;
    for (const [index, slot] of this.#slots.entries()) {
      const word = Atomics.load(this.#roles, this.#first + index);
      if (word !== slot.word) this.#meet(slot, word);
      else if (asks && !slot.ended && word !== FREE) slot.ended = holderHasEnded(word, this.#home);
      if (word === FREE) continue;
      held = true;
      if (!slot.ended) living = true;
    }
    return living ? 'living' : held ? 'ended' : 'none';
  }

  /** Whether somebody has come and ended, and nobody was told of it yet. */
  get hasEndedUntold(): boolean {
    return this.#slots.some(({ ended, word, told }) => ended && word !== told);
  }

  /** Somebody is told now of those that have ended. */
  tellOfEnded(): void {
    for (const slot of this.#slots) if (slot.ended) slot.told = slot.word;
  }

  /** A process among those that have ended, for messages. */
  get endedPid(): number | undefined {
    return holderOf(this.#slots.find(({ ended }) => ended)?.word ?? FREE)?.pid;
  }

  #meet(slot: Slot, word: bigint): void {
    slot.watch?.close();
    slot.watch = null;
    slot.word = word;
    slot.ended = holderHasEnded(word, this.#home);
    const holder = holderOf(word);
    if (holder === null || holder.elsewhere || slot.ended || word === ownRole(this.#home)) return;
    slot.watch = watchProcess({ ...holder, namespace: this.#home }, () => {
      slot.watch = null;
      slot.ended = true;
      this.#onEnd();
    });
  }

  close(): void {
    for (const slot of this.#slots) {
      slot.watch?.close();
      slot.watch = null;
      slot.word = FREE;
    }
  }
}
