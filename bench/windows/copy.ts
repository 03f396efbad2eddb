/**
 * Copies into and out of a section, beside memcpy in a C program that maps the very same section.
 */
import { Section } from 'sectile';
import type { Bench, Group } from '../bench.js';
import { atLeast, bandwidth } from '../rows.js';

const BYTES = 2 ** 26;
const SAMPLES = 3;

async function run(bench: Bench): Promise<void> {
  const name = 'bench-copy';
  using section = Section.create({ name, size: BYTES });
  using view = section.map();
  const heap = new Uint8Array(BYTES).fill(1);
  view.bytes.fill(1);
  const ways = {
    in: { 'view.bytes.set': () => view.bytes.set(heap), 'view.write': () => view.write(heap) },
    out: { 'set(view.bytes)': () => heap.set(view.bytes), 'view.read': () => view.read(heap) },
  };
  for (const [way, calls] of Object.entries(ways)) {
    const floor = bench.floor('copy', [`Local\\${name}`, BYTES, way]);
    for (const [call, once] of Object.entries(calls)) {
      await bench.compare({
        name: `64 MiB ${way}, ${call}`,
        unit: bandwidth(BYTES),
        rounds: bench.pick(30, 10),
        ours: () =>
          Array.from({ length: SAMPLES }, () => {
            const start = performance.now();
            once();
            return (performance.now() - start) * 1e6;
          }),
        floor: floor && (() => floor.sample(SAMPLES, 1)),
        goal: atLeast('ratio', 0.9),
      });
    }
  }
}

export const copy: Group = {
  name: 'copy',
  title: 'Copy into and out of a section',
  notes: ['C: memcpy between a view of the same section and memory of VirtualAlloc. All memory is touched before.'],
  run,
};
