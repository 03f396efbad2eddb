/**
 * How a driver finds its own devices again: DriverObject.DeviceObject and NextDevice, by which drivers
 * as they are written delete what they made.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runSystem } from '../../dist/system/run.js';
import { runtimeDirectory } from './runtime.js';

const file = join(runtimeDirectory, 'chain.mjs');
writeFileSync(file, 'export function DriverEntry(driverObject) { globalThis.chain = driverObject; return 0; }');
const system = await runSystem({ log: () => {}, drivers: [{ file }] });
after(() => system.stop());
const k = await import('sectile/ntddk');
const driver = (globalThis as unknown as { chain: import('sectile/ntddk').DriverObject }).chain;

function make(): import('sectile/ntddk').DeviceObject {
  const { deviceObject } = k.IoCreateDevice(driver, 0, null, k.FILE_DEVICE_UNKNOWN, 0, false);
  assert.ok(deviceObject !== null);
  return deviceObject;
}

test('the devices of a driver are a chain, the newest first', () => {
  assert.equal(driver.DeviceObject, null);
  const [first, second, third] = [make(), make(), make()];
  assert.deepEqual([driver.DeviceObject, third.NextDevice, second.NextDevice, first.NextDevice], [third, second, first, null]);
  k.IoDeleteDevice(second);
  assert.deepEqual([driver.DeviceObject, third.NextDevice, second.NextDevice], [third, first, null]);
  for (let device = driver.DeviceObject; device !== null; device = driver.DeviceObject) k.IoDeleteDevice(device);
  assert.equal(driver.DeviceObject, null);
});

test('what the I/O manager makes of numbers is not for drivers', () => {
  for (const name of ['methodOfCode', 'rightsOfCode', 'majorFunctionNames', 'MAXIMUM_HANDLES_IN_INPUT'])
    assert.ok(!(name in k), name);
});
