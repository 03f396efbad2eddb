/**
 * What every bench program does: reads the command line, runs groups one after the other, prints tables and writes
 * the figures. Exit code 1 only when a benchmark broke or moved wrong data.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { Bench, type Group, type Selection } from './bench.js';
import { compileFloors } from './floors.js';
import { describeMachine, packageRoot } from './machine.js';
import { Progress } from './progress.js';
import { type Failure, printReport, type Results, writeChart, writeReport } from './report.js';

function parseSelection(groups: readonly Group[], pattern: string): Selection {
  const [group = '', ...row] = pattern.split('/');
  try {
    const selection = { group: new RegExp(group, 'i'), row: new RegExp(row.join('/'), 'i') };
    if (groups.some(({ name }) => selection.group.test(name))) return selection;
  } catch {
    throw new InvalidArgumentError('It is no regular expression.');
  }
  throw new InvalidArgumentError(`No group matches. The groups are ${groups.map(({ name }) => name).join(', ')}.`);
}

/** @param file Where the figures go unless the command line says otherwise: below build/. */
export async function runBenchProgram(groups: readonly Group[], description: string, file: string): Promise<void> {
  const command = new Command('bench')
    .description(description)
    .option('--quick', 'fewer rounds: a minute or two', false)
    .option(
      '--only <pattern>',
      `GROUP or GROUP/ROW, regular expressions (groups: ${groups.map(({ name }) => name).join(', ')})`,
      (pattern: string) => parseSelection(groups, pattern),
    )
    .option('--json <file>', 'where the figures go', join(packageRoot, 'build', file))
    .option('--chart <file>', 'draws an SVG of the transports')
    .option('--from <file>', 'with --chart: draws the figures of an earlier run, and measures nothing')
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .parse();
  const options = command.opts<{ quick: boolean; only?: Selection; json: string; chart?: string; from?: string }>();
  if (options.from !== undefined) {
    if (options.chart === undefined) return command.error('--from needs --chart.');
    writeChart(JSON.parse(readFileSync(resolve(options.from), 'utf8')) as Results, resolve(options.chart));
    return;
  }

  const machine = describeMachine();
  const start = performance.now();
  const progress = new Progress();
  const floors = await compileFloors();
  if (!floors.ready) progress.line(floors.reason);
  const bench = new Bench({ quick: options.quick, floors, progress, selection: options.only ?? parseSelection(groups, '') });
  // Names of this run meet nobody else's, and its system process is its own.
  process.env.SECTILE_RUNTIME_DIR = bench.temporary;
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.once(signal, () => {
      bench.abandon();
      process.exit(code);
    });
  }

  const failures: Failure[] = [];
  for (const group of groups) {
    try {
      await bench.run(group);
    } catch (error) {
      progress.stop();
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push({ group: group.name, message });
      progress.line(`${group.name} failed: ${message}`);
    }
  }
  await bench.close();

  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string };
  const results: Results = {
    machine,
    node: process.versions.node,
    v8: process.versions.v8,
    sectile: version,
    compiler: floors.ready ? floors.compiler : null,
    date: new Date().toISOString(),
    quick: options.quick,
    seconds: Math.round((performance.now() - start) / 1000),
    rows: bench.rows,
    remarks: bench.remarks,
    points: bench.points,
    failures,
  };
  printReport(results, groups);
  writeReport(results, resolve(options.json));
  if (options.chart !== undefined) writeChart(results, resolve(options.chart));
  progress.line(`${results.rows.length} rows in ${results.seconds} s; figures in ${resolve(options.json)}`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}
