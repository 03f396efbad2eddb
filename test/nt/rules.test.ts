/**
 * The rule tables of the NT and Win32 faces against the same rules spelled out as a reader of the
 * documentation would write them down: which protections go together, which check comes first.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Status, statusName } from '../../dist/base/status.js';
import * as k from '../../dist/nt/constants.js';
import { allowsView, fileRightsFor, isSectionProtection, isViewProtection, viewKind } from '../../dist/nt/protection.js';
import {
  addressLimit,
  type CreateRequest,
  createRules,
  firstBroken,
  type MapOfSection,
  type MapRequest,
  mapOfSectionRules,
  mapRules,
} from '../../dist/nt/rules.js';
import { openAccess, parseProtect, viewProtection } from '../../dist/win32/rules.js';

const protections = {
  NO: k.PAGE_NOACCESS,
  RO: k.PAGE_READONLY,
  WC: k.PAGE_WRITECOPY,
  RW: k.PAGE_READWRITE,
  X: k.PAGE_EXECUTE,
  XR: k.PAGE_EXECUTE_READ,
  XWC: k.PAGE_EXECUTE_WRITECOPY,
  XRW: k.PAGE_EXECUTE_READWRITE,
} as const;
type Short = keyof typeof protections;
const shorts = Object.keys(protections) as Short[];

const allowed: Record<Exclude<Short, 'NO'>, string> = {
  RO: 'NO RO WC',
  WC: 'NO RO WC',
  RW: 'NO RO WC RW',
  X: 'NO X',
  XR: 'NO RO WC X XR XWC',
  XWC: 'NO RO WC X XR XWC',
  XRW: 'NO RO WC RW X XR XWC XRW',
};
for (const [section, views] of Object.entries(allowed)) {
  test(`a section of protection ${section} allows the views ${views}, with any modifier, and no others`, () => {
    for (const view of shorts) {
      for (const modifier of [0, k.PAGE_GUARD, k.PAGE_NOCACHE, k.PAGE_WRITECOMBINE]) {
        const expected = views.split(' ').includes(view);
        assert.equal(allowsView(protections[section as Short], protections[view] | modifier), expected, view);
      }
    }
  });
}

test('a view needs the rights that its protection uses, and is mapped with no more', () => {
  const { SECTION_MAP_READ: read, SECTION_MAP_WRITE: write, SECTION_MAP_EXECUTE: execute } = k;
  const rows: [Short, rights: number, bits: string, access: string][] = [
    ['NO', read, '', 'read'],
    ['RO', read, 'r', 'read'],
    ['WC', read, 'rw', 'copy'],
    ['RW', write, 'rw', 'readwrite'],
    ['X', execute, 'rx', 'read'],
    ['XR', execute | read, 'rx', 'read'],
    ['XWC', execute | read, 'rwx', 'copy'],
    ['XRW', execute | write, 'rwx', 'readwrite'],
  ];
  for (const [short, rights, bits, access] of rows) {
    const map = (bits.includes('r') ? 1 : 0) | (bits.includes('w') ? 2 : 0) | (bits.includes('x') ? 4 : 0);
    assert.deepEqual(viewKind(protections[short]), { rights, map, access }, short);
  }
});

test('a file behind a section needs the rights that MmMakeFileAccess asks for', () => {
  const { FILE_READ_DATA: read, FILE_WRITE_DATA: write, FILE_EXECUTE: execute } = k;
  const rows = {
    RO: read,
    WC: read,
    RW: read | write,
    X: execute,
    XR: execute | read,
    XWC: execute | read,
    XRW: execute | read | write,
  };
  for (const [short, rights] of Object.entries(rows)) assert.equal(fileRightsFor(protections[short as Short]), rights, short);
});

test('a protection is exactly one base bit; a section has no modifier and is never PAGE_NOACCESS', () => {
  for (let protection = 0; protection < 0x1000; protection++) {
    const bases = Object.values(protections).filter((base) => (protection & base) !== 0);
    const modifiers = protection & ~0xff;
    assert.equal(isSectionProtection(protection), bases.length === 1 && modifiers === 0 && protection !== k.PAGE_NOACCESS);
    const modifierFits = [0, 0x100, 0x200, 0x400].includes(modifiers) && (modifiers === 0 || bases[0] !== k.PAGE_NOACCESS);
    assert.equal(isViewProtection(protection), bases.length === 1 && modifierFits, `0x${protection.toString(16)}`);
  }
  assert.ok(!isSectionProtection(0xffff_ffff) && !isViewProtection(0xffff_ffff));
});

/** Each row breaks one rule, and the rows stand in the order in which the call must notice. */
const createBreaks: [what: string, given: Partial<CreateRequest>, status: keyof typeof Status][] = [
  ['an unknown attribute', { attributes: k.SEC_COMMIT | 1 }, 'STATUS_INVALID_PARAMETER_6'],
  ['two base protections', { protection: 6 }, 'STATUS_INVALID_PAGE_PROTECTION'],
  ['size 0', { size: 0n }, 'STATUS_INVALID_PARAMETER_4'],
  ['size -1', { size: 2n ** 64n - 1n }, 'STATUS_SECTION_TOO_BIG'],
];
const goodCreate: CreateRequest = { attributes: k.SEC_COMMIT, protection: k.PAGE_READWRITE, size: 4096n, hasFile: false };

