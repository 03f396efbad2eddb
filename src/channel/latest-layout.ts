/**
 * Where the words of a Latest stand, and whether a header's parameters can be. docs/channel-layout.md says what they mean.
 */
import { byteCount } from '../base/checks.js';
import { type ChannelFacts, type ChannelHeader, damaged } from './header.js';
import { NEVER_WAKES } from './one-writer.js';

/** Where the facts of the slots start, and bytes from one's to the next's. */
const FACTS = 192;
const FACTS_STRIDE = 64;

/** Words of a slot's facts, by index. */
export const SlotWord = { begun: 0, numberHigh: 1, length: 2 } as const;

/** Index of the first word of a slot's facts. */
export const factsAt = (slot: number): number => (FACTS + slot * FACTS_STRIDE) / 4;

const MOST_BYTES = 2 ** 30;
const MOST_SLOTS = 64;
const DEFAULT_SLOTS = 4;
const LINE = 64;

/** The header for a new Latest; the slots are checked as users pass them. */
export function latestFacts(operation: string, size: unknown, slots: unknown, wakes: boolean): ChannelFacts {
  const capacity = byteCount(operation, 'size', size, { minimum: 1, maximum: MOST_BYTES });
  const count = byteCount(operation, 'slots', slots ?? DEFAULT_SLOTS, { minimum: 2, maximum: MOST_SLOTS });
  // A power of two, so that numbers find their slots by their low halves alone.
  const rounded = 2 ** Math.ceil(Math.log2(count));
  const stride = Math.ceil(capacity / LINE) * LINE;
  const data = FACTS + rounded * FACTS_STRIDE;
  return {
    kind: 'latest',
    flags: wakes ? 0 : NEVER_WAKES,
    size: data + rounded * stride,
    data,
    parameters: [capacity, rounded, stride, 0],
  };
}

export function checkLatest(operation: string, object: string, header: ChannelHeader): void {
  const [capacity, slots, stride] = header.parameters;
  const { data, size } = header;
  const isPossible =
    capacity >= 1 &&
    capacity <= MOST_BYTES &&
    slots >= 2 &&
    slots <= MOST_SLOTS &&
    (slots & (slots - 1)) === 0 &&
    stride % LINE === 0 &&
    stride >= capacity &&
    data >= FACTS + slots * FACTS_STRIDE &&
    data % LINE === 0 &&
    data + slots * stride <= size;
  if (!isPossible)
    throw damaged(operation, object, `its header speaks of ${slots} slots of ${stride} bytes for ${capacity} each`);
}
