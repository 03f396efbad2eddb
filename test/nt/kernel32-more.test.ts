/**
 * `sectile/kernel32`: the forms of its calls that take a process, flags and rights, or an offset as one number, and
 * those on objects of every type.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { scratchFolder } from '../support/child.js';
import { platform } from '../support/platform.js';
import './runtime.js';

const NONE = w.INVALID_HANDLE_VALUE;
const UNTOUCHED = 0xdeadbeef;
const PAGE = 4096;
const GRANULE = 65536;

beforeEach(() => w.SetLastError(UNTOUCHED));

/** The last error of a call that failed so. */
function fails(call: () => unknown, as: unknown, error: number, what = ''): void {
  w.SetLastError(UNTOUCHED);
  assert.deepEqual([call(), w.GetLastError()], [as, error], what);
}

const closed = (...handles: number[]) => {
  for (const handle of handles) assert.ok(w.CloseHandle(handle));
};

/* --------------------------------------------------------------------- memory, by process ---- */

const line = `"${process.execPath}" -e "setInterval(() => {}, 1000)"`;
const child = w.CreateProcess(null, line, null, null, false, 0, null, null, { stdio: 'ignore' });
assert.ok(child !== null);
after(async () => {
  const ended = once(child.process, 'exit');
  w.TerminateProcess(child.hProcess, 0);
  await ended;
  closed(child.hProcess, child.hThread);
});

test('memory of this process, by a handle to it', () => {
  const own = w.OpenProcess(w.PROCESS_VM_OPERATION | w.PROCESS_QUERY_INFORMATION, false, process.pid);
  for (const process_ of [w.GetCurrentProcess(), own]) {
    const base = w.VirtualAllocEx(process_, null, 2 * PAGE, w.MEM_RESERVE | w.MEM_COMMIT, w.PAGE_READWRITE);
    assert.ok(base !== null);
    assert.equal(w.VirtualProtectEx(process_, base, PAGE, w.PAGE_READONLY), w.PAGE_READWRITE);
    const { Protect, RegionSize, State } = w.VirtualQueryEx(process_, base) ?? {};
    assert.deepEqual([Protect, RegionSize, State], [w.PAGE_READONLY, PAGE, w.MEM_COMMIT]);
    assert.deepEqual(w.VirtualQueryEx(process_, base), w.VirtualQuery(base));
    fails(() => w.VirtualFreeEx(process_, base, PAGE, w.MEM_RELEASE), false, w.ERROR_INVALID_PARAMETER);
    assert.ok(w.VirtualFreeEx(process_, base, 0, w.MEM_RELEASE));
    assert.equal(w.VirtualQueryEx(process_, base)?.State, w.MEM_FREE);
    fails(() => w.VirtualAllocEx(process_, 4096n, 1, w.MEM_RESERVE, w.PAGE_READWRITE), null, w.ERROR_INVALID_PARAMETER);
  }
  closed(own);
});

/** Every call on memory by a handle of each of these is refused so, and nothing is changed. */
function refuseMemory(rows: readonly (readonly [process: number, error: number])[]): void {
  const base = w.VirtualAlloc(null, PAGE, w.MEM_RESERVE | w.MEM_COMMIT, w.PAGE_READWRITE);
  assert.ok(base !== null);
  for (const [process_, error] of rows) {
    fails(() => w.VirtualAllocEx(process_, null, 1, w.MEM_COMMIT, w.PAGE_READWRITE), null, error);
    fails(() => w.VirtualProtectEx(process_, base, 1, w.PAGE_READONLY), false, error);
    fails(() => w.VirtualQueryEx(process_, base), null, error);
    fails(() => w.VirtualFreeEx(process_, base, 0, w.MEM_RELEASE), false, error);
  }
  assert.equal(w.VirtualQuery(base)?.Protect, w.PAGE_READWRITE);
  assert.ok(w.VirtualFree(base, 0, w.MEM_RELEASE));
}

test('memory of another process', { skip: platform.lacks.closedMemory }, () => {
  refuseMemory([[child.hProcess, w.ERROR_NOT_SUPPORTED]]);
});

