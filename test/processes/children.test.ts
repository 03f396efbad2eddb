/**
 * Children as every NT has them, with real processes: their exit codes, views that are mapped into them, handles that
 * are put into them.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import '../nt/runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { is } from '../nt/user-mode.js';
import { born, text } from '../support/born.js';

const self = w.GetCurrentProcess();
const SIZE = 4 * 65_536;

function section(): number {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, SIZE, null);
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  return handle;
}

function view(handle: number): w.View {
  const mapped = w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0);
  assert.ok(mapped !== null, `last error ${w.GetLastError()}`);
  return mapped;
}

function run(code: string): w.ProcessInformation {
  const line = `"${process.execPath}" --eval "${code}"`;
  const child = w.CreateProcess(null, line, null, null, false, 0, null, null, { stdio: 'ignore' });
  assert.ok(child !== null, `last error ${w.GetLastError()}`);
  return child;
}

async function ended({ process: child }: w.ProcessInformation): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function close(...handles: readonly number[]): void {
  for (const each of handles) assert.ok(w.CloseHandle(each), `last error ${w.GetLastError()}`);
}

test('children end, and their exit codes are known', async () => {
  const [seven, stopped] = [run('process.exit(7)'), run('setTimeout(() => {}, 60000)')];
  assert.equal(w.GetExitCodeProcess(stopped.hProcess), w.STILL_ACTIVE);
  assert.equal(w.GetProcessId(stopped.hProcess), stopped.dwProcessId);
  const again = w.OpenProcess(w.PROCESS_ALL_ACCESS, false, stopped.dwProcessId);
  const looking = w.OpenProcess(w.PROCESS_QUERY_INFORMATION, false, stopped.dwProcessId);
  assert.equal(w.TerminateProcess(looking, 1), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  assert.ok(w.TerminateProcess(again, 99));
  await Promise.all([seven, stopped].map(ended));
  assert.equal(w.GetExitCodeProcess(seven.hProcess), 7);
  for (const handle of [stopped.hProcess, again]) assert.equal(w.GetExitCodeProcess(handle), 99);
  for (const { hProcess, hThread } of [seven, stopped]) close(hProcess, hThread);
  close(again, looking);
});

test('what has ended cannot be ended', async () => {
  const child = run('');
  await ended(child);
  assert.equal(w.TerminateProcess(child.hProcess, 1), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  close(child.hProcess, child.hThread);
});

test('a view that is mapped into a child is seen there, and is gone when it is unmapped from here', async (t) => {
  const handle = section();
  const mine = view(handle);
  const child = await born(t, { inherits: false });
  const {
    status,
    baseAddress,
    viewSize,
    view: none,
  } = n.NtMapViewOfSection(...([handle, child.handle, null, 0, 0, 65_536, 5000, n.ViewUnmap, 0, n.PAGE_READWRITE] as const));
  is(status, 'STATUS_SUCCESS');
  assert.ok(baseAddress !== null);
  assert.deepEqual([viewSize, none], [8192, null]);
  mine.bytes[65_536] = 33;
  assert.equal(await child.does('byte', text(baseAddress)), 33);
  assert.equal(await child.does('set', text(baseAddress), 34), 34);
  assert.equal(mine.bytes[65_536], 34);
  is(n.NtUnmapViewOfSection(child.handle, baseAddress), 'STATUS_SUCCESS');
  assert.equal(await child.does('byte', text(baseAddress)), null);
  is(n.NtUnmapViewOfSection(child.handle, baseAddress), 'STATUS_NOT_MAPPED_VIEW');
  await child.end();
  assert.ok(w.UnmapViewOfFile(mine));
  close(handle);
});

test('a handle is put into a child, works there with its rights, and is taken back', async (t) => {
  const handle = section();
  const mine = view(handle);
  mine.bytes[0] = 21;
  const child = await born(t, { inherits: false });
  const there = w.DuplicateHandle(self, handle, child.handle, w.FILE_MAP_READ, false, 0);
  assert.ok(there > 0, `last error ${w.GetLastError()}`);
  close(handle);
  const address = (await child.does('map', there, w.FILE_MAP_READ)) as string;
  assert.equal(await child.does('byte', address), 21);
  assert.equal(await child.does('map', there, w.FILE_MAP_WRITE), w.ERROR_ACCESS_DENIED);
  const back = w.DuplicateHandle(child.handle, there, self, 0, false, w.DUPLICATE_SAME_ACCESS | w.DUPLICATE_CLOSE_SOURCE);
  assert.ok(back > 0, `last error ${w.GetLastError()}`);
  assert.equal(await child.does('flags', there), null);
  assert.equal(w.MapViewOfFile(back, w.FILE_MAP_READ, 0, 0, 0)?.bytes[0], 21);
  assert.equal(w.DuplicateHandle(child.handle, 0xdead0, self, 0, false, w.DUPLICATE_SAME_ACCESS), 0);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  await child.end();
  assert.ok(w.UnmapViewOfFile(mine));
  close(back);
});
