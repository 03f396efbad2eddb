/**
 * Descriptors that mean one process: whether it runs, how it ended, and its end by force.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { os } from '../../dist/os/index.js';
import { endingsAreKept } from '../support/processes.js';

test('a child can be watched without an event loop, and ended', async () => {
  const child = spawn('sleep', ['1000']);
  const process_ = os.processOpen(child.pid ?? -1);
  assert.equal(os.processHasEnded(process_), false);
  assert.equal(os.processEnding(process_), null);
  os.processKill(process_);
  await once(child, 'exit');
  assert.equal(os.processHasEnded(process_), true);
  // Node.js has reaped it.
  if (endingsAreKept) assert.deepEqual(os.processEnding(process_), { code: 0, signal: 9 });
  else assert.throws(() => os.processEnding(process_), { code: 'ECHILD' });
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

test('of a process that is no child, how it ended is known once its parent has asked, where the system keeps it', async (t) => {
  const script = 'exec 3<&0; sh -c "read line <&3; exit 9" & echo $!; wait $!; echo "it ended with $?"; read line';
  const parent = spawn('sh', ['-c', script], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => parent.kill('SIGKILL'));
  const lines = createInterface(parent.stdout)[Symbol.asyncIterator]();
  const process_ = os.processOpen(Number((await lines.next()).value));
  assert.throws(() => os.processEnding(process_), { code: 'ECHILD' });
  parent.stdin.write('end\n');
  assert.equal((await lines.next()).value, 'it ended with 9');
  if (endingsAreKept) assert.deepEqual(os.processEnding(process_), { code: 9, signal: 0 });
  else assert.throws(() => os.processEnding(process_), { code: 'ECHILD' });
  os.descriptorClose(process_);
  parent.stdin.end('end\n');
  await once(parent, 'exit');
});

test('numbers that no process has are refused', () => {
  assert.throws(() => os.processOpen(2 ** 22 + 1), { code: 'ESRCH' });
  assert.throws(() => os.processOpen(0), { code: 'EINVAL' });
  assert.throws(() => os.processOpen(-1), { code: 'EINVAL' });
});
