/**
 * Plays of wine-ntdll-mapview: views at addresses and limits of the caller's choice, views into another
 * process, what the system tells of a region, views that are larger than their file.
 */
import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { type Companion, startCompanion } from '../support/companion.js';
import { openFile } from '../support/files.js';
import { family, type Trial } from '../support/trial.js';
import { numberOf } from '../support/values.js';

/** The last address that user mode may use on x64. */
const MAXIMUM_APPLICATION_ADDRESS = 0x7fff_fffe_ffffn;
const ALL_MAPS = n.SECTION_QUERY | n.SECTION_MAP_READ | n.SECTION_MAP_WRITE;

/** A section over a new file, readable and writable. */
function fileSection(t: Trial, size: number): number {
  const file = openFile(t, t.file(size));
  const { status, sectionHandle } = n.NtCreateSection(ALL_MAPS, null, null, n.PAGE_READWRITE, n.SEC_COMMIT, file);
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  return t.keep(sectionHandle);
}

/** A view to run into, low enough for every way to count zero bits. */
function existingView(t: Trial, section: number, process: number): bigint {
  const { status, baseAddress } = n.NtMapViewOfSection(section, process, null, 2, 0, null, 0, n.ViewShare, 0, n.PAGE_READWRITE);
  t.is(status, 'STATUS_SUCCESS', 'map the view that is there');
  assert.ok(baseAddress !== null);
  t.after(() => n.NtUnmapViewOfSection(process, baseAddress));
  return baseAddress;
}

/** `view+0x1000`, `existing view`, `address of existing view`, or null. */
function baseOf(t: Trial, section: number, process: number): bigint | null {
  const text = t.inputs.baseAddress;
  if (text === undefined || text === null) return null;
  const found = /^(?:view|(?:address of )?existing view)(?:\+(\w+))?$/.exec(String(text));
  assert.ok(found !== null, `nobody here knows the base ${String(text)}`);
  return existingView(t, section, process) + BigInt(found[1] ?? 0);
}

/** How many of an address's upper bits of 32 are 0. */
const leadingZeros = (address: bigint): number => Math.clz32(Number(address));

function zeroBitsOf(text: unknown, base: bigint | null): number {
  if (text === undefined) return 0;
  if (text === 'one more than the address allows') return leadingZeros(base ?? 0n) + 1;
  if (text === 'exactly what the address allows') return leadingZeros(base ?? 0n);
  const value = Number(String(text).split(' ')[0]);
  assert.ok(Number.isInteger(value), `nobody here knows ${String(text)} zero bits`);
  return value;
}

async function target(t: Trial): Promise<{ readonly process: number; readonly child: Companion | null }> {
  const { process } = t.inputs;
  if (process === null) return { process: 0, child: null };
  if (process === 'child' || t.case.scope === 'cross-process-map') {
    const child = await startCompanion(t);
    return { process: child.handle, child };
  }
  return { process: n.NtCurrentProcess(), child: null };
}

/** What a successful map gave, as far as the row says. */
async function checkView(t: Trial, base: bigint, zeroBits: number, child: Companion | null): Promise<void> {
  for (const key of ['onSuccess', 'baseAddress', 'content']) {
    if (!(key in (t.case.expect ?? {}))) continue;
    const check = async (): Promise<void> => {
      assert.ok(child !== null);
      assert.deepEqual(
        [...(await child.bytes(base, 0, 4096))],
        Array.from({ length: 4096 }, (_, at) => at & 0xff),
      );
    };
    let pending: Promise<void> | undefined;
    t.words(key, {
      'address >> (32-zeroBits) == 0': () => assert.equal(base >> BigInt(32 - zeroBits), 0n),
      'multiple of 0x10000': () => assert.equal(base % 0x1_0000n, 0n),
      'ReadProcessMemory of child equals file data': () => {
        pending = check();
      },
    });
    await pending;
  }
}

