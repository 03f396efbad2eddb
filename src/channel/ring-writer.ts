/**
 * The producer's side of a ring without its waits: who may put messages there and when, its claims, its lock where there are several
 * producers, its end. Where they stand is {@link RingTail}'s.
 */
import { show } from '../base/checks.js';
import type { SectionError } from '../base/error.js';
import { load } from './fence.js';
import { MessageBatch } from './message-batch.js';
import { invalid, requireMessage, tooBig } from './ring-errors.js';
import { Ended, type RingMemory, Sleeps, Word } from './ring-layout.js';
import { RingLock } from './ring-lock.js';
import { type PeerEnd, RingSide } from './ring-side.js';
import { anyProducerLives, takeSlot } from './ring-slots.js';
import { RingTail } from './ring-tail.js';
import { releaseRole } from './role.js';

/** What keeps a call from the fast way; 0: nothing. */
const State = { open: 0, closed: 1, damaged: 2, claimed: 4, shared: 8 } as const;

export class RingWriter {
  readonly #memory: RingMemory;
  /** @internal */
  protected readonly side: RingSide;
  readonly #lock: RingLock | null;
  readonly #slot: number;
  readonly #onClose: () => void;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #tail: RingTail;
  #state: number = State.open;
  /** Whether this object has the lock. */
  #locked = false;
  #claimAt = 0;
  #claimLength = 0;

