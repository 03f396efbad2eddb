/**
 * The same 64 MiB handed to another process: in place, copied in and out, and by each of Node's own
 * transports. All of them take turns in the same rounds.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Section } from 'sectile';
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

const MiB = 2 ** 20;
const rings: readonly { name: string; ring: Ring }[] = [
  { name: 'copied in, then out', ring: { chunk: PAYLOAD_BYTES, slots: 1 } },
  { name: 'copied in and out at once', ring: { chunk: MiB, slots: PAYLOAD_BYTES / MiB } },
  { name: 'copied through a 4 MiB ring', ring: { chunk: MiB, slots: 4 } },
];

/** Counts payloads; the first of each transport is compared byte for byte. */
let stamps = 0;

/** Announces a payload, lets `deliver` hand it over, and returns the time until it was checked. */
async function timed(
  peer: Peer<ReceiverAnswer>,
  expect: Way,
  source: Uint8Array,
  whole: boolean,
  deliver: (stamp: number) => void,
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

/** Everything that carries: the section, the channels of Node, and both receivers. */
async function connectAll(bench: Bench): Promise<Transport[]> {
  const section = Section.create({ name: NAME, size: PAYLOAD_BYTES + 4096 });
  bench.defer(() => section.close());
  const view = section.map();
  bench.defer(() => view.close());
  const shared = view.bytes.subarray(0, PAYLOAD_BYTES);
  const control = new Int32Array(view.buffer, view.bytes.byteOffset + PAYLOAD_BYTES, CONTROL_WORDS);
  const own = new Uint8Array(PAYLOAD_BYTES).fill(1);

  const path = join(bench.temporary, 'handover.sock');
  const fifo = join(bench.temporary, 'handover.fifo');
  execFileSync('mkfifo', [fifo]);
  const server = createServer();
  server.listen(path);
  bench.defer(() => server.close());
  const peer = bench.peer<ReceiverAnswer>('receiver', { pipes: true });
  const connections: Socket[] = [];
  server.on('connection', (connection: Socket) => connections.push(connection));
  await peer.ask({ section: NAME, socket: path, fifo } satisfies ReceiverRequest);
  while (connections.length < 2) await once(server, 'connection');
  const [socket, eventful] = connections;
  if (socket === undefined || eventful === undefined) throw new Error('the receiver did not connect');
  const named = new Socket({ fd: openSync(fifo, constants.O_WRONLY), readable: false, writable: true });
  const { stdin } = peer.child;
  if (stdin === null) throw new Error('the receiver has no pipe');
  bench.defer(() => {
    for (const stream of [socket, eventful, named, stdin]) stream.destroy();
  });

  const transport = (
    name: string,
    kind: Transport['kind'],
    expect: Way,
    source: Uint8Array,
    deliver: (stamp: number) => void,
    receiver = peer,
  ): Transport => {
    let whole = true;
    const sample = async (): Promise<number[]> => {
      const samples = await timed(receiver, expect, source, whole, deliver);
      whole = false;
      return samples;
    };
    return { name, kind, sample };
  };

  const transports = [
    transport('in place', 'section', 'in place', shared, (stamp) => {
      Atomics.store(control, FLAG, stamp);
    }),
    transport('in place, told by a byte', 'section', 'in place, byte', shared, () => {
      socket.write('!');
    }),
    ...rings.map(({ name, ring }) => transport(name, 'section', ring, own, () => giveAll(shared, control, own, ring))),
    transport('Unix socket', 'process', 'stream', own, () => {
      socket.write(own);
    }),
    transport('Unix socket, data events', 'process', 'stream', own, () => {
      eventful.write(own);
    }),
    transport('child stdin pipe', 'process', 'stream', own, () => {
      stdin.write(own);
    }),
    transport('named pipe', 'process', 'stream', own, () => {
      named.write(own);
    }),
    transport('IPC, advanced', 'process', 'message', own, () => {
      peer.send({ data: own } satisfies ReceiverRequest);
    }),
    ...workerTransports(bench, own),
  ];
  if (!bench.quick) {
    const reader = bench.peer<ReceiverAnswer>('receiver', { serialization: 'json', pipes: true });
    const deliver = (): void => reader.send({ data: Buffer.from(own.buffer).toString('base64') } satisfies ReceiverRequest);
    transports.push(transport('IPC, json and base64', 'process', 'message', own, deliver, reader));
  }
  return transports;
}

function workerTransports(bench: Bench, own: Uint8Array): Transport[] {
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
  const first = { copy: true, transfer: true };
  return [
    {
      name: 'worker, copied (a thread)',
      kind: 'thread',
      sample: async () => post(own, false, first.copy).finally(() => (first.copy = false)),
    },
    {
      name: 'worker, transferred (a thread)',
      kind: 'thread',
      sample: async () => post(given, true, first.transfer).finally(() => (first.transfer = false)),
    },
  ];
}

async function run(bench: Bench): Promise<void> {
  const transports = await connectAll(bench);
  const sides = Object.fromEntries(transports.map(({ name, sample }) => [name, sample]));
  const results = await bench.interleave('64 MiB by all transports', bench.pick(20, 5), sides, 2);

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
  for (const { name } of rings) record(name, fastest, atLeast('ratio', 2.5));
}

export const handover: Group = {
  name: 'handover',
  title: '64 MiB handed to another process',
  notes: [
    'Timed: from the moment the bytes are complete in the producer until the receiver has checked one 32-bit word of every 4 KiB page,',
    'by the one monotonic clock of both. The first payload of each transport is compared byte for byte as well, outside of the time.',
    'In place: the section is mapped and warm on both sides; the receiver spins on a flag by Atomics, or waits for a byte on a socket.',
    'Copied: from the memory of one process into the section and out into the memory of the other; at once and ring: in chunks of 1 MiB.',
    'Sockets and pipes are read by onread straight into one prepared buffer, which is the best Node has; by data events each chunk is copied there.',
    'Goals are set beside the fastest transport between processes. Worker threads share a process already and stand here to compare.',
  ],
  run,
};
