/**
 * Watches the telemetry for a while as a monitor would: every new sample once, rates over the last half
 * second, and in the end how long one sample takes to read.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Snapshot, WatchResult } from '../../../src/cli/demo/messages.js';
import { At, busyAt, closingNumberAt, type SampleField, wholeAt } from '../layout.ts';
import type { TelemetryReader } from '../reader.ts';

const LOOK_INTERVAL = 4;
const SNAPSHOT_INTERVAL = 100;
/** Rates need some distance: the kernel counts processor time in hundredths of a second. */
const RATE_SECONDS = 0.5;
const TIMED_READS = 20_000;
/** Of a driver that keeps us waiting at each read, fewer are enough. */
const TIMED_MILLISECONDS = 500;

/** What watching takes of a reader. */
export type Watched = Pick<TelemetryReader, 'cores' | 'rate' | 'length' | 'read'>;

/** The last samples, in arrays that are used again and again; one more of them than samples, for the next. */
class History {
  readonly #samples: Float64Array[];
  #taken = 0;

  constructor(reader: Watched) {
    const wanted = Math.ceil((reader.rate || 1000) * RATE_SECONDS) + 2;
    this.#samples = Array.from({ length: wanted }, () => new Float64Array(reader.length));
  }

  /** The array that the next sample goes into. */
  get next(): Float64Array {
    return this.#samples[this.#taken % this.#samples.length] as Float64Array;
  }

  keep(): void {
    this.#taken++;
  }

  get newest(): Float64Array {
    return this.#samples[(this.#taken - 1) % this.#samples.length] as Float64Array;
  }

  get oldest(): Float64Array {
    return this.#samples[Math.max(0, this.#taken - this.#samples.length + 1) % this.#samples.length] as Float64Array;
  }
}

/** Null for what the machine does not say, and for what it cannot say: counters do not go back. */
const orNull = (value: number): number | null => (Number.isFinite(value) && value >= 0 ? value : null);
/** 0, which no sample has, where the driver gives none that can be. */
const numberOf = (sample: Float64Array): number => sample[At.sampleNumber] || 0;
const difference = (index: number, from: Float64Array, to: Float64Array): number =>
  (to[index] as number) - (from[index] as number);

function snapshotOf(cores: number, from: Float64Array, to: Float64Array, samplesPerSecond: number): Snapshot {
  const seconds = difference(At.time, from, to) / 1000;
  const now = (field: SampleField): number => to[At[field]] as number;
  const rate = (field: SampleField): number | null => orNull(seconds > 0 ? difference(At[field], from, to) / seconds : 0);
  const share = (core: number): number => {
    const [busy, whole] = [difference(busyAt(core), from, to), difference(wholeAt(core), from, to)];
    // Neither comparison holds for NaN.
    return busy > 0 && whole > 0 ? Math.min(1, busy / whole) : 0;
  };
  return {
    sampleNumber: numberOf(to),
    samplesPerSecond,
    cores: Array.from({ length: cores }, (_, core) => share(core)),
    load: orNull(now('load1')),
    running: orNull(now('processesRunning')),
    memoryTotal: orNull(now('memoryTotal')),
    memoryUsed: orNull(now('memoryTotal') - now('memoryAvailable')),
    memoryCached: orNull(now('memoryCached')),
    diskRead: rate('diskReadBytes'),
    diskWritten: rate('diskWrittenBytes'),
    networkReceived: rate('networkReceivedBytes'),
    networkSent: rate('networkSentBytes'),
  };
}

function timeReads(reader: Watched): number {
  const into = new Float64Array(reader.length);
  const batch = (): number => {
    const start = performance.now();
    let reads = 0;
    do reader.read(into);
    while (++reads < TIMED_READS && (reads % 100 !== 0 || performance.now() - start < TIMED_MILLISECONDS));
    return ((performance.now() - start) * 1e6) / reads;
  };
  batch(); // lets the compiler see it
  return batch();
}

export async function watch(reader: Watched, seconds: number, show: (snapshot: Snapshot) => void): Promise<WatchResult> {
  const history = new History(reader);
  const closing = closingNumberAt(reader.cores);
  reader.read(history.next);
  history.keep();
  const first = numberOf(history.newest);
  let last = first;
  let seen = 0;
  let torn = 0;
  let [secondStart, seenBefore, perSecond] = [performance.now(), 0, 0];
  const start = performance.now();
  let nextShow = start + SNAPSHOT_INTERVAL;
  for (let now = start; now < start + seconds * 1000; now = performance.now()) {
    const sample = reader.read(history.next);
    const number = numberOf(sample);
    if (number !== last) {
      if (sample[closing] !== number) torn++;
      last = number;
      seen++;
      history.keep();
    }
    if (now - secondStart >= 1000) {
      perSecond = ((seen - seenBefore) * 1000) / (now - secondStart);
      [secondStart, seenBefore] = [now, seen];
    }
    if (now >= nextShow) {
      nextShow += SNAPSHOT_INTERVAL;
      // In the first second there is no whole second to count.
      show(snapshotOf(reader.cores, history.oldest, history.newest, Math.round(perSecond || (seen * 1000) / (now - start))));
    }
    await pause(LOOK_INTERVAL);
  }
  const elapsed = (performance.now() - start) / 1000;
  return {
    seconds: elapsed,
    seen,
    published: Math.max(0, last - first),
    torn,
    nanosecondsPerRead: timeReads(reader),
    bytesPerSample: reader.length * Float64Array.BYTES_PER_ELEMENT,
  };
}
