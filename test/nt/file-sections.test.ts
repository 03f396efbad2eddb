/**
 * Sections over file handles: what is checked, in which order, how the file grows, and what a view sees.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import growing from '../fixtures/growing-files.js';
import { notRoot, run, scratchFolder } from '../support/child.js';
import './runtime.js';

const BOTH = n.GENERIC_READ | n.GENERIC_WRITE;

function file(t: TestContext, size: number, access = BOTH): { readonly path: string; readonly handle: number } {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, Buffer.alloc(size, 'x'));
  const handle = w.CreateFile(path, access, 7, null, w.OPEN_EXISTING, 0);
  t.after(() => w.CloseHandle(handle));
  return { path, handle };
}

function create(
  handle: number,
  size: number | bigint | null,
  protection = n.PAGE_READWRITE,
  attributes: number = n.SEC_COMMIT,
): number {
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, size, protection, attributes, handle);
  if (sectionHandle !== 0) n.NtClose(sectionHandle);
  return status;
}

test('the rights that a file handle needs for each protection', (t) => {
  const readers = [n.PAGE_READONLY, n.PAGE_WRITECOPY];
  const writers = [n.PAGE_READWRITE];
  const executors = [n.PAGE_EXECUTE, n.PAGE_EXECUTE_READ, n.PAGE_EXECUTE_WRITECOPY, n.PAGE_EXECUTE_READWRITE];
  const rows: readonly (readonly [access: number, allowed: readonly number[]])[] = [
    [0, []],
    [n.GENERIC_READ, readers],
    [n.GENERIC_WRITE, []],
    [BOTH, [...readers, ...writers]],
    [n.GENERIC_EXECUTE, [n.PAGE_EXECUTE]],
    [n.GENERIC_READ | n.GENERIC_EXECUTE, [...readers, n.PAGE_EXECUTE, n.PAGE_EXECUTE_READ, n.PAGE_EXECUTE_WRITECOPY]],
    [BOTH | n.GENERIC_EXECUTE, [...readers, ...writers, ...executors]],
  ];
  const { path } = file(t, 100);
  for (const [access, allowed] of rows) {
    const handle = w.CreateFile(path, access, 7, null, w.OPEN_EXISTING, 0);
    for (const protection of [...readers, ...writers, ...executors]) {
      const expected = allowed.includes(protection) ? n.STATUS_SUCCESS : n.STATUS_ACCESS_DENIED;
      assert.equal(create(handle, 0, protection), expected, `access ${access.toString(16)}, protection ${protection}`);
    }
    w.CloseHandle(handle);
  }
});

test('sizes: kept to the byte, judged by the file’s', (t) => {
  const { handle, path } = file(t, 200);
  assert.equal(create(handle, -1), n.STATUS_SECTION_TOO_BIG);
  assert.equal(create(handle, 201, n.PAGE_READONLY), n.STATUS_SECTION_TOO_BIG);
  assert.equal(create(handle, 201, n.PAGE_WRITECOPY), n.STATUS_SECTION_TOO_BIG);
  assert.equal(statSync(path).size, 200);
  for (const [asked, size] of [
    [0, 200],
    [null, 200],
    [100, 100],
    [200, 200],
  ] as const) {
    const { sectionHandle } = n.NtCreateSection(
      n.SECTION_QUERY,
      null,
      asked,
      n.PAGE_READONLY,
      n.SEC_RESERVE | n.SEC_NOCACHE,
      handle,
    );
    assert.deepEqual(n.NtQuerySection(sectionHandle, n.SectionBasicInformation).sectionInformation, {
      BaseAddress: null,
      AllocationAttributes: n.SEC_FILE | n.SEC_NOCACHE,
      MaximumSize: size,
    });
    n.NtClose(sectionHandle);
  }
  assert.equal(create(handle, 5000), n.STATUS_SUCCESS);
  assert.equal(statSync(path).size, 5000);
  assert.ok(statSync(path).blocks * 512 >= 5000, 'the new part is allocated');
  const empty = file(t, 0);
  assert.equal(create(empty.handle, 0), n.STATUS_MAPPED_FILE_SIZE_ZERO);
  assert.equal(create(empty.handle, null, n.PAGE_READONLY), n.STATUS_MAPPED_FILE_SIZE_ZERO);
  assert.equal(create(empty.handle, 0, n.PAGE_READONLY, n.SEC_IMAGE), n.STATUS_INVALID_FILE_FOR_SECTION);
  assert.equal(create(empty.handle, 512), n.STATUS_SUCCESS);
  assert.equal(statSync(empty.path).size, 512);
});

test('handles that are no file’s, large pages, images', (t) => {
  const { handle, path } = file(t, 8192);
  const event = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null).sectionHandle;
  assert.equal(create(event, 0), n.STATUS_OBJECT_TYPE_MISMATCH);
  assert.equal(create(0x7ffc, 0), n.STATUS_INVALID_HANDLE);
  assert.equal(create(-4, 0), n.STATUS_INVALID_HANDLE);
  assert.equal(create(handle, 0, n.PAGE_READWRITE, n.SEC_LARGE_PAGES | n.SEC_COMMIT), n.STATUS_INVALID_PARAMETER_6);
  assert.equal(create(handle, 0, n.PAGE_READONLY, n.SEC_IMAGE), n.STATUS_INVALID_IMAGE_NOT_MZ);
  const image = Buffer.alloc(8192);
  image.write('MZ');
  image.writeUInt32LE(0x80, 60);
  writeFileSync(path, image);
  assert.equal(create(handle, 0, n.PAGE_READONLY, n.SEC_IMAGE), n.STATUS_INVALID_IMAGE_FORMAT);
  image.write('PE', 0x80);
  writeFileSync(path, image);
  // A good image is recognized, and refused: its bytes as they are would be no image.
  assert.equal(create(handle, 0, n.PAGE_READONLY, n.SEC_IMAGE), n.STATUS_NOT_SUPPORTED);
  assert.equal(create(handle, 0, n.PAGE_READONLY), n.STATUS_SUCCESS);
  n.NtClose(event);
});

test('views: the file’s bytes, zeros behind its end, and what others write', (t) => {
  const { handle, path } = file(t, 100);
  const { sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 0, n.PAGE_READWRITE, n.SEC_COMMIT, handle);
  const map = (protection: number) =>
    n.NtMapViewOfSection(sectionHandle, n.NtCurrentProcess(), null, 0, 0, null, 0, n.ViewUnmap, 0, protection);
  const [written, copied] = [map(n.PAGE_READWRITE), map(n.PAGE_WRITECOPY)];
  assert.deepEqual([written.status, written.viewSize, copied.status], [n.STATUS_SUCCESS, 4096, n.STATUS_SUCCESS]);
  const [view, copy] = [written.view as w.View, copied.view as w.View];
  assert.deepEqual([view.bytes[99], view.bytes[100], view.bytes[4095]], [0x78, 0, 0]);
  copy.bytes[0] = 0x63;
  view.bytes[1] = 0x77;
  assert.equal(readFileSync(path, 'latin1').slice(0, 3), 'xwx');
  assert.ok(w.SetFilePointerEx(handle, 2, w.FILE_BEGIN) === 2 && w.WriteFile(handle, Buffer.from('f')) === 1);
  assert.equal(view.bytes[2], 0x66);
  // They live on when section and file are closed.
  n.NtClose(sectionHandle);
  view.bytes[3] = 0x6c;
  assert.equal(readFileSync(path, 'latin1').slice(0, 4), 'xwfl');
  n.NtUnmapViewOfSection(n.NtCurrentProcess(), view.address);
  n.NtUnmapViewOfSection(n.NtCurrentProcess(), copy.address);
});

test('a named section over a file is opened as it is, and a file that is not wanted any more stays as it was', (t) => {
  const { handle } = file(t, 100);
  const other = file(t, 50);
  const first = w.CreateFileMapping(handle, null, w.PAGE_READWRITE, 0, 0, 'over a file');
  const second = w.CreateFileMapping(other.handle, null, w.PAGE_READWRITE, 0, 5000, 'over a file');
  assert.equal(w.GetLastError(), w.ERROR_ALREADY_EXISTS);
  assert.equal(n.NtQuerySection(second, n.SectionBasicInformation).sectionInformation?.MaximumSize, 100);
  assert.equal(statSync(other.path).size, 50);
  w.CloseHandle(first);
  w.CloseHandle(second);
});

test('a full disk is an error at create, and the file is as it was', { skip: notRoot }, async (t) => {
  await run(t, growing, 'grows on a small file system', { wrapper: ['unshare', '--mount', '--propagation', 'private'] });
});

test('the limit of file sizes is an error and no signal', async (t) => {
  await run(t, growing, 'grows beyond the limit of file sizes', { wrapper: ['prlimit', '--fsize=1048576'] });
});
