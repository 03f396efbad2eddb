/**
 * Peer of the telemetry benchmark: the one writer of the sample.
 */
import { Section, type View } from 'sectile';
import { answer, serve } from '../peer.js';
import { SAMPLE_BYTES, SampleWriter } from '../sample.js';

export interface PublisherRequest {
  readonly publish: string;
  /** Samples per second. */
  readonly rate: number;
}

export type PublisherAnswer = Record<string, never>;

/** Kept for the life of this process. */
const held: (Section | View)[] = [];

serve<PublisherRequest>(async ({ publish, rate }) => {
  const section = Section.create({ name: publish, size: SAMPLE_BYTES });
  const view = section.map();
  held.push(section, view);
  const writer = new SampleWriter(view.bytes);
  let tick = 0;
  const write = (): void =>
    writer.write((values) => {
      tick++;
      for (let i = 0; i < values.length; i++) values[i] = tick + i;
    });
  write();
  setInterval(write, 1000 / rate);
  await answer({});
});
