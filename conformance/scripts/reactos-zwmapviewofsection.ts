/**
 * Plays of the prose rows of reactos-zwmapviewofsection: allocations, counts, contents in two processes,
 * what the system tells of views.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { type Parent, skip, type World } from '../script.js';
import { kernelFile, kernelSection, kernelView, mapKernel } from '../support/kernel.js';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { numberOf } from '../support/values.js';

/** The string that the suite writes; only its length and that it arrives count. */
const CONTENT = Uint8Array.from({ length: 200 }, (_, at) => (at * 7 + 1) & 0xff);

function conflictThenFree(t: Trial): void {
  const self = t.k.ZwCurrentProcess();
  const section = kernelSection(t, null, { file: kernelFile(t, CONTENT) });
  const { status, baseAddress } = t.k.ZwAllocateVirtualMemory(self, null, 0, 0x1_0000, n.MEM_RESERVE, n.PAGE_READWRITE);
  t.is(status, 'STATUS_SUCCESS', 'allocate');
  assert.ok(baseAddress !== null);
  t.is(mapKernel(t, section, { base: baseAddress }).status, 'STATUS_CONFLICTING_ADDRESSES', 'map over it');
  t.is(t.k.ZwFreeVirtualMemory(self, baseAddress, 0, n.MEM_RELEASE).status, t.expect.freeStatus);
}

/** A section under the suite's name, in this run's own word. */
const sharedName = (t: Trial): string => `\\BaseNamedObjects\\kmtest-${t.name()}`;

interface Counts {
  readonly HandleCount: number;
  readonly PointerCount: number;
}

function counts(t: Trial, handle: number): Counts {
  const { status, objectInformation } = t.k.ZwQueryObject(handle, n.ObjectBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'ZwQueryObject');
  return objectInformation as unknown as Counts;
}

function countsOfNew(t: Trial): void {
  const section = kernelSection(t, null, { file: kernelFile(t, CONTENT), name: sharedName(t) });
  const { HandleCount, PointerCount } = counts(t, section);
  t.equal('HandleCount', HandleCount);
  // How many pointers a handle counts for is each version's own; none has fewer than this.
  const least = Math.min(...Object.values(t.expect.PointerCount as Readonly<Record<string, number>>));
  assert.ok(PointerCount >= least, `${PointerCount} pointers`);
}

function countsOfMapped(t: Trial): void {
  const section = kernelSection(t, null, { file: kernelFile(t, CONTENT), name: sharedName(t) });
  const { inputs } = t;
  const before = counts(t, section);
  const { status } = mapKernel(t, section, { size: Number(inputs.viewSize), protection: numberOf(inputs.viewProtection) });
  t.status(status);
  const after = counts(t, section);
  t.equal('HandleCount', after.HandleCount);
  t.words('PointerCountUnchangedByMap', { '<=Win7': () => assert.ok(after.PointerCount >= before.PointerCount) });
}

function contentOfFile(t: Trial): void {
  const file = kernelFile(t, 0);
  const { status } = t.k.ZwWriteFile(file, null, null, null, CONTENT, CONTENT.length, 0, null);
  t.is(status, 'STATUS_SUCCESS', 'ZwWriteFile');
  const view = kernelView(t, kernelSection(t, null, { file }));
  t.words('firstBytes', {
    'equal to the 200 bytes previously written to the file with ZwWriteFile': () =>
      assert.deepEqual([...view.bytes.subarray(0, 200)], [...CONTENT]),
  });
}

/** The first process: an application that makes the section over a file, stores, and looks again. */
export async function firstProcess(world: World, parent: Parent, name: string, path: string): Promise<readonly number[]> {
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, w.FILE_SHARE_READ, null, w.OPEN_EXISTING, 0);
  const { sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, attributes(name), null, n.PAGE_READWRITE, n.SEC_COMMIT, file);
  const { view } = n.NtMapViewOfSection(
    sectionHandle,
    n.NtCurrentProcess(),
    null,
    0,
    0,
    null,
    0,
    n.ViewUnmap,
    0,
    n.PAGE_READWRITE,
  );
  assert.ok(view !== null, `the application in ${world.folder} has no view`);
  view.bytes.set(CONTENT);
  parent.tell('stored');
  await parent.told();
  return [...view.bytes.subarray(0, 200)];
}

