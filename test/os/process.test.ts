/**
 * Descriptors that mean one process: whether it runs, how it ended, and its end by force.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { os } from '../../dist/os/index.js';

test('a child can be watched without an event loop, and ended', async () => {
  const child = spawn('sleep', ['1000']);
  const process_ = os.processOpen(child.pid ?? -1);
  assert.equal(os.processHasEnded(process_), false);
  assert.equal(os.processEnding(process_), null);
  os.processKill(process_);
  await once(child, 'exit');
  assert.equal(os.processHasEnded(process_), true);
  assert.throws(() => os.processEnding(process_), { code: 'ECHILD' });
  assert.throws(() => os.processKill(process_), { code: 'ESRCH' });
  os.descriptorClose(process_);
});

test('how a child ended is known before anybody reaps it', async () => {
  const child = spawn('sh', ['-c', 'exit 7']);
  const process_ = os.processOpen(child.pid ?? -1);
  // Nothing is awaited here, so that Node.js cannot hear of the end first.
  const patience = new Int32Array(new SharedArrayBuffer(4));
  for (let waited = 0; !os.processHasEnded(process_) && waited < 10_000; waited++) Atomics.wait(patience, 0, 0, 1);
  assert.deepEqual(os.processEnding(process_), { code: 7, signal: 0 });
  const [code] = await once(child, 'exit');
  assert.equal(code, 7);
});

test('numbers that no process has are refused', () => {
  assert.throws(() => os.processOpen(2 ** 22 + 1), { code: 'ESRCH' });
  assert.throws(() => os.processOpen(0), { code: 'EINVAL' });
  assert.throws(() => os.processOpen(-1), { code: 'EINVAL' });
});
