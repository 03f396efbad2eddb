/**
 * Copies into and out of a section, beside memcpy in a C program that maps the very same section.
 */
import { Section } from 'sectile';
import type { Bench, Group, Sampler } from '../bench.js';
import { withDescriptor } from '../descriptors.js';
import { mappingAt } from '../machine.js';
import { atLeast, bandwidth } from '../rows.js';

interface Size {
  readonly label: string;
  readonly bytes: number;
  /** Copies in one sample: enough that the clock does not matter. */
  readonly batch: number;
  readonly samples: number;
  readonly rounds: [full: number, quick: number];
}

const sizes: readonly Size[] = [
  { label: '4 KiB', bytes: 4096, batch: 20_000, samples: 5, rounds: [20, 8] },
  { label: '256 KiB', bytes: 2 ** 18, batch: 300, samples: 5, rounds: [20, 8] },
  { label: '64 MiB', bytes: 2 ** 26, batch: 1, samples: 5, rounds: [20, 6] },
];

/** Only where memory is the limit; below it the cost of a call from JavaScript is what is seen. */
const GOAL = { label: '64 MiB', goal: atLeast('ratio', 0.95) };

function sampler(size: Size, copyOnce: () => void): Sampler {
  return () => {
    const samples: number[] = [];
    for (let sample = 0; sample < size.samples; sample++) {
      const start = performance.now();
      for (let i = 0; i < size.batch; i++) copyOnce();
      samples.push(((performance.now() - start) * 1e6) / size.batch);
    }
    return samples;
  };
}

/** Clears the target, copies once, and compares every byte. */
function verify(name: string, source: Uint8Array, target: Uint8Array, copyOnce: () => void): void {
  target.fill(0);
  for (let i = 0; i < source.length; i += 64) source[i] = i * 31 + i / 4096;
  copyOnce();
  if (Buffer.compare(source, target) !== 0) throw new Error(`${name} did not copy all bytes`);
}

async function measureSize(bench: Bench, size: Size): Promise<void> {
  const { label, bytes } = size;
  const { made: section, descriptor } = withDescriptor(() => Section.create({ size: bytes }));
  using _section = section;
  using view = section.map();
  const shared = view.bytes;
  const heap = new Uint8Array(bytes).fill(1);
  shared.fill(1);

  const mapping = mappingAt('self', view.address);
  const aligned = view.address % 2n ** 21n === 0n ? 2 ** 21 : 4096;
  const asked = mapping?.asked === true ? 1 : 0;
  const ways = [
    { name: 'in, view.bytes.set', way: 'in', source: heap, target: shared, copyOnce: () => shared.set(heap) },
    { name: 'in, view.write', way: 'in', source: heap, target: shared, copyOnce: () => view.write(heap) },
    { name: 'out, set(view.bytes)', way: 'out', source: shared, target: heap, copyOnce: () => heap.set(shared) },
    { name: 'out, view.read', way: 'out', source: shared, target: heap, copyOnce: () => view.read(heap) },
  ] as const;
  for (const { name, way, source, target, copyOnce } of ways) {
    if (!bench.wants(`${label} ${name}`)) continue;
    verify(name, source, target, copyOnce);
    const floor = bench.floor('copy', [way, bytes, aligned, asked], [descriptor]);
    await bench.compare({
      name: `${label} ${name}`,
      unit: bandwidth(bytes),
      rounds: bench.pick(...size.rounds),
      ours: sampler(size, copyOnce),
      floor: floor && (() => floor.sample(size.samples, size.batch)),
      ...(label === GOAL.label ? { goal: GOAL.goal } : {}),
    });
    floor?.close();
  }
  if (mapping !== undefined && mapping.huge > 0) {
    bench.remark(label, `${mapping.huge / 2 ** 20} MiB of our view are mapped by huge pages; C asked for the same`);
  }
}

async function run(bench: Bench): Promise<void> {
  for (const size of sizes) await measureSize(bench, size);
}

export const copy: Group = {
  name: 'copy',
  title: 'Copy into and out of a section',
  notes: ['C: memcpy between the same section, inherited and mapped alike, and a calloc buffer. All memory is touched before.'],
  run,
};
