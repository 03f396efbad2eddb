/**
 * What children of CreateProcess inherit, with real children: handles, their rights, views, and what holds
 * them when the parent has gone.
 */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import '../nt/runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import inheritors from '../fixtures/inheritors.js';
import { runtimeDirectory } from '../nt/runtime.js';
import { born, text } from '../support/born.js';
import { run, runtimeFolder, scratchFolder, shareScratch, start } from '../support/child.js';
import { platform } from '../support/platform.js';
import { eventually } from '../support/processes.js';

const INHERITABLE = { bInheritHandle: true } as const;
const self = w.GetCurrentProcess();

function section(name: string | null = null, attributes: w.SecurityAttributes | null = INHERITABLE): number {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, attributes, w.PAGE_READWRITE, 0, 4096, name);
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  return handle;
}

function view(handle: number): w.View {
  const mapped = w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0);
  assert.ok(mapped !== null, `last error ${w.GetLastError()}`);
  return mapped;
}

function close(...handles: readonly number[]): void {
  for (const each of handles) assert.ok(w.CloseHandle(each));
}

test('inheritable handles are there under the same values, with the same rights; others are not', async (t) => {
  const unnamed = section();
  const named = section('inherited');
  const reader = w.DuplicateHandle(self, named, self, w.FILE_MAP_READ, true, 0);
  const kept = section(null, null);
  const later = section(null, null);
  assert.ok(w.SetHandleInformation(later, w.HANDLE_FLAG_INHERIT, w.HANDLE_FLAG_INHERIT));
  const child = await born(t);
  for (const each of [unnamed, named, reader, later]) assert.equal(await child.does('flags', each), w.HANDLE_FLAG_INHERIT);
  assert.equal(await child.does('flags', kept), null);
  assert.equal(await child.does('variable'), null);
  for (const each of [unnamed, named]) {
    const mine = view(each);
    const address = (await child.does('map', each, w.FILE_MAP_WRITE)) as string;
    assert.equal(await child.does('set', address, 7), 7);
    assert.equal(mine.bytes[0], 7);
    assert.ok(w.UnmapViewOfFile(mine));
  }
  assert.equal(await child.does('map', reader, w.FILE_MAP_WRITE), w.ERROR_ACCESS_DENIED);
  assert.match((await child.does('map', reader, w.FILE_MAP_READ)) as string, /n$/);
  // Its own handles get other values.
  assert.ok(![unnamed, named, reader, later].includes((await child.does('create', null)) as number));
  await child.end();
  close(unnamed, named, reader, kept, later);
});

test('without bInheritHandles nothing is inherited', async (t) => {
  const handle = section();
  const mapped = view(handle);
  const child = await born(t, { inherits: false });
  assert.equal(await child.does('flags', handle), null);
  assert.equal(await child.does('byte', text(mapped.address)), null);
  await child.end();
  assert.ok(w.UnmapViewOfFile(mapped));
  close(handle);
});

test('a view with ViewShare is at the same address, also when its handle is closed; one with ViewUnmap is not', {
  skip: platform.lacks.inheritedViews,
}, async (t) => {
  const handle = section(null, null);
  const shared = view(handle);
  // Where neither this program nor another has anything of its own.
  assert.ok(shared.address >= 0x1100_0000_0000n && shared.address < 0x5000_0000_0000n, shared.address.toString(16));
  const reading = w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, 0);
  const own = n.NtMapViewOfSection(handle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READWRITE);
  assert.ok(reading !== null);
  close(handle);
  shared.bytes[0] = 11;
  const child = await born(t);
  assert.equal(await child.does('byte', text(shared.address)), 11);
  assert.equal(await child.does('byte', text(reading.address)), 11);
  assert.equal(await child.does('byte', text(own.baseAddress)), null);
  assert.equal(await child.does('set', text(shared.address), 12), 12);
  assert.equal(shared.bytes[0], 12);
  // A store to the read-only view never reaches the section.
  await child.does('set', text(reading.address), 99);
  assert.equal(shared.bytes[0], 12);
  await child.end();
  for (const each of [shared, reading]) assert.ok(w.UnmapViewOfFile(each));
  assert.equal(n.NtUnmapViewOfSection(self, own.baseAddress), n.STATUS_SUCCESS);
});

test('a reserved section is committed by whoever commits it, in the child as well', {
  skip: platform.lacks.inheritedViews,
}, async (t) => {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, INHERITABLE, w.PAGE_READWRITE | w.SEC_RESERVE, 0, 8192, null);
  const mapped = view(handle);
  assert.equal(w.VirtualAlloc(mapped.address, 4096, w.MEM_COMMIT, w.PAGE_READWRITE), mapped.address);
  mapped.bytes[0] = 5;
  const child = await born(t);
  assert.equal(await child.does('byte', text(mapped.address)), 5);
  await child.end();
  assert.ok(w.UnmapViewOfFile(mapped));
  close(handle);
});

