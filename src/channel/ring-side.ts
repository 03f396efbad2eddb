/**
 * What the producer and the consumer of a ring have in common: sleeping, waking the other side, knowing whether it
 * lives. Moves no message.
 */
import { SectionError } from '../base/error.js';
import { mappingOf } from '../memory/view.js';
import type { WaitOptions } from '../sync/wait-options.js';
import { WaitPoint } from '../sync/wait-point.js';
import { SEEN_WITHIN } from './fence.js';
import { damaged } from './header.js';
import { type PeerState, Peers } from './peers.js';
import { Long, MAXIMUM_PRODUCERS, RingAt, type RingMemory, Sleeps, Word } from './ring-layout.js';

export type RoleName = 'producer' | 'consumer';

/** What a wait does when the process on the other side has ended, or has closed while there is something to wait for. */
export type PeerEnd = 'fail' | 'wait';

const sides = {
  producer: { sleeps: Word.producerSleeps, point: RingAt.producerSleeps, other: RingAt.consumerSleeps },
  consumer: { sleeps: Word.consumerSleeps, point: RingAt.consumerSleeps, other: RingAt.producerSleeps },
} as const;

export class RingSide {
  readonly #memory: RingMemory;
  readonly #role: RoleName;
  readonly #peerEnd: PeerEnd;
  readonly #sleeps: number;
  readonly #point: WaitPoint;
  readonly #other: WaitPoint;
  readonly #peers: Peers;
  /**
   * Other producers, where there are several: they share one sleep word, and one that is killed may have set it for itself after
   * the consumer had answered another, who then looks again.
   */
  readonly #kin: Peers | null;
  /** What the last attempt of one of several producers lacked was room, and not the lock. */
  forRoomOnly = false;

  constructor(memory: RingMemory, role: RoleName, peerEnd: PeerEnd) {
    const { sleeps, point, other } = sides[role];
    const mapping = memory.view[mappingOf];
    this.#memory = memory;
    this.#role = role;
    this.#peerEnd = peerEnd;
    this.#sleeps = sleeps;
    this.#point = new WaitPoint(mapping, memory.start + point);
    this.#other = new WaitPoint(mapping, memory.start + other);
    const [first, count] = role === 'producer' ? [Long.consumer, 1] : [Long.producers, memory.many ? MAXIMUM_PRODUCERS : 1];
    const poke = (): void => this.#point.poke();
    this.#peers = new Peers(memory.roles, first, count, memory.home, poke);
    const hasKin = role === 'producer' && memory.many;
    this.#kin = hasKin ? new Peers(memory.roles, Long.producers, MAXIMUM_PRODUCERS, memory.home, poke) : null;
  }

  /** Whether somebody of this thread waits already, whose turn comes first. */
  get busy(): boolean {
    return this.#point.busy;
  }

  /** The other side may find something changed, and sleeps. */
  wakeOther(): void {
    this.#other.storeAndWake(0);
  }

  /** Those of this side's own kind may find something changed: other producers. */
  wakeOwn(): void {
    this.#point.storeAndWake(0);
  }

  /** Those of this thread who wait look again. */
  poke(): void {
    this.#point.poke();
  }

  /** What is known of the other side now. */
  peerState(asks: boolean): PeerState {
    return this.#peers.state(asks);
  }

  /**
   * Waits until an attempt succeeds.
   *
   * @param attempt Undefined: not yet. It is told what is known of the other side since before it looks; null: nothing was asked.
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_PEER_ENDED, ERR_SECTION_CLOSED; what the attempt throws; the signal's
   * reason
   */
  async wait<T>(operation: string, attempt: (peer: PeerState | null) => T | undefined, options?: WaitOptions): Promise<T> {
    const { object } = this.#memory;
    const result = await this.#point.wait(operation, object, this.#attempted(operation, attempt, false), options);
    if (result === undefined) throw this.#timedOut(operation, options?.timeout);
    return result;
  }

  /** As {@link wait}, and blocks the thread. */
  waitSync<T>(operation: string, attempt: (peer: PeerState | null) => T | undefined, timeout: number): T {
    const { object } = this.#memory;
    const result = this.#point.waitSync(operation, object, this.#attempted(operation, attempt, true), timeout, true);
    if (result === undefined) throw this.#timedOut(operation, timeout);
    return result;
  }