test('memory of no process, and without the right', () => {
  const weak = w.OpenProcess(w.PROCESS_VM_READ, false, process.pid);
  const section = w.CreateFileMapping(NONE, null, w.PAGE_READWRITE, 0, PAGE, null);
  refuseMemory([
    [section, w.ERROR_INVALID_HANDLE],
    [0, w.ERROR_INVALID_HANDLE],
    [weak, w.ERROR_ACCESS_DENIED],
  ]);
  closed(weak, section);
});

/* --------------------------------------------------------------------------- file mappings ---- */

test('views are found by any address in them, whoever closed others before', () => {
  const section = w.CreateFileMapping(NONE, null, w.PAGE_READWRITE, 0, GRANULE, null);
  const views = Array.from({ length: 150 }, () => w.MapViewOfFile(section, w.FILE_MAP_WRITE, 0, 0, GRANULE));
  const places = views.map((view) => view?.address ?? 0n);
  assert.equal(new Set(places).size, views.length);
  const [byView, byItself, byAddress] = [0, 1, 2].map((kind) => [...views.keys()].filter((index) => index % 3 === kind));
  for (const index of byItself ?? []) views[index]?.close();
  for (const index of byView ?? []) assert.ok(w.UnmapViewOfFile(views[index] as w.View));
  for (const index of byAddress ?? []) {
    const inside = (places[index] as bigint) + 5n;
    assert.equal(w.ViewOfAddress(inside), views[index]);
    assert.ok(w.UnmapViewOfFile(inside));
  }
  for (const [index, view] of views.entries()) {
    assert.ok(view?.closed);
    fails(() => w.UnmapViewOfFile(view as w.View), false, w.ERROR_INVALID_ADDRESS);
    fails(() => w.UnmapViewOfFile(places[index] as bigint), false, w.ERROR_INVALID_ADDRESS);
  }
  closed(section);
});

test('sizes and offsets as one number', () => {
  const size = 2 ** 32 + 2 * GRANULE;
  const section = w.CreateFileMappingFromApp(NONE, null, w.PAGE_READWRITE | w.SEC_RESERVE, BigInt(size), 'app');
  assert.deepEqual([section !== 0, w.GetLastError()], [true, w.ERROR_SUCCESS]);
  assert.equal(n.NtQuerySection(section, n.SectionBasicInformation).sectionInformation?.MaximumSize, size);
  const view = w.MapViewOfFileFromApp(section, w.FILE_MAP_WRITE, 2n ** 32n, GRANULE);
  assert.ok(view !== null);
  assert.deepEqual([view.offset, view.length], [2 ** 32, GRANULE]);
  assert.ok(w.UnmapViewOfFile(view));
  const again = w.CreateFileMappingFromApp(NONE, null, w.PAGE_READWRITE, PAGE, 'app');
  assert.equal(w.GetLastError(), w.ERROR_ALREADY_EXISTS);
  fails(() => w.MapViewOfFileFromApp(section, w.FILE_MAP_READ, 1, 0), null, w.ERROR_MAPPED_ALIGNMENT);
  fails(() => w.MapViewOfFileFromApp(section, w.FILE_MAP_READ, 0.5, 0), null, w.ERROR_INVALID_PARAMETER);
  fails(() => w.MapViewOfFileFromApp(0, w.FILE_MAP_READ, 0, 0), null, w.ERROR_INVALID_HANDLE);
  fails(() => w.CreateFileMappingFromApp(NONE, null, w.PAGE_READWRITE, 0, null), 0, w.ERROR_INVALID_PARAMETER);
  fails(() => w.CreateFileMappingFromApp(NONE, null, w.PAGE_NOACCESS, PAGE, null), 0, w.ERROR_INVALID_PARAMETER);
  closed(section, again);
});