test('ZwCreateSection notices attributes, then protection, then size', () => {
  assert.equal(firstBroken(createRules, goodCreate), Status.STATUS_SUCCESS);
  fc.assert(
    fc.property(fc.subarray(createBreaks.slice(0, 3), { minLength: 1 }), (rows) => {
      const given = Object.assign({}, goodCreate, ...rows.map((row) => row[1])) as CreateRequest;
      assert.equal(statusName(firstBroken(createRules, given)), rows[0]?.[2]);
    }),
  );
});

const created: [what: string, given: Partial<CreateRequest>, status: keyof typeof Status][] = [
  ...createBreaks,
  ['no attribute at all', { attributes: 0 }, 'STATUS_INVALID_PARAMETER_6'],
  ['all attributes', { attributes: 0xffff_ffff }, 'STATUS_INVALID_PARAMETER_6'],
  ['SEC_FILE', { attributes: k.SEC_FILE | k.SEC_COMMIT }, 'STATUS_INVALID_PARAMETER_6'],
  ['SEC_NOCACHE alone', { attributes: k.SEC_NOCACHE }, 'STATUS_INVALID_PARAMETER_6'],
  ['SEC_LARGE_PAGES alone', { attributes: k.SEC_LARGE_PAGES }, 'STATUS_INVALID_PARAMETER_6'],
  ['commit and reserve', { attributes: k.SEC_COMMIT | k.SEC_RESERVE }, 'STATUS_INVALID_PARAMETER_6'],
  ['an image that is committed', { attributes: k.SEC_IMAGE | k.SEC_COMMIT }, 'STATUS_INVALID_PARAMETER_6'],
  ['an image, write-combined', { attributes: k.SEC_IMAGE | k.SEC_WRITECOMBINE }, 'STATUS_INVALID_PARAMETER_6'],
  ['an image of no file', { attributes: k.SEC_IMAGE }, 'STATUS_INVALID_FILE_FOR_SECTION'],
  ['an image without execution, of no file', { attributes: k.SEC_IMAGE_NO_EXECUTE }, 'STATUS_INVALID_FILE_FOR_SECTION'],
  ['PAGE_NOACCESS', { protection: k.PAGE_NOACCESS }, 'STATUS_INVALID_PAGE_PROTECTION'],
  ['PAGE_NOCACHE', { protection: k.PAGE_READWRITE | k.PAGE_NOCACHE }, 'STATUS_INVALID_PAGE_PROTECTION'],
  ['PAGE_EXECUTE', { protection: k.PAGE_EXECUTE }, 'STATUS_SUCCESS'],
  ['SEC_RESERVE', { attributes: k.SEC_RESERVE }, 'STATUS_SUCCESS'],
  ['SEC_NOCACHE', { attributes: k.SEC_COMMIT | k.SEC_NOCACHE }, 'STATUS_SUCCESS'],
  ['2^46 bytes', { size: 2n ** 46n }, 'STATUS_SUCCESS'],
  ['a byte more', { size: 2n ** 46n + 1n }, 'STATUS_SECTION_TOO_BIG'],
  ['large pages of an odd size', { attributes: k.SEC_COMMIT | k.SEC_LARGE_PAGES }, 'STATUS_INVALID_PARAMETER_4'],
  ['large pages, reserved', { attributes: k.SEC_RESERVE | k.SEC_LARGE_PAGES, size: 2n ** 40n }, 'STATUS_INVALID_PARAMETER_6'],
  ['large pages of a file', { attributes: k.SEC_COMMIT | k.SEC_LARGE_PAGES, hasFile: true }, 'STATUS_INVALID_PARAMETER_6'],
  ['no size but a file', { size: 0n, hasFile: true }, 'STATUS_SUCCESS'],
  ['no number for a size', { size: undefined, hasFile: true }, 'STATUS_INVALID_PARAMETER_4'],
];
for (const [what, given, status] of created) {
  test(`creating with ${what}: ${status}`, () => {
    assert.equal(statusName(firstBroken(createRules, { ...goodCreate, ...given })), status);
  });
}

