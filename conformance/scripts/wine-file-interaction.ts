/**
 * Plays of wine-file-interaction: what sections and views do to the files below them.
 */
import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { createFile, openFile, READ_WRITE, SHARE_ALL } from '../support/files.js';
import { family, type Trial } from '../support/trial.js';
import { errorNameOf, numberOf } from '../support/values.js';

const size = (path: string): number => statSync(path).size;

/** A mapping of an open file. */
function mapping(t: Trial, file: number, protect: number, bytes = 0): number {
  const handle = w.CreateFileMapping(file, null, protect, 0, bytes, null);
  assert.notEqual(handle, 0, `create the mapping: ${errorNameOf(w.GetLastError())}`);
  return t.keep(handle);
}

function viewOf(t: Trial, section: number, access: number, bytes = 0): w.View {
  const view = w.MapViewOfFile(section, access, 0, 0, bytes);
  assert.ok(view !== null, `map the view: ${errorNameOf(w.GetLastError())}`);
  t.after(() => w.UnmapViewOfFile(view));
  return view;
}

/** The file of test_file_size, 6 bytes, with a section of 4 bytes over it. */
function sizedFile(t: Trial, protect: number): { readonly path: string; readonly file: number; readonly section: number } {
  const path = t.file(6);
  const file = openFile(t, path);
  return { path, file, section: mapping(t, file, protect, 4) };
}

function setEnd(file: number, bytes: number): boolean {
  assert.equal(w.SetFilePointerEx(file, bytes, w.FILE_BEGIN), bytes);
  return w.SetEndOfFile(file);
}

function createOverFile(t: Trial): void {
  const { inputs } = t;
  const path = t.file(Number(/^(\d+)-byte RW file$/.exec(String(inputs.file))?.[1]));
  const section = w.CreateFileMapping(openFile(t, path), null, numberOf(inputs.protect), 0, Number(inputs.size), null);
  t.keep(section);
  t.win32(section !== 0);
  t.equal('fileSizeAfter', size(path));
}

/** The protection that the rows after wine-file-001 or wine-file-011 go on with. */
const protections = new Map([
  ['wine-file-001', n.PAGE_READONLY],
  ['wine-file-007', n.PAGE_READONLY],
  ['wine-file-011', n.PAGE_READWRITE],
  ['wine-file-017', n.PAGE_READWRITE],
]);
/** The rows that close the section and leave a view. */
const viewOnly = ['wine-file-007', 'wine-file-017'];

function stage(t: Trial) {
  const before = t.case.after?.[0] ?? assert.fail();
  const protect = protections.get(before) ?? assert.fail();
  const { path, file, section } = sizedFile(t, protect);
  if (!viewOnly.includes(before)) return { path, file, view: null };
  const view = viewOf(t, section, protect === n.PAGE_READONLY ? w.FILE_MAP_READ : w.FILE_MAP_WRITE, 4);
  assert.ok(w.CloseHandle(section));
  return { path, file, view };
}

function setEndOfFile(t: Trial): void {
  const { path, file } = stage(t);
  const wanted = Number(t.inputs.newSize);
  // A row that is refused stands after one that grew the file to the size that it keeps.
  if (t.case.expect.ok === false) assert.ok(setEnd(file, Number(t.case.expect.fileSize)));
  t.win32(setEnd(file, wanted));
  if ('fileSize' in t.case.expect) t.equal('fileSize', size(path));
  else assert.equal(size(path), wanted);
}

function mapAndClose(t: Trial): void {
  const protect = protections.get(t.case.after?.[0] ?? '') ?? assert.fail();
  const { section } = sizedFile(t, protect);
  const view = w.MapViewOfFile(section, numberOf(t.inputs.access), 0, 0, Number(t.inputs.size));
  t.win32(view !== null && w.CloseHandle(section));
  assert.deepEqual([...(view as w.View).bytes.subarray(0, 4)], [0, 1, 2, 3]);
  assert.ok(w.UnmapViewOfFile(view as w.View));
}

