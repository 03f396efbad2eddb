/**
 * Pages of views of files: views that reserve more than the file has and make it grow, copies by the page,
 * and the file's name.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import './runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { is, self } from './user-mode.js';

const PAGE = 0x1000;
const VIEW = 0x1_0000;

/** A file with so many bytes of 0x61, and a section over it. */
function sectionOver(t: TestContext, bytes: number, protection: number, attributes: number = n.SEC_COMMIT) {
  const folder = mkdtempSync(join(tmpdir(), 'sectile-views-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'data');
  writeFileSync(path, Buffer.alloc(bytes, 0x61));
  const writes = protection === n.PAGE_READWRITE ? w.GENERIC_WRITE : 0;
  const file = w.CreateFile(
    path,
    (w.GENERIC_READ | writes) >>> 0,
    w.FILE_SHARE_READ | w.FILE_SHARE_WRITE,
    null,
    w.OPEN_EXISTING,
    0,
  );
  assert.notEqual(file, w.INVALID_HANDLE_VALUE, `last error ${w.GetLastError()}`);
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, null, protection, attributes, file);
  is(status, 'STATUS_SUCCESS');
  return { path, file, sectionHandle };
}

function map(sectionHandle: number, protection: number, viewSize = 0, allocationType = 0) {
  const { status, view } = n.NtMapViewOfSection(
    sectionHandle,
    self,
    null,
    0,
    0,
    null,
    viewSize,
    n.ViewUnmap,
    allocationType,
    protection,
  );
  return { status, view: view as n.View };
}

const at = (view: n.View, offset: number): bigint => view.address + BigInt(offset);

test('a view may reserve more than a writable file has, and committing makes the file grow', (t) => {
  const { path, file, sectionHandle } = sectionOver(t, 0x400, n.PAGE_READWRITE, n.SEC_RESERVE);
  is(map(sectionHandle, n.PAGE_READONLY, VIEW).status, 'STATUS_INVALID_VIEW_SIZE');
  const { status, view } = map(sectionHandle, n.PAGE_READONLY, VIEW, n.MEM_RESERVE);
  is(status, 'STATUS_SUCCESS');
  assert.equal(statSync(path).size, 0x400);
  assert.equal(view.bytes[0x3ff], 0x61);
  assert.equal(w.VirtualQuery(at(view, PAGE))?.State, w.MEM_RESERVE);
  assert.equal(w.VirtualAlloc(view, 0x500, w.MEM_COMMIT, w.PAGE_READONLY), view.address);
  assert.equal(statSync(path).size, PAGE);
  assert.equal(view.bytes[2 * PAGE], 0);
  assert.equal(view.fault?.kind, 'no-access');
  assert.equal(w.VirtualAlloc(view, 0x1100, w.MEM_COMMIT, w.PAGE_READONLY), view.address);
  assert.equal(statSync(path).size, 2 * PAGE);
  assert.deepEqual([view.bytes[0x3ff], view.bytes[0x400], view.bytes[PAGE]], [0x61, 0, 0]);
  assert.equal(w.VirtualAlloc(view, PAGE, w.MEM_COMMIT, w.PAGE_READWRITE), null, 'the view is read-only');

  // What one view commits, another has; and what it writes there is the file's.
  const writer = map(sectionHandle, n.PAGE_READWRITE, VIEW, n.MEM_RESERVE).view;
  assert.deepEqual(w.VirtualQuery(writer)?.RegionSize, 2 * PAGE);
  assert.equal(w.VirtualAlloc(at(writer, 3 * PAGE), 1, w.MEM_COMMIT, w.PAGE_READWRITE), at(writer, 3 * PAGE));
  writer.bytes.fill(0x62, 3 * PAGE, 4 * PAGE);
  assert.equal(view.bytes[4 * PAGE - 1], 0x62);
  assert.equal(
    readFileSync(path)
      .subarray(3 * PAGE)
      .toString(),
    'b'.repeat(PAGE),
  );
  assert.deepEqual([writer.fault], [null]);
  is(n.NtFlushVirtualMemory(self, writer.address, 0).status, 'STATUS_SUCCESS');
  for (const each of [view, writer]) is(n.NtUnmapViewOfSection(self, each.address), 'STATUS_SUCCESS');
  n.NtClose(sectionHandle);
  n.NtClose(file);
});

test('a view of a file is committed as it is', (t) => {
  const { file, sectionHandle } = sectionOver(t, 3 * PAGE, n.PAGE_READONLY);
  is(map(sectionHandle, n.PAGE_READONLY, VIEW, n.MEM_RESERVE).status, 'STATUS_SECTION_PROTECTION');
  const { view } = map(sectionHandle, n.PAGE_READONLY);
  const allocate = n.NtAllocateVirtualMemory(self, view.address, 0, PAGE, n.MEM_COMMIT, n.PAGE_READONLY);
  is(allocate.status, 'STATUS_ALREADY_COMMITTED');
  assert.equal(w.VirtualAlloc(view, PAGE, w.MEM_COMMIT, w.PAGE_READONLY), null);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  is(n.NtUnmapViewOfSection(self, view.address), 'STATUS_SUCCESS');
  n.NtClose(sectionHandle);
  n.NtClose(file);
});

test('pages of a file made copy-on-write are copies once they are written to, and never the file', (t) => {
  const { path, file, sectionHandle } = sectionOver(t, 3 * PAGE, n.PAGE_READONLY);
  const { view } = map(sectionHandle, n.PAGE_READONLY);
  assert.equal(w.VirtualProtect(view, 2 * PAGE, w.PAGE_WRITECOPY), w.PAGE_READONLY);
  view.bytes[0] = 0x7a;
  const protections = [0, 1, 2].map((page) => w.VirtualQuery(at(view, page * PAGE))?.Protect);
  assert.deepEqual(protections, [w.PAGE_READWRITE, w.PAGE_WRITECOPY, w.PAGE_READONLY]);
  assert.equal(readFileSync(path)[0], 0x61);
  // What is done to the file shows in the pages that are no copies.
  writeFileSync(path, Buffer.alloc(3 * PAGE, 0x63), { flag: 'r+' });
  assert.deepEqual([view.bytes[0], view.bytes[PAGE], view.bytes[2 * PAGE]], [0x7a, 0x63, 0x63]);
  // A file that is cut short under pages of every kind ends nothing.
  truncateSync(path, 0);
  assert.deepEqual([view.bytes[0], view.bytes[PAGE], view.bytes[2 * PAGE]], [0, 0, 0]);
  assert.equal(view.fault?.kind, 'backing-lost');
  view.bytes.fill(1);
  assert.notEqual(w.VirtualProtect(view, 3 * PAGE, w.PAGE_READONLY), false);
  view.bytes.fill(2);
  is(n.NtUnmapViewOfSection(self, view.address), 'STATUS_SUCCESS');
  n.NtClose(sectionHandle);
  n.NtClose(file);
});

test('a view tells the name of its file', (t) => {
  const { path, file, sectionHandle } = sectionOver(t, 4 * PAGE, n.PAGE_READONLY);
  const { view } = map(sectionHandle, n.PAGE_READONLY);
  const name = w.GetMappedFileName(self, view) ?? '';
  // A device, and the path on it; which drive letter that has is no part of it.
  const [, onDevice] = /^\\Device\\HarddiskVolume\d+(\\.*)$/.exec(name) ?? [];
  assert.equal(onDevice, path.replaceAll('/', '\\').replace(/^[A-Z]:/, ''));
  assert.equal(w.K32GetMappedFileName(self, at(view, 2 * PAGE)), name);
  assert.equal(w.GetMappedFileName(self, at(view, 4 * PAGE)), null);
  assert.equal(w.GetLastError(), w.ERROR_UNEXP_NET_ERR);
  const query = (length?: number) => n.NtQueryVirtualMemory(self, view.address, n.MemoryMappedFilenameInformation, length);
  assert.deepEqual(query().memoryInformation, { SectionFileName: name });
  assert.equal(query().returnLength, 16 + (name.length + 1) * 2);
  is(query(8).status, 'STATUS_INFO_LENGTH_MISMATCH');
  is(query(20).status, 'STATUS_BUFFER_OVERFLOW');
  const region = n.NtQueryVirtualMemory(self, view.address, n.MemoryRegionInformation).memoryInformation;
  assert.ok(region !== null && 'MappedDataFile' in region && region.MappedDataFile);
  const second = map(sectionHandle, n.PAGE_READONLY).view;
  is(n.NtAreMappedFilesTheSame(view.address, second.address), 'STATUS_NOT_SAME_DEVICE');
  for (const each of [view, second]) n.NtUnmapViewOfSection(self, each.address);
  n.NtClose(sectionHandle);
  n.NtClose(file);
});
