/**
 * Promise 1, no use of a view can end the process, and its counterpart: what is not a view's fault goes
 * where it went without Sectile: to V8, to handlers of others, or to the end of the process by its signal.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import company from '../fixtures/guard-company.js';
import { run, start } from '../support/child.js';
import { compile } from '../support/compile.js';
import { platform } from '../support/platform.js';

for (const title of [
  'WebAssembly traps stay RangeErrors beside the guard',
  'a stack overflow stays a RangeError',
  'a fault deep in the stack is mended',
]) {
  test(title, async (t) => {
    await run(t, company, title);
  });
}

test('a SIGSEGV that somebody sends still ends the process', { skip: platform.lacks.signal('SIGSEGV') }, async (t) => {
  const child = start(t, company, 'a SIGSEGV that somebody sends still ends the process');
  await child.reached('ready');
  assert.equal((await child.kill('SIGSEGV')).signal, 'SIGSEGV');
});

test('a fault outside of views still ends the process', async (t) => {
  const child = start(t, company, 'a fault outside of views still ends the process', { args: [compile('stranger.c', 'addon')] });
  assert.ok(platform.crashed(await child.ended));
});

for (const title of [
  'a handler that was there before gets the faults that are its own',
  'a handler that is installed over ours and chains is chained to again',
]) {
  test(title, async (t) => {
    const child = start(t, company, title, { args: [compile('stranger.c', 'addon')] });
    await child.reached('mended');
    assert.ok(platform.crashed(await child.ended));
  });
}
