/**
 * Virtual memory by `sectile/kernel32` and `sectile/ntdll`: pages of views that are reserved, committed and
 * protected one by one, private memory, placeholders.
 */
import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import './runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { platform } from '../support/platform.js';
import { eventually } from '../support/processes.js';
import { is, self } from './user-mode.js';

const PAGE = 0x1000;
const UNTOUCHED = 0xdeadbeef;

beforeEach(() => w.SetLastError(UNTOUCHED));

function create(size: number, protect: number = w.PAGE_READWRITE): number {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, protect >>> 0, 0, size, null);
  assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
  w.SetLastError(UNTOUCHED);
  return handle;
}

function map(handle: number, access: number = w.FILE_MAP_WRITE): w.View {
  const view = w.MapViewOfFile(handle, access, 0, 0, 0);
  assert.ok(view !== null, `last error ${w.GetLastError()}`);
  return view;
}

/** State, protection and size of the pages that are alike from an address on. */
function pages(of: w.View | bigint, offset = 0): [state: number, protect: number, bytes: number] {
  const found = w.VirtualQuery((typeof of === 'bigint' ? of : of.address) + BigInt(offset));
  assert.ok(found !== null);
  return [found.State, found.Protect, found.RegionSize];
}

function fails(result: unknown, error: number): void {
  assert.ok(result === null || result === false, `it succeeded: ${String(result)}`);
  assert.equal(w.GetLastError(), error);
  w.SetLastError(UNTOUCHED);
}

test('reserved pages are committed for every view of the section, each with its own protection', () => {
  const size = 0x10_0000;
  const handle = create(size, w.PAGE_READWRITE | w.SEC_RESERVE);
  const [one, two] = [map(handle), map(handle)];
  for (const view of [one, two]) assert.deepEqual(pages(view), [w.MEM_RESERVE, 0, size]);
  assert.equal(w.VirtualAlloc(one, 0x1_0000, w.MEM_COMMIT, w.PAGE_READONLY), one.address);
  assert.deepEqual(pages(one), [w.MEM_COMMIT, w.PAGE_READONLY, 0x1_0000]);
  assert.deepEqual(pages(two), [w.MEM_COMMIT, w.PAGE_READWRITE, 0x1_0000]);
  assert.deepEqual(pages(two, 0x1_0000), [w.MEM_RESERVE, 0, size - 0x1_0000]);
  two.bytes.fill(7, 0, 0x1_0000);
  assert.ok(one.bytes.subarray(0, 0x1_0000).every((each) => each === 7));
  assert.deepEqual([one.fault, two.fault], [null, null]);
  // A view that is mapped later has the pages from the start.
  const third = map(handle, w.FILE_MAP_READ);
  assert.equal(third.bytes[PAGE], 7);
  assert.equal(third.fault, null);

  assert.equal(w.VirtualAlloc(one, size, w.MEM_RESET, w.PAGE_NOACCESS), one.address);
  assert.equal(one.bytes[0], 7);
  fails(w.VirtualFree(one, 0x1_0000, w.MEM_DECOMMIT), w.ERROR_INVALID_PARAMETER);
  fails(w.VirtualFree(one, 0, w.MEM_RELEASE), w.ERROR_INVALID_PARAMETER);
  fails(w.VirtualAlloc(one.address + BigInt(size - PAGE), 2 * PAGE, w.MEM_COMMIT, w.PAGE_READWRITE), w.ERROR_INVALID_ADDRESS);
  fails(w.VirtualAlloc(third, PAGE, w.MEM_COMMIT, w.PAGE_READWRITE), w.ERROR_INVALID_PARAMETER);
  fails(w.VirtualProtect(one, size, w.PAGE_READONLY), w.ERROR_INVALID_ADDRESS);
  assert.deepEqual(pages(one, 0x1_0000), [w.MEM_RESERVE, 0, size - 0x1_0000]);
  for (const view of [one, two, third]) assert.ok(w.UnmapViewOfFile(view));
  assert.ok(w.CloseHandle(handle));
});

