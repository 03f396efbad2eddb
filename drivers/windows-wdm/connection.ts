/**
 * An application's connection to the driver: samples that are whole, and controls that are set under the lock.
 *
 *   using driver = DriverConnection.open();
 *   console.log(driver.read().number);
 *   await driver.set({ slot: 1, amount: 5n });
 *
 * Nothing here believes what stands in shared memory: whatever the other side writes, each call ends within its time,
 * by a result or by an error.
 */
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Section, type View } from 'sectile';
import { controlsBytes, controlsLayout, layoutId, sampleBytes, sampleLayout } from './layout.ts';
import {
  CONTROLS_SECTION_BYTES,
  DriverState,
  LockWord,
  MAGIC,
  RECORD_AT,
  SAMPLE_SECTION_BYTES,
  SampleWord,
  SectionNames,
} from './protocol.ts';
import { decode, encode, type RecordOf } from './records.ts';

export type Sample = RecordOf<typeof sampleLayout>;
export type Controls = RecordOf<typeof controlsLayout>;

/** The driver writes a sample within a microsecond; it may lose the processor meanwhile, but not for so long. */
const READ_PATIENCE_MS = 200;
/** Attempts between looks at the clock. */
const ATTEMPTS = 256;
/** The driver looks at controls with every sample. */
const ANSWER_PATIENCE_MS = 5000;
const POLL_MS = 1;
/** So many requests later is another application's. A number further off is one that stood there before: it may be anything. */
const OVERTAKEN = 0xffff;

/** Why the driver did not do what was asked. */
export class DriverError extends Error {
  override readonly name = 'DriverError';
  readonly status: number | undefined;

  /** @param status The NTSTATUS by which the driver refused, where it did. */
  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/**
 * A view of a section of the driver. The handle is closed at once and the view stays: the kernel keeps an object's name
 * for as long as anybody has a handle, and a driver that is loaded again needs its names.
 */
function map(name: string, access: 'read' | 'readwrite', bytes: number): View {
  using section = Section.open(`Global\\${name}`, { access });
  const view = section.map({ access });
  if (view.length >= bytes) return view;
  view.close();
  throw new DriverError(`${section.name} has ${section.size} bytes, and the layout ${bytes}: driver and application differ`);
}

export class DriverConnection {
  readonly #sample: View;
  readonly #words: Int32Array;
  readonly #shared: Uint8Array;
  readonly #copy = new Uint8Array(sampleBytes);
  readonly #record = new DataView(this.#copy.buffer);
  /** A word of our own: to exchange it is the one full fence that JavaScript has. */
  readonly #fence = new Int32Array(1);
  /** Opened when something is set: whoever only reads needs no right to write. */
  #controls: View | null = null;
  /** Our number in the lock word: not 0, not the driver's, and nobody else's. */
  readonly #token = randomInt(1, 2 ** 31);

  private constructor(sample: View) {
    this.#sample = sample;
    this.#words = sample.as(Int32Array).subarray(0, RECORD_AT / 4);
    this.#shared = sample.bytes.subarray(RECORD_AT, RECORD_AT + sampleBytes);
  }

  /**
   * Opens the driver's section for reading and maps it.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND when the driver is not loaded, ERR_SECTION_ACCESS_DENIED when it grants nothing to
   * this user; DriverError when its layout is another one
   */
  static open(): DriverConnection {
    const sample = map(SectionNames.sample, 'read', SAMPLE_SECTION_BYTES);
    try {
      const words = sample.as(Int32Array);
      const wholeHeader = Atomics.load(words, SampleWord.magic) === MAGIC;
      const theirs = Atomics.load(words, SampleWord.layoutId) >>> 0;
      if (wholeHeader && theirs === layoutId) return new DriverConnection(sample);
      throw new DriverError(
        wholeHeader
          ? `the driver has layout ${theirs.toString(16)}, this application ${layoutId.toString(16)}: build both from one layout`
          : `${SectionNames.sample} has no header of the driver: it is still starting, or the section is somebody else's`,
      );
    } catch (error) {
      sample.close();
      throw error;
    }
  }