const goodMap: MapOfSection['request'] = {
  base: 0n,
  zeroBits: 0n,
  commitSize: 0n,
  offset: 0n,
  viewSize: 0n,
  inherit: k.ViewUnmap,
  allocationType: 0,
  protection: k.PAGE_READWRITE,
};
const HIGHEST = 0x7fff_fffe_ffffn;
const mapBreaks: [given: Partial<MapRequest>, status: keyof typeof Status][] = [
  [{ inherit: 0 }, 'STATUS_INVALID_PARAMETER_8'],
  [{ allocationType: k.MEM_COMMIT }, 'STATUS_INVALID_PARAMETER_9'],
  [{ protection: 6 }, 'STATUS_INVALID_PAGE_PROTECTION'],
  [{ base: HIGHEST }, 'STATUS_INVALID_PARAMETER_3'],
  [{ zeroBits: 22n }, 'STATUS_INVALID_PARAMETER_4'],
];

test('ZwMapViewOfSection notices its parameters in the order of NT', () => {
  assert.equal(firstBroken(mapRules, goodMap), Status.STATUS_SUCCESS);
  fc.assert(
    fc.property(fc.subarray(mapBreaks, { minLength: 1 }), (rows) => {
      const given = Object.assign({}, goodMap, ...rows.map((row) => row[0])) as MapRequest;
      assert.equal(statusName(firstBroken(mapRules, given)), rows[0]?.[1]);
    }),
  );
});

test('a view that would reach into kernel addresses is STATUS_INVALID_PARAMETER_3', () => {
  for (const given of [
    { base: 0xffff_8000_0000_0000n },
    { viewSize: 2n ** 64n - 1n },
    { base: HIGHEST - 0x2ffffn, viewSize: 0x20000n },
  ]) {
    assert.equal(statusName(firstBroken(mapRules, { ...goodMap, ...given })), 'STATUS_INVALID_PARAMETER_3');
  }
});

test('ZeroBits: up to 21 a number of bits of 32, from 32 on a mask', () => {
  assert.equal(addressLimit(0n), null);
  assert.equal(addressLimit(1n), 0x7fff_ffffn);
  assert.equal(addressLimit(21n), 0x7ffn);
  for (let bits = 22n; bits < 32n; bits++) assert.equal(addressLimit(bits), undefined);
  assert.equal(addressLimit(0x1aaa_aaaan), 0x1fff_ffffn);
  assert.equal(addressLimit(2n ** 64n - 1n), null);
  const given = { ...goodMap, base: 0x8000_0000n, zeroBits: 1n };
  assert.equal(statusName(firstBroken(mapRules, given)), 'STATUS_INVALID_PARAMETER_4');
});