test('a range is committed by its pages, and what lies between stays reserved', async () => {
  const handle = create(16 * PAGE, w.PAGE_READWRITE | w.SEC_RESERVE);
  const view = map(handle);
  assert.equal(w.VirtualAlloc(view.address + 5n, 1, w.MEM_COMMIT, w.PAGE_READWRITE), view.address);
  assert.equal(
    w.VirtualAlloc(view.address + BigInt(4 * PAGE + 4095), 2, w.MEM_COMMIT, w.PAGE_READWRITE),
    view.address + BigInt(4 * PAGE),
  );
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  assert.deepEqual(pages(view, PAGE), [w.MEM_RESERVE, 0, 3 * PAGE]);
  assert.deepEqual(pages(view, 4 * PAGE), [w.MEM_COMMIT, w.PAGE_READWRITE, 2 * PAGE]);
  assert.deepEqual(pages(view, 6 * PAGE), [w.MEM_RESERVE, 0, 10 * PAGE]);
  await view.prefetch();
  assert.deepEqual([view.fault], [null], 'what is not committed is not read in');
  assert.deepEqual(pages(view, PAGE), [w.MEM_RESERVE, 0, 3 * PAGE]);
  // Checked copies stop where nothing is committed.
  assert.equal(view.write(new Uint8Array(PAGE).fill(3)), PAGE);
  assert.throws(() => view.read(new Uint8Array(2 * PAGE)), { code: 'ERR_SECTION_FAULT' });
  assert.equal(view.fault?.kind, 'no-access');
  assert.deepEqual(pages(view, PAGE), [w.MEM_RESERVE, 0, 3 * PAGE], 'the access has committed nothing');
  w.UnmapViewOfFile(view);
  w.CloseHandle(handle);
});

test('CommitSize commits the head of a view of a reserved section, and is judged elsewhere', () => {
  const { sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 16 * PAGE, n.PAGE_READWRITE, n.SEC_RESERVE, null);
  const mapHead = (commitSize: number, viewSize = 0) =>
    n.NtMapViewOfSection(sectionHandle, self, null, 0, commitSize, null, viewSize, n.ViewUnmap, 0, n.PAGE_READWRITE);
  is(mapHead(3 * PAGE, PAGE).status, 'STATUS_INVALID_PARAMETER_5');
  const { status, view } = mapHead(PAGE + 1);
  is(status, 'STATUS_SUCCESS');
  assert.ok(view !== null);
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_READWRITE, 2 * PAGE]);
  assert.deepEqual(pages(view, 2 * PAGE), [w.MEM_RESERVE, 0, 14 * PAGE]);
  n.NtUnmapViewOfSection(self, view.address);
  n.NtClose(sectionHandle);
});

test('more than the machine has is not committed, and nothing of it', {
  skip: platform.largestSection < 2 ** 44 && 'no section can be so large',
}, () => {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, (w.PAGE_READWRITE | w.SEC_RESERVE) >>> 0, 0x1000, 0, null);
  const view = map(handle);
  fails(w.VirtualAlloc(view, 2 ** 43, w.MEM_COMMIT, w.PAGE_READWRITE), w.ERROR_COMMITMENT_LIMIT);
  assert.deepEqual(pages(view), [w.MEM_RESERVE, 0, 2 ** 44]);
  w.UnmapViewOfFile(view);
  w.CloseHandle(handle);
});

/** What each protection lets a page be used for, as VirtualProtect compares them. */
const uses = new Map<number, string>([
  [w.PAGE_NOACCESS, ''],
  [w.PAGE_READONLY, 'r'],
  [w.PAGE_WRITECOPY, 'r'],
  [w.PAGE_READWRITE, 'rw'],
  [w.PAGE_EXECUTE_READ, 'rx'],
  [w.PAGE_EXECUTE_WRITECOPY, 'rx'],
  [w.PAGE_EXECUTE_READWRITE, 'rwx'],
  [w.PAGE_EXECUTE, 'x'],
]);

test('pages change to what the view was mapped with or less, by VirtualProtect and by VirtualAlloc', () => {
  const { sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 2 * PAGE, n.PAGE_EXECUTE_READWRITE, n.SEC_COMMIT, null);
  for (const [mapped, allowed] of uses) {
    for (const [wanted, needed] of uses) {
      const { status, view } = n.NtMapViewOfSection(sectionHandle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, mapped);
      is(status, 'STATUS_SUCCESS');
      assert.ok(view !== null);
      const fits = [...needed].every((each) => allowed.includes(each));
      const what = `0x${mapped.toString(16)} to 0x${wanted.toString(16)}`;
      assert.equal(w.VirtualProtect(view, 1, wanted), fits ? mapped : false, what);
      if (!fits) assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER, what);
      assert.deepEqual(pages(view)[1], fits ? wanted : mapped, what);
      assert.deepEqual(pages(view, PAGE)[1], mapped, what);
      const second = view.address + BigInt(PAGE);
      assert.equal(w.VirtualAlloc(second, 1, w.MEM_COMMIT, wanted), fits ? second : null, what);
      assert.equal(w.VirtualQuery(view)?.AllocationProtect, mapped);
      n.NtUnmapViewOfSection(self, view.address);
    }
  }
  n.NtClose(sectionHandle);
});