/** A row of NtMapViewOfSection: what is left out has the value that the family's environment says. */
export async function mapRow(t: Trial): Promise<void> {
  const { inputs } = t;
  const { process, child } = await target(t);
  const section = fileSection(t, 4096);
  const base = baseOf(t, section, process);
  const zeroBits = zeroBitsOf(inputs.zeroBits, base);
  const { status, baseAddress } = n.NtMapViewOfSection(
    section,
    process,
    base,
    zeroBits,
    0,
    inputs.sectionOffset === undefined ? null : Number(inputs.sectionOffset),
    0,
    n.ViewShare,
    inputs.allocType === undefined ? 0 : numberOf(inputs.allocType),
    n.PAGE_READWRITE,
  );
  t.status(status);
  if (!n.NT_SUCCESS(status) || baseAddress === null) {
    void t.expect.onSuccess;
    return;
  }
  t.after(() => n.NtUnmapViewOfSection(process, baseAddress));
  await checkView(t, baseAddress, zeroBits, child);
}

async function unmapRow(t: Trial): Promise<void> {
  const { process } = await target(t);
  const base = existingView(t, fileSection(t, 4096), process);
  t.status(n.NtUnmapViewOfSection(process, base));
  t.is(n.NtUnmapViewOfSection(process, base), 'STATUS_NOT_MAPPED_VIEW', 'unmap it again');
}

interface Requirements {
  readonly LowestStartingAddress: bigint | null;
  readonly HighestEndingAddress: bigint | null;
  readonly Alignment: number | bigint;
}

const requirements = (given: Partial<Requirements> = {}) => ({
  Type: n.MemExtendedParameterAddressRequirements,
  Pointer: { LowestStartingAddress: null, HighestEndingAddress: null, Alignment: 0, ...given },
});

interface ExtendedRow {
  readonly parameters: readonly { readonly Type: number; readonly Pointer?: Requirements }[];
  readonly based?: boolean;
}

/** The extended parameters that a row describes in words; several for "any". */
function extendedRows(text: unknown): readonly ExtendedRow[] {
  if (text === undefined) return [{ parameters: [] }];
  const words = String(text);
  const highest = /^HighestEndingAddress (0x[\da-f]+|max app address)(?: \+ (0x[\da-f]+))?(?:, size 0x40000)?$/.exec(words);
  if (highest !== null) {
    const start = highest[1] === 'max app address' ? MAXIMUM_APPLICATION_ADDRESS : BigInt(highest[1] ?? 0);
    return [{ parameters: [requirements({ HighestEndingAddress: start + BigInt(highest[2] ?? 0) })] }];
  }
  const alignment = /^Alignment (0x[\da-f]+)$/.exec(words);
  if (alignment !== null) return [{ parameters: [requirements({ Alignment: Number(alignment[1]) })] }];
  switch (words) {
    case 'one parameter of type 0':
      return [{ parameters: [{ Type: 0 }] }];
    case 'type MemExtendedParameterMax':
      return [{ parameters: [{ Type: n.MemExtendedParameterMax }] }];
    case 'AddressRequirements all zero':
      return [{ parameters: [requirements()] }];
    case 'AddressRequirements twice':
      return [{ parameters: [requirements(), requirements()] }];
    case 'HighestEndingAddress given together with a non-NULL base':
      return [{ parameters: [requirements({ HighestEndingAddress: 0x2000_0fffn })], based: true }];
    case 'Alignment any power of two':
      return Array.from({ length: 47 }, (_, bit) => ({ parameters: [requirements({ Alignment: 1n << BigInt(bit) })] }));
    default:
      assert.fail(`nobody here knows the extended parameters: ${words}`);
  }
}