test('CreateFileMapping2 takes the rights, the protection and the attributes one by one', () => {
  const { PAGE_READWRITE, FILE_MAP_READ } = w;
  const reader = w.CreateFileMapping2(NONE, null, FILE_MAP_READ, PAGE_READWRITE, 0, PAGE);
  assert.equal(n.NtQueryObject(reader, n.ObjectBasicInformation).objectInformation?.GrantedAccess, w.SECTION_MAP_READ);
  fails(() => w.MapViewOfFile(reader, w.FILE_MAP_WRITE, 0, 0, 0), null, w.ERROR_ACCESS_DENIED);
  const reserved = w.CreateFileMapping2(NONE, null, w.SECTION_QUERY | FILE_MAP_READ, PAGE_READWRITE, w.SEC_RESERVE, PAGE);
  const { sectionInformation } = n.NtQuerySection(reserved, n.SectionBasicInformation);
  assert.equal(sectionInformation?.AllocationAttributes, w.SEC_RESERVE);
  const node = { Type: w.MemExtendedParameterNumaNode, ULong: 0 };
  const noded = w.CreateFileMapping2(NONE, null, FILE_MAP_READ, PAGE_READWRITE, w.SEC_COMMIT, PAGE, null, [node], 1);
  assert.notEqual(noded, 0);
  const wrong = [[{ Type: 99 }], [node, node]];
  for (const parameters of wrong) {
    const call = () => w.CreateFileMapping2(NONE, null, FILE_MAP_READ, PAGE_READWRITE, 0, PAGE, null, parameters);
    fails(call, 0, w.ERROR_INVALID_PARAMETER);
  }
  fails(() => w.CreateFileMapping2(NONE, null, FILE_MAP_READ, PAGE_READWRITE, 1 << 9, PAGE), 0, w.ERROR_INVALID_PARAMETER);
  closed(reader, reserved, noded);
});

test('FILE_MAP_RESERVE: a view beyond its file, which grows when pages are committed', (t) => {
  const path = join(scratchFolder(t), 'grows');
  writeFileSync(path, 'x');
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.OPEN_EXISTING, 0);
  const section = w.CreateFileMapping(file, null, w.PAGE_READWRITE, 0, 0, null);
  fails(() => w.MapViewOfFile(section, w.FILE_MAP_WRITE, 0, 0, 2 * PAGE), null, w.ERROR_ACCESS_DENIED);
  const view = w.MapViewOfFile(section, w.FILE_MAP_WRITE | w.FILE_MAP_RESERVE, 0, 0, 2 * PAGE);
  assert.ok(view !== null, `${w.GetLastError()}`);
  assert.notEqual(w.VirtualAlloc(view, 2 * PAGE, w.MEM_COMMIT, w.PAGE_READWRITE), null);
  assert.equal(w.GetFileSize(file), 2 * PAGE);
  assert.ok(w.UnmapViewOfFile(view));
  const pages = w.CreateFileMapping(NONE, null, w.PAGE_READWRITE, 0, PAGE, null);
  for (const flag of [w.FILE_MAP_RESERVE, w.FILE_MAP_LARGE_PAGES]) {
    fails(() => w.MapViewOfFile(pages, w.FILE_MAP_WRITE | flag, 0, 0, 0), null, w.ERROR_INVALID_PARAMETER);
  }
  closed(file, section, pages);
});

/* ----------------------------------------------------------------------------------- files ---- */

test('SetFilePointer: halves in, halves out', (t) => {
  const path = join(scratchFolder(t), 'halves');
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, 0);
  assert.equal(w.SetFilePointer(file, 100, null, w.FILE_BEGIN), 100);
  assert.equal(w.SetFilePointer(file, -40, null, w.FILE_CURRENT), 60);
  assert.equal(w.SetFilePointer(file, 0, null, w.FILE_END), 0);
  const FAILED = w.INVALID_SET_FILE_POINTER;
  fails(() => w.SetFilePointer(file, -1, null, w.FILE_BEGIN), FAILED, w.ERROR_NEGATIVE_SEEK);
  const high = Int32Array.of(3);
  assert.deepEqual([w.SetFilePointer(file, 5, high, w.FILE_BEGIN), high[0]], [5, 3]);
  high[0] = -1; // with the lower half: ten bytes back
  assert.deepEqual([w.SetFilePointer(file, -10, high, w.FILE_CURRENT), high[0]], [0xffff_fffb, 2]);
  assert.equal(w.SetFilePointerEx(file, 0, w.FILE_CURRENT), 2 * 2 ** 32 + 0xffff_fffb);
  high[0] = 0;
  fails(() => w.SetFilePointer(file, 0xffff_ffff, high, w.FILE_BEGIN), 0xffff_ffff, w.NO_ERROR);
  fails(() => w.SetFilePointer(file, 0, new Uint8Array(3) as never, w.FILE_BEGIN), FAILED, w.ERROR_NOACCESS);
  fails(() => w.SetFilePointer(file, 0, null, 3), FAILED, w.ERROR_INVALID_PARAMETER);
  fails(() => w.SetFilePointer(0, 0, null, w.FILE_BEGIN), FAILED, w.ERROR_INVALID_HANDLE);
  closed(file);
});

