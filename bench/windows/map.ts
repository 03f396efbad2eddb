/**
 * Map and unmap of a section that is open, beside C doing the same by MapViewOfFile.
 */
import { Section } from 'sectile';
import { FILE_MAP_ALL_ACCESS, MapViewOfFile, OpenFileMapping, UnmapViewOfFile } from 'sectile/kernel32';
import type { Bench, Group } from '../bench.js';
import { atMost, us } from '../rows.js';

const GOAL = atMost('ratio', 1.1);
/** Half a millisecond: most samples end before the host gives the processor to somebody else. */
const BATCH = 25;
const SAMPLES = 40;

const sizes = [
  { label: '4 KiB', bytes: 4096 },
  { label: '1 MiB', bytes: 2 ** 20 },
] as const;

function timed(once: () => void): number[] {
  return Array.from({ length: SAMPLES }, () => {
    const start = performance.now();
    for (let i = 0; i < BATCH; i++) once();
    return ((performance.now() - start) * 1e6) / BATCH;
  });
}

async function run(bench: Bench): Promise<void> {
  for (const { label, bytes } of sizes) {
    const name = `bench-map-${bytes}`;
    using section = Section.create({ name, size: bytes });
    const handle = OpenFileMapping(FILE_MAP_ALL_ACCESS, false, name);
    const ways = {
      'section.map, close': () => section.map().close(),
      'MapViewOfFile, UnmapViewOfFile': () => {
        const view = MapViewOfFile(handle, FILE_MAP_ALL_ACCESS, 0, 0, bytes);
        if (view === null || !UnmapViewOfFile(view)) throw new Error('the section cannot be mapped');
      },
    };
    const floor = bench.floor('map', [`Local\\${name}`, bytes]);
    for (const [call, once] of Object.entries(ways)) {
      await bench.compare({
        name: `${label}, ${call}`,
        unit: us,
        // Many short rounds: the sides are neighbours in time then.
        rounds: bench.pick(100, 40),
        warmUp: 10,
        ours: () => timed(once),
        floor: floor && (() => floor.sample(SAMPLES, BATCH)),
        goal: GOAL,
      });
    }
  }
}

export const map: Group = {
  name: 'map',
  title: 'Map and unmap',
  notes: ['C: MapViewOfFile and UnmapViewOfFile of the same section, all of it, for reading and writing.'],
  run,
};
