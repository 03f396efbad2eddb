/**
 * Runs the hostile programs of the tests, and reads what they report: what was tried, and the answer.
 */
import type { TestContext } from 'node:test';
import hostile from '../fixtures/hostile-start.js';
import { type ChildOptions, start } from './child.js';

/** What a hostile program reports, by the attempt: `SUCCEEDED`, or `refused` and why. */
export async function attempts(t: TestContext, title: string, options: ChildOptions): Promise<Map<string, string>> {
  const child = start(t, hostile, title, options);
  const report = String(await child.reached('attempts'));
  await child.endsWell();
  t.diagnostic(report.replaceAll(/\r?\n/g, '; '));
  return new Map(
    report
      .trim()
      .split(/\r?\n/)
      .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]),
  );
}
