/**
 * Waiting for the other side of a channel: until there is something, or it has closed the channel, or its process has ended.
 * Writes nothing, so it works on a read-only view. Knows nothing of what is waited for.
 */
import { SectionError } from '../base/error.js';
import { mappingOf } from '../memory/view.js';
import type { ProcessWatch } from '../sync/process-watch.js';
import { judgeOptions, judgeTimeout, type WaitOptions } from '../sync/wait-options.js';
import { WaitPoint } from '../sync/wait-point.js';
import type { Cell } from './cell.js';
import { FREE, holderHasEnded, holderOf, ownNamespace } from './role.js';
import { watchRole } from './watch-role.js';

/** Who is at the other side, as far as can be told: nobody (yet, or any more), a living process, one that has ended, or one of which nobody can tell. */
export type PeerState = 'none' | 'alive' | 'ended' | 'unknown';

/** How often one looks where nobody wakes. */
const POLL_MS = 2;

/** Where the other side's words are, in bytes from the channel's start. */
export interface PeerPlace {
  /** What it is called in messages: `writer`. */
  readonly title: string;
  /** Its role. */
  readonly role: number;
  /** The word that is 1 once it has closed the channel. */
  readonly ended: number;
  /** The word that it changes and wakes. */
  readonly signal: number;
  /** It wakes nobody. */
  readonly isQuiet: boolean;
}

export class PeerWaits {
  readonly #cell: Cell;
  readonly #place: PeerPlace;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #roles: BigUint64Array<ArrayBuffer>;
  readonly #point: WaitPoint;
  #watched = FREE;
  #watch: ProcessWatch | null = null;
  /** Whose end the watch told of. */
  #gone = FREE;
  /** Whose end the user was told of. */
  #told = FREE;

  constructor(cell: Cell, place: PeerPlace) {
    const { buffer, start, view } = cell.place;
    this.#cell = cell;
    this.#place = place;
    this.#words = new Int32Array(buffer, start + place.ended, 1);
    this.#roles = new BigUint64Array(buffer, start + place.role, 1);
    this.#point = new WaitPoint(view[mappingOf], start + place.signal);
  }

  get state(): PeerState {
    if (!this.#cell.isOpen) return 'none';
    const word = Atomics.load(this.#roles, 0);
    const holder = holderOf(word);
    if (holder === null) return 'none';
    const { home } = this.#cell.header;
    if (holderHasEnded(word, home)) return 'ended';
    return holder.elsewhere || home !== ownNamespace() ? 'unknown' : 'alive';
  }

  /**
   * Waits until there is something.
   *
   * @param attempt gives it, or undefined
   * @returns null when the other side has closed the channel and there is nothing any more
   * @throws SectionError ERR_SECTION_TIMEOUT; ERR_SECTION_PEER_ENDED when its process has ended without closing, once for each:
   * a later wait is for the next one; ERR_SECTION_CLOSED; the signal's reason
   */
  async wait<T>(operation: string, attempt: () => T | undefined, options?: WaitOptions): Promise<T | null> {
    const { object } = this.#cell;
    const step = this.#stepOf(operation, attempt, false);
    const { timeout, signal } = judgeOptions(operation, options);
    if (!this.#place.isQuiet) {
      const outcome = await this.#point.wait(operation, object, step, options);
      if (outcome !== undefined) return outcome.value;
      throw timedOut(operation, object, timeout);
    }
    const end = performance.now() + timeout;
    for (;;) {
      const outcome = await this.#point.wait(operation, object, step, { timeout: Math.min(timeout, POLL_MS), signal });
      if (outcome !== undefined) return outcome.value;
      if (performance.now() >= end) throw timedOut(operation, object, timeout);
    }
  }

  /** As {@link wait}, and blocks the thread. */
  waitSync<T>(operation: string, attempt: () => T | undefined, timeout: number | undefined): T | null {
    const { object } = this.#cell;
    const step = this.#stepOf(operation, attempt, true);
    const milliseconds = judgeTimeout(operation, timeout);
    const end = performance.now() + milliseconds;
    for (;;) {
      // Where nobody wakes, one looks from time to time.
      const most = this.#place.isQuiet ? Math.min(Math.max(0, end - performance.now()), POLL_MS) : milliseconds;
      const outcome = this.#point.waitSync(operation, object, step, most, true);
      if (outcome !== undefined) return outcome.value;
      if (!this.#place.isQuiet || performance.now() >= end) throw timedOut(operation, object, milliseconds);
    }
  }

  /** @param asks the system is asked whether the other side lives, for nobody can be told while the thread is blocked */
  #stepOf<T>(operation: string, attempt: () => T | undefined, asks: boolean): () => { readonly value: T | null } | undefined {
    return () => {
      const value = this.#step(operation, attempt, asks);
      return value === undefined ? undefined : { value };
    };
  }

  #step<T>(operation: string, attempt: () => T | undefined, asks: boolean): T | null | undefined {
    this.#cell.mustBeOpen(operation);
    const now = attempt();
    if (now !== undefined) return now;
    // What was written before the end is seen before the end is.
    if (Atomics.load(this.#words, 0) !== 0) return attempt() ?? null;
    const peer = Atomics.load(this.#roles, 0);
    if (peer === this.#told) return undefined;
    if (!asks) this.#watchOver(peer);
    else if (holderHasEnded(peer, this.#cell.header.home)) this.#gone = peer;
    if (peer !== this.#gone || peer === FREE) return undefined;
    const last = attempt();
    if (last !== undefined) return last;
    this.#told = peer;
    const { title } = this.#place;
    throw new SectionError('ERR_SECTION_PEER_ENDED', {
      operation,
      object: this.#cell.object,
      rule: `its ${title}, process ${holderOf(peer)?.pid}, has ended without closing it`,
      wayOut: `Start a ${title} again: whoever waits anew waits for it`,
    });
  }

  #watchOver(peer: bigint): void {
    if (peer === this.#watched) return;
    this.#watch?.close();
    this.#watched = peer;
    this.#watch = watchRole(peer, this.#cell.header.home, () => {
      this.#gone = peer;
      this.#point.poke();
    });
  }

  /** Whoever waits gets ERR_SECTION_CLOSED. Safe to call twice. */
  close(): void {
    this.#watch?.close();
    this.#watch = null;
    this.#watched = FREE;
    this.#point.close();
  }
}

export function timedOut(operation: string, object: string, timeout: number): SectionError {
  return new SectionError('ERR_SECTION_TIMEOUT', { operation, object, rule: `nothing came within ${timeout} ms` });
}
