/**
 * Many messages in one piece of ordinary memory: what is sent and received at once without an object for each message.
 * Not shared, and bound to no ring.
 */
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';

/**
 * Messages side by side, each at a multiple of 8 bytes. Made once and used again and again:
 *
 * ```js
 * const batch = new MessageBatch(64 * 1024);
 * while ((await consumer.receiveBatch(batch)) > 0) {
 *   for (let i = 0; i < batch.count; i++) use(batch.data, batch.starts[i], batch.lengths[i]);
 * }
 * ```
 */
export class MessageBatch {
  /** The messages' bytes. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where each message starts in `data`. */
  readonly starts: Int32Array<ArrayBuffer>;
  /** How many bytes each message has. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /** @internal The same bytes to copy by. */
  readonly longs: BigInt64Array<ArrayBuffer>;
  /** Messages in it. */
  count = 0;

  /**
   * @param bytes Room for messages, each rounded up to 8 bytes: 8 to 2^30.
   * @param messages Room for so many messages: 1 to 2^20. Default 1024.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
   */
  constructor(bytes: number, messages = 1024) {
    const size = byteCount('new MessageBatch', 'bytes', bytes, { minimum: 8, maximum: 2 ** 30 });
    const most = byteCount('new MessageBatch', 'messages', messages, { minimum: 1, maximum: 2 ** 20 });
    const buffer = new ArrayBuffer(Math.ceil(size / 8) * 8);
    this.data = new Uint8Array(buffer);
    this.longs = new BigInt64Array(buffer);
    this.starts = new Int32Array(new ArrayBuffer(4 * most));
    this.lengths = new Int32Array(new ArrayBuffer(4 * most));
  }

  /** Where the next message would start. */
  get end(): number {
    const { count } = this;
    if (count === 0) return 0;
    return ((this.starts[count - 1] ?? 0) + (this.lengths[count - 1] ?? 0) + 7) & ~7;
  }

  /** Takes all messages out. */
  clear(): void {
    this.count = 0;
  }

  /**
   * Puts a message behind the others.
   *
   * @returns Whether there was room.
   */
  add(message: Uint8Array): boolean {
    if (!(message instanceof Uint8Array)) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation: 'batch.add',
        rule: `message must be a Uint8Array, not ${show(message)}`,
      });
    }
    const at = this.reserve(message.length);
    if (at < 0) return false;
    this.data.set(message, at);
    return true;
  }

  /**
   * Makes room for a message whose bytes the caller writes into `data` himself.
   *
   * @returns Where it starts, or −1 if there is no room.
   */
  reserve(length: number): number {
    const at = this.end;
    if (!(length >= 0) || length > this.data.length - at || this.count >= this.lengths.length) return -1;
    this.starts[this.count] = at;
    this.lengths[this.count] = length;
    this.count++;
    return at;
  }

  /** One message, in place: its bytes change when the batch is used again. */
  at(index: number): Uint8Array<ArrayBuffer> {
    if (!Number.isInteger(index) || index < 0 || index >= this.count) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation: 'batch.at',
        rule: `index must be a whole number below ${this.count}, not ${show(index)}`,
      });
    }
    const start = this.starts[index] ?? 0;
    return this.data.subarray(start, start + (this.lengths[index] ?? 0));
  }

  *[Symbol.iterator](): IterableIterator<Uint8Array<ArrayBuffer>> {
    for (let index = 0; index < this.count; index++) yield this.at(index);
  }
}
