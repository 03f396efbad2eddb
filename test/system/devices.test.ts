/**
 * Devices: a driver's devices, opened and controlled by applications in processes of their own. Buffers at
 * their limits, drivers that pend, throw and go, applications that are killed, rights, and the rule that no
 * section is made or mapped in an application's context.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as kernel32 from 'sectile/kernel32';
import { Status } from '../../dist/base/status.js';
import devices from '../fixtures/devices.js';
import { dullSource, gadgetSource, keeperSource, openOnlySource } from '../fixtures/drivers/gadget.js';
import { type Child, notRoot, scratchFolder, start } from '../support/child.js';
import { Client, NOBODY, startSystem } from '../support/system.js';

const KiB = 1024;

interface Running {
  readonly system: Child;
  readonly scratch: string;
  application(options?: { uid?: number; gid?: number }): Promise<Client>;
  file(name: string, source: string): string;
}

async function running(t: TestContext): Promise<Running> {
  const scratch = scratchFolder(t);
  const file = (name: string, source: string) => {
    const path = join(scratch, `${name}.mjs`);
    writeFileSync(path, source);
    return path;
  };
  const system = await startSystem(t, { scratch, drivers: [{ file: file('gadget', gadgetSource) }] });
  const application = async (options = {}) => {
    const child = start(t, devices, 'uses devices', { scratch, ...options });
    await child.reached('ready');
    return new Client(child);
  };
  return { system, scratch, application, file };
}

async function opened(t: TestContext): Promise<Running & { readonly client: Client }> {
  const all = await running(t);
  const client = await all.application();
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), 0);
  return { ...all, client };
}

const words = (bytes: unknown): number[] => {
  const view = new DataView((bytes as Uint8Array).slice().buffer);
  return Array.from({ length: view.byteLength / 4 }, (_, index) => view.getUint32(index * 4, true));
};

async function logged(system: Child, text: RegExp): Promise<string> {
  for (;;) {
    const line = String(await system.reached('log'));
    if (text.test(line)) return line;
  }
}

/** What the driver has seen: files opened, cleaned up, closed; IRPs that it saw cancelled; IRPs that wait in it. */
async function seen(client: Client): Promise<number[]> {
  return words(await client.succeeds('control', { function: 0x80e, output: 20 }));
}

/** Waits until the driver has seen so many files closed. */
async function closedFiles(client: Client, count: number): Promise<number[]> {
  for (;;) {
    const counts = await seen(client);
    if ((counts[2] ?? 0) >= count) return counts;
  }
}

