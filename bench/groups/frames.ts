/**
 * Frames of 8 MiB from one process to another: through a pool, where nothing is copied, and by Node's own transports.
 */
import { Pool, type PoolProducer } from 'sectile/channel';
import type { Bench, Group, Sampler } from '../bench.js';
import { FRAME, stamp } from '../carry/load.js';
import { openTransports } from '../carry/transports.js';
import { paced } from '../pace.js';
import { clock } from '../payload.js';
import type { Peer } from '../peer.js';
import type { ViewerAnswer, ViewerRequest } from '../peers/viewer.js';
import type { Unit } from '../rows.js';

const NAME = 'bench-frames';
const BLOCKS = 4;
const OURS = 'Pool, in place';
/** The others of Node's are slower than the slowest of these. */
const others = ['Unix socket', 'worker postMessage', 'IPC, advanced'];

/** Samples are nanoseconds for a frame. */
const frames: Unit = { name: 'frames/s', of: (value) => 1e9 / value };

async function send(pool: PoolProducer, peer: Peer<ViewerAnswer>, count: number): Promise<number> {
  await peer.ask({ pool: NAME, bytes: FRAME, count } satisfies ViewerRequest);
  await pool.attached();
  const start = clock();
  for (let number = 0; number < count; number++) {
    const block = await pool.acquire();
    stamp(block.bytes, number);
    block.publish();
  }
  const { end } = await peer.next();
  if (end === undefined) throw new Error('the viewer answered out of turn');
  return (end - start) / count;
}

async function run(bench: Bench): Promise<void> {
  const pool = Pool.create({ name: NAME, blockSize: FRAME, blocks: BLOCKS });
  bench.defer(() => pool.close());
  const peer = bench.peer<ViewerAnswer>('viewer');
  const transports = (await openTransports(bench)).filter(({ name }) => others.includes(name));
  const memcpy = bench.floor('memcpy', [FRAME]);
  bench.pinApart(peer.child, ...transports.map(({ child }) => child));
  const time = bench.pick(150, 50);
  const sides: Record<string, Sampler> = { [OURS]: paced(time, (count) => send(pool, peer, count)) };
  for (const each of transports) sides[each.name] = paced(time, (count) => each.run(FRAME, count));
  if (memcpy !== undefined) sides['memcpy'] = () => memcpy.sample(1, 8);
  const taken = await bench.interleave('frames of 8 MiB', bench.pick(12, 4), sides, 3);
  for (const name of Object.keys(sides).filter((name) => name !== OURS)) {
    const what = name === 'memcpy' ? 'C, memcpy of each' : name;
    bench.record({ name: OURS, unit: frames, ours: taken[OURS] ?? [], floor: { what, rounds: taken[name] ?? [] } });
  }
}

export const frameGroup: Group = {
  name: 'frames',
  title: 'Frames of 8 MiB from one process to another',
  notes: [
    'The producer writes one word of every 4 KiB of a frame, the consumer checks them. In place: where the frame stands, in a pool of four blocks; both await promises.',
    'memcpy: what copying a frame once costs in C, and nothing else.',
  ],
  run,
};
