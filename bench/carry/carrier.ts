/**
 * The far end of the message benchmarks over Node's own transports, in another process or another thread: takes a run of
 * messages and says when the last was there, or sends each message back.
 */
import { constants, openSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import { clock } from '../payload.js';
import { check, FRAME } from './load.js';
import { type Listener, PortSender, readDescriptor, receiving, type Sender, StreamSender, writeDescriptor } from './wire.js';

export type CarrierRequest =
  /** Paths of two sockets or two named pipes: there the near end sends, and there the far end answers. */
  | { readonly open: 'socket' | 'fifo'; readonly there: string; readonly back: string }
  | { readonly open: 'port'; readonly port: MessagePort }
  | { readonly take: number; readonly bytes: number }
  | { readonly echo: number };

export interface CarrierAnswer {
  /** The clock when the last message was checked. Absent in the first answer: the carrier is ready. */
  readonly end?: number;
}

export class Carrier {
  readonly #answer: (message: CarrierAnswer) => void;
  #sender: Sender | undefined;
  #opened: Promise<Sender>;
  #left = 0;
  #bytes = 0;
  #next = 0;
  #echo = false;

  /** @param back The way back, until `open` brings another. */
  constructor(answer: (message: CarrierAnswer) => void, back: Sender) {
    this.#answer = answer;
    this.#opened = Promise.resolve(back);
  }

  /** An echo may keep the message: the near end sends no other before it has this one back. */
  readonly took: Listener = (message) => {
    this.#left--;
    if (this.#echo) {
      this.#sender?.send(message);
      void this.#sender?.flush();
      return;
    }
    check(message, this.#bytes, this.#next++);
    if (this.#left === 0) this.#answer({ end: clock() });
  };

  async handle(request: CarrierRequest): Promise<void> {
    if ('open' in request) {
      this.#opened = this.#open(request);
      this.#answer({});
      return;
    }
    this.#echo = 'echo' in request;
    if ('echo' in request) {
      this.#sender = await this.#opened;
      this.#left = request.echo;
    } else {
      this.#left = request.take;
      this.#bytes = request.bytes;
      this.#next = 0;
    }
    this.#answer({});
  }

  #open(request: Extract<CarrierRequest, { open: string }>): Promise<Sender> {
    if (request.open === 'port') {
      request.port.on('message', this.took);
      return Promise.resolve(new PortSender(request.port));
    }
    if (request.open === 'fifo') {
      readDescriptor(openSync(request.there, constants.O_RDONLY | constants.O_NONBLOCK), FRAME, this.took);
      return Promise.resolve(new StreamSender(writeDescriptor(openSync(request.back, constants.O_WRONLY))));
    }
    connect({ path: request.there, ...receiving(FRAME, this.took) });
    return new Promise((resolve) => {
      createServer((socket) => resolve(new StreamSender(socket))).listen(request.back);
    });
  }
}
