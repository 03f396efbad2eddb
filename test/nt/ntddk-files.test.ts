/**
 * Files in kernel mode: kernel handles, no access checks, and the sharing rules that hold all the same.
 */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runSystem } from '../../dist/system/run.js';
import { scratchFolder } from '../support/child.js';
import './runtime.js';

const system = await runSystem({ log: () => {} });
after(() => system.stop());
const k = await import('sectile/ntddk');
const n = await import('sectile/ntdll');

const options = k.FILE_SYNCHRONOUS_IO_NONALERT;

function open(path: string, access: number, attributes: number = k.OBJ_KERNEL_HANDLE, share = 7) {
  return k.ZwOpenFile(access, k.InitializeObjectAttributes(`\\??\\${path}`, attributes), share, options);
}

test('a kernel handle is the kernel’s alone, and does what it was not opened for', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, Buffer.alloc(200, 1));
  const { status, fileHandle } = open(path, k.GENERIC_READ);
  assert.equal(status, k.STATUS_SUCCESS);
  assert.ok(fileHandle < 0);
  assert.equal(n.NtReadFile(fileHandle, null, null, null, 1, 0).status, n.STATUS_INVALID_HANDLE);
  assert.equal(n.NtClose(fileHandle), n.STATUS_INVALID_HANDLE);
  // Rights are not asked for: it reads and writes, and backs sections of every protection.
  assert.equal(k.ZwWriteFile(fileHandle, null, null, null, Buffer.of(9), 1, 5).status, k.STATUS_SUCCESS);
  assert.deepEqual([...k.ZwReadFile(fileHandle, null, null, null, 2, 5).buffer], [9, 1]);
  const section = k.ZwCreateSection(k.SECTION_MAP_READ, null, 300, k.PAGE_READWRITE, k.SEC_COMMIT, fileHandle);
  assert.equal(section.status, k.STATUS_SUCCESS);
  assert.equal(statSync(path).size, 300);
  const mapped = k.ZwMapViewOfSection(
    section.sectionHandle,
    k.ZwCurrentProcess(),
    null,
    0,
    0,
    null,
    0,
    k.ViewUnmap,
    0,
    k.PAGE_READWRITE,
  );
  assert.equal(mapped.status, k.STATUS_SUCCESS);
  if (mapped.view !== null) mapped.view.bytes[6] = 8;
  assert.deepEqual([...k.ZwReadFile(fileHandle, null, null, null, 2, 5).buffer], [9, 8]);
  // The rules of sharing are no access check.
  assert.equal(open(path, k.GENERIC_READ, k.OBJ_KERNEL_HANDLE, k.FILE_SHARE_READ).status, k.STATUS_SHARING_VIOLATION);
  assert.equal(k.ZwUnmapViewOfSection(k.ZwCurrentProcess(), mapped.baseAddress), k.STATUS_SUCCESS);
  assert.equal(k.ZwClose(section.sectionHandle), k.STATUS_SUCCESS);
  assert.equal(k.ZwClose(fileHandle), k.STATUS_SUCCESS);
});

test('whoever asks to be checked is', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, Buffer.alloc(200, 1));
  const { fileHandle } = open(path, k.GENERIC_READ, k.OBJ_KERNEL_HANDLE | k.OBJ_FORCE_ACCESS_CHECK);
  assert.equal(k.ZwWriteFile(fileHandle, null, null, null, Buffer.of(9), 1, 5).status, k.STATUS_ACCESS_DENIED);
  const create = (protection: number) => k.ZwCreateSection(k.SECTION_MAP_READ, null, 0, protection, k.SEC_COMMIT, fileHandle);
  assert.equal(create(k.PAGE_READWRITE).status, k.STATUS_ACCESS_DENIED);
  const { status, sectionHandle } = create(k.PAGE_READONLY);
  assert.equal(status, k.STATUS_SUCCESS);
  k.ZwClose(sectionHandle);
  k.ZwClose(fileHandle);
});

test('a handle that only writes backs sections as well, and global names are theirs', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, Buffer.alloc(200, 1));
  const { fileHandle } = open(path, k.GENERIC_WRITE);
  const attributes = k.InitializeObjectAttributes('\\BaseNamedObjects\\over-a-file', k.OBJ_KERNEL_HANDLE);
  const { status, sectionHandle } = k.ZwCreateSection(
    k.SECTION_ALL_ACCESS,
    attributes,
    0,
    k.PAGE_WRITECOPY,
    k.SEC_COMMIT,
    fileHandle,
  );
  assert.equal(status, k.STATUS_SUCCESS);
  k.ZwClose(fileHandle);
  const opened = n.NtOpenSection(n.SECTION_MAP_READ, n.InitializeObjectAttributes('\\BaseNamedObjects\\over-a-file', 0));
  assert.equal(opened.status, n.STATUS_SUCCESS);
  k.ZwClose(sectionHandle);
  // The application's handle alone keeps the file from being emptied.
  const emptied = () =>
    n.NtCreateFile(n.GENERIC_WRITE, n.InitializeObjectAttributes(`\\??\\${path}`, 0), null, 0, 7, n.FILE_OVERWRITE, 0);
  assert.equal(emptied().status, n.STATUS_USER_MAPPED_FILE);
  n.NtClose(opened.sectionHandle);
  const last = emptied();
  assert.equal(last.status, n.STATUS_SUCCESS);
  n.NtClose(last.fileHandle);
});
