/**
 * Open, map and close of a section that another process holds, by local and by global name.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Section, SectionError } from 'sectile';
import type { Bench, Group } from '../bench.js';
import { packageRoot } from '../machine.js';
import type { Peer } from '../peer.js';
import type { HolderAnswer, HolderRequest } from '../peers/holder.js';
import { atMost, us } from '../rows.js';

const SIZE = 64 * 1024;
const MARK = 0x5ec711e;

/** How long a system process may take to answer its first call. */
const START_MILLISECONDS = 10_000;

/** Times `count` cycles, each on its own. */
function cycles(name: string, count: number, withBytes: boolean): number[] {
  const samples: number[] = [];
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    const section = Section.open(name);
    const view = section.map();
    if (withBytes && view.bytes.length !== SIZE) throw new Error('the view has another length than the section');
    view.close();
    section.close();
    samples.push((performance.now() - start) * 1e6);
  }
  return samples;
}

/** Shows once that the opened section is the holder's, to read and to write. */
async function verify(name: string, holder: Peer<HolderAnswer>): Promise<void> {
  using section = Section.open(name);
  using view = section.map();
  const [word] = view.as(Uint32Array);
  if (word !== MARK) throw new Error(`${name} does not hold what its holder wrote`);
  view.as(Uint32Array)[1] = MARK;
  const { second } = await holder.ask({ look: name } satisfies HolderRequest);
  if (second !== MARK) throw new Error(`the holder of ${name} does not see what was written`);
}

/** Starts a system process that serves only this run, and waits until it answers. */
async function startSystem(bench: Bench): Promise<void> {
  const child = spawn(process.execPath, [join(packageRoot, 'dist/cli/main.js'), 'system', 'start', '--foreground'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  bench.adopt(child);
  bench.defer(() => stop(child));
  let complaint = '';
  child.stderr.on('data', (text: Buffer) => {
    complaint += text;
  });
  const deadline = performance.now() + START_MILLISECONDS;
  for (;;) {
    try {
      Section.create({ name: 'Global\\bench-probe', size: 4096 }).close();
      return;
    } catch (error) {
      const coming = error instanceof SectionError && error.code === 'ERR_SECTION_SYSTEM_NOT_RUNNING';
      const ended = child.exitCode !== null || child.signalCode !== null;
      if (!coming || ended || performance.now() > deadline) {
        throw new Error(`the system process did not start. ${complaint.trim()}`, { cause: error });
      }
      await delay(20);
    }
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const hard = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(hard);
}

async function run(bench: Bench): Promise<void> {
  const count = bench.pick(200, 100);
  const rounds = bench.pick(40, 12);
  const holder = bench.peer<HolderAnswer>('holder');

  const kinds = [
    { label: 'local name', name: 'bench-open', limit: 150, what: 'C by /proc/PID/fd' },
    { label: 'global name', name: 'Global\\bench-open', limit: 300, what: 'C over a socket' },
  ];
  for (const { label, name, limit, what } of kinds) {
    const rows = [
      { row: label, withBytes: false },
      { row: `${label}, with view.bytes`, withBytes: true },
    ].filter(({ row }) => bench.wants(row));
    if (rows.length === 0) continue;
    if (label === 'global name') await startSystem(bench);
    const { path } = await holder.ask({ hold: name, size: SIZE, mark: MARK } satisfies HolderRequest);
    await verify(name, holder);
    const floor = path === undefined ? bench.floor('open', ['pass', SIZE]) : bench.floor('open', ['proc', path]);
    for (const { row, withBytes } of rows) {
      await bench.compare({
        name: row,
        unit: us,
        rounds,
        warmUp: 12,
        ours: () => cycles(name, count, withBytes),
        floor: floor && (() => floor.sample(count, 1)),
        what,
        goal: atMost('ours', limit),
      });
    }
  }
}

export const open: Group = {
  name: 'open',
  title: 'Open, map and close what another process holds (64 KiB)',
  notes: [
    'C by /proc/PID/fd: open, fstat, mmap, munmap, close. C over a socket: a request to a process that passes a descriptor, then the same.',
    'Neither C side looks up a name, checks a right or keeps a registry. A global open waits for sleeping threads of the system process:',
    'it is fastest where the scheduler puts both on one core, and about twice as slow where an idle core must wake first.',
  ],
  run,
};
