/**
 * What ten thousand waits cost a process that does nothing but wait: processor time, memory, and whether each is woken alone.
 */
import { Section, wakeAddress } from 'sectile';
import type { Bench, Group } from '../bench.js';
import type { IdlerAnswer, IdlerRequest } from '../peers/idler.js';
import { atMost, type Unit, us } from '../rows.js';

const NAME = 'bench-idle';
const WAITS = 10_000;

/** Samples are nanoseconds of processor time for each second. */
const share: Unit = { name: 'ms per s', of: (value) => value / 1e6 };
const megabytes: Unit = { name: 'MB', of: (value) => value / 1e6 };

async function run(bench: Bench): Promise<void> {
  using section = Section.create({ name: NAME, size: WAITS * 4 });
  using view = section.map();
  const words = view.as(Int32Array);
  const peer = bench.peer<IdlerAnswer>('idler');
  const ask = (request: IdlerRequest): Promise<IdlerAnswer> => peer.ask(request);
  const rounds = bench.pick(5, 2);
  const pause = bench.pick(2000, 500);
  const rest = async (): Promise<{ processor: number[][]; ticks: number }> => {
    const processor: number[][] = [];
    let ticks = 0;
    // Thrown away: what V8 has still to do about what was made before.
    await ask({ rest: 1000 });
    for (let round = 0; round < rounds; round++) {
      const answer = await ask({ rest: pause });
      processor.push([(answer.processor ?? Number.NaN) / (pause / 1000)]);
      ticks += answer.ticks ?? Number.NaN;
    }
    return { processor, ticks };
  };

  const before = (await ask({ open: NAME })).memory ?? 0;
  const without = await rest();
  const after = (await ask({ begin: WAITS })).memory ?? 0;
  const within = await rest();
  bench.record({
    name: 'processor time, 10,000 waits pending',
    unit: share,
    ours: within.processor,
    floor: { what: 'the same process, no waits', rounds: without.processor },
    goal: atMost('ours', 1),
  });
  bench.remark(
    'processor time, 10,000 waits pending',
    `/proc/self/stat counted ${within.ticks} ticks of 10 ms in ${(rounds * pause) / 1000} s, ${without.ticks} without waits`,
  );
  bench.record({ name: 'memory, 10,000 waits pending', unit: megabytes, ours: [[after - before]], goal: atMost('ours', 20) });

  const times: number[] = [];
  // Neighbours in memory are far apart in time: 7,919 is a prime.
  for (let turn = 0; turn < WAITS; turn++) {
    const index = (turn * 7919) % WAITS;
    const start = performance.now();
    Atomics.store(words, index, 1);
    wakeAddress(view, index * 4);
    const { woken = [] } = await ask({ woken: true });
    times.push((performance.now() - start) * 1e6);
    if (woken.length !== 1 || woken[0] !== index) throw new Error(`waking ${index} alone woke ${woken.join(', ')}`);
  }
  bench.record({ name: 'one of them woken, and told by IPC', unit: us, ours: [times] });
}

export const idle: Group = {
  name: 'idle',
  title: 'Ten thousand waits pending in one process',
  notes: [
    'Each wait is a promise for a word of its own in one section. Processor time is of all threads, while the process does nothing else.',
    'Then each is woken alone, by another process, and it is checked that no other wakes.',
  ],
  run,
};
