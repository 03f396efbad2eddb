/**
 * The driver echo-device and its application, as they are: each in a process of its own.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runtimeFolder, scratchFolder } from '../support/child.js';
import { startClient, startSystem } from '../support/system.js';

const folder = fileURLToPath(new URL('../../dist/drivers/echo-device/', import.meta.url));
const run = promisify(execFile);

async function started(t: TestContext): Promise<{ readonly scratch: string; application(): Promise<string> }> {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, drivers: [{ file: join(folder, 'driver.js') }] });
  const application = async () => {
    const { stdout } = await run(process.execPath, [join(folder, 'application.js')], {
      env: { ...process.env, NODE_OPTIONS: '', SECTILE_RUNTIME_DIR: runtimeFolder(scratch) },
    });
    return stdout;
  };
  return { scratch, application };
}

test('the application opens the device, maps the section that it is told of, has its own turned round', async (t) => {
  const { application } = await started(t);
  assert.equal(await application(), 'Global\\EchoDevice: "world", turned round 1 times\n');
  assert.equal(await application(), 'Global\\EchoDevice: "world", turned round 2 times\n');
});

test('the driver leaves nothing, and comes back', async (t) => {
  const { scratch, application } = await started(t);
  const client = await startClient(t, { scratch });
  await client.succeeds('unload', 'echo-device');
  await assert.rejects(application(), /the driver is not loaded: error 2/);
  await client.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\EchoDevice' });
  await client.succeeds('load', join(folder, 'driver.js'));
  assert.equal(await application(), 'Global\\EchoDevice: "world", turned round 1 times\n');
});
