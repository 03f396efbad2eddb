/**
 * Duplicates of handles within one process: their rights, their attributes, and what they keep alive.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import './runtime.js';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { BOGUS, create, directory, is, map, named, self } from './user-mode.js';

function duplicate(handle: number, access: number, options = 0, attributes = 0) {
  return n.NtDuplicateObject(self, handle, self, access, attributes, options);
}

function duplicated(...given: Parameters<typeof duplicate>): number {
  const { status, targetHandle } = duplicate(...given);
  is(status, 'STATUS_SUCCESS');
  assert.ok(targetHandle > 0);
  return targetHandle;
}

function mapStatus(handle: number, protection: number): number {
  const { status, view } = map(handle, { protection });
  view?.close();
  return status;
}

test('a duplicate may do what it asked for and no more', () => {
  const handle = create(4096);
  const reader = duplicated(handle, n.SECTION_MAP_READ);
  is(mapStatus(reader, n.PAGE_READONLY), 'STATUS_SUCCESS');
  is(mapStatus(reader, n.PAGE_READWRITE), 'STATUS_ACCESS_DENIED');
  is(n.NtQuerySection(reader, n.SectionBasicInformation).status, 'STATUS_ACCESS_DENIED');
  const generic = duplicated(handle, n.GENERIC_WRITE);
  is(mapStatus(generic, n.PAGE_READWRITE), 'STATUS_SUCCESS');
  is(n.NtQuerySection(generic, n.SectionBasicInformation).status, 'STATUS_ACCESS_DENIED');
  const nothing = duplicated(handle, 0);
  is(mapStatus(nothing, n.PAGE_NOACCESS), 'STATUS_ACCESS_DENIED');
  const all = duplicated(handle, 0, n.DUPLICATE_SAME_ACCESS);
  is(mapStatus(all, n.PAGE_READWRITE), 'STATUS_SUCCESS');
  is(n.NtQuerySection(all, n.SectionBasicInformation).status, 'STATUS_SUCCESS');
  for (const each of [handle, reader, generic, nothing, all]) is(n.NtClose(each), 'STATUS_SUCCESS');
});

test('what is no handle, no process or no right is refused', () => {
  const handle = create(4096);
  const cases: readonly (readonly [Parameters<typeof n.NtDuplicateObject>, string, onWine?: string])[] = [
    [[self, BOGUS, self, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_INVALID_HANDLE'],
    [[BOGUS, handle, self, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_INVALID_HANDLE'],
    [[self, handle, BOGUS, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_INVALID_HANDLE'],
    [[handle, handle, self, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_OBJECT_TYPE_MISMATCH'],
    [[self, handle, handle, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_OBJECT_TYPE_MISMATCH'],
    [[self, handle, self, 0xffffffff, 0, 0], 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS'],
    [[self, handle, null, 0, 0, n.DUPLICATE_SAME_ACCESS], 'STATUS_INVALID_PARAMETER', 'STATUS_INVALID_HANDLE'],
    [[self, handle, self, 'all' as unknown as number, 0, 0], 'STATUS_INVALID_PARAMETER'],
  ];
  for (const [given, expected, onWine] of cases) {
    const { status, targetHandle } = n.NtDuplicateObject(...given);
    is(status, expected, onWine);
    assert.equal(targetHandle !== 0, n.NT_SUCCESS(status));
    if (targetHandle !== 0) n.NtClose(targetHandle);
  }
  is(n.NtClose(handle), 'STATUS_SUCCESS');
});

test('the source can be closed with the same call, whatever comes of the duplicate', () => {
  const handle = create(4096);
  const moved = duplicated(handle, 0, n.DUPLICATE_SAME_ACCESS | n.DUPLICATE_CLOSE_SOURCE);
  is(n.NtClose(handle), 'STATUS_INVALID_HANDLE');
  const { status, targetHandle } = n.NtDuplicateObject(self, moved, null, 0, 0, n.DUPLICATE_CLOSE_SOURCE);
  is(status, 'STATUS_SUCCESS');
  assert.equal(targetHandle, 0);
  is(n.NtClose(moved), 'STATUS_INVALID_HANDLE');
  const refused = create(4096);
  is(duplicate(refused, 0xffffffff, n.DUPLICATE_CLOSE_SOURCE).status, 'STATUS_ACCESS_DENIED');
  is(n.NtClose(refused), 'STATUS_INVALID_HANDLE');
});

test('a name lives as long as any handle on it, duplicates too', () => {
  const { status, sectionHandle } = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    named('duplicated'),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  is(status, 'STATUS_SUCCESS');
  const second = duplicated(sectionHandle, n.SECTION_MAP_READ);
  is(n.NtClose(sectionHandle), 'STATUS_SUCCESS');
  const found = n.NtOpenSection(n.SECTION_MAP_READ, named('duplicated'));
  is(found.status, 'STATUS_SUCCESS');
  is(n.NtClose(found.sectionHandle), 'STATUS_SUCCESS');
  is(mapStatus(second, n.PAGE_READONLY), 'STATUS_SUCCESS');
  is(n.NtClose(second), 'STATUS_SUCCESS');
  is(n.NtOpenSection(n.SECTION_MAP_READ, named('duplicated')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  assert.ok(directory.endsWith('BaseNamedObjects'));
});

test('attributes are those of the call, or the source', () => {
  const handle = create(4096);
  const inherited = duplicated(handle, 0, n.DUPLICATE_SAME_ACCESS, n.OBJ_INHERIT);
  assert.equal(w.GetHandleInformation(inherited), w.HANDLE_FLAG_INHERIT);
  const same = duplicated(inherited, 0, n.DUPLICATE_SAME_ATTRIBUTES | n.DUPLICATE_SAME_ACCESS);
  assert.equal(w.GetHandleInformation(same), w.HANDLE_FLAG_INHERIT);
  const plain = duplicated(handle, 0, n.DUPLICATE_SAME_ATTRIBUTES, n.OBJ_INHERIT);
  assert.equal(w.GetHandleInformation(plain), 0);
  for (const each of [inherited, same, plain, handle]) is(n.NtClose(each), 'STATUS_SUCCESS');
});

test('a handle that is protected stays open', () => {
  const handle = create(4096);
  const kept = duplicated(handle, 0, n.DUPLICATE_SAME_ACCESS, n.OBJ_PROTECT_CLOSE);
  is(n.NtClose(kept), 'STATUS_HANDLE_NOT_CLOSABLE');
  duplicated(kept, 0, n.DUPLICATE_SAME_ACCESS | n.DUPLICATE_CLOSE_SOURCE);
  assert.equal(w.GetHandleInformation(kept), w.HANDLE_FLAG_PROTECT_FROM_CLOSE);
  assert.ok(w.SetHandleInformation(kept, w.HANDLE_FLAG_PROTECT_FROM_CLOSE, 0));
  assert.ok(w.SetHandleInformation(kept, w.HANDLE_FLAG_INHERIT, w.HANDLE_FLAG_INHERIT));
  assert.equal(w.GetHandleInformation(kept), w.HANDLE_FLAG_INHERIT);
  assert.ok(w.CloseHandle(kept));
  assert.equal(w.SetHandleInformation(handle, 4, 4), false);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
  assert.ok(w.CloseHandle(handle));
  assert.equal(w.GetHandleInformation(handle), null);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  assert.equal(w.SetHandleInformation(w.GetCurrentProcess(), w.HANDLE_FLAG_INHERIT, 0), false);
});

test('the handle of this process becomes a real one, with the rights that are asked for', () => {
  const real = duplicated(self, 0, n.DUPLICATE_SAME_ACCESS);
  const section = create(4096);
  const { status, baseAddress } = n.NtMapViewOfSection(section, real, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READONLY);
  is(status, 'STATUS_SUCCESS');
  is(n.NtUnmapViewOfSection(real, baseAddress), 'STATUS_SUCCESS');
  const weak = duplicated(self, n.PROCESS_QUERY_INFORMATION);
  is(n.NtMapViewOfSection(section, weak, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READONLY).status, 'STATUS_ACCESS_DENIED');
  is(n.NtDuplicateObject(weak, section, self, 0, 0, 0).status, 'STATUS_ACCESS_DENIED');
  is(duplicate(weak, n.PROCESS_ALL_ACCESS).status, 'STATUS_ACCESS_DENIED');
  const secured = duplicated(self, n.GENERIC_ALL, 0, n.OBJ_PROTECT_CLOSE);
  is(n.NtClose(secured), 'STATUS_HANDLE_NOT_CLOSABLE');
  assert.ok(w.DuplicateHandle(self, w.GetCurrentThread(), self, 0, false, w.DUPLICATE_SAME_ACCESS) > 0);
  for (const each of [real, section, weak]) is(n.NtClose(each), 'STATUS_SUCCESS');
});

test('DuplicateHandle answers as Win32 does', () => {
  const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 4096, null);
  const reader = w.DuplicateHandle(self, handle, self, w.FILE_MAP_READ, true, 0);
  assert.ok(reader > 0);
  assert.equal(w.GetHandleInformation(reader), w.HANDLE_FLAG_INHERIT);
  assert.equal(w.MapViewOfFile(reader, w.FILE_MAP_WRITE, 0, 0, 0), null);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  assert.ok(w.MapViewOfFile(reader, 0, 0, 0, 0) !== null);
  assert.equal(w.DuplicateHandle(self, 0xdead, self, 0, false, w.DUPLICATE_SAME_ACCESS), 0);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  assert.ok(w.CloseHandle(reader) && w.CloseHandle(handle));
});
