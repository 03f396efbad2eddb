/**
 * One consistent sample of a struct that another process rewrites 50 times a second.
 */
import { Section } from 'sectile';
import type { Bench, Group } from '../bench.js';
import type { PublisherAnswer, PublisherRequest } from '../peers/publisher.js';
import { atMost, ns } from '../rows.js';
import { SampleReader, VALUES } from '../sample.js';

const NAME = 'bench-telemetry';
const RATE = 50;
/** Reads in one sample. */
const BATCH = 20_000;
const SAMPLES = 10;

/** A sample is consistent when all values are of one tick: each is the first plus its index. */
function check(values: Float64Array): void {
  const first = values[0] ?? Number.NaN;
  for (let i = 0; i < VALUES; i++) {
    if (values[i] !== first + i) throw new Error(`a sample is torn at value ${i}`);
  }
}

/** Reads and checks for half a second: the writer must be seen at work, and never halfway. */
function verify(reader: SampleReader, values: Float64Array): void {
  const seen = new Set<number>();
  const end = performance.now() + 500;
  while (performance.now() < end) {
    seen.add(reader.read(values));
    check(values);
  }
  if (seen.size < RATE / 5) throw new Error(`only ${seen.size} samples came in half a second`);
}

async function run(bench: Bench): Promise<void> {
  const writer = bench.peer<PublisherAnswer>('publisher');
  await writer.ask({ publish: NAME, rate: RATE } satisfies PublisherRequest);
  using section = Section.open(NAME, { access: 'read' });
  using view = section.map({ access: 'read' });
  const reader = new SampleReader(view.bytes);
  const values = new Float64Array(VALUES);
  verify(reader, values);

  const ours = (): number[] => {
    const samples: number[] = [];
    for (let sample = 0; sample < SAMPLES; sample++) {
      const start = performance.now();
      for (let i = 0; i < BATCH; i++) reader.read(values);
      samples.push(((performance.now() - start) * 1e6) / BATCH);
      check(values);
    }
    return samples;
  };
  const floor = bench.floor('telemetry', [values.byteLength]);
  await bench.compare({
    name: `consistent sample of ${values.byteLength} bytes`,
    unit: ns,
    rounds: bench.pick(30, 12),
    ours,
    floor: floor && (() => floor.sample(SAMPLES, BATCH)),
    goal: atMost('ours', 2000),
  });
}

export const telemetry: Group = {
  name: 'telemetry',
  title: 'A telemetry sample under a sequence lock, written by another process at 50 Hz',
  notes: ['A sample is copied out whole into memory of the reader, which holds a read-only view.'],
  run,
};
