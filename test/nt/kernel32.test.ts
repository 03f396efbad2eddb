/**
 * `sectile/kernel32`: what the Win32 calls return, and what GetLastError says then.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { platform } from '../support/platform.js';
import './runtime.js';
import { Section } from 'sectile';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { Status, win32ErrorOf } from '../../dist/base/status.js';

const NONE = w.INVALID_HANDLE_VALUE;
const UNTOUCHED = 0xdeadbeef;

beforeEach(() => w.SetLastError(UNTOUCHED));

function create(size: number, protect: number = w.PAGE_READWRITE, name: string | null = null): number {
  const handle = w.CreateFileMapping(NONE, null, protect, 0, size, name);
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  w.SetLastError(UNTOUCHED);
  return handle;
}

function map(handle: number, access: number = w.FILE_MAP_WRITE, offset = 0, bytes = 0): w.View {
  const view = w.MapViewOfFile(handle, access, 0, offset, bytes);
  assert.ok(view !== null, `last error ${w.GetLastError()}`);
  return view;
}

/** The last error, which is then untouched again. */
function lastError(): number {
  const error = w.GetLastError();
  w.SetLastError(UNTOUCHED);
  return error;
}

test('two handles by one name are one section', () => {
  const first = w.CreateFileMappingW(NONE, null, w.PAGE_READWRITE, 0, 4090, 'Wine Test Mapping');
  assert.equal(lastError(), w.ERROR_SUCCESS);
  const second = w.CreateFileMappingA(NONE, null, w.PAGE_READONLY, 0, 1 << 20, 'Local\\Wine Test Mapping');
  assert.ok(second !== 0 && second !== first);
  assert.equal(lastError(), w.ERROR_ALREADY_EXISTS);
  const third = w.OpenFileMapping(w.FILE_MAP_ALL_ACCESS, false, 'Wine Test Mapping');
  assert.equal(lastError(), UNTOUCHED);
  const other = w.CreateFileMapping(NONE, null, w.PAGE_READWRITE, 0, 1, 'WINE TEST MAPPING');
  assert.equal(lastError(), w.ERROR_SUCCESS);
  const views = [map(first), map(second, w.FILE_MAP_READ), map(third)];
  (views[0] as w.View).bytes[4095] = 7;
  assert.deepEqual(
    views.map(({ bytes }) => [bytes.length, bytes[4095]]),
    [
      [4096, 7],
      [4096, 7],
      [4096, 7],
    ],
  );
  for (const view of views) assert.ok(w.UnmapViewOfFile(view));
  for (const handle of [first, second, third, other]) assert.ok(w.CloseHandle(handle));
  assert.equal(lastError(), UNTOUCHED);
  assert.equal(w.OpenFileMapping(w.FILE_MAP_READ, false, 'Wine Test Mapping'), 0);
  assert.equal(lastError(), w.ERROR_FILE_NOT_FOUND);
});

const refused: [what: string, args: unknown[], error: number][] = [
  ['size 0', [NONE, null, w.PAGE_READWRITE, 0, 0, null], w.ERROR_INVALID_PARAMETER],
  ['no protection', [NONE, null, w.SEC_COMMIT, 0, 1, null], w.ERROR_INVALID_PARAMETER],
  ['PAGE_NOACCESS', [NONE, null, w.PAGE_NOACCESS, 0, 1, null], w.ERROR_INVALID_PARAMETER],
  ['PAGE_EXECUTE', [NONE, null, w.PAGE_EXECUTE, 0, 1, null], w.ERROR_INVALID_PARAMETER],
  ['SEC_NOCACHE alone', [NONE, null, w.PAGE_READWRITE | w.SEC_NOCACHE, 0, 1, null], w.ERROR_INVALID_PARAMETER],
  ['SEC_FILE', [NONE, null, w.PAGE_READWRITE | w.SEC_FILE, 0, 1, null], w.ERROR_INVALID_PARAMETER],
  ['SEC_IMAGE of no file', [NONE, null, w.PAGE_READONLY | w.SEC_IMAGE, 0, 1, null], w.ERROR_BAD_EXE_FORMAT],
  ['more than there can be', [NONE, null, w.PAGE_READWRITE, 0x7fff_ffff, 0, null], w.ERROR_NOT_ENOUGH_MEMORY],
  ['no file', [0, null, w.PAGE_READWRITE, 0, 1, null], w.ERROR_INVALID_HANDLE],
  ['what is no file', [0x1234, null, w.PAGE_READWRITE, 0, 1, null], w.ERROR_INVALID_HANDLE],
  ['a backslash in the name', [NONE, null, w.PAGE_READWRITE, 0, 1, 'a\\b'], w.ERROR_PATH_NOT_FOUND],
  ['a prefix in another case', [NONE, null, w.PAGE_READWRITE, 0, 1, 'local\\a'], w.ERROR_PATH_NOT_FOUND],
  ['a leading backslash', [NONE, null, w.PAGE_READWRITE, 0, 1, '\\BaseNamedObjects\\a'], w.ERROR_BAD_PATHNAME],
  ['an empty leaf', [NONE, null, w.PAGE_READWRITE, 0, 1, 'Local\\'], w.ERROR_INVALID_NAME],
  ['the name of a directory', [NONE, null, w.PAGE_READWRITE, 0, 1, 'Local'], w.ERROR_INVALID_HANDLE],
  ['no SDDL', [NONE, { lpSecurityDescriptor: 'x' }, w.PAGE_READWRITE, 0, 1, null], w.ERROR_INVALID_SECURITY_DESCR],
  ['a name that is no text', [NONE, null, w.PAGE_READWRITE, 0, 1, 5], w.ERROR_NOACCESS],
  ['nothing at all', [], w.ERROR_INVALID_PARAMETER],
];
for (const [what, args, error] of refused) {
  test(`CreateFileMapping with ${what} is 0, error ${error}`, () => {
    assert.equal((w.CreateFileMapping as (...args: unknown[]) => number)(...args), 0);
    assert.equal(lastError(), error);
  });
}