  /** @internal */
  constructor(operation: string, memory: RingMemory, peerEnd: PeerEnd, onClose: () => void) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#onClose = onClose;
    this.#tail = new RingTail(memory, (during, rule) => this.#broken(during, rule));
    this.#slot = takeSlot(operation, memory);
    this.side = new RingSide(memory, 'producer', peerEnd);
    this.#lock = memory.many ? new RingLock(memory, () => this.side.poke()) : null;
    if (this.#lock !== null) this.#state = State.shared;
    try {
      this.#tail.begin(operation);
    } catch (error) {
      releaseRole(memory.roles, this.#slot, memory.home);
      throw error;
    }
    Atomics.store(this.#words, Word.producerEnded, Ended.not);
    // The consumer has somebody new to watch.
    this.side.wakeOther();
  }

  /** Bytes that a message may have: half the ring less 8. */
  get maximum(): number {
    return this.#memory.maximum;
  }

  get closed(): boolean {
    return (this.#state & State.closed) !== 0;
  }

  /* ---------------------------------------------------------------------------- copying ---- */

  /**
   * Sends a message if there is room for it now.
   *
   * @param message 0 to {@link maximum} bytes; copied before this returns. The fastest way is the same array each time, which starts at a
   * multiple of 8 bytes of its buffer.
   * @returns Whether it was sent.
   * @throws SectionError ERR_SECTION_MESSAGE_TOO_BIG, ERR_SECTION_CLOSED, ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_INVALID_ARGUMENT
   */
  trySend(message: Uint8Array): boolean {
    if (this.sendAgain(message)) return true;
    requireMessage('producer.trySend', message);
    if (!this.#enter('producer.trySend')) return false;
    try {
      if (!this.#tail.put(message)) return false;
      this.#publish();
      return true;
    } finally {
      this.#leave();
    }
  }

  /** @internal Sends what was sent before, if nothing is in the way; false: not like this. */
  protected sendAgain(message: Uint8Array): boolean {
    if (this.#state !== State.open || !this.#tail.putAgain(message)) return false;
    this.#publish();
    return true;
  }

  /**
   * Sends as many of the messages as there is room for now, and publishes them at once.
   *
   * @param from The first to send. Default 0.
   * @returns How many were sent.
   */
  trySendMany(messages: readonly Uint8Array[] | MessageBatch, from = 0): number {
    const operation = 'producer.trySendMany';
    if (!Number.isInteger(from) || from < 0) throw invalid(operation, `from must be a whole number, not ${show(from)}`);
    if (!this.#enter(operation)) return 0;
    try {
      const sent =
        messages instanceof MessageBatch
          ? this.#tail.putBatch(operation, messages, from)
          : this.#putAll(operation, messages, from);
      if (sent > 0) this.#publish();
      return sent;
    } catch (error) {
      // Those before the one that cannot be sent are not sent either.
      this.#tail.retract();
      throw error;
    } finally {
      this.#leave();
    }
  }

  #putAll(operation: string, messages: readonly Uint8Array[], from: number): number {
    if (!Array.isArray(messages)) throw invalid(operation, `messages must be an array or a MessageBatch, not ${show(messages)}`);
    const { length } = messages;
    let index = from;
    for (; index < length; index++) {
      const message = messages[index] as Uint8Array;
      if (!(message instanceof Uint8Array)) requireMessage(operation, message);
      if (!this.#tail.put(message)) break;
    }
    return index - from;
  }

  /* -------------------------------------------------------------------------- zero-copy ---- */

  /**
   * Room for a message in the ring's own memory. It is sent by {@link commit}; until then nothing else can be sent, and of
   * several producers all others wait.
   *
   * @param length 0 to {@link maximum} bytes.
   * @returns The bytes, in one piece, with anything in them; null if there is no room now.
   */
  claim(length: number): Uint8Array<ArrayBuffer> | null {
    const at = this.claimAt(length);
    return at < 0 ? null : this.data.subarray(at, at + length);
  }

  /** As {@link claim}, without making an object: where the message starts in {@link data}, or −1. */
  claimAt(length: number): number {
    const operation = 'producer.claim';
    this.#check(operation, length);
    if (!this.#enter(operation)) return -1;
    let at = -1;
    try {
      at = this.#tail.place(length);
    } finally {
      if (at < 0) this.#leave();
    }
    if (at < 0) return -1;
    this.#claimAt = at;
    this.#claimLength = length;
    this.#state |= State.claimed;
    return at;
  }

  /** The ring's data, for {@link claimAt}. What it holds of sent messages must not be changed. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.#memory.data;
  }

  /**
   * Sends the message that was claimed.
   *
   * @param length Bytes of it that count, at most what was claimed. Default all.
   */
  commit(length: number = this.#claimLength): void {
    const operation = 'producer.commit';
    if ((this.#state & State.claimed) === 0) this.#refuse(operation, 'nothing is claimed');
    if (!Number.isInteger(length) || length < 0 || length > this.#claimLength) {
      throw invalid(operation, `length must be a whole number from 0 to ${this.#claimLength}, not ${show(length)}`);
    }
    this.#state &= ~State.claimed;
    this.#tail.shorten(this.#claimAt, length);
    this.#tail.pass(length);
    this.#publish();
    this.#leave();
  }

  /** Gives a claim up: nothing is sent. */
  abandon(): void {
    if ((this.#state & State.claimed) === 0) this.#refuse('producer.abandon', 'nothing is claimed');
    this.#state &= ~State.claimed;
    this.#tail.retract();
    this.#leave();
  }

  /* ----------------------------------------------------------------------- back-pressure ---- */

  /** @internal Whether a call needs no more than the hot way. */
  protected get isPlain(): boolean {
    return this.#state === State.open;
  }

  /** @internal How the consumer has ended, if it has given the role back. */
  protected get consumerEnded(): number {
    return Atomics.load(this.#words, Word.consumerEnded);
  }

  /** @internal Somebody waits for the lock. */
  protected watchLock(): void {
    this.#lock?.watchOwner();
  }

  /** Whether there is room for a message of so many bytes now. */
  fits(length: number): boolean {
    this.#check('producer.fits', length);
    if (!this.#enter('producer.fits')) return false;
    try {
      const at = this.#tail.place(length);
      this.#tail.retract();
      return at >= 0;
    } finally {
      this.#leave();
    }
  }

  /** @internal Before a thread that may block looks. */
  protected putOff(length: number): void {
    this.#tail.putOff(length);
  }

  /** @internal Whether the consumer has moved soon after there was no room: for a thread that may block. */
  protected movesSoon(): boolean {
    return this.#tail.movesSoon();
  }

  /* ------------------------------------------------------------------------------- else ---- */

  /** Before anything is put; false: somebody else has the lock. */
  #enter(operation: string): boolean {
    if ((this.#state & ~State.shared) !== 0) this.#refuse(operation, 'a claim is open: commit or abandon it first');
    if (this.#words.length === 0) throw this.side.closed(operation);
    if (this.#lock === null) return true;
    const isTaken = this.#lock.take(this);
    this.side.forRoomOnly = isTaken;
    if (!isTaken) return false;
    this.#locked = true;
    try {
      this.#tail.begin(operation);
    } catch (error) {
      this.#leave();
      throw error;
    }
    return true;
  }

  #leave(): void {
    if (!this.#locked || (this.#state & State.claimed) !== 0) return;
    this.#locked = false;
    this.#lock?.give();
    if (load(this.#words, Word.producerSleeps) === Sleeps.somebody) this.side.wakeOwn();
  }

  #publish(): void {
    if (this.#tail.publish()) this.side.wakeOther();
  }

  #refuse(operation: string, rule: string): never {
    if (this.closed || this.#words.length === 0) throw this.side.closed(operation);
    if ((this.#state & State.damaged) !== 0) throw this.side.damaged(operation, 'it was found damaged before');
    throw invalid(operation, rule);
  }

  #broken(operation: string, rule: string): SectionError {
    this.#state |= State.damaged;
    return this.side.damaged(operation, rule);
  }

  #check(operation: string, length: number): void {
    if (!Number.isInteger(length) || length < 0) {
      throw invalid(operation, `length must be a whole number of bytes, not ${show(length)}`);
    }
    if (length > this.maximum) throw tooBig(this.#memory.object, length, this.maximum);
  }

  /* -------------------------------------------------------------------------------- end ---- */

  /**
   * Says that nothing more comes, and gives the role back: the consumer gets what was sent, then the end. Of several
   * producers the last does. A claim is abandoned. Safe to call twice.
   */
  close(): void {
    this.#end(Ended.closed);
  }

  /** As {@link close}, but the consumer gets ERR_SECTION_PEER_ENDED in place of the end: what was sent is not all there was. */
  breakOff(): void {
    this.#end(Ended.brokenOff);
  }

  #end(how: number): void {
    if (this.closed) return;
    const memory = this.#memory;
    if (!memory.view.closed) {
      if ((this.#state & State.claimed) !== 0) this.abandon();
      // Before the role is free, for the next producer takes it back; with several, when no other is left.
      if (!memory.many) Atomics.store(this.#words, Word.producerEnded, how);
      releaseRole(memory.roles, this.#slot, memory.home);
      if (memory.many && !anyProducerLives(memory)) Atomics.store(this.#words, Word.producerEnded, how);
      this.side.wakeOther();
    }
    this.#state |= State.closed;
    this.side.close();
    this.#lock?.close();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
