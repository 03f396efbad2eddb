/**
 * Open files through the NT and Win32 faces: dispositions, rights, what is refused, reading, writing, locks.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Section } from 'sectile';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { Peer } from '../files/peer.js';
import { notRoot, scratchFolder } from '../support/child.js';
import { withCode } from '../support/errors.js';
import { platform } from '../support/platform.js';
import { runtimeDirectory } from './runtime.js';

const NONE = w.INVALID_HANDLE_VALUE;
const BOTH = n.GENERIC_READ | n.GENERIC_WRITE;
const SHARE_ALL = n.FILE_SHARE_READ | n.FILE_SHARE_WRITE | n.FILE_SHARE_DELETE;
const SYNCHRONOUS = n.FILE_SYNCHRONOUS_IO_NONALERT;

const named = (path: string, root: number | null = null) => n.InitializeObjectAttributes(path, 0, root);
const ntName = platform.ntPath;

function ntOpen(path: string, disposition: number, access = BOTH, options = SYNCHRONOUS, share = SHARE_ALL): n.FileResult {
  return n.NtCreateFile(access, named(ntName(path)), null, 0, share, disposition, options);
}

function closed(result: n.FileResult): [status: number, information: number] {
  if (result.fileHandle !== 0) assert.equal(n.NtClose(result.fileHandle), n.STATUS_SUCCESS);
  return [result.status, result.ioStatus.Information];
}

const dispositions = [
  { disposition: n.FILE_SUPERSEDE, there: n.FILE_SUPERSEDED, missing: n.FILE_CREATED, content: '' },
  { disposition: n.FILE_OPEN, there: n.FILE_OPENED, missing: null, content: 'content' },
  { disposition: n.FILE_CREATE, there: null, missing: n.FILE_CREATED, content: 'content' },
  { disposition: n.FILE_OPEN_IF, there: n.FILE_OPENED, missing: n.FILE_CREATED, content: 'content' },
  { disposition: n.FILE_OVERWRITE, there: n.FILE_OVERWRITTEN, missing: null, content: '' },
  { disposition: n.FILE_OVERWRITE_IF, there: n.FILE_OVERWRITTEN, missing: n.FILE_CREATED, content: '' },
] as const;

for (const { disposition, there, missing, content } of dispositions) {
  test(`disposition ${disposition}`, (t) => {
    const path = join(scratchFolder(t), 'file');
    // Also by a handle that could not empty the file itself.
    for (const access of [BOTH, n.GENERIC_READ]) {
      writeFileSync(path, 'content');
      const expected = there === null ? [n.STATUS_OBJECT_NAME_COLLISION, n.FILE_EXISTS] : [n.STATUS_SUCCESS, there];
      assert.deepEqual(closed(ntOpen(path, disposition, access)), expected);
      assert.equal(readFileSync(path, 'utf8'), content);
      w.DeleteFile(path);
      const [status, information] = closed(ntOpen(path, disposition, access));
      if (missing === null) assert.equal(status, n.STATUS_OBJECT_NAME_NOT_FOUND);
      else assert.deepEqual([status, information], [n.STATUS_SUCCESS, missing]);
      assert.equal(existsSync(path), missing !== null);
      w.DeleteFile(path);
    }
  });
}

test('names that are none, and files that are not there', (t) => {
  const folder = scratchFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const statusOf = (name: string) => closed(n.NtOpenFile(n.GENERIC_READ, named(name), 7, 0))[0];
  assert.equal(statusOf(ntName(join(folder, 'missing'))), n.STATUS_OBJECT_NAME_NOT_FOUND);
  assert.equal(statusOf(ntName(join(folder, 'missing', 'file'))), n.STATUS_OBJECT_PATH_NOT_FOUND);
  assert.equal(statusOf(ntName(join(folder, 'file', 'below'))), n.STATUS_OBJECT_PATH_NOT_FOUND);
  assert.equal(statusOf(ntName(join(folder, 'x'.repeat(300)))), n.STATUS_OBJECT_NAME_INVALID);
  assert.equal(statusOf('\\??\\C:\\file'), n.STATUS_OBJECT_PATH_NOT_FOUND);
  assert.equal(statusOf('\\BaseNamedObjects\\file'), n.STATUS_OBJECT_TYPE_MISMATCH);
  assert.equal(statusOf('relative'), n.STATUS_OBJECT_PATH_SYNTAX_BAD);
  for (const prefix of ['\\??\\', '\\DosDevices\\', '\\GLOBAL??\\'])
    assert.equal(statusOf(`${prefix}${folder}/file`), n.STATUS_SUCCESS);
});

test('parameters that do not fit together', (t) => {
  const path = join(scratchFolder(t), 'file');
  const refused = (access: number, share: number, disposition: number, options: number) =>
    assert.equal(
      closed(n.NtCreateFile(access, named(ntName(path)), null, 0, share, disposition, options))[0],
      n.STATUS_INVALID_PARAMETER,
    );
  refused(n.FILE_READ_DATA, 7, n.FILE_OPEN_IF, SYNCHRONOUS); // without SYNCHRONIZE
  refused(BOTH, 8, n.FILE_OPEN_IF, 0);
  refused(BOTH, 7, 6, 0);
  refused(BOTH, 7, n.FILE_OPEN_IF, n.FILE_SYNCHRONOUS_IO_ALERT | SYNCHRONOUS);
  refused(BOTH, 7, n.FILE_OPEN_IF, n.FILE_DIRECTORY_FILE | n.FILE_NON_DIRECTORY_FILE);
  refused(BOTH, 7, n.FILE_OPEN_IF, n.FILE_DELETE_ON_CLOSE); // without DELETE
  refused(BOTH, 7, n.FILE_OPEN_IF, 0x0100_0000);
  assert.equal(existsSync(path), false);
  for (const wrong of [undefined, 'x', {}, 1.5] as unknown as number[]) {
    assert.equal(closed(n.NtCreateFile(wrong, named(ntName(path)), null, 0, 7, 1, 0))[0], n.STATUS_INVALID_PARAMETER);
    assert.equal(closed(n.NtCreateFile(BOTH, named(ntName(path)), null, 0, wrong, 1, 0))[0], n.STATUS_INVALID_PARAMETER);
  }
  assert.equal(n.NtOpenFile(BOTH, null as unknown as n.ObjectAttributes, 7, 0).status, n.STATUS_INVALID_PARAMETER);
});

test('directories: opened when asked for, made, and a place to start from', (t) => {
  const folder = scratchFolder(t);
  const made = ntOpen(join(folder, 'new'), n.FILE_CREATE, n.GENERIC_READ, SYNCHRONOUS | n.FILE_DIRECTORY_FILE);
  assert.deepEqual([made.status, made.ioStatus.Information], [n.STATUS_SUCCESS, n.FILE_CREATED]);
  assert.ok(statSync(join(folder, 'new')).isDirectory());
  const below = n.NtCreateFile(BOTH, named('file', made.fileHandle), null, 0, 7, n.FILE_CREATE, 0);
  assert.equal(below.status, n.STATUS_SUCCESS);
  assert.ok(existsSync(join(folder, 'new', 'file')));
  assert.equal(n.NtOpenFile(BOTH, named('\\file', made.fileHandle), 7, 0).status, n.STATUS_OBJECT_PATH_SYNTAX_BAD);
  assert.equal(n.NtOpenFile(BOTH, named('x', below.fileHandle), 7, 0).status, n.STATUS_NOT_A_DIRECTORY);
  assert.equal(n.NtReadFile(made.fileHandle, null, null, null, 10, 0n, 0).status, n.STATUS_INVALID_DEVICE_REQUEST);
  assert.deepEqual(closed(below), [n.STATUS_SUCCESS, n.FILE_CREATED]);
  assert.equal(
    closed(ntOpen(join(folder, 'new', 'file'), n.FILE_OPEN, BOTH, n.FILE_DIRECTORY_FILE))[0],
    n.STATUS_NOT_A_DIRECTORY,
  );
  assert.equal(closed(ntOpen(folder, n.FILE_OPEN, n.GENERIC_READ, n.FILE_NON_DIRECTORY_FILE))[0], n.STATUS_FILE_IS_A_DIRECTORY);
  // With backup semantics Win32 opens one, too; none can be mapped.
  const handle = w.CreateFile(folder, w.GENERIC_READ, 7, null, w.OPEN_EXISTING, w.FILE_FLAG_BACKUP_SEMANTICS);
  assert.notEqual(handle, NONE);
  assert.equal(w.CreateFileMapping(handle, null, w.PAGE_READONLY, 0, 0), 0);
  assert.equal(w.GetLastError(), w.ERROR_BAD_EXE_FORMAT);
  w.CloseHandle(handle);
  n.NtClose(made.fileHandle);
});

test('reading and writing: positions, offsets, the end, appending', (t) => {
  const path = join(scratchFolder(t), 'file');
  const { fileHandle } = ntOpen(path, n.FILE_CREATE);
  const text = (s: string) => Buffer.from(s);
  const write = (s: string, offset: number | bigint | null) =>
    n.NtWriteFile(fileHandle, null, null, null, text(s), s.length, offset, null);
  const read = (length: number, offset: number | bigint | null) => {
    const { status, buffer } = n.NtReadFile(fileHandle, null, null, null, length, offset, null);
    return status === n.STATUS_SUCCESS ? Buffer.from(buffer).toString() : status;
  };
  assert.deepEqual(write('abcdef', null).ioStatus, { Status: 0, Information: 6 });
  assert.equal(write('XY', 2).status, n.STATUS_SUCCESS);
  assert.equal(read(2, null), 'ef');
  assert.equal(read(100, 0), 'abXYef');
  assert.equal(read(1, null), n.STATUS_END_OF_FILE);
  assert.equal(read(0, 100), '');
  assert.equal(write('!', n.FILE_WRITE_TO_END_OF_FILE).status, n.STATUS_SUCCESS);
  assert.equal(read(1, n.FILE_USE_FILE_POINTER_POSITION), n.STATUS_END_OF_FILE);
  assert.equal(read(10, 4), 'ef!');
  assert.equal(read(1, 2n ** 63n), n.STATUS_INVALID_PARAMETER);
  assert.equal(n.NtWriteFile(fileHandle, null, null, null, text('a'), 2, 0, null).status, n.STATUS_ACCESS_VIOLATION);
  assert.equal(n.NtFlushBuffersFile(fileHandle), n.STATUS_SUCCESS);
  // An event tells of a transfer that went well.
  const { eventHandle } = n.NtCreateEvent(n.EVENT_ALL_ACCESS, null, n.NotificationEvent, true);
  const signalled = () => n.NtQueryEvent(eventHandle, n.EventBasicInformation).eventInformation?.EventState;
  assert.equal(n.NtReadFile(fileHandle, eventHandle, null, null, 1, 100).status, n.STATUS_END_OF_FILE);
  assert.equal(signalled(), 0);
  assert.equal(n.NtReadFile(fileHandle, eventHandle, null, null, 1, 0).status, n.STATUS_SUCCESS);
  assert.equal(signalled(), 1);
  assert.equal(n.NtReadFile(fileHandle, fileHandle, null, null, 1, 0).status, n.STATUS_OBJECT_TYPE_MISMATCH);
  n.NtClose(eventHandle);
  n.NtSetInformationFile(fileHandle, { CurrentByteOffset: 7 }, n.FilePositionInformation);
  const set = (cls: number, fields: object) => n.NtSetInformationFile(fileHandle, fields, cls).status;
  assert.equal(set(n.FilePositionInformation, { CurrentByteOffset: 3 }), n.STATUS_SUCCESS);
  assert.equal(set(n.FileEndOfFileInformation, { EndOfFile: 10 }), n.STATUS_SUCCESS);
  assert.equal(set(n.FileAllocationInformation, { AllocationSize: 4 }), n.STATUS_SUCCESS);
  assert.equal(set(n.FileAllocationInformation, { AllocationSize: 1 << 20 }), n.STATUS_SUCCESS);
  assert.equal(set(n.FileEndOfFileInformation, { EndOfFile: 'x' }), n.STATUS_INVALID_PARAMETER);
  assert.equal(set(99, {}), n.STATUS_INVALID_INFO_CLASS);
  const query = (cls: number, length?: number) => n.NtQueryInformationFile(fileHandle, cls, length);
  assert.deepEqual(query(n.FilePositionInformation).fileInformation, { CurrentByteOffset: 3 });
  const standard = query(n.FileStandardInformation).fileInformation as n.FILE_STANDARD_INFORMATION;
  assert.deepEqual(
    [standard.EndOfFile, standard.NumberOfLinks, standard.DeletePending, standard.Directory],
    [4, 1, false, false],
  );
  assert.equal((query(n.FileNameInformation).fileInformation as n.FILE_NAME_INFORMATION).FileName, path.replaceAll('/', '\\'));
  assert.deepEqual(
    [query(n.FileNameInformation, 8).status, query(n.FileStandardInformation, 23).status, query(99).status],
    [n.STATUS_BUFFER_OVERFLOW, n.STATUS_INFO_LENGTH_MISMATCH, n.STATUS_INVALID_INFO_CLASS],
  );
  n.NtClose(fileHandle);

  // Without a position every transfer must say where; who may only append cannot.
  const other = n.NtOpenFile(n.FILE_READ_DATA | n.FILE_APPEND_DATA, named(ntName(path)), 7, 0).fileHandle;
  assert.equal(n.NtReadFile(other, null, null, null, 1, null, null).status, n.STATUS_INVALID_PARAMETER);
  assert.equal(n.NtWriteFile(other, null, null, null, text('+'), 1, 0, null).status, n.STATUS_SUCCESS);
  assert.equal(readFileSync(path, 'utf8'), 'abXY+');
  assert.equal(n.NtSetInformationFile(other, { EndOfFile: 0 }, n.FileEndOfFileInformation).status, n.STATUS_ACCESS_DENIED);
  n.NtClose(other);
});

test('MAXIMUM_ALLOWED gives what the file grants', (t) => {
  const path = join(scratchFolder(t), 'file');
  writeFileSync(path, 'content');
  const most = n.NtOpenFile(n.MAXIMUM_ALLOWED | n.SYNCHRONIZE, named(ntName(path)), 7, SYNCHRONOUS).fileHandle;
  assert.equal(n.NtWriteFile(most, null, null, null, Buffer.from('C'), 1, 0, null).status, n.STATUS_SUCCESS);
  n.NtClose(most);
});

test('pipes, sockets and devices are opened, and back no section', { skip: platform.lacks.posixFiles }, async (t) => {
  const folder = scratchFolder(t);
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const server = createServer().listen(join(folder, 'socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  for (const [path, type] of [
    [join(folder, 'pipe'), w.FILE_TYPE_PIPE],
    [join(folder, 'socket'), w.FILE_TYPE_PIPE],
    ['/dev/zero', w.FILE_TYPE_CHAR],
  ] as const) {
    for (const access of [w.GENERIC_READ, BOTH]) {
      const handle = w.CreateFile(path, access, 7, null, w.OPEN_EXISTING, 0);
      assert.notEqual(handle, NONE, path);
      assert.equal(w.GetFileType(handle), type);
      assert.equal(
        n.NtCreateSection(n.SECTION_MAP_READ, null, 4096, n.PAGE_READONLY, n.SEC_COMMIT, handle).status,
        n.STATUS_INVALID_FILE_FOR_SECTION,
      );
      w.CloseHandle(handle);
    }
  }
  await new Promise((resolve) => server.close(resolve));
});

test('physical memory is nobody’s, by whatever name', { skip: notRoot }, (t) => {
  const folder = scratchFolder(t);
  for (const [name, minor] of [
    ['mem', 1],
    ['kmem', 2],
    ['port', 4],
  ] as const) {
    const device = join(folder, name);
    try {
      execFileSync('mknod', [device, 'c', '1', String(minor)], { stdio: 'ignore' });
    } catch {
      t.skip('device files cannot be made here');
      return;
    }
    symlinkSync(device, `${device}-link`);
    for (const path of [device, `${device}-link`]) {
      for (const access of [0, w.GENERIC_READ]) {
        assert.equal(w.CreateFile(path, access, 7, null, w.OPEN_EXISTING, 0), NONE);
        assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
      }
      assert.throws(() => Section.fromFile(path), withCode('ERR_SECTION_ACCESS_DENIED'));
    }
  }
});

test('locks keep other handles from a range, and sections from the file', async (t) => {
  const scratch = scratchFolder(t);
  const path = join(scratch, 'file');
  writeFileSync(path, 'content of a file');
  const own = w.CreateFile(path, BOTH, 7, null, w.OPEN_EXISTING, 0);
  const peer = await Peer.start(t, scratch, runtimeDirectory);
  const theirs = await peer.open(path, BOTH, SHARE_ALL);
  const io = async (name: string) => (await peer.win32(name, theirs, new Uint8Array(4))).lastError;

  assert.ok(w.LockFile(own, 2, 0, 4, 0));
  assert.equal(await io('ReadFile'), w.ERROR_LOCK_VIOLATION);
  assert.equal(await io('WriteFile'), w.ERROR_LOCK_VIOLATION);
  assert.equal((await peer.win32('LockFile', theirs, 5, 0, 1, 0)).lastError, w.ERROR_LOCK_VIOLATION);
  assert.equal((await peer.win32('LockFile', theirs, 6, 0, 0xffff_ffff, 0xffff_ffff)).value, false);
  assert.equal((await peer.win32('LockFile', theirs, 6, 0, 0xffff_fff0, 0x7fff_ffff)).value, true);
  assert.equal(w.ReadFile(own, Buffer.alloc(4)), 4);
  // Its own lock is in its way as well, where it would lock again.
  assert.equal(w.LockFile(own, 3, 0, 1, 0), false);
  assert.equal(w.UnlockFile(own, 2, 0, 3, 0), false);
  assert.equal(w.GetLastError(), w.ERROR_NOT_LOCKED);
  for (const create of [
    () => w.CreateFileMapping(own, null, w.PAGE_READONLY, 0, 0),
    () => w.CreateFileMapping(own, null, w.PAGE_READWRITE, 0, 4096),
  ]) {
    assert.equal(create(), 0);
    assert.equal(w.GetLastError(), w.ERROR_LOCK_VIOLATION);
  }
  assert.equal(statSync(path).size, 17, 'the file was not grown');
  assert.ok(w.UnlockFile(own, 2, 0, 4, 0));
  assert.equal(await io('ReadFile'), 0);

  // A shared lock lets others read.
  assert.equal(n.NtLockFile(own, null, null, null, 0, 4, 7, true, false).status, n.STATUS_SUCCESS);
  await peer.win32('SetFilePointerEx', theirs, 0, w.FILE_BEGIN);
  assert.equal(await io('ReadFile'), 0);
  await peer.win32('SetFilePointerEx', theirs, 0, w.FILE_BEGIN);
  assert.equal(await io('WriteFile'), w.ERROR_LOCK_VIOLATION);
  assert.equal(n.NtUnlockFile(own, 0, 4, 8).status, n.STATUS_RANGE_NOT_LOCKED);
  assert.equal(n.NtUnlockFile(own, 0, 4, 7).status, n.STATUS_SUCCESS);
  assert.equal(n.NtLockFile(own, null, null, null, 2n ** 60n, 1, 0, true, true).status, n.STATUS_INVALID_LOCK_RANGE);
  // A lock goes with its process.
  await peer.child.kill();
  assert.ok(w.LockFile(own, 0, 0, 0xffff_ffff, 0));
  w.CloseHandle(own);
});
