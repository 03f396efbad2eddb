/**
 * drivers/linux-ebpf in the kernel of this machine: its figures against independent ones, its end, and what it
 * says where it has no rights.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import kernelFigures from '../fixtures/kernel-figures.js';
import { notRoot, run, start } from '../support/child.js';
import { compile } from '../support/compile.js';
import { isInKernel, loadedBy, loader, notBuilt, notLoadable, object, root } from '../support/ebpf.js';
import { eventually } from '../support/processes.js';
import { NOBODY } from '../support/system.js';

const LAST = 'holds the program until it is killed';
const viewer = `${root}dist/drivers/linux-ebpf/processes.js`;

for (const title of kernelFigures.titles.filter((each) => each !== LAST)) {
  test(title, { skip: notLoadable }, async (t) => {
    const args = [compile('busy-calls.c', 'program'), compile('same-number.c', 'program')];
    await run(t, kernelFigures, title, { wrapper: [loader, object], args });
  });
}

test('program and map leave the kernel with the process, killed by SIGKILL', { skip: notLoadable }, async (t) => {
  const child = start(t, kernelFigures, LAST, { wrapper: [loader, object] });
  await child.reached('holding');
  const loaded = loadedBy(child.pid);
  assert.equal(loaded.programs.length, 3);
  assert.ok(loaded.map > 0 && isInKernel(loaded));
  assert.equal((await child.kill('SIGKILL')).signal, 'SIGKILL');
  await eventually('the kernel has none of it', () => !isInKernel(loaded));
});

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

test('a user without rights is told in one line what to do', { skip: notBuilt }, () => {
  const { status, stdout, stderr } = spawnSync(loader, [object, 'true'], { encoding: 'utf8', ...(notRoot ? {} : NOBODY) });
  assert.equal(status, 1);
  assert.equal(stdout, '');
  assert.equal(lines(stderr).length, 1, stderr);
  assert.match(stderr, /^linux-ebpf: loading .* failed: .*CAP_BPF and CAP_PERFMON: run it as root/);
});

test('root without capabilities is told of the container', { skip: notBuilt || notRoot }, () => {
  const without = '--bounding-set=-bpf,-perfmon,-sys_admin';
  const { status, stderr } = spawnSync('setpriv', [without, '--inh-caps=-all', loader, object, 'true'], { encoding: 'utf8' });
  assert.equal(status, 1);
  assert.match(stderr, /^linux-ebpf: .*neither CAP_BPF nor CAP_PERFMON.*container/);
});

test('an object that is none, a command that is none, and a viewer that nobody started', { skip: notLoadable }, () => {
  const said = (command: string, ...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
    assert.deepEqual([status, stdout, lines(stderr).length], [1, '', 1], stderr);
    return stderr;
  };
  assert.match(said(loader, '/nonexistent', 'true'), /opening \/nonexistent failed: .*build-ebpf/);
  assert.match(said(loader, viewer, 'true'), /opening .* failed/);
  assert.match(said(loader, object, '/nonexistent'), /starting \/nonexistent failed/);
  assert.match(said(process.execPath, viewer), /nobody handed over the map.*run\.sh/);
  assert.match(said(loader, object, process.execPath, viewer, '--seconds', 'x'), /--seconds takes a number/);
});

interface Shown {
  readonly seconds: number;
  readonly processes: readonly { processId: number; name: string; callsPerSecond: number; processorShare: number }[];
}

test('run.sh prints the busy ones, as a table and for programs', { skip: notLoadable }, async (t) => {
  const busy = spawn('sh', ['-c', 'while :; do :; done < /dev/null'], { stdio: 'ignore' });
  t.after(() => busy.kill('SIGKILL'));
  const shown = (...args: string[]): string => {
    const { status, stdout, stderr } = spawnSync('sh', [`${root}drivers/linux-ebpf/run.sh`, '--seconds', '0.3', ...args], {
      encoding: 'utf8',
    });
    assert.deepEqual([status, stderr], [0, '']);
    return stdout;
  };
  const { seconds, processes } = JSON.parse(shown('--json')) as Shown;
  const found = processes.find((each) => each.processId === busy.pid);
  assert.ok(found !== undefined && seconds >= 0.3);
  assert.equal(found.name, 'sh');
  assert.ok(found.processorShare > 0.05 && found.processorShare < 1.5, String(found.processorShare));
  const table = shown('--count', '2', '--rows', '3');
  assert.match(table, /^\d+ processes, [\d,]+ system calls and [\d,]+ switches a second$/m);
  assert.match(table, /PID +NAME +CPU % +SYSTEM CALLS\/S +SWITCHES\/S +LAST CALL +ON/);
  assert.ok(lines(table).length <= 2 * 5, table);
});

test('the viewer has no rights of its own', { skip: notLoadable || notRoot }, async (t) => {
  const child = spawn('sh', [`${root}drivers/linux-ebpf/run.sh`, '--json', '--seconds', '0.1', '--count', '1000'], {
    env: { ...process.env, SUDO_UID: String(NOBODY.uid), SUDO_GID: String(NOBODY.gid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
  assert.match(status, /^Uid:\t65534\t65534\t65534\t65534$/m);
  assert.match(status, /^CapEff:\t0+$/m);
  assert.match(status, /^CapPrm:\t0+$/m);
});
