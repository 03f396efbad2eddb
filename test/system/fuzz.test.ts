/**
 * Random and mutated frames against the system process: it never ends, never hangs, leaks no descriptor and
 * keeps its memory. SECTILE_FUZZ_FRAMES says how many frames: 20,000 by default, a million in CI.
 * SECTILE_FUZZ_SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { openOnlySource } from '../fixtures/drivers/gadget.js';
import { notRoot, runtimeFolder, scratchFolder } from '../support/child.js';
import { compile } from '../support/compile.js';
import { platform } from '../support/platform.js';
import { descriptors, eventually, residentBytes } from '../support/processes.js';
import { NOBODY, startClient, startSystem } from '../support/system.js';

const FRAMES = Number(process.env['SECTILE_FUZZ_FRAMES'] ?? 20_000);
const SEED = Number(process.env['SECTILE_FUZZ_SEED'] ?? process.pid);
const MiB = 1024 * 1024;

const lookup = { name: 'fuzz', directory: null, caseInsensitive: false, exclusive: false, desired: 0x0200_0000 };
const creation = { ...lookup, security: null, openExisting: true, permanent: false };
const create = {
  operation: 'section.create',
  ...creation,
  size: 4096,
  reserve: false,
  largePages: false,
  soleWriter: false,
  pageProtection: 4,
  attributes: 0x0800_0000,
  fileBacked: false,
};
const event = { operation: 'object.create', ...creation, name: 'event', kind: 'Event', content: 'AQAAAAEAAAA=' };
const open = { operation: 'object.open', ...lookup, kind: 'Section' };

const control = {
  handle: 1,
  code: 0x0022_2000,
  input: 'BAAAAA==',
  outputLength: 16,
  direct: null,
  handles: [[4, 4, 0x000f_001f]],
  patience: 1,
};

/** What a fuzzer of another user may try; one of the same user could stop the system process, and may. */
const templates = [
  { operation: 'hello', protocol: 2 },
  create,
  { ...create, name: 'fuzz2', openExisting: false, soleWriter: true, security: 'D:(A;;GA;;;WD)' },
  { ...create, name: null },
  { ...create, name: 'file', fileBacked: true },
  { ...create, name: 'sparse', reserve: true, size: 2 ** 46 },
  { ...create, name: 'large', largePages: true, size: 2 ** 21 },
  { ...create, name: 'much', size: 2 ** 40 },
  { ...create, name: 'x'.repeat(3000), security: 'O:SYG:SYD:P(A;;0xf001f;;;S-1-22-1-0)(D;;GW;;;BU)' },
  { ...create, name: 'mine', exclusive: true, permanent: true },
  open,
  { ...open, name: 'held', desired: 4 },
  { ...open, name: 'HELD', caseInsensitive: true, kind: null },
  { ...open, name: 'ünïcode \ud83d\ude00 \ud800', desired: 6 },
  { ...open, name: 'event', kind: 'Event', exclusive: true, desired: 0x1f0003 },
  event,
  { ...event, name: 'fuzz', openExisting: false },
  { ...event, name: 'only', exclusive: true, security: 'D:(A;;GA;;;WD)' },
  { ...event, name: 'directory', kind: 'Directory', content: '' },
  { ...event, name: 'inner', directory: '0123456789abcdef0123456789abcdef' },
  { ...event, name: 'link', kind: 'SymbolicLink', content: 'XABCAGEAcwBlAA==' },
  { ...event, name: 'mutant', kind: 'Mutant', permanent: true },
  { ...event, name: 'semaphore', kind: 'Semaphore', security: 'O:SYD:(D;;WD;;;WD)' },
  { operation: 'object.find', directory: null, name: 'link', caseInsensitive: false },
  { operation: 'object.find', directory: '0123456789abcdef0123456789abcdef', name: 'x', caseInsensitive: true },
  { operation: 'object.entries', directory: null, after: null },
  { operation: 'object.entries', directory: null, after: 'fuzz' },
  { operation: 'handle.duplicate', handle: 4, granted: 4 },
  { operation: 'handle.duplicate', handle: 8, granted: 0xf001f },
  { operation: 'handle.reopen', handle: 4, desired: 0x0200_0000 },
  { operation: 'handle.query', handle: 4 },
  { operation: 'handle.security', handle: 4 },
  { operation: 'handle.set-security', handle: 4, security: 'D:(A;;GA;;;WD)(D;;CC;;;BA)' },
  { operation: 'handle.set-security', handle: 8, security: 'O:S-1-22-1-65534G:S-1-22-2-1' },
  { operation: 'handle.set-permanent', handle: 4, permanent: true },
  { operation: 'handle.extend', handle: 4, size: 8192 },
  { operation: 'handle.set-permanent', handle: 4, permanent: false },
  { operation: 'handle.close', handle: 4 },
  { operation: 'handle.close', handle: 8 },
  { operation: 'system.status' },
  { operation: 'object.list', from: 0 },
  { operation: 'driver.list' },
  {
    operation: 'device.open',
    path: '\\Device\\OpenOnly',
    desired: 0x0200_0000,
    share: 3,
    options: 0,
    attributes: 0,
    patience: 1,
  },
  { operation: 'device.open', path: '\\??\\nothing', desired: 0x8000_0000, share: 0, options: 0, attributes: 0, patience: 0 },
  { operation: 'device.control', ...control },
  { operation: 'device.control', ...control, handle: 2, outputLength: 262_144, handles: [], direct: 'AAAA' },
  { operation: 'device.wait', request: 1, patience: 1 },
  { operation: 'device.collect' },
  { operation: 'device.close', handle: 1 },
  ...(notRoot
    ? []
    : [
        { operation: 'system.stop' },
        { operation: 'driver.load', file: '/tmp/nothing.js', parameters: { a: 'b' } },
        { operation: 'driver.unload', name: 'nothing' },
      ]),
];

