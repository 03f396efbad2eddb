/**
 * Plays of ms-docs-assertions about views, in Win32.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { skip } from '../script.js';
import { openFile } from '../support/files.js';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { errorNameOf, numberOf } from '../support/values.js';
import { BOTH, mapping, tryView, viewOf } from '../support/win32.js';

/** The error that the row's note has from the suites, where it has one. */
function noted(t: Trial): void {
  const error = /^tests: (ERROR_\w+)/.exec(t.case.note ?? '')?.[1];
  if (error !== undefined) assert.equal(errorNameOf(w.GetLastError()), error);
}

function fails(t: Trial, view: w.View | null): void {
  t.win32(view !== null);
  noted(t);
}

function misalignedBase(t: Trial): void {
  const section = mapping(t, 4096);
  for (const base of [0x2000_1000n, 0x2000_0001n, 0x2000_8000n]) fails(t, tryView(t, section, BOTH, 0, 0, base));
}

function occupiedBase(t: Trial): void {
  const section = mapping(t, 4096);
  fails(t, tryView(t, section, BOTH, 0, 0, viewOf(t, section, BOTH).address));
}

/** What VirtualQuery says of a view, without where it is. */
function shape(view: w.View): unknown {
  const { BaseAddress, AllocationBase, ...rest } = w.VirtualQuery(view) ?? assert.fail();
  return { ...rest, starts: BaseAddress === AllocationBase, aligned: view.address % 0x1_0000n };
}

function nullBase(t: Trial): void {
  const section = mapping(t, 9000);
  t.words('equals', {
    MapViewOfFile: () => {
      const view = w.MapViewOfFile(section, BOTH, 0, 0, 0);
      assert.ok(view !== null);
      t.after(() => w.UnmapViewOfFile(view));
      const other = tryView(t, section, BOTH, 0, 0, t.inputs.baseAddress as null);
      assert.ok(other !== null);
      assert.deepEqual(shape(other), shape(view));
    },
  });
}

function misalignedOffset(t: Trial): void {
  const section = mapping(t, 0x4_0000);
  for (const offset of [1, 4096, 0x1_8000]) fails(t, tryView(t, section, BOTH, 4096, offset));
}

function toTheEnd(t: Trial): void {
  const section = mapping(t, 0x3_3000);
  const view = tryView(t, section, BOTH, Number(t.inputs.size), 0x2_0000);
  t.win32(view !== null);
  t.words('viewEnds', { 'end of the section': () => assert.equal(view?.length, 0x1_3000) });
}

function beyondEnd(t: Trial): void {
  const section = mapping(t, 0x2_0000);
  fails(t, tryView(t, section, BOTH, 0x1_0001, 0x1_0000));
  fails(t, tryView(t, section, BOTH, 0x2_0001));
}

function sameAccess(t: Trial): void {
  const section = mapping(t, 4096);
  const view = viewOf(t, section, numberOf(t.inputs.access));
  assert.deepEqual(shape(view), shape(viewOf(t, section, numberOf(t.expect.equals))));
}

function writeToReadOnly(t: Trial): void {
  const section = mapping(t, 4096);
  const [readOnly, other] = [viewOf(t, section, w.FILE_MAP_READ), viewOf(t, section, BOTH)];
  t.words('fault', {
    'access violation': () => {
      readOnly.bytes[0] = 1;
      assert.equal(readOnly.fault?.kind, 'write-to-read-only');
      assert.equal(other.bytes[0], 0);
    },
  });
}

function copyOnWrite(t: Trial): void {
  const path = t.file(8192);
  const section = mapping(t, 0, { file: openFile(t, path), protect: numberOf(t.inputs.sectionProtect) });
  const view = tryView(t, section, numberOf(t.inputs.access));
  t.win32(view !== null);
  const other = viewOf(t, section, w.FILE_MAP_READ);
  t.words('write', {
    'goes to a private page; not seen by file or other views': () => {
      assert.ok(view !== null);
      view.bytes[1] = 0xaa;
      assert.deepEqual([view.bytes[1], other.bytes[1], readFileSync(path)[1]], [0xaa, 1, 1]);
      assert.equal(view.fault, null);
    },
  });
}

function protectionOfWritten(t: Trial): void {
  const view = viewOf(t, mapping(t, 8192), w.FILE_MAP_COPY);
  t.words('Protect', {
    'PAGE_READWRITE (was PAGE_WRITECOPY)': () => {
      assert.equal(w.VirtualQuery(view)?.Protect, w.PAGE_WRITECOPY);
      view.bytes[0] = 1;
      assert.equal(w.VirtualQuery(view)?.Protect, w.PAGE_READWRITE);
      assert.equal(w.VirtualQuery(view)?.RegionSize, 4096);
      assert.equal(w.VirtualQuery(view.address + 4096n)?.Protect, w.PAGE_WRITECOPY);
    },
  });
}

const KIB = 1024;

