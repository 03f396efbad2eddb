/**
 * `sectile doctor` and `sectile bench`: what they tell programs, and what they say of a broken host.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { beatsFrom, type SweepRow, type Way } from '../../dist/cli/bench/short-bench.js';
import { hidepidIn } from '../../dist/inspector/host/processes.js';
import { viewsIn } from '../../dist/inspector/processes.js';
import { start } from '../support/child.js';
import { CommandLine } from './command.js';
import holding from './holding.js';

interface FindingJson {
  readonly key: string;
  readonly group: string;
  readonly topic: string;
  readonly state: string;
  readonly found: string;
  readonly meaning: string;
  readonly advice: string | null;
  readonly fatal: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

interface DoctorJson {
  readonly usable: boolean;
  readonly findings: readonly FindingJson[];
}

const keys = [
  'runtime.node',
  'runtime.buffers',
  'sectile.directory',
  'sectile.registry',
  'sectile.system',
  'kernel.version',
  'kernel.memfd',
  'kernel.future-write',
  'kernel.noexec',
  'kernel.populate',
  'kernel.ebpf',
  'memory.commit',
  'memory.overcommit',
  'memory.dev-shm',
  'limits.descriptors',
  'limits.file-size',
  'limits.memlock',
  'limits.mappings',
  'pages.large',
  'pages.transparent',
  'processes.proc',
  'processes.dumpable',
  'processes.yama',
  'processes.hidepid',
  'processes.namespace',
];

test('doctor tells every fact under a stable key', async (t) => {
  const sectile = new CommandLine(t);
  const { usable, findings } = await sectile.facts<DoctorJson>(['doctor']);
  assert.equal(usable, true);
  assert.deepEqual(
    findings.map(({ key }) => key),
    keys,
  );
  for (const { key, state, found, meaning, advice } of findings) {
    assert.ok(['ok', 'note', 'problem'].includes(state), key);
    assert.ok(found !== '' && meaning !== '', key);
    if (state === 'ok') assert.equal(advice, null, key);
  }
  const values = (key: string) => findings.find((each) => each.key === key)?.values;
  assert.equal(values('runtime.node')?.['version'], process.version);
  assert.equal(values('sectile.directory')?.['path'], sectile.runtime);
  assert.deepEqual(values('sectile.registry'), { names: 0, problems: 0 });
});

test('doctor reads well, and counts local names', async (t) => {
  const sectile = new CommandLine(t);
  await start(t, holding, 'holds a section with known bytes', { scratch: sectile.scratch, args: ['x', 100] }).reached('holds');
  const text = await sectile.prints(['doctor']);
  assert.match(text, /✔ Local names +1 name\. /);
  assert.match(text, /● System process +none runs\n.*\n +→ sectile system start\n/);
  assert.match(text, /\nSections work here\. 0 problems, \d+ notes?, \d+ in order\.\n$/);
});

test('doctor fails where names cannot be used at all', async (t) => {
  const sectile = new CommandLine(t);
  mkdirSync(sectile.runtime, { mode: 0o700 });
  mkdirSync(join(sectile.runtime, `local-${process.geteuid?.()}`), { mode: 0o755 });
  const { code, stdout } = await sectile.run(['doctor', '--json']);
  const { usable, findings } = JSON.parse(stdout) as DoctorJson;
  assert.deepEqual([code, usable], [1, false]);
  const broken = findings.find(({ key }) => key === 'sectile.directory');
  assert.deepEqual([broken?.state, broken?.fatal], ['problem', true]);
  assert.match((await sectile.run(['doctor'])).stdout, /✖ Runtime directory[\s\S]*Sections cannot be used here\./);
});

test('hidepid is read from the last mount at /proc', () => {
  const mount = (path: string, options: string) => `22 27 0:21 / ${path} rw,relatime - proc proc ${options}`;
  assert.equal(hidepidIn(mount('/proc', 'rw')), '0');
  assert.equal(hidepidIn(mount('/proc', 'rw,hidepid=2')), '2');
  assert.equal(hidepidIn([mount('/proc', 'rw,hidepid=2'), mount('/proc', 'rw,hidepid=invisible,gid=4')].join('\n')), 'invisible');
  assert.equal(hidepidIn([mount('/proc', 'rw'), mount('/srv/proc', 'rw,hidepid=2')].join('\n')), '0');
});

test('a view in pieces is one view, and two views side by side are two', () => {
  const maps = [
    '7f0000000000-7f0000003000 r--s 00000000 00:01 42   /memfd:sectile:x (deleted)',
    '7f0000003000-7f0000004000 rw-p 00000000 00:00 0 ',
    '7f0000004000-7f0000005000 r--s 00004000 00:01 42   /memfd:sectile:x (deleted)',
    '7f0000005000-7f0000007000 rw-s 00000000 00:01 42   /memfd:sectile:x (deleted)',
    '7f0000007000-7f0000008000 rw-s 00000000 00:01 43   /memfd:sectile:x (deleted)',
  ].join('\n');
  const views = viewsIn(7, maps, (identity) => (identity === '00:01:42' ? identity : null)).map(([, , view]) => view);
  assert.deepEqual(views, [
    { pid: 7, address: 0x7f0000000000n, length: 0x5000, offset: 0, access: 'read' },
    { pid: 7, address: 0x7f0000005000n, length: 0x2000, offset: 0, access: 'readwrite' },
  ]);
});

test('the size from which a section wins is the one after which it never loses', () => {
  const rows = (...pairs: readonly (readonly [number, number])[]): SweepRow[] =>
    pairs.map(([socket, sectionAndSocket], index) => ({
      size: 1024 << index,
      socket,
      sectionAndSocket,
      ipc: 1,
      sectionAndIpc: 1,
    }));
  const from = (...pairs: readonly (readonly [number, number])[]) =>
    beatsFrom(rows(...pairs), 'sectionAndSocket' satisfies Way, 'socket');
  assert.equal(from([10, 20], [20, 20], [40, 20], [80, 20]), 4096);
  assert.equal(from([40, 20], [20, 20], [40, 20], [80, 20]), 4096);
  assert.equal(from([40, 20], [40, 20]), 1024);
  assert.equal(from([40, 20], [20, 20]), null);
  assert.equal(from([40, 20], [40, 39]), null, 'a lead within chance is none');
});

test('bench measures with a real second process', async (t) => {
  const sectile = new CommandLine(t);
  interface BenchJson {
    readonly createMapClose: Readonly<Record<string, number>>;
    readonly copy: { readonly bytes: number; readonly in: number; readonly out: number };
    readonly pingPong: number | null;
    readonly sweep: readonly Readonly<Record<string, number>>[];
    readonly beats: Readonly<Record<string, number | null>>;
  }
  const { createMapClose, copy, pingPong, sweep, beats } = await sectile.facts<BenchJson>(['bench']);
  for (const value of [
    createMapClose['unnamed'],
    createMapClose['local'],
    copy.in,
    copy.out,
    ...(pingPong === null ? [] : [pingPong]),
  ]) {
    assert.ok(Number(value) > 0);
  }
  assert.equal(sweep.length, 13);
  for (const row of sweep) {
    assert.deepEqual(Object.keys(row).sort(), ['ipc', 'sectionAndIpc', 'sectionAndSocket', 'size', 'socket']);
    for (const value of Object.values(row)) assert.ok(value > 0);
  }
  assert.deepEqual(Object.keys(beats).sort(), ['ipc', 'socket']);
});
