/**
 * `sectile bench`: what sections cost on this machine, and from which size on they beat messages.
 */
import chalk from 'chalk';
import { SingleBar } from 'cli-progress';
import { Command } from 'commander';
import { sizeText } from '../../inspector/index.js';
import { runShortBench, type ShortBench, STEPS, type SweepRow } from '../bench/short-bench.js';
import { print, printJson, printTable, remark } from '../output.js';

function time(microseconds: number): string {
  if (microseconds < 1000) return `${microseconds.toFixed(microseconds < 10 ? 1 : 0)} µs`;
  return `${(microseconds / 1000).toFixed(microseconds < 10_000 ? 1 : 0)} ms`;
}

function rate(bytesPerSecond: number): string {
  return `${(bytesPerSecond / 1e9).toFixed(1)} GB/s`;
}

/** Both times of a comparison, the better one marked. */
function pair(section: number, message: number): [string, string] {
  const wins = section <= message * 0.95;
  const loses = message <= section * 0.95;
  return [wins ? chalk.green(time(section)) : time(section), loses ? chalk.green(time(message)) : time(message)];
}

function sweepCells(row: SweepRow): string[] {
  return [sizeText(row.size), ...pair(row.sectionAndSocket, row.socket), ...pair(row.sectionAndIpc, row.ipc)];
}

function from(size: number | null, sweep: readonly SweepRow[], what: string): string {
  if (size === null) return `never beats ${what} up to ${sizeText(sweep.at(-1)?.size ?? 0)}`;
  return size === sweep[0]?.size ? `beats ${what} at every size` : `beats ${what} from ${sizeText(size)} on`;
}

/** The one sentence that it is all about. */
export function verdict({ beats, sweep }: ShortBench): string {
  return `On this machine a section ${from(beats.socket, sweep, 'a Unix socket')}, and ${from(beats.ipc, sweep, 'child_process IPC')}.`;
}

function printResult(result: ShortBench): void {
  const { machine, createMapClose, copy, pingPong, sweep } = result;
  print(
    chalk.dim(
      `${machine.processor}, ${machine.processors} processors, ${machine.system} ${machine.kernel}, Node.js ${machine.node}`,
    ),
  );
  if (machine.load > machine.processors / 2)
    remark(`The machine is busy (load ${machine.load.toFixed(1)}): the figures will vary.`);
  print();
  const facts = [
    ['Create, map and close 64 KiB, unnamed', time(createMapClose.unnamed)],
    ['Create, map and close 64 KiB, local name', time(createMapClose.local)],
    [`Copy in, ${sizeText(copy.bytes)}`, rate(copy.in)],
    [`Copy out, ${sizeText(copy.bytes)}`, rate(copy.out)],
    [
      'Ping-pong of two processes by Atomics, there and back',
      pingPong === null ? 'needs two processors' : `${Math.round(pingPong)} ns`,
    ],
  ];
  printTable([{ title: '' }, { title: '', align: 'right' }], facts);
  print();
  print(chalk.bold('Bytes to another process, until it has them and has said so'));
  const columns = ['SIZE', 'SECTION + SOCKET SIGN', 'UNIX SOCKET', 'SECTION + IPC SIGN', 'IPC MESSAGE'];
  printTable(
    columns.map((title) => ({ title, align: 'right' as const })),
    sweep.map(sweepCells),
  );
  print();
  print(chalk.bold(verdict(result)));
  const sign = time(Math.min(...sweep.map((row) => row.sectionAndSocket)));
  print(`Data that is made and used in place, without the copies, costs the sign alone whatever its size: about ${sign}.`);
}

async function bench(options: { readonly json?: boolean }): Promise<void> {
  const bar = new SingleBar({
    format: '{bar} {what}',
    hideCursor: true,
    clearOnComplete: true,
    stopOnComplete: true,
    stream: process.stderr,
  });
  const shows = process.stderr.isTTY === true;
  if (shows) bar.start(STEPS, 0, { what: 'create, map, close' });
  let result: ShortBench;
  try {
    result = await runShortBench((what) => {
      if (shows) bar.increment(1, { what });
    });
  } finally {
    if (shows) bar.stop();
  }
  if (options.json === true) printJson(result);
  else printResult(result);
}

export function benchCommand(): Command {
  return new Command('bench')
    .description('measure sections on this machine, and the size from which they beat messages')
    .option('--json', 'print facts for programs (times in microseconds, ping-pong in nanoseconds)')
    .addHelpText(
      'after',
      `
It takes some seconds and uses two processes. Quiet machines give steady figures.

Examples:
  $ sectile bench
  $ sectile bench --json | jq .beats`,
    )
    .action(bench);
}
