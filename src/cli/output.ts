/**
 * Printing: tables without borders, facts in columns, JSON for programs. Colours come from chalk, which
 * leaves them out where the output is no terminal or NO_COLOR is set.
 */
import chalk, { chalkStderr } from 'chalk';
import Table from 'cli-table3';

/** Writes one line to stdout. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** Writes a remark to stderr, where it does not mix with facts. */
export function remark(line: string): void {
  process.stderr.write(`${chalkStderr.dim(line)}\n`);
}

/** Writes facts for programs: bigints as decimal texts, two spaces of indent. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? each.toString() : each), 2));
}

const noBorders = Object.fromEntries(
  ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'].map((part) => [part, '']),
);
const noLines = { left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' };

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

/** A table as lines: a quiet heading, columns apart by two spaces, nothing at line ends. */
function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): readonly string[] {
  const hasTitles = columns.some(({ title }) => title !== '');
  const table = new Table({
    ...(hasTitles ? { head: columns.map(({ title }) => chalk.dim(title)) } : {}),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: { ...noBorders, ...noLines },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

export function printTable(columns: readonly Column[], rows: readonly (readonly string[])[], indent = ''): void {
  for (const line of tableLines(columns, rows)) print(indent + line);
}

/** How wide a line may be: the terminal's width, or what reads well in a file. */
export function lineWidth(): number {
  return process.stdout.isTTY === true ? process.stdout.columns : 120;
}
