/**
 * The driver of drivers/windows-wdm in TypeScript, and its application: the same protocol as the driver in C and its
 * application have on Windows, with the system process as the kernel. test/hostile has what hostile sides do to them.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pair from '../fixtures/driver-pair.js';
import { type Child, scratchFolder, start } from '../support/child.js';
import { type Client, NOBODY, startClient, startSystem } from '../support/system.js';

const driver = fileURLToPath(new URL('../../dist/drivers/windows-wdm/SectileWdm.js', import.meta.url));

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
  const child = start(t, pair, 'follows orders', { scratch, ...options });
  await child.reached('ready');
  return new Application(child);
}

async function loaded(t: TestContext): Promise<{ scratch: string; client: Client; app: Application }> {
  const scratch = scratchFolder(t);
  await startSystem(t, { scratch, drivers: [{ file: driver }] });
  const app = await application(t, scratch);
  await app.does('open');
  return { scratch, client: await startClient(t, { scratch }), app };
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

test('a value that no field can have is an error, and none of its companions is set', async (t) => {
  const { app } = await loaded(t);
  await app.does('set', { slot: 1, amount: '3' });
  assert.match(await app.fails('RangeError', 'setAny', { slot: 2, speed: 1 }), /no field "speed": request, slot, amount/);
  assert.match(await app.fails('RangeError', 'setAny', { slot: 2, amount: [1, 2] }), /"amount" has 1 elements, not 2/);
  await app.does('setAny', {});
  const { tally, request } = await app.read();
  assert.deepEqual([tally[1], tally[2], request], ['6', '0', 2]);
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