test(`${FRAMES} random and mutated frames`, { timeout: 900_000, skip: platform.lacks.packetSockets }, async (t) => {
  const scratch = scratchFolder(t);
  const device = join(scratch, 'device.mjs');
  writeFileSync(device, openOnlySource);
  const system = await startSystem(t, {
    scratch,
    quiet: true,
    timeout: 900_000,
    limits: { bytesPerUser: 16 * MiB },
    grantGlobal: 'all',
    drivers: [{ file: device }],
  });
  const owner = await startClient(t, { scratch, timeout: 900_000 });
  await owner.succeeds('create', { name: 'Global\\held', size: MiB, security: 'D:(A;;GA;;;SY)(A;;GA;;;BA)(A;;GR;;;WD)' });
  const fuzzer = compile('fuzzer.c', 'program');
  const file = join(scratch, 'templates');
  writeFileSync(file, templates.map((each) => `${JSON.stringify(each)}\n`).join(''));
  chmodSync(file, 0o644);

  const fuzz = async (seed: number, frames: number): Promise<Record<string, number>> => {
    const child = spawn(fuzzer, [join(runtimeFolder(scratch), 'system.socket'), String(seed), String(frames), file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(notRoot ? {} : NOBODY),
    });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
    const [stdout, stderr] = await output;
    assert.ok(code === 0, `seed ${seed}: the fuzzer ended with ${code ?? signal}: ${stderr}`);
    return JSON.parse(stdout) as Record<string, number>;
  };
  const settled = async (): Promise<{ descriptors: number; resident: number }> => {
    const status = (await owner.succeeds('status')) as { clients: number; objects: number };
    assert.ok(status.objects >= 1);
    await eventually(
      'what the fuzzer had is dropped',
      () => descriptors(system.pid).filter((each) => each.startsWith('socket:')).length < 8,
    );
    return { descriptors: descriptors(system.pid).length, resident: residentBytes(system.pid) };
  };

  // The first part brings the heap and the compiled code to their size.
  await fuzz(SEED, Math.min(FRAMES / 4, 50_000));
  const before = await settled();
  const started = performance.now();
  const first = await fuzz(SEED + 1, FRAMES / 2);
  const between = await settled();
  const second = await fuzz(SEED + 2, FRAMES / 2);
  const seconds = (performance.now() - started) / 1000;
  const after = await settled();
  const memory = [before, between, after].map(({ resident }) => Math.round(resident / MiB));
  t.diagnostic(`seed ${SEED}: ${JSON.stringify([first, second])} in ${seconds.toFixed(1)} s; memory ${memory.join(' -> ')} MiB`);

  assert.equal(system.process.exitCode, null);
  assert.equal(after.descriptors, before.descriptors, descriptors(system.pid).join(' '));
  // The heap breathes by tens of MiB between two collections; what is lost for good is missed in both halves.
  const growth = Math.min(between.resident - before.resident, after.resident - between.resident);
  assert.ok(growth < 16 * MiB, `${memory.join(' -> ')} MiB`);
  assert.ok(((first['answers'] ?? 0) + (second['answers'] ?? 0)) * 4 > FRAMES, 'it answered');
  assert.equal(await owner.succeeds('look'), 1, 'what others hold is untouched');
  const { objects, clients } = (await owner.succeeds('status')) as { clients: number; objects: number };
  assert.deepEqual({ objects, clients }, { objects: 1, clients: 1 });
  await owner.end();
  system.tell('stop');
  await system.endsWell();
});
