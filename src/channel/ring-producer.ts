/**
 * The producer of a ring: what {@link RingWriter} does at once, and what waits for room. Touches no shared word itself.
 */
import type { Writable } from 'node:stream';
import type { WritableStream } from 'node:stream/web';
import { judgeTimeout, type WaitOptions } from '../sync/wait-options.js';
import { MessageBatch } from './message-batch.js';
import type { PeerState } from './peers.js';
import { Ended } from './ring-layout.js';
import { type RingStreamOptions, writableOf, writableStreamOf } from './ring-streams.js';
import { RingWriter } from './ring-writer.js';

const done = Promise.resolve();

export class RingProducer extends RingWriter {
  /**
   * Sends a message, and waits for room without holding up the event loop. Messages leave in the order of the calls.
   *
   * @param message 0 to {@link maximum} bytes; not to be changed until it has been sent.
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_PEER_ENDED (the consumer has ended or closed, and the ring is full),
   * and as {@link trySend}; the signal's reason
   */
  send(message: Uint8Array, options?: WaitOptions): Promise<void> {
    if (options === undefined && this.isPlain && !this.side.busy) {
      try {
        if (this.trySend(message)) return done;
      } catch (error) {
        return Promise.reject(error);
      }
    }
    return this.#wait('producer.send', () => this.trySend(message), options);
  }

  /** As {@link send}, and blocks the thread; `timeout` in milliseconds. */
  sendSync(message: Uint8Array, timeout?: number): void {
    if (timeout === undefined && this.sendAgain(message)) return;
    if (timeout === undefined && this.isPlain && message instanceof Uint8Array) {
      this.putOff(message.length);
      if (this.trySend(message)) return;
    }
    this.#waitSync('producer.sendSync', () => this.trySend(message), timeout);
  }

  /** As {@link trySendMany}, and waits for room until all are sent. When it rejects, a part may have been sent. */
  async sendMany(messages: readonly Uint8Array[] | MessageBatch, options?: WaitOptions): Promise<void> {
    let sent = 0;
    const all = (): boolean => {
      sent += this.trySendMany(messages, sent);
      return sent >= (messages instanceof MessageBatch ? messages.count : messages.length);
    };
    await this.#wait('producer.sendMany', all, options);
  }

  /** As {@link sendMany}, and blocks the thread. */
  sendManySync(messages: readonly Uint8Array[] | MessageBatch, timeout?: number): void {
    let sent = 0;
    const all = (): boolean => {
      sent += this.trySendMany(messages, sent);
      return sent >= (messages instanceof MessageBatch ? messages.count : messages.length);
    };
    this.#waitSync('producer.sendManySync', all, timeout);
  }

  /**
   * Resolves when there is room for a message of so many bytes: for one producer, a {@link trySend} or {@link claim} succeeds then.
   *
   * @throws SectionError as {@link send}
   */
  room(length: number, options?: WaitOptions): Promise<void> {
    return this.#wait('producer.room', () => this.fits(length), options);
  }

  /** As {@link room}, and blocks the thread. */
  roomSync(length: number, timeout?: number): void {
    this.#waitSync('producer.roomSync', () => this.fits(length), timeout);
  }

  async #wait(operation: string, attempt: () => boolean, options: WaitOptions | undefined): Promise<void> {
    if (this.closed) throw this.side.closed(operation);
    await this.side.wait(operation, (peer) => this.#attempted(operation, attempt, peer), options);
  }

  #waitSync(operation: string, attempt: () => boolean, timeout: number | undefined): void {
    const milliseconds = judgeTimeout(operation, timeout);
    if (this.closed) throw this.side.closed(operation);
    if (attempt() || (milliseconds > 0 && this.movesSoon() && attempt())) return;
    this.side.waitSync(operation, (peer) => this.#attempted(operation, attempt, peer), milliseconds);
  }

  #attempted(operation: string, attempt: () => boolean, peer: PeerState | null): true | undefined {
    const ended = peer === 'none' && this.side.failsAtEnd && this.consumerEnded !== Ended.not;
    if (attempt()) return true;
    if (ended) throw this.side.peerEnded(operation, peer);
    if (peer !== null) this.watchLock();
    return undefined;
  }

  /**
   * Resolves when a process is the consumer: at once, if one is, or was it and has ended without that having been told.
   *
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_CLOSED; the signal's reason
   */
  waitForConsumer(options?: WaitOptions): Promise<void> {
    return this.side.waitForPeer('producer.waitForConsumer', options);
  }

  /** As {@link waitForConsumer}, and blocks the thread; `timeout` in milliseconds. */
  waitForConsumerSync(timeout?: number): void {
    const operation = 'producer.waitForConsumerSync';
    this.side.waitForPeerSync(operation, judgeTimeout(operation, timeout));
  }

  /* ---------------------------------------------------------------------------- streams ---- */

  /** As a stream of Node.js. Finishing it closes the producer; destroying it before breaks off. */
  writable(streamOptions?: RingStreamOptions): Writable {
    return writableOf(this, streamOptions);
  }

  /** As a stream of the Web, one message for each chunk. Closing it closes the producer; aborting it breaks off. */
  writableStream(): WritableStream<Uint8Array> {
    return writableStreamOf(this);
  }
}
