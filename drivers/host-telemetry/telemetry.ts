/**
 * The driver's side of the telemetry section: the header, and one sample under a sequence lock, written
 * again at a steady rate. Readers cannot lock anything (they may only read), so the writer tells them
 * when it is at work: the sequence is odd then, and has moved on afterwards.
 */
import { HostCounters } from './host-counters.ts';
import { At, closingNumberAt, DriverState, LAYOUT_VERSION, MAGIC, SAMPLE_OFFSET, sampleLength, Word } from './layout.ts';

export const DEFAULT_RATE = 50;

/** At full speed (rate 0, for tests) the counters are not read for every sample. */
const SAMPLES_PER_READING = 64;

export interface TelemetryFacts {
  /** Samples per second; 0 for as many as possible. */
  readonly rate: number;
  readonly kernelHandle: number;
  readonly baseAddress: bigint;
}

export class Telemetry {
  readonly words: Int32Array;
  readonly #values: Float64Array;
  readonly #counters = new HostCounters();
  readonly #rate: number;
  /** Collected here first: the shared sample must be whole again within a microsecond. */
  readonly #next: Float64Array;
  #timer: NodeJS.Timeout | NodeJS.Immediate | null = null;
  #due = 0;

  constructor(buffer: ArrayBuffer, facts: TelemetryFacts) {
    const { cores } = this.#counters;
    this.words = new Int32Array(buffer);
    this.#values = new Float64Array(buffer, SAMPLE_OFFSET, sampleLength(cores));
    this.#next = new Float64Array(sampleLength(cores));
    this.#rate = facts.rate;
    this.words[Word.layoutVersion] = LAYOUT_VERSION;
    this.words[Word.rate] = facts.rate;
    this.words[Word.cores] = cores;
    this.words[Word.kernelHandle] = facts.kernelHandle;
    this.words[Word.processId] = process.pid;
    this.words[Word.baseAddressLow] = Number(BigInt.asIntN(32, facts.baseAddress));
    this.words[Word.baseAddressHigh] = Number(BigInt.asIntN(32, facts.baseAddress >> 32n));
  }

  start(): void {
    this.#publishReading();
    Atomics.store(this.words, Word.driverState, DriverState.running);
    Atomics.store(this.words, Word.magic, MAGIC);
    if (this.#rate === 0) this.#again();
    else {
      this.#due = performance.now();
      this.#schedule();
    }
  }

  /** From due time to due time, and not from run to run: else 50 a second become 48. */
  #schedule(): void {
    const now = performance.now();
    const period = 1000 / this.#rate;
    this.#due += period;
    // After a suspend or a long pause there is nothing to catch up with.
    if (this.#due < now) this.#due = now + period;
    this.#timer = setTimeout(() => {
      this.#publishReading();
      this.#schedule();
    }, this.#due - now);
  }

  #again(): void {
    this.#timer = setImmediate(() => {
      this.#publishReading();
      for (let index = 1; index < SAMPLES_PER_READING; index++) this.#publish();
      this.#again();
    });
  }

  #publishReading(): void {
    const number = this.#next[At.sampleNumber] as number;
    this.#counters.collect(this.#next);
    this.#next[At.sampleNumber] = number;
    this.#publish();
  }

  #publish(): void {
    const next = this.#next;
    const values = this.#values;
    const number = (next[At.sampleNumber] as number) + 1;
    next[At.sampleNumber] = number;
    next[closingNumberAt(this.#counters.cores)] = number;
    // Read-modify-write, not a plain store: it keeps what follows behind it on every processor.
    Atomics.add(this.words, Word.sequence, 1);
    for (let index = 0; index < next.length; index++) values[index] = next[index] as number;
    Atomics.add(this.words, Word.sequence, 1);
  }

  /** After this nothing writes the sample any more; it stays readable. */
  stop(): void {
    // One of the two is it, whichever it is.
    clearTimeout(this.#timer as NodeJS.Timeout);
    clearImmediate(this.#timer as NodeJS.Immediate);
    Atomics.store(this.words, Word.driverState, DriverState.stopped);
    this.#counters.close();
  }
}
