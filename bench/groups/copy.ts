/**
 * Copies into and out of a section, beside memcpy in a C program that maps the very same section.
 */
import { Section, type View } from 'sectile';
import type { Bench, Group, Sampler } from '../bench.js';
import { withDescriptor } from '../descriptors.js';
import { mappingAt } from '../machine.js';
import { atLeast, bandwidth, type Goal } from '../rows.js';

interface Size {
  readonly label: string;
  readonly bytes: number;
  /** Copies in one sample: enough that the clock does not matter. */
  readonly batch: number;
  readonly samples: number;
  readonly rounds: [full: number, quick: number];
  readonly goal?: Goal;
}

/** Goals only where memory is the limit; below, the cost of a call from JavaScript is what is seen. */
const sizes: readonly Size[] = [
  { label: '4 KiB', bytes: 4096, batch: 20_000, samples: 5, rounds: [24, 6] },
  { label: '256 KiB', bytes: 2 ** 18, batch: 200, samples: 5, rounds: [24, 6] },
  { label: '64 MiB', bytes: 2 ** 26, batch: 1, samples: 3, rounds: [60, 6], goal: atLeast('ratio', 0.95) },
];

/**
 * Where in physical memory a buffer came to lie moves its copies by a fifth and more, in C as in
 * JavaScript. So there are several of everything, all at once, and rounds go through them in turn.
 */
const LAYOUTS = 6;

/** One section and one heap buffer of ours; a floor has a heap buffer of its own beside the same section. */
interface Layout {
  readonly section: Section;
  readonly descriptor: number;
  readonly view: View;
  readonly heap: Uint8Array;
}

function makeLayout(bytes: number): Layout {
  const { made: section, descriptor } = withDescriptor(() => Section.create({ size: bytes }));
  const view = section.map();
  view.bytes.fill(1);
  return { section, descriptor, view, heap: new Uint8Array(bytes).fill(1) };
}

const directions = {
  in: {
    'view.bytes.set': ({ view, heap }: Layout) => view.bytes.set(heap),
    'view.write': ({ view, heap }: Layout) => view.write(heap),
  },
  out: {
    'set(view.bytes)': ({ view, heap }: Layout) => heap.set(view.bytes),
    'view.read': ({ view, heap }: Layout) => view.read(heap),
  },
} as const;

function timeCopies(size: Size, layout: Layout, copyOnce: (layout: Layout) => unknown): number[] {
  const samples: number[] = [];
  for (let sample = 0; sample < size.samples; sample++) {
    const start = performance.now();
    for (let i = 0; i < size.batch; i++) copyOnce(layout);
    samples.push(((performance.now() - start) * 1e6) / size.batch);
  }
  return samples;
}

/** Clears the target, copies once, and compares every byte. */
function verify(name: string, way: keyof typeof directions, layout: Layout, copyOnce: (layout: Layout) => unknown): void {
  const [source, target] = way === 'in' ? [layout.heap, layout.view.bytes] : [layout.view.bytes, layout.heap];
  target.fill(0);
  for (let i = 0; i < source.length; i += 64) source[i] = i * 31 + i / 4096;
  copyOnce(layout);
  if (Buffer.compare(source, target) !== 0) throw new Error(`${name} did not copy all bytes`);
}

async function measureDirection(
  bench: Bench,
  size: Size,
  way: keyof typeof directions,
  layouts: readonly Layout[],
): Promise<void> {
  const label = `${size.label} ${way}`;
  const calls = Object.entries(directions[way]).filter(([call]) => bench.wants(`${label}, ${call}`));
  if (calls.length === 0) return;
  for (const [call, copyOnce] of calls) {
    for (const layout of layouts) verify(call, way, layout, copyOnce);
  }
  const floors = layouts.map(({ view, descriptor }) => {
    const aligned = view.address % 2n ** 21n === 0n ? 2 ** 21 : 4096;
    const asked = mappingAt('self', view.address)?.asked === true ? 1 : 0;
    return bench.floor('copy', [way, size.bytes, aligned, asked], [descriptor]);
  });
  const sides: Record<string, Sampler> = {};
  for (const [call, copyOnce] of calls) {
    let turn = 0;
    sides[call] = () => timeCopies(size, layouts[turn++ % LAYOUTS] as Layout, copyOnce);
  }
  if (floors[0] !== undefined) {
    let turn = 0;
    sides['C'] = () => floors[turn++ % LAYOUTS]?.sample(size.samples, size.batch) ?? [];
  }
  const taken = await bench.interleave(label, bench.pick(...size.rounds), sides, LAYOUTS);
  for (const [call] of calls) {
    bench.record({
      name: `${label}, ${call}`,
      unit: bandwidth(size.bytes),
      ours: taken[call] ?? [],
      floor: taken['C'] === undefined ? undefined : { what: 'C', rounds: taken['C'] },
      goal: size.goal,
    });
  }
  for (const floor of floors) floor?.close();
}

async function run(bench: Bench): Promise<void> {
  for (const size of sizes) {
    const layouts = Array.from({ length: LAYOUTS }, () => makeLayout(size.bytes));
    try {
      await measureDirection(bench, size, 'in', layouts);
      await measureDirection(bench, size, 'out', layouts);
      const huge = layouts.reduce((sum, { view }) => sum + (mappingAt('self', view.address)?.huge ?? 0), 0);
      if (huge > 0) bench.remark(size.label, `${huge / 2 ** 20} MiB of our views are mapped by huge pages; C asked for the same`);
    } finally {
      for (const { view, section } of layouts) {
        view.close();
        section.close();
      }
    }
  }
}

export const copy: Group = {
  name: 'copy',
  title: 'Copy into and out of a section',
  notes: [
    'C: memcpy between the same section, inherited and mapped alike, and a calloc buffer. All memory is touched before.',
    `Rounds go through ${LAYOUTS} sections and buffers in turn: where they lie in physical memory moves both sides by a fifth.`,
  ],
  run,
};
