/**
 * Records of a ring that were copied before they are received. From where a producer wrote them, the processor brings many at once
 * sooner than each for itself; and here nobody changes them. They count as not received: their room is given back one by one.
 */
import { copyLongs, LOOP_BYTES } from './copy.js';
import { RECORD_HEADER, recordOf } from './ring-layout.js';

/** Bytes that are copied at a time. */
const PIECE = 4096;

export class ReadAhead {
  bytes = new Uint8Array(0);
  longs = new BigInt64Array(0);
  #headers = new Int32Array(0);
  /** Where the next record stands, of so many bytes. */
  #at = 0;
  #end = 0;

  /** The length of the next message, 0 to LOOP_BYTES; −1: it is not here. */
  nextLength(): number {
    const at = this.#at;
    if (at >= this.#end) return -1;
    const length = this.#headers[at >> 2] as number;
    return length >= 0 && length <= LOOP_BYTES && at + recordOf(length) <= this.#end ? length : -1;
  }

  /** Where the next message stands, in {@link bytes}. */
  get nextAt(): number {
    return this.#at + RECORD_HEADER;
  }

  /** Goes on behind a record of so many bytes. */
  pass(record: number): void {
    this.#at += record;
  }

  /** Copies some of what stands at a byte of the data. */
  fetch(data: Uint8Array<ArrayBuffer>, longs: BigInt64Array<ArrayBuffer>, from: number, available: number): void {
    if (this.bytes.length === 0) {
      const buffer = new ArrayBuffer(PIECE);
      this.bytes = new Uint8Array(buffer);
      this.longs = new BigInt64Array(buffer);
      this.#headers = new Int32Array(buffer);
    }
    const length = Math.min(available, PIECE);
    if (length <= LOOP_BYTES) copyLongs(longs, from >> 3, this.longs, 0, length >> 3);
    else this.bytes.set(data.subarray(from, from + length));
    this.#at = 0;
    this.#end = length;
  }

  /** Messages are received in another way next. */
  forget(): void {
    this.#end = 0;
  }
}