/** A row of NtMapViewOfSectionEx. */
export async function mapExRow(t: Trial): Promise<void> {
  const { inputs } = t;
  const { process, child } = await target(t);
  const section = fileSection(t, Number(inputs.sectionSize ?? 0x4_0000));
  const base = baseOf(t, section, process);
  for (const { parameters, based } of extendedRows(inputs.ext)) {
    const { status, baseAddress } = n.NtMapViewOfSectionEx(
      section,
      process,
      based === true ? existingView(t, section, process) : base,
      inputs.sectionOffset === undefined ? null : Number(inputs.sectionOffset),
      Number(inputs.viewSize ?? 0),
      0,
      n.PAGE_READWRITE,
      parameters.length === 0 ? null : parameters,
      parameters.length,
    );
    t.status(status, JSON.stringify(inputs));
    if (!n.NT_SUCCESS(status) || baseAddress === null) continue;
    t.after(() => n.NtUnmapViewOfSection(process, baseAddress));
    const highest = parameters[0]?.Pointer?.HighestEndingAddress ?? null;
    if (highest !== null) assert.ok(baseAddress + 0x4_0000n - 1n <= highest);
    await checkView(t, baseAddress, 0, child);
  }
}

interface RegionInformation {
  readonly AllocationProtect: number;
  readonly RegionSize: number;
  readonly CommitSize: number;
  readonly [flag: string]: unknown;
}

/** A view of a section of the paging file: its base and bytes. */
function pagefileView(t: Trial, size: number, sectionProtect: string, protect: number, access: number = n.SECTION_ALL_ACCESS) {
  const union = sectionProtect.split('|');
  const attributes = numberOf(union.filter((name) => name.startsWith('SEC_')).join('|'));
  const protection = numberOf(union.filter((name) => name.startsWith('PAGE_')).join('|'));
  const { status, sectionHandle } = n.NtCreateSection(access, null, size, protection, attributes, null);
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  t.keep(sectionHandle);
  const mapped = n.NtMapViewOfSection(sectionHandle, n.NtCurrentProcess(), null, 0, 0, null, 0, n.ViewUnmap, 0, protect);
  t.is(mapped.status, 'STATUS_SUCCESS', 'map the view');
  assert.ok(mapped.baseAddress !== null && mapped.view !== null);
  const { baseAddress } = mapped;
  t.after(() => n.NtUnmapViewOfSection(n.NtCurrentProcess(), baseAddress));
  return { base: baseAddress, view: mapped.view };
}

export function region(t: Trial): void {
  const { inputs } = t;
  const written = t.case.call.includes('after writing a PAGE_WRITECOPY view');
  const { base, view } = pagefileView(
    t,
    Number(inputs.size ?? 4096),
    String(inputs.sectionProtect ?? 'PAGE_READWRITE|SEC_COMMIT'),
    written ? n.PAGE_WRITECOPY : numberOf(inputs.viewProtect),
  );
  if (written) view.bytes[0] = 1;
  const { status, memoryInformation } = n.NtQueryVirtualMemory(n.NtCurrentProcess(), base, n.MemoryRegionInformation);
  if ('status' in (t.case.expect ?? {})) t.status(status);
  else t.is(status, 'STATUS_SUCCESS');
  const information = memoryInformation as unknown as RegionInformation;
  assert.equal(information.AllocationProtect, numberOf(t.expect.AllocationProtect));
  t.equal('CommitSize', information.CommitSize);
  if (written) return;
  t.equal('RegionSize', information.RegionSize);
  for (const [, flag, value] of String(t.expect.flags).matchAll(/(\w+)=(\d)/g)) {
    assert.equal(Number(information[String(flag)]), Number(value), flag);
  }
}

function createRow(t: Trial): void {
  const { inputs } = t;
  const size = /^(0x[\da-f]+)-byte RW file$/i.exec(String(inputs.file))?.[1];
  const file = size === undefined ? null : openFile(t, t.file(Number(size)));
  const { status, sectionHandle } = n.NtCreateSection(
    numberOf(inputs.desiredAccess),
    null,
    inputs.maximumSize === null ? null : Number(inputs.maximumSize),
    numberOf(inputs.sectionPageProtection),
    numberOf(inputs.allocationAttributes),
    file,
  );
  t.keep(sectionHandle);
  t.status(status);
}

