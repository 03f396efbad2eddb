/**
 * Where the runtime allows no external buffers: what an application of a driver's says, and the demo.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import fixture from '../fixtures/without-buffers.js';
import { run, runtimeFolder, scratchFolder } from '../support/child.js';
import { withoutBuffers } from '../support/no-buffers.js';
import { platform } from '../support/platform.js';
import { startSystem } from '../support/system.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const env = withoutBuffers();
const application = "an application of a driver's says why it cannot go on";

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
