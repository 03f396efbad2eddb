/**
 * What protocol.h says, for TypeScript: the names of the two sections, and where header and lock stand in them.
 *
 *   Global\…Sample    applications read   a header, and one sample under a sequence lock
 *   Global\…Controls  applications write  a lock word, and the values that they set under it
 */
import { controlsBytes, driverName, sampleBytes } from './layout.ts';

/** For a driver each is `\BaseNamedObjects\…`, for an application `Global\…`. */
export const SectionNames = { sample: `${driverName}Sample`, controls: `${driverName}Controls` } as const;

/** 32-bit words at the start of the sample's section, by index. */
export const SampleWord = {
  /** {@link MAGIC}, written last: whoever sees it sees a whole header. */
  magic: 0,
  layoutId: 1,
  sampleBytes: 2,
  controlsBytes: 3,
  /** Odd while the driver writes the sample. */
  sequence: 4,
  /** A {@link DriverState}. */
  state: 5,
} as const;

/** 32-bit words at the start of the controls' section. */
export const LockWord = {
  /** 0: free. Else the number of whoever has the lock. */
  owner: 0,
  /** Counts how often it was taken. */
  turn: 1,
} as const;

/** Where the records start, in bytes. */
export const RECORD_AT = 64;

export const SAMPLE_SECTION_BYTES = RECORD_AT + sampleBytes;
export const CONTROLS_SECTION_BYTES = RECORD_AT + controlsBytes;

export const MAGIC = 0x4d445753;

export const DriverState = { starting: 0, running: 1, stopped: 2 } as const;

/** The number by which the driver takes the lock: -1 as a 32-bit number. */
export const DRIVER_TOKEN = -1;

/** Whoever keeps one turn of the lock for longer loses it to the driver. */
export const LOCK_LEASE_MS = 250;

export const DEFAULT_INTERVAL_MS = 20;
