/**
 * `sectile/ntdll`: section objects, their names and their handles in user mode, on real memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as n from 'sectile/ntdll';
import { platform } from '../support/platform.js';
import './runtime.js';
import { BOGUS, create, directory, is, mapped, named } from './user-mode.js';

test('a named section dies with its last handle, although views remain', () => {
  const first = n.NtCreateSection(n.SECTION_ALL_ACCESS, named('short-lived'), 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  is(first.status, 'STATUS_SUCCESS');
  const old = mapped(first.sectionHandle).view;
  old.bytes[0] = 1;
  const opened = n.NtOpenSection(n.SECTION_MAP_READ, named('short-lived'));
  is(opened.status, 'STATUS_SUCCESS');
  assert.equal(mapped(opened.sectionHandle, { protection: n.PAGE_READONLY }).view.bytes[0], 1);
  for (const { sectionHandle } of [first, opened]) is(n.NtClose(sectionHandle), 'STATUS_SUCCESS');
  is(n.NtOpenSection(n.SECTION_MAP_READ, named('short-lived')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  const second = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    named('short-lived', n.OBJ_OPENIF),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  is(second.status, 'STATUS_SUCCESS');
  assert.equal(mapped(second.sectionHandle).view.bytes[0], 0);
  assert.equal(old.bytes[0], 1);
  n.NtClose(second.sectionHandle);
});

test('creating where a section is: a collision, or with OBJ_OPENIF the section that is there', () => {
  const make = (attributes: number, access = n.SECTION_ALL_ACCESS) =>
    n.NtCreateSection(access, named('taken', attributes), 8192, n.PAGE_READONLY, n.SEC_COMMIT, null);
  const first = n.NtCreateSection(n.SECTION_ALL_ACCESS, named('taken'), 100, n.PAGE_READWRITE, n.SEC_RESERVE, null);
  is(make(0).status, 'STATUS_OBJECT_NAME_COLLISION');
  assert.equal(make(0).sectionHandle, 0);
  const again = make(n.OBJ_OPENIF);
  is(again.status, 'STATUS_OBJECT_NAME_EXISTS');
  assert.ok(n.NT_SUCCESS(again.status));
  assert.deepEqual(n.NtQuerySection(again.sectionHandle, n.SectionBasicInformation).sectionInformation, {
    BaseAddress: null,
    AllocationAttributes: n.SEC_RESERVE,
    MaximumSize: 4096,
  });
  is(make(n.OBJ_OPENIF, 0).status, 'STATUS_ACCESS_DENIED', 'STATUS_OBJECT_NAME_EXISTS');
  is(n.NtOpenSection(0, named('taken')).status, 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS');
  is(n.NtOpenSection(0, named('not taken')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  for (const { sectionHandle } of [first, again]) n.NtClose(sectionHandle);
});

test('access 0 creates, unlike it opens', () => {
  const made = n.NtCreateSection(0, named('nothing', n.OBJ_OPENIF), 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  is(made.status, 'STATUS_SUCCESS');
  is(n.NtQuerySection(made.sectionHandle, n.SectionBasicInformation).status, 'STATUS_ACCESS_DENIED');
  n.NtClose(made.sectionHandle);
});

test('object attributes are judged when they are used', () => {
  const attributes = n.InitializeObjectAttributes('\\BaseNamedObjects\\X', 0);
  assert.ok(Object.isFrozen(attributes));
  assert.deepEqual([attributes.Length, attributes.SecurityQualityOfService, attributes.RootDirectory], [48, null, null]);
  const section = create(4096);
  const oa = n.InitializeObjectAttributes;
  const longest = `${directory}\\`.padEnd(32_766, 'x');
  // Wine keeps what is to be permanent without asking for the privilege, and the name with it.
  const kept = ['STATUS_SUCCESS', 'STATUS_SUCCESS'] as const;
  const physical = '\\Device\\PhysicalMemory';
  const rows: [attributes: unknown, create: string, open: string, createOnWine?: string, openOnWine?: string][] = [
    [null, 'STATUS_SUCCESS', 'STATUS_INVALID_PARAMETER'],
    [{ ...attributes }, 'STATUS_INVALID_PARAMETER', 'STATUS_INVALID_PARAMETER'],
    [oa(null, 0), 'STATUS_SUCCESS', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
    [oa(null, 0, BOGUS), 'STATUS_OBJECT_NAME_INVALID', 'STATUS_OBJECT_NAME_INVALID'],
    [oa('', 0, BOGUS), 'STATUS_SUCCESS', 'STATUS_INVALID_HANDLE'],
    [oa('', 0, section), 'STATUS_SUCCESS', 'STATUS_OBJECT_TYPE_MISMATCH'],
    [oa('', 0), 'STATUS_SUCCESS', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
    [oa('x', 0, section), 'STATUS_OBJECT_TYPE_MISMATCH', 'STATUS_OBJECT_TYPE_MISMATCH'],
    [oa('x', 0, BOGUS), 'STATUS_INVALID_HANDLE', 'STATUS_INVALID_HANDLE'],
    [oa(7 as never, 0), 'STATUS_ACCESS_VIOLATION', 'STATUS_ACCESS_VIOLATION'],
    [oa('x', 0x800), 'STATUS_INVALID_PARAMETER', 'STATUS_INVALID_PARAMETER'],
    [oa('x', 1.5), 'STATUS_INVALID_PARAMETER', 'STATUS_INVALID_PARAMETER'],
    [oa(`${longest}x`, 0), 'STATUS_OBJECT_NAME_INVALID', 'STATUS_OBJECT_NAME_INVALID'],
    [oa(longest, 0), 'STATUS_SUCCESS', 'STATUS_OBJECT_NAME_NOT_FOUND'],
    [oa(`${directory}\\p`, n.OBJ_PERMANENT), platform.permanence, 'STATUS_OBJECT_NAME_NOT_FOUND', ...kept],
    [oa(`${directory}\\e`, n.OBJ_EXCLUSIVE), 'STATUS_SUCCESS', 'STATUS_OBJECT_NAME_NOT_FOUND'],
    [named('d', 0, 'no SDDL'), 'STATUS_INVALID_SECURITY_DESCR', 'STATUS_OBJECT_NAME_NOT_FOUND'],
    [named('d', 0, 5 as never), 'STATUS_INVALID_SECURITY_DESCR', 'STATUS_INVALID_SECURITY_DESCR'],
    [oa(physical, 0), 'STATUS_ACCESS_DENIED', 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS', 'STATUS_OBJECT_NAME_NOT_FOUND'],
    [oa('/dev/mem', 0), 'STATUS_OBJECT_PATH_SYNTAX_BAD', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ];
  for (const [given, onCreate, onOpen, createOnWine, openOnWine] of rows) {
    const made = n.NtCreateSection(n.SECTION_MAP_WRITE, given as n.ObjectAttributes, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
    is(made.status, onCreate, createOnWine);
    if (made.sectionHandle !== 0) is(n.NtClose(made.sectionHandle), 'STATUS_SUCCESS');
    is(n.NtOpenSection(n.SECTION_MAP_WRITE, given as n.ObjectAttributes).status, onOpen, openOnWine);
  }
  n.NtClose(section);
});

test('global names are the system process’s', { skip: platform.lacks.systemProcess }, () => {
  const attributes = n.InitializeObjectAttributes('\\BaseNamedObjects\\X', 0);
  is(n.NtCreateSection(1, attributes, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null).status, 'STATUS_OBJECT_PATH_NOT_FOUND');
  is(n.NtOpenSection(1, attributes).status, 'STATUS_OBJECT_PATH_NOT_FOUND');
});

test('a UNICODE_STRING names what its length counts', () => {
  const text = `${directory}\\counted name`;
  const bytes = text.length * 2;
  const counted = (Length: number, Buffer: string | bigint | null): n.UNICODE_STRING => ({
    Length,
    MaximumLength: bytes,
    Buffer,
  });
  const rows: [name: unknown, status: string][] = [
    [counted(bytes, text), 'STATUS_OBJECT_NAME_COLLISION'],
    [counted(bytes, `${text}, and more`), 'STATUS_OBJECT_NAME_COLLISION'],
    [counted(bytes + 2, text), 'STATUS_SUCCESS'],
    [counted(bytes - 2, text), 'STATUS_SUCCESS'],
    [counted(0, 0xdeadbee0n), 'STATUS_SUCCESS'],
    [counted(0, null), 'STATUS_SUCCESS'],
    [counted(bytes + 4, text), 'STATUS_ACCESS_VIOLATION'],
    [counted(2, null), 'STATUS_ACCESS_VIOLATION'],
    [counted(2, 0xdeadbee0n), 'STATUS_ACCESS_VIOLATION'],
    [counted(3, 0xdeadbee1n), 'STATUS_DATATYPE_MISALIGNMENT'],
    [counted(67, text), 'STATUS_OBJECT_NAME_INVALID'],
    [counted(65_534, text.padEnd(40_000)), 'STATUS_OBJECT_NAME_INVALID'],
    [{ Buffer: text }, 'STATUS_ACCESS_VIOLATION'],
    [Object.defineProperty({}, 'Length', { get: () => assert.fail() }), 'STATUS_ACCESS_VIOLATION'],
  ];
  const make = (name: unknown) =>
    n.NtCreateSection(n.SECTION_QUERY, n.InitializeObjectAttributes(name as string, 0), 1, n.PAGE_READONLY, n.SEC_COMMIT, null);
  const first = make(text);
  is(first.status, 'STATUS_SUCCESS');
  for (const [name, status] of rows) {
    const made = make(name);
    is(made.status, status);
    if (made.sectionHandle !== 0) n.NtClose(made.sectionHandle);
  }
  n.NtClose(first.sectionHandle);
});

test('names are counted strings: a NUL is a character, case matters', () => {
  const made = ['counted', 'counted\0', 'Counted'].map((name) => {
    const { status, sectionHandle } = n.NtCreateSection(n.GENERIC_ALL, named(name), 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
    is(status, 'STATUS_SUCCESS');
    return sectionHandle;
  });
  assert.equal(new Set(made).size, 3);
  is(n.NtOpenSection(n.GENERIC_READ, named('COUNTED')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  for (const handle of made) n.NtClose(handle);
});

test('the number of a closed handle is not used again soon', { skip: platform.lacks.freshHandles }, () => {
  const seen = new Set<number>();
  for (let round = 0; round < 1000; round++) {
    const handle = create(4096, n.PAGE_READWRITE, 0, n.SEC_RESERVE);
    assert.ok(!seen.has(handle));
    seen.add(handle);
    n.NtClose(handle);
  }
});

test('handles: multiples of four, and no kernel handle is worth anything', () => {
  const first = create(4096);
  assert.ok(first > 0 && first % 4 === 0);
  is(n.NtClose(first), 'STATUS_SUCCESS');
  for (const pseudo of [-1, -2]) is(n.NtClose(pseudo), 'STATUS_INVALID_HANDLE', 'STATUS_SUCCESS');
  for (const bogus of [first, 0, 0x8000_0000, 0x8000_0004 | 0, 0x7fff_ffff, 123, 1.5, Number.NaN, null, undefined, {}]) {
    is(n.NtClose(bogus as number), 'STATUS_INVALID_HANDLE');
  }
  const dropped = n.NtCreateSection(
    n.SECTION_QUERY,
    n.InitializeObjectAttributes(null, n.OBJ_KERNEL_HANDLE),
    1,
    n.PAGE_READONLY,
    n.SEC_COMMIT,
    null,
  );
  assert.ok(dropped.sectionHandle > 0);
  n.NtClose(dropped.sectionHandle);
  const kept = n.NtCreateSection(
    n.SECTION_QUERY,
    n.InitializeObjectAttributes(null, n.OBJ_PROTECT_CLOSE),
    1,
    n.PAGE_READONLY,
    n.SEC_COMMIT,
    null,
  );
  // Wine takes OBJ_PROTECT_CLOSE for nothing when it creates.
  is(n.NtClose(kept.sectionHandle), 'STATUS_HANDLE_NOT_CLOSABLE', 'STATUS_SUCCESS');
  is(n.NtQuerySection(kept.sectionHandle, n.SectionBasicInformation).status, 'STATUS_SUCCESS', 'STATUS_INVALID_HANDLE');
});

test('NtQuerySection judges class and length before the handle', () => {
  const section = create(5000, n.PAGE_READONLY, n.SECTION_ALL_ACCESS, n.SEC_COMMIT | n.SEC_NOCACHE);
  const blind = create(1, n.PAGE_READONLY, n.SECTION_MAP_READ);
  const basic = n.SectionBasicInformation;
  const rows: [handle: number, kind: number, length: number | undefined, status: string, onWine?: string][] = [
    [BOGUS, 99, 0, 'STATUS_INVALID_INFO_CLASS', 'STATUS_NOT_IMPLEMENTED'],
    [BOGUS, basic, 23, 'STATUS_INFO_LENGTH_MISMATCH'],
    [BOGUS, basic, 24, 'STATUS_INVALID_HANDLE'],
    [-1, basic, 24, 'STATUS_OBJECT_TYPE_MISMATCH'],
    [blind, basic, 24, 'STATUS_ACCESS_DENIED'],
    [section, n.SectionImageInformation, 63, 'STATUS_INFO_LENGTH_MISMATCH'],
    [section, n.SectionImageInformation, 64, 'STATUS_SECTION_NOT_IMAGE'],
    [section, basic, 25, 'STATUS_SUCCESS'],
  ];
  for (const [handle, kind, length, status, onWine] of rows) is(n.NtQuerySection(handle, kind, length).status, status, onWine);
  const { sectionInformation, returnLength } = n.NtQuerySection(section, basic);
  assert.deepEqual(sectionInformation, {
    BaseAddress: null,
    AllocationAttributes: n.SEC_COMMIT | n.SEC_NOCACHE,
    MaximumSize: 8192,
  });
  assert.equal(returnLength, 24);
  for (const handle of [section, blind]) n.NtClose(handle);
});
