/**
 * Rows of Wine's tests of protections: which mappings can be made, which views of them, and which
 * protections their pages can then have.
 */
import type { View } from 'sectile/kernel32';
import type { Case, Suite } from '../case.js';
import { differences, type Observation } from '../compare.js';
import { expectationOf } from '../profile.js';
import type { World } from '../script.js';
import { flags, quantity } from '../words.js';
import type { Read, Reader } from './reader.js';
import {
  accessFor,
  type Backing,
  backingOf,
  createMapping,
  failed,
  isWritable,
  mapFile,
  PAGE,
  protectOf,
  queried,
  store,
} from './views.js';

const PREVIOUS = 'previous page protection';

/** The size of a mapping whose row gives none: all pages of the suite's file. */
function sizeOf(backing: Backing): number {
  return backing.plan?.size ?? 2 * PAGE;
}

function create(world: World, { inputs }: Case, suite: Suite): Observation {
  const backing = backingOf(world, suite, inputs['file']);
  const handle = createMapping(
    world,
    backing,
    flags(inputs['protect']),
    quantity(inputs['size']) ?? 0,
    inputs['name'] as string | null,
  );
  return handle === 0 ? failed(world) : { ok: true };
}

/** A handle that holds no right, to the same section. */
function withoutRights(world: World, handle: number): number {
  const { win32 } = world;
  const duplicate = win32.DuplicateHandle(win32.GetCurrentProcess(), handle, win32.GetCurrentProcess(), 0, false, 0);
  world.later(() => void win32.CloseHandle(duplicate));
  return duplicate;
}

function mapViews(world: World, { inputs, given = '' }: Case, suite: Suite): Observation {
  const backing = backingOf(world, suite, inputs['file']);
  const protect = String(inputs['sectionProtect']);
  const made = createMapping(world, backing, flags(protect) | world.win32.SEC_COMMIT, sizeOf(backing));
  if (made === 0) throw new Error(`CreateFileMapping(${protect}): error ${world.win32.GetLastError()}`);
  const handle = /access 0|zero-access/.test(`${protect} ${given}`) ? withoutRights(world, made) : made;
  const view = mapFile(world, handle, flags(inputs['desiredAccess']), Number(inputs['offset'] ?? 0), Number(inputs['size'] ?? 0));
  return view === null ? failed(world) : { ok: true, ...queried(world, view.address) };
}

/** A view of a given protection, of two pages of a section that allows all. */
function viewWith(world: World, suite: Suite, backing: 'file' | 'anon', protect: unknown): View {
  const { nt } = world;
  const file = backingOf(world, suite, backing === 'anon' ? 'anon' : 'file of 2 pages opened read/write/execute');
  const handle = createMapping(world, file, nt.PAGE_EXECUTE_READWRITE | nt.SEC_COMMIT, 2 * PAGE);
  const { status, view } = nt.NtMapViewOfSection(
    handle,
    nt.NtCurrentProcess(),
    null,
    0,
    0,
    null,
    0,
    nt.ViewShare,
    0,
    flags(protect),
  );
  if (view === null) throw new Error(`mapping ${String(protect)}: status 0x${status.toString(16)}`);
  world.later(() => world.win32.UnmapViewOfFile(view));
  return view;
}

function protectedPage(world: World, view: View, size: number, protect: unknown, before: unknown): Observation {
  const old = world.win32.VirtualProtect(view.address, size, flags(protect));
  if (old === false) return failed(world);
  return { ok: true, oldProtect: old === flags(before) ? PREVIOUS : old, Protect: protectOf(world, view.address) };
}

/** The rows speak of views of files and of the paging file alike: the first that differs is the outcome. */
function virtualProtect(world: World, testCase: Case, suite: Suite): Observation {
  const { viewProtect, newProtect, size } = testCase.inputs;
  const seen = (['file', 'anon'] as const).map((backing) =>
    protectedPage(world, viewWith(world, suite, backing, viewProtect), Number(size ?? PAGE), newProtect, viewProtect),
  );
  const wrong = seen.find((each) => differences(expectationOf(testCase), each).length > 0);
  return wrong ?? (seen[0] as Observation);
}

function commit(world: World, view: View, protect: unknown): Observation {
  const { win32 } = world;
  const address = win32.VirtualAlloc(view.address, PAGE, win32.MEM_COMMIT, flags(protect));
  return address === null ? failed(world) : { ok: true, Protect: protectOf(world, view.address) };
}

function virtualAlloc(world: World, { inputs }: Case, suite: Suite): Observation {
  const backing = inputs['backing'] === 'anon' ? 'anon' : 'file';
  return commit(world, viewWith(world, suite, backing, inputs['viewProtect'] ?? 'PAGE_READWRITE'), inputs['newProtect']);
}

/** Two pages that copy on write, the first of them written to. */
function copied(world: World, suite: Suite, viewProtect: string, protect: string): { view: View; ok: boolean } {
  const view = viewWith(world, suite, 'file', viewProtect);
  const ok = world.win32.VirtualProtect(view.address, 2 * PAGE, flags(protect)) !== false;
  store(view, 0x1a2b3c4d);
  return { view, ok };
}

