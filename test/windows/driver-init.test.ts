/**
 * A pair that `sectile driver init Camera --windows` wrote, as it is: the driver built and loaded, the application
 * compiled and run.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Driver, noDrivers, prints, program } from './programs.js';

interface CameraSample {
  readonly number: bigint;
  readonly status: number;
  readonly request: number;
  readonly exposure: number;
  readonly histogram: readonly number[];
  readonly last: number;
}

interface CameraConnection {
  read(): CameraSample;
  set(values: object): Promise<void>;
  close(): void;
}

test('the application that was written reads the driver that was written', { skip: noDrivers }, async (t) => {
  const driver = new Driver(t, 'Camera');
  await driver.load();
  const lines = (await prints(process.execPath, program('Camera', 'dist', 'application.js'), '3')).trimEnd().split('\n');
  for (const line of lines) {
    const sample = JSON.parse(line) as { number: string; exposure: number; histogram: readonly number[] };
    assert.equal(sample.exposure, Number(sample.number));
    assert.deepEqual(sample.histogram, Array(256).fill(Number(sample.number)));
  }
  assert.equal(lines.length, 3);
});

test('samples are whole, however fast they come', { skip: noDrivers }, async (t) => {
  const driver = new Driver(t, 'Camera');
  await driver.load();
  await driver.client('interval', '1');
  const { DriverConnection } = (await import(pathToFileURL(program('Camera', 'dist', 'connection.js')).href)) as {
    DriverConnection: { open(): CameraConnection };
  };
  const connection = DriverConnection.open();
  t.after(() => connection.close());
  let last = 0n;
  for (let seen = 0; seen < 300; ) {
    const sample = connection.read();
    const number = Number(sample.number);
    assert.ok(
      sample.exposure === number && sample.last === number % 256 && sample.histogram.every((each) => each === number),
      `sample ${number} is torn`,
    );
    assert.ok(sample.number >= last);
    if (sample.number > last) seen++;
    last = sample.number;
  }
  await connection.set({ gain: 1.5, window: [1, 2, 3, 4] });
  const { request, status } = connection.read();
  assert.deepEqual([request, status], [1, 0]);
});
