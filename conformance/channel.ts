/**
 * How the runner talks with the processes that run cases: one JSON text a line, over a descriptor that
 * the runner gives them, so that a driver and an application are spoken to alike.
 */
import { Socket } from 'node:net';
import type { Case, Suite } from './case.js';
import type { Outcome } from './outcome.js';

/** The descriptor of the channel in the processes that run cases. */
export const CHANNEL = 3;

/** To a process that runs cases. */
export type Order =
  | { readonly order: 'run'; readonly testCase: Case; readonly suite: Suite; readonly folder: string }
  /** The sequence is over: its world ends. */
  | { readonly order: 'end' };

/** From a process that runs cases: it is ready, a case went so, the sequence has ended. */
export type Report = { readonly ready: true } | { readonly outcome: Outcome } | { readonly ended: true };

/** Calls `receive` for each message that comes. */
export function listen<T>(stream: NodeJS.ReadableStream, receive: (message: T) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) receive(JSON.parse(line) as T);
  });
}

export function send(stream: NodeJS.WritableStream, message: Order | Report): void {
  stream.write(`${JSON.stringify(message)}\n`);
}

export function openChannel(): Socket {
  return new Socket({ fd: CHANNEL, readable: true, writable: true });
}
