/**
 * The application's side of the bulk section: asks the driver for its file, takes it chunk by chunk,
 * and compares what it has hashed with what the driver has. It never blocks the event loop for longer
 * than one chunk takes to hash.
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { Section, type View } from 'sectile';
import {
  ACKNOWLEDGED_AT,
  ACKNOWLEDGEMENT_BYTES,
  AcknowledgementWord,
  acknowledgementOf,
  BULK_BYTES,
  CHUNK_BYTES,
  CHUNK_SLOTS,
  DIGEST_BYTES,
  DriverState,
  LAYOUT_VERSION,
  MAGIC,
  SectionNames,
  TELEMETRY_BYTES,
  TransferFailure,
  TransferState,
  Word,
} from './layout.ts';

export interface ReceiveOptions {
  /** Called after each chunk. */
  readonly onProgress?: (bytes: number, total: number) => void;
  /** Gets each chunk in place, without a copy: its bytes are valid until the call returns. */
  readonly onChunk?: (bytes: Uint8Array, offset: number) => void;
  readonly signal?: AbortSignal;
  /** The most bytes to take. Default 2^40: a driver that sends without end is not followed for ever. */
  readonly maximumBytes?: number;
  /** Milliseconds to wait for the driver, or for another application's transfer to end. Default 15,000. */
  readonly patience?: number;
}

export interface Received {
  readonly bytes: number;
  readonly chunks: number;
  /** SHA-256 as hexadecimal digits: what arrived, and what the driver says it has sent. */
  readonly digest: string;
  readonly driverDigest: string;
  readonly milliseconds: number;
}

/** Why no file arrived. */
export type ReceiveFailure =
  | Exclude<keyof typeof TransferFailure, 'none'>
  | 'busy'
  | 'noAnswer'
  | 'overtaken'
  | 'differs'
  | 'otherLayout'
  | 'tooLarge';

const explanations: Readonly<Record<ReceiveFailure, string>> = {
  noFile: 'the driver was loaded without the parameter File',
  unreadable: 'the driver cannot read its file, or it is no regular file',
  fileChanged: 'the file changed while it was sent: ask again',
  timedOut: 'the driver has waited too long for acknowledgements: ask again',
  cancelled: 'the transfer was cancelled',
  unloaded: 'the driver is unloaded',
  busy: 'another application is receiving, and does not come to an end',
  noAnswer: 'the driver does not answer',
  overtaken: 'somebody else acknowledged in our name, and a chunk was overwritten: ask again',
  otherLayout: 'the sections are not laid out as this application knows it: load the driver that it comes with',
  tooLarge: 'the file has more bytes than were asked for, or fewer than none',
  differs: 'what arrived is not what the driver says it has sent: ask again',
};

export class ReceiveError extends Error {
  readonly failure: ReceiveFailure;

  constructor(failure: ReceiveFailure) {
    super(`receive the file: ${explanations[failure]}`);
    this.failure = failure;
  }
}

const DEFAULT_PATIENCE = 15_000;
const DEFAULT_MAXIMUM = 2 ** 40;
/** Turns of the event loop before it is left to sleep for a millisecond at a time. */
const EAGER_TURNS = 64;

const failureNames = Object.fromEntries(Object.entries(TransferFailure).map(([name, value]) => [value, name])) as Record<
  number,
  keyof typeof TransferFailure
>;

/**
 * Receives the driver's file.
 *
 * @throws ReceiveError; SectionError when the driver is not loaded; the signal's reason when aborted
 */
export async function receiveFile(options: ReceiveOptions = {}): Promise<Received> {
  options.signal?.throwIfAborted();
  const opened: (Section | View)[] = [];
  const map = (name: string, bytes: number, access: 'read' | 'readwrite'): View => {
    const section = Section.open(`Global\\${name}`, { access });
    opened.unshift(section);
    const view = section.map({ access });
    opened.unshift(view);
    if (view.length < bytes) throw new ReceiveError('otherLayout');
    return view;
  };
  try {
    const telemetry = map(SectionNames.telemetry, TELEMETRY_BYTES, 'read');
    const bulk = map(SectionNames.bulk, BULK_BYTES, 'read');
    const acknowledgements = map(SectionNames.acknowledgements, ACKNOWLEDGEMENT_BYTES, 'readwrite');
    return await new Reception(telemetry, bulk, acknowledgements, options).run();
  } finally {
    for (const each of opened) each.close();
  }
}

class Reception {
  readonly #words: Int32Array;
  readonly #telemetry: Uint8Array;
  readonly #ring: Uint8Array;
  readonly #requests: Uint32Array;
  readonly #acknowledged: BigUint64Array;
  readonly #options: ReceiveOptions;
  #request = 0;
  #chunks = 0;

  constructor(telemetry: View, bulk: View, acknowledgements: View, options: ReceiveOptions) {
    this.#words = telemetry.as(Int32Array);
    this.#telemetry = telemetry.bytes;
    this.#ring = bulk.bytes;
    this.#requests = acknowledgements.as(Uint32Array);
    this.#acknowledged = acknowledgements.as(BigUint64Array);
    this.#options = options;
  }

