/**
 * Peer of the idle benchmark: has many waits pending at once, and says what that costs it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Event, Section } from 'sectile';
import { answer, serve } from '../peer.js';
import { settle } from '../settle.js';

export type IdlerRequest =
  /** Finds so many events, side by side in a section. */
  | { readonly open: string; readonly events: number }
  /** Waits for each of them. */
  | { readonly begin: true }
  /** Does nothing for so many milliseconds. */
  | { readonly rest: number }
  /** Which waits have ended since this was asked last. */
  | { readonly woken: true };

export interface IdlerAnswer {
  /** What was asked has brought so many bytes more: that live on V8's heap and outside of it, and that are resident. */
  readonly live?: number;
  readonly resident?: number;
  /** Nanoseconds of processor time during the rest, and ticks (of 10 ms) of the same as the kernel counts them. */
  readonly processor?: number;
  readonly ticks?: number;
  readonly woken?: readonly number[];
}

let events: readonly Event[] = [];
let woken: number[] = [];
let tell: () => void = () => {};

/** User and system time of all threads, from /proc. */
function ticks(): number {
  const [, ...fields] = readFileSync('/proc/self/stat', 'utf8').split(') ');
  const values = (fields.at(-1) ?? '').split(' ');
  return Number(values[11]) + Number(values[12]);
}

async function memory(): Promise<{ live: number; resident: number }> {
  await settle();
  await settle();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { live: heapUsed + external, resident: rss };
}

async function rest(milliseconds: number): Promise<IdlerAnswer> {
  const before = ticks();
  const usage = process.cpuUsage();
  await delay(milliseconds);
  const { user, system } = process.cpuUsage(usage);
  return { processor: (user + system) * 1000, ticks: ticks() - before };
}

async function wait(event: Event, index: number): Promise<void> {
  await event.wait();
  woken.push(index);
  tell();
}

serve<IdlerRequest>(async (request) => {
  if ('woken' in request) {
    if (woken.length === 0) {
      await new Promise<void>((resolve) => {
        tell = resolve;
      });
    }
    const list = woken;
    woken = [];
    await answer({ woken: list });
  } else if ('rest' in request) {
    await answer(await rest(request.rest));
  } else {
    const before = await memory();
    if ('open' in request) {
      const view = Section.open(request.open).map();
      events = Array.from({ length: request.events }, (_, index) => Event.at(view, index * Event.bytes));
    } else {
      for (const [index, event] of events.entries()) void wait(event, index);
    }
    const after = await memory();
    await answer({ live: after.live - before.live, resident: after.resident - before.resident });
  }
});
