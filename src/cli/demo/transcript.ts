/**
 * What the demo says: headings, and a tick or a cross for each thing that it looked at, with what it saw.
 * For programs it only remembers.
 */
import chalk from 'chalk';
import { SingleBar } from 'cli-progress';
import { printable, sizeText } from '../../inspector/index.js';
import { lineWidth, print } from '../output.js';
import type { Check } from './messages.js';

const INDENT = '    ';

/** Breaks a text between words so that it stays behind its indent. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

export interface Progress {
  update(bytes: number, total: number): void;
  end(): void;
}

export class Transcript {
  readonly isQuiet: boolean;
  readonly checks: Check[] = [];

  constructor(isQuiet: boolean) {
    this.isQuiet = isQuiet;
  }

  get failed(): readonly Check[] {
    return this.checks.filter(({ held }) => !held);
  }

  line(text = ''): void {
    if (!this.isQuiet) print(text);
  }

  heading(text: string): void {
    this.line();
    this.line(chalk.bold(text));
  }

  /** A fact beside its name. */
  fact(name: string, value: string): void {
    this.line(`  ${chalk.dim(name.padEnd(16))}${value}`);
  }

  check(check: Check): void {
    this.checks.push(check);
    const width = lineWidth() - INDENT.length;
    for (const [index, line] of wrap(check.title, width).entries()) {
      const mark = index > 0 ? ' ' : check.held ? chalk.green('✔') : chalk.red('✖');
      this.line(`  ${mark} ${check.held ? line : chalk.bold(line)}`);
    }
    const paint = check.held ? chalk.dim : chalk.yellow;
    for (const each of check.evidence.split('\n')) {
      for (const line of wrap(printable(each), width)) this.line(INDENT + paint(line));
    }
  }

  /** A bar for bytes; nothing where the output is no terminal. */
  progress(total: number): Progress {
    if (this.isQuiet || process.stdout.isTTY !== true || total === 0) return { update: () => {}, end: () => {} };
    const started = performance.now();
    const rate = (bytes: number): string =>
      `${Math.round(bytes / 1e6 / Math.max(0.001, (performance.now() - started) / 1000))} MB/s`;
    const size = Math.max(20, Math.min(60, lineWidth() - 45));
    const progress = new SingleBar({
      format: `  ${chalk.cyan('{bar}')} {percentage} %  {done} of ${sizeText(total)}  {rate}`,
      barCompleteChar: '█',
      barIncompleteChar: '·',
      barsize: size,
      hideCursor: true,
      stopOnComplete: false,
      fps: 25,
    });
    progress.start(total, 0, { done: '0 bytes', rate: '' });
    return {
      update: (bytes) => progress.update(bytes, { done: sizeText(bytes), rate: rate(bytes) }),
      end: () => progress.stop(),
    };
  }
}
