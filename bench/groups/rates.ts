/**
 * Messages per second from one process to another, by size: through a ring in shared memory, in C likewise, and by each of
 * Node's own transports. All of them take turns in the same rounds, and each copies a message in and out.
 */
import type { Bench, Group } from '../bench.js';
import { BATCH, batchOf, ringBytes, sizes } from '../carry/load.js';
import type { Way } from '../carry/moves.js';
import { RunRing } from '../carry/ring.js';
import { openTransports, PACKED_NAME, type Transport } from '../carry/transports.js';
import { paced } from '../pace.js';
import { twoCores } from '../pin.js';
import { atLeast, bandwidth, type Goal, type Rounds, spread, type Unit } from '../rows.js';
import { type Kind, point } from '../series.js';

const ONE = 'Ring, one by one';
const BATCHED = `Ring, batches of ${BATCH}`;
const C_ONE = 'C ring, one by one';
const C_ONE_AHEAD = 'C ring, one by one, lines ahead';
const SEVERAL = 'Ring, two producers';
const ways: Readonly<Record<string, Way>> = { [ONE]: 'one by one', [BATCHED]: 'batches', [SEVERAL]: 'two producers' };
const MEMCPY = 'memcpy';
/** What memcpy is measured with: more than any cache holds. */
const COPY_BYTES = 2 ** 26;

/** Samples are nanoseconds for a message. */
const millions: Unit = { name: 'M/s', of: (value) => 1e3 / value };
const thousands: Unit = { name: 'k/s', of: (value) => 1e6 / value };

interface Side {
  readonly name: string;
  readonly kind: Kind;
  /** Nanoseconds for each of so many messages. */
  readonly run: (count: number) => number | Promise<number>;
}

/** Ours, C and Node's for one size. */
function sidesOf(bench: Bench, ring: RunRing, transports: readonly Transport[], bytes: number): Side[] {
  const sides: Side[] = Object.entries(ways).map(([name, way]) => ({
    name,
    kind: 'sectile',
    run: (count) => ring.run(way, bytes, count),
  }));
  for (const [name, batch, ...tactics] of [
    [C_ONE, 1],
    [C_ONE_AHEAD, 1, 'ahead'],
    [`C ring, batches of ${BATCH}`, batchOf(bytes)],
  ] as const) {
    const floor = bench.floor('ring', [bytes, ringBytes(bytes), batch, ...tactics, ...(twoCores() ?? [])]);
    if (floor === undefined) continue;
    sides.push({ name, kind: 'c', run: async (count) => (await floor.sample(1, count))[0] ?? Number.NaN });
  }
  for (const transport of transports) {
    if (bytes > transport.longest) continue;
    const kind = transport.child === undefined ? 'thread' : 'process';
    sides.push({ name: transport.name, kind, run: (count) => transport.run(bytes, count) });
  }
  return sides;
}

/** The rows of one size. */
function record(bench: Bench, label: string, bytes: number, sides: readonly Side[], taken: Record<string, Rounds>): void {
  const unit = bytes <= 1024 ? millions : thousands;
  const row = (ours: string, what?: string, goal?: Goal): void => {
    const rounds = what === undefined ? undefined : taken[what];
    if (what !== undefined && rounds === undefined) return;
    const floor = what === undefined || rounds === undefined ? undefined : { what, rounds };
    bench.record({ name: `${label}, ${ours}`, unit, ours: taken[ours] ?? [], floor, goal });
  };
  const small = bytes === 64;
  row(ONE, C_ONE, small ? atLeast('ratio', 0.6) : undefined);
  row(ONE, C_ONE_AHEAD);
  row(BATCHED, `C ring, batches of ${BATCH}`, small ? atLeast('ratio', 0.6) : undefined);
  if (small) {
    row(ONE, undefined, atLeast('ours', 15));
    row(BATCHED, undefined, atLeast('ours', 40));
  }
  row(SEVERAL);
  const median = (name: string): number => spread((taken[name] ?? []).flat()).median;
  const others = sides
    .filter(({ kind }) => kind === 'process' || kind === 'thread')
    .sort((a, b) => median(a.name) - median(b.name));
  // What is packed by hand is no transport of Node's own: the goal is set beside the next.
  const fastest = others.find(({ name }) => name !== PACKED_NAME);
  for (const { name } of others) row(BATCHED, name, small && name === fastest?.name ? atLeast('ratio', 20) : undefined);
  const copied = taken[MEMCPY];
  if (copied === undefined) return;
  const gigabytes = bandwidth(bytes);
  bench.record({
    name: `${label}, ${BATCHED}, payload`,
    unit: gigabytes,
    ours: taken[BATCHED] ?? [],
    floor: { what: 'memcpy of 64 MiB', rounds: copied },
    goal: atLeast('ratio', 0.6),
  });
}

/**
 * Messages of each kind before anything is timed. The loops are compiled beside the message that they move, on a processor that both need:
 * one by one they go at their full speed behind some millions.
 */
const WARM_UP: readonly (readonly [Way, bytes: number, count: number])[] = [
  ['one by one', 64, 3_000_000],
  ['one by one', 1024, 100_000],
  ['batches', 64, 3_000_000],
  ['batches', 1024, 100_000],
  ['two producers', 64, 50_000],
  ['two producers', 1024, 50_000],
];

async function warmUp(ring: RunRing): Promise<void> {
  for (const [way, bytes, count] of WARM_UP) await ring.run(way, bytes, count);
}

async function run(bench: Bench): Promise<void> {
  const ring = new RunRing(bench);
  const transports = await openTransports(bench);
  const memcpy = bench.floor('memcpy', [COPY_BYTES]);
  bench.pinApart(ring.child, ...transports.map(({ child }) => child));
  await warmUp(ring);
  for (const { label, bytes } of sizes) {
    if (!bench.wants(`${label}, ${BATCHED}`)) continue;
    const sides = sidesOf(bench, ring, transports, bytes);
    const time = bench.pick(60, 20);
    const samplers = Object.fromEntries(sides.map(({ name, run }) => [name, paced(time, run)]));
    if (memcpy !== undefined && bytes === 1024) {
      // Of so much memory, what one message of it would take.
      samplers[MEMCPY] = async () => (await memcpy.sample(1, 1)).map((whole) => (whole / COPY_BYTES) * bytes);
    }
    const taken = await bench.interleave(label, bench.pick(12, 4), samplers, 4);
    for (const { name, kind } of sides) bench.points.push(point('throughput', name, kind, bytes, taken[name] ?? []));
    record(bench, label, bytes, sides, taken);
  }
}

export const rates: Group = {
  name: 'rates',
  title: 'Messages per second from one process to another',
  notes: [
    'Every message is stamped, copied in, copied out and its stamp checked, until the other side has the last one. Sizes are fixed, lengths are sent.',
    'Sockets and pipes: one write for each message, 32 of them in one system call, read straight into one prepared buffer. Packed: by hand, into blocks of 64 KiB.',
    'IPC: the channel of child_process. Worker and MessagePort carry to a thread of the same process.',
    'Batches: messages of 64 KiB and more go one by one there, too. The ring holds 256 KiB, or four messages of 1 MiB.',
    'C: a ring likewise, with sleep and wake-up, each side on a core of its own. Lines ahead: it takes the cache lines of free room ahead',
    'and puts off looks that find little, as Sectile does.',
  ],
  run,
};
