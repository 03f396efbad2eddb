/**
 * What goes through another process's door: views mapped into it and out of it again, handles given and
 * taken, with real processes; and who is let in.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { decode, encode, now } from '../../dist/nt/door-messages.js';
import { doorOf } from '../../dist/nt/process-object.js';
import { os } from '../../dist/os/index.js';
import { argumentsOf } from '../../dist/win32/command-line.js';
import inheritors from '../fixtures/inheritors.js';
import { runtimeDirectory } from '../nt/runtime.js';
import { is } from '../nt/user-mode.js';
import { born, text } from '../support/born.js';
import { start } from '../support/child.js';
import { endingsAreKept, descriptors as processDescriptors } from '../support/processes.js';
import { startSystem } from '../support/system.js';

const self = w.GetCurrentProcess();

function section(name: string | null = null): number {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 4 * 65_536, name);
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  return handle;
}

interface Wish {
  readonly base?: bigint;
  readonly offset?: number;
  readonly size?: number;
  readonly protection?: number;
}

function mapInto(process_: number, handle: number, { base, offset, size = 0, protection = n.PAGE_READWRITE }: Wish = {}) {
  return n.NtMapViewOfSection(handle, process_, base ?? null, 0, 0, offset ?? null, size, n.ViewUnmap, 0, protection);
}

function close(...handles: readonly number[]): void {
  for (const each of handles) assert.ok(w.CloseHandle(each));
}

test('a view is mapped into a child that has only just been made, seen there, and unmapped', async (t) => {
  const handle = section('through the door');
  const mine = w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0);
  assert.ok(mine !== null);
  const child = await born(t, { waits: false });
  const { status, baseAddress, viewSize, sectionOffset, view } = mapInto(child.handle, handle, { offset: 65_536, size: 5000 });
  is(status, 'STATUS_SUCCESS');
  assert.ok(baseAddress !== null && baseAddress % 65_536n === 0n);
  assert.deepEqual([viewSize, sectionOffset, view], [8192, 65_536, null]);
  mine.bytes[65_536] = 33;
  await child.child.reached('ready');
  assert.equal(await child.does('byte', text(baseAddress)), 33);
  await child.does('set', text(baseAddress), 34);
  assert.equal(mine.bytes[65_536], 34);
  is(n.NtUnmapViewOfSection(child.handle, baseAddress + 4096n), 'STATUS_SUCCESS');
  assert.equal(await child.does('byte', text(baseAddress)), null);
  is(n.NtUnmapViewOfSection(child.handle, baseAddress), 'STATUS_NOT_MAPPED_VIEW');
  assert.equal(mine.bytes[65_536], 34);
  await child.end();
  assert.ok(w.UnmapViewOfFile(mine));
  close(handle);
});

test('statuses are those of mapping here, whatever is wrong', async (t) => {
  const handle = section();
  const reader = w.DuplicateHandle(self, handle, self, w.FILE_MAP_READ, false, 0);
  const child = await born(t);
  const { baseAddress } = mapInto(child.handle, handle);
  assert.ok(baseAddress !== null);
  const cases: readonly (readonly [number, Wish, string])[] = [
    [handle, { base: baseAddress }, 'STATUS_CONFLICTING_ADDRESSES'],
    [handle, { base: baseAddress + 4096n }, 'STATUS_MAPPED_ALIGNMENT'],
    [handle, { offset: 4096 }, 'STATUS_MAPPED_ALIGNMENT'],
    [handle, { size: 1 << 20 }, 'STATUS_INVALID_VIEW_SIZE'],
    [handle, { protection: 0 }, 'STATUS_INVALID_PAGE_PROTECTION'],
    [handle, { protection: n.PAGE_EXECUTE_READ }, 'STATUS_ACCESS_DENIED'],
    [reader, { protection: n.PAGE_READWRITE }, 'STATUS_ACCESS_DENIED'],
    [child.handle, {}, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [0xbad0, {}, 'STATUS_INVALID_HANDLE'],
  ];
  for (const [source, wish, expected] of cases) {
    is(mapInto(child.handle, source, wish).status, expected);
    if (wish.base === undefined) is(mapInto(self, source, wish).status, expected);
  }
  is(mapInto(0, handle).status, 'STATUS_INVALID_HANDLE');
  is(mapInto(handle, handle).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  const reading = mapInto(child.handle, reader, { protection: n.PAGE_READONLY });
  is(reading.status, 'STATUS_SUCCESS');
  const mine = w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, 0);
  // The child can do no more with its view than the handle granted.
  await child.does('set', text(reading.baseAddress), 9);
  assert.equal(mine?.bytes[0], 0);
  await child.end();
  close(handle, reader);
});

test('a handle needs the right to what is done by it', async (t) => {
  const handle = section();
  const child = await born(t);
  const { pid } = child.child;
  const looking = w.OpenProcess(w.PROCESS_QUERY_INFORMATION, false, pid);
  const mapping = w.OpenProcess(w.PROCESS_VM_OPERATION, false, pid);
  assert.ok(looking > 0 && mapping > 0, `last error ${w.GetLastError()}`);
  is(mapInto(looking, handle).status, 'STATUS_ACCESS_DENIED');
  const { status, baseAddress } = mapInto(mapping, handle);
  is(status, 'STATUS_SUCCESS');
  is(n.NtUnmapViewOfSection(looking, baseAddress), 'STATUS_ACCESS_DENIED');
  is(n.NtDuplicateObject(self, handle, mapping, 0, 0, n.DUPLICATE_SAME_ACCESS).status, 'STATUS_ACCESS_DENIED');
  assert.equal(w.GetExitCodeProcess(mapping), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  assert.equal(w.GetExitCodeProcess(looking), w.STILL_ACTIVE);
  assert.equal(w.TerminateProcess(looking, 1), false);
  assert.equal(w.OpenProcess(0, false, pid), 0);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  await child.end();
  close(handle, looking, mapping);
});

for (const name of [null, 'handed over', 'Global\\handed over']) {
  test(`a handle on ${name ?? 'a section without a name'} is given, works there, and is taken back`, async (t) => {
    if (name?.startsWith('Global')) await startSystem(t, { env: { SECTILE_RUNTIME_DIR: runtimeDirectory } });
    const handle = section(name);
    const mine = w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0);
    assert.ok(mine !== null);
    mine.bytes[0] = 21;
    const child = await born(t, { inherits: false });
    const there = w.DuplicateHandle(self, handle, child.handle, w.FILE_MAP_READ, true, 0);
    assert.ok(there > 0, `last error ${w.GetLastError()}`);
    assert.equal(await child.does('flags', there), w.HANDLE_FLAG_INHERIT);
    const address = (await child.does('map', there, w.FILE_MAP_READ)) as string;
    assert.equal(await child.does('byte', address), 21);
    assert.equal(await child.does('map', there, w.FILE_MAP_WRITE), w.ERROR_ACCESS_DENIED);
    // The child's handle holds the name by itself.
    close(handle);
    if (name !== null) {
      const again = w.OpenFileMapping(w.FILE_MAP_READ, false, name);
      assert.ok(again > 0, `last error ${w.GetLastError()}`);
      close(again);
    }
    const back = w.DuplicateHandle(child.handle, there, self, 0, false, w.DUPLICATE_SAME_ACCESS | w.DUPLICATE_CLOSE_SOURCE);
    assert.ok(back > 0, `last error ${w.GetLastError()}`);
    assert.equal(await child.does('flags', there), null);
    assert.equal(w.MapViewOfFile(back, w.FILE_MAP_WRITE, 0, 0, 0), null);
    assert.equal(w.MapViewOfFile(back, w.FILE_MAP_READ, 0, 0, 0)?.bytes[0], 21);
    close(back);
    if (name !== null) assert.equal(w.OpenFileMapping(w.FILE_MAP_READ, false, name), 0);
    assert.equal(w.DuplicateHandle(child.handle, 0xdead0, self, 0, false, w.DUPLICATE_SAME_ACCESS), 0);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
    await child.end();
  });
}

test('between two other processes a handle goes as well', async (t) => {
  const [from, to] = [await born(t), await born(t)];
  const source = (await from.does('create', 'of a child')) as number;
  const target = w.DuplicateHandle(from.handle, source, to.handle, 0, false, w.DUPLICATE_SAME_ACCESS);
  assert.ok(target > 0, `last error ${w.GetLastError()}`);
  await from.end();
  assert.match((await to.does('map', target, w.FILE_MAP_WRITE)) as string, /n$/);
  const opened = w.OpenFileMapping(w.FILE_MAP_READ, false, 'of a child');
  assert.ok(opened > 0, `last error ${w.GetLastError()}`);
  close(opened);
  await to.end();
});

test('a process that is no child is opened once it opens its door', async (t) => {
  const other = start(t, inheritors, 'follows orders', {
    env: { SECTILE_RUNTIME_DIR: process.env['SECTILE_RUNTIME_DIR'] ?? '' },
  });
  await other.reached('ready');
  const open = () => n.NtOpenProcess(n.PROCESS_ALL_ACCESS, null, { UniqueProcess: other.pid });
  is(open().status, 'STATUS_ACCESS_DENIED');
  other.tell('do', { name: 'allow', given: [] });
  assert.equal(await other.reached('done'), true);
  const { status, processHandle } = open();
  is(status, 'STATUS_SUCCESS');
  assert.equal(w.GetProcessId(processHandle), other.pid);
  const handle = section();
  is(mapInto(processHandle, handle).status, 'STATUS_SUCCESS');
  other.tell('do', { name: 'end', given: [] });
  await other.endsWell();
  is(mapInto(processHandle, handle).status, 'STATUS_PROCESS_IS_TERMINATING');
  assert.equal(w.GetExitCodeProcess(processHandle), endingsAreKept ? 0 : false);
  if (!endingsAreKept) assert.equal(w.GetLastError(), w.ERROR_NOT_SUPPORTED);
  close(processHandle, handle);
});

test('what is no process, or none of ours, is not opened', { timeout: 60_000 }, async (t) => {
  const open = (pid: number) => n.NtOpenProcess(n.PROCESS_ALL_ACCESS, null, { UniqueProcess: pid }).status;
  for (const pid of [0, 2 ** 22 + 4, -1]) is(open(pid), 'STATUS_INVALID_CID');
  is(open(1), 'STATUS_ACCESS_DENIED');
  const plain = spawn('sleep', ['1000']);
  t.after(() => plain.kill('SIGKILL'));
  is(open(plain.pid ?? -1), 'STATUS_ACCESS_DENIED');
  const own = n.NtOpenProcess(n.PROCESS_ALL_ACCESS, null, { UniqueProcess: process.pid });
  is(own.status, 'STATUS_SUCCESS');
  assert.equal(w.GetProcessId(own.processHandle), process.pid);
  close(own.processHandle);
});

test("another user's process cannot come in, nor be entered", { skip: process.geteuid?.() !== 0 && 'needs root' }, async (t) => {
  const stranger = start(t, inheritors, 'follows orders', { uid: 65534, gid: 65534 });
  await stranger.reached('ready');
  const child = await born(t);
  for (const pid of [child.child.pid, process.pid]) {
    stranger.tell('do', { name: 'openProcess', given: [pid, n.PROCESS_ALL_ACCESS] });
    assert.deepEqual(await stranger.reached('done'), ['STATUS_ACCESS_DENIED', 0]);
  }
  await child.end();
});

test('a process that does not answer is given up, and does not do later what it was asked', { timeout: 60_000 }, async (t) => {
  const child = await born(t);
  const handle = section();
  child.child.tell('do', { name: 'block', given: [5500] });
  await child.child.reached('blocks');
  const begun = performance.now();
  is(mapInto(child.handle, handle, { base: 0x1234_0000_0000n }).status, 'STATUS_IO_TIMEOUT');
  assert.ok(performance.now() - begun > 4900);
  await child.child.reached('done');
  assert.equal(await child.does('byte', text(0x1234_0000_0000n)), null);
  // It answers again.
  const second = mapInto(child.handle, handle);
  is(second.status, 'STATUS_SUCCESS');
  await child.end();
  close(handle);
});

test('nonsense at the door is refused, and the process goes on', async (t) => {
  const child = await born(t);
  const socket = os.socketConnect(doorOf(child.child.pid));
  const until = now() + 60_000;
  const fields = [
    null,
    7,
    [],
    {},
    { handle: 'x', desired: {} },
    { type: 'Section', facts: { place: 'local', name: 3 }, granted: -1 },
  ];
  const operations = ['handle.give', 'handle.take', 'handle.close', 'view.map', 'view.unmap', '__proto__', 'none'];
  const questions = [
    new Uint8Array([0xff, 0xfe]),
    ...[null, 5, 'x', [], {}].map(encode),
    ...operations.flatMap((operation) => fields.map((each) => encode({ operation, until, fields: each }))),
    encode({ operation: 'view.map', until, fields: { facts: { place: 'unnamed' }, request: { base: 1n } } }),
  ];
  for (const each of questions) {
    const memory = os.memoryCreate('sectile:test', 4096, 0, 0);
    const { bytes, descriptors } = os.socketRequest(socket, each, [memory], 10_000);
    const { status } = decode(bytes) as { status: number };
    assert.ok(status >= 0xc000_0000, Buffer.from(each).toString());
    assert.equal(descriptors.length, 0);
    os.descriptorClose(memory);
  }
  os.descriptorClose(socket);
  const left = processDescriptors(child.child.pid).filter((each) => each.includes('sectile:test'));
  assert.deepEqual(left, []);
  await child.end();
});

/** A child of Node.js that runs this code. */
function runCode(code: string): w.ProcessInformation {
  const child = w.CreateProcess(null, `"${process.execPath}" --eval "${code}"`, null, null, false, 0, null, null, null);
  assert.ok(child !== null, `last error ${w.GetLastError()}`);
  return child;
}