test('names: links, the device itself, what is not there', async (t) => {
  const { application } = await running(t);
  const client = await application();
  const open = (path: string) => client.succeeds('open', { path });
  assert.equal(await open('\\??\\Gadget'), 0);
  assert.equal(await open('\\GLOBAL??\\gadget'), 0);
  assert.equal(await open('\\DosDevices\\GADGET'), 0);
  assert.equal(await open('\\Device\\Gadget\\and\\more'), 0);
  assert.deepEqual(
    Buffer.from((await client.succeeds('control', { file: 3, function: 0x818, output: 64 })) as Uint8Array),
    Buffer.from('\\and\\more'),
  );
  assert.equal(await open('\\Device\\Gadget\\refused'), Status.STATUS_SHARING_VIOLATION);
  assert.equal(await open('\\??\\Again'), Status.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(await open('\\Device\\Nothing'), Status.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(await open('\\Device\\PhysicalMemory'), Status.STATUS_ACCESS_DENIED);
  assert.equal(await open('\\Elsewhere\\Gadget'), Status.STATUS_OBJECT_PATH_NOT_FOUND);
});

test('names as Win32 has them, and the devices and links in their directories', async (t) => {
  const { application } = await running(t);
  const client = await application();
  assert.equal(await client.succeeds('create', '\\\\.\\Gadget'), 0);
  assert.equal(await client.succeeds('create', '\\\\.\\gADGET\\more'), 0);
  assert.equal(await client.succeeds('create', '\\\\.\\Nothing'), 2, 'ERROR_FILE_NOT_FOUND');
  const names = async (path: string) =>
    ((await client.succeeds('list', path)) as { Name: string; TypeName: string }[]).map(
      (each) => `${each.TypeName} ${each.Name}`,
    );
  assert.deepEqual(
    await names('\\Device'),
    ['Gadget', 'Sole', 'Secure', 'Readable'].map((name) => `Device ${name}`),
  );
  assert.ok((await names('\\GLOBAL??')).includes('SymbolicLink Gadget'));
  assert.equal(await client.succeeds('linkTarget', '\\??\\Gadget'), '\\Device\\Gadget');
});

test('a device is no file that can be read or mapped', async (t) => {
  const { client } = await opened(t);
  assert.deepEqual(await client.succeeds('asFile'), [
    Status.STATUS_INVALID_DEVICE_REQUEST,
    Status.STATUS_INVALID_FILE_FOR_SECTION,
    Status.STATUS_NOT_SUPPORTED,
  ]);
  const { ERROR_INVALID_FUNCTION, FILE_TYPE_UNKNOWN, NO_ERROR } = kernel32;
  const refused = [false, ERROR_INVALID_FUNCTION];
  assert.deepEqual(await client.succeeds('asWin32File'), [refused, refused, refused, [FILE_TYPE_UNKNOWN, NO_ERROR]]);
});

test('buffers: each method, and each limit', async (t) => {
  const { client } = await opened(t);
  const control = (given: object) => client.succeeds('control', given);
  assert.deepEqual(await control({ function: 0x800, input: Uint8Array.of(1, 2, 3), output: 3 }), Uint8Array.of(3, 2, 1));
  assert.deepEqual(await control({ function: 0x800, input: Uint8Array.of(1, 2, 3), output: 5 }), Uint8Array.of(0, 0, 3, 2, 1));
  assert.deepEqual(await control({ function: 0x800, input: Uint8Array.of(1, 2, 3), output: 1 }), Uint8Array.of(3));
  assert.deepEqual(await control({ function: 0x800 }), new Uint8Array(0));
  const large = new Uint8Array(256 * KiB).fill(1);
  large[0] = 9;
  const back = (await control({ function: 0x800, input: large, output: large.length })) as Uint8Array;
  assert.deepEqual([back.length, back[0], back.at(-1)], [large.length, 1, 9]);
  // A driver that claims to have returned a million bytes.
  assert.deepEqual(await control({ function: 0x801, output: 4 }), new Uint8Array(4).fill(7));
  const boast = (await client.succeeds('native', { function: 0x801, output: 4 })) as { information: number; output: Uint8Array };
  assert.deepEqual([boast.information, boast.output.length], [1_000_000, 4]);
  assert.equal(await client.succeeds('inDirect'), 1);
  assert.deepEqual(await control({ function: 0x80b, input: Uint8Array.of(8), output: 10 }), Uint8Array.of(8, 8, 8));
  assert.deepEqual(await control({ function: 0x80c, input: Uint8Array.of(4, 5, 6), output: 2 }), Uint8Array.of(4, 5));
  // A warning brings its bytes along, an error none.
  const warning = { status: Status.STATUS_BUFFER_OVERFLOW, output: Uint8Array.of(1, 1), information: 2 };
  assert.deepEqual(await client.succeeds('native', { function: 0x810, output: 8 }), warning);
  const error = { status: Status.STATUS_INVALID_PARAMETER, output: new Uint8Array(0), information: 2 };
  assert.deepEqual(await client.succeeds('native', { function: 0x811, output: 8 }), error);
  assert.equal(await control({ function: 0x810, output: 8 }), 234, 'ERROR_MORE_DATA');
  assert.equal(await control({ function: 0x899 }), 1, 'ERROR_INVALID_FUNCTION');
  assert.deepEqual(await client.succeeds('wrong'), [6, 6, 6, 998, 1784, 87, 1784, 1784, 1]);
});

test('the driver is told which process asks', async (t) => {
  const { client } = await opened(t);
  assert.deepEqual(words(await client.succeeds('control', { function: 0x809, output: 8 })), [client.child.pid, 1]);
});

test('a request that pends: waited for, and not waited for', async (t) => {
  const { client, application } = await opened(t);
  assert.deepEqual(await client.succeeds('control', { function: 0x802, output: 4 }), Uint8Array.of(99));
  for (let index = 0; index < 5; index++) await client.succeeds('start', { function: 0x802, output: 4 });
  // The same client, and another one, are served meanwhile.
  await client.succeeds('start', { function: 0x803 });
  const other = await application();
  assert.equal(await other.succeeds('open', { path: '\\Device\\Gadget' }), 0);
  assert.deepEqual(await other.succeeds('control', { function: 0x800, input: Uint8Array.of(1), output: 1 }), Uint8Array.of(1));
  assert.deepEqual(await client.succeeds('control', { function: 0x800, input: Uint8Array.of(2), output: 1 }), Uint8Array.of(2));
  for (let index = 0; index < 5; index++) assert.deepEqual(await client.succeeds('outcome'), Uint8Array.of(99));
  // The last one is still with its driver; closing the file ends it.
  await client.succeeds('close');
  assert.match(await client.fails('ERR_SECTION_DRIVER', 'outcome'), /STATUS_CANCELLED/);
  assert.deepEqual((await seen(other)).slice(1), [1, 1, 1, 0]);
});

test('the event loop is free while a request pends: whatever else comes is done', async (t) => {
  const { client } = await opened(t);
  await client.succeeds('start', { function: 0x803 });
  await client.succeeds('start', { function: 0x802, output: 1 });
  assert.deepEqual(await client.succeeds('outcome', 1), Uint8Array.of(99), 'the later one, while the first waits');
  await client.succeeds('close');
  assert.match(await client.fails('ERR_SECTION_DRIVER', 'outcome'), /STATUS_CANCELLED/);
});

test('an application that is killed: its requests are cancelled, its files closed', async (t) => {
  const { application } = await running(t);
  const [victim, witness] = [await application(), await application()];
  assert.equal(await victim.succeeds('open', { path: '\\??\\Gadget' }), 0);
  assert.equal(await witness.succeeds('open', { path: '\\??\\Gadget' }), 0);
  await victim.succeeds('start', { function: 0x803 });
  assert.deepEqual(await seen(witness), [2, 0, 0, 0, 1]);
  await victim.child.kill('SIGKILL');
  assert.deepEqual(await closedFiles(witness, 1), [2, 1, 1, 1, 0]);
});

test('an application that is killed while it waits', async (t) => {
  const { application } = await running(t);
  const [victim, witness] = [await application(), await application()];
  assert.equal(await victim.succeeds('open', { path: '\\??\\Gadget' }), 0);
  assert.equal(await witness.succeeds('open', { path: '\\??\\Gadget' }), 0);
  victim.child.tell('do', { what: 'control', argument: { function: 0x803 } });
  for (;;) if ((await seen(witness))[4] === 1) break;
  await victim.child.kill('SIGKILL');
  assert.deepEqual(await closedFiles(witness, 1), [2, 1, 1, 1, 0]);
});

test('a driver that is unloaded: files are closed, requests come back, the handle is good for nothing', async (t) => {
  const { client, application, file } = await opened(t);
  await client.succeeds('start', { function: 0x803 });
  const other = await application();
  await other.succeeds('unload', 'gadget');
  assert.match(await client.fails('ERR_SECTION_DRIVER', 'outcome'), /STATUS_CANCELLED/);
  assert.equal(await client.succeeds('control', { function: 0x800 }), 1617, 'ERROR_DEVICE_REMOVED');
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), Status.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(await client.succeeds('close'), true);
  await other.succeeds('load', file('gadget', gadgetSource));
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), 0);
  assert.deepEqual(words(await client.succeeds('control', { file: 1, function: 0x80e, output: 20 })), [1, 0, 0, 0, 0]);
});

