/**
 * Sections over files that are extended: how far they reach then, for whom, and what cannot be extended.
 */
import assert from 'node:assert/strict';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { runSystem } from '../../dist/system/run.js';
import { run, start } from '../support/child.js';
import grower from './grower.js';
import { runtimeDirectory } from './runtime.js';
import { BOGUS, create, directory, is, map, mapped } from './user-mode.js';

const PAGE = 4096;
const env = { SECTILE_RUNTIME_DIR: runtimeDirectory };

function fileOf(name: string, size: number): string {
  const path = join(runtimeDirectory, name);
  writeFileSync(path, Buffer.alloc(size, 1));
  return path;
}

/** A section over a file, for as long as the test runs. */
function over(
  t: TestContext,
  path: string,
  { name = null, protection = n.PAGE_READWRITE, size = 0 }: { name?: string | null; protection?: number; size?: number } = {},
): number {
  const share = w.FILE_SHARE_READ | w.FILE_SHARE_WRITE;
  const writes = protection === n.PAGE_READWRITE;
  const file = w.CreateFile(path, w.GENERIC_READ | (writes ? w.GENERIC_WRITE : 0), share, null, w.OPEN_EXISTING, 0);
  assert.notEqual(file, w.INVALID_HANDLE_VALUE);
  const { status, sectionHandle } = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    n.InitializeObjectAttributes(name, 0),
    size,
    protection,
    n.SEC_COMMIT,
    file,
  );
  is(status, 'STATUS_SUCCESS');
  t.after(() => [file, sectionHandle].map((handle) => n.NtClose(handle)));
  return sectionHandle;
}

const sizeOf = (handle: number) => n.NtQuerySection(handle, n.SectionBasicInformation).sectionInformation?.MaximumSize;

test('an extended section maps further, its file is as long, and views stay as they are', (t) => {
  const path = fileOf('grows', 5000);
  const section = over(t, path);
  const { targetHandle: duplicate } = n.NtDuplicateObject(
    n.NtCurrentProcess(),
    section,
    n.NtCurrentProcess(),
    0,
    0,
    n.DUPLICATE_SAME_ACCESS,
  );
  const { view: old } = mapped(section);
  const wide = 3 * 65_536 + 10;
  assert.deepEqual(n.NtExtendSection(section, BigInt(wide)), { status: n.STATUS_SUCCESS, newSectionSize: wide });
  assert.deepEqual([sizeOf(section), sizeOf(duplicate), statSync(path).size], [wide, wide, wide]);
  const { view, base } = mapped(duplicate);
  view.bytes[wide - 1] = 9;
  assert.equal(view.bytes[0], 1);
  assert.equal(old.length, 2 * PAGE);
  const { view: end } = mapped(section, { offset: 3 * 65_536 });
  assert.equal(end.bytes[9], 9);
  is(map(section, { offset: 4 * 65_536 }).status, 'STATUS_INVALID_VIEW_SIZE');
  for (const each of [old, view, end]) is(n.NtUnmapViewOfSection(n.NtCurrentProcess(), each.address), 'STATUS_SUCCESS');
  assert.equal(base, view.address);
  n.NtClose(duplicate);
});

test('asking for less changes nothing; a file that is long enough is not grown', (t) => {
  const path = fileOf('long', 3 * PAGE);
  const section = over(t, path, { size: PAGE });
  for (const size of [0, 1, PAGE]) assert.equal(n.NtExtendSection(section, size).newSectionSize, PAGE);
  assert.equal(n.NtExtendSection(section, 2 * PAGE).newSectionSize, 2 * PAGE);
  assert.equal(n.NtExtendSection(section, PAGE).newSectionSize, 2 * PAGE);
  assert.deepEqual([sizeOf(section), statSync(path).size], [2 * PAGE, 3 * PAGE]);
});

