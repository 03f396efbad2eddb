/**
 * Create, map and close, beside C doing the same system calls.
 */
import { Section } from 'sectile';
import type { Bench, Group } from '../bench.js';
import { atMost, ms, type Unit, us } from '../rows.js';

const GOAL = atMost('ratio', 3);

interface Size {
  readonly label: string;
  readonly bytes: number;
  readonly unit: Unit;
  readonly rounds: [full: number, quick: number];
  readonly samples: [full: number, quick: number];
  readonly warmUp: number;
}

const sizes: readonly Size[] = [
  { label: '4 KiB', bytes: 4096, unit: us, rounds: [40, 12], samples: [200, 100], warmUp: 12 },
  { label: '64 MiB', bytes: 2 ** 26, unit: ms, rounds: [30, 8], samples: [3, 2], warmUp: 1 },
];

/** Times `count` cycles, each on its own. */
function cycles(size: number, count: number, withBytes: boolean): number[] {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const section = Section.create({ size });
    const view = section.map();
    if (withBytes && view.bytes.length !== size) throw new Error('the view has another length than the section');
    view.close();
    section.close();
    samples.push((performance.now() - start) * 1e6);
  }
  return samples;
}

/** Shows once that such a section is memory which two views share to its last byte. */
function verify(size: number): void {
  using section = Section.create({ size });
  using one = section.map();
  using other = section.map({ access: 'read' });
  one.bytes[size - 1] = 0xa5;
  const last = new Uint8Array(1);
  other.read(last, size - 1);
  if (last[0] !== 0xa5) throw new Error('a byte written through one view is not in the other');
}

async function run(bench: Bench): Promise<void> {
  for (const { label, bytes, unit, rounds, samples, warmUp } of sizes) {
    verify(bytes);
    const count = bench.pick(...samples);
    const floor = bench.floor('create', [bytes]);
    for (const withBytes of [false, true]) {
      await bench.compare({
        name: `${label}${withBytes ? ', with view.bytes' : ''}`,
        unit,
        rounds: bench.pick(...rounds),
        warmUp,
        ours: () => cycles(bytes, count, withBytes),
        floor: floor && (() => floor.sample(count, 1)),
        goal: GOAL,
      });
    }
  }
}

export const create: Group = {
  name: 'create',
  title: 'Create, map and close',
  notes: [
    'C: memfd_create, ftruncate, fallocate, F_ADD_SEALS, mmap, munmap, close. Ours without view.bytes makes no ArrayBuffer.',
  ],
  run,
};
