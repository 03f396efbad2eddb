/**
 * Events, mutexes and semaphores with nobody to contend: what each pair of calls costs, beside what C has for the same.
 */
import { Event, Mutex, Section, Semaphore } from 'sectile';
import type { Bench, Group } from '../bench.js';
import { us } from '../rows.js';

/** Pairs of calls in one sample. */
const BATCH = 2000;

interface Pair {
  readonly name: string;
  /** The floor's mode, and what it is. */
  readonly floor: string;
  readonly what: string;
  /** Does both once. */
  readonly once: () => void;
}

/** Times `count` samples of a pair. */
function measure(once: () => void, count: number): number[] {
  const samples: number[] = [];
  for (let sample = 0; sample < count; sample++) {
    const start = performance.now();
    for (let i = 0; i < BATCH; i++) once();
    samples.push(((performance.now() - start) * 1e6) / BATCH);
  }
  return samples;
}

function expect(ended: boolean, what: string): void {
  if (!ended) throw new Error(`${what} was not to be had, though nobody else wants it`);
}

async function run(bench: Bench): Promise<void> {
  using section = Section.create({ size: 4096 });
  using view = section.map();
  using event = Event.place(view, 0);
  using mutex = Mutex.place(view, 128);
  using semaphore = Semaphore.place(view, 256, { count: 0, maximum: 1 });
  const pairs: readonly Pair[] = [
    {
      name: 'event: set, wait',
      floor: 'event',
      what: 'C, eventfd(2)',
      once: () => {
        event.set();
        expect(event.waitSync(), 'the event');
      },
    },
    {
      name: 'mutex: wait, release',
      floor: 'mutex',
      what: 'C, robust pthread mutex',
      once: () => {
        expect(mutex.waitSync() === 'owned', 'the mutex');
        mutex.release();
      },
    },
    {
      name: 'semaphore: release, wait',
      floor: 'semaphore',
      what: 'C, POSIX semaphore',
      once: () => {
        semaphore.release();
        expect(semaphore.waitSync(), 'the semaphore');
      },
    },
  ];
  const samples = bench.pick(20, 10);
  for (const { name, floor: mode, what, once } of pairs) {
    const floor = bench.floor('objects', [mode]);
    await bench.compare({
      name,
      unit: us,
      rounds: bench.pick(30, 10),
      ours: () => measure(once, samples),
      floor: floor && (() => floor.sample(samples, BATCH)),
      what,
    });
  }
}

export const objects: Group = {
  name: 'objects',
  title: 'Dispatcher objects that nobody else wants',
  notes: [
    'Both calls of a pair together, of objects placed in a section; waits that block, and have nothing to wait for.',
    'C: eventfd(2) is two system calls, the mutex and the semaphore none. A process that is killed gives up a robust mutex, as ours.',
  ],
  run,
};
