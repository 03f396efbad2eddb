/**
 * `npm run conformance`: runs the vectors and says which hold.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SingleBar } from 'cli-progress';
import { Command, InvalidArgumentError } from 'commander';
import { readVectors, type Vector } from './case.js';
import { remarks, summaryOf, table } from './report.js';
import { type Part, runVectors } from './run.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** The public vectors, and our own where those have gaps. */
const folders = [join(root, 'conformance', 'vectors'), join(root, 'conformance', 'own')];

interface Options {
  readonly vectors?: string;
  readonly only?: string;
  readonly part?: Part;
  readonly known?: ReadonlySet<string>;
  readonly json?: boolean;
}

/** `2/6`: the second of six. */
function readPart(given: string): Part {
  const [part = 0, parts = 0] = (/^(\d+)\/(\d+)$/.exec(given) ?? []).slice(1).map(Number);
  if (part < 1 || part > parts) throw new InvalidArgumentError('It is not K/N, with K from 1 to N.');
  return { part, parts };
}

/** The ids of a list of groups, as test/windows/wine-conformance.json is one. */
function readKnown(path: string): ReadonlySet<string> {
  const groups = JSON.parse(readFileSync(path, 'utf8')) as readonly { readonly ids: readonly string[] }[];
  return new Set(groups.flatMap(({ ids }) => ids));
}

async function runWithProgress(
  vectors: readonly Vector[],
  { only, part, known }: Options,
): Promise<Awaited<ReturnType<typeof runVectors>>> {
  if (process.stderr.isTTY !== true) return runVectors(vectors, { only, part, known });
  const bar = new SingleBar({
    format: '{bar} {value}/{total} {id}',
    hideCursor: true,
    clearOnComplete: true,
    stream: process.stderr,
  });
  bar.start(vectors.length, 0, { id: '' });
  try {
    return await runVectors(vectors, {
      only,
      part,
      known,
      progress: (done, total, id) => {
        bar.setTotal(total);
        bar.update(done, { id });
      },
    });
  } finally {
    bar.stop();
  }
}

async function run(given: Options): Promise<void> {
  const { vectors: folder, json } = given;
  const vectors = readVectors(folder === undefined ? folders : [resolve(folder)]);
  const started = performance.now();
  const outcomes = await runWithProgress(vectors, given);
  const summary = summaryOf(outcomes);
  if (json === true) {
    process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`);
  } else {
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    process.stdout.write(`${table(vectors, outcomes)}\n${summary.passed} of ${summary.total} pass (${seconds} s)\n`);
    for (const line of remarks(summary)) process.stdout.write(`${line}\n`);
  }
  process.exitCode = summary.failed.length === 0 ? 0 : 1;
}

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', () => process.exit(process.exitCode ?? 0));
// An exit, not an end by the signal: what the run made is taken away on the way out.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    process.stderr.write(`conformance: ended by ${signal}\n`);
    process.exit(1);
  });
}

await new Command('conformance')
  .description('Runs the conformance vectors against the built product.')
  .option('--vectors <folder>', 'run the vectors of this folder instead of the project’s own')
  .option('--only <text>', 'only cases whose id holds the text')
  .option('--part <K/N>', 'only the K-th of N parts, for runs side by side', readPart)
  .option('--known <file>', 'cases that are known to fail: the processes are not started anew after them', readKnown)
  .option('--json', 'print { total, passed, failed, skipped } and nothing else')
  .action(run)
  .parseAsync()
  .catch((error: unknown) => {
    process.stderr.write(`conformance: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