  /** There is somebody, or was: a process that came and was killed before it was looked for is told of by the next wait. */
  readonly #isThere = (peer: PeerState | null): true | undefined =>
    peer === 'living' || (peer === 'ended' && this.#peers.hasEndedUntold) ? true : undefined;

  /** Waits until a process holds a role of the other side whose end has not been told of. */
  async waitForPeer(operation: string, options?: WaitOptions): Promise<void> {
    const attempt = this.#attempted(operation, this.#isThere, false, 'wait');
    const result = await this.#point.wait(operation, this.#memory.object, attempt, options);
    if (result === undefined) throw this.#timedOut(operation, options?.timeout, `there was no ${this.#otherRole}`);
  }

  /** As {@link waitForPeer}, and blocks the thread. */
  waitForPeerSync(operation: string, timeout: number): void {
    const attempt = this.#attempted(operation, this.#isThere, true, 'wait');
    if (this.#point.waitSync(operation, this.#memory.object, attempt, timeout, true) !== undefined) return;
    throw this.#timedOut(operation, timeout, `there was no ${this.#otherRole}`);
  }

  get #otherRole(): RoleName {
    return this.#role === 'producer' ? 'consumer' : 'producer';
  }

  #attempted<T>(
    operation: string,
    attempt: (peer: PeerState | null) => T | undefined,
    asks: boolean,
    peerEnd = this.#peerEnd,
  ): () => T | undefined {
    let isFirst = true;
    return () => {
      let result = attempt(null);
      while (result === undefined) {
        const forRoomOnly = this.#noteSleep(isFirst);
        isFirst = false;
        // In this order: what a process did before it ended is found.
        const peer = this.#peers.state(asks);
        this.#kin?.state(asks);
        result = attempt(peer);
        if (result !== undefined || (forRoomOnly && !this.forRoomOnly)) continue;
        if (peer === 'ended' && peerEnd === 'fail') throw this.peerEnded(operation, peer);
        break;
      }
      return result;
    };
  }

  /**
   * Says that this side sleeps next, if it finds nothing; for room only, where nobody sleeps for more. What the other side has stored before
   * it sees that may be seen late: so one more look follows, behind each time that it is said, and in each wait, for another process
   * may have said it.
   */
  #noteSleep(isFirst: boolean): boolean {
    const { words } = this.#memory;
    const { forRoomOnly } = this;
    if (forRoomOnly) {
      const found = Atomics.compareExchange(words, this.#sleeps, Sleeps.nobody, Sleeps.forRoom);
      this.#point.sleepWhile(found === Sleeps.nobody ? Sleeps.forRoom : found);
    } else {
      const found = Atomics.exchange(words, this.#sleeps, Sleeps.somebody);
      this.#point.sleepWhile(Sleeps.somebody);
      if (isFirst || found === Sleeps.nobody) this.#point.lookAgainIn(SEEN_WITHIN);
    }
    return forRoomOnly;
  }

  /** Whether an orderly end of the other side ends a wait for it. */
  get failsAtEnd(): boolean {
    return this.#peerEnd === 'fail';
  }

  peerEnded(operation: string, peer: PeerState): SectionError {
    if (peer === 'ended') this.#peers.tellOfEnded();
    const other = this.#otherRole;
    const pid = this.#peers.endedPid;
    return new SectionError('ERR_SECTION_PEER_ENDED', {
      operation,
      object: this.#memory.object,
      rule:
        peer === 'ended'
          ? `the ${other}'s process${pid === undefined ? '' : ` ${pid}`} has ended`
          : `the ${other} ${this.#role === 'producer' ? 'has closed' : 'broke off'}`,
      wayOut: `Another process may become the ${other}: wait for it, or take the role with peerEnd 'wait'`,
    });
  }

  #timedOut(
    operation: string,
    timeout: number | undefined,
    rule = this.#role === 'producer' ? 'there was no room' : 'there was no message',
  ): SectionError {
    return new SectionError('ERR_SECTION_TIMEOUT', {
      operation,
      object: this.#memory.object,
      rule: `${rule} within ${timeout} ms`,
    });
  }

  damaged(operation: string, rule: string): SectionError {
    return damaged(operation, this.#memory.object, rule);
  }

  closed(operation: string): SectionError {
    return new SectionError('ERR_SECTION_CLOSED', {
      operation,
      object: this.#memory.object,
      rule: `the ${this.#role} is closed`,
      wayOut: 'Take the role again',
    });
  }

  close(): void {
    this.#point.close();
    this.#peers.close();
    this.#kin?.close();
  }
}
