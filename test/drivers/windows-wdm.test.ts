/**
 * The driver of drivers/windows-wdm in TypeScript, and its application: the same protocol as the driver in C and its
 * application have on Windows, with the system process as the kernel.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pair from '../fixtures/driver-pair.js';
import { type Child, scratchFolder, start } from '../support/child.js';
import { type Client, NOBODY, startClient, startSystem } from '../support/system.js';

const driver = fileURLToPath(new URL('../../dist/drivers/windows-wdm/SectileWdm.js', import.meta.url));
const FUZZ_MS = Number(process.env['SECTILE_FUZZ_SECONDS'] ?? 2) * 1000;
const timeout = FUZZ_MS + 60_000;

interface Sample {
  readonly number: string;
  readonly request: number;
  readonly status: number;
  readonly leases: number;
  readonly tally: readonly string[];
}

class Application {
  readonly child: Child;

  constructor(child: Child) {
    this.child = child;
  }

  async #asks(what: string, argument?: unknown): Promise<{ value?: unknown; failure?: string; message?: string }> {
    this.child.tell('do', { what, argument });
    return (await this.child.reached('done')) as { value?: unknown; failure?: string; message?: string };
  }

  async does(what: string, argument?: unknown): Promise<unknown> {
    const { value, failure, message } = await this.#asks(what, argument);
    assert.equal(failure, undefined, message);
    return value;
  }

  async fails(with_: string, what: string, argument?: unknown): Promise<string> {
    const { failure, message } = await this.#asks(what, argument);
    assert.equal(failure, with_, message);
    return message ?? '';
  }

  read = async (): Promise<Sample> => (await this.does('read')) as Sample;
}

async function application(t: TestContext, scratch: string, options: object = {}): Promise<Application> {
  const child = start(t, pair, 'follows orders', { scratch, timeout, ...options });
  await child.reached('ready');
  return new Application(child);
}

async function loaded(t: TestContext): Promise<{ scratch: string; client: Client; app: Application }> {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, timeout, drivers: [{ file: driver }] });
  const app = await application(t, scratch);
  await app.does('open');
  return { scratch, client: await startClient(t, { scratch, timeout }), app };
}

test('an application reads whole samples and sets controls under the lock', async (t) => {
  const { scratch, app } = await loaded(t);
  const other = await application(t, scratch);
  await other.does('open');
  await app.does('set', { slot: 3, amount: '18446744073709551615' });
  await other.does('set', { slot: 3, amount: '2' });
  const sample = await app.read();
  assert.deepEqual([sample.request, sample.status, sample.tally[3]], [2, 0, '1']);
  assert.ok(BigInt((await app.read()).number) >= BigInt(sample.number));
});

test('what cannot be is refused, and changes nothing', async (t) => {
  const { app } = await loaded(t);
  assert.match(await app.fails('DriverError', 'set', { slot: 8, amount: '1' }), /refuses the values: 0xc000000d/);
  assert.deepEqual((await app.read()).tally, Array(8).fill('0'));
});

test('another user reads and sets, and is granted no more', async (t) => {
  const { scratch } = await loaded(t);
  if (process.geteuid?.() !== 0) return t.skip('needs root, to become another user');
  const other = await application(t, scratch, NOBODY);
  await other.does('open');
  await other.does('set', { slot: 0, amount: '9' });
  assert.equal((await other.read()).tally[0], '9');
  const stranger = await startClient(t, { scratch, ...NOBODY });
  await stranger.fails('ERR_SECTION_ACCESS_DENIED', 'open', { name: 'Global\\SectileWdmSample', access: 'readwrite' });
});

test('a lock that is kept, by the living or the dead, is taken back', async (t) => {
  const { scratch, app } = await loaded(t);
  const keeper = await application(t, scratch);
  await keeper.does('keepLock');
  await keeper.child.kill();
  await app.does('set', { slot: 0, amount: '1' });
  const { leases, tally } = await app.read();
  assert.deepEqual([leases, tally[0]], [1, '1']);
});

test('a lock that somebody never gives back is told within a time, and nobody hangs', async (t) => {
  const { scratch, app } = await loaded(t);
  const hog = await application(t, scratch);
  await hog.does('keepLock');
  const hogging = hog.does('hogLock', 800);
  assert.match(
    await app.fails('DriverError', 'set', { slot: 0, amount: '1', patience: 300 }),
    /lock is not free|lock was lost|does not answer/,
  );
  assert.ok(Number((await app.read()).number) > 0);
  await hogging;
  await app.does('set', { slot: 0, amount: '1' });
});

test('an unloaded driver leaves its last sample, no name, and comes back', async (t) => {
  const { client, app } = await loaded(t);
  const { number } = await app.read();
  await client.succeeds('unload', 'SectileWdm');
  assert.equal(await app.does('live'), false);
  assert.ok(BigInt((await app.read()).number) >= BigInt(number));
  await app.fails('ERR_SECTION_NOT_FOUND', 'set', { slot: 0, amount: '1' });
  // The name has gone although the view is still there.
  await client.fails('ERR_SECTION_NOT_FOUND', 'open', { name: 'Global\\SectileWdmSample' });
  await client.succeeds('load', driver);
  assert.equal(await app.does('live'), false);
  await app.does('close');
  assert.match(await app.fails('DriverError', 'read'), /closed/);
  await app.does('open');
  await app.does('set', { slot: 0, amount: '1' });
});

/** Opens the sections of the driver in kernel mode and writes random bytes into all of them. */
const hostileSource = `
  import { randomFillSync } from 'node:crypto';
  import * as k from 'sectile/ntddk';
  export function DriverEntry(driver) {
    const views = ['SectileWdmSample', 'SectileWdmControls'].map((name) => {
      const attributes = k.InitializeObjectAttributes('\\\\BaseNamedObjects\\\\' + name, k.OBJ_KERNEL_HANDLE);
      const { sectionHandle } = k.ZwOpenSection(k.SECTION_MAP_READ | k.SECTION_MAP_WRITE, attributes);
      return k.ZwMapViewOfSection(sectionHandle, k.ZwCurrentProcess(), null, 0, 0, null, 0, k.ViewUnmap, 0, k.PAGE_READWRITE).view;
    });
    let round = 0;
    const timer = setInterval(() => {
      for (const view of views) randomFillSync(view.bytes);
      // An even sequence lets readers through to the rest, a free lock writers.
      if (++round % 2 === 0) { new Int32Array(views[0].buffer)[4] &= ~1; new Int32Array(views[1].buffer)[0] = 0; }
    }, 1);
    driver.DriverUnload = () => { clearInterval(timer); for (const view of views) view.bytes.fill(0); };
    return 0;
  }`;

test('random bytes in every shared field neither end nor hang the application or the driver', { timeout }, async (t) => {
  const { scratch, client, app } = await loaded(t);
  const file = join(scratch, 'hostile.js');
  writeFileSync(file, hostileSource);
  await client.succeeds('load', file);
  const { outcomes, longest } = (await app.does('endure', FUZZ_MS)) as { outcomes: Record<string, number>; longest: number };
  t.diagnostic(`${JSON.stringify(outcomes)}, longest ${longest.toFixed(0)} ms`);
  assert.ok((outcomes['read'] ?? 0) > 0, 'no sample came through');
  assert.deepEqual(
    Object.keys(outcomes).filter((name) => !['read', 'set', 'DriverError'].includes(name)),
    [],
  );
  assert.ok(longest < 10_000, `one call took ${longest} ms`);
  await client.succeeds('unload', 'hostile');
  // The driver is as well as before, and says so as soon as it can be understood.
  await client.succeeds('unload', 'SectileWdm');
  await client.succeeds('load', driver);
  await app.does('close');
  await app.does('open');
  await app.does('set', { slot: 1, amount: '1' });
});