test('SetFilePointer has nowhere to put the upper half', (t) => {
  const file = w.CreateFile(join(scratchFolder(t), 'far'), w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, 0);
  assert.equal(w.SetFilePointerEx(file, 2 ** 33, w.FILE_BEGIN), 2 ** 33);
  fails(() => w.SetFilePointer(file, 0, null, w.FILE_CURRENT), w.INVALID_SET_FILE_POINTER, w.ERROR_INVALID_PARAMETER);
  closed(file);
});

test('LockFileEx: shared and exclusive, with the offset in OVERLAPPED', (t) => {
  const path = join(scratchFolder(t), 'locked');
  writeFileSync(path, new Uint8Array(100));
  const SHARE = w.FILE_SHARE_READ | w.FILE_SHARE_WRITE;
  const open = () => w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, SHARE, null, w.OPEN_EXISTING, 0);
  const [first, second] = [open(), open()];
  const NOW = w.LOCKFILE_FAIL_IMMEDIATELY;
  const at = (Offset: number, OffsetHigh?: number) => (OffsetHigh === undefined ? { Offset } : { Offset, OffsetHigh });
  assert.ok(w.LockFileEx(first, NOW, 0, 10, 0, at(20)));
  assert.ok(w.LockFileEx(second, NOW, 0, 10, 0, at(20, 0)));
  for (const flags of [NOW, 0]) {
    const exclusive = () => w.LockFileEx(second, flags | w.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, at(25));
    fails(exclusive, false, w.ERROR_LOCK_VIOLATION);
  }
  assert.ok(w.LockFileEx(second, NOW | w.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, at(25, 1)));
  fails(() => w.LockFile(first, 25, 1, 1, 0), false, w.ERROR_LOCK_VIOLATION);
  assert.ok(w.UnlockFileEx(second, 0, 1, 0, { Offset: 2n ** 32n + 25n }));
  for (const handle of [first, second]) assert.ok(w.UnlockFileEx(handle, 0, 10, 0, at(20)));
  fails(() => w.LockFileEx(first, 4, 0, 1, 0, at(0)), false, w.ERROR_INVALID_PARAMETER);
  fails(() => w.LockFileEx(first, 0, 1, 1, 0, at(0)), false, w.ERROR_INVALID_PARAMETER);
  fails(() => w.LockFileEx(first, 0, 0, 1, 0, at(2 ** 32, 0)), false, w.ERROR_INVALID_PARAMETER);
  fails(() => w.LockFileEx(first, 0, 0, 1, 0, null as never), false, w.ERROR_NOACCESS);
  fails(() => w.UnlockFileEx(first, 0, 1, 0, null as never), false, w.ERROR_NOACCESS);
  closed(first, second);
});

test('what is not locked is not unlocked', (t) => {
  const path = join(scratchFolder(t), 'unlocked');
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, 0);
  fails(() => w.UnlockFileEx(file, 0, 1, 0, { Offset: 25 }), false, w.ERROR_NOT_LOCKED);
  fails(() => w.UnlockFile(file, 25, 0, 1, 0), false, w.ERROR_NOT_LOCKED);
  closed(file);
});

