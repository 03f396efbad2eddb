/**
 * What is said at a process's door: one request, one answer, each a message of JSON; addresses and large
 * numbers travel as texts. Whoever reads it checks each field where it uses it.
 */
import type { NTSTATUS } from '../base/status.js';

export const MAXIMUM_MESSAGE = 256 * 1024;
export const MAXIMUM_DESCRIPTORS = 4;

/** Milliseconds that a process may take to answer: it does so when its event loop comes to it. */
export const ANSWER_TIME = 5000;

export interface Question {
  readonly operation: string;
  /** When the asker gives up, on the clock that all processes of the machine share: what is not begun by then is not done. */
  readonly until: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

export type Answer = { readonly status: NTSTATUS } & Readonly<Record<string, unknown>>;

const TAG = '$bigint';

export function encode(value: unknown): Uint8Array {
  const text = JSON.stringify(value, (_key, each: unknown) => (typeof each === 'bigint' ? { [TAG]: String(each) } : each));
  return new TextEncoder().encode(text);
}

/** @throws SyntaxError for what is no message */
export function decode(bytes: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), (_key, each: unknown) => {
    if (each === null || typeof each !== 'object' || !Object.hasOwn(each, TAG)) return each;
    return BigInt(String((each as Record<string, unknown>)[TAG]));
  });
}

/** Milliseconds on that clock. */
export function now(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}