test('a global name needs the system process', { skip: platform.lacks.systemProcess }, () => {
  assert.equal(w.CreateFileMapping(NONE, null, w.PAGE_READWRITE, 0, 1, 'Global\\a'), 0);
  assert.equal(lastError(), w.ERROR_PATH_NOT_FOUND);
});

test('security attributes: SDDL alone, or in its structure', () => {
  for (const attributes of [
    'D:(A;;GA;;;WD)',
    { nLength: 24, lpSecurityDescriptor: 'D:(A;;GR;;;WD)', bInheritHandle: true },
    {},
  ]) {
    const handle = w.CreateFileMapping(NONE, attributes, w.PAGE_READWRITE, 0, 1, 'secured');
    assert.equal(lastError(), w.ERROR_SUCCESS);
    const writing = w.OpenFileMapping(w.FILE_MAP_WRITE, false, 'secured');
    const grants = typeof attributes === 'string' || attributes.lpSecurityDescriptor === undefined;
    assert.equal(writing !== 0, grants);
    if (!grants) assert.equal(lastError(), w.ERROR_ACCESS_DENIED);
    if (writing !== 0) w.CloseHandle(writing);
    w.CloseHandle(handle);
  }
});

test('names end at their NUL, and an empty one is none', () => {
  const first = create(1, w.PAGE_READWRITE, 'ended\0here');
  const second = w.OpenFileMapping(w.FILE_MAP_READ, false, 'ended');
  assert.notEqual(second, 0);
  const unnamed = create(1, w.PAGE_READWRITE, '');
  assert.equal(w.OpenFileMapping(w.FILE_MAP_READ, false, ''), 0);
  assert.equal(lastError(), w.ERROR_INVALID_HANDLE);
  assert.equal(w.OpenFileMapping(w.FILE_MAP_READ, false, null as never), 0);
  assert.equal(lastError(), w.ERROR_INVALID_PARAMETER);
  for (const handle of [first, second, unnamed]) w.CloseHandle(handle);
});

/** What a handle that was opened for an access maps, and why not. */
function openedMaps(rows: readonly (readonly [opened: number, mapped: number, error: number])[]): void {
  const handle = create(4090, w.PAGE_EXECUTE_READWRITE, 'opened');
  for (const [access, wanted, error] of rows) {
    const opened = w.OpenFileMapping(access, false, 'opened');
    const view = w.MapViewOfFile(opened, wanted, 0, 0, 0);
    assert.equal(view !== null, error === 0, `${access}, ${wanted}`);
    assert.equal(lastError(), error === 0 ? UNTOUCHED : error);
    if (view !== null) w.UnmapViewOfFile(view);
    w.CloseHandle(opened);
  }
  w.CloseHandle(handle);
}

test('an opened handle maps what it was opened for', () => {
  openedMaps([
    [w.FILE_MAP_READ, w.FILE_MAP_READ, 0],
    [w.FILE_MAP_READ, w.FILE_MAP_COPY, 0],
    [w.FILE_MAP_READ, 0, 0],
    [w.FILE_MAP_READ, w.FILE_MAP_WRITE, w.ERROR_ACCESS_DENIED],
    [w.FILE_MAP_COPY, w.FILE_MAP_COPY, 0],
    [w.FILE_MAP_WRITE, w.FILE_MAP_WRITE, 0],
    [w.FILE_MAP_WRITE, w.FILE_MAP_READ, w.ERROR_ACCESS_DENIED],
    [w.FILE_MAP_READ, w.FILE_MAP_EXECUTE | w.FILE_MAP_READ, w.ERROR_ACCESS_DENIED],
  ]);
});

