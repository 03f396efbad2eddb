/**
 * Peer of the ping-pong benchmark: opens the section by name and answers pings.
 */
import { Section, type View } from 'sectile';
import { answer, serve } from '../peer.js';
import { PONG, pong } from '../spin.js';

export interface PongRequest {
  readonly name: string;
  /** The turn that was answered last, and how many follow. */
  readonly last: number;
  readonly count: number;
}

export interface PongAnswer {
  /** Absent in the first answer, which says that the peer is about to spin. */
  readonly answered?: number;
}

let view: View | undefined;

serve<PongRequest>(async ({ name, last, count }) => {
  view ??= Section.open(name).map();
  const words = view.as(Int32Array);
  await answer({});
  pong(words, last, count);
  await answer({ answered: words[PONG] });
});
