/**
 * A run: which sequences, over the lanes, until all have an outcome. Nothing of it is left afterwards.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { nt } from '../dist/os/index.js';
import { sequences, type Vector } from './case.js';
import { Lane } from './lane.js';
import type { Outcome } from './outcome.js';

/** Lanes have namespaces of their own, but where the kernel has one for the session. */
const MOST_LANES = nt === null ? 4 : 1;

export interface Part {
  readonly part: number;
  readonly parts: number;
}

export interface RunOptions {
  /** Cases whose id holds this text; those before them in their sequences run as well and do not count. */
  readonly only?: string | undefined;
  /** The part-th of so many parts of the sequences, from 1: for runs side by side. */
  readonly part?: Part | undefined;
  /** Cases that fail for a reason that is known: they leave nothing behind, so the processes go on after them. */
  readonly known?: ReadonlySet<string> | undefined;
  readonly progress?: (done: number, total: number, id: string) => void;
}

/** Runs the vectors, each case once, and gives the outcomes in the order of the vectors. */
export async function runVectors(
  vectors: readonly Vector[],
  { only, part, known = new Set(), progress }: RunOptions = {},
): Promise<Outcome[]> {
  const counts = ({ testCase: { id } }: Vector): boolean => only === undefined || id.includes(only);
  const work = sequences(vectors)
    .filter((sequence) => sequence.some(counts))
    .filter((_, index) => part === undefined || index % part.parts === part.part - 1)
    .map((sequence) => sequence.slice(0, sequence.findLastIndex(counts) + 1));
  const chosen = new Set(work.flat());
  const wanted = new Set(vectors.filter((each) => counts(each) && chosen.has(each)).map(({ testCase }) => testCase.id));
  const root = mkdtempSync(join(tmpdir(), 'sectile-conformance-'));
  chmodSync(root, 0o755);
  process.on('exit', () => rmSync(root, { recursive: true, force: true }));
  const outcomes = new Map<string, Outcome>();
  const report = (outcome: Outcome): void => {
    if (!wanted.has(outcome.id)) return;
    outcomes.set(outcome.id, outcome);
    progress?.(outcomes.size, wanted.size, outcome.id);
  };
  const lanes = Array.from(
    { length: Math.min(availableParallelism(), MOST_LANES, work.length) },
    (_, index) => new Lane(join(root, `lane-${index + 1}`), known),
  );
  const waiting = [...work];
  await Promise.all(
    lanes.map(async (lane) => {
      try {
        for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await lane.run(next, report);
      } finally {
        await lane.close();
      }
    }),
  );
  return [...wanted].flatMap((id) => outcomes.get(id) ?? []);
}
