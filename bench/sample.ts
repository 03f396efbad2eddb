/**
 * A telemetry sample under a sequence lock: one writer, any number of readers that only read. The
 * sequence is odd while the writer is at work; a reader that saw it change takes the sample again.
 */

/** Where the values begin: the sequence has a cache line of its own. */
const VALUES_OFFSET = 64;

/** About what a driver for a machine's counters publishes: 1.5 KiB. */
export const VALUES = 192;
export const SAMPLE_BYTES = VALUES_OFFSET + VALUES * Float64Array.BYTES_PER_ELEMENT;

function parts(bytes: Uint8Array): { sequence: Int32Array; values: Float64Array } {
  const { buffer, byteOffset } = bytes;
  return {
    sequence: new Int32Array(buffer, byteOffset, 1),
    values: new Float64Array(buffer, byteOffset + VALUES_OFFSET, VALUES),
  };
}

export class SampleWriter {
  readonly #sequence: Int32Array;
  readonly #values: Float64Array;

  constructor(bytes: Uint8Array) {
    const { sequence, values } = parts(bytes);
    this.#sequence = sequence;
    this.#values = values;
  }

  write(fill: (values: Float64Array) => void): void {
    Atomics.add(this.#sequence, 0, 1);
    fill(this.#values);
    Atomics.add(this.#sequence, 0, 1);
  }
}

export class SampleReader {
  readonly #sequence: Int32Array;
  readonly #values: Float64Array;
  /**
   * A private word. A read-modify-write of it is the only full fence that JavaScript has; without it
   * a processor with weak ordering could take values after it has looked at the sequence again.
   */
  readonly #fence = new Int32Array(1);

  constructor(bytes: Uint8Array) {
    const { sequence, values } = parts(bytes);
    this.#sequence = sequence;
    this.#values = values;
  }

  /** Copies one consistent sample into `target` and returns its sequence number. */
  read(target: Float64Array): number {
    for (;;) {
      const before = Atomics.load(this.#sequence, 0);
      if (before % 2 !== 0) continue;
      target.set(this.#values);
      Atomics.exchange(this.#fence, 0, 0);
      if (Atomics.load(this.#sequence, 0) === before) return before;
    }
  }
}
