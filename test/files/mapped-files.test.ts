/**
 * What a section over a file, or a view of one, forbids to everybody who opens the file: for as long as
 * one of them is there, in whatever process, through whatever face.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Section } from 'sectile';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import users from '../fixtures/file-users.js';
import { runtimeDirectory } from '../nt/runtime.js';
import { scratchFolder, start } from '../support/child.js';
import { Peer } from './peer.js';

const NONE = w.INVALID_HANDLE_VALUE;
const SHARE_ALL = w.FILE_SHARE_READ | w.FILE_SHARE_WRITE | w.FILE_SHARE_DELETE;
const BOTH = w.GENERIC_READ | w.GENERIC_WRITE;

function open(path: string, access = BOTH, share = SHARE_ALL, disposition = w.OPEN_EXISTING): number {
  return w.CreateFile(path, access, share, null, disposition, 0);
}

function mustOpen(path: string, access = BOTH, share = SHARE_ALL, disposition = w.OPEN_EXISTING): number {
  const handle = open(path, access, share, disposition);
  assert.notEqual(handle, NONE, `last error ${w.GetLastError()}`);
  return handle;
}

/** The error that an opening ends with; 0 when it succeeds. */
function errorOf(path: string, access: number, share: number, disposition = w.OPEN_EXISTING): number {
  const handle = open(path, access, share, disposition);
  if (handle === NONE) return w.GetLastError();
  w.CloseHandle(handle);
  return 0;
}

function setLength(handle: number, length: number): number {
  w.SetFilePointerEx(handle, length, w.FILE_BEGIN);
  return w.SetEndOfFile(handle) ? 0 : w.GetLastError();
}

const dispose = (handle: number, DeleteFile: boolean) =>
  n.NtSetInformationFile(handle, { DeleteFile }, n.FileDispositionInformation).status;

