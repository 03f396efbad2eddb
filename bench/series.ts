/**
 * What a chart is drawn from: a figure of each transport at each size of message.
 */
import { type Rounds, type Spread, spread } from './rows.js';

/** Whose a transport is: of this library, of a C floor, of Node between processes, of Node between threads of one. */
export type Kind = 'sectile' | 'c' | 'process' | 'thread';

export type Chart = 'throughput' | 'latency';

export interface Point {
  readonly chart: Chart;
  readonly transport: string;
  readonly kind: Kind;
  /** The size of a message. */
  readonly bytes: number;
  /** Nanoseconds: for a message, or for a round trip of one. */
  readonly time: Spread;
}

export function point(chart: Chart, transport: string, kind: Kind, bytes: number, rounds: Rounds): Point {
  return { chart, transport, kind, bytes, time: spread(rounds.flat()) };
}