test('children end, and their exit codes are known', async () => {
  const seven = runCode('process.exit(7)');
  const stopped = runCode('setTimeout(() => {}, 60000)');
  const signalled = runCode("process.kill(process.pid, 'SIGTERM')");
  assert.equal(w.GetExitCodeProcess(stopped.hProcess), w.STILL_ACTIVE);
  const again = w.OpenProcess(w.PROCESS_ALL_ACCESS, false, stopped.dwProcessId);
  assert.ok(w.TerminateProcess(again, 99));
  await Promise.all(
    [seven, stopped, signalled].map(({ process: each }) => (each.exitCode ?? each.signalCode) !== null || once(each, 'exit')),
  );
  assert.equal(w.GetExitCodeProcess(seven.hProcess), 7);
  assert.equal(w.GetExitCodeProcess(stopped.hProcess), 99);
  assert.equal(w.GetExitCodeProcess(again), 99);
  assert.equal(w.GetExitCodeProcess(signalled.hProcess), 128 + 15);
  assert.equal(w.TerminateProcess(stopped.hProcess, 1), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  is(mapInto(seven.hProcess, section()).status, 'STATUS_PROCESS_IS_TERMINATING');
  for (const { hProcess, hThread } of [seven, stopped, signalled]) close(hProcess, hThread);
  close(again);
});

test('the exit code of a child is known although Node.js has reaped it and tells of others first', {
  skip: endingsAreKept ? false : 'Linux before 6.15 tells an exit code to who reaps the process, and to nobody else',
}, async () => {
  const children = [3, 4, 5].map((code) => runCode(`process.exit(${code})`));
  const handles = children.map(({ hProcess }) => hProcess);
  // Node.js comes to none of them before all have ended, and then reaps all in one go.
  assert.equal(w.WaitForMultipleObjects(3, handles, true, 20_000), w.WAIT_OBJECT_0);
  const told = children.map(({ process: child }) => once(child, 'exit'));
  await Promise.race(told);
  assert.deepEqual(
    handles.map((each) => w.GetExitCodeProcess(each)),
    [3, 4, 5],
  );
  await Promise.all(told);
  for (const { hProcess, hThread } of children) close(hProcess, hThread);
});

test('command lines are taken apart as the Microsoft C runtime does', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['program', ['program']],
    ['"a program" "b c" d', ['a program', 'b c', 'd']],
    ['p "abc" d e', ['p', 'abc', 'd', 'e']],
    ['p a\\\\b d"e f"g h', ['p', 'a\\\\b', 'de fg', 'h']],
    ['p a\\\\\\"b c d', ['p', 'a\\"b', 'c', 'd']],
    ['p a\\\\\\\\"b c" d e', ['p', 'a\\\\b c', 'd', 'e']],
    ['p a"b"" c d', ['p', 'ab" c d']],
    ['p "" \t x ', ['p', '', 'x']],
    ['"c:\\dir\\p" x', ['c:\\dir\\p', 'x']],
  ];
  for (const [line, expected] of cases) assert.deepEqual(argumentsOf(line), expected, line);
});
