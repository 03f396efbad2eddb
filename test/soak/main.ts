/**
 * The soak run: processes at the ends of channels and around locks are killed at random moments for as long as one likes, and
 * every message is delivered once, whole and in order, or known to be lost.
 *
 *   npm run soak -- [--seconds 120] [--seed S] [--only ring,locks] [--patience 20]
 *
 * --seconds   for all parts together
 * --seed      of the random choices of a run before; when the system lets whom run is not in it
 * --only      these parts
 * --patience  seconds without progress after which somebody hangs
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import chalk from 'chalk';
import { eventually } from '../support/processes.js';
import { Crew } from './crew.js';
import { openLocks } from './lock-part.js';
import { openBroadcast, openLatest } from './one-writer-parts.js';
import { type OpenPart, Turn } from './part.js';
import { mix } from './pattern.js';
import { openPool } from './pool-part.js';
import { memoryOf, processesOf, Resources } from './proc.js';
import { openRing, openRingOfMany } from './ring-part.js';
import { type Line, Screen } from './screen.js';

interface Known {
  readonly name: string;
  readonly title: string;
  /** Whose roles its workers have. */
  readonly kind: string;
  readonly open: OpenPart;
}

const parts: readonly Known[] = [
  { name: 'ring', title: 'Ring, one producer', kind: 'ring', open: openRing },
  { name: 'ring-many', title: 'Ring, three producers', kind: 'ring', open: openRingOfMany },
  { name: 'broadcast', title: 'Broadcast, three readers', kind: 'broadcast', open: openBroadcast },
  { name: 'latest', title: 'Latest, three readers', kind: 'latest', open: openLatest },
  { name: 'pool', title: 'Pool, three consumers', kind: 'pool', open: openPool },
  { name: 'locks', title: 'Mutex, Event, Semaphore', kind: 'locks', open: openLocks },
];

/** Seconds of one turn at most: then the next part has one. */
const LONGEST_TURN = 120;

/** Processors that one turn has for itself. */
const SHARE = 2;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '120' },
    seed: { type: 'string' },
    only: { type: 'string' },
    patience: { type: 'string', default: '20' },
  },
});

function countOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value < 2 ** 31) return value;
  console.error(`soak: --${name} must be a whole number above 0, not "${text}"`);
  process.exit(1);
}

const SECONDS = countOf('seconds', values.seconds);
const PATIENCE = countOf('patience', values.patience);
const SEED = countOf('seed', values.seed ?? String(1 + (Date.now() % 1_000_000)));
const chosen = values.only?.split(',') ?? parts.map(({ name }) => name);
const unknown = chosen.filter((wanted) => !parts.some(({ name }) => name === wanted));
if (unknown.length > 0) {
  console.error(`soak: no part "${unknown.join('", "')}"; there are ${parts.map(({ name }) => name).join(', ')}`);
  process.exit(1);
}

/** What the names of this run begin with: another run beside it is none of its business. */
const MARK = `soak-${process.pid}-`;

/** A part with all its turns so far. */
class Row {
  readonly part: Known;
  turn: Turn | null = null;
  #base: Line;

  constructor(part: Known) {
    this.part = part;
    this.#base = { title: part.title, turns: 0, seconds: 0, kills: 0, lives: 0, done: 0, lost: 0, told: 0, state: 'waits' };
  }

  line(): Line {
    const { turn } = this;
    const base = this.#base;
    if (turn === null) return base;
    const { done, lost, told } = turn.counts();
    return {
      title: base.title,
      turns: base.turns + 1,
      seconds: base.seconds + Math.min(turn.passed, 1) * turn.options.seconds,
      kills: base.kills + turn.kills,
      lives: base.lives + turn.lives,
      done: base.done + done,
      lost: base.lost + lost,
      told: base.told + told,
      state: 'runs',
    };
  }

  /** The turn is over; what it counted is kept. */
  close(state: Line['state']): void {
    this.#base = { ...this.line(), state };
    this.turn = null;
  }
}

class Soak {
  readonly #directory = mkdtempSync(join(tmpdir(), 'sectile-soak-'));
  readonly #rows = parts.filter(({ name }) => chosen.includes(name)).map((part) => new Row(part));
  readonly #screen = new Screen();
  readonly #started = performance.now();
  readonly #crew: Crew;
  readonly #beside = Math.max(1, Math.min(chosen.length, Math.floor(availableParallelism() / SHARE)));
  readonly #failures: string[] = [];
  #before: Resources | null = null;
  #turns = 0;
  #isInterrupted = false;