  /** False once the driver is unloaded: its last sample stays, no new one comes. False as well when this is closed. */
  get isLive(): boolean {
    return this.#words.length > 0 && Atomics.load(this.#words, SampleWord.state) === DriverState.running;
  }

  /**
   * The newest sample, whole: all its values were taken together.
   *
   * @throws DriverError when no sample is whole within 200 ms: none was ever written, or the driver ended in the middle
   */
  read(): Sample {
    const words = this.#words;
    if (words.length === 0) throw new DriverError('the connection is closed');
    for (let attempt = 0, start = 0; ; attempt++) {
      const before = Atomics.load(words, SampleWord.sequence);
      if (before !== 0 && (before & 1) === 0) {
        this.#copy.set(this.#shared);
        // No byte above may be taken after the sequence is looked at again.
        Atomics.exchange(this.#fence, 0, 0);
        if (Atomics.load(words, SampleWord.sequence) === before) return decode(sampleLayout, this.#record);
      }
      if (attempt % ATTEMPTS !== ATTEMPTS - 1) continue;
      start ||= performance.now();
      if (performance.now() - start > READ_PATIENCE_MS)
        throw new DriverError(`no whole sample within ${READ_PATIENCE_MS} ms (sequence ${before}): is the driver still loaded?`);
    }
  }

  /**
   * Sets controls and waits for the driver's answer. Values that are not named stay as they are.
   *
   * @param patience Milliseconds to wait for lock and answer; default 5000.
   * @throws SectionError when the driver grants no writing; RangeError and TypeError for values that no field can have,
   * of which none is then set; DriverError when the driver refuses the values (its `status`
   * says why), when another application was faster, or when lock or answer do not come in time
   */
  async set(values: Partial<Omit<Controls, 'request'>>, patience = ANSWER_PATIENCE_MS): Promise<void> {
    this.#controls ??= map(SectionNames.controls, 'readwrite', CONTROLS_SECTION_BYTES);
    const deadline = performance.now() + patience;
    const lock = this.#controls.as(Int32Array).subarray(0, RECORD_AT / 4);
    const shared = this.#controls.bytes.subarray(RECORD_AT, RECORD_AT + controlsBytes);
    const record = new DataView(new ArrayBuffer(controlsBytes));
    const copy = new Uint8Array(record.buffer);

    while (Atomics.compareExchange(lock, LockWord.owner, 0, this.#token) !== 0) {
      if (performance.now() > deadline) throw new DriverError('the lock is not free: another application keeps it');
      await sleep(POLL_MS);
      if (lock.length === 0) throw new DriverError('the connection is closed');
    }
    // Without a pause until the lock is given back: whoever keeps it for long loses it.
    let request: number;
    let kept = false;
    try {
      Atomics.add(lock, LockWord.turn, 1);
      copy.set(shared);
      request = (record.getUint32(controlsLayout.request.at, true) + 1) >>> 0;
      // A value that cannot be encoded throws here, and nothing shared has changed.
      encode(controlsLayout, record, { ...values, request } as Partial<Controls>);
      shared.set(copy);
    } finally {
      kept = Atomics.compareExchange(lock, LockWord.owner, this.#token, 0) === this.#token;
    }
    if (!kept) throw new DriverError('the lock was lost while the values were written: set them again');
    await this.#answer(request, deadline);
  }

  async #answer(request: number, deadline: number): Promise<void> {
    for (;;) {
      const sample = this.read();
      const passed = (sample.request - request) | 0;
      if (passed === 0 && sample.status === 0) return;
      if (passed === 0) throw new DriverError(`the driver refuses the values: 0x${sample.status.toString(16)}`, sample.status);
      if (passed > 0 && passed <= OVERTAKEN)
        throw new DriverError('another application set other values before the driver looked: set yours again');
      if (!this.isLive) throw new DriverError('the driver is unloaded');
      if (performance.now() > deadline) throw new DriverError('the driver does not answer in time');
      await sleep(POLL_MS);
    }
  }

  /** Safe to call twice. */
  close(): void {
    this.#sample.close();
    this.#controls?.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
