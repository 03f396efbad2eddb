/**
 * The examples run as they stand: the documented Win32 sample in two processes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { example, output, Running, withSystem } from './running.js';

test('creating named shared memory: the second process shows the string of the first', (t) =>
  withSystem(t, [], async (scratch) => {
    const first = new Running(t, scratch, example('named-shared-memory/first.js'));
    await first.says('Press Enter');
    assert.equal(await output(t, scratch, example('named-shared-memory/second.js')), 'Message from first process.\n');
    first.process.stdin.write('\n');
    assert.equal(await first.ended, 0, first.output);
    const late = new Running(t, scratch, example('named-shared-memory/second.js'));
    assert.equal(await late.ended, 1);
    assert.equal(late.output, 'Could not open file mapping object (2).\n');
  }));
