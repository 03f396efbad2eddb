/**
 * Peer of the round trips in place: finds each message in the section, checks it and puts its answer there, through the event loop.
 */
import { Section } from 'sectile';
import { partsOf } from '../carry/in-place.js';
import { check, stamp } from '../carry/load.js';
import { answer, serve } from '../peer.js';
import { PING, PONG } from '../spin.js';
import { Words } from '../words.js';

export interface PlacerRequest {
  readonly name: string;
  readonly bytes: number;
  /** The turn that was answered last, and how many follow. */
  readonly last: number;
  readonly count: number;
}

/** Comes before the first turn and after the last. */
export type PlacerAnswer = Record<string, never>;

serve<PlacerRequest>(async ({ name, bytes, last, count }) => {
  using section = Section.open(name);
  using view = section.map();
  const words = new Words(view);
  const { there, back } = partsOf(view, bytes);
  await answer({});
  for (let turn = last + 1; turn <= last + count; turn++) {
    await words.until(PING, turn);
    check(there, bytes, turn);
    stamp(back, turn);
    words.tell(PONG, turn);
  }
  await answer({});
});
