/**
 * Promise 4, failure comes early and says why: where memory, disk or large pages do not suffice, create
 * fails with its own error; the process is never killed for it, and nothing is left half done.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import limited from '../fixtures/limited.js';
import { notRoot, run, scratchFolder, start } from '../support/child.js';
import { eventually } from '../support/processes.js';

const MiB = 1024 * 1024;
const LIMIT = 96 * MiB;

interface Groups {
  readonly folder: string;
  readonly limit: string;
  readonly swap: string;
}

/** Where control groups of memory can be made, or why not. */
function memoryGroups(): Groups | string {
  if (notRoot) return notRoot;
  const own = /^\d+:[^:]*\bmemory\b[^:]*:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  const first = '/sys/fs/cgroup/memory';
  if (own !== undefined && existsSync(`${first}${own}/memory.limit_in_bytes`)) {
    return { folder: `${first}${own}`, limit: 'memory.limit_in_bytes', swap: 'memory.memsw.limit_in_bytes' };
  }
  const second = '/sys/fs/cgroup';
  if (
    existsSync(`${second}/cgroup.subtree_control`) &&
    readFileSync(`${second}/cgroup.subtree_control`, 'utf8').includes('memory')
  ) {
    return { folder: second, limit: 'memory.max', swap: 'memory.swap.max' };
  }
  return 'no control groups of memory can be made here';
}

const groups = memoryGroups();

test('a memory limit of the control group is an error at create', { skip: typeof groups === 'string' && groups }, async (t) => {
  assert.ok(typeof groups !== 'string');
  const group = `${groups.folder}/sectile-test-${process.pid}`;
  mkdirSync(group);
  t.after(() =>
    eventually('the control group is empty', () => {
      try {
        rmdirSync(group);
        return true;
      } catch {
        return false;
      }
    }),
  );
  writeFileSync(`${group}/${groups.limit}`, String(LIMIT));
  const child = start(t, limited, 'asks for more than its control group allows', { args: [group, LIMIT] });
  await child.reached('alive');
  await child.endsWell();
});

test('a full disk is an error at create, and the file keeps its size', { skip: notRoot }, async (t) => {
  await run(t, limited, 'grows files on a small file system', { wrapper: ['unshare', '--mount', '--propagation', 'private'] });
});

const POOL = '/proc/sys/vm/nr_hugepages';
const poolSize = () => (existsSync(POOL) ? Number(readFileSync(POOL, 'utf8')) : Number.NaN);

test('large pages that are not there are an error that says how to get them', {
  skip: poolSize() === 0 ? false : 'the host has large pages',
}, async (t) => {
  await run(t, limited, 'asks for large pages where none are set aside');
});

test('large pages are used where the host has them', { skip: notRoot || Number.isNaN(poolSize()) }, async (t) => {
  const before = poolSize();
  t.after(() => writeFileSync(POOL, String(before)));
  writeFileSync(POOL, String(before + 6));
  if (poolSize() < before + 6) return t.skip('the host has no room for six large pages');
  await run(t, limited, 'uses large pages', { scratch: scratchFolder(t) });
});