test('reading and writing heed OffsetHigh', (t) => {
  const path = join(scratchFolder(t), 'high');
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, w.FILE_FLAG_OVERLAPPED);
  assert.equal(w.WriteFile(file, Uint8Array.of(7), 1, { Offset: 1, OffsetHigh: 1 }), 1);
  assert.equal(w.GetFileSizeEx(file), 2 ** 32 + 2);
  const byte = new Uint8Array(1);
  assert.equal(w.ReadFile(file, byte, 1, { Offset: 2 ** 32 + 1 }), 1);
  assert.equal(byte[0], 7);
  fails(() => w.ReadFile(file, byte, 1, { Offset: 0, OffsetHigh: -1 }), false, w.ERROR_INVALID_PARAMETER);
  closed(file);
});

test('a device name is no path: files that have it are left alone', { skip: platform.lacks.deviceNamesOfFiles }, (t) => {
  const folder = scratchFolder(t);
  const before = process.cwd();
  process.chdir(folder);
  t.after(() => process.chdir(before));
  const name = '\\\\.\\host';
  writeFileSync(name, 'kept');
  writeFileSync('plain', 'plain');
  fails(() => w.DeleteFile(name), false, w.ERROR_ACCESS_DENIED);
  for (const [from, to] of [
    [name, 'new'],
    ['plain', '\\\\.\\other'],
  ] as const) {
    fails(() => w.CopyFile(from, to, false), false, w.ERROR_ACCESS_DENIED);
    fails(() => w.MoveFile(from, to), false, w.ERROR_ACCESS_DENIED);
  }
  assert.deepEqual(readdirSync('.').sort(), [name, 'plain'].sort());
  assert.equal(readFileSync(name, 'utf8'), 'kept');
});

/* --------------------------------------------------------------------------------- objects ---- */

const granted = (handle: number) => n.NtQueryObject(handle, n.ObjectBasicInformation).objectInformation?.GrantedAccess;

test('events, mutexes and semaphores by flags, with rights of the caller’s choice', () => {
  const MANUAL = w.CREATE_EVENT_MANUAL_RESET;
  const rights = w.EVENT_MODIFY_STATE | 1;
  const event = w.CreateEventExW(null, 'ex', MANUAL | w.CREATE_EVENT_INITIAL_SET, rights);
  assert.deepEqual([granted(event), w.GetLastError()], [rights, w.ERROR_SUCCESS]);
  const { eventInformation } = n.NtQueryEvent(event, n.EventBasicInformation);
  assert.deepEqual(eventInformation, { EventType: n.NotificationEvent, EventState: 1 });
  const again = w.CreateEventExA(null, 'Local\\ex', 0, w.SYNCHRONIZE);
  assert.deepEqual([granted(again), w.GetLastError()], [w.SYNCHRONIZE, w.ERROR_ALREADY_EXISTS]);
  fails(() => w.SetEvent(again), false, w.ERROR_ACCESS_DENIED);
  const mutex = w.CreateMutexEx(null, null, w.CREATE_MUTEX_INITIAL_OWNER, w.SYNCHRONIZE);
  assert.equal(granted(mutex), w.SYNCHRONIZE);
  assert.ok(w.ReleaseMutex(mutex));
  const free = w.CreateMutexEx(null, null, 0, w.MUTEX_ALL_ACCESS);
  fails(() => w.ReleaseMutex(free), false, w.ERROR_NOT_OWNER);
  const semaphore = w.CreateSemaphoreEx(null, 1, 2, null, 0, w.SEMAPHORE_MODIFY_STATE);
  assert.equal(granted(semaphore), w.SEMAPHORE_MODIFY_STATE);
  assert.ok(w.ReleaseSemaphore(semaphore, 1));
  fails(() => w.ReleaseSemaphore(semaphore, 1), false, w.ERROR_TOO_MANY_POSTS);
  fails(() => w.CreateMutexEx(null, 'ex', 0, w.SYNCHRONIZE), 0, w.ERROR_INVALID_HANDLE);
  closed(event, again, mutex, free, semaphore);
});

