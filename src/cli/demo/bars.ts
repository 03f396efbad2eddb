/**
 * Numbers as pictures of one line: bars in eighths of a character, and histories as rows of columns.
 */
import chalk from 'chalk';

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const COLUMNS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

export type Paint = (text: string) => string;

/** Green while there is room, red when there is none. */
export function paintOfLoad(share: number): Paint {
  if (share >= 0.85) return chalk.red;
  return share >= 0.6 ? chalk.yellow : chalk.green;
}

/** A bar of `width` characters with its unfilled rest. */
export function bar(share: number, width: number, paint: Paint = paintOfLoad(share)): string {
  const eighths = Math.round(Math.min(1, Math.max(0, share)) * width * 8);
  const full = '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
  return paint(full) + chalk.dim('·'.repeat(width - full.length));
}

/** One column for one share. */
export function column(share: number): string {
  return COLUMNS[Math.min(COLUMNS.length - 1, Math.floor(Math.max(0, share) * COLUMNS.length))] ?? ' ';
}

/** The last values of something that changes, as columns; the highest of them is full height. */
export class Sparkline {
  readonly #width: number;
  #values: number[] = [];

  constructor(width: number) {
    this.#width = width;
  }

  add(value: number): void {
    this.#values.push(value);
    if (this.#values.length > this.#width) this.#values.shift();
  }

  /** @param least what counts as full height at the least, so that noise stays low */
  text(paint: Paint, least: number): string {
    const top = Math.max(least, ...this.#values);
    const text = this.#values.map((value) => (value > 0 ? column(value / top) : ' ')).join('');
    return ' '.repeat(this.#width - this.#values.length) + paint(text);
  }
}
