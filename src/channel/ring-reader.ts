/**
 * The consumer's side of a ring without its waits: takes messages in the order in which they were published, as copies or in place, and
 * gives their room back. Where they stand is {@link RingHead}'s.
 */
import { show } from '../base/checks.js';
import type { SectionError } from '../base/error.js';
import { copyOut, LOOP_BYTES, RepeatedArray } from './copy.js';
import { MessageBatch } from './message-batch.js';
import type { PeerState } from './peers.js';
import { invalid, requireMost, tooShort } from './ring-errors.js';
import { RingHead } from './ring-head.js';
import { Ended, Long, RECORD_HEADER, type RingMemory, recordOf, Word } from './ring-layout.js';
import { type PeerEnd, RingSide } from './ring-side.js';
import { releaseRole, roleTaken, takeRole } from './role.js';

const State = { open: 0, closed: 1, damaged: 2 } as const;

export class RingReader {
  readonly #memory: RingMemory;
  /** @internal */
  protected readonly side: RingSide;
  readonly #onClose: () => void;
  readonly #words: Int32Array<ArrayBuffer>;
  readonly #data: Uint8Array<ArrayBuffer>;
  readonly #head: RingHead;
  /** Whether messages are used in place, so that nothing may be given back. */
  #holds = false;
  #state: number = State.open;
  readonly #targets = new RepeatedArray();

