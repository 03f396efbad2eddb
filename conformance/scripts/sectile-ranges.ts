/**
 * Plays of our own vectors on sections that grow and on flushes.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { openFile } from '../support/files.js';
import { kernelSection, openKernelFile } from '../support/kernel.js';
import { attributes, kinds, made } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { numberOf } from '../support/values.js';

/** The calls of the face that the row is for. */
function face(t: Trial) {
  if (t.case.mode !== 'kernel') {
    return { query: n.NtQuerySection, extend: n.NtExtendSection, map: n.NtMapViewOfSection, unmap: n.NtUnmapViewOfSection };
  }
  const { k } = t;
  return { query: k.ZwQuerySection, extend: k.ZwExtendSection, map: k.ZwMapViewOfSection, unmap: k.ZwUnmapViewOfSection };
}

/** A section with all access and, where the row has one, its file. */
function sectionOfRow(t: Trial): { readonly section: number; readonly path: string | null } {
  const { inputs } = t;
  const path = inputs.file === null ? null : t.file(Number(inputs.file));
  const size = path === null ? 4096 : ((inputs.sectionSize as number | undefined) ?? null);
  if (t.case.mode === 'kernel') {
    return { section: kernelSection(t, size, { file: path === null ? null : openKernelFile(t, path) }), path };
  }
  const file = path === null ? null : openFile(t, path);
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, size, n.PAGE_READWRITE, n.SEC_COMMIT, file);
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  return { section: t.keep(sectionHandle), path };
}

/** The same section by a handle that holds only some rights. */
function withAccess(t: Trial, section: number, access: number): number {
  const self = n.NtCurrentProcess();
  const duplicate = t.case.mode === 'kernel' ? t.k.ZwDuplicateObject : n.NtDuplicateObject;
  const { status, targetHandle } = duplicate(self, section, self, access, 0, 0);
  t.is(status, 'STATUS_SUCCESS', 'duplicate the handle');
  return t.keep(targetHandle);
}

const strangers: Readonly<Record<string, (t: Trial) => number>> = {
  '0': () => 0,
  '0x7ff0': () => 0x7ff0,
  'an event': (t) => made(t, kinds.Event, null),
  'current process': () => n.NtCurrentProcess(),
};

function wholeView(t: Trial, section: number): n.View {
  const { map, unmap } = face(t);
  const self = n.NtCurrentProcess();
  const { status, view } = map(section, self, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READWRITE);
  t.is(status, 'STATUS_SUCCESS', 'map a view');
  assert.ok(view !== null);
  t.after(() => view.closed || unmap(self, view.address));
  return view;
}

function extend(t: Trial): void {
  const { inputs } = t;
  const newSize = Number(inputs.newSize);
  if (inputs.handle !== undefined) {
    const handle = strangers[String(inputs.handle)]?.(t) ?? assert.fail(`nobody here knows ${String(inputs.handle)}`);
    t.status(n.NtExtendSection(handle, newSize).status);
    return;
  }
  const { section, path } = sectionOfRow(t);
  const before = 'oldViewSize' in t.case.expect ? wholeView(t, section) : null;
  const { status, newSectionSize } = face(t).extend(withAccess(t, section, numberOf(inputs.access)), newSize);
  t.status(status);
  if ('newSectionSize' in t.case.expect) t.equal('newSectionSize', newSectionSize);
  t.equal('sectionSize', face(t).query(section, n.SectionBasicInformation).sectionInformation?.MaximumSize);
  if (path !== null) t.equal('fileSize', statSync(path).size);
  if (before === null) return;
  t.equal('oldViewSize', before.length);
  const after = wholeView(t, section);
  t.equal('newViewSize', after.length);
  before.bytes[1] = 0xaa;
  assert.equal(after.bytes[1], 0xaa);
}

const PAGES = 3 * 4096;

/** The view that a row of flushes is about. */
function flushedView(t: Trial): { readonly view: n.View; readonly address: bigint } {
  const kind = String(t.inputs.view);
  const protections: Readonly<Record<string, number>> = { 'copy-on-write': n.PAGE_WRITECOPY, 'read-only': n.PAGE_READONLY };
  const path = kind === 'pagefile' ? null : t.file(PAGES);
  const { map, unmap } = face(t);
  const open = t.case.mode === 'kernel' ? openKernelFile : openFile;
  const create = t.case.mode === 'kernel' ? t.k.ZwCreateSection : n.NtCreateSection;
  const { status, sectionHandle } = create(
    n.SECTION_ALL_ACCESS,
    attributes(null),
    PAGES,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    path === null ? null : open(t, path),
  );
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  t.keep(sectionHandle);
  const self = n.NtCurrentProcess();
  const mapped = map(sectionHandle, self, null, 0, 0, null, 0, n.ViewUnmap, 0, protections[kind] ?? n.PAGE_READWRITE);
  t.is(mapped.status, 'STATUS_SUCCESS', 'map the view');
  const { view } = mapped;
  assert.ok(view !== null);
  const { address } = view;
  t.after(() => view.closed || unmap(self, address));
  if (kind === 'unmapped') t.is(unmap(self, address), 'STATUS_SUCCESS', 'unmap the view');
  return { view, address };
}

/** `view + 0x1000`, `0x10000`: an address. */
function addressOf(text: unknown, view: bigint): bigint {
  return String(text)
    .replace(/ - /g, ' + -')
    .split(' + ')
    .map((part) => (part === 'view' ? view : part.startsWith('-') ? -BigInt(part.slice(1)) : BigInt(part)))
    .reduce((sum, each) => sum + each, 0n);
}

function flush(t: Trial): void {
  const { inputs } = t;
  const { address } = flushedView(t);
  const base = addressOf(inputs.base, address);
  const size = BigInt(String(inputs.size));
  if (t.case.mode === 'win32') {
    t.win32(w.FlushViewOfFile(base, size));
    return;
  }
  const call = t.case.mode === 'kernel' ? t.k.ZwFlushVirtualMemory : n.NtFlushVirtualMemory;
  const { status, baseAddress, regionSize } = call(n.NtCurrentProcess(), base, size);
  t.status(status);
  if (!('base' in t.case.expect)) return;
  assert.equal(baseAddress, addressOf(t.expect.base, address));
  t.equal('size', regionSize);
}

export const scripts = family({ 'sectile-extend-001..014': extend, 'sectile-flush-001..038': flush });