for (const [title, functionCode, message] of [
  ['throws', 0x806, /threw and is unloaded: Error: thrown in a dispatch routine/],
  ['rejects', 0x807, /threw and is unloaded: Error: rejected in a dispatch routine/],
] as const) {
  test(`a dispatch routine that ${title}: its request fails, its driver is unloaded, others' requests come back`, async (t) => {
    const { system, client, application } = await opened(t);
    const other = await application();
    assert.equal(await other.succeeds('open', { path: '\\??\\Gadget' }), 0);
    await other.succeeds('start', { function: 0x803 });
    assert.equal(await client.succeeds('control', { function: functionCode }), 1117, 'ERROR_IO_DEVICE');
    await logged(system, message);
    assert.match(await other.fails('ERR_SECTION_DRIVER', 'outcome'), /STATUS_DEVICE_REMOVED/);
    assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), Status.STATUS_OBJECT_NAME_NOT_FOUND);
    assert.equal(system.process.exitCode, null);
  });
}

for (const [title, functionCode, message] of [
  ['a timer', 0x814, /Error: thrown in a timer of a dispatch routine/],
  ['a work item', 0x816, /Error: thrown in a work item/],
] as const) {
  test(`a driver that throws later, in ${title}: the request that waits comes back`, async (t) => {
    const { system, client } = await opened(t);
    assert.equal(await client.succeeds('control', { function: functionCode }), 1617);
    await logged(system, message);
  });
}

