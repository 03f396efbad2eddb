/**
 * What the values mean, for the driver in TypeScript: the one file to change. values.c is the same for Windows.
 */
import { availableParallelism } from 'node:os';
import type { controlsLayout, sampleLayout } from './layout.ts';
import type { RecordOf } from './records.ts';

type Sample = RecordOf<typeof sampleLayout>;
type Controls = RecordOf<typeof controlsLayout>;

const tally: bigint[] = Array(8).fill(0n);

/** 100 ns between 1601, where Windows counts from, and 1970. */
const EPOCH = 116_444_736_000_000_000n;

/** The driver's own values, for the sample of this number. */
export function collect(_number: bigint, _controls: Controls): Partial<Sample> {
  return { wallClock: EPOCH + BigInt(Date.now()) * 10_000n, processors: availableParallelism(), tally };
}

/** Says whether these values can be. They come from an application and may be anything. */
export function check({ slot }: Controls): boolean {
  return slot < tally.length;
}

/** Puts values to use that were checked. */
export function apply({ slot, amount }: Controls): void {
  tally[slot] = BigInt.asUintN(64, (tally[slot] as bigint) + amount);
}
