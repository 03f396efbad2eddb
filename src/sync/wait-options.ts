/**
 * What users say of a wait: how long, and what ends it early.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';

export interface WaitOptions {
  /** Milliseconds, 0 or more; a fraction too. Default: for ever. */
  readonly timeout?: number | undefined;
  /** Ends the wait early: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export interface JudgedOptions {
  /** Milliseconds; Infinity where none were given. */
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** What waits have that were given none. */
export const noOptions: JudgedOptions = { timeout: Number.POSITIVE_INFINITY, signal: undefined };

/** @throws SectionError ERR_SECTION_INVALID_ARGUMENT */
export function judgeOptions(operation: string, given: WaitOptions | undefined): JudgedOptions {
  if (given === undefined) return noOptions;
  if (given === null || typeof given !== 'object') {
    throw invalid(operation, `options must be { timeout?, signal? }, not ${show(given)}`);
  }
  const { timeout, signal } = given;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw invalid(operation, `signal must be an AbortSignal, not ${show(signal)}`);
  }
  return { timeout: judgeTimeout(operation, timeout), signal };
}

/**
 * Milliseconds; Infinity where none were given.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT
 */
export function judgeTimeout(operation: string, timeout: unknown): number {
  if (timeout === undefined) return Number.POSITIVE_INFINITY;
  if (typeof timeout === 'number' && timeout >= 0) return timeout;
  throw invalid(operation, `timeout must be milliseconds, 0 or more, not ${show(timeout)}`);
}

function invalid(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule });
}
