/**
 * `sectile/ntdll`: views in user mode, on real memory.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Section } from 'sectile';
import * as n from 'sectile/ntdll';
import { statusName } from '../../dist/base/status.js';
import { expected } from '../support/wine.js';
import { runtimeDirectory } from './runtime.js';
import { BOGUS, create, is, map, mapped, named, self } from './user-mode.js';

test('views of one section are apart, coherent, at multiples of 64 KiB, and outlive the handle', () => {
  const section = create(200_000);
  const first = mapped(section);
  const second = mapped(section, { offset: 0x10000, size: 10 });
  assert.equal(first.base % 0x10000n, 0n);
  assert.equal(second.base % 0x10000n, 0n);
  assert.notEqual(first.base, second.base);
  assert.equal(first.view.length, 200_704);
  assert.equal(second.view.length, 4096);
  is(n.NtClose(section), 'STATUS_SUCCESS');
  first.view.bytes[0x10003] = 42;
  assert.equal(second.view.bytes[3], 42);
  for (const { base } of [first, second]) is(n.NtUnmapViewOfSection(self, base), 'STATUS_SUCCESS');
  assert.equal(first.view.bytes.length, 0);
});

test('any address inside a view unmaps all of it, and only once', () => {
  const section = create(0x3000);
  for (const inside of [0n, 100n, 0x1000n, 0x1050n, 0x2fffn]) {
    const { view, base } = mapped(section);
    is(n.NtUnmapViewOfSection(self, base + 0x3000n), 'STATUS_NOT_MAPPED_VIEW');
    is(n.NtUnmapViewOfSection(self, base - 1n), 'STATUS_NOT_MAPPED_VIEW');
    is(n.NtUnmapViewOfSection(self, base + inside), 'STATUS_SUCCESS');
    assert.ok(view.closed);
    is(n.NtUnmapViewOfSection(self, base), 'STATUS_NOT_MAPPED_VIEW');
  }
  for (const nowhere of [null, 0n, 0xdeadbeefn, 2n ** 64n, -1n, 'x' as never]) {
    is(n.NtUnmapViewOfSection(self, nowhere), 'STATUS_NOT_MAPPED_VIEW');
  }
  is(n.NtUnmapViewOfSection(section, 0n), 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtUnmapViewOfSection(0, 0n), 'STATUS_INVALID_HANDLE');
  n.NtClose(section);
});

test('a view that is closed through its own method is no view any more', () => {
  const section = create(4096);
  const { view, base } = mapped(section);
  view.close();
  is(n.NtUnmapViewOfSection(self, base), 'STATUS_NOT_MAPPED_VIEW');
  for (let round = 0; round < 500; round++) mapped(section).view.close();
  n.NtClose(section);
});

test('a view of many is found by its address, in whatever order they come and go', () => {
  const section = create(0x20000);
  const views = Array.from({ length: 300 }, () => mapped(section, { size: 0x11000 }));
  views.sort(() => Math.random() - 0.5);
  for (const { base, view } of views) {
    is(n.NtUnmapViewOfSection(self, base + 0x10fffn), 'STATUS_SUCCESS');
    assert.ok(view.closed);
  }
  n.NtClose(section);
});

test('a base address is taken exactly, or refused where somebody is', () => {
  const section = create(0x10000);
  const { base } = mapped(section);
  const taken = map(section, { base, size: 7 });
  is(taken.status, 'STATUS_CONFLICTING_ADDRESSES');
  assert.deepEqual([taken.baseAddress, taken.viewSize, taken.view], [base, 7, null]);
  const wish = 0x2345_6700_0000n;
  assert.equal(mapped(section, { base: wish }).base, wish);
  for (const each of [base, wish]) n.NtUnmapViewOfSection(self, each);
  n.NtClose(section);
});

test('ZeroBits keeps a view below an address, or there is no room', () => {
  const section = create(0x20000);
  for (const [zeroBits, limit] of [
    [1, 0x8000_0000n],
    [4, 0x1000_0000n],
    [0x1fff_ffffn, 0x2000_0000n],
  ] as const) {
    const { base, view } = mapped(section, { zeroBits, offset: 0x10000 });
    assert.ok(base + BigInt(view.length) <= limit, `0x${base.toString(16)}`);
    view.bytes[0] = 1;
    n.NtUnmapViewOfSection(self, base);
  }
  for (const zeroBits of [20, 21]) is(map(section, { zeroBits }).status, 'STATUS_NO_MEMORY');
  is(map(section, { zeroBits: 22 }).status, 'STATUS_INVALID_PARAMETER_4');
  is(map(section, { zeroBits: -1 }).status, 'STATUS_SUCCESS', 'STATUS_NO_MEMORY');
  n.NtClose(section);
});

test('process and section handles are judged in that order, before alignment', () => {
  const section = create(4096);
  const rows: [section: unknown, process: unknown, status: string][] = [
    [BOGUS, 0, 'STATUS_INVALID_HANDLE'],
    [section, section, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [BOGUS, -2, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [BOGUS, self, 'STATUS_INVALID_HANDLE'],
    [0, self, 'STATUS_INVALID_HANDLE'],
    [-1, self, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [-2, self, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [0xdeadbeefdeadbeefn, self, 'STATUS_INVALID_HANDLE'],
    ['4', self, 'STATUS_INVALID_HANDLE'],
    [section, self, 'STATUS_MAPPED_ALIGNMENT'],
  ];
  for (const [handle, process, status] of rows) {
    const { status: found } = n.NtMapViewOfSection(handle as number, process as number, 0x567a20n, 0, 0, null, 0, 2, 0, 4);
    is(found, status, 'STATUS_MAPPED_ALIGNMENT');
  }
  n.NtClose(section);
});

test('what a view may do is what the handle may, and then what the section allows', () => {
  const { SECTION_MAP_READ: read, SECTION_MAP_WRITE: write } = n;
  const rows: [section: number, access: number, view: number, status: string, onWine?: string][] = [
    [n.PAGE_READWRITE, read, n.PAGE_READONLY, 'STATUS_SUCCESS'],
    [n.PAGE_READWRITE, read, n.PAGE_WRITECOPY, 'STATUS_SUCCESS'],
    [n.PAGE_READWRITE, read, n.PAGE_READWRITE, 'STATUS_ACCESS_DENIED'],
    [n.PAGE_READWRITE, write, n.PAGE_READWRITE, 'STATUS_SUCCESS'],
    [n.PAGE_READWRITE, write, n.PAGE_READONLY, 'STATUS_ACCESS_DENIED'],
    [n.PAGE_READWRITE, 0, n.PAGE_NOACCESS, 'STATUS_ACCESS_DENIED'],
    [n.PAGE_READONLY, n.SECTION_ALL_ACCESS, n.PAGE_READWRITE, 'STATUS_SECTION_PROTECTION', 'STATUS_SUCCESS'],
    [n.PAGE_READWRITE, n.GENERIC_ALL, n.PAGE_EXECUTE_READ, 'STATUS_SECTION_PROTECTION', 'STATUS_SUCCESS'],
    [n.PAGE_EXECUTE_READWRITE, n.MAXIMUM_ALLOWED, n.PAGE_EXECUTE_READWRITE, 'STATUS_SUCCESS'],
    [n.PAGE_EXECUTE_READ, read, n.PAGE_EXECUTE_READ, 'STATUS_ACCESS_DENIED'],
  ];
  for (const [protection, access, view, status, onWine] of rows) {
    const section = create(4096, protection, access);
    const result = map(section, { protection: view });
    is(result.status, status, onWine);
    if (result.view !== null) n.NtUnmapViewOfSection(self, result.baseAddress);
    n.NtClose(section);
  }
});

test('a copy-on-write view keeps its changes, sees the others, and forgets them', () => {
  const section = create(0x2000);
  const shared = mapped(section).view;
  const copy = mapped(section, { protection: n.PAGE_WRITECOPY }).view;
  shared.bytes[0x1000] = 1;
  copy.bytes[0] = 9;
  shared.bytes[1] = 5;
  assert.deepEqual([shared.bytes[0], copy.bytes[1], copy.bytes[0x1000]], [0, 0, 1]);
  for (const view of [shared, copy]) n.NtUnmapViewOfSection(self, view.address);
  n.NtClose(section);
});

test('a section over a file keeps its size in bytes; its last page reads zeros behind it; a flush reaches the file', () => {
  const file = join(runtimeDirectory, 'file.bin');
  writeFileSync(file, Buffer.alloc(200, 7));
  using made = Section.fromFile(file, { access: 'readwrite', name: 'over a file' });
  assert.equal(made.size, 200);
  const { status, sectionHandle } = n.NtOpenSection(n.MAXIMUM_ALLOWED, named('over a file'));
  is(status, 'STATUS_SUCCESS');
  assert.equal(n.NtQuerySection(sectionHandle, n.SectionBasicInformation).sectionInformation?.MaximumSize, 200);
  is(map(sectionHandle, { size: 201 }).status, 'STATUS_INVALID_VIEW_SIZE');
  const { view, base } = mapped(sectionHandle, { size: 199 });
  assert.deepEqual([view.length, view.bytes[199], view.bytes[200], view.bytes[4095]], [4096, 7, 0, 0]);
  const flushed = n.NtFlushVirtualMemory(self, base + 5n, 10);
  assert.deepEqual([flushed.status, flushed.baseAddress, flushed.regionSize], [0, base, expected(4096, 10)]);
  n.NtUnmapViewOfSection(self, base);
  n.NtClose(sectionHandle);
});

test('NtFlushVirtualMemory: whole pages of one view', () => {
  const section = create(0x3000);
  const { base } = mapped(section);
  const rows: [process: number, base: bigint | null, size: number | bigint, status: string, from?: bigint, bytes?: number][] = [
    [self, base, 0, 'STATUS_SUCCESS', base, 0x3000],
    [self, base + 0x1001n, 0, 'STATUS_SUCCESS', base + 0x1000n, 0x2000],
    [self, base + 0xfffn, 2, 'STATUS_SUCCESS', base, 0x2000],
    [self, base, 0x3001, 'STATUS_NOT_MAPPED_VIEW', base, 0x3001],
    [self, base + 0x3000n, 1, 'STATUS_NOT_MAPPED_VIEW', base + 0x3000n, 1],
    [self, 0xffff_8000_0000_0000n, 1, 'STATUS_INVALID_PARAMETER_2', 0xffff_8000_0000_0000n, 1],
    [0, base, -1, 'STATUS_INVALID_PARAMETER_2', base, -1],
    [0, base, 1, 'STATUS_INVALID_HANDLE', base, 1],
  ];
  for (const [process, from, size, status, start, bytes] of rows) {
    const result = n.NtFlushVirtualMemory(process, from, size);
    is(result.status, status);
    assert.deepEqual([result.baseAddress, result.regionSize], [start, bytes]);
  }
  n.NtUnmapViewOfSection(self, base);
  n.NtClose(section);
});

test('what is no number at all is refused with a status, never thrown', () => {
  const garbage = [undefined, null, 'x', {}, [], Symbol('s'), Number.NaN, 1.5, () => 1, 2n ** 64n, 2 ** 70] as never[];
  for (const each of garbage) {
    const calls = [
      n.NtCreateSection(each, null, 4096, 4, n.SEC_COMMIT, null).status,
      n.NtCreateSection(1, null, 4096, each, n.SEC_COMMIT, null).status,
      n.NtCreateSection(1, null, 4096, 4, each, null).status,
      n.NtOpenSection(each, each).status,
      n.NtMapViewOfSection(each, self, null, 0, 0, null, 0, 2, 0, 4).status,
      n.NtMapViewOfSection(4, each, null, 0, 0, null, 0, 2, 0, 4).status,
      n.NtMapViewOfSection(each, each, each, each, each, each, each, each, each, each).status,
      n.NtUnmapViewOfSection(each, each),
      n.NtFlushVirtualMemory(each, each, each).status,
      n.NtQuerySection(each, each, each).status,
      n.NtClose(each),
    ];
    for (const status of calls) assert.ok(!n.NT_SUCCESS(status), statusName(status));
  }
  for (const each of garbage.slice(2)) {
    is(n.NtCreateSection(1, null, each, 4, n.SEC_COMMIT, null).status, 'STATUS_INVALID_PARAMETER_4');
  }
});

test('RtlNtStatusToDosError takes a status as it comes', () => {
  const rows: [status: number, error: number][] = [
    [n.STATUS_SUCCESS, 0],
    [n.STATUS_INVALID_VIEW_SIZE, 5],
    [n.STATUS_ACCESS_DENIED | 0, 5],
    [n.STATUS_MAPPED_ALIGNMENT, 1132],
    [n.STATUS_INVALID_ADDRESS, 59],
    [0xc0ffee00, 317],
    [Number.NaN, 317],
  ];
  for (const [status, error] of rows) assert.equal(n.RtlNtStatusToDosError(status), error);
});
