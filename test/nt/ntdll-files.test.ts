/**
 * Files through `sectile/ntdll` as every system has them: made, written, read, measured, locked, mapped, deleted.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as n from 'sectile/ntdll';
import { scratchFolder } from '../support/child.js';
import { platform } from '../support/platform.js';
import './runtime.js';
import { BOGUS, is, mapped } from './user-mode.js';

const BOTH = n.GENERIC_READ | n.GENERIC_WRITE;
const SHARE_ALL = n.FILE_SHARE_READ | n.FILE_SHARE_WRITE | n.FILE_SHARE_DELETE;

function open(path: string, disposition: number, access = BOTH, options: number = n.FILE_SYNCHRONOUS_IO_NONALERT) {
  const attributes = n.InitializeObjectAttributes(platform.ntPath(path), n.OBJ_CASE_INSENSITIVE);
  return n.NtCreateFile(access, attributes, null, 0, SHARE_ALL, disposition, options);
}

function opened(...given: Parameters<typeof open>): number {
  const { status, fileHandle } = open(...given);
  is(status, 'STATUS_SUCCESS');
  return fileHandle;
}

const fileOf = (t: TestContext): string => join(scratchFolder(t), 'file');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

test('a file is made, and what became of it is told', (t) => {
  const path = fileOf(t);
  is(open(path, n.FILE_OPEN).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  is(open(join(path, 'below'), n.FILE_OPEN).status, 'STATUS_OBJECT_PATH_NOT_FOUND');
  for (const [disposition, information] of [
    [n.FILE_CREATE, n.FILE_CREATED],
    [n.FILE_OPEN_IF, n.FILE_OPENED],
    [n.FILE_OVERWRITE_IF, n.FILE_OVERWRITTEN],
    [n.FILE_SUPERSEDE, n.FILE_SUPERSEDED],
  ] as const) {
    const made = open(path, disposition);
    is(made.status, 'STATUS_SUCCESS');
    assert.equal(made.ioStatus.Information, information);
    is(n.NtClose(made.fileHandle), 'STATUS_SUCCESS');
  }
  is(open(path, n.FILE_CREATE).status, 'STATUS_OBJECT_NAME_COLLISION');
  is(open(path, 99).status, 'STATUS_INVALID_PARAMETER');
  is(open('x'.repeat(40_000), n.FILE_OPEN).status, 'STATUS_OBJECT_NAME_INVALID');
});

test('what is written is read, at the position and elsewhere', (t) => {
  const path = fileOf(t);
  // The second is opened for requests that go on: its calls wait for them all the same.
  for (const options of [n.FILE_SYNCHRONOUS_IO_NONALERT, 0]) {
    const file = opened(path, n.FILE_OVERWRITE_IF, BOTH, options);
    const write = (content: string, offset: number | null) =>
      n.NtWriteFile(file, null, null, null, Buffer.from(content), content.length, offset);
    assert.deepEqual(write('abcdef', options === 0 ? 0 : null).ioStatus, { Status: n.STATUS_SUCCESS, Information: 6 });
    is(write('XY', 2).status, 'STATUS_SUCCESS');
    const all = n.NtReadFile(file, null, null, null, 100, 0);
    is(all.status, 'STATUS_SUCCESS');
    assert.deepEqual([text(all.buffer), all.ioStatus.Information], ['abXYef', 6]);
    is(n.NtReadFile(file, null, null, null, 1, 6).status, 'STATUS_END_OF_FILE');
    const huge = n.NtReadFile(file, null, null, null, 0xffff_ffff, 4);
    assert.equal(text(huge.buffer), 'ef');
    is(n.NtWriteFile(file, null, null, null, Buffer.from('a'), 2, 0).status, 'STATUS_ACCESS_VIOLATION');
    is(n.NtFlushBuffersFile(file), 'STATUS_SUCCESS');
    assert.equal(readFileSync(path, 'utf8'), 'abXYef');
    n.NtClose(file);
  }
});

test('an event tells of a transfer that went well', (t) => {
  const file = opened(fileOf(t), n.FILE_CREATE);
  n.NtWriteFile(file, null, null, null, Buffer.from('x'), 1, 0);
  const { eventHandle } = n.NtCreateEvent(n.EVENT_ALL_ACCESS, null, n.NotificationEvent, true);
  const signalled = () => n.NtQueryEvent(eventHandle, n.EventBasicInformation).eventInformation?.EventState;
  is(n.NtReadFile(file, eventHandle, null, null, 1, 100).status, 'STATUS_END_OF_FILE');
  assert.equal(signalled(), 0);
  is(n.NtReadFile(file, eventHandle, null, null, 1, 0).status, 'STATUS_SUCCESS');
  assert.equal(signalled(), 1);
  is(n.NtReadFile(file, BOGUS, null, null, 1, 0).status, 'STATUS_INVALID_HANDLE');
  for (const handle of [file, eventHandle]) n.NtClose(handle);
});

test('lengths and positions are told and changed, and a file goes when it is to', (t) => {
  const path = fileOf(t);
  const file = opened(path, n.FILE_CREATE, BOTH | n.DELETE);
  is(n.NtSetInformationFile(file, { EndOfFile: 10 }, n.FileEndOfFileInformation).status, 'STATUS_SUCCESS');
  is(n.NtSetInformationFile(file, { CurrentByteOffset: 3 }, n.FilePositionInformation).status, 'STATUS_SUCCESS');
  const standard = n.NtQueryInformationFile(file, n.FileStandardInformation);
  is(standard.status, 'STATUS_SUCCESS');
  assert.ok(standard.fileInformation !== null && 'EndOfFile' in standard.fileInformation);
  const { EndOfFile, Directory, NumberOfLinks } = standard.fileInformation;
  assert.deepEqual([EndOfFile, Directory, NumberOfLinks], [10, false, 1]);
  assert.deepEqual(n.NtQueryInformationFile(file, n.FilePositionInformation).fileInformation, { CurrentByteOffset: 3 });
  const name = n.NtQueryInformationFile(file, n.FileNameInformation).fileInformation;
  assert.ok(name !== null && 'FileName' in name && name.FileName.endsWith('\\file'));
  is(n.NtQueryInformationFile(file, n.FileStandardInformation, 23).status, 'STATUS_INFO_LENGTH_MISMATCH');
  is(n.NtQueryInformationFile(file, 9999).status, 'STATUS_INVALID_INFO_CLASS');
  is(n.NtSetInformationFile(file, {}, 9999).status, 'STATUS_INVALID_INFO_CLASS');
  is(n.NtSetInformationFile(file, { EndOfFile: 'x' }, n.FileEndOfFileInformation).status, 'STATUS_INVALID_PARAMETER');
  is(n.NtSetInformationFile(file, { DeleteFile: true }, n.FileDispositionInformation).status, 'STATUS_SUCCESS');
  is(n.NtClose(file), 'STATUS_SUCCESS');
  assert.equal(existsSync(path), false);
});

test('a lock keeps another handle out, and none that could not be had is waited for', (t) => {
  const path = fileOf(t);
  writeFileSync(path, 'content');
  const [one, other] = [opened(path, n.FILE_OPEN), opened(path, n.FILE_OPEN)];
  is(n.NtLockFile(one, null, null, null, 0, 4, 0, false, true).status, 'STATUS_SUCCESS');
  is(n.NtLockFile(other, null, null, null, 2, 1, 0, false, true).status, 'STATUS_LOCK_NOT_GRANTED');
  is(n.NtReadFile(other, null, null, null, 2, 0).status, 'STATUS_FILE_LOCK_CONFLICT', 'STATUS_SUCCESS');
  is(n.NtUnlockFile(one, 0, 4, 0).status, 'STATUS_SUCCESS');
  is(n.NtLockFile(other, null, null, null, 2, 1, 0, false, true).status, 'STATUS_SUCCESS');
  for (const handle of [one, other]) n.NtClose(handle);
});

test('a file opened by ntdll backs a section', (t) => {
  const path = fileOf(t);
  writeFileSync(path, 'content');
  const file = opened(path, n.FILE_OPEN);
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, null, n.PAGE_READWRITE, n.SEC_COMMIT, file);
  is(status, 'STATUS_SUCCESS');
  n.NtClose(file);
  const { view, base } = mapped(sectionHandle);
  assert.equal(text(view.bytes.subarray(0, 7)), 'content');
  view.bytes[0] = 'C'.charCodeAt(0);
  is(n.NtFlushVirtualMemory(-1, base, 0).status, 'STATUS_SUCCESS');
  n.NtUnmapViewOfSection(-1, base);
  n.NtClose(sectionHandle);
  assert.equal(readFileSync(path, 'utf8'), 'Content');
});

test('rights of a file handle are what it was opened with', (t) => {
  const path = fileOf(t);
  writeFileSync(path, 'content');
  const reader = opened(path, n.FILE_OPEN, n.GENERIC_READ);
  is(n.NtWriteFile(reader, null, null, null, Buffer.from('x'), 1, 0).status, 'STATUS_ACCESS_DENIED');
  const section = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, null, n.PAGE_READWRITE, n.SEC_COMMIT, reader);
  is(section.status, 'STATUS_ACCESS_DENIED');
  n.NtClose(reader);
});
