/**
 * One end of each of Node's own transports, with messages that go in whole and come out whole: streams with a length
 * before each message, the channel to a child, ports between threads. Each is used as well as it can be; none measures.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import type { Writable } from 'node:stream';

/** Is told of each message. The bytes are its own only until it returns. */
export type Listener = (message: Uint8Array) => void;

export interface Sender {
  /** The message may not be changed before `flush` has resolved. */
  send(message: Uint8Array): void;
  /** Resolves when the system has taken all that was sent. */
  flush(): void | Promise<void>;
}

const HEADER = 4;
/** Up to here a message is copied behind its header; a longer one is handed over beside it. */
const COPIED = 4096;
/** Writes that one system call takes. */
const CORKED = 32;
/** How much a packing sender gathers before it writes, and how long messages are for which that is worth it. */
const PACK = 2 ** 16;
export const PACKED = 2 ** 10;

/** Sends through a stream: a write for each message, corked so that one system call takes several of them. */
export class StreamSender implements Sender {
  readonly #stream: Writable;
  readonly #written = (): void => {
    if (++this.#taken === this.#given) this.#settle();
  };
  #given = 0;
  #taken = 0;
  #corked = 0;
  #settle: () => void = () => {};

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  send(message: Uint8Array): void {
    if (this.#corked === 0) this.#stream.cork();
    const { length } = message;
    const frame = Buffer.allocUnsafe(length <= COPIED ? HEADER + length : HEADER);
    frame.writeUInt32LE(length, 0);
    this.#given++;
    if (length <= COPIED) {
      frame.set(message, HEADER);
      this.#stream.write(frame, this.#written);
    } else {
      this.#stream.write(frame);
      this.#stream.write(message, this.#written);
    }
    if (++this.#corked === CORKED) this.#uncork();
  }

  flush(): void | Promise<void> {
    this.#uncork();
    if (this.#taken === this.#given) return;
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  #uncork(): void {
    if (this.#corked > 0) this.#stream.uncork();
    this.#corked = 0;
  }
}

/** Sends through a stream what was packed by hand into blocks of 64 KiB: no transport of Node's does so by itself. */
export class PackingSender implements Sender {
  readonly #stream: Writable;
  #block = Buffer.allocUnsafeSlow(PACK);
  #used = 0;

  constructor(stream: Writable) {
    this.#stream = stream;
  }

  send(message: Uint8Array): void {
    if (this.#used + HEADER + message.length > PACK) this.#write();
    this.#used = this.#block.writeUInt32LE(message.length, this.#used);
    this.#block.set(message, this.#used);
    this.#used += message.length;
  }

  flush(): Promise<void> {
    return new Promise((resolve) => this.#write(resolve));
  }

  #write(done: () => void = () => {}): void {
    this.#stream.write(this.#block.subarray(0, this.#used), done);
    this.#block = Buffer.allocUnsafeSlow(PACK);
    this.#used = 0;
  }
}

/** Takes messages out of a stream: into one prepared buffer, long ones straight to where they belong. */
class Unframer {
  readonly #chunk = Buffer.allocUnsafeSlow(PACK);
  readonly #message: Buffer;
  readonly #listener: Listener;
  readonly #header = Buffer.alloc(HEADER);
  #headerBytes = 0;
  #length = 0;
  #filled = 0;
  #straight = false;

  constructor(longest: number, listener: Listener) {
    this.#message = Buffer.alloc(longest);
    this.#listener = listener;
  }

  /** Where the next bytes go. */
  buffer(): Uint8Array {
    this.#straight = this.#headerBytes === HEADER && this.#length - this.#filled >= PACK;
    return this.#straight ? this.#message.subarray(this.#filled, this.#length) : this.#chunk;
  }

  took(count: number): void {
    if (this.#straight) this.#grow(count);
    else this.#parse(count);
  }

  #parse(count: number): void {
    for (let at = 0; at < count; ) {
      if (this.#headerBytes < HEADER) {
        const part = Math.min(HEADER - this.#headerBytes, count - at);
        this.#chunk.copy(this.#header, this.#headerBytes, at, at + part);
        this.#headerBytes += part;
        at += part;
        if (this.#headerBytes < HEADER) return;
        this.#length = this.#header.readUInt32LE(0);
      }
      const part = Math.min(this.#length - this.#filled, count - at);
      this.#chunk.copy(this.#message, this.#filled, at, at + part);
      at += part;
      this.#grow(part);
    }
  }

  #grow(part: number): void {
    this.#filled += part;
    if (this.#filled < this.#length) return;
    this.#headerBytes = 0;
    this.#filled = 0;
    this.#listener(this.#message.subarray(0, this.#length));
  }
}

/** How a socket must be made so that `listener` gets its messages. */
export function receiving(longest: number, listener: Listener): { readonly onread: OnReadOpts } {
  const unframer = new Unframer(longest, listener);
  return {
    onread: {
      buffer: () => unframer.buffer(),
      callback: (count) => {
        unframer.took(count);
        return true;
      },
    },
  };
}

/** Reads messages from a descriptor that is open already. */
export function readDescriptor(fd: number, longest: number, listener: Listener): Socket {
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd,
    readable: true,
    writable: false,
    ...receiving(longest, listener),
  };
  return new Socket(options).resume();
}

/** Sends through a descriptor that is open already. */
export function writeDescriptor(fd: number): Socket {
  return new Socket({ fd, readable: false, writable: true });
}

/** The channel between a process and its child, of this process or to it. */
export class ChannelSender implements Sender {
  readonly #post: (message: unknown, done: (error: Error | null) => void) => void;
  readonly #json: boolean;
  #given = 0;
  #taken = 0;
  #settle: () => void = () => {};

  constructor(end: Pick<NodeJS.Process, 'send'>, json: boolean) {
    this.#post = (message, done) => end.send?.(message, undefined, {}, done);
    this.#json = json;
  }

  send(message: Uint8Array): void {
    this.#given++;
    this.#post(this.#json ? Buffer.from(message.buffer, message.byteOffset, message.length).toString('base64') : message, () => {
      if (++this.#taken === this.#given) this.#settle();
    });
  }

  flush(): void | Promise<void> {
    if (this.#taken === this.#given) return;
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }
}

/** What comes by such a channel or a port, if it is a message of the benchmark and no request or answer. */
export function cargo(message: unknown): Uint8Array | undefined {
  if (typeof message === 'string') return Buffer.from(message, 'base64');
  return message instanceof Uint8Array ? message : undefined;
}

/** A port to another thread of this process: it takes everything at once. */
export class PortSender implements Sender {
  readonly #port: { postMessage(message: unknown): void };

  constructor(port: { postMessage(message: unknown): void }) {
    this.#port = port;
  }

  send(message: Uint8Array): void {
    this.#port.postMessage(message);
  }

  flush(): void {}
}
