/**
 * The telemetry as a person would like to see it: a few lines that are drawn over again in a terminal,
 * or a line each second where the output is none.
 */
import chalk from 'chalk';
import { createLogUpdate } from 'log-update';
import { sizeText } from '../../inspector/index.js';
import { print } from '../output.js';
import { bar, column, type Paint, paintOfLoad, Sparkline } from './bars.js';
import type { Snapshot } from './messages.js';

/** Up to so many processors get a bar of their own each; more get a column each. */
const MOST_BARS = 32;
/** Up to so many, each in a line of its own. */
const MOST_LINES = 4;
const LABEL_WIDTH = 13;
const MIB = 2 ** 20;

const percent = (share: number): string => `${Math.round(share * 100)} %`.padStart(5);
const label = (text: string): string => `  ${chalk.dim(text.padEnd(LABEL_WIDTH))}`;
const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / Math.max(1, values.length);

/** `1.3 MiB/s`, with the same width for all. */
function rateText(bytes: number | null): string {
  return bytes === null ? 'not told here' : `${sizeText(Math.round(bytes)).replace(/ bytes$/, ' B')}/s`;
}

function memoryText({ memoryTotal, memoryUsed }: Snapshot): string {
  return memoryTotal === null || memoryUsed === null ? 'not told here' : `${sizeText(memoryUsed)} of ${sizeText(memoryTotal)}`;
}

/** What has a history of its own. */
const histories = [
  { title: 'Disk read', field: 'diskRead', paint: chalk.cyan },
  { title: 'Disk write', field: 'diskWritten', paint: chalk.magenta },
  { title: 'Network in', field: 'networkReceived', paint: chalk.cyan },
  { title: 'Network out', field: 'networkSent', paint: chalk.magenta },
] as const satisfies readonly { title: string; field: keyof Snapshot; paint: Paint }[];

export interface Dashboard {
  show(snapshot: Snapshot): void;
  /** Leaves the last picture where it is. */
  end(): void;
}

/** Drawn in place. */
class Screen implements Dashboard {
  readonly #update = createLogUpdate(process.stdout);
  readonly #width = Math.min(100, Math.max(60, process.stdout.columns));
  readonly #barWidth = this.#width - LABEL_WIDTH - 36;
  readonly #load = new Sparkline(this.#barWidth);
  readonly #histories = histories.map((each) => ({ ...each, line: new Sparkline(this.#barWidth) }));

  show(snapshot: Snapshot): void {
    this.#load.add(mean(snapshot.cores));
    for (const { field, line } of this.#histories) line.add(snapshot[field] ?? 0);
    this.#update(
      ['', ...this.#processors(snapshot), ...this.#memory(snapshot), ...this.#rates(snapshot), '', this.#foot(snapshot)].join(
        '\n',
      ),
    );
  }

  #processors({ cores, load, running }: Snapshot): string[] {
    const all = mean(cores);
    const load1 = load === null ? '' : chalk.dim(`   load ${load.toFixed(2)}${running === null ? '' : `, ${running} running`}`);
    const head = `${label('Processors')}${this.#load.text(paintOfLoad(all), 1)} ${chalk.bold(percent(all))}${load1}`;
    return [head, ...(cores.length > MOST_BARS ? this.#columns(cores) : this.#bars(cores))];
  }

  #bars(cores: readonly number[]): string[] {
    const number = (core: number): string => String(core).padStart(2);
    const lineOf = (core: number, width: number): string => `${bar(cores[core] ?? 0, width)} ${percent(cores[core] ?? 0)}`;
    if (cores.length <= MOST_LINES)
      return cores.map((_, core) => `${label(number(core).padStart(LABEL_WIDTH - 1))}${lineOf(core, this.#barWidth)}`);
    // Two beside each other.
    const half = Math.ceil(cores.length / 2);
    const width = Math.floor((this.#barWidth - 11) / 2);
    return Array.from({ length: half }, (_, core) => {
      const right = core + half < cores.length ? `  ${chalk.dim(number(core + half))} ${lineOf(core + half, width)}` : '';
      return `${label(number(core).padStart(LABEL_WIDTH - 1))}${lineOf(core, width)}${right}`;
    });
  }

  #columns(cores: readonly number[]): string[] {
    const lines: string[] = [];
    for (let first = 0; first < cores.length; first += this.#barWidth) {
      const row = cores.slice(first, first + this.#barWidth).map((share) => paintOfLoad(share)(column(share)));
      lines.push(`${label('')}${row.join('')}`);
    }
    return lines;
  }

  #memory(snapshot: Snapshot): string[] {
    const share = (snapshot.memoryUsed ?? 0) / (snapshot.memoryTotal ?? 1);
    return [
      `${label('Memory')}${bar(share, this.#barWidth, chalk.blue)} ${chalk.bold(percent(share))}${chalk.dim(`   ${memoryText(snapshot)}`)}`,
    ];
  }

  #rates(snapshot: Snapshot): string[] {
    return this.#histories.map(
      ({ title, field, paint, line }) => `${label(title)}${line.text(paint, MIB / 4)} ${rateText(snapshot[field])}`,
    );
  }

  #foot({ sampleNumber, samplesPerSecond }: Snapshot): string {
    return `${label('Sample')}${chalk.bold(String(sampleNumber))}${chalk.dim(`, ${samplesPerSecond} new ones a second`)}`;
  }

  end(): void {
    this.#update.done();
  }
}

/** A line each second. */
class Lines implements Dashboard {
  #next = 0;

  show(snapshot: Snapshot): void {
    if (performance.now() < this.#next) return;
    this.#next = performance.now() + 990;
    const { cores, diskRead, diskWritten, networkReceived, networkSent, samplesPerSecond } = snapshot;
    const facts = [
      `processors ${percent(mean(cores)).trim()}`,
      `memory ${memoryText(snapshot)}`,
      `disk ${rateText(diskRead)} in, ${rateText(diskWritten)} out`,
      `network ${rateText(networkReceived)} in, ${rateText(networkSent)} out`,
      `${samplesPerSecond} samples/s`,
    ];
    print(`  ${facts.join(' · ')}`);
  }

  end(): void {}
}

export function createDashboard(isQuiet: boolean): Dashboard {
  if (isQuiet) return { show: () => {}, end: () => {} };
  return process.stdout.isTTY === true ? new Screen() : new Lines();
}
