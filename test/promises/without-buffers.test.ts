/**
 * Where the runtime allows no external buffers, as Electron does: `buffer` says so, everything else works, and nothing
 * stays mapped. Each scenario in a process of its own, with an addon that refuses as the runtime would.
 */
import { test } from 'node:test';
import fixture from '../fixtures/without-buffers.js';
import { run, scratchFolder, start } from '../support/child.js';
import { withoutBuffers } from '../support/no-buffers.js';

const env = withoutBuffers();
const [first, second] = ['a first process: writes', 'a second process: reads and answers'] as const;

for (const title of fixture.titles) {
  if (title === first || title === second || /application/.test(title)) continue;
  test(title, async (t) => {
    await run(t, fixture, title, { env });
  });
}

test('two processes share a section by its name, one of them with buffers or none', async (t) => {
  for (const [one, other] of [
    [env, env],
    [{}, env],
    [env, {}],
  ] as const) {
    const scratch = scratchFolder(t);
    const writer = start(t, fixture, first, { scratch, env: one });
    await writer.reached('written');
    await run(t, fixture, second, { scratch, env: other });
    writer.tell('end');
    await writer.endsWell();
  }
});
