/**
 * Placeholders and the extended calls: address space that is cut, joined, taken by views and left again.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { create, is, self } from './user-mode.js';

const CHUNK = 0x1_0000;
const RESERVE = n.MEM_RESERVE | n.MEM_RESERVE_PLACEHOLDER;

function reserve(size: number): bigint {
  const address = w.VirtualAlloc2(null, null, size, RESERVE, w.PAGE_NOACCESS);
  assert.ok(address !== null, `last error ${w.GetLastError()}`);
  return address;
}

const release = (address: bigint) => assert.ok(w.VirtualFree(address, 0, w.MEM_RELEASE), `last error ${w.GetLastError()}`);

test('a ring buffer: one section twice, side by side', () => {
  const ring = reserve(2 * CHUNK);
  assert.ok(w.VirtualFree(ring, CHUNK, w.MEM_RELEASE | w.MEM_PRESERVE_PLACEHOLDER));
  const handle = create(CHUNK);
  const mapAt = (address: bigint) =>
    w.MapViewOfFile3(handle, null, address, 0, CHUNK, w.MEM_REPLACE_PLACEHOLDER, w.PAGE_READWRITE);
  const [first, second] = [mapAt(ring), mapAt(ring + BigInt(CHUNK))];
  assert.ok(first !== null && second !== null, `last error ${w.GetLastError()}`);
  assert.deepEqual([first.address, second.address], [ring, ring + BigInt(CHUNK)]);
  first.bytes.set([1, 2, 3], CHUNK - 3);
  second.bytes.set([4, 5, 6]);
  assert.deepEqual([...second.bytes.subarray(CHUNK - 3)], [1, 2, 3]);
  assert.deepEqual([...first.bytes.subarray(0, 3)], [4, 5, 6]);

  // Each leaves its placeholder; the two are one again, and another section can take their place.
  assert.ok(w.UnmapViewOfFile2(self, first.address + 100n, w.MEM_PRESERVE_PLACEHOLDER));
  assert.equal(first.closed, true);
  assert.equal(w.VirtualQuery(ring)?.State, w.MEM_RESERVE);
  assert.ok(w.UnmapViewOfFile2(self, second, w.MEM_PRESERVE_PLACEHOLDER));
  assert.ok(w.VirtualFree(ring, 2 * CHUNK, w.MEM_RELEASE | w.MEM_COALESCE_PLACEHOLDERS));
  assert.equal(w.VirtualQuery(ring)?.RegionSize, 2 * CHUNK);
  const large = create(2 * CHUNK);
  const whole = w.MapViewOfFile3(large, self, ring, 0, 2 * CHUNK, w.MEM_REPLACE_PLACEHOLDER, w.PAGE_READWRITE);
  whole?.bytes.fill(7);
  assert.equal(whole?.bytes[2 * CHUNK - 1], 7);
  assert.equal(whole.fault, null);
  assert.ok(w.UnmapViewOfFile(whole));
  assert.equal(w.VirtualQuery(ring)?.State, w.MEM_FREE);
  n.NtClose(handle);
  n.NtClose(large);
});

test('placeholders are cut and joined at pages, and only they', () => {
  const base = reserve(4 * CHUNK);
  const at = (offset: number) => base + BigInt(offset);
  const free = (offset: number, size: number, type: number) =>
    n.NtFreeVirtualMemory(self, at(offset), size, n.MEM_RELEASE | type);
  is(free(0, 4 * CHUNK, n.MEM_PRESERVE_PLACEHOLDER).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(free(0, 4 * CHUNK, n.MEM_COALESCE_PLACEHOLDERS).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(free(CHUNK, 0x1000, n.MEM_PRESERVE_PLACEHOLDER).status, 'STATUS_SUCCESS');
  assert.deepEqual(
    [0, CHUNK, CHUNK + 0x1000].map((offset) => w.VirtualQuery(at(offset))?.RegionSize),
    [CHUNK, 0x1000, 3 * CHUNK - 0x1000],
  );
  is(free(0, CHUNK + 0x2000, n.MEM_COALESCE_PLACEHOLDERS).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(n.NtAllocateVirtualMemory(self, base, 0, 0x1000, n.MEM_COMMIT, n.PAGE_READWRITE).status, 'STATUS_CONFLICTING_ADDRESSES');

  // Private memory takes a placeholder's place, exactly as large, and gives it back.
  const replace = (offset: number, size: number) =>
    n.NtAllocateVirtualMemoryEx(
      self,
      at(offset),
      size,
      n.MEM_RESERVE | n.MEM_COMMIT | n.MEM_REPLACE_PLACEHOLDER,
      n.PAGE_READWRITE,
    ).status;
  is(replace(CHUNK, 0x2000), 'STATUS_CONFLICTING_ADDRESSES');
  is(replace(CHUNK, 0x1000), 'STATUS_SUCCESS');
  assert.equal(w.VirtualQuery(at(CHUNK))?.Protect, w.PAGE_READWRITE);
  is(free(CHUNK, 0x1000, n.MEM_PRESERVE_PLACEHOLDER).status, 'STATUS_SUCCESS');
  assert.equal(w.VirtualQuery(at(CHUNK))?.State, w.MEM_RESERVE);
  is(free(0, 4 * CHUNK, n.MEM_COALESCE_PLACEHOLDERS).status, 'STATUS_SUCCESS');
  release(base);

  // What took no placeholder's place leaves none.
  const handle = create(CHUNK);
  const view = w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0);
  assert.ok(view !== null);
  is(n.NtUnmapViewOfSectionEx(self, view.address, n.MEM_PRESERVE_PLACEHOLDER), 'STATUS_CONFLICTING_ADDRESSES');
  is(n.NtUnmapViewOfSectionEx(self, view.address, 4), 'STATUS_INVALID_PARAMETER_3');
  is(n.NtUnmapViewOfSectionEx(self, view.address, 0), 'STATUS_SUCCESS');
  n.NtClose(handle);
});

test('a view takes a placeholder that is exactly as large', () => {
  const base = reserve(2 * CHUNK);
  const handle = create(2 * CHUNK);
  const mapEx = (address: bigint | null, size: number, type: number = n.MEM_REPLACE_PLACEHOLDER) =>
    n.NtMapViewOfSectionEx(handle, self, address, null, size, type, n.PAGE_READWRITE).status;
  is(mapEx(base, CHUNK), 'STATUS_CONFLICTING_ADDRESSES');
  is(mapEx(null, CHUNK), 'STATUS_INVALID_PARAMETER');
  is(mapEx(base, 2 * CHUNK, 0), 'STATUS_CONFLICTING_ADDRESSES');
  is(mapEx(base, 2 * CHUNK), 'STATUS_SUCCESS');
  is(mapEx(base, 2 * CHUNK), 'STATUS_CONFLICTING_ADDRESSES');
  is(n.NtUnmapViewOfSection(self, base), 'STATUS_SUCCESS');
  n.NtClose(handle);
});

const requirement = (Pointer: n.MEM_ADDRESS_REQUIREMENTS) => [{ Type: n.MemExtendedParameterAddressRequirements, Pointer }];
const HIGHEST = 0x7fff_fffe_ffffn;

test('extended parameters say where a view may stand', () => {
  const handle = create(4 * CHUNK);
  const mapEx = (parameters: readonly n.MEM_EXTENDED_PARAMETER[] | null, base: bigint | null = null, process = self) =>
    n.NtMapViewOfSectionEx(handle, process, base, null, CHUNK, 0, n.PAGE_READWRITE, parameters);
  is(mapEx(null, null, 0).status, 'STATUS_INVALID_HANDLE');
  const wrong: readonly (readonly n.MEM_EXTENDED_PARAMETER[])[] = [
    [{ Type: 0 }],
    [{ Type: n.MemExtendedParameterMax }],
    [...requirement({}), ...requirement({})],
    requirement({ HighestEndingAddress: 0x2000_1001n }),
    requirement({ HighestEndingAddress: 0x2000_0ffen }),
    requirement({ HighestEndingAddress: 0x2000_07ffn }),
    requirement({ HighestEndingAddress: HIGHEST + 0x1000n }),
    requirement({ LowestStartingAddress: 0x1000n }),
    requirement({ Alignment: 0x3_0000 }),
    requirement({ Alignment: 0x10_0000 }),
  ];
  for (const each of wrong) is(mapEx(each).status, 'STATUS_INVALID_PARAMETER');
  for (const each of [null, [], requirement({}), requirement({ HighestEndingAddress: HIGHEST })]) {
    const { status, baseAddress } = mapEx(each);
    is(status, 'STATUS_SUCCESS');
    assert.ok(baseAddress !== null && baseAddress % BigInt(CHUNK) === 0n);
    n.NtUnmapViewOfSection(self, baseAddress);
  }
  const low = mapEx(requirement({ LowestStartingAddress: 0x1000_0000n, HighestEndingAddress: 0x3000_0fffn }));
  is(low.status, 'STATUS_SUCCESS');
  assert.ok(low.baseAddress !== null && low.baseAddress >= 0x1000_0000n && low.baseAddress + BigInt(CHUNK) <= 0x3000_1000n);
  is(mapEx(requirement({ HighestEndingAddress: 0x3000_0fffn }), 0x5000_0000n).status, 'STATUS_INVALID_PARAMETER');
  is(mapEx(null, low.baseAddress).status, 'STATUS_CONFLICTING_ADDRESSES');
  is(mapEx(null, low.baseAddress + 42n).status, 'STATUS_MAPPED_ALIGNMENT');
  is(n.NtUnmapViewOfSection(self, low.baseAddress), 'STATUS_SUCCESS');

  const aligned = w.VirtualAlloc2(null, null, CHUNK, w.MEM_RESERVE, w.PAGE_READWRITE, requirement({ Alignment: 0x100_0000 }));
  assert.ok(aligned !== null && aligned % 0x100_0000n === 0n);
  release(aligned);
  n.NtClose(handle);
});

test('what is known of views: their region, their file, whether two are one', () => {
  const handle = create(0x1000);
  const mapAs = (protection: number) => {
    const { baseAddress } = n.NtMapViewOfSection(handle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, protection);
    assert.ok(baseAddress !== null);
    return baseAddress;
  };
  const views = [n.PAGE_READONLY, n.PAGE_WRITECOPY, n.PAGE_READWRITE].map((protection) => {
    const address = mapAs(protection);
    const { status, memoryInformation } = n.NtQueryVirtualMemory(self, address, n.MemoryRegionInformation);
    is(status, 'STATUS_SUCCESS');
    assert.deepEqual(memoryInformation, {
      AllocationBase: address,
      AllocationProtect: protection,
      Private: false,
      MappedDataFile: false,
      MappedImage: false,
      MappedPageFile: false,
      MappedPhysical: false,
      DirectMapped: false,
      RegionSize: 0x1000,
      CommitSize: protection === n.PAGE_WRITECOPY ? 0x1000 : 0,
    });
    return address;
  }) as [bigint, bigint, bigint];
  const query = (address: bigint | null, what: number, length?: number) =>
    n.NtQueryVirtualMemory(self, address, what, length).status;
  is(query(views[0], 99), 'STATUS_INVALID_INFO_CLASS');
  is(query(views[0], n.MemoryBasicInformation, 47), 'STATUS_INFO_LENGTH_MISMATCH');
  is(query(1n << 63n, n.MemoryBasicInformation), 'STATUS_INVALID_PARAMETER');
  is(query(0x1_0000n, n.MemoryRegionInformation), 'STATUS_INVALID_ADDRESS');
  is(query(views[0], n.MemoryMappedFilenameInformation), 'STATUS_FILE_INVALID');
  assert.equal(n.NtQueryVirtualMemory(self, views[0], n.MemoryBasicInformation).returnLength, 48);
  for (const [process, address, error] of [
    [self, null, w.ERROR_UNEXP_NET_ERR],
    [0, views[0], w.ERROR_INVALID_HANDLE],
    [self, views[0], w.ERROR_FILE_INVALID],
  ] as const) {
    assert.equal(w.GetMappedFileName(process, address), null);
    assert.equal(w.GetLastError(), error);
  }

  const memory = reserve(CHUNK);
  is(n.NtAreMappedFilesTheSame(views[0], views[1]), 'STATUS_NOT_SAME_DEVICE');
  is(n.NtAreMappedFilesTheSame(views[0], views[0]), 'STATUS_SUCCESS');
  is(n.NtAreMappedFilesTheSame(views[0], null), 'STATUS_INVALID_ADDRESS');
  is(n.NtAreMappedFilesTheSame(null, null), 'STATUS_INVALID_ADDRESS');
  is(n.NtAreMappedFilesTheSame(views[0], memory), 'STATUS_CONFLICTING_ADDRESSES');
  release(memory);
  for (const each of views) n.NtUnmapViewOfSection(self, each);
  n.NtClose(handle);
  assert.ok(Number.isInteger(w.GetLargePageMinimum()));
});

test('a flush that cannot be says why', () => {
  const handle = create(2 * CHUNK);
  const { baseAddress } = n.NtMapViewOfSection(handle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READWRITE);
  assert.ok(baseAddress !== null);
  const flush = (address: bigint | null, size: number | bigint, process = self) => n.NtFlushVirtualMemory(process, address, size);
  is(flush(1n << 63n, 0).status, 'STATUS_INVALID_PARAMETER_2');
  is(flush(baseAddress, 1n << 60n).status, 'STATUS_INVALID_PARAMETER_2');
  is(flush(baseAddress, 0, 0).status, 'STATUS_INVALID_HANDLE');
  is(flush(baseAddress, 2 * CHUNK + 1).status, 'STATUS_NOT_MAPPED_VIEW');
  const memory = reserve(CHUNK);
  is(flush(memory, 0).status, 'STATUS_NOT_MAPPED_VIEW');
  release(memory);
  assert.deepEqual(flush(baseAddress + 5n, 1), {
    status: n.STATUS_SUCCESS,
    baseAddress,
    regionSize: 0x1000,
    ioStatus: { Status: n.STATUS_SUCCESS, Information: 0x1000 },
  });
  assert.equal(flush(baseAddress + 0x1000n, 0).regionSize, 2 * CHUNK - 0x1000);
  n.NtUnmapViewOfSection(self, baseAddress);
  n.NtClose(handle);
});
