/**
 * What a person sees on stderr while benchmarks run: a bar on a terminal, and a line for each row
 * that is done.
 */
import cliProgress from 'cli-progress';
import { figure, goalText, times } from './report.js';
import type { Row } from './rows.js';

export class Progress {
  #bar: cliProgress.SingleBar | undefined;

  start(group: string, label: string, rounds: number): void {
    if (!process.stderr.isTTY) return;
    this.#bar = new cliProgress.SingleBar({
      format: '{group} · {label} {bar} {value}/{total}',
      barsize: 24,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      stream: process.stderr,
    });
    this.#bar.start(rounds, 0, { group, label });
  }

  tick(): void {
    this.#bar?.increment();
  }

  stop(): void {
    this.#bar?.stop();
    this.#bar = undefined;
  }

  row(row: Row): void {
    const beside = row.floor === undefined ? '' : `, ${row.floor.what} ${figure(row.floor.median, row.unit)}, ${times(row)}`;
    this.line(`${row.group} · ${row.name}: ${figure(row.ours.median, row.unit)}${beside}${goalText(row, ', goal ')}`);
  }

  line(text: string): void {
    process.stderr.write(`${text}\n`);
  }
}
