/**
 * The short benchmark: what a section costs on this machine, and from which size on it beats a message.
 */
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';
import { Section, SectionError } from '../../index.js';
import { type Budget, median, sample, sampleAsync } from './measure.js';
import { Partner } from './partner.js';
import { DATA_BYTES, ping, reset, SECTION_BYTES, words } from './turns.js';

/** The ways of handing bytes to another process; each pair shares its way of signalling. */
export type Way = 'sectionAndSocket' | 'socket' | 'sectionAndIpc' | 'ipc';

/** Microseconds until the other process has so many bytes in memory of its own, and has said so. */
export type SweepRow = { readonly size: number } & Readonly<Record<Way, number>>;

export interface ShortBench {
  readonly machine: {
    readonly processor: string;
    readonly processors: number;
    readonly system: string;
    readonly kernel: string;
    readonly node: string;
    readonly load: number;
  };
  /** Microseconds for 64 KiB. */
  readonly createMapClose: { readonly unnamed: number; readonly local: number };
  /** Bytes per second. */
  readonly copy: { readonly bytes: number; readonly in: number; readonly out: number };
  /** Nanoseconds there and back; null with a single processor, where spinning measures the scheduler. */
  readonly pingPong: number | null;
  readonly sweep: readonly SweepRow[];
  /** Sizes from which on a section is faster; null where it never is. */
  readonly beats: { readonly socket: number | null; readonly ipc: number | null };
}

const SMALL = 64 << 10;
const SIZES = Array.from({ length: 13 }, (_, power) => 1024 << power);
const WARM_UP = [1024, 16 << 10, 256 << 10];
const TURNS = 100_000;
const ROUNDS = 3;
/** A way wins when it is faster by more than chance. */
const CLEARLY = 0.95;

const settled: Budget = { milliseconds: 250, atLeast: 50 };
const slice: Budget = { milliseconds: 12, atLeast: 3 };

function createMapClose(name: string | undefined): number {
  return median(
    sample(settled, () => {
      const section = Section.create(name === undefined ? { size: SMALL } : { name, size: SMALL });
      const view = section.map();
      view.close();
      section.close();
    }),
  );
}

/** As large as memory allows: larger than any cache, if it can be. */
function largeSection(): Section {
  try {
    return Section.create({ size: 64 << 20 });
  } catch (error) {
    if (!(error instanceof SectionError)) throw error;
    return Section.create({ size: 8 << 20 });
  }
}

function copy(): ShortBench['copy'] {
  const section = largeSection();
  const view = section.map();
  const { bytes } = view;
  const own = new Uint8Array(bytes.length).fill(1);
  bytes.set(own); // both are warm then
  const perSecond = (once: () => void): number => (bytes.length / median(sample(settled, once))) * 1e6;
  const rates = { bytes: bytes.length, in: perSecond(() => bytes.set(own)), out: perSecond(() => own.set(bytes)) };
  view.close();
  section.close();
  return rates;
}

async function pingPong(partner: Partner, turns: Int32Array): Promise<number> {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    reset(turns);
    await partner.ask({ pong: TURNS });
    const start = performance.now();
    ping(turns, TURNS);
    rounds.push(((performance.now() - start) * 1e6) / TURNS);
    await partner.next();
  }
  return median(rounds);
}

async function sweepSize(partner: Partner, shared: Uint8Array, size: number): Promise<SweepRow> {
  const own = new Uint8Array(size).fill(2);
  const sign = Buffer.from('!');
  const ways: Readonly<Record<Way, { prepare: () => Promise<void>; once: () => Promise<void> }>> = {
    sectionAndSocket: {
      prepare: () => partner.ask({ copyOnByte: size }),
      once: () => {
        shared.set(own);
        return partner.write(sign);
      },
    },
    socket: { prepare: () => partner.ask({ expect: size }), once: () => partner.write(own) },
    sectionAndIpc: {
      prepare: async () => {},
      once: () => {
        shared.set(own);
        return partner.ask({ copy: size });
      },
    },
    ipc: { prepare: async () => {}, once: () => partner.ask({ message: own }) },
  };
  const samples: Record<Way, number[]> = { sectionAndSocket: [], socket: [], sectionAndIpc: [], ipc: [] };
  // The ways take turns, so that a disturbance of the machine meets all of them.
  for (let round = 0; round < ROUNDS; round++) {
    for (const way of Object.keys(ways) as Way[]) {
      await ways[way].prepare();
      await ways[way].once();
      samples[way].push(...(await sampleAsync(slice, ways[way].once)));
    }
  }
  return {
    size,
    sectionAndSocket: median(samples.sectionAndSocket),
    socket: median(samples.socket),
    sectionAndIpc: median(samples.sectionAndIpc),
    ipc: median(samples.ipc),
  };
}

/** The smallest size from which on, without exception, `ours` is clearly faster; null when there is none. */
export function beatsFrom(rows: readonly SweepRow[], ours: Way, theirs: Way): number | null {
  let from: number | null = null;
  for (const row of [...rows].sort((a, b) => b.size - a.size)) {
    if (row[ours] > row[theirs] * CLEARLY) return from;
    from = row.size;
  }
  return from;
}

/** How many steps {@link runShortBench} tells of. */
export const STEPS = SIZES.length + 3;

/** Measures everything, in a few seconds. `step` is called after each of {@link STEPS}. */
export async function runShortBench(step: (what: string) => void): Promise<ShortBench> {
  const load = loadavg()[0] ?? 0;
  const name = `sectile-bench-${process.pid}`;
  const created = { unnamed: createMapClose(undefined), local: createMapClose(name) };
  step('copy');
  const copied = copy();
  step('ping-pong');
  const section = Section.create({ name, size: SECTION_BYTES });
  const view = section.map();
  const partner = await Partner.start(section);
  try {
    const turns = words(view.buffer, view.bytes.byteOffset);
    const spun = availableParallelism() < 2 ? null : await pingPong(partner, turns);
    step('messages');
    // Once for nothing: the first rows shall not pay for code that is not compiled yet.
    for (const size of WARM_UP) await sweepSize(partner, view.bytes.subarray(0, DATA_BYTES), size);
    const sweep: SweepRow[] = [];
    for (const size of SIZES) {
      sweep.push(await sweepSize(partner, view.bytes.subarray(0, DATA_BYTES), size));
      step('messages');
    }
    return {
      machine: {
        processor: cpus()[0]?.model.trim() ?? 'unknown',
        processors: availableParallelism(),
        system: type(),
        kernel: release(),
        node: process.version,
        load,
      },
      createMapClose: created,
      copy: copied,
      pingPong: spun,
      sweep,
      beats: { socket: beatsFrom(sweep, 'sectionAndSocket', 'socket'), ipc: beatsFrom(sweep, 'sectionAndIpc', 'ipc') },
    };
  } finally {
    partner.close();
    view.close();
    section.close();
  }
}
