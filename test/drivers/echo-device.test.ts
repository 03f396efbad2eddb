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

test('a section that would keep the system process busy is refused', async (t) => {
  const { scratch } = await started(t);
  const source = `
    import * as w from 'sectile/kernel32';
    import { IOCTL_ECHO_REVERSE } from ${JSON.stringify(join(folder, 'controls.js'))};
    const device = w.CreateFile('\\\\\\\\.\\\\EchoDevice', w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.OPEN_EXISTING, 0, null);
    const own = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 2 ** 20 + 4096, 'Global\\\\Large');
    console.log(device > 0, own > 0, w.DeviceIoControl(device, IOCTL_ECHO_REVERSE, Int32Array.of(own), 0), w.GetLastError());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], {
    env: { ...process.env, NODE_OPTIONS: '', SECTILE_RUNTIME_DIR: runtimeFolder(scratch) },
  });
  // ERROR_NOT_ENOUGH_MEMORY: what Windows makes of STATUS_SECTION_TOO_BIG.
  assert.equal(stdout, 'true true false 8\n');
});
