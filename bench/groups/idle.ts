/**
 * What ten thousand waits cost a process that does nothing but wait: processor time, memory, and whether each wakes alone.
 */
import { Event, Section } from 'sectile';
import type { Bench, Group } from '../bench.js';
import type { IdlerAnswer, IdlerRequest } from '../peers/idler.js';
import { atMost, type Goal, type Unit, us } from '../rows.js';

const NAME = 'bench-idle';
const WAITS = 10_000;

/** Samples are nanoseconds of processor time for each second. */
const share: Unit = { name: 'ms per s', of: (value) => value / 1e6 };
const megabytes: Unit = { name: 'MB', of: (value) => value / 1e6 };

async function run(bench: Bench): Promise<void> {
  using section = Section.create({ name: NAME, size: WAITS * Event.bytes });
  using view = section.map();
  const events = Array.from({ length: WAITS }, (_, index) => Event.place(view, index * Event.bytes));
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

  const made = await ask({ open: NAME, events: WAITS });
  const without = await rest();
  const begun = await ask({ begin: true });
  const within = await rest();
  bench.record({
    name: 'processor time, 10,000 waits pending',
    unit: share,
    ours: within.processor,
    floor: { what: 'no waits', rounds: without.processor },
    goal: atMost('ours', 1),
  });
  bench.remark(
    'processor time, 10,000 waits pending',
    `/proc/self/stat counted ${within.ticks} ticks of 10 ms in ${(rounds * pause) / 1000} s, ${without.ticks} without waits`,
  );
  const memory = (name: string, bytes: number | undefined, goal?: Goal): void =>
    bench.record({ name, unit: megabytes, ours: [[bytes ?? Number.NaN]], goal });
  memory('10,000 waits, bytes that live', begun.live, atMost('ours', 20));
  memory('10,000 waits, resident', begun.resident);
  memory('10,000 events in a section, bytes that live', made.live);

  const times: number[] = [];
  // Neighbours in memory are far apart in time: 7,919 is a prime.
  for (let turn = 0; turn < WAITS; turn++) {
    const index = (turn * 7919) % WAITS;
    const start = performance.now();
    events[index]?.set();
    const { woken = [] } = await ask({ woken: true });
    times.push((performance.now() - start) * 1e6);
    if (woken.length !== 1 || woken[0] !== index) throw new Error(`waking ${index} alone woke ${woken.join(', ')}`);
  }
  bench.record({ name: 'one event set, and told by IPC', unit: us, ours: [times] });
}

export const idle: Group = {
  name: 'idle',
  title: 'Ten thousand waits pending in one process',
  notes: [
    'Each wait is a promise for an event of its own, all of them in one section. Processor time is of all threads, while the process does nothing else.',
    'Then each event is set alone, by another process, and it is checked that no other wakes.',
  ],
  run,
};
