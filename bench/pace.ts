/**
 * How many operations a sample takes where sides differ by orders of magnitude: as many as fill about the same time.
 */
import type { Sampler } from './bench.js';

/** What grows a count at most from one run to the next, and the fewest of one run. */
const GROWTH = 64;
const FEWEST = 8;

/**
 * Each run goes by the one before; the first ones are short, and belong to the warm-up.
 *
 * @param run Takes so many operations; nanoseconds for each.
 */
export function paced(milliseconds: number, run: (count: number) => number | Promise<number>): Sampler {
  let count = FEWEST;
  return async () => {
    const each = await run(count);
    count = Math.max(FEWEST, Math.min(count * GROWTH, Math.round((milliseconds * 1e6) / each)));
    return [each];
  };
}