test('flags that there are not are refused', () => {
  fails(() => w.CreateEventEx(null, null, 4, w.EVENT_ALL_ACCESS), 0, w.ERROR_INVALID_PARAMETER);
  fails(() => w.CreateMutexEx(null, null, 2, w.SYNCHRONIZE), 0, w.ERROR_INVALID_PARAMETER);
  fails(() => w.CreateSemaphoreEx(null, 1, 2, null, 1, w.SYNCHRONIZE), 0, w.ERROR_INVALID_PARAMETER);
});

test('CompareObjectHandles: one object, whichever way its handles came about', () => {
  const self = w.GetCurrentProcess();
  const first = w.CreateEvent(null, false, false, 'compared');
  const second = w.OpenEvent(w.SYNCHRONIZE, false, 'compared');
  const other = w.CreateEvent(null, false, false, null);
  const copy = w.DuplicateHandle(self, other, self, 0, false, w.DUPLICATE_SAME_ACCESS);
  const own = w.OpenProcess(w.PROCESS_VM_READ, false, process.pid);
  const childAgain = w.OpenProcess(w.PROCESS_VM_READ, false, child.dwProcessId);
  for (const [a, b] of [
    [first, second],
    [other, copy],
    [own, self],
    [child.hProcess, childAgain],
  ] as const) {
    assert.ok(w.CompareObjectHandles(a, b), `last error ${w.GetLastError()}`);
  }
  fails(() => w.CompareObjectHandles(first, other), false, w.ERROR_NOT_SAME_OBJECT);
  fails(() => w.CompareObjectHandles(own, childAgain), false, w.ERROR_NOT_SAME_OBJECT);
  fails(() => w.CompareObjectHandles(child.hProcess, child.hThread), false, w.ERROR_NOT_SAME_OBJECT);
  fails(() => w.CompareObjectHandles(0, first), false, w.ERROR_INVALID_HANDLE);
  fails(() => w.CompareObjectHandles(first, 0), false, w.ERROR_INVALID_HANDLE);
  closed(first, second, other, copy, own, childAgain);
});

test('security descriptors as SDDL', () => {
  const DACL = w.DACL_SECURITY_INFORMATION;
  const mapping = w.CreateFileMapping(NONE, 'D:(A;;GA;;;WD)', w.PAGE_READWRITE, 0, PAGE, 'told');
  assert.equal(w.GetKernelObjectSecurity(mapping, DACL), 'D:(A;;GA;;;WD)');
  assert.match(w.GetKernelObjectSecurity(mapping, w.OWNER_SECURITY_INFORMATION) ?? '', /^O:S-1-/);
  const opened = w.OpenFileMapping(w.FILE_MAP_READ, false, 'told');
  fails(() => w.GetKernelObjectSecurity(opened, DACL), null, w.ERROR_ACCESS_DENIED);
  fails(() => w.SetKernelObjectSecurity(opened, DACL, 'D:'), false, w.ERROR_ACCESS_DENIED);
  const setter = w.OpenFileMapping(w.WRITE_DAC, false, 'told');
  fails(() => w.SetKernelObjectSecurity(setter, DACL, 'nonsense'), false, w.ERROR_INVALID_SECURITY_DESCR);
  assert.ok(w.SetKernelObjectSecurity(setter, DACL, 'D:(A;;0x4;;;WD)'));
  fails(() => w.OpenFileMapping(w.FILE_MAP_WRITE, false, 'told'), 0, w.ERROR_ACCESS_DENIED);
  fails(() => w.GetKernelObjectSecurity(0, DACL), null, w.ERROR_INVALID_HANDLE);
  closed(mapping, opened, setter);
});

test('a descriptor without a DACL sets none', () => {
  const mapping = w.CreateFileMapping(NONE, 'D:(A;;GA;;;WD)', w.PAGE_READWRITE, 0, PAGE, null);
  fails(() => w.SetKernelObjectSecurity(mapping, w.DACL_SECURITY_INFORMATION, 'O:WD'), false, w.ERROR_INVALID_ACL);
  closed(mapping);
});

test('the host guards processes', { skip: platform.lacks.hostGuards }, () => {
  fails(() => w.GetKernelObjectSecurity(child.hProcess, w.DACL_SECURITY_INFORMATION), null, w.ERROR_NOT_SUPPORTED);
});
