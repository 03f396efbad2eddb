/**
 * The application's side of the telemetry section: takes samples that are consistent, without asking
 * anybody and without writing anything. It need not trust the driver: what cannot be is not believed.
 *
 *   using reader = TelemetryReader.open();
 *   const sample = reader.read();
 *   console.log(sample[At.memoryAvailable]);
 */
import { Section, type View } from 'sectile';
import {
  DriverState,
  LAYOUT_VERSION,
  MAGIC,
  MAXIMUM_CORES,
  MAXIMUM_RATE,
  SAMPLE_OFFSET,
  SectionNames,
  sampleLength,
  TELEMETRY_BYTES,
  Word,
} from './layout.ts';

/** The driver writes for less than a microsecond. On a busy machine it may lose the processor meanwhile, but not for so long. */
const PATIENCE_MS = 1000;
/** Attempts between looks at the clock. */
const ATTEMPTS = 1024;

export type TelemetryFailure = 'otherLayout' | 'stuck' | 'closed';

/** Why there is no sample. */
export class TelemetryError extends Error {
  readonly failure: TelemetryFailure;

  constructor(failure: TelemetryFailure, message: string) {
    super(message);
    this.failure = failure;
  }
}

const isWithin = (value: number | undefined, maximum: number): value is number =>
  value !== undefined && value >= 0 && value <= maximum;

export class TelemetryReader {
  /** Values in one sample. */
  readonly length: number;
  readonly cores: number;
  /** Samples that the driver takes in a second. */
  readonly rate: number;
  readonly #section: Section;
  readonly #view: View;
  readonly #words: Int32Array;
  readonly #values: Float64Array;
  /** A word of our own. To exchange it is the one full fence that JavaScript has. */
  readonly #fence = new Int32Array(1);
  #retries = 0;

  private constructor(section: Section, view: View, cores: number, rate: number) {
    this.#section = section;
    this.#view = view;
    this.#words = view.as(Int32Array);
    this.cores = cores;
    this.rate = rate;
    this.length = sampleLength(this.cores);
    this.#values = new Float64Array(view.buffer, SAMPLE_OFFSET, this.length);
  }

  /**
   * Opens the driver's section and maps it.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND when the driver is not loaded,
   * ERR_SECTION_SYSTEM_NOT_RUNNING; TelemetryError `otherLayout` when its header is not one of this reader's layout
   */
  static open(): TelemetryReader {
    const section = Section.open(`Global\\${SectionNames.telemetry}`, { access: 'read' });
    let view: View | null = null;
    try {
      view = section.map({ access: 'read' });
      const words = view.as(Int32Array);
      // Each is looked at once: what was found to be possible is what is used.
      const [version, cores, rate] = [words[Word.layoutVersion], words[Word.cores], words[Word.rate]];
      const isOurs = view.length >= TELEMETRY_BYTES && Atomics.load(words, Word.magic) === MAGIC && version === LAYOUT_VERSION;
      if (!isOurs || !isWithin(cores, MAXIMUM_CORES) || !isWithin(rate, MAXIMUM_RATE)) {
        throw new TelemetryError(
          'otherLayout',
          `${section.name} has another layout (version ${version}, ${cores} processors, ${rate} samples a second; this reader ` +
            `knows version ${LAYOUT_VERSION}, up to ${MAXIMUM_CORES} and ${MAXIMUM_RATE}): load the driver that it comes with`,
        );
      }
      return new TelemetryReader(section, view, cores, rate);
    } catch (error) {
      view?.close();
      section.close();
      throw error;
    }
  }

  /**
   * The newest sample, whole: all its values were taken together.
   *
   * @param into An array of {@link length} values to fill; without it a new one is made.
   * @returns the array, to be read with the indices of `At`, `busyAt` and `wholeAt`; each value is 0 or more, and NaN
   * where there is none (or none that can be)
   * @throws TelemetryError `stuck` when the driver died in the middle of a sample or never ends one, `closed`
   */
  read(into: Float64Array = new Float64Array(this.length)): Float64Array {
    if (into.length < this.length) throw new RangeError(`a sample has ${this.length} values, the array only ${into.length}`);
    const words = this.#words;
    const values = this.#values;
    if (words.length === 0) throw new TelemetryError('closed', 'the telemetry reader is closed');
    for (let attempt = 0, start = 0; ; attempt++) {
      const before = Atomics.load(words, Word.sequence);
      if ((before & 1) === 0) {
        for (let index = 0; index < values.length; index++) {
          const value = values[index] as number;
          into[index] = value >= 0 && value < Number.POSITIVE_INFINITY ? value : Number.NaN;
        }
        // No value above may be taken after the sequence is looked at again.
        Atomics.exchange(this.#fence, 0, 0);
        if (Atomics.load(words, Word.sequence) === before) return into;
      }
      this.#retries++;
      if (attempt % ATTEMPTS !== ATTEMPTS - 1) continue;
      start ||= performance.now();
      if (performance.now() - start > PATIENCE_MS) throw this.#stuck(before);
    }
  }

  #stuck(sequence: number): TelemetryError {
    return new TelemetryError(
      'stuck',
      `the driver has been writing one sample for ${PATIENCE_MS} ms (sequence ${sequence}): the system process ` +
        `${this.processId} has died in the middle of it, or is stopped. Open the telemetry again when the driver is loaded`,
    );
  }

  /** How often a sample had to be taken again because the driver was writing. */
  get retries(): number {
    return this.#retries;
  }

  /** False once the driver has been unloaded: the last sample stays, no new one comes. */
  get isLive(): boolean {
    return Atomics.load(this.#words, Word.driverState) === DriverState.running;
  }

  /** The system process, as the driver says. */
  get processId(): number {
    return this.#words[Word.processId] as number;
  }

  /** The driver's own handle and address: good for showing that they are good for nothing here. */
  get kernelHandle(): number {
    return this.#words[Word.kernelHandle] as number;
  }

  get kernelAddress(): bigint {
    const low = BigInt(this.#words[Word.baseAddressLow] as number);
    const high = BigInt(this.#words[Word.baseAddressHigh] as number);
    return (BigInt.asUintN(32, high) << 32n) | BigInt.asUintN(32, low);
  }

  /** How often the driver found nonsense among the acknowledgements. */
  get nonsense(): number {
    return Atomics.load(this.#words, Word.nonsense);
  }

  get closed(): boolean {
    return this.#view.closed;
  }

  /** Safe to call twice. */
  close(): void {
    this.#view.close();
    this.#section.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