test('FILE_MAP_EXECUTE opens for executable views', () => {
  openedMaps([[w.FILE_MAP_EXECUTE | w.FILE_MAP_READ, w.FILE_MAP_EXECUTE | w.FILE_MAP_READ, 0]]);
});

test('MapViewOfFile: offsets in halves of 64 bits, at 64 KiB, within the section', () => {
  const huge = w.CreateFileMapping(NONE, null, (w.PAGE_READWRITE | w.SEC_RESERVE) >>> 0, 4, 0x20000);
  const view = w.MapViewOfFile(huge, w.FILE_MAP_WRITE, 4, 0x10000, 100);
  assert.equal(view?.offset, 4 * 2 ** 32 + 0x10000);
  lastError();
  const rows: [high: number, low: number, bytes: number | bigint, error: number][] = [
    [0, 0x1000, 1, w.ERROR_MAPPED_ALIGNMENT],
    [4, 0x10000, 0x10001, w.ERROR_ACCESS_DENIED],
    [0, 0.5, 0, w.ERROR_INVALID_PARAMETER],
  ];
  for (const [high, low, bytes, error] of rows) {
    assert.equal(w.MapViewOfFile(huge, w.FILE_MAP_READ, high, low, bytes), null);
    assert.equal(lastError(), error);
  }
  assert.equal(w.MapViewOfFile(12_345, w.FILE_MAP_READ, 0, 0, 0), null);
  assert.equal(lastError(), w.ERROR_INVALID_HANDLE);
  w.CloseHandle(huge);
});

test('a view that starts at the end, or is larger than addresses are, is refused', () => {
  const handle = create(0x20000);
  assert.equal(w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0x20000, 0), null);
  assert.equal(lastError(), w.ERROR_ACCESS_DENIED);
  assert.equal(w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, -1n), null);
  assert.equal(lastError(), w.ERROR_INVALID_PARAMETER);
  w.CloseHandle(handle);
});

test('MapViewOfFileEx takes an address, or says that it is taken', () => {
  const handle = create(0x10000);
  const wish = 0x3456_7800_0000n;
  assert.equal(w.MapViewOfFileEx(handle, w.FILE_MAP_WRITE, 0, 0, 0, wish)?.address, wish);
  assert.equal(w.MapViewOfFileEx(handle, w.FILE_MAP_WRITE, 0, 0, 0, wish), null);
  assert.equal(lastError(), w.ERROR_INVALID_ADDRESS);
  assert.equal(w.MapViewOfFileEx(handle, w.FILE_MAP_WRITE, 0, 0, 0, wish + 0x1000n), null);
  assert.equal(lastError(), w.ERROR_MAPPED_ALIGNMENT);
  assert.ok(w.UnmapViewOfFile(wish + 0x1234n));
  w.CloseHandle(handle);
});

test('UnmapViewOfFile takes a view once, or any address in it, and only views of its own face', () => {
  const handle = create(0x3000);
  for (const by of [(view: w.View) => view, (view: w.View) => view.address + 4196n]) {
    const view = map(handle);
    assert.ok(w.UnmapViewOfFile(by(view)));
    assert.equal(view.bytes.length, 0);
    assert.equal(w.UnmapViewOfFile(view), false);
    assert.equal(lastError(), w.ERROR_INVALID_ADDRESS);
  }
  using section = Section.create({ size: 1 });
  using stranger = section.map();
  for (const nothing of [stranger, 0xdeadbeefn, null, 'x', {}] as never[]) {
    assert.equal(w.UnmapViewOfFile(nothing), false);
    assert.equal(lastError(), w.ERROR_INVALID_ADDRESS);
  }
  assert.equal(stranger.closed, false);
  w.CloseHandle(handle);
});

test('FlushViewOfFile', () => {
  const handle = create(0x3000);
  const view = map(handle);
  assert.ok(w.FlushViewOfFile(view, 0) && w.FlushViewOfFile(view.address + 5n, 100));
  assert.equal(lastError(), UNTOUCHED);
  w.UnmapViewOfFile(view);
  assert.equal(w.FlushViewOfFile(view, 0), false);
  assert.equal(lastError(), w.ERROR_INVALID_ADDRESS);
  w.CloseHandle(handle);
});

test('FlushViewOfFile beyond the view', () => {
  const handle = create(0x3000);
  const view = map(handle);
  assert.equal(w.FlushViewOfFile(view, 0x3001), false);
  assert.equal(lastError(), w.ERROR_INVALID_ADDRESS);
  w.CloseHandle(handle);
});