test('what cannot be extended', (t) => {
  const path = fileOf('refused', PAGE);
  const readOnly = over(t, path, { protection: n.PAGE_READONLY });
  const weak = n.NtDuplicateObject(n.NtCurrentProcess(), readOnly, n.NtCurrentProcess(), n.SECTION_QUERY, 0, 0).targetHandle;
  const paging = create(PAGE);
  const rows: [handle: number, size: unknown, status: string][] = [
    [paging, 2 * PAGE, 'STATUS_SECTION_NOT_EXTENDED'],
    [readOnly, 2 * PAGE, 'STATUS_SECTION_NOT_EXTENDED'],
    [readOnly, 2 ** 50, 'STATUS_SECTION_TOO_BIG'],
    [readOnly, PAGE, 'STATUS_SUCCESS'],
    [weak, PAGE, 'STATUS_ACCESS_DENIED'],
    [BOGUS, PAGE, 'STATUS_INVALID_HANDLE'],
    [n.NtCurrentProcess(), PAGE, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [readOnly, 'more', 'STATUS_INVALID_PARAMETER'],
  ];
  for (const [handle, size, status] of rows) is(n.NtExtendSection(handle, size as number).status, status);
  assert.equal(statSync(path).size, PAGE);
  for (const handle of [weak, paging]) n.NtClose(handle);
});

/** One process has the section, one extends it, one sees that. */
async function acrossProcesses(t: TestContext, name: string, file: string): Promise<void> {
  const section = over(t, fileOf(file, 2 * PAGE), { name });
  const looker = start(t, grower, 'sees how far a section reaches now', { env, args: [name, 2 * PAGE, 5 * PAGE] });
  await looker.reached('opened');
  await run(t, grower, 'extends a section', { env, args: [name, 5 * PAGE] });
  looker.tell('look');
  await looker.endsWell();
  assert.equal(sizeOf(section), 5 * PAGE);
  const again = n.NtOpenSection(n.SECTION_QUERY, n.InitializeObjectAttributes(name, 0)).sectionHandle;
  assert.equal(sizeOf(again), 5 * PAGE);
  n.NtClose(again);
}

test('a local section is extended for every process', async (t) => {
  await acrossProcesses(t, `${directory}\\extended`, 'local');
});

test('a global section is extended for every process, the system process among them', async (t) => {
  const system = await runSystem({ log: () => {} });
  t.after(() => system.stop());
  await acrossProcesses(t, '\\BaseNamedObjects\\extended', 'global');
});

test('NtCreateSectionEx judges its parameters first', () => {
  const make = (parameters: unknown, count?: number, size = PAGE) =>
    n.NtCreateSectionEx(n.SECTION_QUERY, null, size, n.PAGE_READONLY, n.SEC_COMMIT, null, parameters as null, count);
  const node = { Type: n.MemSectionExtendedParameterNumaNode, ULong: 0 };
  const rows: [parameters: unknown, count: number | undefined, status: string][] = [
    [null, undefined, 'STATUS_SUCCESS'],
    [null, 0, 'STATUS_SUCCESS'],
    [[node], 1, 'STATUS_SUCCESS'],
    [[node, node], 1, 'STATUS_SUCCESS'],
    [[node, node], undefined, 'STATUS_INVALID_PARAMETER'],
    [null, 1, 'STATUS_INVALID_PARAMETER'],
    [[node], 2, 'STATUS_INVALID_PARAMETER'],
    [[{ Type: n.MemSectionExtendedParameterNumaNode }], 1, 'STATUS_INVALID_PARAMETER'],
    [[{ Type: n.MemSectionExtendedParameterSigningLevel, ULong: 0 }], 1, 'STATUS_INVALID_PARAMETER'],
    [[{ Type: 9 }], 1, 'STATUS_INVALID_PARAMETER'],
    [[null], 1, 'STATUS_INVALID_PARAMETER'],
    ['many', 1, 'STATUS_INVALID_PARAMETER'],
    [[{ Type: n.MemSectionExtendedParameterUserPhysicalFlags, ULong: 1 }], 1, 'STATUS_NOT_SUPPORTED'],
  ];
  for (const [parameters, count, status] of rows) {
    const made = make(parameters, count);
    is(made.status, status);
    if (made.sectionHandle !== 0) n.NtClose(made.sectionHandle);
  }
  is(make([{ Type: 9 }], 1, 0).status, 'STATUS_INVALID_PARAMETER');
  is(make(null, 0, 0).status, 'STATUS_INVALID_PARAMETER_4');
});
