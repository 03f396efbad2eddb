/**
 * Peer of the benchmarks of waiting: opens the section by name and answers turns, asleep until each comes.
 */
import { Section } from 'sectile';
import { clock } from '../payload.js';
import { answer, serve } from '../peer.js';
import { type How, Words } from '../words.js';

export interface SleeperRequest {
  readonly name: string;
  readonly how: How;
  /** Whether it notes when it is awake. */
  readonly timed: boolean;
  /** The turn that was answered last, and how many follow. */
  readonly last: number;
  readonly count: number;
}

/** Comes before the first turn and after the last. */
export type SleeperAnswer = Record<string, never>;

let words: Words | undefined;

serve<SleeperRequest>(async ({ name, how, timed, last, count }) => {
  words ??= new Words(Section.open(name).map());
  await answer({});
  await words.pong(how, last, count, timed ? clock : undefined);
  await answer({});
});
