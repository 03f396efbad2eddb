/**
 * The same 64 MiB handed to another process: in place, copied in and out, and by each of Node's own
 * transports. All of them take turns in the same rounds.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { Section, type View } from 'sectile';
import type { Bench, Group, Sampler } from '../bench.js';
import { clock, PAYLOAD_BYTES, produce, type Receipt } from '../payload.js';
import type { Peer } from '../peer.js';
import type { ReceiverAnswer, ReceiverRequest, Way } from '../peers/receiver.js';
import type { WorkerRequest } from '../peers/worker.js';
import { atLeast, type Goal, ms, type Rounds, spread } from '../rows.js';
import { settle } from '../settle.js';
import { CONTROL_WORDS, FLAG, giveAll, type Ring } from '../spin.js';

const NAME = 'bench-handover';

/** A way to hand the payload over, and where it belongs in the table. */
interface Transport {
  readonly name: string;
  readonly kind: 'section' | 'process' | 'thread';
  readonly sample: Sampler;
}

/** How most programs read a socket; it is not the fastest way. */
const EVENTS = 'Unix socket, data events';

const MiB = 2 ** 20;
const rings: readonly { name: string; ring: Ring }[] = [
  { name: 'copied in, then out', ring: { chunk: PAYLOAD_BYTES, slots: 1 } },
  { name: 'copied in and out at once', ring: { chunk: MiB, slots: PAYLOAD_BYTES / MiB } },
  { name: 'copied through a 4 MiB ring', ring: { chunk: MiB, slots: 4 } },
];

/** Counts payloads: no two are alike. */
let stamps = 0;

/** Hands over a payload that is complete, so that nothing but this is timed. */
type Deliver = (stamp: number) => void;

/** Announces a payload, lets `deliver` hand it over, and returns the time until it was checked. */
async function timed(
  peer: Peer<ReceiverAnswer>,
  expect: Way,
  source: Uint8Array,
  whole: boolean,
  deliver: Deliver,
): Promise<number[]> {
  const stamp = ++stamps;
  await settle();
  produce(source, stamp);
  await peer.ask({ expect, stamp, whole } satisfies ReceiverRequest);
  const start = clock();
  deliver(stamp);
  return [elapsed(start, await peer.next())];
}

function elapsed(start: number, { end, wrong }: ReceiverAnswer): number {
  if (end === undefined || wrong !== 0) throw new Error(`${wrong} pages of the payload arrived wrong`);
  return end - start;
}

/** Everything that carries, and the receiver at its other end. */
interface Channels {
  readonly peer: Peer<ReceiverAnswer>;
  /** Receives by IPC with serialization 'json'; it is slow, and left out of a quick run. */
  readonly reader: Peer<ReceiverAnswer> | undefined;
  /** The payload's place in the section, and the words by which the two sides spin. */
  readonly shared: Uint8Array;
  readonly view: View;
  readonly control: Int32Array;
  /** The producer's private memory. */
  readonly own: Uint8Array;
  readonly socket: Socket;
  /** The same, but its other end reads by data events. */
  readonly eventful: Socket;
  readonly named: Socket;
  readonly stdin: Writable;
}

async function connectAll(bench: Bench): Promise<Channels> {
  const section = Section.create({ name: NAME, size: PAYLOAD_BYTES + 4096 });
  bench.defer(() => section.close());
  const view = section.map();
  bench.defer(() => view.close());

  const path = join(bench.temporary, 'handover.sock');
  const fifo = join(bench.temporary, 'handover.fifo');
  execFileSync('mkfifo', [fifo]);
  const server = createServer();
  server.listen(path);
  bench.defer(() => server.close());
  const connections: Socket[] = [];
  server.on('connection', (connection: Socket) => connections.push(connection));

  const peer = bench.peer<ReceiverAnswer>('receiver', { pipes: true });
  await peer.ask({ section: NAME, socket: path, fifo } satisfies ReceiverRequest);
  while (connections.length < 2) await once(server, 'connection');
  const [socket, eventful] = connections;
  const { stdin } = peer.child;
  if (socket === undefined || eventful === undefined || stdin === null) throw new Error('the receiver did not connect');
  const named = new Socket({ fd: openSync(fifo, constants.O_WRONLY), readable: false, writable: true });
  bench.defer(() => {
    for (const stream of [socket, eventful, named, stdin]) stream.destroy();
  });
  return {
    peer,
    reader: bench.quick ? undefined : bench.peer<ReceiverAnswer>('receiver', { serialization: 'json', pipes: true }),
    shared: view.bytes.subarray(0, PAYLOAD_BYTES),
    view,
    control: new Int32Array(view.buffer, view.bytes.byteOffset + PAYLOAD_BYTES, CONTROL_WORDS),
    own: new Uint8Array(PAYLOAD_BYTES).fill(1),
    socket,
    eventful,
    named,
    stdin,
  };
}

/** True once, then false: the first payload of each transport is compared byte for byte. */
function firstTime(): () => boolean {
  let first = true;
  return () => {
    const answer = first;
    first = false;
    return answer;
  };
}

