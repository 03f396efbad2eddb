/**
 * What a person sees of the soak run: a table that is drawn over again on a terminal, a line now and then elsewhere, and a table
 * at the end.
 */
import chalk from 'chalk';
import Table from 'cli-table3';
import { createLogUpdate } from 'log-update';

export interface Line {
  readonly title: string;
  readonly turns: number;
  readonly seconds: number;
  readonly kills: number;
  readonly lives: number;
  readonly done: number;
  readonly lost: number;
  readonly told: number;
  readonly state: 'waits' | 'runs' | 'done' | 'failed';
}

/** Milliseconds between two lines where the output is no terminal. */
const APART = 10_000;

const number = (value: number): string => value.toLocaleString('en');

const states = { waits: chalk.dim('waits'), runs: chalk.cyan('runs'), done: chalk.green('whole'), failed: chalk.red('failed') };

const head = ['part', '', 'turns', 'seconds', 'processes', 'killed', 'delivered', 'lost by kills', 'told lost'];

function tableOf(lines: readonly Line[]): string {
  const table = new Table({
    head: head.map((title) => chalk.dim(title)),
    colAligns: head.map((_, index) => (index < 2 ? 'left' : 'right')),
    style: { head: [], border: chalk.level > 0 ? ['dim'] : [], compact: true },
  });
  for (const { title, state, turns, seconds, lives, kills, done, lost, told } of lines) {
    table.push([title, states[state], ...[turns, Math.round(seconds), lives, kills, done, lost, told].map(number)]);
  }
  return table.toString();
}

function lineOf(lines: readonly Line[]): string {
  const running = lines.filter(({ state }) => state === 'runs');
  return running
    .map(
      ({ title, done, kills, lost, told }) =>
        `${title}: ${number(done)} delivered, ${number(kills)} killed, ${number(lost)} lost, ${number(told)} told`,
    )
    .join(' · ');
}

export class Screen {
  readonly #update = process.stdout.isTTY === true ? createLogUpdate(process.stdout) : null;
  #next = APART;

  show(lines: readonly Line[], seconds: number, of: number): void {
    const time = `${Math.floor(seconds)} of ${of} s`;
    if (this.#update !== null) {
      this.#update(`${tableOf(lines)}\n${chalk.dim(time)}`);
    } else if (1000 * seconds >= this.#next) {
      this.#next += APART;
      console.log(`${time} · ${lineOf(lines)}`);
    }
  }

  end(lines: readonly Line[]): void {
    this.#update?.clear();
    this.#update?.done();
    console.log(tableOf(lines));
  }
}