function windowIntoFile(t: Trial): void {
  const [, wanted, at] = /^(\d+)K at file offset (\d+)K$/.exec(String(t.inputs.want)) ?? assert.fail();
  const [, total, offset, size] = /\((\d+)K\) \+ MapViewOfFile\(offset (\d+)K, (\d+)K\)/.exec(t.case.call) ?? assert.fail();
  const bytes = new Uint8Array(Number(total) * KIB);
  bytes.fill(0x5a, Number(at) * KIB, (Number(at) + Number(wanted)) * KIB);
  const section = mapping(t, bytes.length, { file: openFile(t, t.file(bytes)) });
  const view = tryView(t, section, w.FILE_MAP_READ, Number(size) * KIB, Number(offset) * KIB);
  t.win32(view !== null);
  const start = Number(/^view \+ (\d+)K$/.exec(String(t.expect.dataAt))?.[1]) * KIB;
  assert.equal(view?.bytes.indexOf(0x5a), start);
  assert.equal(view?.bytes.lastIndexOf(0x5a), start + Number(wanted) * KIB - 1);
}

function flushAll(t: Trial): void {
  const path = t.file(8192);
  const view = viewOf(t, mapping(t, 0, { file: openFile(t, path) }), BOTH);
  view.bytes[5000] = 0xcc;
  t.win32(w.FlushViewOfFile(view.address + 4096n, Number(t.inputs.size)));
  t.words('range', {
    'base to end of mapping': () => {
      const { status, baseAddress, regionSize } = n.NtFlushVirtualMemory(n.NtCurrentProcess(), view.address + 4096n, 0);
      t.is(status, 'STATUS_SUCCESS', 'NtFlushVirtualMemory');
      assert.deepEqual({ baseAddress, regionSize }, { baseAddress: view.address + 4096n, regionSize: 4096 });
      assert.equal(readFileSync(path)[5000], 0xcc);
    },
  });
}

function unmapInside(t: Trial): void {
  // The suites refute the page: any address inside the view unmaps it.
  assert.equal(t.expect.ok, false);
  const view = viewOf(t, mapping(t, 8192), BOTH);
  assert.ok(w.UnmapViewOfFile(view.address + 4100n));
  assert.equal(view.length, 0);
}

function fileHeldOpen(t: Trial): void {
  const path = t.file(8192);
  const file = openFile(t, path);
  const section = mapping(t, 0, { file });
  const view = viewOf(t, section, BOTH);
  assert.ok(w.CloseHandle(section) && w.CloseHandle(file));
  const other = openFile(t, path);
  const shrunk = (): boolean => w.SetFilePointerEx(other, 1, w.FILE_BEGIN) === 1 && w.SetEndOfFile(other);
  t.equal('fileHeldOpen', !shrunk() && errorNameOf(w.GetLastError()) === 'ERROR_USER_MAPPED_FILE');
  assert.equal(view.bytes[17], 17);
  assert.ok(w.UnmapViewOfFile(view));
  assert.ok(shrunk());
}

function copyWithReadHandle(t: Trial): void {
  const name = t.name();
  mapping(t, 4096, { name });
  const section = t.keep(w.OpenFileMapping(numberOf(t.inputs.handleAccess), false, name));
  t.win32(tryView(t, section, numberOf(t.inputs.access)) !== null);
}

function physicalMemory(t: Trial): void {
  for (const access of [n.SECTION_MAP_READ, n.SECTION_ALL_ACCESS, n.MAXIMUM_ALLOWED]) {
    const { status } = n.NtOpenSection(access, attributes('\\Device\\PhysicalMemory', n.OBJ_CASE_INSENSITIVE));
    assert.equal(n.NT_SUCCESS(status), t.expect.ok);
  }
}

const untestable = (reason: string) => (t: Trial) => {
  assert.equal(t.case.testable, false);
  skip(reason);
};

export const scripts = family({
  'ms-docs-028': misalignedBase,
  'ms-docs-029': occupiedBase,
  'ms-docs-030': nullBase,
  'ms-docs-031': misalignedOffset,
  'ms-docs-032': toTheEnd,
  'ms-docs-033': beyondEnd,
  'ms-docs-034..035': sameAccess,
  'ms-docs-036': writeToReadOnly,
  'ms-docs-037': copyOnWrite,
  'ms-docs-038': protectionOfWritten,
  'ms-docs-039': untestable('the statement is about files on another machine'),
  'ms-docs-040': untestable('the page promises nothing here, so nothing can break the promise; here both are coherent'),
  'ms-docs-041': windowIntoFile,
  'ms-docs-042': flushAll,
  'ms-docs-043': untestable('whether a disk was waited for cannot be seen from outside'),
  'ms-docs-044': unmapInside,
  'ms-docs-045': fileHeldOpen,
  'ms-docs-050': copyWithReadHandle,
  'ms-docs-071': physicalMemory,
});
