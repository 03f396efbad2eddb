/**
 * One thing that `sectile doctor` found out about this host: what is there, what it means for Sectile
 * and what to do. Also the small readers that the checks share.
 */
import { readFileSync } from 'node:fs';

/** `note`: works, with a limit one should know. `problem`: something does not work. */
export type FindingState = 'ok' | 'note' | 'problem';

export interface Finding {
  /** Stable name, for programs: `kernel.memfd`. */
  readonly key: string;
  readonly topic: string;
  readonly state: FindingState;
  /** What is there. */
  readonly found: string;
  readonly meaning: string;
  /** What to do; null where nothing needs doing. */
  readonly advice: string | null;
  /** Whether sections cannot be used at all because of it. */
  readonly fatal: boolean;
  /** The facts as numbers and words, for programs. */
  readonly values: Readonly<Record<string, number | string | boolean | null>>;
}

type Details = Partial<Pick<Finding, 'advice' | 'fatal' | 'values'>>;

/** Makes a finding; what is left out is nothing to do, not fatal, no values. */
export function finding(
  key: string,
  topic: string,
  state: FindingState,
  found: string,
  meaning: string,
  details: Details = {},
): Finding {
  const { advice = null, fatal = false, values = {} } = details;
  return { key, topic, state, found, meaning, advice, fatal, values };
}

/** A small file of /proc or /sys, without its last newline; null where this host has none. */
export function fact(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    return null;
  }
}

/** A file that holds one number; null where it is not there. */
export function numberFact(path: string): number | null {
  const text = fact(path);
  return text === null || text === '' || Number.isNaN(Number(text)) ? null : Number(text);
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
