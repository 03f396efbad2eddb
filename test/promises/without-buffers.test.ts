/**
 * Where the runtime allows no external buffers, as Electron does: `buffer` says so, everything else works, and nothing
 * stays mapped. Each scenario in a process of its own, with an addon that refuses as the runtime would.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fixture from '../fixtures/without-buffers.js';
import { run, runtimeFolder, scratchFolder, start } from '../support/child.js';
import { withoutBuffers } from '../support/no-buffers.js';
import { platform } from '../support/platform.js';
import { startSystem } from '../support/system.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const env = withoutBuffers();
const [first, second, application] = [
  'a first process: writes',
  'a second process: reads and answers',
  "an application of a driver's says why it cannot go on",
] as const;

for (const title of fixture.titles) {
  if (title === first || title === second || title === application) continue;
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

test("an application of a driver's says why it cannot go on", { skip: platform.lacks.packetSockets }, async (t) => {
  const scratch = scratchFolder(t);
  const driver = join(root, 'dist/drivers/host-telemetry/driver.js');
  const system = await startSystem(t, { scratch, drivers: [{ file: driver }] });
  await run(t, fixture, application, { scratch, env });
  system.tell('stop');
  await system.endsWell();
});

test('the demo says why it cannot run, and leaves nothing', (t) => {
  const scratch = scratchFolder(t);
  const temporary = join(scratch, 'tmp');
  mkdirSync(temporary);
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'dist/cli/main.js'), 'demo', '--seconds', '1'], {
    encoding: 'utf8',
    env: { ...process.env, ...env, TMPDIR: temporary, SECTILE_RUNTIME_DIR: runtimeFolder(scratch) },
  });
  assert.equal(status, 1, stderr);
  assert.match(stderr, /allows no external buffers/);
  assert.deepEqual(readdirSync(temporary), []);
});