test('a driver that forgets to complete, completes twice, or with nonsense', async (t) => {
  const { system, client } = await opened(t);
  assert.deepEqual(await client.succeeds('control', { function: 0x808 }), new Uint8Array(0));
  await logged(system, /returned STATUS_SUCCESS without IoCompleteRequest or IoMarkIrpPending/);
  assert.deepEqual(await client.succeeds('control', { function: 0x813 }), new Uint8Array(0));
  await logged(system, /was completed twice/);
  assert.equal(await client.succeeds('control', { function: 0x815 }), 1117);
  await logged(system, /was completed with "nonsense"/);
});

test('sections in a dispatch routine: refused, with a line that says where to do it; a work item may', async (t) => {
  const { system, client } = await opened(t);
  const refused = Array(3).fill(Status.STATUS_INVALID_DEVICE_STATE);
  assert.deepEqual(words(await client.succeeds('control', { function: 0x804, output: 12 })), refused);
  for (const call of ['ZwCreateSection', 'ZwOpenSection', 'ZwMapViewOfSection']) {
    const line = await logged(system, new RegExp(`called ${call}`));
    for (const part of [
      'gadget',
      'IRP_MJ_DEVICE_CONTROL',
      `process ${client.child.pid}`,
      'DriverEntry',
      'AddDevice',
      'IoQueueWorkItem',
    ])
      assert.ok(line.includes(part), `${part} in: ${line}`);
  }
  // Behind an await it is still the application's context.
  assert.deepEqual(words(await client.succeeds('control', { function: 0x812, output: 12 })), refused);
  assert.deepEqual(words(await client.succeeds('control', { function: 0x805, output: 12 })), [0, 0, 0]);
  // What was mapped before may be used.
  const before = (await client.succeeds('shared')) as number;
  await client.succeeds('control', { function: 0x80f });
  assert.equal(await client.succeeds('shared'), before + 1);
});

test('an exclusive device', async (t) => {
  const { application } = await running(t);
  const [first, second] = [await application(), await application()];
  assert.equal(await first.succeeds('open', { path: '\\??\\Sole' }), 0);
  assert.equal(await second.succeeds('open', { path: '\\??\\Sole' }), Status.STATUS_ACCESS_DENIED);
  assert.equal(await first.succeeds('close'), true);
  assert.equal(await second.succeeds('open', { path: '\\??\\Sole' }), 0);
});

test('a control code asks for rights that the handle must have', async (t) => {
  const { application } = await running(t);
  const client = await application();
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget', access: 0x8000_0000 }), 0);
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), 0);
  assert.equal(await client.succeeds('control', { file: 0, function: 0x80d }), 5, 'ERROR_ACCESS_DENIED');
  assert.deepEqual(await client.succeeds('control', { file: 1, function: 0x80d }), new Uint8Array(0));
});

test('devices have descriptors: another user', { skip: notRoot }, async (t) => {
  const { system, application } = await running(t);
  const [nobody, root] = [await application(NOBODY), await application()];
  assert.equal(await nobody.succeeds('open', { path: '\\??\\Secure' }), Status.STATUS_ACCESS_DENIED);
  await logged(system, /refused user 65534 .* open a device .*Secure.*STATUS_ACCESS_DENIED/);
  assert.equal(await nobody.succeeds('open', { path: '\\??\\Readable' }), Status.STATUS_ACCESS_DENIED);
  assert.equal(await nobody.succeeds('open', { path: '\\??\\Readable', access: 0x8000_0000 }), 0);
  assert.equal(await nobody.succeeds('open', { path: '\\??\\Gadget' }), 0);
  assert.deepEqual(
    await nobody.succeeds('control', { file: 1, function: 0x800, input: Uint8Array.of(1), output: 1 }),
    Uint8Array.of(1),
  );
  assert.equal(await root.succeeds('open', { path: '\\??\\Secure' }), 0);
});

