/**
 * Timing: how long one thing takes, as the median of many.
 */

/** The middle value; of an even number, the upper one. */
export function median(samples: readonly number[]): number {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** How long to measure, and how often at least. */
export interface Budget {
  readonly milliseconds: number;
  readonly atLeast: number;
}

/** Microseconds that each run of `once` took. */
export function sample(budget: Budget, once: () => void): number[] {
  const samples: number[] = [];
  for (const end = performance.now() + budget.milliseconds; samples.length < budget.atLeast || performance.now() < end; ) {
    const start = performance.now();
    once();
    samples.push((performance.now() - start) * 1000);
  }
  return samples;
}

/** The same for what ends later. */
export async function sampleAsync(budget: Budget, once: () => Promise<void>): Promise<number[]> {
  const samples: number[] = [];
  for (const end = performance.now() + budget.milliseconds; samples.length < budget.atLeast || performance.now() < end; ) {
    const start = performance.now();
    await once();
    samples.push((performance.now() - start) * 1000);
  }
  return samples;
}
