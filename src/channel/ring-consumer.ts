/**
 * The consumer of a ring: what {@link RingReader} does at once, and what waits for a message. Touches no shared word itself.
 */
import type { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import { judgeTimeout, type WaitOptions } from '../sync/wait-options.js';
import type { MessageBatch } from './message-batch.js';
import type { PeerState } from './peers.js';
import { Ended } from './ring-layout.js';
import { RingReader } from './ring-reader.js';
import { type RingStreamOptions, readableOf, readableStreamOf } from './ring-streams.js';

export class RingConsumer extends RingReader {
  /**
   * Receives a message, and waits for it without holding up the event loop.
   *
   * @returns A copy of its bytes; null when the producer has closed and all has been received.
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_PEER_ENDED (the producer's process has ended without closing, and all
   * that it sent has been received), and as {@link tryReceive}; the signal's reason
   */
  receive(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#wait('consumer.receive', () => this.tryReceive() ?? undefined, options);
  }

  /** As {@link receive}, and blocks the thread; `timeout` in milliseconds. */
  receiveSync(timeout?: number): Uint8Array<ArrayBuffer> | null {
    return this.#waitSync('consumer.receiveSync', () => this.tryReceive() ?? undefined, timeout);
  }

  /**
   * As {@link tryReceiveInto}, and waits for a message without holding up the event loop.
   *
   * @returns The message's length; −1 when the producer has closed and all has been received.
   */
  async receiveInto(target: Uint8Array, options?: WaitOptions): Promise<number> {
    return (await this.#wait('consumer.receiveInto', () => this.#into(target), options)) ?? -1;
  }

  /** As {@link receiveInto}, and blocks the thread: the quickest way to take one message after the other. */
  receiveIntoSync(target: Uint8Array, timeout?: number): number {
    if (timeout === undefined) {
      const ahead = this.receiveAhead(target);
      if (ahead >= 0) return ahead;
      this.putOff();
      const length = this.tryReceiveInto(target);
      if (length >= 0) return length;
    }
    return this.#waitSync('consumer.receiveIntoSync', () => this.#into(target), timeout) ?? -1;
  }

  #into(target: Uint8Array): number | undefined {
    const length = this.tryReceiveInto(target);
    return length < 0 ? undefined : length;
  }

  /** As {@link tryReceiveMany}, and waits for the first; null at the end, as {@link receive}. */
  receiveMany(most?: number, options?: WaitOptions): Promise<Uint8Array<ArrayBuffer>[] | null> {
    const some = () => {
      const messages = this.tryReceiveMany(most);
      return messages.length > 0 ? messages : undefined;
    };
    return this.#wait('consumer.receiveMany', some, options);
  }

  /** As {@link tryReceiveBatch}, and waits for the first; 0 at the end. */
  async receiveBatch(batch: MessageBatch, options?: WaitOptions): Promise<number> {
    return (await this.#wait('consumer.receiveBatch', () => this.tryReceiveBatch(batch) || undefined, options)) ?? 0;
  }

  /** As {@link receiveBatch}, and blocks the thread. */
  receiveBatchSync(batch: MessageBatch, timeout?: number): number {
    return this.#waitSync('consumer.receiveBatchSync', () => this.tryReceiveBatch(batch) || undefined, timeout) ?? 0;
  }

  /** As {@link next}, and waits for it; null at the end. */
  waitNext(options?: WaitOptions): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#wait('consumer.waitNext', () => this.next() ?? undefined, options);
  }

  /** As {@link waitNext}, and blocks the thread. */
  waitNextSync(timeout?: number): Uint8Array<ArrayBuffer> | null {
    return this.#waitSync('consumer.waitNextSync', () => this.next() ?? undefined, timeout);
  }

  async #wait<T>(operation: string, attempt: () => T | undefined, options: WaitOptions | undefined): Promise<T | null> {
    if (options === undefined && !this.side.busy) {
      const result = attempt();
      if (result !== undefined) return result;
    }
    if (this.closed) throw this.side.closed(operation);
    return this.side.wait(operation, (peer) => this.#attempted(operation, attempt, peer), options);
  }

  #waitSync<T>(operation: string, attempt: () => T | undefined, timeout: number | undefined): T | null {
    const milliseconds = judgeTimeout(operation, timeout);
    this.putOff();
    let result = attempt();
    if (result === undefined && milliseconds > 0 && this.comesSoon()) result = attempt();
    if (result !== undefined) return result;
    return this.side.waitSync(operation, (peer) => this.#attempted(operation, attempt, peer), milliseconds);
  }

  #attempted<T>(operation: string, attempt: () => T | undefined, peer: PeerState | null): T | null | undefined {
    // Before the look for a message: what was sent before the end is had first.
    const end = peer === null ? Ended.not : this.endOf(peer);
    const result = attempt();
    if (result !== undefined || end === Ended.not || peer === null) return result;
    if (end === Ended.closed) return null;
    if (this.side.failsAtEnd) throw this.side.peerEnded(operation, peer);
    return undefined;
  }

  /**
   * Resolves when a process is the producer: at once, if one is, or was it and has ended without that having been told; the next
   * wait for a message tells it, after what it had sent.
   *
   * @throws SectionError ERR_SECTION_TIMEOUT, ERR_SECTION_CLOSED; the signal's reason
   */
  waitForProducer(options?: WaitOptions): Promise<void> {
    return this.side.waitForPeer('consumer.waitForProducer', options);
  }

  /** As {@link waitForProducer}, and blocks the thread; `timeout` in milliseconds. */
  waitForProducerSync(timeout?: number): void {
    const operation = 'consumer.waitForProducerSync';
    this.side.waitForPeerSync(operation, judgeTimeout(operation, timeout));
  }

  /* ---------------------------------------------------------------------------- streams ---- */

  /** The messages that come, each a copy, to the end. Leaving the loop leaves the rest in the ring. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
    for (;;) {
      const message = await this.receive();
      if (message === null) return;
      yield message;
    }
  }

  /** As a stream of Node.js, which closes the consumer when it has ended or is destroyed. */
  readable(streamOptions?: RingStreamOptions): Readable {
    return readableOf(this, streamOptions);
  }

  /** As a stream of the Web, one chunk for each message. It closes the consumer when it has ended or is cancelled. */
  readableStream(): ReadableStream<Uint8Array> {
    return readableStreamOf(this);
  }
}
