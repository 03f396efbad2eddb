/**
 * Open files through the Win32 face: how they are opened, what is refused, positions, lengths, rights, links.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as w from 'sectile/kernel32';
import { scratchFolder } from '../support/child.js';
import { platform } from '../support/platform.js';
import './runtime.js';

const NONE = w.INVALID_HANDLE_VALUE;
const BOTH = w.GENERIC_READ | w.GENERIC_WRITE;

test('CreateFile says by the last error whether the file was there', (t) => {
  const path = join(scratchFolder(t), 'file');
  const create = (disposition: number, access = w.GENERIC_WRITE): number => {
    w.SetLastError(1);
    const handle = w.CreateFile(path, access, 0, null, disposition, 0);
    if (handle !== NONE) w.CloseHandle(handle);
    return handle === NONE ? -w.GetLastError() : w.GetLastError();
  };
  assert.equal(create(w.OPEN_EXISTING), -w.ERROR_FILE_NOT_FOUND);
  assert.equal(create(w.TRUNCATE_EXISTING), -w.ERROR_FILE_NOT_FOUND);
  assert.equal(create(w.CREATE_ALWAYS), w.ERROR_SUCCESS);
  assert.equal(create(w.CREATE_ALWAYS), w.ERROR_ALREADY_EXISTS);
  assert.equal(create(w.OPEN_ALWAYS), w.ERROR_ALREADY_EXISTS);
  assert.equal(create(w.CREATE_NEW), -w.ERROR_FILE_EXISTS);
  assert.ok(w.DeleteFile(path));
  assert.equal(create(w.OPEN_ALWAYS), w.ERROR_SUCCESS);
  assert.equal(create(6), -w.ERROR_INVALID_PARAMETER);
});

test('a file that is not written to is not emptied by opening it', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'content');
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 0, null, w.TRUNCATE_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
});

test('Win32: names that are none, and files that are not there', (t) => {
  const folder = scratchFolder(t);
  for (const [path, error] of [
    ['', w.ERROR_PATH_NOT_FOUND],
    [folder, w.ERROR_ACCESS_DENIED],
    ['\\\\.\\NoSuchDevice', w.ERROR_FILE_NOT_FOUND],
    [join(folder, 'no', 'file'), w.ERROR_PATH_NOT_FOUND],
  ] as const) {
    assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
    assert.equal(w.GetLastError(), error, path);
  }
  for (const call of [
    () => w.DeleteFile(join(folder, 'missing')),
    () => w.CopyFile(join(folder, 'missing'), join(folder, 'x'), true),
  ]) {
    assert.equal(call(), false);
    assert.equal(w.GetLastError(), w.ERROR_FILE_NOT_FOUND);
  }
});

test('Win32: positions, sizes, types', (t) => {
  const path = join(scratchFolder(t), 'file');
  const file = w.CreateFile(path, BOTH, 0, null, w.CREATE_NEW, 0);
  assert.equal(w.WriteFile(file, Buffer.from('hello world'), 5), 5);
  assert.deepEqual([w.GetFileSizeEx(file), w.GetFileSize(file)], [5, 5]);
  assert.equal(w.SetFilePointerEx(file, -2, w.FILE_END), 3);
  const buffer = Buffer.alloc(8);
  assert.equal(w.ReadFile(file, buffer), 2);
  assert.equal(buffer.toString('latin1', 0, 2), 'lo');
  assert.equal(w.ReadFile(file, buffer), 0);
  assert.equal(w.SetFilePointerEx(file, 1, w.FILE_CURRENT), 6);
  assert.equal(w.SetFilePointerEx(file, -7, w.FILE_CURRENT), false);
  assert.equal(w.GetLastError(), w.ERROR_NEGATIVE_SEEK);
  assert.ok(w.SetEndOfFile(file) && w.FlushFileBuffers(file));
  assert.equal(w.GetFileSizeEx(file), 6);
  assert.equal(w.GetFileType(file), w.FILE_TYPE_DISK);
  w.CloseHandle(file);
  assert.equal(w.GetFileSizeEx(file), false);
  assert.equal(w.GetFileSize(file), w.INVALID_FILE_SIZE);
});

test('what is no file has no type, and is not read', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'content');
  const file = w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0);
  const mapping = w.CreateFileMapping(file, null, w.PAGE_READONLY, 0, 0);
  assert.equal(w.GetFileType(mapping), w.FILE_TYPE_UNKNOWN);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  assert.equal(w.ReadFile(mapping, new Uint8Array(1)), false);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  for (const handle of [mapping, file]) w.CloseHandle(handle);
});

test('rights: what a handle was not opened for it cannot do', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'content');
  const reader = w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0);
  const writer = w.CreateFile(path, w.GENERIC_WRITE, 7, null, w.OPEN_EXISTING, 0);
  const nothing = w.CreateFile(path, 0, 0, null, w.OPEN_EXISTING, 0);
  const denied = (result: unknown, failed: unknown = false) =>
    assert.deepEqual([result, w.GetLastError()], [failed, w.ERROR_ACCESS_DENIED]);
  denied(w.WriteFile(reader, Buffer.from('x')));
  denied(w.ReadFile(writer, Buffer.alloc(1)));
  denied(w.ReadFile(nothing, Buffer.alloc(1)));
  denied(w.FlushFileBuffers(reader));
  assert.equal(w.GetFileSizeEx(nothing), 7);
  for (const handle of [reader, writer, nothing]) w.CloseHandle(handle);
});

test('rights: lengths, locks and duplicates', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'content');
  const reader = w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0);
  const nothing = w.CreateFile(path, 0, 0, null, w.OPEN_EXISTING, 0);
  const self = w.GetCurrentProcess();
  for (const call of [
    () => w.SetEndOfFile(reader),
    () => w.LockFile(nothing, 0, 0, 1, 0),
    // More than it holds is not had by duplicating.
    () => w.DuplicateHandle(self, reader, self, w.GENERIC_WRITE, false, 0) !== 0,
  ]) {
    assert.deepEqual([call(), w.GetLastError()], [false, w.ERROR_ACCESS_DENIED]);
  }
  for (const handle of [reader, nothing]) w.CloseHandle(handle);
});

test('symbolic links lead to their files; deleting takes the link', { skip: platform.lacks.symbolicLinks }, (t) => {
  const folder = scratchFolder(t);
  const [path, link] = [join(folder, 'file'), join(folder, 'link')];
  writeFileSync(path, 'content');
  symlinkSync(path, link);
  const handle = w.CreateFile(link, w.GENERIC_READ, 0, null, w.OPEN_EXISTING, 0);
  assert.equal(w.CreateFile(path, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, 0), NONE);
  assert.equal(w.GetLastError(), w.ERROR_SHARING_VIOLATION);
  assert.ok(w.DeleteFile(link));
  assert.deepEqual([existsSync(link), existsSync(path)], [false, true]);
  w.CloseHandle(handle);
});

test('a file that nobody may write to is not deleted, and directories are moved', (t) => {
  const folder = scratchFolder(t);
  const guarded = w.CreateFile(join(folder, 'guarded'), w.GENERIC_WRITE, 7, null, w.CREATE_NEW, w.FILE_ATTRIBUTE_READONLY);
  assert.equal(w.WriteFile(guarded, Buffer.from('x')), 1);
  w.CloseHandle(guarded);
  assert.equal(w.DeleteFile(join(folder, 'guarded')), false);
  assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
  mkdirSync(join(folder, 'directory'));
  assert.ok(w.MoveFile(join(folder, 'directory'), join(folder, 'moved')));
  assert.equal(w.DeleteFile(join(folder, 'moved')), false);
});

test('a range whose halves are no numbers is not locked as another', () => {
  const file = w.CreateFile(fileURLToPath(import.meta.url), w.GENERIC_READ, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0);
  for (const call of [w.LockFile, w.UnlockFile]) {
    assert.equal(call(file, 0, 0, undefined as never, 0), false);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
  }
  w.CloseHandle(file);
});
