/**
 * The other process of `sectile bench`: receives the same bytes in every way that is compared, and
 * answers when it has them in memory of its own.
 */
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { Section, type View } from '../../index.js';
import { DATA_BYTES, type FromPeer, pong, type ToPeer, words } from './turns.js';

const own = new Uint8Array(DATA_BYTES).fill(1);
const sign = Buffer.from('!');
let view: View | undefined;
let socket: Socket | undefined;
let received = 0;
let expected = 0;
let copies = 0;

function copyOut(length: number): void {
  if (view === undefined) throw new Error('there is no section yet');
  own.set(view.bytes.subarray(0, length));
}

const reading: OnReadOpts = {
  // Straight into place: the best that Node.js offers.
  buffer: () => (received === 0 ? own : own.subarray(received)),
  callback: (count) => {
    received += count;
    if (copies > 0) copyOut(copies);
    else if (received < expected) return true;
    received = 0;
    socket?.write(sign);
    return true;
  },
};

async function open(name: string, path: string): Promise<void> {
  const section = Section.open(name);
  view = section.map();
  await new Promise<void>((resolve, reject) => {
    socket = connect({ path, onread: reading }).once('connect', resolve).once('error', reject);
  });
}

async function handle(request: ToPeer): Promise<void> {
  if ('open' in request) await open(request.open, request.socket);
  else if ('pong' in request) {
    await tell();
    if (view !== undefined) pong(words(view.buffer, view.bytes.byteOffset), request.pong);
  } else if ('expect' in request) [expected, copies] = [request.expect, 0];
  else if ('copyOnByte' in request) copies = request.copyOnByte;
  else if ('copy' in request) copyOut(request.copy);
  await tell();
}

function tell(): Promise<void> {
  return new Promise((resolve) => process.send?.('done' satisfies FromPeer, undefined, {}, () => resolve()));
}

process.on('message', (request) => {
  handle(request as ToPeer).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  });
});
process.on('disconnect', () => process.exit());