test('VirtualQuery describes views by their pages, and what is left when they are gone', () => {
  const handle = create(0x5000, w.PAGE_READWRITE | w.SEC_COMMIT | w.SEC_NOCACHE);
  const view = map(handle, w.FILE_MAP_READ);
  const facts = {
    AllocationBase: view.address,
    AllocationProtect: w.PAGE_READONLY | w.PAGE_NOCACHE,
    State: w.MEM_COMMIT,
    Protect: w.PAGE_READONLY | w.PAGE_NOCACHE,
    Type: w.MEM_MAPPED,
  };
  assert.deepEqual(w.VirtualQuery(view), { BaseAddress: view.address, RegionSize: 0x5000, ...facts });
  assert.deepEqual(w.VirtualQuery(view.address + 0x2345n), { BaseAddress: view.address + 0x2000n, RegionSize: 0x3000, ...facts });
  w.UnmapViewOfFile(view);
  const gone = w.VirtualQuery(view);
  assert.deepEqual(
    [gone?.State, gone?.Protect, gone?.AllocationBase, gone?.AllocationProtect, gone?.Type],
    [w.MEM_FREE, w.PAGE_NOACCESS, null, 0, 0],
  );
  assert.equal(w.VirtualQuery(0xffff_8000_0000_0000n), null);
  assert.equal(lastError(), w.ERROR_INVALID_PARAMETER);
  w.CloseHandle(handle);
});

test('a view without access reports what is read through it, and the process goes on', () => {
  const handle = create(4096);
  map(handle).bytes[0] = 5;
  const view = map(handle, 0);
  assert.equal(w.VirtualQuery(view)?.Protect, w.PAGE_NOACCESS);
  assert.equal(view.bytes[0], 0);
  assert.equal(view.fault?.kind, 'no-access');
  w.UnmapViewOfFile(view);
  w.CloseHandle(handle);
});

test('kernel32 and ntdll share handles and views', () => {
  const handle = create(4096);
  assert.equal(n.NtQuerySection(handle, n.SectionBasicInformation).sectionInformation?.AllocationAttributes, w.SEC_COMMIT);
  const view = map(handle);
  assert.equal(n.NtUnmapViewOfSection(n.NtCurrentProcess(), view.address), n.STATUS_SUCCESS);
  assert.equal(n.NtClose(handle), n.STATUS_SUCCESS);
  assert.equal(w.CloseHandle(handle), false);
  assert.equal(lastError(), w.ERROR_INVALID_HANDLE);
});

test('every error that a call can leave has its name', () => {
  const named = new Set(Object.entries(w).flatMap(([name, value]) => (/^(ERROR|WAIT|NO_ERROR)/.test(name) ? [value] : [])));
  for (const [name, status] of Object.entries(Status))
    assert.ok(named.has(win32ErrorOf(status)), `${name}: ${win32ErrorOf(status)}`);
});

test('GetSystemInfo tells what views and allocations obey', () => {
  const { dwPageSize, dwAllocationGranularity, lpMinimumApplicationAddress, lpMaximumApplicationAddress } = w.GetSystemInfo();
  const handle = create(4 * dwAllocationGranularity);
  assert.equal(map(handle, w.FILE_MAP_READ, dwAllocationGranularity, 1).length, dwPageSize);
  assert.equal(w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, dwAllocationGranularity / 2, 0), null);
  assert.equal(lastError(), w.ERROR_MAPPED_ALIGNMENT);
  assert.equal(w.VirtualAlloc(lpMinimumApplicationAddress - 1n, 1, w.MEM_RESERVE, w.PAGE_NOACCESS), null);
  assert.equal(lastError(), w.ERROR_INVALID_PARAMETER);
  assert.notEqual(w.VirtualQuery(lpMaximumApplicationAddress), null);
  assert.equal(w.VirtualQuery(lpMaximumApplicationAddress + 1n), null);
  w.CloseHandle(handle);
});

test('the buffer of a closed view is no memory to read into or to write from', () => {
  const handle = create(4096);
  const view = map(handle);
  const { bytes } = view;
  view.close();
  const file = w.CreateFile(fileURLToPath(import.meta.url), w.GENERIC_READ, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0);
  assert.equal(w.ReadFile(file, bytes), false);
  assert.equal(lastError(), w.ERROR_NOACCESS);
  assert.equal(w.WriteFile(file, bytes, 0), false);
  assert.equal(lastError(), w.ERROR_NOACCESS);
  assert.equal(n.NtWriteFile(file, null, null, null, bytes, 0, null).status, n.STATUS_ACCESS_VIOLATION);
  for (const each of [handle, file]) w.CloseHandle(each);
});

test('the last error is a number of 32 bits', () => {
  w.SetLastError(-1);
  assert.equal(lastError(), 0xffff_ffff);
});