test('the statuses of a protection that cannot be', () => {
  const handle = create(2 * PAGE);
  const view = map(handle, w.FILE_MAP_READ);
  const protect = (address: bigint | null, size: number, protection: number) =>
    n.NtProtectVirtualMemory(self, address, size, protection).status;
  is(protect(view.address, PAGE, n.PAGE_READWRITE), 'STATUS_SECTION_PROTECTION');
  is(protect(view.address, PAGE, 0), 'STATUS_INVALID_PAGE_PROTECTION');
  is(protect(view.address, PAGE, n.PAGE_READONLY | n.PAGE_READWRITE), 'STATUS_INVALID_PAGE_PROTECTION');
  is(protect(0xffff_8000_0000_0000n, PAGE, n.PAGE_READONLY), 'STATUS_INVALID_PARAMETER_2');
  is(protect(view.address, 0, n.PAGE_READONLY), 'STATUS_INVALID_PARAMETER_3');
  is(protect(view.address, 3 * PAGE, n.PAGE_READONLY), 'STATUS_CONFLICTING_ADDRESSES');
  is(protect(0x1_0000n, PAGE, n.PAGE_READONLY), 'STATUS_CONFLICTING_ADDRESSES');
  is(n.NtProtectVirtualMemory(0, view.address, PAGE, n.PAGE_READONLY).status, 'STATUS_INVALID_HANDLE');
  assert.deepEqual(n.NtProtectVirtualMemory(self, view.address + 5n, PAGE, n.PAGE_NOACCESS), {
    status: n.STATUS_SUCCESS,
    baseAddress: view.address,
    regionSize: 2 * PAGE,
    oldProtect: n.PAGE_READONLY,
  });
  w.UnmapViewOfFile(view);
  w.CloseHandle(handle);
});

test('a write to a page that was made read-only never reaches the section, and its neighbours are written', async () => {
  const handle = create(4 * PAGE);
  const [view, other] = [map(handle), map(handle)];
  other.bytes.fill(1);
  assert.equal(w.VirtualProtect(view.address + BigInt(PAGE), PAGE, w.PAGE_READONLY), w.PAGE_READWRITE);
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  assert.deepEqual(pages(view, PAGE), [w.MEM_COMMIT, w.PAGE_READONLY, PAGE]);
  view.bytes.fill(2);
  assert.equal(view.fault?.kind, 'write-to-read-only');
  assert.equal(Math.floor(view.fault.offset / PAGE), 1);
  assert.deepEqual([...other.bytes.filter((_, index) => index % PAGE === 9)], [2, 1, 2, 2]);
  await eventually('the write is undone in the view', () => view.bytes[PAGE + 9] === 1);
  other.bytes[PAGE + 9] = 5;
  assert.equal(view.bytes[PAGE + 9], 5, 'the page shows the section');
  assert.throws(() => view.write(new Uint8Array(10), PAGE), { code: 'ERR_SECTION_FAULT' });
  assert.equal(w.VirtualProtect(view, 4 * PAGE, w.PAGE_READWRITE), w.PAGE_READWRITE);
  view.bytes[PAGE + 9] = 6;
  assert.equal(other.bytes[PAGE + 9], 6);
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_READWRITE, 4 * PAGE]);
  w.UnmapViewOfFile(view);
  w.UnmapViewOfFile(other);
  w.CloseHandle(handle);
});

