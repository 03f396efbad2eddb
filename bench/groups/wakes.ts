/**
 * How long it takes to wake somebody in another process: not only the middle of it, but the slowest of a hundred and of a
 * thousand, with processors that have nothing else to do and with processors that all have.
 */
import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import type { Bench, Group, Sampler } from '../bench.js';
import { twoCores } from '../pin.js';
import { quantileOf, type Rounds, us } from '../rows.js';
import { Sleepers } from '../sleepers.js';

/** Nanoseconds between two wake-ups, in which the other side falls asleep. */
const PAUSE = 100_000;

const quantiles = [
  ['median', 0.5],
  ['99 of 100', 0.99],
  ['999 of 1,000', 0.999],
] as const;

/** Gives every processor something to do until it is taken back. */
function burden(bench: Bench): () => void {
  const burners = Array.from({ length: availableParallelism() }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  for (const burner of burners) bench.adopt(burner);
  return () => {
    for (const burner of burners) burner.kill('SIGKILL');
  };
}

async function run(bench: Bench): Promise<void> {
  const sleepers = new Sleepers(bench, 'bench-wakes');
  const floor = bench.floor('wait', ['wake', PAUSE, ...(twoCores() ?? [])]);
  bench.pinApart(sleepers.peer.child);
  for (const condition of ['idle', 'all processors busy'] as const) {
    const rounds = bench.pick(20, condition === 'idle' ? 4 : 3);
    const samples = condition === 'idle' ? 1000 : bench.pick(1000, 200);
    const sides: Record<string, Sampler> = {
      blocking: () => sleepers.wakes('blocking', samples, PAUSE),
      'event loop': () => sleepers.wakes('event loop', samples, PAUSE),
    };
    if (floor !== undefined) sides['C'] = () => floor.sample(samples, 1);
    const release = condition === 'idle' ? () => {} : burden(bench);
    let taken: Record<string, Rounds>;
    try {
      taken = await bench.interleave(condition, rounds, sides);
    } finally {
      release();
    }
    for (const how of ['blocking', 'event loop']) {
      for (const [label, q] of quantiles) {
        const of = (side: string): Rounds => (taken[side] ?? []).map((values) => [quantileOf(values, q)]);
        bench.record({
          name: `${how}, ${condition}: ${label}`,
          unit: us,
          ours: of(how),
          floor: floor && { what: 'C, futex(2)', rounds: of('C') },
        });
      }
    }
  }
}

export const wakes: Group = {
  name: 'wakes',
  title: 'Waking somebody in another process',
  notes: [
    'From before the word changes until the other process, asleep until then, has read the one monotonic clock; 0.1 ms between two.',
    'Blocking: the thread sleeps. Event loop: the thread sleeps in its event loop, and a promise resolves. Each figure is the median of its rounds.',
    'All processors busy: a program without end on each, of the same priority; the scheduler decides then.',
  ],
  run,
};
