/**
 * What a run found, for people and for programs.
 */
import chalk from 'chalk';
import Table from 'cli-table3';
import type { Vector } from './case.js';
import type { Outcome } from './outcome.js';

export interface Summary {
  readonly total: number;
  readonly passed: number;
  readonly failed: readonly { readonly id: string; readonly expected: unknown; readonly got: unknown }[];
  readonly skipped: readonly { readonly id: string; readonly reason: string }[];
}

export function summaryOf(outcomes: readonly Outcome[]): Summary {
  return {
    total: outcomes.length,
    passed: outcomes.filter(({ kind }) => kind === 'passed').length,
    failed: outcomes.flatMap((each) => (each.kind === 'failed' ? [{ id: each.id, expected: each.expected, got: each.got }] : [])),
    skipped: outcomes.flatMap((each) => (each.kind === 'skipped' ? [{ id: each.id, reason: each.reason }] : [])),
  };
}

/** Passed, failed and skipped of each scope, and of all. */
export function table(vectors: readonly Vector[], outcomes: readonly Outcome[]): string {
  const scopes = new Map(vectors.map(({ testCase }) => [testCase.id, testCase.scope]));
  const count = (kind: Outcome['kind'], scope?: string): number =>
    outcomes.filter((each) => each.kind === kind && (scope === undefined || scopes.get(each.id) === scope)).length;
  const row = (title: string, scope?: string): string[] => {
    const [passed, failed, skipped] = [count('passed', scope), count('failed', scope), count('skipped', scope)];
    return [
      title,
      String(passed),
      failed === 0 ? '0' : chalk.red(String(failed)),
      String(skipped),
      String(passed + failed + skipped),
    ];
  };
  const found = [...new Set(outcomes.map(({ id }) => scopes.get(id) ?? ''))].sort();
  const result = new Table({
    head: ['SCOPE', 'PASSED', 'FAILED', 'SKIPPED', 'CASES'].map((title) => chalk.dim(title)),
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  result.push(...found.map((scope) => row(scope, scope)), row('all'));
  return result.toString();
}

/** Each failure and each skip, with its reason. */
export function* remarks({ failed, skipped }: Summary): Generator<string> {
  for (const { id, expected, got } of failed) {
    yield `${chalk.red('failed')}  ${id}`;
    yield `  expected ${JSON.stringify(expected)}`;
    yield `  got      ${typeof got === 'string' ? got.replaceAll('\n', '\n           ') : JSON.stringify(got)}`;
  }
  for (const { id, reason } of skipped) yield `${chalk.yellow('skipped')} ${id}: ${reason}`;
}
