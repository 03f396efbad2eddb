/**
 * The shared values, made by "sectile driver init". layout.h says the same for C: make both anew rather than change one.
 * Whoever holds another layout is told so by layoutId.
 */

/** The name of the driver; its sections' names start with it. */
export const driverName = 'SectileWdm';

export const layoutId = 0x5430f2d1;

/** Written by the driver: where each value stands, in bytes. */
export const sampleLayout = {
  /** Counts samples, from 1. */
  number: { at: 0, type: 'u64' },
  /** 100 ns since the machine started. */
  time: { at: 8, type: 'u64' },
  /** The last request that the driver looked at. */
  request: { at: 16, type: 'u32' },
  /** What it made of it: an NTSTATUS. */
  status: { at: 20, type: 'u32' },
  /** Ms between samples. */
  interval: { at: 24, type: 'u32' },
  /** Locks that were taken from whoever kept them. */
  leases: { at: 28, type: 'u32' },
  wallClock: { at: 32, type: 'u64' },
  processors: { at: 40, type: 'u32' },
  tally: { at: 48, type: 'u64', length: 8 },
} as const;
export const sampleBytes = 112;

/** Written by applications, under the lock. */
export const controlsLayout = {
  /** One more than before says: look at these values. */
  request: { at: 0, type: 'u32' },
  slot: { at: 4, type: 'u32' },
  amount: { at: 8, type: 'u64' },
} as const;
export const controlsBytes = 16;