test('a copy-on-write page that was written to is an ordinary one, the others are not', async () => {
  const handle = create(4 * PAGE, w.PAGE_EXECUTE_READWRITE);
  const shared = map(handle);
  const view = map(handle, w.FILE_MAP_COPY);
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_WRITECOPY, 4 * PAGE]);
  view.bytes[2 * PAGE] = 9;
  assert.deepEqual(pages(view), [w.MEM_COMMIT, w.PAGE_WRITECOPY, 2 * PAGE]);
  assert.deepEqual(pages(view, 2 * PAGE), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  assert.deepEqual(pages(view, 3 * PAGE), [w.MEM_COMMIT, w.PAGE_WRITECOPY, PAGE]);
  assert.equal(w.VirtualProtect(view.address + BigInt(2 * PAGE), PAGE, w.PAGE_READONLY), w.PAGE_READWRITE);
  // A stray write to a copy is undone as well, and the copy is what it was.
  view.bytes[2 * PAGE] = 10;
  assert.equal(view.fault?.kind, 'write-to-read-only');
  await eventually('the copy is what it was', () => view.bytes[2 * PAGE] === 9);
  assert.equal(shared.bytes[2 * PAGE], 0);
  shared.bytes[PAGE] = 4;
  assert.equal(view.bytes[PAGE], 4);

  // Pages of a writable view can be made copy-on-write, and those that are no copies be shared again.
  assert.equal(w.VirtualProtect(shared, 2 * PAGE, w.PAGE_WRITECOPY), w.PAGE_READWRITE);
  shared.bytes[0] = 8;
  assert.deepEqual(pages(shared), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  assert.deepEqual(pages(shared, PAGE), [w.MEM_COMMIT, w.PAGE_WRITECOPY, PAGE]);
  assert.equal(view.bytes[0], 0);
  assert.equal(w.VirtualProtect(shared, 2 * PAGE, w.PAGE_READWRITE), w.PAGE_READWRITE);
  shared.bytes[1] = 7;
  shared.bytes[PAGE + 1] = 7;
  assert.deepEqual([view.bytes[1], view.bytes[PAGE + 1], shared.bytes[0]], [0, 7, 8]);
  w.UnmapViewOfFile(shared);
  w.UnmapViewOfFile(view);
  w.CloseHandle(handle);
});