test('a device that its driver deletes while it is open', async (t) => {
  const { client } = await opened(t);
  await client.succeeds('start', { function: 0x803 });
  assert.deepEqual(await client.succeeds('control', { function: 0x817 }), 1617, 'it was among what waits in its device');
  assert.match(await client.fails('ERR_SECTION_DRIVER', 'outcome'), /STATUS_DEVICE_REMOVED/);
  assert.equal(await client.succeeds('control', { function: 0x800 }), 1617);
  assert.equal(await client.succeeds('open', { path: '\\??\\Gadget' }), Status.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(await client.succeeds('open', { path: '\\??\\Sole' }), 0);
});

test('drivers without dispatch routines, a link to nothing, no system process', async (t) => {
  const all = await running(t);
  const client = await all.application();
  await client.succeeds('load', all.file('dull', dullSource));
  await client.succeeds('load', all.file('openonly', openOnlySource));
  assert.equal(await client.succeeds('open', { path: '\\??\\Dull' }), Status.STATUS_INVALID_DEVICE_REQUEST);
  assert.equal(await client.succeeds('open', { path: '\\??\\Dangling' }), Status.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(await client.succeeds('open', { path: '\\Device\\OpenOnly' }), 0);
  assert.equal(await client.succeeds('control', { function: 0x800 }), 1);
  assert.equal(await client.succeeds('close'), true);
  all.system.tell('stop');
  await all.system.endsWell();
  assert.equal(await client.succeeds('open', { path: '\\??\\Dull' }), Status.STATUS_OBJECT_NAME_NOT_FOUND);
});

test('too many requests under way', async (t) => {
  const { client } = await opened(t);
  for (let index = 0; index < 64; index++) await client.succeeds('start', { function: 0x803 });
  assert.equal(await client.succeeds('control', { function: 0x800 }), 1450, 'ERROR_NO_SYSTEM_RESOURCES');
  await client.succeeds('close');
  for (let index = 0; index < 64; index++) await client.fails('ERR_SECTION_DRIVER', 'outcome');
});

const input = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
const [MAP_WRITE, MAP_READ, KERNEL_MODE, USER_MODE] = [2, 4, 0, 1];

test('a handle of the application: its driver refers to what it is on, and maps that in a work item', async (t) => {
  const { client } = await opened(t);
  const ask = async (functionCode: number, ...values: number[]) =>
    words(await client.succeeds('control', { function: functionCode, input: input(...values), output: 20 }));
  const section = (await client.succeeds('section', { name: 'Global\\given' })) as number;
  assert.deepEqual(await ask(0x819, section, MAP_WRITE, USER_MODE), [0, 0]);
  assert.deepEqual(await ask(0x81a), [0, 4096, 0, 0, Status.STATUS_NOT_MAPPED_VIEW]);
  assert.equal(await client.succeeds('firstByte', section), 77);
  // The name goes with the last handle, the memory stays with the pointer.
  await client.succeeds('closeHandle', section);
  assert.deepEqual((await ask(0x81a)).slice(0, 3), [0, 4096, 77]);
  assert.deepEqual(await ask(0x81b), [1]);
});

test('a handle that may less, or is nothing to the driver', async (t) => {
  const { client } = await opened(t);
  const refer = async (...values: number[]) =>
    words(await client.succeeds('control', { function: 0x819, input: input(...values), output: 8 }))[0];
  const whole = (await client.succeeds('section', { name: 'Global\\given' })) as number;
  const reader = (await client.succeeds('section', { name: 'Global\\given', access: MAP_READ })) as number;
  assert.equal(await refer(reader, MAP_READ, USER_MODE), 0);
  assert.equal(await refer(reader, MAP_WRITE, USER_MODE), Status.STATUS_ACCESS_DENIED);
  const own = (await client.succeeds('section', { name: null })) as number;
  const local = (await client.succeeds('section', { name: 'Local\\given' })) as number;
  for (const handle of [own, local, 4444, 0, 0x8000_0004])
    assert.equal(await refer(handle, 0, USER_MODE), Status.STATUS_INVALID_HANDLE);
  // A number of the application's is never a handle in kernel mode, whatever the call.
  assert.equal(await refer(whole, 0, KERNEL_MODE), Status.STATUS_INVALID_HANDLE);
  const refused = Array(3).fill(Status.STATUS_INVALID_HANDLE);
  assert.deepEqual(words(await client.succeeds('control', { function: 0x81c, input: input(whole), output: 12 })), refused);
});

test("an application's event, set by its driver", async (t) => {
  const { client } = await opened(t);
  const event = (await client.succeeds('event', 'Global\\done')) as number;
  const refer = { function: 0x819, input: input(event, 2, USER_MODE), output: 8 };
  assert.deepEqual(words(await client.succeeds('control', refer)), [0, 0]);
  assert.deepEqual(words(await client.succeeds('control', { function: 0x81d, output: 12 })), [0, 0, 0]);
  assert.equal(await client.succeeds('eventState', event), 1);
});

test('pointers of a driver: counted, good without handles, taken back when it forgets them', async (t) => {
  const { system, application, file } = await running(t);
  const client = await application();
  await client.succeeds('load', file('keeper', keeperSource));
  await client.succeeds('unload', 'keeper');
  await logged(
    system,
    /driver keeper: left 2 views, 1 reference; it is taken back|driver keeper: left 1 reference, 2 views; it is taken back/,
  );
});