/** The section that info.c's test maps, not cached. */
const NOT_CACHED = 'PAGE_READWRITE|SEC_COMMIT|SEC_NOCACHE';

function uncachedView(t: Trial): void {
  const { base } = pagefileView(t, 8192, NOT_CACHED, n.PAGE_READWRITE);
  const { status, memoryInformation } = n.NtQueryVirtualMemory(n.NtCurrentProcess(), base, n.MemoryBasicInformation);
  t.status(status);
  const { Protect } = memoryInformation as unknown as { Protect: number };
  t.words('Protect', {
    'PAGE_READWRITE (ignoring PAGE_NOCACHE)': () => assert.equal(Protect & ~n.PAGE_NOCACHE, n.PAGE_READWRITE),
  });
}

function unmapInside(t: Trial): void {
  const { base } = pagefileView(t, 8192, NOT_CACHED, n.PAGE_READWRITE);
  const inside = /\(view \+ (0x[\da-f]+)\)$/.exec(t.case.call)?.[1];
  assert.ok(inside !== undefined);
  t.status(n.NtUnmapViewOfSection(n.NtCurrentProcess(), base + BigInt(inside)));
  assert.equal(w.VirtualQuery(base)?.State, n.MEM_FREE);
}

/** The section of test_file_map_large_size, over a file of 0x400 bytes, and the file. */
function smallFileSection(t: Trial): { readonly section: number; readonly path: string } {
  const path = t.file(0x400);
  const { status, sectionHandle } = n.NtCreateSection(
    n.SECTION_MAP_READ,
    null,
    null,
    n.PAGE_READWRITE,
    n.SEC_RESERVE,
    openFile(t, path),
  );
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  return { section: t.keep(sectionHandle), path };
}

function mapLarger(
  t: Trial,
  inputs: Readonly<Record<string, unknown>>,
): { readonly status: number; readonly base: bigint | null; readonly path: string } {
  const { section, path } = smallFileSection(t);
  const { status, baseAddress } = n.NtMapViewOfSection(
    section,
    n.NtCurrentProcess(),
    null,
    0,
    0,
    null,
    Number(inputs.viewSize),
    inputs.inherit === undefined ? n.ViewUnmap : numberOf(inputs.inherit),
    inputs.allocType === undefined ? 0 : numberOf(inputs.allocType),
    numberOf(inputs.protect),
  );
  if (n.NT_SUCCESS(status) && baseAddress !== null) t.after(() => n.NtUnmapViewOfSection(n.NtCurrentProcess(), baseAddress));
  return { status, base: baseAddress, path };
}

function largerThanFile(t: Trial): void {
  const { status, path } = mapLarger(t, t.inputs);
  t.status(status);
  if ('fileSizeAfter' in (t.case.expect ?? {})) t.equal('fileSizeAfter', statSync(path).size);
}

function commitBeyond(t: Trial): void {
  const [, bytes, type, protect] = /^VirtualAlloc\(view, (0x[\da-f]+), (\w+), (\w+)\)$/.exec(t.case.call) ?? assert.fail();
  const { status, base, path } = mapLarger(t, { viewSize: 65536, allocType: 'MEM_RESERVE', protect: 'PAGE_READONLY' });
  t.is(status, 'STATUS_SUCCESS', 'map the view');
  t.win32(w.VirtualAlloc(base, Number(bytes), numberOf(type), numberOf(protect)) !== null);
  t.equal('fileSizeAfter', statSync(path).size);
}

export const scripts = family({
  'wine-ntmap-001..032': mapRow,
  'wine-ntmap-033': unmapRow,
  'wine-ntmap-034..052': mapExRow,
  'wine-ntmap-053..056': region,
  'wine-ntmap-057, wine-ntmap-060': createRow,
  'wine-ntmap-058': uncachedView,
  'wine-ntmap-059': unmapInside,
  'wine-ntmap-061..062': largerThanFile,
  'wine-ntmap-063..064': commitBeyond,
});