function transport(
  name: string,
  kind: Transport['kind'],
  peer: Peer<ReceiverAnswer>,
  expect: Way,
  source: Uint8Array,
  deliver: Deliver,
): Transport {
  const whole = firstTime();
  return { name, kind, sample: () => timed(peer, expect, source, whole(), deliver) };
}

function sectionTransports({ peer, shared, view, control, own, socket }: Channels): Transport[] {
  return [
    transport('in place', 'section', peer, 'in place', shared, (stamp) => {
      Atomics.store(control, FLAG, stamp);
    }),
    transport('in place, told by a byte', 'section', peer, 'in place, byte', shared, () => {
      socket.write('!');
    }),
    ...rings.map(({ name, ring }) => transport(name, 'section', peer, ring, own, () => giveAll(view, control, own, ring))),
  ];
}

function processTransports({ peer, reader, own, socket, eventful, named, stdin }: Channels): Transport[] {
  const streams = { 'Unix socket': socket, [EVENTS]: eventful, 'child stdin pipe': stdin, 'named pipe': named };
  const transports = Object.entries(streams).map(([name, stream]) =>
    transport(name, 'process', peer, 'stream', own, () => {
      stream.write(own);
    }),
  );
  const send: Deliver = () => peer.send({ data: own } satisfies ReceiverRequest);
  transports.push(transport('IPC, advanced', 'process', peer, 'message', own, send));
  if (reader !== undefined) {
    const sendText: Deliver = () => reader.send({ data: Buffer.from(own.buffer).toString('base64') } satisfies ReceiverRequest);
    transports.push(transport('IPC, json and base64', 'process', reader, 'message', own, sendText));
  }
  return transports;
}

function workerTransports(bench: Bench, { own }: Channels): Transport[] {
  const worker = new Worker(new URL('../peers/worker.js', import.meta.url));
  bench.defer(() => worker.terminate());
  let given = new Uint8Array(PAYLOAD_BYTES).fill(1);
  const post = async (source: Uint8Array, giveBack: boolean, whole: boolean): Promise<number[]> => {
    const stamp = ++stamps;
    await settle();
    produce(source, stamp);
    const request: WorkerRequest = { bytes: source, stamp, whole, giveBack };
    const reply = once(worker, 'message') as Promise<[Receipt & { bytes?: Uint8Array<ArrayBuffer> }]>;
    const start = clock();
    worker.postMessage(request, giveBack ? [source.buffer as ArrayBuffer] : []);
    const [receipt] = await reply;
    if (receipt.bytes !== undefined) given = receipt.bytes;
    return [elapsed(start, receipt)];
  };
  const whole = { copied: firstTime(), transferred: firstTime() };
  return [
    { name: 'worker, copied (a thread)', kind: 'thread', sample: () => post(own, false, whole.copied()) },
    { name: 'worker, transferred (a thread)', kind: 'thread', sample: () => post(given, true, whole.transferred()) },
  ];
}

async function run(bench: Bench): Promise<void> {
  const channels = await connectAll(bench);
  const transports = [...sectionTransports(channels), ...processTransports(channels), ...workerTransports(bench, channels)];
  bench.pinApart(channels.peer.child, channels.reader?.child);
  const sides = Object.fromEntries(transports.map(({ name, sample }) => [name, sample]));
  const results = await bench.interleave('64 MiB by all transports', bench.pick(20, 3), sides, 2);

  const rounds = (name: string): Rounds => results[name] ?? [];
  const median = (name: string): number => spread(rounds(name).flat()).median;
  const others = transports.filter(({ kind }) => kind !== 'section').sort((a, b) => median(a.name) - median(b.name));
  const fastest = others.find(({ kind }) => kind === 'process')?.name;

  const record = (ours: string, what: string, goal?: Goal): void =>
    bench.record({
      name: ours,
      unit: ms,
      ours: rounds(ours),
      floor: { what, rounds: rounds(what) },
      ratioOf: 'floor/ours',
      goal,
    });
  for (const { name } of others) record('in place', name, name === fastest ? atLeast('ratio', 20) : undefined);
  if (fastest === undefined) return;
  record('in place, told by a byte', fastest);
  for (const { name } of rings) {
    record(name, fastest, atLeast('ratio', 2.5));
    record(name, EVENTS);
  }
}

export const handover: Group = {
  name: 'handover',
  title: '64 MiB handed to another process',
  notes: [
    'Timed: from the moment the bytes are complete in the producer until the receiver has checked one 32-bit word of every 4 KiB page,',
    'by the one monotonic clock of both. The first payload of each transport is compared byte for byte as well, outside of the time.',
    'In place: the section is mapped and warm on both sides; the receiver spins on a flag by Atomics, or waits for a byte on a socket. Each process has a core of its own.',
    'Copied: by view.write from the memory of one process into the section, by view.read out into that of the other; at once and ring: in chunks of 1 MiB.',
    'Sockets and pipes are read by onread straight into one prepared buffer, which is the best Node has; by data events each chunk is copied there.',
    'Goals are set beside the fastest transport between processes. Worker threads share a process already and stand here to compare.',
  ],
  run,
};
