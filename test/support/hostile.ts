/**
 * What tests of a hostile other side have in common: how long they run, and what they draw from.
 */
import { createRequire } from 'node:module';
import type { TestContext } from 'node:test';
import { compile } from './compile.js';

/** The tests of one file go on for so long, one after the other: a moment, or what SECTILE_FUZZ_SECONDS says (a minute in CI). */
const TOGETHER = Number(process.env['SECTILE_FUZZ_SECONDS'] ?? 4);
const TESTS_PER_FILE = 3;

/** How long each test goes on. */
export const FUZZ_SECONDS = TOGETHER / TESTS_PER_FILE;

/** SECTILE_FUZZ_SEED repeats a run, as far as the machine's timing lets it. */
export const FUZZ_SEED = Number(process.env['SECTILE_FUZZ_SEED'] ?? process.pid);

/** What a test says of itself, so that it can be repeated. */
export function tellSeed(t: TestContext): void {
  t.diagnostic(`SECTILE_FUZZ_SEED=${FUZZ_SEED} SECTILE_FUZZ_SECONDS=${TOGETHER}`);
}

export const scribblerFile = (): string => compile('scribbler.c', 'addon');

export interface Scribbler {
  /** Spoils memory from a thread of its own until it is stopped. */
  start(regions: readonly Uint8Array[], seed: number): void;
  /** How often it did each thing. */
  stop(): readonly number[];
}

export function loadScribbler(file: string): Scribbler {
  return createRequire(import.meta.url)(file) as Scribbler;
}

/** Numbers from a seed, 0 to below a limit: for whoever needs no speed. */
export function drawer(seed: number): (limit: number) => number {
  let state = (seed * 2654435761) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Counts how calls ended, and looks that each did so in time. */
export class Outcomes {
  readonly counts: Record<string, number> = {};
  readonly #known: (error: unknown) => string | null;

  /** @param known the name of a failure that may be, null for any other: that one is thrown on */
  constructor(known: (error: unknown) => string | null) {
    this.#known = known;
  }

  count(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  /** The value, or undefined where it failed as it may. */
  of<T>(name: string, limit: number, call: () => T): T | undefined {
    const started = performance.now();
    try {
      const value = call();
      this.count(name);
      return value;
    } catch (error) {
      this.#failed(name, error);
      return undefined;
    } finally {
      this.#inTime(name, limit, started);
    }
  }

  async after<T>(name: string, limit: number, call: () => Promise<T>): Promise<T | undefined> {
    const started = performance.now();
    try {
      const value = await call();
      this.count(name);
      return value;
    } catch (error) {
      this.#failed(name, error);
      return undefined;
    } finally {
      this.#inTime(name, limit, started);
    }
  }

  #failed(name: string, error: unknown): void {
    const known = this.#known(error);
    if (known === null) throw new Error(`${name} failed as nothing of ours may`, { cause: error });
    this.count(`${name}: ${known}`);
  }

  #inTime(name: string, limit: number, started: number): void {
    const took = performance.now() - started;
    if (took > limit) throw new Error(`${name} took ${Math.round(took)} ms, and may take ${limit}`);
  }
}
