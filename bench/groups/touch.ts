/**
 * First touch of a large section: one byte written to every page, beside C on a shared memfd.
 */
import { Section, SectionError, type View } from 'sectile';
import type { Bench, Group, Sampler } from '../bench.js';
import { availableMemory, mappingAt } from '../machine.js';
import { ms } from '../rows.js';

const MiB = 2 ** 20;
const PAGE = 4096;

function touch(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += PAGE) bytes[i] = 1;
}

function verify(bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i += PAGE) {
    if (bytes[i] !== 1) throw new Error(`the byte at ${i} was not written`);
  }
}

interface Kind {
  readonly name: string;
  readonly options: { readonly reserve?: boolean; readonly largePages?: boolean };
  /** The floor's mode. */
  readonly floor: string;
  /** Does the whole sample and returns its milliseconds; `view` is fresh. */
  readonly measure: (view: View) => number | Promise<number>;
}

function timeTouch(view: View): number {
  const bytes = view.bytes;
  const start = performance.now();
  touch(bytes);
  return performance.now() - start;
}

/** The longest time for which the event loop did not come round while a prefetch was under way. */
let longestPause = 0;

async function timePrefetch(view: View): Promise<number> {
  let before = performance.now();
  const watch = setInterval(() => {
    const now = performance.now();
    longestPause = Math.max(longestPause, now - before);
    before = now;
  }, 1);
  const start = performance.now();
  await view.prefetch();
  const elapsed = performance.now() - start;
  clearInterval(watch);
  longestPause = Math.max(longestPause, performance.now() - before);
  touch(view.bytes);
  return elapsed;
}

const kinds: readonly Kind[] = [
  { name: 'touch, reserve: true', options: { reserve: true }, floor: 'sparse', measure: timeTouch },
  { name: 'touch, committed at create', options: {}, floor: 'committed', measure: timeTouch },
  { name: 'prefetch, reserve: true', options: { reserve: true }, floor: 'populate', measure: timePrefetch },
  {
    name: 'touch after prefetch',
    options: { reserve: true },
    floor: 'populated',
    measure: async (view) => {
      await view.prefetch();
      return timeTouch(view);
    },
  },
];

/** One sample: a fresh section, measured, verified and closed. */
function sampler(kind: Kind, size: number): Sampler {
  return async () => {
    using section = Section.create({ size, ...kind.options });
    using view = section.map();
    const elapsed = await kind.measure(view);
    verify(view.bytes);
    return [elapsed * 1e6];
  };
}

/** Says so where our side is served by huge pages without asking for large ones. */
function remarkHugePages(bench: Bench, name: string, kind: Kind, size: number): void {
  using section = Section.create({ size, ...kind.options });
  using view = section.map();
  touch(view.bytes);
  const huge = mappingAt('self', view.address)?.huge ?? 0;
  if (huge > 0) bench.remark(name, `${huge / MiB} MiB of ours came as transparent huge pages, which C's side did not ask for`);
}

/** Has the loop compiled before anything is timed: it would run its first thousands of turns interpreted. */
function warmUp(): void {
  const bytes = new Uint8Array(MiB);
  for (let i = 0; i < 500; i++) touch(bytes);
  verify(bytes);
}

/** Large pages are set aside by the host or not at all, so the whole life is one sample. */
async function measureLargePages(bench: Bench, size: number, rounds: number): Promise<void> {
  const name = `${size / MiB} MiB: create, map and touch, largePages: true`;
  if (!bench.wants(name)) return;
  const ours: Sampler = () => {
    const start = performance.now();
    using section = Section.create({ size, largePages: true });
    using view = section.map();
    touch(view.bytes);
    const elapsed = performance.now() - start;
    verify(view.bytes);
    return [elapsed * 1e6];
  };
  try {
    Section.create({ size, largePages: true }).close();
  } catch (error) {
    if (!(error instanceof SectionError)) throw error;
    bench.skip(name, error.message);
    return;
  }
  const floor = bench.floor('touch', ['large', size]);
  await bench.compare({ name, unit: ms, rounds, ours, floor: floor && (() => floor.sample(1, 1)) });
}

async function run(bench: Bench): Promise<void> {
  const size = bench.pick(1024, 64) * MiB;
  // Ours and the floor's are never there at once, but the kernel may still be freeing one.
  const needed = 2.5 * size;
  if (availableMemory() < needed) {
    bench.skip('all', `it needs ${needed / MiB} MiB of available memory, here are ${Math.floor(availableMemory() / MiB)}`);
    return;
  }
  const rounds = bench.pick(7, 3);
  warmUp();
  for (const kind of kinds) {
    const name = `${size / MiB} MiB: ${kind.name}`;
    if (!bench.wants(name)) continue;
    const floor = bench.floor('touch', [kind.floor, size]);
    await bench.compare({
      name,
      unit: ms,
      rounds,
      ours: sampler(kind, size),
      floor: floor && (() => floor.sample(1, 1)),
    });
    remarkHugePages(bench, name, kind, size);
    if (kind.floor === 'populate') bench.remark(name, `the event loop never waited longer than ${longestPause.toFixed(1)} ms`);
  }
  await measureLargePages(bench, size, rounds);
}

export const firstTouch: Group = {
  name: 'touch',
  title: 'First touch: one byte written for each 4 KiB',
  notes: ["C: the same on a MAP_SHARED memfd; MADV_POPULATE_WRITE stands beside prefetch. C's side makes no huge pages."],
  run,
};