test('events are inherited too, and files with them', async (t) => {
  const event = w.CreateEvent(INHERITABLE, true, false, null);
  const path = join(runtimeDirectory, 'inherited.txt');
  writeFileSync(path, 'hello world');
  const file = w.CreateFile(path, w.GENERIC_READ, w.FILE_SHARE_READ, INHERITABLE, w.OPEN_EXISTING, 0);
  assert.ok(event > 0 && file > 0, `last error ${w.GetLastError()}`);
  const child = await born(t);
  assert.equal(await child.does('signal', event), true);
  assert.deepEqual(n.NtQueryEvent(event, n.EventBasicInformation).eventInformation?.EventState, 1);
  assert.equal(await child.does('read', file), 'hello');
  // The child's handle is one of the file's users.
  close(file);
  assert.equal(w.CreateFile(path, w.GENERIC_WRITE, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0), w.INVALID_HANDLE_VALUE);
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  await child.end();
  const writer = w.CreateFile(path, w.GENERIC_WRITE, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0);
  assert.ok(writer > 0, `last error ${w.GetLastError()}`);
  close(writer, event);
});

test('a name lives on in the child when the parent is killed, from the first moment', {
  skip: platform.lacks.orphans,
}, async (t) => {
  const scratch = scratchFolder(t);
  const parent = start(t, inheritors, 'makes a child of its own and is killed', { scratch, args: ['survivor'] });
  const { pid } = (await parent.reached('made')) as { pid: number };
  t.after(() => process.kill(pid, 'SIGKILL'));
  assert.equal((await parent.ended).signal, 'SIGKILL');
  shareScratch(t, scratch);
  const handle = w.OpenFileMapping(w.FILE_MAP_READ, false, 'survivor');
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  const mapped = w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, 0);
  assert.equal(mapped?.bytes[0], 42);
  close(handle);
  process.kill(pid, 'SIGKILL');
  await eventually('the name has gone', () => {
    const found = w.OpenFileMapping(w.FILE_MAP_READ, false, 'survivor');
    if (found !== 0) close(found);
    return found === 0;
  });
});

test('a child that is spawned without Sectile inherits nothing', { skip: platform.lacks.ownInheritance }, async (t) => {
  await run(t, inheritors, 'spawns a child that inherits nothing');
});

test('two hundred children leave nothing behind', { skip: platform.lacks.ownInheritance }, async (t) => {
  const scratch = scratchFolder(t);
  const maker = start(t, inheritors, 'makes children that leave nothing', { scratch, args: [200] });
  await maker.reached('counted');
  const descriptors = readdirSync(`/proc/${maker.pid}/fd`).length;
  assert.ok(descriptors < 60, `${descriptors} descriptors are open`);
  const left = readdirSync(join(runtimeFolder(scratch), `local-${process.geteuid?.()}`));
  assert.deepEqual(left, []);
  maker.tell('end');
  await maker.endsWell();
});

test('children that are spawned by other means can inherit as well', async (t) => {
  const { spawn } = await import('node:child_process');
  const handle = section();
  const { stdio, env, spawned } = w.inheritance(['ignore', 'pipe', 'inherit']);
  const code = `import('sectile/kernel32').then((w) => console.log(w.GetHandleInformation(${handle})))`;
  const child = spawn(process.execPath, ['--eval', code], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    stdio: stdio as ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  spawned(child);
  t.after(() => child.kill());
  let said = '';
  for await (const chunk of child.stdout ?? []) said += String(chunk);
  assert.equal(said.trim(), '1');
  close(handle);
});

test('what cannot be run is refused as Win32 refuses it', () => {
  const text = join(runtimeDirectory, 'no-program');
  writeFileSync(text, 'no program');
  const made = (application: string | null, line: string | null, flags = 0, folder: string | null = null) =>
    w.CreateProcess(application, line, null, null, false, flags, null, folder, null);
  const cases: readonly (readonly [Parameters<typeof made>, number])[] = [
    [[join(runtimeDirectory, 'nothing'), null], w.ERROR_FILE_NOT_FOUND],
    [[null, 'no-such-program-anywhere 1 2'], w.ERROR_FILE_NOT_FOUND],
    [[null, null], w.ERROR_INVALID_PARAMETER],
    [[text, null], w.ERROR_ACCESS_DENIED],
    [[runtimeDirectory, null], w.ERROR_ACCESS_DENIED],
    [[process.execPath, null, 4], w.ERROR_NOT_SUPPORTED],
    [[process.execPath, 'a\0b'], w.ERROR_INVALID_PARAMETER],
    [[process.execPath, null, 0, join(runtimeDirectory, 'nothing')], w.ERROR_DIRECTORY],
  ];
  for (const [given, error] of cases) {
    assert.equal(made(...given), null, given.join());
    assert.equal(w.GetLastError(), error, given.join());
  }
});

test('a child whose door is taken runs, with what it inherits', { skip: platform.lacks.doors }, async (t) => {
  const handle = section();
  const [os, object] = ['../../dist/os/index.js', '../../dist/nt/process-object.js'].map(
    (each) => new URL(each, import.meta.url).href,
  );
  const limits = 'maximumMessage: 1, maximumDescriptors: 0, maximumInFlight: 1, maximumClients: 1';
  const rest = `mode: 0, ${limits}, descriptorsFromOthers: false, clientsFromOthers: false, keepsProcess: false`;
  const code = `import { os } from '${os}'; import { doorOf } from '${object}';
    globalThis.taken = os.serverListen({ path: doorOf(process.pid), ${rest} }, () => {});`;
  process.env['NODE_OPTIONS'] = `--import=data:text/javascript,${encodeURIComponent(code)}`;
  t.after(() => delete process.env['NODE_OPTIONS']);
  const child = await born(t);
  assert.equal(await child.does('flags', handle), w.HANDLE_FLAG_INHERIT);
  assert.equal(await child.does('allow'), false);
  await child.end();
  close(handle);
});
