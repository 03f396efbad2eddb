/**
 * A process ends with the last of its threads: one whose first thread has ended, which Linux shows as a zombie from then on,
 * runs as long as another does.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import '../nt/runtime.js';
import * as w from 'sectile/kernel32';
import { compile } from '../support/compile.js';
import { eventually } from '../support/processes.js';

function begin(t: TestContext, input: 'pipe' | 'ignore'): w.ProcessInformation {
  const program = compile('last-thread.c', 'program');
  const child = w.CreateProcess(program, null, null, null, false, 0, null, null, { stdio: [input, 'ignore', 'inherit'] });
  assert.ok(child !== null, `last error ${w.GetLastError()}`);
  t.after(() => child.process.kill('SIGKILL'));
  return child;
}

const isZombie = (pid: number) => /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

test('a child whose first thread has ended runs as long as another thread does', async (t) => {
  const child = begin(t, 'pipe');
  await eventually('its first thread has ended', () => isZombie(child.dwProcessId));
  assert.equal(w.WaitForSingleObject(child.hProcess, 20), w.WAIT_TIMEOUT);
  assert.equal(await w.WaitForSingleObjectAsync(child.hProcess, 20), w.WAIT_TIMEOUT);
  assert.equal(w.GetExitCodeProcess(child.hProcess), w.STILL_ACTIVE);

  const opened = w.OpenProcess(w.SYNCHRONIZE, false, child.dwProcessId);
  assert.notEqual(opened, 0, `last error ${w.GetLastError()}`);
  assert.equal(w.WaitForSingleObject(opened, 0), w.WAIT_TIMEOUT);

  const waits = [child.hProcess, child.hThread, opened].map((handle) => w.WaitForSingleObjectAsync(handle, 20_000));
  child.process.stdin?.end();
  assert.deepEqual(await Promise.all(waits), Array(3).fill(w.WAIT_OBJECT_0));
  assert.equal(w.GetExitCodeProcess(child.hProcess), 5);
  for (const handle of [child.hProcess, child.hThread, opened]) assert.ok(w.CloseHandle(handle));
});

test('a child is not seen to end before its exit code is known, however many threads it has', (t) => {
  for (let round = 0; round < 20; round++) {
    const child = begin(t, 'ignore');
    assert.equal(w.WaitForSingleObject(child.hThread, 20_000), w.WAIT_OBJECT_0);
    assert.equal(w.GetExitCodeProcess(child.hProcess), 5);
    for (const handle of [child.hProcess, child.hThread]) assert.ok(w.CloseHandle(handle));
  }
});
