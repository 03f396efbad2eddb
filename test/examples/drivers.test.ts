/**
 * The examples run as they stand: a driver by the five steps with its application, in a system process that the command
 * line starts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { platform } from '../support/platform.js';
import { command, example, output, Running, withSystem } from './running.js';

test(
  'the five steps: the application shows what the driver wrote, until the driver is unloaded',
  { skip: platform.lacks.systemProcess },
  (t) =>
    withSystem(t, ['--driver', example('five-steps/driver.js')], async (scratch) => {
      assert.equal(await output(t, scratch, example('five-steps/application.js')), 'Hello from kernel mode\n');
      await output(t, scratch, command, 'driver', 'unload', 'five-steps');
      const late = new Running(t, scratch, example('five-steps/application.js'));
      assert.equal(await late.ended, 1);
      assert.equal(late.output, "Could not open the driver's section (2).\n");
    }),
);
