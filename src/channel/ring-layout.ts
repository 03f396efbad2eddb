/**
 * Where a ring's words stand, and the memory of one ring as this process reads it. Holds no positions: those are the
 * producer's and the consumer's own. The layout is docs/channel-layout.md.
 */
import { byteCount } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { View } from '../memory/view.js';
import { APART, damaged, formatChannel, HEADER_BYTES, type Place, readHeader } from './header.js';

/** Bytes from the ring's start. */
const At = {
  consumer: HEADER_BYTES,
  tail: 2 * APART,
  producerEnded: 2 * APART + 4,
  head: 3 * APART,
  consumerEnded: 3 * APART + 4,
  consumerSleeps: 4 * APART,
  producerSleeps: 5 * APART,
  mutex: 6 * APART,
  producers: 7 * APART,
} as const;

/** Producers at a time, where there may be several. */
export const MAXIMUM_PRODUCERS = 64;

/** Where the data of a new ring starts. */
export const RING_DATA = At.producers + 8 * MAXIMUM_PRODUCERS + APART;

/** Where the two sleep words and the mutex stand, in bytes from the ring's start. */
export const RingAt = At;

/** Indexes of the 32-bit words. */
export const Word = {
  tail: At.tail / 4,
  producerEnded: At.producerEnded / 4,
  head: At.head / 4,
  consumerEnded: At.consumerEnded / 4,
  consumerSleeps: At.consumerSleeps / 4,
  producerSleeps: At.producerSleeps / 4,
  mutex: At.mutex / 4,
} as const;

/** Indexes of the 64-bit words. */
export const Long = { consumer: At.consumer / 8, mutex: At.mutex / 8, producers: At.producers / 8 } as const;

/** What a sleep word says. Several producers who only wait for room need not be woken whenever the lock is free. */
export const Sleeps = { nobody: 0, somebody: 1, forRoom: 2 } as const;

/** How a side has ended that gave its role back. */
export const Ended = { not: 0, closed: 1, brokenOff: 2 } as const;

export const RECORD_HEADER = 8;

/** Bytes of a record with a message of so many: a header, the message, and up to 7 more. */
export const recordOf = (length: number): number => (length + 15) & ~7;

/** The length of a record that only fills the rest of the data. */
export const PAD = -1;

const MANY_PRODUCERS = 1;

const MINIMUM_CAPACITY = 1024;
const MAXIMUM_CAPACITY = 2 ** 30;

export type Producers = 'one' | 'many';

/**
 * The capacity for what a user asks for: the next power of two.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
 */
export function ringCapacity(operation: string, wanted: unknown): number {
  const bytes = byteCount(operation, 'capacity', wanted, { minimum: 1, maximum: MAXIMUM_CAPACITY });
  return Math.max(MINIMUM_CAPACITY, 2 ** Math.ceil(Math.log2(bytes)));
}

/**
 * Makes a ring in a part of a view, as large as it has room for. What stood there is lost.
 *
 * @throws SectionError ERR_SECTION_OUT_OF_RANGE
 */
export function formatRing(operation: string, place: Place, producers: Producers): void {
  const room = place.length - RING_DATA;
  const capacity = Math.min(MAXIMUM_CAPACITY, 2 ** Math.floor(Math.log2(Math.max(room, 1))));
  if (room < MINIMUM_CAPACITY) {
    throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
      operation,
      rule: `a ring takes ${RING_DATA} bytes and its capacity, which is at least ${MINIMUM_CAPACITY}; there are ${place.length}`,
    });
  }
  formatChannel(place, {
    kind: 'ring',
    flags: producers === 'many' ? MANY_PRODUCERS : 0,
    size: RING_DATA + capacity,
    data: RING_DATA,
    parameters: [capacity, 0, 0, 0],
  });
}

/** Makes the error of a side that has found something that cannot be, and notes that it has. */
export type Damaged = (operation: string, rule: string) => SectionError;

/** The memory of one ring. */
export class RingMemory {
  readonly view: View;
  /** The ring's first byte in the view. */
  readonly start: number;
  /** As messages name it. */
  readonly object: string;
  readonly id: bigint;
  readonly home: number;
  readonly many: boolean;
  readonly capacity: number;
  /** The longest message, in bytes. */
  readonly maximum: number;
  /** Everything before the data, as 32-bit words and as 64-bit words. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly roles: BigUint64Array<ArrayBuffer>;
  /** The data, as bytes, as the lengths of records and as 64-bit words to copy by. */
  readonly data: Uint8Array<ArrayBuffer>;
  readonly lengths: Int32Array<ArrayBuffer>;
  readonly longs: BigInt64Array<ArrayBuffer>;

  /** @throws SectionError ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_CHANNEL_DAMAGED */
  constructor(operation: string, object: string, place: Place) {
    const { view, buffer, start } = place;
    const { size, data, flags, parameters, home, id } = readHeader(operation, object, place, 'ring');
    const [capacity] = parameters;
    const power = capacity >= MINIMUM_CAPACITY && capacity <= MAXIMUM_CAPACITY && (capacity & (capacity - 1)) === 0;
    if (!power || data < At.producers + 8 * MAXIMUM_PRODUCERS || size - data < capacity) {
      throw damaged(operation, object, `its header speaks of a capacity of ${capacity} bytes from ${data}, in ${size}`);
    }
    this.view = view;
    this.start = start;
    this.object = object;
    this.id = id;
    this.home = home;
    this.many = (flags & MANY_PRODUCERS) !== 0;
    this.capacity = capacity;
    this.maximum = capacity / 2 - RECORD_HEADER;
    this.words = new Int32Array(buffer, start, data / 4);
    this.roles = new BigUint64Array(buffer, start, data / 8);
    this.data = new Uint8Array(buffer, start + data, capacity);
    this.lengths = new Int32Array(buffer, start + data, capacity / 4);
    this.longs = new BigInt64Array(buffer, start + data, capacity / 8);
  }

  /** Both positions, where a side begins that others may have left. @param damaged What to throw where they cannot be. */
  positions(operation: string, damaged: Damaged): { readonly tail: number; readonly head: number } {
    const tail = Atomics.load(this.words, Word.tail);
    const head = Atomics.load(this.words, Word.head);
    const used = (tail - head) | 0;
    if (used < 0 || used > this.capacity || ((tail | head) & 7) !== 0) {
      throw damaged(operation, `its positions are ${tail >>> 0} and ${head >>> 0} of ${this.capacity}`);
    }
    return { tail, head };
  }
}
