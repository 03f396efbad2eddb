/**
 * Peer of the frames benchmark: takes frames out of the pool in place, checks and gives back each.
 */
import { Pool, type PoolConsumer } from 'sectile/channel';
import { check } from '../carry/load.js';
import { clock } from '../payload.js';
import { answer, serve } from '../peer.js';

export interface ViewerRequest {
  readonly pool: string;
  readonly bytes: number;
  readonly count: number;
}

export interface ViewerAnswer {
  /** The clock when the last frame was checked. Absent in the first answer: the viewer is attached. */
  readonly end?: number;
}

let consumer: PoolConsumer | undefined;

serve<ViewerRequest>(async ({ pool, bytes, count }) => {
  consumer ??= Pool.open(pool);
  await answer({});
  for (let number = 0; number < count; number++) {
    const frame = await consumer.next();
    if (frame === null) throw new Error('the producer has closed the pool');
    check(frame.bytes, bytes, number);
    frame.release();
  }
  await answer({ end: clock() });
});
