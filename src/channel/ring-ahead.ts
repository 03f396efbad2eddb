/**
 * Records of a ring that were copied before they are received. From where a producer wrote them, the processor brings many at once
 * sooner than each for itself; and here nobody changes them. They count as not received: their room is given back one by one.
 */
import { copyLongs, LOOP_BYTES } from './copy.js';
import { RECORD_HEADER, recordOf } from './ring-layout.js';

/** Bytes that are copied at a time. */
const PIECE = 4096;

export class ReadAhead {
  #bytes = new Uint8Array(0);
  #longs = new BigInt64Array(0);
  #headers = new Int32Array(0);
  /** The position of the first of so many bytes. */
  #start = 0;
  #length = 0;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  get longs(): BigInt64Array<ArrayBuffer> {
    return this.#longs;
  }

  /** Where the payload of the record at a position stands in {@link bytes}; −1: not here. */
  find(position: number): number {
    const at = (position - this.#start) | 0;
    if (at < 0 || at >= this.#length) return -1;
    const length = this.#headers[at >> 2] as number;
    return length >= 0 && length <= LOOP_BYTES && at + recordOf(length) <= this.#length ? at + RECORD_HEADER : -1;
  }

  /** The length of a payload that was found, at most LOOP_BYTES. */
  lengthOf(at: number): number {
    return this.#headers[(at - RECORD_HEADER) >> 2] as number;
  }

  /** Copies some of what stands at a byte of the data, which has a position. */
  fetch(
    data: Uint8Array<ArrayBuffer>,
    longs: BigInt64Array<ArrayBuffer>,
    from: number,
    available: number,
    position: number,
  ): void {
    if (this.#bytes.length === 0) {
      const buffer = new ArrayBuffer(PIECE);
      this.#bytes = new Uint8Array(buffer);
      this.#longs = new BigInt64Array(buffer);
      this.#headers = new Int32Array(buffer);
    }
    const length = Math.min(available, PIECE);
    if (length <= LOOP_BYTES) copyLongs(longs, from >> 3, this.#longs, 0, length >> 3);
    else this.#bytes.set(data.subarray(from, from + length));
    this.#start = position;
    this.#length = length;
  }

  /** Messages are received in another way next: positions come again after 2^32 bytes. */
  forget(): void {
    this.#length = 0;
  }
}