  /** @internal */
  constructor(operation: string, memory: RingMemory, peerEnd: PeerEnd, onClose: () => void) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#data = memory.data;
    this.#onClose = onClose;
    this.#head = new RingHead(memory, (during, rule) => this.#broken(during, rule));
    const { roles, home, object } = memory;
    if (takeRole(roles, Long.consumer, home) === null) {
      throw roleTaken(operation, object, 'consumer', Atomics.load(roles, Long.consumer));
    }
    this.side = new RingSide(memory, 'consumer', peerEnd);
    try {
      this.#head.begin(operation);
    } catch (error) {
      releaseRole(roles, Long.consumer, home);
      throw error;
    }
    Atomics.store(this.#words, Word.consumerEnded, Ended.not);
    // Producers have somebody new to watch.
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
   * Receives a message if there is one now.
   *
   * @returns A copy of its bytes; null if there is none now.
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_CHANNEL_DAMAGED
   */
  tryReceive(): Uint8Array<ArrayBuffer> | null {
    const at = this.#find();
    if (at < 0) return null;
    const message = this.#data.slice(at, at + this.#head.length);
    this.#head.pass();
    this.#giveBack();
    return message;
  }

  /**
   * Receives a message into memory of the caller's, if there is one now.
   *
   * @param target Where to. The fastest way is the same array each time, which starts at a multiple of 8 bytes of its buffer.
   * @returns The message's length; −1 if there is none now.
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE (the target is shorter than the message, which stays where it is), and as
   * {@link tryReceive}
   */
  tryReceiveInto(target: Uint8Array): number {
    const received = this.receiveAhead(target);
    if (received >= 0) return received;
    const found = this.#find();
    if (found < 0) return -1;
    this.#requireRoom(target, this.#head.length);
    if (this.#head.length > LOOP_BYTES) return this.#receiveLong(found, target);
    this.#head.readAhead(found);
    return this.receiveAhead(target);
  }

  /**
   * @internal Receives a message that was read ahead; −1: none was, or something is in the way. In one piece, for checks and calls
   * take as long as the copy.
   */
  protected receiveAhead(target: Uint8Array): number {
    const { ahead } = this.#head;
    const length = ahead.nextLength();
    if (length < 0 || this.#state !== State.open || this.#words.length === 0) return -1;
    const targets = this.#targets;
    if (target !== targets.array || length > target.length) this.#requireRoom(target, length);
    copyOut(targets, ahead.bytes, ahead.longs, ahead.nextAt, length, target);
    this.#head.passAhead(recordOf(length));
    this.#giveBack();
    return length;
  }

  #receiveLong(at: number, target: Uint8Array): number {
    const { length } = this.#head;
    target.set(this.#data.subarray(at, at + length));
    this.#head.pass();
    this.#giveBack();
    return length;
  }

  #requireRoom(target: Uint8Array, length: number): void {
    if (!(target instanceof Uint8Array)) {
      throw invalid('consumer.tryReceiveInto', `target must be a Uint8Array, not ${show(target)}`);
    }
    if (length <= target.length) return;
    throw tooShort('consumer.tryReceiveInto', this.#memory.object, length, target.length, this.#memory.maximum);
  }

  /**
   * Receives all messages that are there now, and gives their room back at once.
   *
   * @param most At most so many. Default: no limit.
   */
  tryReceiveMany(most: number = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer>[] {
    requireMost('consumer.tryReceiveMany', most);
    const messages: Uint8Array<ArrayBuffer>[] = [];
    const until = this.#tailNow('consumer.tryReceiveMany');
    while (messages.length < most && !this.#head.isAt(until)) {
      const at = this.#find();
      if (at < 0) break;
      messages.push(this.#data.slice(at, at + this.#head.length));
      this.#head.pass();
    }
    if (messages.length > 0) this.#giveBack();
    return messages;
  }

  /**
   * Receives as many messages as are there now and fit into a batch, in place of what it holds.
   *
   * @returns How many.
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE (the next message does not fit into the empty batch), and as {@link tryReceive}
   */
  tryReceiveBatch(batch: MessageBatch): number {
    if (!(batch instanceof MessageBatch)) {
      throw invalid('consumer.tryReceiveBatch', `batch must be a MessageBatch, not ${show(batch)}`);
    }
    const most = Math.min(batch.lengths.length, batch.starts.length);
    const bytes = batch.data.length;
    batch.clear();
    while (batch.count < most) {
      const found = this.#find();
      if (found < 0) break;
      const { length } = this.#head;
      if (recordOf(length) > bytes - batch.end) {
        if (batch.count > 0) break;
        throw tooShort('consumer.tryReceiveBatch', this.#memory.object, length, bytes - RECORD_HEADER, this.#memory.maximum);
      }
      this.#head.takeRun(batch, found);
    }
    if (batch.count > 0) this.#giveBack();
    return batch.count;
  }

  /* -------------------------------------------------------------------------- zero-copy ---- */

  /**
   * The next message in the ring's own memory, taken out of the order: the call after it gives the one behind. Its bytes
   * stay as they are until {@link release}; a producer that does not keep to the rules can change them.
   *
   * @returns null if there is none now.
   */
  next(): Uint8Array<ArrayBuffer> | null {
    const at = this.nextAt();
    return at < 0 ? null : this.#data.subarray(at, at + this.#head.length);
  }

  /** As {@link next}, without making an object: where the message starts in {@link data}, or −1; {@link nextLength} has its length. */
  nextAt(): number {
    const at = this.#find();
    if (at < 0) return at;
    this.#holds = true;
    this.#head.pass();
    return at;
  }

  /** The length of the message that was found last. */
  get nextLength(): number {
    return this.#head.length;
  }

  /** The ring's data, for {@link nextAt}. Only to be read. */
  get data(): Uint8Array<ArrayBuffer> {
    return this.#data;
  }

  /** As {@link next}, and leaves the message where it is. */
  peek(): Uint8Array<ArrayBuffer> | null {
    const at = this.#find();
    return at < 0 ? null : this.#data.subarray(at, at + this.#head.length);
  }

  /**
   * Gives back all that {@link next} has given: their bytes are the producer's again. Until then a consumer that takes the
   * place of this process gets those messages once more, as well as what was received after them.
   */
  release(): void {
    if (this.#state !== State.open || this.#words.length === 0) this.#refuse('consumer.release');
    this.#holds = false;
    this.#giveBack();
  }

  /**
   * Calls `use` with each message that is there now, in place: its bytes count during the call only. What was used is given back
   * when all are, or when `use` throws.
   *
   * @returns How many there were.
   */
  drain(use: (message: Uint8Array<ArrayBuffer>) => void, most: number = Number.POSITIVE_INFINITY): number {
    requireMost('consumer.drain', most);
    const until = this.#tailNow('consumer.drain');
    let count = 0;
    try {
      while (count < most && !this.#head.isAt(until)) {
        const message = this.next();
        if (message === null) break;
        count++;
        use(message);
      }
    } finally {
      if (count > 0 && !this.closed) this.release();
    }
    return count;
  }

  /** Where the payload of the next message starts; −1: there is none. */
  #find(): number {
    if (this.#state !== State.open || this.#words.length === 0) this.#refuse('consumer.receive');
    return this.#head.find();
  }

  /** @internal Before a thread that may block looks. */
  protected putOff(): void {
    this.#head.putOff();
  }

  /** @internal Whether something has come soon after there was nothing: for a thread that may block. */
  protected comesSoon(): boolean {
    return this.#head.comesSoon();
  }

  /** What is there now, for those who take all of it, and not what comes meanwhile. */
  #tailNow(operation: string): number {
    if (this.#state !== State.open || this.#words.length === 0) this.#refuse(operation);
    return this.#head.look();
  }

  #giveBack(): void {
    if (!this.#holds && this.#head.giveBack()) this.side.wakeOther();
  }

  /* ---------------------------------------------------------------------------- the end ---- */

  /** Whether the producer has closed and all that it sent has been received. */
  get ended(): boolean {
    if (this.#state !== State.open || this.#words.length === 0) this.#refuse('consumer.ended');
    return this.endOf(this.side.peerState(true)) === Ended.closed && this.#find() < 0;
  }

  /** @internal How the other side has ended, if it has given the role back; of several producers, the last. */
  protected endOf(peer: PeerState): number {
    if (peer === 'living' || (peer === 'ended' && this.#memory.many)) return Ended.not;
    return Atomics.load(this.#words, Word.producerEnded);
  }

  /* ------------------------------------------------------------------------------- else ---- */

  #refuse(operation: string): never {
    if (this.closed || this.#words.length === 0) throw this.side.closed(operation);
    throw this.side.damaged(operation, 'it was found damaged before');
  }

  #broken(operation: string, rule: string): SectionError {
    this.#state |= State.damaged;
    return this.side.damaged(operation, rule);
  }

  /**
   * Gives the role back. Messages that are there stay for the next consumer; producers that wait for room are told.
   * Safe to call twice.
   */
  close(): void {
    if (this.closed) return;
    if (!this.#memory.view.closed) {
      Atomics.store(this.#words, Word.consumerEnded, Ended.closed);
      releaseRole(this.#memory.roles, Long.consumer, this.#memory.home);
      this.side.wakeOther();
    }
    this.#state |= State.closed;
    this.side.close();
    this.#onClose();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