function unmapAndShrink(t: Trial): void {
  const { path, file, view } = stage(t);
  assert.ok(setEnd(file, 16384));
  t.win32(view !== null && w.UnmapViewOfFile(view) && setEnd(file, 6));
  t.equal('fileSize', size(path));
}

export function mapFile(t: Trial): void {
  const { inputs } = t;
  const path = t.file(t.case.given === 'file now 0x1000 bytes' ? 0x1000 : 0);
  const bytes = BigInt(String(inputs.size));
  const section = w.CreateFileMapping(
    openFile(t, path),
    null,
    numberOf(inputs.protect),
    Number(bytes >> 32n),
    Number(bytes & 0xffff_ffffn),
    (inputs.name as string | undefined) ?? null,
  );
  t.keep(section);
  t.win32(section !== 0);
  if ('fileGrowsTo' in t.case.expect) t.equal('fileGrowsTo', size(path));
}

/** What the rows of test_file_disposition_information have done before they set the disposition. */
function mapped(t: Trial, file: number, state: string): void {
  const section = mapping(t, file, numberOf(t.inputs.protect ?? 'PAGE_READONLY'), Number(t.inputs.size ?? 4));
  if (state === 'section handle open' || state === 'section or view present') return;
  if (state === 'section handle opened and closed again') {
    assert.ok(w.CloseHandle(section));
    return;
  }
  const view = viewOf(t, section, w.FILE_MAP_READ, 4);
  assert.ok(w.CloseHandle(section));
  if (state === 'section closed, view still mapped') return;
  assert.equal(state, 'view unmapped');
  assert.ok(w.UnmapViewOfFile(view));
}

export function disposition(t: Trial): void {
  const path = t.file(6);
  const file = openFile(t, path, READ_WRITE | n.DELETE);
  mapped(t, file, String(t.inputs.state));
  const DeleteFile = t.case.call.includes('DoDeleteFile=TRUE');
  t.status(n.NtSetInformationFile(file, { DeleteFile }, n.FileDispositionInformation).status);
  n.NtClose(file);
  if (String(t.expect.status).includes('file deleted on close')) assert.ok(!existsSync(path));
  else assert.ok(existsSync(path));
}

/** A file of which only a section is left open. */
function onlySection(t: Trial): string {
  const path = t.file(4096);
  const file = openFile(t, path);
  mapping(t, file, numberOf(t.inputs.sectionProtect));
  assert.ok(w.CloseHandle(file));
  return path;
}

const DATA_ACCESS = [n.GENERIC_READ, n.GENERIC_WRITE, READ_WRITE, n.DELETE];
const NO_WRITE_SHARING = [0, w.FILE_SHARE_READ, w.FILE_SHARE_DELETE, w.FILE_SHARE_READ | w.FILE_SHARE_DELETE];

export function sharing(t: Trial): void {
  const without = t.case.call.includes('without FILE_SHARE_WRITE');
  const shares = without ? NO_WRITE_SHARING : NO_WRITE_SHARING.map((share) => share | w.FILE_SHARE_WRITE);
  const path = onlySection(t);
  for (const access of without ? DATA_ACCESS : [0, ...DATA_ACCESS]) {
    for (const share of shares) {
      const handle = w.CreateFile(path, access >>> 0, share, null, w.OPEN_EXISTING, 0);
      t.win32(handle !== w.INVALID_HANDLE_VALUE, `access ${(access >>> 0).toString(16)}, sharing ${share}`);
      if (handle !== w.INVALID_HANDLE_VALUE) w.CloseHandle(handle);
    }
  }
}

export function createAlways(t: Trial): void {
  const path = onlySection(t);
  const handle = w.CreateFile(path, n.GENERIC_WRITE, w.FILE_SHARE_READ | w.FILE_SHARE_WRITE, null, w.CREATE_ALWAYS, 0);
  t.win32(handle !== w.INVALID_HANDLE_VALUE);
  assert.equal(size(path), 4096);
}

