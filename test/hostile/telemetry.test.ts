/**
 * host-telemetry with a hostile other side. Whatever a driver writes into the sections that it shares, its applications
 * neither crash nor hang, and give out nothing that cannot be; and the other way round.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SectionNames } from '../../dist/drivers/host-telemetry/layout.js';
import { lyingDriver, scribblingDriver } from '../fixtures/drivers/scribbling.js';
import readers from '../fixtures/telemetry-readers.js';
import { notRoot, scratchFolder, start } from '../support/child.js';
import { FUZZ_SECONDS, FUZZ_SEED, scribblerFile, tellSeed } from '../support/hostile.js';
import { residentBytes } from '../support/processes.js';
import { NOBODY, startClient, startSystem } from '../support/system.js';

const driver = fileURLToPath(new URL('../../dist/drivers/host-telemetry/driver.js', import.meta.url));
const MiB = 2 ** 20;
/** Whoever is hostile is another user where that can be. */
const stranger = notRoot ? {} : NOBODY;
const timeout = (FUZZ_SECONDS + 60) * 1000;

test('applications of a driver that writes nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const file = join(scratch, 'file');
  writeFileSync(file, randomBytes(5 * MiB));
  const hostile = join(scratch, 'hostile.mjs');
  writeFileSync(hostile, scribblingDriver(scribblerFile(), [SectionNames.telemetry, SectionNames.bulk], FUZZ_SEED));
  const system = await startSystem(t, {
    scratch,
    timeout,
    drivers: [{ file: driver, parameters: { File: file, Rate: '0', AcknowledgeTimeout: '200' } }, { file: hostile }],
  });
  const client = await startClient(t, { scratch, timeout });
  const two = [0, 1].map(() => start(t, readers, 'reads whatever there is', { scratch, timeout, args: [FUZZ_SECONDS] }));
  for (const reader of two) {
    const counts = (await reader.reached('outcomes')) as Record<string, number>;
    await reader.endsWell();
    t.diagnostic(JSON.stringify(counts));
    assert.ok(FUZZ_SECONDS < 10 || (counts['read'] ?? 0) > 100, 'it came that far');
  }
  await client.succeeds('unload', 'hostile');
  await client.succeeds('unload', 'host-telemetry');
  await client.end();
  system.tell('stop');
  await system.endsWell();
});

const layout = new URL('../../dist/drivers/host-telemetry/layout.js', import.meta.url).href;
const drawing = new URL('../support/hostile.js', import.meta.url).href;

test('applications of a driver that speaks as it should, and lies', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const file = join(scratch, 'lying.mjs');
  writeFileSync(file, lyingDriver(layout, drawing));
  const system = await startSystem(t, { scratch, timeout, drivers: [{ file, parameters: { Seed: String(FUZZ_SEED) } }] });
  const reader = start(t, readers, 'reads whatever there is', { scratch, timeout, args: [FUZZ_SECONDS] });
  const counts = (await reader.reached('outcomes')) as Record<string, number>;
  await reader.endsWell();
  t.diagnostic(JSON.stringify(counts));
  const far = ['differs', 'tooLarge', 'overtaken'].filter((failure) => counts[`receive: ${failure}`] !== undefined);
  assert.ok(far.length > 0 || FUZZ_SECONDS < 10, 'it came that far');
  system.tell('stop');
  await system.endsWell();
});

test('a driver whose applications write nonsense', { timeout: 2 * timeout }, async (t) => {
  tellSeed(t);
  const scratch = scratchFolder(t);
  const file = join(scratch, 'file');
  const content = randomBytes(3 * MiB + 5);
  writeFileSync(file, content);
  const digest = createHash('sha256').update(content).digest('hex');
  const system = await startSystem(t, {
    scratch,
    timeout,
    drivers: [{ file: driver, parameters: { File: file, AcknowledgeTimeout: '500' } }],
  });
  const before = residentBytes(system.pid);
  const others = [0, 1].map((index) =>
    start(t, readers, 'writes nonsense', { scratch, timeout, args: [scribblerFile(), FUZZ_SEED + index], ...stranger }),
  );
  for (const other of others) await other.reached('begun');
  const honest = start(t, readers, 'goes on beside others', { scratch, timeout, args: [FUZZ_SECONDS, digest] });
  t.diagnostic(JSON.stringify(await honest.reached('outcomes')));
  for (const other of others) {
    other.tell('end');
    await other.endsWell();
  }
  honest.tell('go on alone');
  await honest.endsWell();
  const grown = (residentBytes(system.pid) - before) / MiB;
  // The ring of 64 MiB is touched for the first time, slot by slot.
  assert.ok(grown < 160, `the system process has grown by ${Math.round(grown)} MiB`);
  let lines = 0;
  while (system.reportOf('log') !== undefined) {
    await system.reached('log');
    lines++;
  }
  assert.ok(lines < 20, `${lines} lines in the log`);
  system.tell('stop');
  await system.endsWell();
});

test('applications of a driver whose sections are too small', async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'lying.mjs');
  writeFileSync(file, lyingDriver(layout, drawing));
  const system = await startSystem(t, { scratch });
  const client = await startClient(t, { scratch });
  for (const Sizes of ['1,1,1', '16384,67108864,4096', '20480,4096,4096']) {
    await client.succeeds('load', { file, parameters: { Sizes } });
    const reader = start(t, readers, 'is refused', { scratch, args: [Sizes.startsWith('20480')] });
    await reader.endsWell();
    await client.succeeds('unload', 'lying');
  }
  await client.end();
  system.tell('stop');
  await system.endsWell();
});
