/**
 * Drivers that are kernel code elsewhere, with a hostile other side: windows-wdm's application and driver, and the reader
 * of the table that linux-ebpf's program fills.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SectionNames } from '../../dist/drivers/windows-wdm/protocol.js';
import { scribblingDriver } from '../fixtures/drivers/scribbling.js';
import fixture from '../fixtures/kernel-readers.js';
import { notRoot, scratchFolder, start } from '../support/child.js';
import { FUZZ_SECONDS, FUZZ_SEED, scribblerFile, tellSeed } from '../support/hostile.js';
import { NOBODY, startClient, startSystem } from '../support/system.js';

const driver = fileURLToPath(new URL('../../dist/drivers/windows-wdm/SectileWdm.js', import.meta.url));
/** Whoever is hostile is another user where that can be. */
const stranger = notRoot ? {} : NOBODY;
const timeout = (FUZZ_SECONDS + 60) * 1000;
type Counts = Record<string, number>;

test('windows-wdm: an application of a driver that writes nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const hostile = join(scratch, 'hostile.mjs');
  writeFileSync(hostile, scribblingDriver(scribblerFile(), Object.values(SectionNames), FUZZ_SEED));
  const system = await startSystem(t, { scratch, timeout, drivers: [{ file: driver }, { file: hostile }] });
  const client = await startClient(t, { scratch, timeout });
  const reader = start(t, fixture, 'reads samples and sets controls', { scratch, timeout, args: [FUZZ_SECONDS] });
  const counts = (await reader.reached('outcomes')) as Counts;
  await reader.endsWell();
  t.diagnostic(JSON.stringify(counts));
  assert.ok(FUZZ_SECONDS < 10 || (counts['read'] ?? 0) > 100, 'it came that far');
  await client.succeeds('unload', 'hostile');
  await client.succeeds('unload', 'SectileWdm');
  await client.end();
  system.tell('stop');
  await system.endsWell();
});

test('windows-wdm: a driver whose applications write nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const system = await startSystem(t, { scratch, timeout, drivers: [{ file: driver }] });
  const hostile = start(t, fixture, 'writes nonsense into controls', {
    scratch,
    timeout,
    args: [scribblerFile(), FUZZ_SEED],
    ...stranger,
  });
  await hostile.reached('begun');
  const honest = start(t, fixture, 'reads whole samples beside others', { scratch, timeout, args: [FUZZ_SECONDS] });
  t.diagnostic(JSON.stringify(await honest.reached('outcomes')));
  hostile.tell('end');
  await hostile.endsWell();
  honest.tell('go on alone');
  await honest.endsWell();
  system.tell('stop');
  await system.endsWell();
});

test('linux-ebpf: a table that holds nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const hostile = start(t, fixture, 'is a table that holds nonsense', { scratch, timeout, args: [scribblerFile(), FUZZ_SEED] });
  await hostile.reached('begun');
  const reader = start(t, fixture, 'reads a table', { scratch, timeout, args: [FUZZ_SECONDS] });
  const counts = (await reader.reached('outcomes')) as Counts;
  await reader.endsWell();
  t.diagnostic(JSON.stringify(counts));
  assert.ok(FUZZ_SECONDS < 10 || (counts['read'] ?? 0) > 10, 'it came that far');
  hostile.tell('end');
  await hostile.endsWell();
});
