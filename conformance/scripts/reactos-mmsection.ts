/**
 * Plays of reactos-mmsection: the memory manager's own calls, through the Zw calls that stand before them.
 */
import assert from 'node:assert/strict';
import * as n from 'sectile/ntdll';
import { skip } from '../script.js';
import { kernelFile } from '../support/kernel.js';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { numberOf } from '../support/values.js';

const PHYSICAL = 'physical memory is never mapped: \\Device\\PhysicalMemory is refused to everybody, drivers as well';
const POINTERS = 'the fault comes from a NULL C pointer inside the kernel; JavaScript calls have no such pointer';

export function create(t: Trial): void {
  const { inputs, expect } = t;
  if ('exception' in t.case.expect) skip(POINTERS);
  const maximumSize = inputs.maximumSize === null ? null : Number(inputs.maximumSize);
  const file = fileOf(t, inputs.file);
  const { status, sectionHandle } = t.k.ZwCreateSection(
    n.SECTION_ALL_ACCESS,
    attributes(null, n.OBJ_KERNEL_HANDLE),
    maximumSize,
    numberOf(inputs.protect ?? inputs.sectionPageProtection ?? 'PAGE_READWRITE'),
    sectionAttributes(inputs),
    file,
  );
  t.keep(sectionHandle);
  t.status(status);
  if ('out' in t.case.expect) {
    t.words('out', {
      untouched: () => assert.equal(sectionHandle, 0),
      set: () => assert.ok(sectionHandle < 0),
    });
  }
  if (!('maximumSizeAfter' in t.case.expect)) return;
  // The size comes in by value here; what a file's section keeps of it can be asked.
  assert.equal(file === null ? maximumSize : query(t, sectionHandle).MaximumSize, expect.maximumSizeAfter);
}

/** SEC_…: under its own name where `attributes` are those of the object. */
function sectionAttributes(inputs: Trial['inputs']): number {
  return numberOf(String(inputs.allocationAttributes ?? inputs.attributes).replace(/ \(.*\)$/, ''));
}

/** FILE1, as the row gives it: by its handle, or held as an object as well. */
function fileOf(t: Trial, given: unknown): number | null {
  if (given === null || given === undefined) return null;
  const file = kernelFile(t, 1);
  const how = /^FILE1 given as (file handle|file object|both)$/.exec(String(given))?.[1];
  assert.ok(how !== undefined, `nobody here knows ${String(given)}`);
  if (how === 'file handle') return file;
  const { status, object } = t.k.ObReferenceObjectByHandle(file, n.FILE_READ_DATA, t.k.IoFileObjectType, t.k.KernelMode);
  t.is(status, 'STATUS_SUCCESS', 'ObReferenceObjectByHandle');
  assert.ok(object !== null);
  t.after(() => t.k.ObDereferenceObject(object));
  return file;
}

function query(t: Trial, section: number): n.SECTION_BASIC_INFORMATION {
  const { status, sectionInformation } = t.k.ZwQuerySection(section, n.SectionBasicInformation);
  t.is(status, 'STATUS_SUCCESS', 'ZwQuerySection');
  assert.ok(sectionInformation !== null);
  return sectionInformation;
}

/** How FILE1 was given to the sections that the later rows go on with. */
const sources = new Map([
  ['ros-mmsection-010', 'FILE1 given as file handle'],
  ['ros-mmsection-014', 'FILE1 given as file object'],
  ['ros-mmsection-018', 'FILE1 given as both'],
]);

function section(t: Trial): number {
  const file = fileOf(t, sources.get(t.case.after?.[0] ?? '') ?? assert.fail());
  const { status, sectionHandle } = t.k.ZwCreateSection(n.SECTION_ALL_ACCESS, null, 1, n.PAGE_READONLY, n.SEC_RESERVE, file);
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  return t.keep(sectionHandle);
}

function querySection(t: Trial): void {
  const handle = section(t);
  const { status } = t.k.ZwQuerySection(handle, n.SectionBasicInformation);
  t.status(status);
  const { BaseAddress, MaximumSize, AllocationAttributes } = query(t, handle);
  t.equal('BaseAddress', BaseAddress);
  t.equal('Size', MaximumSize);
  assert.equal(AllocationAttributes, numberOf(t.expect.Attributes));
}

function map(t: Trial): void {
  const { inputs } = t;
  const { status, baseAddress, view } = t.k.ZwMapViewOfSection(
    section(t),
    t.k.ZwCurrentProcess(),
    null,
    Number(inputs.zeroBits ?? 0),
    Number(inputs.commitSize),
    Number(inputs.sectionOffset ?? 0),
    Number(inputs.viewSize),
    numberOf(inputs.inherit ?? 'ViewUnmap'),
    0,
    numberOf(inputs.protect),
  );
  t.status(status);
  t.after(() => t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), baseAddress));
  t.equal('firstByte', view?.bytes[0]);
}

function handleCount(t: Trial): void {
  const file = kernelFile(t, 1);
  const count = (): number => {
    const { status, objectInformation } = t.k.ZwQueryObject(file, n.ObjectBasicInformation);
    t.is(status, 'STATUS_SUCCESS', 'ZwQueryObject');
    return (objectInformation as unknown as { HandleCount: number }).HandleCount;
  };
  t.equal('fileHandleCount', count());
  const { sectionHandle } = t.k.ZwCreateSection(n.SECTION_ALL_ACCESS, null, 1, n.PAGE_READONLY, n.SEC_RESERVE, file);
  assert.notEqual(sectionHandle, 0);
  t.equal('fileHandleCount', count());
  t.is(t.k.ZwClose(sectionHandle), 'STATUS_SUCCESS');
  t.equal('fileHandleCount', count());
}

/** Physical memory is refused before any row that maps it; that it is can be asserted. */
function physical(t: Trial): void {
  const { status } = t.k.ZwOpenSection(n.SECTION_ALL_ACCESS, attributes('\\Device\\PhysicalMemory'));
  t.is(status, 'STATUS_ACCESS_DENIED', 'open \\Device\\PhysicalMemory');
  skip(PHYSICAL);
}

/** The rule is about the handle's kind; any section has such handles. */
function closeUserHandle(t: Trial): void {
  const { status, sectionHandle } = t.k.ZwCreateSection(n.SECTION_ALL_ACCESS, null, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  t.is(status, 'STATUS_SUCCESS', 'create a section');
  t.status(t.k.ObCloseHandle(sectionHandle, t.k.UserMode));
}

export const scripts = family({
  'ros-mmsection-001..010, ros-mmsection-014, ros-mmsection-018, ros-mmsection-032..033': create,
  'ros-mmsection-011, ros-mmsection-015, ros-mmsection-019': querySection,
  'ros-mmsection-012..013, ros-mmsection-016..017, ros-mmsection-020..021': map,
  'ros-mmsection-022': handleCount,
  'ros-mmsection-023..030': physical,
  'ros-mmsection-031': closeUserHandle,
});
