/**
 * What a benchmark says: rows of medians and spreads, in units, with a goal where the project set
 * one. Goals are information: no row passes or fails by time.
 */

/** Median and the middle 80 % of all samples of one side. */
export interface Spread {
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
  readonly samples: number;
}

export interface Goal {
  /** What the goal is about: our own figure, or the ratio. */
  readonly on: 'ours' | 'ratio';
  readonly bound: 'at most' | 'at least';
  readonly value: number;
}

/** One figure of ours, and what stands beside it: group, name and `floor.what` together are unique. */
export interface Row {
  readonly group: string;
  readonly name: string;
  readonly unit: string;
  readonly ours: Spread;
  /** What stands beside ours: C, or one of Node's own means. */
  readonly floor?: Spread & { readonly what: string };
  /** Median of the rounds' ratios; each round compares neighbours in time. */
  readonly ratio?: number;
  readonly ratioSpread?: Spread;
  readonly ratioOf?: RatioOf;
  readonly goal?: Goal & { readonly met: boolean };
}

/** Which way a ratio is formed; `floor/ours` reads as "times faster". */
export type RatioOf = 'ours/floor' | 'floor/ours';

/** Samples are taken in nanoseconds per operation; a unit turns them into what a row shows. */
export interface Unit {
  readonly name: string;
  readonly of: (nanoseconds: number) => number;
}

export const ns: Unit = { name: 'ns', of: (value) => value };
export const us: Unit = { name: 'µs', of: (value) => value / 1e3 };
export const ms: Unit = { name: 'ms', of: (value) => value / 1e6 };
/** Bytes per nanosecond are gigabytes (10⁹) per second. */
export function bandwidth(bytes: number): Unit {
  return { name: 'GB/s', of: (value) => bytes / value };
}

export const atMost = (on: Goal['on'], value: number): Goal => ({ on, bound: 'at most', value });
export const atLeast = (on: Goal['on'], value: number): Goal => ({ on, bound: 'at least', value });

/** Samples of one side: one list for each round. */
export type Rounds = readonly (readonly number[])[];

/** The quantile `q` of sorted values, between neighbours by straight line. */
function quantile(sorted: readonly number[], q: number): number {
  const position = (sorted.length - 1) * q;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  if (below === undefined || above === undefined) throw new Error('a benchmark took no samples');
  return below + (above - below) * (position - Math.floor(position));
}

/** The quantile `q` of values in any order. */
export function quantileOf(values: readonly number[], q: number): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    q,
  );
}

export function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), p10: quantile(sorted, 0.1), p90: quantile(sorted, 0.9), samples: sorted.length };
}

export interface RowParts {
  readonly group: string;
  readonly name: string;
  readonly unit: Unit;
  readonly ours: Rounds;
  readonly floor?: { readonly what: string; readonly rounds: Rounds } | undefined;
  readonly ratioOf?: RatioOf | undefined;
  readonly goal?: Goal | undefined;
}

/** Makes the row of two sides that were measured in the same rounds. */
export function makeRow(parts: RowParts): Row {
  const { group, name, unit, goal, ratioOf = 'ours/floor' } = parts;
  const inUnit = (rounds: Rounds): Rounds => rounds.map((samples) => samples.map(unit.of));
  const oursByRound = inUnit(parts.ours);
  const ours = spread(oursByRound.flat());
  let beside: Pick<Row, 'floor' | 'ratio' | 'ratioSpread' | 'ratioOf'> = {};
  if (parts.floor !== undefined) {
    const floorByRound = inUnit(parts.floor.rounds);
    const ratios = spread(
      oursByRound.map((samples, round) => {
        const mine = spread(samples).median;
        const other = spread(floorByRound[round] ?? []).median;
        return ratioOf === 'ours/floor' ? mine / other : other / mine;
      }),
    );
    beside = {
      floor: { what: parts.floor.what, ...spread(floorByRound.flat()) },
      ratio: ratios.median,
      ratioSpread: ratios,
      ratioOf,
    };
  }
  const value = goal?.on === 'ours' ? ours.median : beside.ratio;
  const judged = goal !== undefined && value !== undefined;
  return {
    group,
    name,
    unit: unit.name,
    ours,
    ...beside,
    ...(judged ? { goal: { ...goal, met: goal.bound === 'at most' ? value <= goal.value : value >= goal.value } } : {}),
  };
}
