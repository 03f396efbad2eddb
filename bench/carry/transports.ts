/**
 * The near end of Node's own transports: opens every one to a carrier of its own, sends runs of messages and round trips
 * through it, and returns their times.
 */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { MessageChannel } from 'node:worker_threads';
import type { Bench } from '../bench.js';
import { within } from '../patience.js';
import { clock } from '../payload.js';
import type { CarrierAnswer, CarrierRequest } from './carrier.js';
import { check, FRAME, makeMessage, stamp } from './load.js';
import { ThreadCarrier } from './thread.js';
import {
  ChannelSender,
  cargo,
  type Listener,
  PACKED,
  PackingSender,
  PortSender,
  readDescriptor,
  receiving,
  type Sender,
  StreamSender,
  writeDescriptor,
} from './wire.js';

/** How a carrier is asked: by a process's channel, or by a port. */
interface Conversation {
  ask(request: CarrierRequest): Promise<CarrierAnswer>;
  next(): Promise<CarrierAnswer>;
}

/** The one that is nobody's own. */
export const PACKED_NAME = 'socket, packed';

/** As many messages as lie between two waits for the system, and no more than this many bytes. */
const BURST = 1024;
const BURST_BYTES = 2 ** 18;

export class Transport {
  readonly name: string;
  /** The other process; undefined where the other side is a thread. */
  readonly child: ChildProcess | undefined;
  /** The longest message worth sending so. */
  readonly longest: number;
  readonly #carrier: Conversation;
  readonly #sender: Sender;
  #took: Listener = () => {};

  constructor(name: string, carrier: Conversation, sender: Sender, child?: ChildProcess) {
    this.name = name;
    this.child = child;
    this.#carrier = carrier;
    this.#sender = sender;
    this.longest = sender instanceof PackingSender ? PACKED : FRAME;
  }

  /** Is told of every message that comes back. */
  readonly back: Listener = (message) => this.#took(message);

  /** Sends `count` messages; nanoseconds for each, until the other side has the last one. */
  async run(bytes: number, count: number): Promise<number> {
    const burst = Math.max(1, Math.min(BURST, Math.floor(BURST_BYTES / bytes)));
    const messages = Array.from({ length: burst }, () => makeMessage(bytes));
    await this.#carrier.ask({ take: count, bytes });
    const start = clock();
    for (let sent = 0; sent < count; ) {
      for (const message of messages) {
        if (sent === count) break;
        stamp(message, sent++);
        this.#sender.send(message);
      }
      await this.#sender.flush();
    }
    const { end } = await this.#carrier.next();
    if (end === undefined) throw new Error(`${this.name}: the carrier answered out of turn`);
    return (end - start) / count;
  }

  /** Sends `count` messages, each when the one before is back; the nanoseconds of each round trip. */
  async trips(bytes: number, count: number): Promise<number[]> {
    await this.#carrier.ask({ echo: count });
    const message = makeMessage(bytes);
    const times: number[] = [];
    const done = new Promise<void>((resolve, reject) => {
      let start = 0;
      const send = (): void => {
        start = performance.now();
        stamp(message, times.length);
        this.#sender.send(message);
        void this.#sender.flush();
      };
      this.#took = (answer) => {
        try {
          check(answer, bytes, times.length);
        } catch (error) {
          reject(error);
        }
        times.push((performance.now() - start) * 1e6);
        if (times.length < count) send();
        else resolve();
      };
      send();
    });
    await within(`${count} round trips by ${this.name}`, done);
    return times;
  }
}

/** A process's own channel. */
function channel(bench: Bench, serialization: 'json' | 'advanced'): Transport {
  const peer = bench.peer<CarrierAnswer>('carrier', { serialization, args: [serialization] });
  const sender = new ChannelSender(peer.child, serialization === 'json');
  const transport = new Transport(`IPC, ${serialization}`, peer, sender, peer.child);
  peer.child.on('message', (message) => {
    const carried = cargo(message);
    if (carried !== undefined) transport.back(carried);
  });
  return transport;
}

let paths = 0;

/** Where nothing is yet: each group opens transports of its own. */
function twoPaths(bench: Bench): readonly [there: string, back: string] {
  paths++;
  return [join(bench.temporary, `${paths}.there`), join(bench.temporary, `${paths}.back`)];
}

/** A Unix socket for each direction: only who connects can have a socket read straight into his buffer. */
async function socket(bench: Bench, name: string, Way: new (stream: Socket) => Sender): Promise<Transport> {
  const peer = bench.peer<CarrierAnswer>('carrier');
  const [there, back] = twoPaths(bench);
  const server = createServer().listen(there);
  bench.defer(() => server.close());
  const connection = once(server, 'connection') as Promise<[Socket]>;
  await once(server, 'listening');
  await peer.ask({ open: 'socket', there, back } satisfies CarrierRequest);
  const [out] = await connection;
  const transport = new Transport(name, peer, new Way(out), peer.child);
  const into = connect({ path: back, ...receiving(FRAME, transport.back) });
  await once(into, 'connect');
  bench.defer(() => {
    into.destroy();
    out.destroy();
  });
  return transport;
}

/** Two named pipes. They are read and written as sockets are, by the event loop: streams of node:fs use its threads, and are slower. */
async function fifo(bench: Bench): Promise<Transport> {
  const peer = bench.peer<CarrierAnswer>('carrier');
  const [there, back] = twoPaths(bench);
  execFileSync('mkfifo', [there, back]);
  let transport: Transport | undefined;
  const into = readDescriptor(openSync(back, constants.O_RDONLY | constants.O_NONBLOCK), FRAME, (message) =>
    transport?.back(message),
  );
  await peer.ask({ open: 'fifo', there, back } satisfies CarrierRequest);
  const out = writeDescriptor(openSync(there, constants.O_WRONLY));
  bench.defer(() => {
    into.destroy();
    out.destroy();
  });
  transport = new Transport('named pipe', peer, new StreamSender(out), peer.child);
  return transport;
}

/** A worker's own port. */
function worker(bench: Bench): Transport {
  const thread = new ThreadCarrier();
  bench.defer(() => thread.worker.terminate());
  const transport = new Transport('worker postMessage', thread, new PortSender(thread.worker));
  thread.worker.on('message', (message) => {
    const carried = cargo(message);
    if (carried !== undefined) transport.back(carried);
  });
  return transport;
}

/** A channel of its own to a worker. */
async function messagePort(bench: Bench): Promise<Transport> {
  const thread = new ThreadCarrier();
  bench.defer(() => thread.worker.terminate());
  const { port1, port2 } = new MessageChannel();
  bench.defer(() => port1.close());
  await thread.ask({ open: 'port', port: port2 }, [port2]);
  const transport = new Transport('MessagePort', thread, new PortSender(port1));
  port1.on('message', transport.back);
  return transport;
}

/** What most programs would take, alone. */
export function openSocket(bench: Bench): Promise<Transport> {
  return socket(bench, 'Unix socket', StreamSender);
}

/** Opens all of them; the fastest in most runs comes first. */
export async function openTransports(bench: Bench): Promise<readonly Transport[]> {
  return [
    await openSocket(bench),
    await socket(bench, PACKED_NAME, PackingSender),
    await fifo(bench),
    channel(bench, 'advanced'),
    channel(bench, 'json'),
    worker(bench),
    await messagePort(bench),
  ];
}
