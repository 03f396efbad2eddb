/**
 * Events, mutexes and semaphores within one process: each scenario in a process of its own, with waits in the event loop and
 * by threads.
 */
import { test } from 'node:test';
import dispatchers, { isWhole } from '../fixtures/dispatchers.js';
import { run } from '../support/child.js';
import { platform } from '../support/platform.js';

for (const way of platform.waysOfWaiting) {
  for (const title of dispatchers.titles.filter(isWhole)) {
    test(`${way}: ${title}`, async (t) => {
      await run(t, dispatchers, title, { env: { SECTILE_WAITS: way === 'by threads' ? 'threads' : '' } });
    });
  }
}
