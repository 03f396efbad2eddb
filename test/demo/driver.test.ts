/**
 * The host-telemetry driver with applications that are not nice to it, and a reader that checks every
 * sample: a test of the sequence lock, of the file transfer and of the distrust.
 */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type ReceiveError, receiveFile } from '../../dist/drivers/host-telemetry/client.js';
import { attackThroughDescriptor } from '../../dist/drivers/host-telemetry/demo/raw-attack.js';
import {
  At,
  busyAt,
  closingNumberAt,
  LAYOUT_VERSION,
  MAGIC,
  SectionNames,
  TELEMETRY_BYTES,
  Word,
  wholeAt,
} from '../../dist/drivers/host-telemetry/layout.js';
import { TelemetryReader } from '../../dist/drivers/host-telemetry/reader.js';
import { Section } from '../../dist/index.js';
import { loadDriver, unloadDriver } from '../../dist/system/client.js';
import { folderFor, root, runModule, startSystem } from './system.js';

const MIB = 2 ** 20;
const compiled = join(root, 'dist', 'drivers', 'host-telemetry', 'driver.js');

function makeFile(folder: string, bytes: number): { readonly file: string; readonly digest: string } {
  const content = randomBytes(bytes);
  const file = join(folder, 'file');
  writeFileSync(file, content);
  return { file, digest: createHash('sha256').update(content).digest('hex') };
}

const failsWith =
  (failure: ReceiveError['failure']) =>
  (error: unknown): boolean => {
    assert.equal((error as ReceiveError).failure, failure, String(error));
    return true;
  };

/** Waits until the driver has published anew: it lives. */
async function advances(reader: TelemetryReader): Promise<void> {
  const before = reader.read()[At.sampleNumber] as number;
  const end = performance.now() + 5000;
  while ((reader.read()[At.sampleNumber] as number) < before + 3) {
    assert.ok(performance.now() < end, 'the driver has stopped publishing');
    await pause(5);
  }
}

test('no sample is torn while the driver writes at full speed', async (t) => {
  await startSystem(t, { Rate: '0' });
  using reader = TelemetryReader.open();
  const sample = new Float64Array(reader.length);
  const closing = closingNumberAt(reader.cores);
  const seen = new Set<number>();
  let last = 0;
  // Different ones, if the machine has a processor for each side; else as many as come in that time.
  const end = performance.now() + 10_000;
  let reads = 0;
  for (; reads < 20_000 || (seen.size < 20_000 && performance.now() < end); reads++) {
    reader.read(sample);
    const number = sample[At.sampleNumber] as number;
    if (sample[closing] !== number) assert.fail(`torn: ${number} … ${sample[closing]}`);
    if (number < last) assert.fail(`sample ${number} came after ${last}`);
    last = number;
    seen.add(number);
  }
  assert.ok(seen.size >= 1000, `only ${seen.size} different samples`);
  t.diagnostic(`${reads} reads of ${seen.size} different samples, ${reader.retries} taken again`);
});

test('the counters are those of this machine', async (t) => {
  await startSystem(t, {});
  using reader = TelemetryReader.open();
  const first = reader.read();
  await pause(300);
  const second = reader.read();
  const passed = (index: number): number => (second[index] as number) - (first[index] as number);
  assert.ok(passed(At.sampleNumber) >= 10 && passed(At.sampleNumber) <= 20, `${passed(At.sampleNumber)} samples in 0.3 s`);
  assert.ok(Math.abs((second[At.time] as number) - Date.now()) < 2000);
  const { totalmem, freemem } = await import('node:os');
  assert.equal(second[At.memoryTotal], totalmem());
  assert.ok(Math.abs((second[At.memoryAvailable] as number) - freemem()) < totalmem() / 2);
  for (let core = 0; core < reader.cores; core++) {
    const whole = passed(wholeAt(core));
    const busy = passed(busyAt(core));
    assert.ok(whole >= 0 && whole < 1 && busy >= 0 && busy <= whole + 0.05, `processor ${core}: busy ${busy} of ${whole} s`);
  }
  for (const field of ['contextSwitches', 'processesStarted', 'processorUser', 'uptime'] as const) {
    assert.ok(passed(At[field]) >= 0 && (second[At[field]] as number) > 0, field);
  }
});

