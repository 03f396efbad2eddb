/**
 * Promise 5, the event loop is never blocked: prefetch and flush of large views run beside it.
 */

import { test } from 'node:test';
import longWork from '../fixtures/long-work.js';
import { run } from '../support/child.js';

for (const title of longWork.titles) {
  test(title, async (t) => {
    const { stdout } = await run(t, longWork, title);
    for (const line of stdout.trim().split('\n')) t.diagnostic(line);
  });
}
