/**
 * Round trips of a message between two processes through the event loop, by size, beside each of Node's own transports: the
 * other side sends every message back.
 */
import type { Bench, Group } from '../bench.js';
import { InPlace } from '../carry/in-place.js';
import { sizes } from '../carry/load.js';
import { TripRing } from '../carry/ring.js';
import { openTransports } from '../carry/transports.js';
import { atLeast, type Goal, spread, us } from '../rows.js';
import { type Kind, point } from '../series.js';

const BLOCKING = 'Ring, blocking';
const THROUGH_LOOP = 'Ring, event loop';
const IN_RING = 'Ring in place, event loop';
const PLACED = 'section in place, event loop';
const SOCKET = 'Unix socket';
const MiB = 2 ** 20;

/** Trips of one round: fewer of long messages, which the others take milliseconds for. */
function tripsOf(bench: Bench, kind: Kind, bytes: number): number {
  return Math.max(4, Math.round(bench.pick(200, 80) / (1 + bytes / (kind === 'sectile' ? MiB : 2 ** 16))));
}

/** What the project wants beside a Unix socket. */
function goalOf(name: string, bytes: number): Goal | undefined {
  if (name === THROUGH_LOOP && bytes === 64) return atLeast('ratio', 1);
  return name === PLACED && bytes === MiB ? atLeast('ratio', 10) : undefined;
}

interface Side {
  readonly name: string;
  readonly kind: Kind;
  readonly run: (bytes: number, count: number) => Promise<number[]>;
}

async function run(bench: Bench): Promise<void> {
  const place = new InPlace(bench, 'bench-trips', MiB);
  const transports = (await openTransports(bench)).filter(({ longest }) => longest >= MiB);
  const ring = new TripRing(bench, MiB);
  const ours: Side[] = [
    { name: BLOCKING, kind: 'sectile', run: (bytes, count) => ring.trips('blocking', bytes, count) },
    { name: THROUGH_LOOP, kind: 'sectile', run: (bytes, count) => ring.trips('event loop', bytes, count) },
    { name: IN_RING, kind: 'sectile', run: (bytes, count) => ring.trips('in place', bytes, count) },
    { name: PLACED, kind: 'sectile', run: (bytes, count) => place.trips(bytes, count) },
  ];
  const others: Side[] = transports.map((each) => ({
    name: each.name,
    kind: each.child === undefined ? 'thread' : 'process',
    run: (bytes, count) => each.trips(bytes, count),
  }));
  bench.pinApart(place.peer.child, ring.peer.child, ...transports.map(({ child }) => child));
  const all = [...ours, ...others];
  for (const { label, bytes } of sizes) {
    if (![...ours].some(({ name }) => bench.wants(`${label}, ${name}`))) continue;
    const samplers = Object.fromEntries(all.map(({ name, kind, run }) => [name, () => run(bytes, tripsOf(bench, kind, bytes))]));
    const taken = await bench.interleave(label, bench.pick(12, 4), samplers, 2);
    for (const { name, kind } of all) bench.points.push(point('latency', name, kind, bytes, taken[name] ?? []));
    const median = (name: string): number => spread((taken[name] ?? []).flat()).median;
    const byTime = [...others].sort((a, b) => median(a.name) - median(b.name));
    for (const { name } of ours) {
      for (const other of byTime) {
        // All of Node's stand beside one of ours; what most would take, beside the others.
        if (name !== THROUGH_LOOP && other.name !== SOCKET) continue;
        bench.record({
          name: `${label}, ${name}`,
          unit: us,
          ours: taken[name] ?? [],
          floor: { what: other.name, rounds: taken[other.name] ?? [] },
          ratioOf: 'floor/ours',
          goal: other.name === SOCKET ? goalOf(name, bytes) : undefined,
        });
      }
    }
  }
}

export const trips: Group = {
  name: 'trips',
  title: 'Round trips of a message between two processes',
  notes: [
    'A message there and one of the same size back, both stamped and checked once in every 4 KiB.',
    'Ring: copied in and out, through a ring for each direction; blocking, or both sides with promises.',
    'Ring in place: written where it is claimed, and read where it stands, on both sides.',
    'Section in place: the messages stand in a section of both, and a word for each direction tells of them; both sides await promises.',
  ],
  run,
};
