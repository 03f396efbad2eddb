/**
 * What clients can cause to be logged is bounded, in lines and in their length, and a log that fails is
 * nobody's error.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limitedLog, safeLog } from '../../dist/system/log.js';

test('a flood of lines is cut, and what was left out is counted', (t) => {
  t.mock.timers.enable({ apis: ['Date'] });
  const lines: string[] = [];
  const log = limitedLog((line) => lines.push(line));
  for (let i = 0; i < 10_000; i++) log(`refused ${i} ${'x'.repeat(10_000)}`);
  assert.equal(lines.length, 100);
  assert.ok(lines.every((line) => line.length <= 400));
  t.mock.timers.tick(60_000);
  for (let i = 0; i < 1000; i++) log('again');
  assert.equal(lines.length, 161);
  assert.equal(lines[100], '9900 lines like the next were not logged');
});

test('a log that throws stops nobody, and a line has an end', () => {
  safeLog(() => {
    throw new Error('no space left on device');
  })('anything');
  let seen = '';
  safeLog((line) => {
    seen = line;
  })('y'.repeat(100_000));
  assert.equal(seen.length, 4001);
});