const pagefile: MapOfSection = {
  request: goodMap,
  sectionSize: 0x50000n,
  sectionProtection: k.PAGE_READWRITE,
  sectionAttributes: k.SEC_COMMIT,
  isPagefile: true,
  pageSize: 4096n,
};
const file: MapOfSection = { ...pagefile, sectionSize: 200n, isPagefile: false, sectionAttributes: k.SEC_FILE };
const readOnlyFile: MapOfSection = { ...file, sectionProtection: k.PAGE_READONLY };
const mapped: [what: string, section: MapOfSection, given: Partial<MapOfSection['request']>, status: keyof typeof Status][] = [
  ['the whole section', pagefile, {}, 'STATUS_SUCCESS'],
  ['an odd base', pagefile, { base: 0x567a20n, viewSize: 2n ** 30n }, 'STATUS_MAPPED_ALIGNMENT'],
  ['a base at a page', pagefile, { base: 0x561000n }, 'STATUS_MAPPED_ALIGNMENT'],
  ['offset -1', pagefile, { offset: 2n ** 64n - 1n }, 'STATUS_MAPPED_ALIGNMENT'],
  ['an odd offset and commit size', pagefile, { offset: 0x40211n, commitSize: 500n }, 'STATUS_MAPPED_ALIGNMENT'],
  ['an odd offset and a protection too wide', readOnlyFile, { offset: 1n }, 'STATUS_MAPPED_ALIGNMENT'],
  ['writing to a read-only section, too far', readOnlyFile, { viewSize: 201n }, 'STATUS_SECTION_PROTECTION'],
  [
    'reserving in a read-only file',
    readOnlyFile,
    { protection: k.PAGE_READONLY, allocationType: k.MEM_RESERVE },
    'STATUS_SECTION_PROTECTION',
  ],
  ['the last 64 KiB', pagefile, { offset: 0x40000n, viewSize: 0x10000n }, 'STATUS_SUCCESS'],
  ['a byte beyond', pagefile, { offset: 0x40000n, viewSize: 0x10001n }, 'STATUS_INVALID_VIEW_SIZE'],
  ['the end as an offset', pagefile, { offset: 0x50000n }, 'STATUS_INVALID_VIEW_SIZE'],
  ['more than a file has, within its last page', file, { viewSize: 201n }, 'STATUS_INVALID_VIEW_SIZE'],
  ['all that a file has', file, { viewSize: 200n }, 'STATUS_SUCCESS'],
  ['more to commit than is mapped', pagefile, { commitSize: 0x1000_0000n }, 'STATUS_INVALID_PARAMETER_5'],
  ['reserving in the paging file', pagefile, { allocationType: k.MEM_RESERVE }, 'STATUS_INVALID_PARAMETER_9'],
  ['large pages of small ones', pagefile, { allocationType: k.MEM_LARGE_PAGES }, 'STATUS_INVALID_PARAMETER'],
  ['reserving in a file that can grow', file, { allocationType: k.MEM_RESERVE }, 'STATUS_SUCCESS'],
];
for (const [what, section, given, status] of mapped) {
  test(`mapping ${what}: ${status}`, () => {
    assert.equal(statusName(firstBroken(mapOfSectionRules, { ...section, request: { ...goodMap, ...given } })), status);
  });
}

test('an access to a Win32 view becomes one protection, whatever else is asked for', () => {
  const { NO, RO, WC, RW, XR, XWC, XRW } = protections;
  const [copy, write, read, execute, stray] = [1, 2, 4, 0x20, 8] as const;
  const rows: [access: number, protection: number][] = [
    [0, NO],
    [execute, NO],
    [stray, NO],
    [copy, WC],
    [copy | stray, NO],
    [copy | execute, XWC],
    [read, RO],
    [read | copy, RO],
    [read | execute, XR],
    [write, RW],
    [write | copy, RW],
    [write | read | copy | stray, RW],
    [write | execute, XRW],
    [0xf001f, RW],
  ];
  for (const [access, protection] of rows) assert.equal(viewProtection(access), protection, `0x${access.toString(16)}`);
});

test('flProtect splits into protection and attributes; SEC_COMMIT is the default', () => {
  const { STANDARD_RIGHTS_REQUIRED: required, SECTION_QUERY: query } = k;
  const base = required | query | k.SECTION_MAP_READ;
  assert.deepEqual(parseProtect(k.PAGE_READONLY), { protection: k.PAGE_READONLY, attributes: k.SEC_COMMIT, access: base });
  assert.deepEqual(parseProtect((k.PAGE_EXECUTE_READWRITE | k.SEC_LARGE_PAGES) >>> 0), {
    protection: k.PAGE_EXECUTE_READWRITE,
    attributes: k.SEC_LARGE_PAGES,
    access: base | k.SECTION_MAP_WRITE | k.SECTION_MAP_EXECUTE,
  });
  for (const invalid of [
    0,
    k.PAGE_NOACCESS,
    k.PAGE_EXECUTE,
    6,
    k.PAGE_READWRITE | k.PAGE_NOCACHE,
    k.PAGE_READWRITE | k.SEC_BASED,
  ]) {
    assert.equal(parseProtect(invalid), null);
  }
});

test('OpenFileMapping asks for reading where a view shall be copied, and translates FILE_MAP_EXECUTE', () => {
  assert.equal(openAccess(1), k.SECTION_MAP_READ);
  assert.equal(openAccess(3), 3);
  assert.equal(openAccess(0x24), k.SECTION_MAP_EXECUTE | k.SECTION_MAP_READ);
  assert.equal(openAccess(0xf001f), 0xf001f);
});
