/**
 * The layout of the map that the eBPF program fills: what layout.h says, for TypeScript. A test compares
 * the two. Offsets and sizes in bytes, numbers in the machine's own order.
 */

/** The map's name in the eBPF program, and among the descriptors that the loader hands over. */
export const MAP_NAME = 'processes';

export const TABLE_MAGIC = 0x5045_5453; // "STEP"
export const TABLE_VERSION = 1;
export const ENTRIES = 4096;
export const NAME_LENGTH = 16;

export const HEADER_SIZE = 128;
export const ENTRY_SIZE = 128;
export const TABLE_SIZE = HEADER_SIZE + ENTRIES * ENTRY_SIZE;

/** The header: 32-bit words, but for the last. */
export const HeaderAt = {
  /** {@link TABLE_MAGIC}, from the first event on. */
  magic: 0,
  version: 4,
  entries: 8,
  entrySize: 12,
  /** 64 bits: entries that were taken from processes not known to have ended. */
  givenAway: 16,
} as const;

/** An entry. */
export const EntryAt = {
  /** 64 bits each. Writers add one to `entered` before they change the entry, to `left` afterwards. */
  entered: 0,
  left: 8,
  /** 32 bits; 0 in an entry that was never used. */
  processId: 16,
  /** 32 bits, an {@link EntryState}. */
  state: 20,
  /** 64 bits, as those that follow: when counting began, in nanoseconds of CLOCK_MONOTONIC. */
  since: 24,
  /** {@link NAME_LENGTH} bytes. */
  name: 32,
  calls: 48,
  switches: 56,
  /** Nanoseconds on processors. */
  ran: 64,
  /** The last event: its time, the number of the last system call, the processor. */
  last: 72,
  lastCall: 80,
  lastProcessor: 84,
} as const;

export const EntryState = { free: 0, running: 1, ended: 2 } as const;
export type EntryState = (typeof EntryState)[keyof typeof EntryState];
