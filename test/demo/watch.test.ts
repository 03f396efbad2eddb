/** What a monitor makes of samples whose values need not be possible: whatever comes, it shows numbers that are. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Snapshot } from '../../dist/cli/demo/messages.js';
import { type Watched, watch } from '../../dist/drivers/host-telemetry/demo/watch.js';
import { At, busyAt, sampleLength, wholeAt } from '../../dist/drivers/host-telemetry/layout.js';
import { numbersFrom } from '../support/garbage.js';

const CORES = 2;
const LENGTH = sampleLength(CORES);
/** Long enough for one snapshot or two. */
const SECONDS = 0.25;
/** What a reader lets through: 0 or more, and NaN. */
const VALUES = [Number.NaN, 0, Number.MIN_VALUE, 1, 1000.5, 2 ** 53, Number.MAX_VALUE];

const readerOf = (valueAt: (index: number) => number): Watched => ({
  cores: CORES,
  rate: 100,
  length: LENGTH,
  read: (into = new Float64Array(LENGTH)) => {
    for (let index = 0; index < LENGTH; index++) into[index] = valueAt(index);
    return into;
  },
});

function checkSnapshot(snapshot: Snapshot): void {
  const { cores, sampleNumber, samplesPerSecond, ...others } = snapshot;
  assert.equal(cores.length, CORES);
  for (const share of cores) assert.ok(share >= 0 && share <= 1, `a processor was busy for ${share} of its time`);
  for (const value of [sampleNumber, samplesPerSecond]) assert.ok(Number.isFinite(value) && value >= 0, String(value));
  for (const [field, value] of Object.entries(others))
    assert.ok(value === null || (Number.isFinite(value) && value >= 0), `${field}: ${value}`);
}

async function watchAll(readers: readonly Watched[]): Promise<Snapshot[]> {
  const seen: Snapshot[] = [];
  await Promise.all(
    readers.map(async (reader) => {
      const result = await watch(reader, SECONDS, (snapshot) => {
        checkSnapshot(snapshot);
        seen.push(snapshot);
      });
      for (const value of Object.values(result)) assert.ok(Number.isFinite(value) && value >= 0, JSON.stringify(result));
    }),
  );
  return seen;
}

test('a monitor shows only numbers, whichever value of a sample there is not', async () => {
  let count = 0;
  const counting = (absent: number) => (index: number) => (index === absent ? Number.NaN : count++);
  const seen = await watchAll(Array.from({ length: LENGTH }, (_, index) => readerOf(counting(index))));
  assert.ok(seen.length >= LENGTH, `only ${seen.length} snapshots`);
  assert.ok(seen.some(({ cores }) => cores.some((share) => share > 0)));
  assert.ok(seen.some(({ sampleNumber }) => sampleNumber === 0) && seen.some(({ sampleNumber }) => sampleNumber > 0));
});

test('a monitor shows only numbers when samples hold anything', async () => {
  const anything = (seed: number) => {
    const next = numbersFrom(seed);
    return () => VALUES[Math.floor(next() * VALUES.length)] as number;
  };
  const seen = await watchAll(Array.from({ length: 40 }, (_, seed) => readerOf(anything(seed))));
  assert.ok(seen.length > 40, `only ${seen.length} snapshots`);
});

test('the share of a processor is that of its own time', async () => {
  let time = 0;
  const values = new Map([
    [busyAt(0), () => time / 4],
    [wholeAt(0), () => time],
    [busyAt(1), () => 2 * time],
    [wholeAt(1), () => time],
    [At.sampleNumber, () => ++time],
  ]);
  const seen = await watchAll([readerOf((index) => values.get(index)?.() ?? 1)]);
  assert.deepEqual(seen.at(-1)?.cores, [0.25, 1]);
});
