/**
 * Round trips between two processes that sleep while they wait, over words of one section: beside futex(2) in C, and beside
 * a Unix socket, which is what Node's event loop has otherwise.
 */
import type { Bench, Group } from '../bench.js';
import { openSocket } from '../carry/transports.js';
import { oneCore, twoCores } from '../pin.js';
import { atMost, type Goal, us } from '../rows.js';
import { Sleepers } from '../sleepers.js';

const MESSAGE_BYTES = 64;
/** Round trips in one sample, and samples in a round. */
const BATCH = 50;

async function run(bench: Bench): Promise<void> {
  const sleepers = new Sleepers(bench, 'bench-waits');
  const socket = await openSocket(bench);
  const samples = bench.pick(20, 8);
  const rounds = bench.pick(30, 10);
  const blocking = (where: string, cores: readonly number[], goal?: Goal, floorLooks = false): Promise<void> => {
    const floor = bench.floor('wait', [floorLooks ? 'look' : 'trip', ...cores]);
    return bench.compare({
      name: `round trip, blocking, ${where}${floorLooks ? '; C looks first, too' : ''}`,
      unit: us,
      rounds,
      ours: () => sleepers.trips('blocking', samples, BATCH),
      floor: floor && (() => floor.sample(samples, BATCH)),
      what: floorLooks ? 'C, looks, then futex(2)' : 'C, futex(2)',
      goal,
    });
  };
  const core = oneCore();
  const release = bench.pinTogether(sleepers.peer.child);
  if (release === undefined) bench.skip('round trip, blocking, both on one core', 'there is no taskset(1)');
  else await blocking('both on one core', [core, core], atMost('ratio', 1.2));
  release?.();
  bench.pinApart(sleepers.peer.child, socket.child);
  await blocking('each on its own', twoCores() ?? [], atMost('ratio', 1.2));
  await blocking('each on its own', twoCores() ?? [], undefined, true);
  await bench.compare({
    name: 'round trip through the event loop',
    unit: us,
    rounds,
    ours: () => sleepers.trips('event loop', samples, BATCH),
    floor: () => socket.trips(MESSAGE_BYTES, samples * BATCH),
    what: 'Unix socket, 64 B',
    goal: atMost('ratio', 1),
  });
}

export const waits: Group = {
  name: 'waits',
  title: 'Round trips between two processes that sleep',
  notes: [
    'Each side changes a word, wakes the other and sleeps until its own word has changed.',
    'Blocking: the thread sleeps, as in C with FUTEX_WAIT and FUTEX_WAKE. Event loop: both sides await a promise, each on a core of its own.',
    'A thread that blocks looks at the word for up to 50 microseconds before it sleeps, where that helps. On one core it lets the other go',
    'first meanwhile: one switch for each turn, where C sleeps, is woken, and switches.',
  ],
  run,
};
