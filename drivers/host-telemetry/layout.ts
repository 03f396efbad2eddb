/**
 * What driver and application agree on: the names of the three sections, and where each value stands
 * in them. Values only; both sides read this one table.
 *
 *   SectileHostTelemetry                  Everyone reads: header, state of the transfer, one sample
 *   SectileHostTelemetryBulk              Everyone reads: 64 MiB, a ring of chunks of a file
 *   SectileHostTelemetryAcknowledgements  Everyone reads and writes: requests and acknowledgements
 *
 * All numbers are little-endian. A 32-bit number that changes is read and written with Atomics.
 */

/** For a driver each is `\BaseNamedObjects\…`, for an application `Global\…`. */
export const SectionNames = {
  telemetry: 'SectileHostTelemetry',
  bulk: 'SectileHostTelemetryBulk',
  acknowledgements: 'SectileHostTelemetryAcknowledgements',
} as const;

/** Who may do what. Nobody is granted writing to the first, so the system seals it: not even root writes. */
export const Security = {
  read: 'D:(A;;GR;;;WD)',
  readWrite: 'D:(A;;GRGW;;;WD)',
} as const;

export const MAGIC = 0x5448_4353; // "SCHT"
export const LAYOUT_VERSION = 1;

const KIB = 1024;

/** As many processors as a sample has room for. */
export const MAXIMUM_CORES = 1000;

/** Samples per second at most. */
export const MAXIMUM_RATE = 1000;

export const TELEMETRY_BYTES = 20 * KIB;
export const ACKNOWLEDGEMENT_BYTES = 4 * KIB;
export const CHUNK_BYTES = 1024 * KIB;
export const CHUNK_SLOTS = 64;
export const BULK_BYTES = CHUNK_SLOTS * CHUNK_BYTES;

/* ------------------------------------------------------- telemetry section: page 0, header ---- */

/** 32-bit words of the telemetry section, by index. */
export const Word = {
  /** {@link MAGIC}. Written last, so whoever sees it sees a complete header. */
  magic: 0,
  layoutVersion: 1,
  /** Odd while the driver writes the sample. */
  sequence: 2,
  /** A {@link DriverState}. */
  driverState: 3,
  /** Samples per second; 0 for as many as it can. */
  rate: 4,
  /** Processors in the sample. */
  cores: 5,
  /** The driver's handle of this very section: in an application it means nothing. */
  kernelHandle: 6,
  /** The system process. */
  processId: 7,
  /** The base address of the driver's view of this section, low and high half: means nothing either. */
  baseAddressLow: 8,
  baseAddressHigh: 9,
  /** How often the acknowledgements held something that cannot be. */
  nonsense: 10,

  /** Number of the last request that was taken up, 0 for none. Written before {@link transferState}. */
  request: 16,
  /** A {@link TransferState}. Written after everything that it promises. */
  transferState: 17,
  /** A {@link TransferFailure}, valid in state `failed`. */
  transferFailure: 18,
  /** Chunks that are in the ring or were; chunk N lies in slot N modulo {@link CHUNK_SLOTS}. */
  produced: 19,
  /** Chunks that the driver knows to be acknowledged: their slots may be filled again. */
  acknowledged: 20,
  /** Bytes in one chunk (the last may be shorter), and how many the ring holds. */
  chunkBytes: 21,
  chunkSlots: 22,
  /** The file's bytes, low and high half. */
  fileBytesLow: 23,
  fileBytesHigh: 24,
  /** SHA-256 of the file as the driver computed it, eight words; valid in `sent` and `complete`. */
  digest: 32,
} as const;

export const DIGEST_BYTES = 32;

export const DriverState = { starting: 0, running: 1, stopped: 2 } as const;
export type DriverState = (typeof DriverState)[keyof typeof DriverState];

export const TransferState = {
  /** Nothing was asked for yet. */
  idle: 0,
  /** A request was taken up; the file is being opened. */
  preparing: 1,
  /** Chunks come. */
  streaming: 2,
  /** All chunks are out, and so is the digest; the last acknowledgements are awaited. */
  sent: 3,
  /** Everything was acknowledged. */
  complete: 4,
  failed: 5,
} as const;
export type TransferState = (typeof TransferState)[keyof typeof TransferState];