  async run(): Promise<Received> {
    const started = performance.now();
    if (Atomics.load(this.#words, Word.magic) !== MAGIC || this.#words[Word.layoutVersion] !== LAYOUT_VERSION)
      throw new ReceiveError('otherLayout');
    this.#request = await this.#ask();
    try {
      const { bytes, digest } = await this.#receive();
      await this.#wait('noAnswer', () => this.#state === TransferState.complete);
      const driverDigest = Buffer.from(this.#telemetry.subarray(Word.digest * 4, Word.digest * 4 + DIGEST_BYTES)).toString('hex');
      if (digest !== driverDigest) throw new ReceiveError('differs');
      return { bytes, chunks: this.#chunks, digest, driverDigest, milliseconds: performance.now() - started };
    } catch (error) {
      // Whatever it was, the driver need not wait for us.
      Atomics.store(this.#requests, AcknowledgementWord.cancel, this.#request);
      throw error;
    }
  }

  /**
   * One transfer at a time: whoever writes the next request first has it. (Where nonsense overwrites
   * requests, two may believe that; the slower one then finds itself overtaken.)
   */
  async #ask(): Promise<number> {
    let request = 0;
    const write = (): boolean => {
      const last = Atomics.load(this.#words, Word.request) >>> 0;
      const { idle, complete, failed } = TransferState;
      if (![idle, complete, failed].some((each) => each === this.#state)) return false;
      request = (last + 1) >>> 0;
      return Atomics.compareExchange(this.#requests, AcknowledgementWord.request, last, request) === last;
    };
    const isTakenUp = (): boolean => Atomics.load(this.#words, Word.request) >>> 0 === request;
    await this.#wait('busy', write);
    await this.#wait('noAnswer', () => {
      if (isTakenUp()) return this.#state !== TransferState.preparing;
      // The driver has put back what it knew: somebody has written over our request before it was seen.
      if (Atomics.load(this.#requests, AcknowledgementWord.request) !== request) write();
      return false;
    });
    return request;
  }

  async #receive(): Promise<{ bytes: number; digest: string }> {
    const { onChunk, onProgress, maximumBytes = DEFAULT_MAXIMUM } = this.#options;
    const words = this.#words;
    // Each is looked at once, and is what the layout allows or is not used.
    const total = (words[Word.fileBytesHigh] as number) * 2 ** 32 + ((words[Word.fileBytesLow] as number) >>> 0);
    if (words[Word.chunkBytes] !== CHUNK_BYTES || words[Word.chunkSlots] !== CHUNK_SLOTS) throw new ReceiveError('otherLayout');
    if (total < 0 || total > maximumBytes) throw new ReceiveError('tooLarge');
    const hash = createHash('sha256');
    for (let offset = 0; offset < total; offset += CHUNK_BYTES) {
      await this.#wait('noAnswer', () => Atomics.load(words, Word.produced) > this.#chunks);
      const start = (this.#chunks % CHUNK_SLOTS) * CHUNK_BYTES;
      const bytes = this.#ring.subarray(start, start + Math.min(CHUNK_BYTES, total - offset));
      hash.update(bytes);
      onChunk?.(bytes, offset);
      // Everyone may write acknowledgements. If ours were forged, the driver has filled this slot again.
      if (Atomics.load(words, Word.acknowledged) > this.#chunks) throw new ReceiveError('overtaken');
      this.#chunks++;
      this.#acknowledge();
      onProgress?.(offset + bytes.length, total);
      await turn();
    }
    return { bytes: total, digest: hash.digest('hex') };
  }

  #acknowledge(): void {
    const ours = acknowledgementOf(this.#request, this.#chunks);
    if (Atomics.load(this.#acknowledged, ACKNOWLEDGED_AT) !== ours) Atomics.store(this.#acknowledged, ACKNOWLEDGED_AT, ours);
  }

  get #state(): TransferState {
    return Atomics.load(this.#words, Word.transferState) as TransferState;
  }

  async #wait(whenTooLong: ReceiveFailure, isSo: () => boolean): Promise<void> {
    const { signal, patience = DEFAULT_PATIENCE } = this.#options;
    const end = performance.now() + patience;
    for (let turns = 0; ; turns++) {
      signal?.throwIfAborted();
      this.#mustGoOn();
      if (isSo()) return;
      if (performance.now() > end) throw new ReceiveError(whenTooLong);
      // Somebody may have written over it, and the driver then put back what it knew before.
      if (this.#request !== 0) this.#acknowledge();
      await (turns < EAGER_TURNS ? turn() : pause(1));
    }
  }

  #mustGoOn(): void {
    if (Atomics.load(this.#words, Word.driverState) === DriverState.stopped) throw new ReceiveError('unloaded');
    if (this.#request === 0) return;
    // Another request is under way: ours was ended.
    if (Atomics.load(this.#words, Word.request) >>> 0 !== this.#request) throw new ReceiveError('timedOut');
    if (this.#state !== TransferState.failed) return;
    const failure = failureNames[Atomics.load(this.#words, Word.transferFailure)] ?? 'none';
    throw new ReceiveError(failure === 'none' ? 'noAnswer' : failure);
  }
}
