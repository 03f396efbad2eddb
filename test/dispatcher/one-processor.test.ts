/**
 * Blocking waits of two processes that share one processor: who waits lets the other go first, and does not sleep for it.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Section } from 'sectile';
import addresses from '../fixtures/addresses.js';
import { sharedScratch, start } from '../support/child.js';

const STRETCH = 1000;
const PATIENCE = 30_000;

const noTaskset = spawnSync('taskset', ['-p', String(process.pid)]).status === 0 ? false : 'taskset(1) is not there';

/** One that this process may use. */
const processor = (): string => /^Cpus_allowed_list:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';

test('two processes on one processor pass turns, and hardly ever sleep', {
  skip: process.env['CI'] !== 'true' && noTaskset,
}, async (t) => {
  const scratch = sharedScratch(t);
  using _turns = Section.create({ name: 'turns', size: 4096 });
  const wrapper = ['taskset', '-c', processor()];
  const answering = start(t, addresses, 'answer', { scratch, wrapper });
  await answering.reached('ready');
  await start(t, addresses, 'ask', { scratch, wrapper, args: [answering.process.pid, STRETCH, PATIENCE] }).endsWell();
  await answering.endsWell();
});