test('a driver loads from its TypeScript source as well, and again after it was unloaded', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 3 * MIB + 1);
  await startSystem(t, { File: file }, join(root, 'drivers', 'host-telemetry', 'driver.ts'));
  assert.equal((await receiveFile()).digest, digest);
  const old = TelemetryReader.open();
  unloadDriver('host-telemetry');
  assert.equal(old.isLive, false);
  assert.throws(() => Section.open(`Global\\${SectionNames.bulk}`), { code: 'ERR_SECTION_NOT_FOUND' });
  const last = old.read()[At.sampleNumber] as number;
  assert.ok(last > 0, 'the last sample stays readable');
  old.close();
  loadDriver(compiled, { File: file });
  using reader = TelemetryReader.open();
  assert.equal(reader.isLive, true);
  assert.equal((await receiveFile()).digest, digest);
});

/** Random bytes over all acknowledgements, again and again, with so many milliseconds between. */
async function startVandal(t: TestContext, interval: number): Promise<() => Promise<void>> {
  const vandal = runModule(
    t,
    `import { randomFillSync } from 'node:crypto';
     import { Section } from './dist/index.js';
     const bytes = Section.open('Global\\\\${SectionNames.acknowledgements}', { access: 'readwrite' }).map().bytes;
     const clock = new Int32Array(new SharedArrayBuffer(4));
     process.send('at work');
     for (;; Atomics.wait(clock, 0, 0, ${interval})) randomFillSync(bytes);`,
  );
  await once(vandal, 'message');
  return async () => {
    vandal.kill('SIGKILL');
    await once(vandal, 'exit');
  };
}

test('acknowledgements full of nonsense harm nobody but the transfer', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 80 * MIB);
  const { log } = await startSystem(t, { File: file, AcknowledgeTimeout: '500' });
  using reader = TelemetryReader.open();
  const endVandal = await startVandal(t, 0);
  // It may succeed or not; it must come to an end, and the driver must go on.
  const attempts = await Promise.allSettled([receiveFile({ patience: 1500 }), receiveFile({ patience: 1500 })]);
  t.diagnostic(attempts.map((each) => (each.status === 'fulfilled' ? 'received' : String(each.reason.failure))).join(', '));
  for (const each of attempts) if (each.status === 'fulfilled') assert.equal(each.value.digest, digest);
  await advances(reader);
  await endVandal();
  assert.ok(reader.nonsense > 1, `${reader.nonsense} times nonsense`);
  assert.equal((await receiveFile()).digest, digest);
  assert.equal(log().match(/nonsense/g)?.length, 1, log());
});

test('a transfer gets through while nonsense comes now and then', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 150 * MIB);
  await startSystem(t, { File: file });
  using reader = TelemetryReader.open();
  const endVandal = await startVandal(t, 10);
  assert.equal((await receiveFile()).digest, digest);
  assert.ok(reader.nonsense > 0);
  t.diagnostic(`${reader.nonsense} times nonsense`);
  await endVandal();
});

test('not even the user of the system process writes to what it grants nobody to write', async (t) => {
  await startSystem(t, {});
  using reader = TelemetryReader.open();
  const { held, attempts } = attackThroughDescriptor(SectionNames.telemetry, TELEMETRY_BYTES);
  assert.ok(held, attempts.join(', '));
  // As that user the mode of the memory is no barrier; it is the seal that says no.
  assert.ok(attempts.includes('mmap to write → EPERM'), attempts.join(', '));
  await advances(reader);
});

test('a driver that died in the middle of a sample is an error that says so, not a wait for ever', async (t) => {
  await startSystem(t, {});
  unloadDriver('host-telemetry');
  // What it leaves behind then: the sequence is odd.
  using section = Section.create({ name: `Global\\${SectionNames.telemetry}`, size: TELEMETRY_BYTES });
  using view = section.map();
  const words = view.as(Int32Array);
  words[Word.layoutVersion] = LAYOUT_VERSION;
  words[Word.cores] = 2;
  words[Word.sequence] = 41;
  assert.throws(() => TelemetryReader.open(), /another layout/);
  words[Word.magic] = MAGIC;
  using reader = TelemetryReader.open();
  const start = performance.now();
  assert.throws(() => reader.read(), /sequence 41.*has died in the middle of it, or is stopped/);
  assert.ok(performance.now() - start < 5000);
  words[Word.sequence] = 42;
  assert.equal(reader.read().length, reader.length);
  reader.close();
  assert.throws(() => reader.read(), /closed/);
  assert.throws(() => TelemetryReader.open().read(new Float64Array(1)), RangeError);
});

