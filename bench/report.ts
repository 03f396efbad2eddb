/**
 * Shows what was measured: a table for each group on stdout, and everything as JSON in a file.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import chalk from 'chalk';
import Table from 'cli-table3';
import type { Group, Remark } from './bench.js';
import { drawChart } from './chart.js';
import type { Machine } from './machine.js';
import type { Row, Spread } from './rows.js';
import type { Point } from './series.js';

/** Three significant digits, and never an exponent. */
function digits(value: number): string {
  if (value >= 1000) return Math.round(value).toLocaleString('en');
  return value.toPrecision(3).replace(/e.*$/, '');
}

export function figure(value: number, unit: string): string {
  return `${digits(value)} ${unit}`;
}

/** A ratio in words: `1.21×`, or `34.0× faster`, or `1.30× slower`. */
export function times(row: Row): string {
  if (row.ratio === undefined) return '';
  const slower = row.ratioOf === 'floor/ours' && row.ratio < 1;
  const ratio = slower ? 1 / row.ratio : row.ratio;
  const word = row.ratioOf === 'floor/ours' ? (slower ? ' slower' : ' faster') : '';
  return `${ratio >= 100 ? digits(ratio) : ratio.toFixed(2)}×${word}`;
}

export function goalText(row: Row, before = ''): string {
  if (row.goal === undefined) return '';
  const { bound, on, value, met } = row.goal;
  const target = `${bound === 'at most' ? '≤' : '≥'} ${value}${on === 'ratio' ? '×' : ` ${row.unit}`}`;
  return `${before}${target} ${met ? 'met' : 'missed'}`;
}

function range(spread: Spread): string {
  return `${digits(spread.p10)}–${digits(spread.p90)}`;
}

function groupTable(rows: readonly Row[]): string {
  const table = new Table({
    head: ['', 'Sectile', 'p10–p90', 'beside', '', 'p10–p90', 'ratio', 'goal'].map((text) => chalk.bold(text)),
    style: { head: [], border: [], compact: true },
    colAligns: ['left', 'right', 'right', 'left', 'right', 'right', 'right', 'left'],
  });
  for (const row of rows) {
    const paint = row.goal === undefined ? String : row.goal.met ? chalk.green : chalk.yellow;
    table.push([
      row.name,
      chalk.bold(figure(row.ours.median, row.unit)),
      range(row.ours),
      row.floor?.what ?? '',
      row.floor === undefined ? '' : figure(row.floor.median, row.unit),
      row.floor === undefined ? '' : range(row.floor),
      times(row),
      paint(goalText(row)),
    ]);
  }
  return table.toString();
}

export interface Failure {
  readonly group: string;
  readonly message: string;
}

export interface Results {
  readonly machine: Machine;
  readonly node: string;
  readonly v8: string;
  readonly sectile: string;
  readonly compiler: string | null;
  readonly date: string;
  readonly quick: boolean;
  readonly seconds: number;
  readonly rows: readonly Row[];
  readonly remarks: readonly Remark[];
  readonly points: readonly Point[];
  readonly failures: readonly Failure[];
}

function machineLine(machine: Machine): string {
  const gibibytes = Math.round(machine.memory / 2 ** 30);
  return `${machine.processor}, ${machine.cores} cores, ${gibibytes} GiB, ${machine.platform}, kernel ${machine.kernel}`;
}

export function printReport(results: Results, groups: readonly Group[]): void {
  const { machine } = results;
  const lines = [
    chalk.bold(`Sectile ${results.sectile} beside C and Node's own means, Node ${results.node}`),
    machineLine(machine),
    `transparent huge pages ${machine.transparentHugePages}, in shared memory ${machine.transparentHugePagesShared}; ` +
      `huge pages of 2 MiB: ${machine.hugePages2MiB}; load at start ${machine.loadAtStart[0]?.toFixed(2)}`,
  ];
  for (const group of groups) {
    const rows = results.rows.filter((row) => row.group === group.name);
    const remarks = results.remarks.filter((remark) => remark.group === group.name);
    if (rows.length === 0 && remarks.length === 0) continue;
    lines.push('', chalk.bold.underline(group.title));
    if (rows.length > 0) lines.push(groupTable(rows));
    for (const note of group.notes ?? []) lines.push(chalk.dim(`  ${note}`));
    for (const { name, text, skipped } of remarks) lines.push(`  ${name}${skipped ? ', not measured' : ''}: ${text}`);
  }
  for (const { group, message } of results.failures) lines.push('', chalk.red(`${group} failed: ${message}`));
  lines.push(
    '',
    chalk.dim(
      'Medians; the ratio is the median of the ratios of neighbouring rounds. Goals are information: nothing fails by time.',
    ),
  );
  process.stdout.write(`${lines.join('\n')}\n`);
}

export function writeReport(results: Results, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}

export function writeChart({ points, machine, node, quick }: Results, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(
    file,
    drawChart(points, `Node.js ${node}; ${machineLine(machine)}. ${quick ? 'A quick run.' : 'Medians of one run.'}`),
  );
}