function copyOnWrite(world: World, { call }: Case, suite: Suite): Observation {
  const protect = /(PAGE_\w+)\) then write/.exec(call)?.[1] ?? 'PAGE_WRITECOPY';
  const { view, ok } = copied(world, suite, protect.includes('EXECUTE') ? 'PAGE_EXECUTE_READWRITE' : 'PAGE_READWRITE', protect);
  const [first, second] = [queried(world, view.address), queried(world, view.address + BigInt(PAGE))];
  return {
    ok,
    page0Protect: first['Protect'],
    page0RegionSize: first['RegionSize'],
    page1Protect: second['Protect'],
    page1RegionSize: second['RegionSize'],
  };
}

function protectCopied(world: World, { call }: Case, suite: Suite): Observation {
  const { view } = copied(world, suite, 'PAGE_EXECUTE_READWRITE', 'PAGE_WRITECOPY');
  return protectedPage(world, view, PAGE, /(PAGE_\w+)\)/.exec(call)?.[1], 'PAGE_READWRITE');
}

function thereAndBack(world: World, { inputs }: Case, suite: Suite): Observation {
  const { win32 } = world;
  const { newProtect, allocProtect } = inputs;
  const view = viewWith(world, suite, 'file', allocProtect);
  if (win32.VirtualProtect(view.address, PAGE, win32.PAGE_NOACCESS) === false) return failed(world);
  if (win32.VirtualProtect(view.address, PAGE, flags(newProtect)) === false) return failed(world);
  const { Protect, AllocationProtect } = queried(world, view.address);
  if (isWritable(newProtect)) store(view, 0x1a2b3c4d);
  const ProtectAfterWrite = protectOf(world, view.address);
  const ok = win32.VirtualProtect(view.address, PAGE, win32.PAGE_NOACCESS) !== false;
  return { ok, Protect, AllocationProtect, ProtectAfterWrite };
}

/** A view of one page of a section of the protection that the row names. */
function ofSection(world: World, suite: Suite, sectionProtect: unknown, viewProtect: unknown): View {
  const backing = backingOf(world, suite, '1-page file opened read/write/execute');
  const handle = createMapping(world, backing, flags(sectionProtect) | world.win32.SEC_COMMIT, PAGE);
  const view = mapFile(world, handle, accessFor(viewProtect), 0, PAGE);
  if (view === null) throw new Error(`MapViewOfFile: error ${world.win32.GetLastError()}`);
  return view;
}

const readView: Read = (world, { inputs }, suite) => ({
  ok: true,
  ...queried(world, ofSection(world, suite, inputs['sectionProtect'], 'PAGE_READONLY').address),
});

const protectReadView: Read = (world, { inputs: { sectionProtect, viewProtect = 'PAGE_READONLY' } }, suite) =>
  protectedPage(world, ofSection(world, suite, sectionProtect, viewProtect), PAGE, sectionProtect, viewProtect);

const commitReadView: Read = (world, { inputs: { sectionProtect, viewProtect = 'PAGE_READONLY' } }, suite) =>
  commit(world, ofSection(world, suite, sectionProtect, viewProtect), sectionProtect);

/** By what the row calls and by the fields it has. */
const rows: readonly (readonly [call: RegExp, fields: readonly string[], read: Read])[] = [
  [/^CreateFileMapping\w*$/, ['file', 'protect', 'size'], create],
  [/^MapViewOfFile$/, ['file', 'sectionProtect', 'desiredAccess'], mapViews],
  [/^VirtualProtect$/, ['viewProtect', 'newProtect'], virtualProtect],
  [/^VirtualAlloc\(view, ?4096, ?MEM_COMMIT\)$/, ['newProtect'], virtualAlloc],
  [/^VirtualProtect\(view, ?2 pages, ?PAGE_\w+\) then write/, [], copyOnWrite],
  [/^VirtualProtect\(page 0 already copied, ?PAGE_\w+\)$/, [], protectCopied],
  [/^VirtualProtect NOACCESS -> X/, ['newProtect', 'allocProtect'], thereAndBack],
  [/^MapViewOfFile\(FILE_MAP_READ\) \+ VirtualQuery$/, ['sectionProtect'], readView],
  [/^VirtualProtect\(view, ?4096, ?sectionProtect\)$/, ['sectionProtect'], protectReadView],
  [/^VirtualAlloc\(view, ?4096, ?MEM_COMMIT, ?sectionProtect\)$/, ['sectionProtect'], commitReadView],
];

const isOurs = ({ fn = '' }: Case, { name }: Suite): boolean =>
  name.startsWith('wine-kernel32-protection') || /^test_(?:mapping|CreateFileMapping_protection)\b/.test(fn);

export const protectionMatrix: readonly Reader[] = rows.map(([call, fields, read]) => ({
  reads: (testCase, suite) =>
    isOurs(testCase, suite) && call.test(testCase.call) && fields.every((each) => each in testCase.inputs),
  read,
}));