export const TransferFailure = {
  none: 0,
  /** The driver was loaded without the parameter `File`. */
  noFile: 1,
  /** The file cannot be opened or read, or is no regular file. */
  unreadable: 2,
  /** Its size or its time of change is not what it was at the start. */
  fileChanged: 3,
  /** No acknowledgement came for too long. */
  timedOut: 4,
  /** The application gave up. */
  cancelled: 5,
  /** The driver was unloaded. */
  unloaded: 6,
} as const;
export type TransferFailure = (typeof TransferFailure)[keyof typeof TransferFailure];

/* ------------------------------------------------------- telemetry section: page 1, sample ---- */

/** Where the sample starts, in bytes. Every value in it is a Float64. */
export const SAMPLE_OFFSET = 4 * KIB;

/**
 * The values of a sample in their order, with their units. Counters count since the machine started;
 * a rate is the difference of two samples by that of their `time`. NaN: this machine does not say.
 */
const sampleFields = {
  sampleNumber: 'counts from 1',
  time: 'milliseconds since 1970',
  uptime: 'seconds',
  load1: 'processes that run or want to, mean of a minute',
  load5: 'the same, of 5 minutes',
  load15: 'the same, of 15 minutes',
  processorUser: 'seconds, all processors together',
  processorSystem: 'seconds, with interrupts',
  processorIdle: 'seconds',
  processorWaiting: 'seconds idle while a disk was awaited',
  processorStolen: 'seconds taken by the hypervisor',
  contextSwitches: 'count',
  processesStarted: 'count',
  processesRunning: 'at this moment',
  memoryTotal: 'bytes',
  memoryFree: 'bytes',
  memoryAvailable: 'bytes that programs could have',
  memoryCached: 'bytes of files',
  memoryShared: 'bytes of shared memory',
  swapTotal: 'bytes',
  swapFree: 'bytes',
  diskReads: 'count, all disks together',
  diskReadBytes: 'bytes',
  diskWrites: 'count',
  diskWrittenBytes: 'bytes',
  diskBusy: 'seconds, the sum over all disks',
  networkReceivedBytes: 'bytes, all interfaces but loopback',
  networkReceivedPackets: 'count',
  networkSentBytes: 'bytes',
  networkSentPackets: 'count',
} as const;

export type SampleField = keyof typeof sampleFields;

export const sampleUnits: Readonly<Record<SampleField, string>> = sampleFields;

const fieldNames = Object.keys(sampleFields) as SampleField[];

/** Index of each value in a sample. */
export const At = Object.fromEntries(fieldNames.map((name, index) => [name, index])) as Readonly<Record<SampleField, number>>;

/** Behind the values: for each processor its busy and its whole time, in seconds. */
export const CORES_AT = fieldNames.length;
export const busyAt = (core: number): number => CORES_AT + 2 * core;
export const wholeAt = (core: number): number => CORES_AT + 2 * core + 1;

/** Behind the processors `sampleNumber` again: in a sample that is whole both are the same. */
export const closingNumberAt = (cores: number): number => CORES_AT + 2 * cores;

/** How many values a sample of a machine with so many processors has. */
export const sampleLength = (cores: number): number => closingNumberAt(cores) + 1;

/* ------------------------------------------------------------- acknowledgement section ---- */

/** 32-bit words of the acknowledgement section, by index. The application writes, the driver distrusts. */
export const AcknowledgementWord = {
  /** One more than {@link Word.request} asks for the file. */
  request: 0,
  /** The number of a request that shall end. */
  cancel: 1,
} as const;

/**
 * The one 64-bit word there (index in 64-bit words): chunks received, with the number of the request
 * in its upper half, so that a word left over from another request means nothing.
 */
export const ACKNOWLEDGED_AT = 1;

export const acknowledgementOf = (request: number, chunks: number): bigint => (BigInt(request) << 32n) | BigInt(chunks);