test('private memory is reserved, committed, protected and given back by the page', () => {
  const base = w.VirtualAlloc(null, 0x3_0001, w.MEM_RESERVE, w.PAGE_READWRITE);
  assert.ok(base !== null && base % 0x1_0000n === 0n);
  assert.deepEqual(w.VirtualQuery(base), {
    BaseAddress: base,
    AllocationBase: base,
    AllocationProtect: w.PAGE_READWRITE,
    RegionSize: 0x3_1000,
    State: w.MEM_RESERVE,
    Protect: 0,
    Type: w.MEM_PRIVATE,
  });
  const second = base + BigInt(PAGE);
  fails(w.VirtualProtect(second, PAGE, w.PAGE_READONLY), w.ERROR_INVALID_ADDRESS);
  assert.equal(w.VirtualAlloc(second, 2 * PAGE, w.MEM_COMMIT, w.PAGE_READWRITE), second);
  fails(w.VirtualAlloc(second, PAGE, w.MEM_COMMIT, w.PAGE_WRITECOPY), w.ERROR_INVALID_PARAMETER);
  assert.equal(w.VirtualProtect(second, PAGE, w.PAGE_READONLY), w.PAGE_READWRITE);
  assert.deepEqual(pages(second), [w.MEM_COMMIT, w.PAGE_READONLY, PAGE]);
  assert.deepEqual(pages(second + BigInt(PAGE)), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  const region = n.NtQueryVirtualMemory(self, second, n.MemoryRegionInformation);
  assert.deepEqual(region.memoryInformation, {
    AllocationBase: base,
    AllocationProtect: n.PAGE_READWRITE,
    Private: true,
    MappedDataFile: false,
    MappedImage: false,
    MappedPageFile: false,
    MappedPhysical: false,
    DirectMapped: false,
    RegionSize: 0x3_1000,
    CommitSize: 2 * PAGE,
  });
  fails(w.UnmapViewOfFile(base), w.ERROR_INVALID_ADDRESS);
  const handle = create(PAGE);
  fails(w.MapViewOfFileEx(handle, w.FILE_MAP_WRITE, 0, 0, 0, base), w.ERROR_INVALID_ADDRESS);
  fails(w.VirtualAlloc(base, PAGE, w.MEM_RESERVE, w.PAGE_READWRITE), w.ERROR_INVALID_ADDRESS);
  assert.ok(w.VirtualFree(second, PAGE, w.MEM_DECOMMIT));
  assert.deepEqual(pages(second), [w.MEM_RESERVE, 0, PAGE]);
  fails(w.VirtualFree(base, PAGE, w.MEM_RELEASE), w.ERROR_INVALID_PARAMETER);
  fails(w.VirtualFree(second, 0, w.MEM_RELEASE), w.ERROR_INVALID_ADDRESS);
  assert.ok(w.VirtualFree(base, 0, w.MEM_RELEASE));
  assert.equal(pages(base)[0], w.MEM_FREE);
  fails(w.VirtualFree(base, 0, w.MEM_RELEASE), w.ERROR_INVALID_ADDRESS);
  // A view where it was; then nothing can be reserved there.
  const view = w.MapViewOfFileEx(handle, w.FILE_MAP_WRITE, 0, 0, 0, base);
  assert.equal(view?.address, base);
  fails(w.VirtualAlloc(base, PAGE, w.MEM_RESERVE | w.MEM_COMMIT, w.PAGE_READWRITE), w.ERROR_INVALID_ADDRESS);
  assert.ok(w.UnmapViewOfFile(base) && w.CloseHandle(handle));
});

test('the statuses of allocating and freeing', () => {
  const allocate = (base: bigint | null, size: number, type: number, protection: number = n.PAGE_READWRITE, zeroBits = 0) =>
    n.NtAllocateVirtualMemory(self, base, zeroBits, size, type, protection);
  is(allocate(null, PAGE, n.MEM_RESERVE, n.PAGE_READWRITE, 22).status, 'STATUS_INVALID_PARAMETER_3');
  is(allocate(null, PAGE, 0).status, 'STATUS_INVALID_PARAMETER_5');
  is(allocate(null, PAGE, n.MEM_RESERVE | n.MEM_RESET).status, 'STATUS_INVALID_PARAMETER_5');
  is(allocate(null, PAGE, n.MEM_RESERVE | n.MEM_RESERVE_PLACEHOLDER).status, 'STATUS_INVALID_PARAMETER_5');
  is(allocate(null, PAGE, n.MEM_RESERVE, 0).status, 'STATUS_INVALID_PAGE_PROTECTION');
  is(allocate(null, PAGE, n.MEM_RESERVE, n.PAGE_WRITECOPY).status, 'STATUS_INVALID_PAGE_PROTECTION');
  is(allocate(0xffff_8000_0000_0000n, PAGE, n.MEM_RESERVE).status, 'STATUS_INVALID_PARAMETER_2');
  is(allocate(null, 0, n.MEM_RESERVE).status, 'STATUS_INVALID_PARAMETER_4');
  is(allocate(0x1000n, PAGE, n.MEM_RESERVE).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(allocate(0x6_0000_0000n, PAGE, n.MEM_COMMIT).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(allocate(0x6_0000_0000n, PAGE, n.MEM_RESET).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(n.NtAllocateVirtualMemory(0, null, 0, PAGE, n.MEM_RESERVE, n.PAGE_READWRITE).status, 'STATUS_INVALID_HANDLE');
  const low = allocate(null, 0x2_0000, n.MEM_RESERVE | n.MEM_COMMIT, n.PAGE_READWRITE, 3);
  is(low.status, 'STATUS_SUCCESS');
  assert.ok(low.baseAddress !== null && low.baseAddress < 1n << 29n);

  const free = (base: bigint | null, size: number, type: number) => n.NtFreeVirtualMemory(self, base, size, type);
  is(free(low.baseAddress, 0, n.MEM_RELEASE | n.MEM_DECOMMIT).status, 'STATUS_INVALID_PARAMETER_4');
  is(free(low.baseAddress, 0, 0).status, 'STATUS_INVALID_PARAMETER_4');
  is(free(low.baseAddress, PAGE, n.MEM_DECOMMIT | n.MEM_PRESERVE_PLACEHOLDER).status, 'STATUS_INVALID_PARAMETER_4');
  is(free(0xffff_8000_0000_0000n, 0, n.MEM_RELEASE).status, 'STATUS_INVALID_PARAMETER_2');
  is(free(0x6_0000_0000n, 0, n.MEM_RELEASE).status, 'STATUS_MEMORY_NOT_ALLOCATED');
  is(free(low.baseAddress + 0x1_0000n, 0, n.MEM_DECOMMIT).status, 'STATUS_FREE_VM_NOT_AT_BASE');
  is(free(low.baseAddress, 0x3_0000, n.MEM_DECOMMIT).status, 'STATUS_UNABLE_TO_FREE_VM');
  is(free(low.baseAddress, PAGE, n.MEM_RELEASE | n.MEM_PRESERVE_PLACEHOLDER).status, 'STATUS_CONFLICTING_ADDRESSES');
  // A part of an allocation can go by itself.
  assert.deepEqual(free(low.baseAddress + 0x1000n, PAGE, n.MEM_RELEASE), {
    status: n.STATUS_SUCCESS,
    baseAddress: low.baseAddress + 0x1000n,
    regionSize: PAGE,
  });
  assert.equal(pages(low.baseAddress + 0x1000n)[0], w.MEM_FREE);
  assert.deepEqual(pages(low.baseAddress), [w.MEM_COMMIT, w.PAGE_READWRITE, PAGE]);
  is(free(low.baseAddress, 0, n.MEM_RELEASE).status, 'STATUS_SUCCESS');
  is(free(low.baseAddress + 0x2000n, 0, n.MEM_RELEASE).status, 'STATUS_SUCCESS');
});