export function deleteOnClose(t: Trial): void {
  const path = onlySection(t);
  const handle = w.CreateFile(path, n.GENERIC_READ | n.DELETE, SHARE_ALL, null, w.OPEN_EXISTING, w.FILE_FLAG_DELETE_ON_CLOSE);
  t.win32(handle !== w.INVALID_HANDLE_VALUE);
  assert.ok(w.CloseHandle(handle));
}

function copyOver(t: Trial): void {
  const source = t.file(100);
  const path = t.file(4096);
  const share = t.case.call.includes('READ|WRITE') ? w.FILE_SHARE_READ | w.FILE_SHARE_WRITE : w.FILE_SHARE_READ;
  const file = createFile(t, path, READ_WRITE, share, w.OPEN_EXISTING);
  mapping(t, file, n.PAGE_READONLY);
  t.win32(w.CopyFile(source, path, false));
  assert.equal(size(path), 4096);
}

function move(t: Trial): void {
  const path = t.file(4096);
  const file = createFile(t, path, READ_WRITE, w.FILE_SHARE_READ | w.FILE_SHARE_WRITE, w.OPEN_EXISTING);
  mapping(t, file, n.PAGE_READONLY);
  t.win32(w.MoveFile(path, join(t.folder(), 'moved')));
  assert.ok(existsSync(path));
}

function typeOfSection(t: Trial): void {
  const section = mapping(t, w.INVALID_HANDLE_VALUE, w.PAGE_READWRITE, 4096);
  assert.equal(w.GetFileType(section), numberOf(t.expect.returns));
  assert.equal(errorNameOf(w.GetLastError()), t.expect.lastError);
}

/** The view that the rows of GetMappedFileName ask about. */
function namedView(t: Trial): { readonly path: string; readonly base: bigint } {
  const path = t.file(16384);
  const section = mapping(t, openFile(t, path), n.PAGE_READONLY);
  return { path, base: viewOf(t, section, w.FILE_MAP_READ).address };
}

function mappedName(t: Trial): void {
  const { path, base } = namedView(t);
  const { call } = t.case;
  const within = /\(view \+ (0x[\da-f]+)/.exec(call)?.[1];
  const process = call.includes('process 0') ? 0 : w.GetCurrentProcess();
  const address = call.includes('NULL address') ? null : base + BigInt(within ?? 0);
  if (call.includes('page-file')) {
    const section = mapping(t, w.INVALID_HANDLE_VALUE, w.PAGE_READWRITE, 4096);
    t.win32(w.GetMappedFileName(process, viewOf(t, section, w.FILE_MAP_READ).address) !== null);
    return;
  }
  const name = w.GetMappedFileName(process, address as bigint);
  t.win32(name !== null);
  if (!('name' in t.case.expect)) return;
  t.words('name', {
    'starts with the NT device name': () => {
      assert.match(String(name), /^\\Device\\[^\\]+\\/);
      assert.ok(String(name).endsWith(basename(path)), String(name));
    },
  });
}

export const scripts = family({
  'wine-file-001, wine-file-011': createOverFile,
  'wine-file-002..006, wine-file-008..009, wine-file-012..016, wine-file-018..019': setEndOfFile,
  'wine-file-007, wine-file-017': mapAndClose,
  'wine-file-010, wine-file-020': unmapAndShrink,
  'wine-file-021..024': mapFile,
  'wine-file-025..029': disposition,
  'wine-file-030..031, wine-file-034..035, wine-file-038..039': sharing,
  'wine-file-032, wine-file-036, wine-file-040': createAlways,
  'wine-file-033, wine-file-037, wine-file-041': deleteOnClose,
  'wine-file-042..043': copyOver,
  'wine-file-044': move,
  'wine-file-045': typeOfSection,
  'wine-file-046..051': mappedName,
});
