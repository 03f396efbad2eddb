/**
 * What a benchmark group works with: rounds in which all sides take turns, floors, other processes,
 * and clean-up. It measures and records; it judges nothing.
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Floor, type Floors } from './floors.js';
import { Peer, type PeerOptions } from './peer.js';
import { pinApart, pinTogether } from './pin.js';
import type { Progress } from './progress.js';
import { type Goal, makeRow, type RatioOf, type Rounds, type Row, type RowParts, type Unit } from './rows.js';
import type { Point } from './series.js';

/** Takes one round's samples of one side, in nanoseconds per operation. */
export type Sampler = () => readonly number[] | Promise<readonly number[]>;

export interface Group {
  /** One word: what `--only` and the JSON know it by. */
  readonly name: string;
  readonly title: string;
  /** What exactly is measured, where the names do not say it. Shown under the table. */
  readonly notes?: readonly string[];
  run(bench: Bench): Promise<void>;
}

export interface Comparison {
  readonly name: string;
  readonly unit: Unit;
  readonly rounds: number;
  /** Rounds that are thrown away first, until the code is compiled; 1 unless said. */
  readonly warmUp?: number;
  readonly ours: Sampler;
  readonly floor?: Sampler | undefined;
  /** What the floor is; C unless said. */
  readonly what?: string;
  readonly ratioOf?: RatioOf;
  readonly goal?: Goal | undefined;
}

/** A line of the report that is not a figure. */
export interface Remark {
  readonly group: string;
  readonly name: string;
  readonly text: string;
  readonly skipped: boolean;
}

/** `GROUP` or `GROUP/ROW`, both regular expressions. */
export interface Selection {
  readonly group: RegExp;
  readonly row: RegExp;
}

export class Bench {
  readonly quick: boolean;
  readonly rows: Row[] = [];
  readonly remarks: Remark[] = [];
  /** What charts are drawn from. */
  readonly points: Point[] = [];
  /** A folder of this run alone: sockets and the registry live here too. */
  readonly temporary: string;
  readonly #floors: Floors;
  readonly #progress: Progress;
  readonly #selection: Selection;
  #group = '';
  readonly #children = new Set<ChildProcess>();
  #cleanups: (() => unknown)[] = [];

  constructor(options: { quick: boolean; floors: Floors; progress: Progress; selection: Selection }) {
    this.quick = options.quick;
    this.#floors = options.floors;
    this.#progress = options.progress;
    this.#selection = options.selection;
    this.temporary = mkdtempSync(join(tmpdir(), 'sectile-bench-'));
  }

  /** Runs one group if it is wanted, and cleans up after it however it ended. */
  async run(group: Group): Promise<void> {
    if (!this.#selection.group.test(group.name)) return;
    this.#group = group.name;
    try {
      await group.run(this);
    } finally {
      await this.#cleanUp();
    }
  }

  /** Whether a row was asked for. */
  wants(name: string): boolean {
    return this.#selection.row.test(name);
  }

  /** One of two numbers: for a full run, for a quick one. */
  pick(full: number, quick: number): number {
    return this.quick ? quick : full;
  }

  /** Does `cleanup` when the group ends, the last one first. */
  defer(cleanup: () => unknown): void {
    this.#cleanups.push(cleanup);
  }

  /** Starts a floor; undefined when there is no compiler. */
  floor(name: string, args: readonly (string | number)[], inherit: readonly number[] = []): Floor | undefined {
    if (!this.#floors.ready) return undefined;
    const floor = new Floor(name, args, inherit);
    this.adopt(floor.child);
    this.defer(() => floor.close());
    return floor;
  }

  /** Starts the other process of a benchmark: a file of the folder `peers`. */
  peer<Answer>(module: string, options?: PeerOptions): Peer<Answer> {
    const peer = new Peer<Answer>(module, options);
    this.adopt(peer.child);
    this.defer(() => peer.close());
    return peer;
  }

  /** Gives these processes one core and this one another until the group ends, where that can be had. */
  pinApart(...others: readonly (ChildProcess | undefined)[]): void {
    const release = pinApart(others.flatMap((child) => child?.pid ?? []));
    if (release === undefined) this.remark('all', 'both sides run where the scheduler puts them: one processor, or no taskset');
    else this.defer(release);
  }

  /** Has these processes and this one share one processor until it is taken back, where that can be had. */
  pinTogether(...others: readonly (ChildProcess | undefined)[]): (() => void) | undefined {
    return pinTogether(others.flatMap((child) => child?.pid ?? []));
  }

  /** A process that must not outlive this one, however this one ends. */
  adopt(child: ChildProcess): void {
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
  }

  /** Measures ours beside a floor and records the row. */
  async compare(comparison: Comparison): Promise<void> {
    const { name, unit, rounds, warmUp, ours, floor, what = 'C', ratioOf, goal } = comparison;
    if (!this.wants(name)) return;
    const taken = await this.interleave(name, rounds, { ours, ...(floor === undefined ? {} : { floor }) }, warmUp);
    this.record({
      name,
      unit,
      ours: taken.ours ?? [],
      floor: taken.floor === undefined ? undefined : { what, rounds: taken.floor },
      ratioOf,
      goal,
    });
  }

  /**
   * Lets all sides take turns, round after round, after some rounds that are thrown away: what slows
   * the machine down for a moment hits neighbours alike.
   */
  async interleave(
    label: string,
    rounds: number,
    sides: Readonly<Record<string, Sampler>>,
    warmUp = 1,
  ): Promise<Record<string, Rounds>> {
    const taken: Record<string, (readonly number[])[]> = {};
    this.#progress.start(this.#group, label, rounds + warmUp);
    for (let round = -warmUp; round < rounds; round++) {
      for (const [name, sample] of Object.entries(sides)) {
        const samples = await sample();
        taken[name] ??= [];
        if (round >= 0) taken[name].push(samples);
      }
      this.#progress.tick();
    }
    this.#progress.stop();
    return taken;
  }

  record(parts: Omit<RowParts, 'group'>): void {
    if (!this.wants(parts.name)) return;
    const row = makeRow({ group: this.#group, ...parts });
    this.rows.push(row);
    this.#progress.row(row);
  }

  /** Says why a row is missing: it cannot be measured here. */
  skip(name: string, text: string): void {
    this.remarks.push({ group: this.#group, name, text, skipped: true });
  }

  /** A fact that belongs to a row and is no figure of it. */
  remark(name: string, text: string): void {
    this.remarks.push({ group: this.#group, name, text, skipped: false });
  }

  async close(): Promise<void> {
    await this.#cleanUp();
    this.abandon();
  }

  /** Leaves nothing behind, at once. */
  abandon(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    rmSync(this.temporary, { recursive: true, force: true });
  }

  async #cleanUp(): Promise<void> {
    const cleanups = this.#cleanups.reverse();
    this.#cleanups = [];
    for (const cleanup of cleanups) await cleanup();
  }
}
