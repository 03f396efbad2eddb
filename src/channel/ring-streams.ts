/**
 * A ring's roles as streams of Node.js and of the Web. Back-pressure is the ring's own: a stream takes no more than its
 * other end wants. Moves nothing itself.
 */
import { Readable, Writable } from 'node:stream';
import { ReadableStream, WritableStream } from 'node:stream/web';
import { flag, options } from '../base/checks.js';
import type { RingConsumer } from './ring-consumer.js';
import type { RingProducer } from './ring-producer.js';

export interface RingStreamOptions {
  /**
   * Each chunk is one message, and a message one chunk. Default false: a stream of bytes, whose chunks are cut where they are longer
   * than a message may be.
   */
  readonly objectMode?: boolean;
}

/** Messages that a stream takes at once. */
const AT_ONCE = 64;

function isObjectMode(operation: string, streamOptions: RingStreamOptions | undefined): boolean {
  return flag(operation, 'objectMode', options(operation, streamOptions, ['objectMode']).objectMode);
}

/** Pieces of at most so many bytes. */
function cut(chunk: Uint8Array, most: number): Uint8Array[] {
  if (chunk.length <= most) return [chunk];
  return Array.from({ length: Math.ceil(chunk.length / most) }, (_, index) => chunk.subarray(index * most, (index + 1) * most));
}

/** The producer is closed when the stream is finished, and breaks off when it is destroyed before. */
export function writableOf(producer: RingProducer, streamOptions?: RingStreamOptions): Writable {
  const objectMode = isObjectMode('producer.writable', streamOptions);
  const stop = new AbortController();
  const { signal } = stop;
  const send = (chunks: readonly Uint8Array[], callback: (error?: Error | null) => void): void => {
    const messages = objectMode ? chunks : chunks.flatMap((chunk) => cut(chunk, producer.maximum));
    producer.sendMany(messages, { signal }).then(() => callback(), callback);
  };
  return new Writable({
    objectMode,
    write: (chunk: Uint8Array, _encoding, callback) => send([chunk], callback),
    writev: (chunks, callback) =>
      send(
        chunks.map(({ chunk }) => chunk as Uint8Array),
        callback,
      ),
    final: (callback) => {
      producer.close();
      callback();
    },
    destroy: (error, callback) => {
      stop.abort(error ?? undefined);
      producer.breakOff();
      callback(error);
    },
  });
}

/** The consumer is closed when the stream has ended or is destroyed. */
export function readableOf(consumer: RingConsumer, streamOptions?: RingStreamOptions): Readable {
  const objectMode = isObjectMode('consumer.readable', streamOptions);
  const fill = async (readable: Readable): Promise<void> => {
    for (;;) {
      const messages = await consumer.receiveMany(AT_ONCE);
      if (messages === null) {
        readable.push(null);
        return;
      }
      // An empty chunk would end a stream of bytes' reading.
      const chunks = objectMode ? messages : messages.filter(({ length }) => length > 0);
      for (const chunk of chunks) readable.push(chunk);
      if (chunks.length > 0) return;
    }
  };
  return new Readable({
    objectMode,
    read() {
      fill(this).catch((error: Error) => this.destroy(error));
    },
    destroy: (error, callback) => {
      consumer.close();
      callback(error);
    },
  });
}

/** Each chunk is one message. The producer is closed with the stream, and breaks off when it is aborted. */
export function writableStreamOf(producer: RingProducer): WritableStream<Uint8Array> {
  let signal: AbortSignal | undefined;
  return new WritableStream<Uint8Array>({
    start: (controller) => {
      // Node.js has it, its types do not.
      signal = (controller as unknown as { readonly signal: AbortSignal }).signal;
    },
    write: (chunk) => producer.send(chunk, { signal }),
    close: () => producer.close(),
    abort: () => producer.breakOff(),
  });
}

/** Each message is one chunk, received when it is asked for. The consumer is closed when the stream has ended or is cancelled. */
export function readableStreamOf(consumer: RingConsumer): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const message = await consumer.receive();
        if (message !== null) {
          controller.enqueue(message);
          return;
        }
        controller.close();
        consumer.close();
      },
      cancel: () => consumer.close(),
    },
    { highWaterMark: 0 },
  );
}
