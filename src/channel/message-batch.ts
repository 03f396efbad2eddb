/**
 * Many messages in one piece of ordinary memory, as a ring holds them: each behind 8 bytes with its length, and rounded up to
 * 8 bytes. So they go into a ring and out of it by one copy. Not shared, and bound to no ring.
 */
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { copyLongs, LOOP_BYTES } from './copy.js';
import { RECORD_HEADER as HEADER, recordOf } from './ring-layout.js';

/**
 * Messages side by side, to be sent or received at once without an object for each. Made once and used again and again:
 *
 * ```js
 * const batch = new MessageBatch(64 * 1024);
 * while ((await consumer.receiveBatch(batch)) > 0) {
 *   for (let i = 0; i < batch.count; i++) use(batch.data, batch.starts[i], batch.lengths[i]);
 * }
 * ```
 */
export class MessageBatch {
  /** The messages' bytes, each at a multiple of 8; what stands between them is not to be changed. */
  readonly data: Uint8Array<ArrayBuffer>;
  /** Where each message starts in `data`. To be read only. */
  readonly starts: Int32Array<ArrayBuffer>;
  /** How many bytes each message has. To be read only. */
  readonly lengths: Int32Array<ArrayBuffer>;
  /** @internal The same bytes as words to copy by. */
  readonly longs: BigInt64Array<ArrayBuffer>;
  readonly #headers: Int32Array<ArrayBuffer>;
  #count = 0;
  #end = 0;
  #longest = 0;
  #lastPart: Uint8Array;

  /**
   * @param bytes Room for the messages' bytes, of each rounded up to 8: 8 to 2^30.
   * @param messages Room for so many messages: 1 to 2^20. Default 1024.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
   */
  constructor(bytes: number, messages = 1024) {
    const size = byteCount('new MessageBatch', 'bytes', bytes, { minimum: 8, maximum: 2 ** 30 });
    const most = byteCount('new MessageBatch', 'messages', messages, { minimum: 1, maximum: 2 ** 20 });
    const buffer = new ArrayBuffer(Math.ceil(size / 8) * 8 + HEADER * most);
    this.data = new Uint8Array(buffer);
    this.#lastPart = this.data;
    this.longs = new BigInt64Array(buffer);
    this.#headers = new Int32Array(buffer);
    this.starts = new Int32Array(new ArrayBuffer(4 * most));
    this.lengths = new Int32Array(new ArrayBuffer(4 * most));
  }

  /** Messages in it. */
  get count(): number {
    return this.#count;
  }

  /** @internal Bytes taken, headers included. */
  get end(): number {
    return this.#end;
  }

  /** @internal Bytes of its longest message. */
  get longest(): number {
    return this.#longest;
  }

  /** Takes all messages out. */
  clear(): void {
    this.#count = 0;
    this.#end = 0;
    this.#longest = 0;
  }

  /**
   * Puts a message behind the others.
   *
   * @returns Whether there was room.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
   */
  add(message: Uint8Array): boolean {
    if (!(message instanceof Uint8Array)) throw invalid('batch.add', `message must be a Uint8Array, not ${show(message)}`);
    const at = this.reserve(message.length);
    if (at < 0) return false;
    this.data.set(message, at);
    return true;
  }

  /**
   * Makes room for a message whose bytes the caller writes into `data` himself.
   *
   * @returns Where it starts, or −1 if there is no room.
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
   */
  reserve(length: number): number {
    if (!Number.isInteger(length) || length < 0) {
      throw invalid('batch.reserve', `length must be a whole number of bytes, not ${show(length)}`);
    }
    const at = this.#end;
    const count = this.#count;
    if (length > this.data.length - at - HEADER || count >= this.lengths.length) return -1;
    this.#headers[at >> 2] = length;
    this.starts[count] = at + HEADER;
    this.lengths[count] = length;
    this.#count = count + 1;
    this.#end = at + recordOf(length);
    if (length > this.#longest) this.#longest = length;
    return at + HEADER;
  }

  /**
   * @internal Copies a piece of a ring, and takes the records that are whole in it: what they say is read after that, where
   * nobody else can change it.
   *
   * @returns How many bytes of the ring were taken; 0: what stands there is no record.
   */
  take(
    from: Uint8Array<ArrayBuffer>,
    fromLongs: BigInt64Array<ArrayBuffer>,
    at: number,
    length: number,
    longest: number,
  ): number {
    const start = this.#end;
    if (length <= LOOP_BYTES) copyLongs(fromLongs, at >> 3, this.longs, start >> 3, length >> 3);
    else this.data.set(from.subarray(at, at + length), start);
    const { starts, lengths } = this;
    const headers = this.#headers;
    const most = lengths.length;
    const limit = start + length;
    let end = start;
    let count = this.#count;
    let found = this.#longest;
    while (end < limit && count < most) {
      const size = headers[end >> 2] as number;
      const record = recordOf(size);
      if (size < 0 || size > longest || end + record > limit) break;
      if (size > found) found = size;
      // Where the next one stands need not wait for its length, where that is the same: the processor goes ahead.
      do {
        starts[count] = end + HEADER;
        lengths[count] = size;
        count++;
        end = (end + record) | 0;
      } while (end + record <= limit && count < most && headers[end >> 2] === size);
    }
    this.#count = count;
    this.#end = end;
    this.#longest = found;
    return end - start;
  }

  /** @internal Where the record of a message starts; of the one behind the last, where it would. */
  recordAt(index: number): number {
    return index < this.#count ? (this.starts[index] as number) - HEADER : this.#end;
  }

  /** @internal The first message from `from` on whose record does not end at or before a byte. */
  firstBehind(from: number, limit: number): number {
    if (this.#end <= limit) return this.#count;
    let low = from;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.recordAt(middle + 1) <= limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** @internal Copies records out. */
  copyRun(start: number, end: number, to: Uint8Array<ArrayBuffer>, toLongs: BigInt64Array<ArrayBuffer>, at: number): void {
    if (end - start <= LOOP_BYTES) copyLongs(this.longs, start >> 3, toLongs, at >> 3, (end - start) >> 3);
    else to.set(this.#part(start, end), at);
  }

  /** The same part again and again, as when a batch is sent whole, is made once: that takes as long as the copy. */
  #part(start: number, end: number): Uint8Array {
    const part = this.#lastPart;
    if (part.byteOffset === start && part.length === end - start) return part;
    this.#lastPart = this.data.subarray(start, end);
    return this.#lastPart;
  }

  /** One message, in place: its bytes change when the batch is used again. */
  at(index: number): Uint8Array<ArrayBuffer> {
    if (!Number.isInteger(index) || index < 0 || index >= this.#count) {
      throw invalid('batch.at', `index must be a whole number below ${this.#count}, not ${show(index)}`);
    }
    const start = this.starts[index] ?? 0;
    return this.data.subarray(start, start + (this.lengths[index] ?? 0));
  }

  *[Symbol.iterator](): IterableIterator<Uint8Array<ArrayBuffer>> {
    for (let index = 0; index < this.#count; index++) yield this.at(index);
  }
}

function invalid(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule });
}
