/**
 * Plays of wine-ntoskrnl-driver-app: the application creates the section, the driver opens it.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { Parent, World } from '../script.js';
import { mapKernel } from '../support/kernel.js';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { constant, errorNameOf, numberOf } from '../support/values.js';

/** sizeof(test_data), at most this. */
const TEST_DATA = 1024;
const NAME = 'Global\\winetest_ntoskrnl_section';
const NT_NAME = '\\BaseNamedObjects\\winetest_ntoskrnl_section';

function createMapping(t: Trial): void {
  const { inputs } = t;
  const section = w.CreateFileMapping(
    constant(String(inputs.hFile)),
    null,
    numberOf(inputs.protect),
    0,
    TEST_DATA,
    String(inputs.name),
  );
  t.keep(section);
  t.win32(section !== 0);
}

function mapView(t: Trial): void {
  const section = t.keep(w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, TEST_DATA, NAME));
  const { inputs } = t;
  const view = w.MapViewOfFile(section, numberOf(inputs.access), 0, Number(inputs.offset), Number(inputs.size));
  t.win32(view !== null && w.UnmapViewOfFile(view));
}

/** The application: creates, writes a greeting, and says in the end what its counters are. */
export async function application(_world: World, parent: Parent): Promise<readonly number[]> {
  const section = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, TEST_DATA, NAME);
  assert.notEqual(section, 0, errorNameOf(w.GetLastError()));
  const view = w.MapViewOfFile(section, w.FILE_MAP_READ | w.FILE_MAP_WRITE, 0, 0, TEST_DATA);
  assert.ok(view !== null, errorNameOf(w.GetLastError()));
  const counters = view.as(Int32Array);
  counters.set([40, 1, 2, 3]);
  parent.tell('written');
  await parent.told();
  return [...counters.subarray(0, 4)];
}

async function withApplication(t: Trial) {
  const app = t.world.application(import.meta.url, 'application');
  assert.equal(await app.told(), 'written');
  return app;
}

const OPEN = n.OBJ_CASE_INSENSITIVE | n.OBJ_KERNEL_HANDLE;

function openSection(t: Trial, name = NT_NAME, flags: number = OPEN): { readonly status: number; readonly section: number } {
  const access =
    t.inputs.desiredAccess === undefined ? n.SECTION_MAP_READ | n.SECTION_MAP_WRITE : numberOf(t.inputs.desiredAccess);
  const { status, sectionHandle } = t.k.ZwOpenSection(access, attributes(name, flags));
  return { status, section: t.keep(sectionHandle) };
}

async function open(t: Trial): Promise<void> {
  await withApplication(t);
  const { inputs } = t;
  const flags = inputs.attributes === undefined ? OPEN : numberOf(inputs.attributes);
  const { status, section } = openSection(t, String(inputs.name ?? NT_NAME), flags);
  t.status(status);
  assert.ok(section < 0);
}

async function read(t: Trial): Promise<void> {
  await withApplication(t);
  const { inputs } = t;
  const { status, view } = mapKernel(t, openSection(t).section, {
    zeroBits: Number(inputs.zeroBits),
    commit: Number(inputs.commitSize),
    offset: null,
    size: TEST_DATA,
    inherit: numberOf(inputs.inherit),
    protection: numberOf(inputs.protect),
  });
  t.status(status);
  t.words('content', {
    'what the application wrote': () => assert.deepEqual([...(view?.as(Int32Array).subarray(0, 4) ?? [])], [40, 1, 2, 3]),
  });
}

async function unmapAndClose(t: Trial): Promise<void> {
  await withApplication(t);
  const { status, section } = openSection(t);
  t.is(status, 'STATUS_SUCCESS');
  const { baseAddress } = mapKernel(t, section);
  t.status(t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), baseAddress));
  t.status(t.k.ZwClose(section));
}

async function count(t: Trial): Promise<void> {
  const app = await withApplication(t);
  const { status, view } = mapKernel(t, openSection(t).section, { size: TEST_DATA, protection: n.PAGE_READWRITE });
  t.status(status);
  assert.ok(view !== null);
  const counters = view.as(Int32Array);
  const before = [0, 1, 2, 3].map((at) => Atomics.add(counters, at, 10 * (at + 1)));
  app.tell('look');
  assert.deepEqual(before, [40, 1, 2, 3]);
  t.equal('applicationSeesCounters', JSON.stringify(await app.result) === JSON.stringify([50, 21, 32, 43]));
}

export const scripts = family({
  'wine-drv-001': createMapping,
  'wine-drv-002': mapView,
  'wine-drv-003, wine-drv-006': open,
  'wine-drv-004': read,
  'wine-drv-005': unmapAndClose,
  'wine-drv-007': count,
});