async function twoProcesses(t: Trial): Promise<void> {
  const name = sharedName(t);
  const first = t.world.application(import.meta.url, 'firstProcess', { args: [name, t.file(200)] });
  assert.equal(await first.told(), 'stored');
  const opened = t.k.ZwOpenSection(n.SECTION_ALL_ACCESS, attributes(name, n.OBJ_KERNEL_HANDLE));
  t.is(opened.status, 'STATUS_SUCCESS', 'open the section');
  const section = t.keep(opened.sectionHandle);
  const { inputs } = t;
  const { status, view } = mapKernel(t, section, {
    commit: Number(inputs.commitSize ?? 200),
    offset: Number(inputs.sectionOffset ?? 0),
    size: Number(inputs.viewSize ?? 200),
    protection: numberOf(inputs.viewProtection ?? 'PAGE_READWRITE'),
  });
  assert.ok(view !== null);
  if ('content' in t.case.expect) {
    t.status(status);
    t.words('content', {
      'equals what the first process stored': () => assert.deepEqual([...view.bytes.subarray(0, 200)], [...CONTENT]),
    });
    t.equal('HandleCount', counts(t, section).HandleCount);
    return;
  }
  view.bytes[3] = 0xee;
  t.is(t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), view.address), 'STATUS_SUCCESS', 'unmap');
  t.equal('HandleCountAfterUnmap', counts(t, section).HandleCount);
  first.tell('look');
  const seen = (await first.result) as readonly number[];
  t.equal('firstProcessSeesWrite', seen[3] === 0xee);
}

interface Region {
  readonly State: number;
  readonly Protect: number;
  readonly RegionSize: number;
}

function checkRegion(t: Trial, view: n.View): void {
  const { status, memoryInformation } = t.k.ZwQueryVirtualMemory(t.k.ZwCurrentProcess(), view.address, n.MemoryBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'ZwQueryVirtualMemory');
  const { State, Protect, RegionSize } = memoryInformation as unknown as Region;
  assert.equal(State, numberOf(t.expect.pageState));
  assert.equal(Protect, numberOf(t.expect.protect));
  t.equal('regionSize', RegionSize);
}

/** A view of a section over the suite's file or of the paging file, as the row says, and what the system tells of it. */
export function regionOfView(t: Trial): void {
  const { inputs, call, fn = '', given = '' } = t.case;
  const isPagefile = /page-?file/i.test(`${fn} ${call} ${given}`);
  const section = kernelSection(t, isPagefile ? CONTENT.length : null, {
    file: isPagefile ? null : kernelFile(t, CONTENT),
    attributes: numberOf(inputs.allocationAttributes ?? 'SEC_COMMIT'),
  });
  const { status, view } = mapKernel(t, section, {
    commit: Number(inputs.commitSize ?? 0),
    offset: inputs.sectionOffset === undefined ? null : Number(inputs.sectionOffset),
    size: Number(inputs.viewSize ?? 0),
    type: numberOf(inputs.allocationType ?? 0),
    protection: numberOf(inputs.viewProtection),
  });
  if ('status' in t.case.expect) t.status(status);
  assert.ok(view !== null);
  checkRegion(t, view);
}

export const scripts = family({
  'ros-zwmapview-049': conflictThenFree,
  'ros-zwmapview-051': () => skip('the row calls MmMapViewOfSection, inside the kernel; the Zw call refuses its offset before'),
  'ros-zwmapview-052': countsOfNew,
  'ros-zwmapview-053': countsOfMapped,
  'ros-zwmapview-054': contentOfFile,
  'ros-zwmapview-057..058': twoProcesses,
  'ros-zwmapview-062, ros-zwmapview-064': regionOfView,
});