  constructor() {
    process.env['SECTILE_RUNTIME_DIR'] = join(this.#directory, 'run');
    this.#crew = new Crew({ ...process.env, NODE_OPTIONS: '' }, 3 * this.#beside);
  }

  get #seconds(): number {
    return (performance.now() - this.#started) / 1000;
  }

  /** Ends everything; {@link run} removes what is left. */
  interrupt(): void {
    this.#isInterrupted = true;
    void this.#crew.end();
  }

  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  async run(): Promise<boolean> {
    const lanes = Array.from({ length: this.#beside }, (_, lane) =>
      this.#rows.filter((_, index) => index % this.#beside === lane),
    );
    const share = SECONDS / Math.max(...lanes.map((rows) => rows.length));
    const cycles = Math.ceil(share / LONGEST_TURN);
    console.log(
      `seed ${SEED}, ${SECONDS} s: ${chosen.join(', ')}; ${this.#beside} at a time, turns of ${Math.round(share / cycles)} s`,
    );
    const show = setInterval(() => this.#show(), 250);
    try {
      await Promise.all(lanes.map((rows) => this.#lane(rows, cycles, share / cycles)));
    } finally {
      await this.#end();
      clearInterval(show);
    }
    this.#screen.end(this.#rows.map((row) => row.line()));
    for (const failure of this.#failures) console.error(`${chalk.red('failed')} ${failure}`);
    if (this.#isInterrupted) return false;
    const again = `npm run soak -- --seconds ${SECONDS} --seed ${SEED} --only ${chosen.join(',')}`;
    if (this.#failures.length > 0) console.error(`repeat with: ${again}`);
    return this.#failures.length === 0;
  }

  #show(): void {
    this.#screen.show(
      this.#rows.map((row) => row.line()),
      this.#seconds,
      SECONDS,
    );
  }

  async #lane(rows: readonly Row[], cycles: number, seconds: number): Promise<void> {
    for (let cycle = 0; cycle < cycles; cycle++) {
      for (const row of rows) {
        if (this.#failures.length > 0 || this.#isInterrupted) return;
        await this.#turn(row, mix(SEED, cycle * parts.length + parts.indexOf(row.part)), seconds);
      }
    }
  }

  async #turn(row: Row, seed: number, seconds: number): Promise<void> {
    const { name, kind, open } = row.part;
    const turn = new Turn({
      ...{ part: kind, open, seed, seconds, patience: PATIENCE, crew: this.#crew },
      name: `${MARK}${++this.#turns}`,
    });
    row.turn = turn;
    try {
      await turn.run();
      row.close('done');
      this.#judgeOwn();
    } catch (error) {
      row.close(this.#isInterrupted ? 'waits' : 'failed');
      if (!this.#isInterrupted) this.#failures.push(`${name}, seed ${SEED}: ${(error as Error).message}`);
    }
  }

  /** This process has what it had after its first turn. */
  #judgeOwn(): void {
    const now = Resources.of('self');
    this.#before ??= now;
    const grown = this.#before.grownTo(now);
    if (grown !== null) throw new Error(`the parent leaks: ${grown}`);
  }

  /** Ends all processes, and looks what is left of the run. */
  async #end(): Promise<void> {
    await this.#crew.end();
    try {
      await eventually('all processes of the run have gone', () => processesOf(this.#directory).length === 0);
      const names = readdirSync(this.#directory, { recursive: true, withFileTypes: true }).filter((each) => !each.isDirectory());
      if (names.length > 0 && this.#failures.length === 0 && !this.#isInterrupted) {
        throw new Error(`names are left: ${names.map((each) => each.name).join(', ')}`);
      }
      const memory = memoryOf(MARK);
      if (memory.length > 0) throw new Error(`memory is left:\n${memory.join('\n')}`);
    } catch (error) {
      this.#failures.push(`at the end, seed ${SEED}: ${(error as Error).message}`);
    }
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

const soak = new Soak();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => soak.interrupt());
const isWell = await soak.run();
// A part that failed may have left waits behind, which would keep this process.
process.exit(soak.isInterrupted ? 130 : isWell ? 0 : 1);
