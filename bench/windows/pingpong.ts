/**
 * Ping-pong between two processes that spin on words of one section, beside C11 atomics on another.
 */
import { Section } from 'sectile';
import type { Bench, Group } from '../bench.js';
import type { PongAnswer, PongRequest } from '../peers/pong.js';
import { atMost, ns } from '../rows.js';
import { PONG, ping } from '../spin.js';

const NAME = 'bench-pingpong';
const FLOOR = 'bench-pingpong-floor';
/** Round trips in one sample. */
const BATCH = 2000;

async function run(bench: Bench): Promise<void> {
  using section = Section.create({ name: NAME, size: 4096 });
  using floors = Section.create({ name: FLOOR, size: 4096 });
  using view = section.map();
  const words = view.as(Int32Array);
  const peer = bench.peer<PongAnswer>('pong');
  const floor = bench.floor('pingpong', [`Local\\${FLOOR}`]);
  if (floors.size !== 4096) throw new Error('the section of the floor has another size');
  const samplesPerRound = bench.pick(50, 25);
  let last = 0;
  const ours = async (): Promise<number[]> => {
    const count = samplesPerRound * BATCH;
    await peer.ask({ name: NAME, last, count: count + 1 } satisfies PongRequest);
    ping(words, last++, 1);
    const samples = Array.from({ length: samplesPerRound }, () => {
      const start = performance.now();
      ping(words, last, BATCH);
      last += BATCH;
      return ((performance.now() - start) * 1e6) / BATCH;
    });
    const { answered } = await peer.next();
    if (answered !== last || words[PONG] !== last) throw new Error(`${answered} of ${last} turns were answered`);
    return samples;
  };
  await bench.compare({
    name: 'round trip',
    unit: ns,
    rounds: bench.pick(30, 12),
    ours,
    floor: floor && (() => floor.sample(samplesPerRound, BATCH)),
    goal: atMost('ratio', 1.1),
  });
}

export const pingpong: Group = {
  name: 'pingpong',
  title: 'Ping-pong by Atomics between two processes',
  notes: ['A round trip is two stores and two loads that saw them, both sides spinning, words 128 bytes apart.'],
  run,
};