/** What everybody finds who opens a file of 100 bytes over which there is a section, or a view of one. */
function expectMapped(path: string, writable: boolean): void {
  const handle = mustOpen(path, BOTH | w.DELETE);
  assert.deepEqual([setLength(handle, 200), setLength(handle, 199), setLength(handle, 200)], [0, w.ERROR_USER_MAPPED_FILE, 0]);
  assert.equal(dispose(handle, true), n.STATUS_CANNOT_DELETE);
  assert.equal(dispose(handle, false), n.STATUS_SUCCESS);
  w.CloseHandle(handle);
  assert.equal(errorOf(path, w.GENERIC_WRITE, SHARE_ALL, w.CREATE_ALWAYS), w.ERROR_USER_MAPPED_FILE);
  assert.equal(errorOf(path, w.GENERIC_WRITE, SHARE_ALL, w.TRUNCATE_EXISTING), w.ERROR_USER_MAPPED_FILE);
  assert.equal(w.DeleteFile(path), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  // Whoever lets nobody write must not find a section that can.
  for (const access of [0, w.GENERIC_READ]) {
    assert.equal(errorOf(path, access, w.FILE_SHARE_READ | w.FILE_SHARE_DELETE), writable ? w.ERROR_SHARING_VIOLATION : 0);
    assert.equal(errorOf(path, access, w.FILE_SHARE_WRITE), 0);
  }
  assert.ok(existsSync(path));
}

/** What they find when it is gone. */
function expectFree(path: string): void {
  const handle = mustOpen(path, BOTH | w.DELETE, 0);
  assert.deepEqual([setLength(handle, 300), setLength(handle, 50), setLength(handle, 100)], [0, 0, 0]);
  assert.deepEqual([dispose(handle, true), dispose(handle, false)], [n.STATUS_SUCCESS, n.STATUS_SUCCESS]);
  w.CloseHandle(handle);
  assert.equal(errorOf(path, w.GENERIC_WRITE, 0, w.CREATE_ALWAYS), 0);
  writeFileSync(path, Buffer.alloc(100, 1));
}

function file(t: TestContext): { readonly scratch: string; readonly path: string } {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  writeFileSync(path, Buffer.alloc(100, 1));
  return { scratch, path };
}

const protections = [
  { protect: w.PAGE_READONLY, access: w.FILE_MAP_READ, writable: false },
  { protect: w.PAGE_WRITECOPY, access: w.FILE_MAP_COPY, writable: false },
  { protect: w.PAGE_READWRITE, access: w.FILE_MAP_WRITE, writable: true },
] as const;

for (const { protect, access, writable } of protections) {
  test(`a section of protection ${protect}, then its view alone, in this process`, (t) => {
    const { path } = file(t);
    const handle = mustOpen(path);
    const mapping = w.CreateFileMapping(handle, null, protect, 0, 50);
    assert.notEqual(mapping, 0);
    w.CloseHandle(handle);
    expectMapped(path, writable);
    const view = w.MapViewOfFile(mapping, access, 0, 0, 0);
    assert.ok(view !== null);
    w.CloseHandle(mapping);
    expectMapped(path, writable);
    w.UnmapViewOfFile(view);
    expectFree(path);
  });

  test(`a section of protection ${protect}, then its view alone, in another process, until it is killed`, async (t) => {
    const { scratch, path } = file(t);
    const peer = await Peer.start(t, scratch, runtimeDirectory);
    const handle = await peer.open(path, BOTH, SHARE_ALL);
    const mapping = (await peer.win32('CreateFileMapping', handle, null, protect, 0, 50)).value as number;
    assert.notEqual(mapping, 0);
    await peer.close(handle);
    expectMapped(path, writable);
    const { value: address } = await peer.win32('MapViewOfFile', mapping, access, 0, 0, 0);
    await peer.close(mapping);
    expectMapped(path, writable);
    await peer.win32('UnmapViewOfFile', address);
    expectFree(path);
    // And once more, this time with an end that nobody is told of.
    const again = await peer.open(path, BOTH, SHARE_ALL);
    await peer.win32('CreateFileMapping', again, null, protect, 0, 0);
    await peer.close(again);
    expectMapped(path, writable);
    await peer.child.kill();
    expectFree(path);
  });
}

for (const keeps of ['section', 'view'] as const) {
  test(`the ${keeps} of Section.fromFile in another process`, async (t) => {
    const { scratch, path } = file(t);
    const child = start(t, users, 'maps a file through the idiomatic face', {
      scratch,
      args: [path, 'readwrite', keeps],
      env: { SECTILE_RUNTIME_DIR: runtimeDirectory },
    });
    await child.reached('held');
    expectMapped(path, true);
    await child.kill();
    expectFree(path);
  });
}

test('a view that nobody closes lets go of its file when it is collected', async (t) => {
  const { scratch, path } = file(t);
  const child = start(t, users, 'forgets a view of a file', {
    scratch,
    args: [path],
    env: { SECTILE_RUNTIME_DIR: runtimeDirectory },
  });
  await child.reached('held');
  expectMapped(path, false);
  child.tell('forget');
  await child.reached('collected');
  await child.endsWell();
});

test('whoever opens a named section uses its file as well', async (t) => {
  const { scratch, path } = file(t);
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  const own = Section.fromFile(path, { access: 'readwrite', name: 'named-file' });
  assert.notEqual((await peer.win32('OpenFileMapping', w.FILE_MAP_ALL_ACCESS, false, 'named-file')).value, 0);
  own.close();
  expectMapped(path, true);
  await peer.child.kill();
  expectFree(path);
});

test('a duplicate of a section keeps its file in use', (t) => {
  const { path } = file(t);
  const handle = mustOpen(path);
  const first = w.CreateFileMapping(handle, null, w.PAGE_READONLY, 0, 0);
  const second = w.DuplicateHandle(w.GetCurrentProcess(), first, w.GetCurrentProcess(), w.FILE_MAP_READ, false, 0);
  assert.ok(w.CloseHandle(handle) && w.CloseHandle(first));
  expectMapped(path, false);
  assert.ok(w.CloseHandle(second));
  expectFree(path);
});

test('a mapped file can be opened for deleting on close, and goes when nobody uses it any more', (t) => {
  const { path } = file(t);
  const handle = mustOpen(path);
  const mapping = w.CreateFileMapping(handle, null, w.PAGE_READWRITE, 0, 0);
  w.CloseHandle(handle);
  const deleting = w.CreateFile(path, w.GENERIC_READ, SHARE_ALL, null, w.OPEN_EXISTING, w.FILE_FLAG_DELETE_ON_CLOSE);
  assert.notEqual(deleting, NONE);
  assert.ok(w.CloseHandle(deleting));
  assert.ok(existsSync(path));
  assert.equal(errorOf(path, w.GENERIC_READ, SHARE_ALL), w.ERROR_ACCESS_DENIED);
  assert.ok(w.CloseHandle(mapping));
  assert.ok(!existsSync(path));
});

test('copying over a mapped file and moving an open one', (t) => {
  const { scratch, path } = file(t);
  const source = join(scratch, 'source');
  writeFileSync(source, 'other content');
  for (const [share, error] of [
    [w.FILE_SHARE_READ, w.ERROR_SHARING_VIOLATION],
    [w.FILE_SHARE_READ | w.FILE_SHARE_WRITE, w.ERROR_USER_MAPPED_FILE],
  ] as const) {
    const handle = mustOpen(path, BOTH, share);
    const mapping = w.CreateFileMapping(handle, null, w.PAGE_READONLY, 0, 0);
    assert.equal(w.CopyFile(source, path, false), false);
    assert.equal(w.GetLastError(), error);
    assert.equal(w.MoveFile(path, join(scratch, 'elsewhere')), false);
    assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
    w.CloseHandle(mapping);
    w.CloseHandle(handle);
  }
  assert.deepEqual(readFileSync(path), Buffer.alloc(100, 1));
  assert.ok(w.CopyFile(source, path, false));
  assert.equal(readFileSync(path, 'utf8'), 'other content');
  assert.equal(w.CopyFile(source, path, true), false);
  assert.equal(w.GetLastError(), w.ERROR_FILE_EXISTS);
  assert.equal(w.CopyFile(path, path, false), false);
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  assert.equal(w.MoveFile(source, path), false);
  assert.equal(w.GetLastError(), w.ERROR_ALREADY_EXISTS);
  assert.ok(w.MoveFile(path, join(scratch, 'elsewhere')));
  assert.ok(!existsSync(path));
});

test('a program that knows none of this cuts a mapped file short, and the view goes on', (t) => {
  const { path } = file(t);
  writeFileSync(path, Buffer.alloc(3 * 4096, 7));
  const handle = mustOpen(path);
  const mapping = w.CreateFileMapping(handle, null, w.PAGE_READWRITE, 0, 0);
  const view = w.MapViewOfFile(mapping, w.FILE_MAP_WRITE, 0, 0, 0);
  assert.ok(view !== null);
  truncateSync(path, 10);
  assert.deepEqual([view.bytes[0], view.bytes[10], view.bytes[8192]], [7, 0, 0]);
  assert.equal(view.fault?.kind, 'backing-lost');
  w.UnmapViewOfFile(view);
  w.CloseHandle(mapping);
  w.CloseHandle(handle);
});