test('an application killed in the middle of a transfer makes way for the next', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 100 * MIB);
  await startSystem(t, { File: file, AcknowledgeTimeout: '300' });
  const victim = runModule(
    t,
    `import { receiveFile } from './dist/drivers/host-telemetry/client.js';
     let chunks = 0;
     await receiveFile({ onChunk: () => {
       if (++chunks === 5) process.send('in the middle');
       if (chunks >= 5) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
     } });`,
  );
  await once(victim, 'message');
  victim.kill('SIGKILL');
  await once(victim, 'exit');
  const { digest: received, bytes } = await receiveFile();
  assert.deepEqual([bytes, received], [100 * MIB, digest]);
});

test('a slow application gets every byte: no chunk is overwritten before it is acknowledged', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 70 * MIB);
  await startSystem(t, { File: file });
  let chunks = 0;
  const received = await receiveFile({
    onChunk: () => {
      // The driver has long filled its ring by then.
      if (++chunks === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
    },
  });
  assert.equal(received.digest, digest);
});

test('two applications at once are served one after the other', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 70 * MIB);
  await startSystem(t, { File: file });
  const received = await Promise.all([receiveFile(), receiveFile(), receiveFile()]);
  for (const each of received) assert.equal(each.digest, digest);
});

test('a file that changes meanwhile is a failure, and the next request starts anew', async (t) => {
  const { file } = makeFile(folderFor(t), 70 * MIB);
  await startSystem(t, { File: file });
  let isChanged = false;
  const change = (): void => {
    if (!isChanged) appendFileSync(file, 'more');
    isChanged = true;
  };
  await assert.rejects(receiveFile({ onChunk: change }), failsWith('fileChanged'));
  assert.equal((await receiveFile()).bytes, 70 * MIB + 4);
});

test('what cannot be sent is said', async (t) => {
  const folder = folderFor(t);
  await startSystem(t, {});
  await assert.rejects(receiveFile(), failsWith('noFile'));
  for (const file of [join(folder, 'missing'), folder, '/dev/zero']) {
    unloadDriver('host-telemetry');
    loadDriver(compiled, { File: file });
    await assert.rejects(receiveFile(), failsWith('unreadable'), file);
  }
});

test('a transfer can be given up, by the application and by the driver', async (t) => {
  const { file, digest } = makeFile(folderFor(t), 100 * MIB);
  await startSystem(t, { File: file });
  const abort = new AbortController();
  await assert.rejects(receiveFile({ signal: abort.signal, onChunk: () => abort.abort() }), { name: 'AbortError' });
  await assert.rejects(
    receiveFile({
      onChunk: () => {
        throw new Error('enough');
      },
    }),
    /enough/,
  );
  assert.equal((await receiveFile()).digest, digest);
  let isUnloaded = false;
  const unload = (): void => {
    if (!isUnloaded) unloadDriver('host-telemetry');
    isUnloaded = true;
  };
  await assert.rejects(receiveFile({ onChunk: unload }), failsWith('unloaded'));
});

test('parameters that make no sense keep the driver from loading, and nothing stays', async (t) => {
  await startSystem(t, {});
  unloadDriver('host-telemetry');
  for (const parameters of [{ Rate: 'fast' }, { Rate: '5000' }, { AcknowledgeTimeout: '-1' }] as Record<string, string>[]) {
    assert.throws(() => loadDriver(compiled, parameters), { code: 'ERR_SECTION_DRIVER' });
    assert.throws(() => Section.open(`Global\\${SectionNames.telemetry}`), { code: 'ERR_SECTION_NOT_FOUND' });
  }
});
