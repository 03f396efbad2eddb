/**
 * Peer of the idle benchmark: has many waits pending at once, and says what that costs it.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Section, type View, waitOnAddress } from 'sectile';
import { answer, serve } from '../peer.js';
import { settle } from '../settle.js';

export type IdlerRequest =
  | { readonly open: string }
  | { readonly begin: number }
  /** Does nothing for so many milliseconds. */
  | { readonly rest: number }
  /** Which waits have ended since this was asked last. */
  | { readonly woken: true };

export interface IdlerAnswer {
  /** Bytes that are resident. */
  readonly memory?: number;
  /** Nanoseconds of processor time during the rest, and ticks (of 10 ms) of the same as the kernel counts them. */
  readonly processor?: number;
  readonly ticks?: number;
  readonly woken?: readonly number[];
}

let view: View | undefined;
let woken: number[] = [];
let tell: () => void = () => {};

/** User and system time of all threads, from /proc. */
function ticks(): number {
  const [, ...fields] = readFileSync('/proc/self/stat', 'utf8').split(') ');
  const values = (fields.at(-1) ?? '').split(' ');
  return Number(values[11]) + Number(values[12]);
}

async function memory(): Promise<number> {
  await settle();
  await settle();
  return process.memoryUsage.rss();
}

async function rest(milliseconds: number): Promise<IdlerAnswer> {
  const before = ticks();
  const usage = process.cpuUsage();
  await delay(milliseconds);
  const { user, system } = process.cpuUsage(usage);
  return { processor: (user + system) * 1000, ticks: ticks() - before };
}

async function wait(words: View, index: number): Promise<void> {
  await waitOnAddress(words, index * 4, 0);
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
  } else if ('open' in request) {
    view = Section.open(request.open).map();
    await answer({ memory: await memory() });
  } else if ('begin' in request) {
    if (view === undefined) throw new Error('no section is open');
    for (let index = 0; index < request.begin; index++) void wait(view, index);
    await answer({ memory: await memory() });
  } else {
    await answer(await rest(request.rest));
  }
});
