/**
 * Where the words of a Broadcast stand, and whether a header's parameters can be. docs/channel-layout.md says what they mean.
 */
import { byteCount } from '../base/checks.js';
import { type ChannelFacts, type ChannelHeader, damaged } from './header.js';
import { NEVER_WAKES } from './one-writer.js';

const STATES = 192;
const STATE_BYTES = 64;
const STATE_COUNT = 4;
const DATA = STATES + STATE_COUNT * STATE_BYTES + 64;

/** Words of a state, by index: 64-bit numbers, low half first, all but the first. */
export const StateWord = {
  begun: 0,
  tail: 2,
  tailNumber: 4,
  tailBytes: 6,
  head: 8,
  headNumber: 10,
  headBytes: 12,
} as const;

/** Index of the first word of the block that a state stands in. */
export const stateAt = (number: number): number => (STATES + (number & (STATE_COUNT - 1)) * STATE_BYTES) / 4;

/** Bytes before a message: its length, and the low half of its number. */
export const MESSAGE_HEADER = 8;

/** In place of a length: the next message is at the log's start. */
export const GAP = -1;

const LEAST = 64;
const MOST = 2 ** 30;

/** Bytes that a message takes in the log. */
export const recordBytes = (length: number): number => MESSAGE_HEADER + Math.ceil(length / 8) * 8;

/** Bytes of the longest message. */
export const longestMessage = (capacity: number): number => capacity / 2 - MESSAGE_HEADER;

/** The header for a new Broadcast; the capacity is checked as users pass it. */
export function broadcastFacts(operation: string, capacity: unknown, wakes: boolean): ChannelFacts {
  const wanted = byteCount(operation, 'capacity', capacity, { minimum: LEAST, maximum: MOST });
  // A power of two, so that positions and numbers of states may grow for ever.
  const bytes = 2 ** Math.ceil(Math.log2(wanted));
  return {
    kind: 'broadcast',
    flags: wakes ? 0 : NEVER_WAKES,
    size: DATA + bytes,
    data: DATA,
    parameters: [bytes, 0, 0, 0],
  };
}

export function checkBroadcast(operation: string, object: string, header: ChannelHeader): void {
  const { data, size } = header;
  const [capacity] = header.parameters;
  const isPossible =
    capacity >= LEAST &&
    capacity <= MOST &&
    (capacity & (capacity - 1)) === 0 &&
    data >= DATA &&
    data % 64 === 0 &&
    data + capacity <= size;
  if (!isPossible) throw damaged(operation, object, `its header speaks of a log of ${capacity} bytes`);
}
