/**
 * Peer of the handover benchmark: receives the payload by every transport between processes, and
 * says when it has checked it. Streams are read in place, straight into one prepared buffer: the
 * best that Node offers.
 */
import { once } from 'node:events';
import { constants, openSync } from 'node:fs';
import { connect, type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { Section, type View } from 'sectile';
import { PAYLOAD_BYTES, type Receipt, receive } from '../payload.js';
import { answer, serve } from '../peer.js';
import { settle } from '../settle.js';
import { CONTROL_WORDS, FLAG, type Ring, spinUntil, takeAll } from '../spin.js';

/** How a payload comes: found in the section, copied through it, as bytes of a stream, as one message. */
export type Way = 'in place' | 'in place, byte' | Ring | 'stream' | 'message';

export type ReceiverRequest =
  | { readonly section: string; readonly socket: string; readonly fifo: string }
  | { readonly expect: Way; readonly stamp: number; readonly whole: boolean }
  | { readonly data: Uint8Array | string };

/** The first answer to every request is empty: the receiver is ready. */
export type ReceiverAnswer = Partial<Receipt>;

interface Expectation {
  readonly expect: Way;
  readonly stamp: number;
  readonly whole: boolean;
}

const own = new Uint8Array(PAYLOAD_BYTES).fill(1);
let view: View;
let payload = own;
let control = new Int32Array(CONTROL_WORDS);
let expected: Expectation | undefined;

function arrived(bytes: Uint8Array): void {
  if (expected === undefined) throw new Error('a payload arrived that nobody announced');
  const receipt = receive(bytes, expected.stamp, expected.whole);
  expected = undefined;
  void answer(receipt);
}

/** What one stream brings: fills `own` from the start, or is a single byte as a sign, as expected. */
class Inbox {
  #received = 0;

  /** Where the next bytes belong. */
  rest(): Uint8Array {
    return this.#received === 0 ? own : own.subarray(this.#received);
  }

  took(count: number): void {
    if (expected?.expect === 'in place, byte') {
      arrived(payload);
      return;
    }
    this.#received += count;
    if (this.#received < PAYLOAD_BYTES) return;
    this.#received = 0;
    arrived(own);
  }

  /** Lets a socket read straight to where the bytes belong. */
  onread(): OnReadOpts {
    return {
      buffer: () => this.rest(),
      callback: (count) => {
        this.took(count);
        return true;
      },
    };
  }
}

/** Reads a descriptor that is there already. */
function readDescriptor(fd: number): void {
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd,
    readable: true,
    writable: false,
    onread: new Inbox().onread(),
  };
  new Socket(options).resume();
}

async function setUp(section: string, socket: string, fifo: string): Promise<void> {
  view = Section.open(section).map();
  payload = view.bytes.subarray(0, PAYLOAD_BYTES);
  control = new Int32Array(view.buffer, view.bytes.byteOffset + PAYLOAD_BYTES, CONTROL_WORDS);
  for (let i = 0; i < PAYLOAD_BYTES; i += 4096) payload[i] = 1;
  readDescriptor(0);
  readDescriptor(openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK));
  await once(connect({ path: socket, onread: new Inbox().onread() }), 'connect');
  const eventful = connect(socket);
  await once(eventful, 'connect');
  const inbox = new Inbox();
  eventful.on('data', (chunk) => {
    inbox.rest().set(chunk);
    inbox.took(chunk.length);
  });
}

/** The ways that spin; the others come as events. */
function spin({ expect, stamp }: Expectation): void {
  if (expect === 'in place') {
    spinUntil(control, FLAG, stamp);
    arrived(payload);
  } else if (typeof expect === 'object') {
    takeAll(view, control, own, expect);
    arrived(own);
  }
}

serve<ReceiverRequest>(async (request) => {
  if ('data' in request) {
    arrived(typeof request.data === 'string' ? Buffer.from(request.data, 'base64') : request.data);
    return;
  }
  if ('section' in request) {
    await setUp(request.section, request.socket, request.fifo);
    await answer({});
    return;
  }
  await settle();
  expected = request;
  await answer({});
  spin(request);
});
