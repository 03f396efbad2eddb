/**
 * Peer of the ring benchmarks: takes messages, sends some as the second producer, or sends back what comes.
 */
import { Ring, type RingConsumer, type RingProducer } from 'sectile/channel';
import { echo, sendEach, type TripWay, takeBatches, takeEach, type Way } from '../carry/moves.js';
import { clock } from '../payload.js';
import { answer, serve } from '../peer.js';

export type RingerRequest =
  | { readonly take: Way; readonly ring: string; readonly bytes: number; readonly count: number }
  | { readonly send: string; readonly bytes: number; readonly count: number }
  | { readonly echo: TripWay; readonly there: string; readonly back: string; readonly bytes: number; readonly count: number };

export interface RingerAnswer {
  /** The clock when all was done. Absent in the first answer: the peer begins. */
  readonly end?: number;
}

const consumers = new Map<string, RingConsumer>();
const producers = new Map<string, RingProducer>();

/** The one role that this process has in a ring, taken when it is first needed. */
function roleIn<Role>(roles: Map<string, Role>, name: string, take: (ring: Ring) => Role): Role {
  let role = roles.get(name);
  if (role === undefined) {
    role = take(Ring.open(name));
    roles.set(name, role);
  }
  return role;
}

const consumerIn = (name: string): RingConsumer => roleIn(consumers, name, (ring) => ring.consumer());
const producerIn = (name: string): RingProducer => roleIn(producers, name, (ring) => ring.producer());

serve<RingerRequest>(async (request) => {
  const { bytes, count } = request;
  if ('take' in request) {
    const consumer = consumerIn(request.ring);
    await answer({});
    if (request.take === 'batches') takeBatches(consumer, bytes, count);
    else takeEach(consumer, bytes, count);
  } else if ('send' in request) {
    const producer = producerIn(request.send);
    await answer({});
    sendEach(producer, bytes, count, 1);
  } else {
    const from = consumerIn(request.there);
    const to = producerIn(request.back);
    await answer({});
    await echo(request.echo, from, to, bytes, count);
  }
  await answer({ end: clock() });
});
