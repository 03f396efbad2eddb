/**
 * `sectile/ntddk`: kernel mode, in a system process that this test is, with applications beside it.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { View } from 'sectile/ntdll';
import { statusName } from '../../dist/base/status.js';
import { runSystem } from '../../dist/system/run.js';
import { run, start } from '../support/child.js';
import application from './application.js';
import { runtimeDirectory } from './runtime.js';

const log: string[] = [];
const system = await runSystem({ log: (line) => log.push(line) });
after(() => system.stop());
const k = await import('sectile/ntddk');
const n = await import('sectile/ntdll');

const self = k.ZwCurrentProcess();
const env = { SECTILE_RUNTIME_DIR: runtimeDirectory };

function is(status: number, name: string): void {
  assert.equal(statusName(status), name);
}

function named(name: string, attributes: number = k.OBJ_KERNEL_HANDLE, security: string | null = null) {
  return k.InitializeObjectAttributes(`\\BaseNamedObjects\\${name}`, attributes, null, security);
}

function create(name: string, attributes?: number, security?: string, access: number = k.SECTION_ALL_ACCESS): number {
  const { status, sectionHandle } = k.ZwCreateSection(
    access,
    named(name, attributes, security),
    4096,
    k.PAGE_READWRITE,
    k.SEC_COMMIT,
    null,
  );
  is(status, 'STATUS_SUCCESS');
  return sectionHandle;
}

function map(handle: number, protection: number = k.PAGE_READWRITE) {
  return k.ZwMapViewOfSection(handle, self, null, 0, 0, null, 0, k.ViewUnmap, 0, protection);
}

test('outside the system process there is no kernel mode to import', async (t) => {
  await run(t, application, 'cannot import sectile/ntddk');
});

test('the five steps: a section that the application may only read', async (t) => {
  const handle = create('telemetry', k.OBJ_KERNEL_HANDLE | k.OBJ_FORCE_ACCESS_CHECK, 'D:(A;;GA;;;SY)(A;;GR;;;WD)');
  assert.ok(handle < 0);
  const { status, baseAddress, view, viewSize } = map(handle);
  is(status, 'STATUS_SUCCESS');
  assert.ok(view !== null && viewSize === 4096 && baseAddress === view.address);
  view.bytes[0] = 99;
  // Root is LocalSystem as well, and would be granted everything.
  const options = process.geteuid?.() === 0 ? { env, uid: 65_534, gid: 65_534 } : { env };
  const child = start(t, application, 'may only read what the driver grants, and cannot use its handles', {
    ...options,
    args: ['Global\\telemetry', handle],
  });
  await child.reached('done');
  child.tell('end');
  await child.endsWell();
  is(k.ZwUnmapViewOfSection(self, baseAddress), 'STATUS_SUCCESS');
  is(k.ZwClose(handle), 'STATUS_SUCCESS');
  is(k.ZwOpenSection(k.SECTION_MAP_READ, named('telemetry')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
});

test('an application creates, the driver opens in another case and adds to its counters', async (t) => {
  const child = start(t, application, 'creates a global section and sees what the driver adds', {
    env,
    args: ['Global\\Counted_Section'],
  });
  await child.reached('mapped');
  is(k.ZwOpenSection(k.SECTION_MAP_READ, named('counted_section')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  const attributes = named('counted_section', k.OBJ_CASE_INSENSITIVE | k.OBJ_KERNEL_HANDLE);
  const { status, sectionHandle } = k.ZwOpenSection(k.SECTION_MAP_READ | k.SECTION_MAP_WRITE, attributes);
  is(status, 'STATUS_SUCCESS');
  const { view, baseAddress } = k.ZwMapViewOfSection(
    sectionHandle,
    self,
    null,
    0,
    0,
    null,
    1000,
    k.ViewUnmap,
    0,
    k.PAGE_READWRITE,
  );
  assert.ok(view !== null);
  const counters = view.as(Int32Array);
  Atomics.add(counters, 0, 2);
  Atomics.add(counters, 1, 7);
  child.tell('look');
  await child.endsWell();
  assert.equal(counters[0], 42);
  is(k.ZwUnmapViewOfSection(self, baseAddress), 'STATUS_SUCCESS');
  is(k.ZwClose(sectionHandle), 'STATUS_SUCCESS');
});

test('kernel handles mean nothing to user mode; without OBJ_KERNEL_HANDLE a handle is the process’s own', () => {
  const kernel = create('kernel-handle');
  const own = create('user-handle', 0);
  assert.ok(kernel < 0 && own > 0);
  is(n.NtClose(kernel), 'STATUS_INVALID_HANDLE');
  is(n.NtQuerySection(kernel, 0).status, 'STATUS_INVALID_HANDLE');
  is(n.NtMapViewOfSection(kernel, self, null, 0, 0, null, 0, 2, 0, 4).status, 'STATUS_INVALID_HANDLE');
  is(k.ZwQuerySection(own, 0).status, 'STATUS_SUCCESS');
  is(n.NtQuerySection(own, 0).status, 'STATUS_SUCCESS');
  is(n.NtClose(own), 'STATUS_SUCCESS');
  is(k.ZwClose(kernel), 'STATUS_SUCCESS');
  for (const bogus of [0, 0x8000_0000, -1]) is(k.ZwClose(bogus), 'STATUS_INVALID_HANDLE');
});

test('kernel mode is not checked, unless it asks for that', () => {
  const owner = create('guarded', k.OBJ_KERNEL_HANDLE, 'D:(A;;GR;;;SY)');
  const rows: [attributes: number, access: number, opened: string, written: string][] = [
    [0, k.SECTION_MAP_READ, 'STATUS_SUCCESS', 'STATUS_SUCCESS'],
    [0, 0, 'STATUS_SUCCESS', 'STATUS_SUCCESS'],
    [k.OBJ_FORCE_ACCESS_CHECK, k.SECTION_MAP_READ, 'STATUS_SUCCESS', 'STATUS_ACCESS_DENIED'],
    [k.OBJ_FORCE_ACCESS_CHECK, k.SECTION_MAP_WRITE, 'STATUS_ACCESS_DENIED', ''],
    [k.OBJ_FORCE_ACCESS_CHECK, 0, 'STATUS_ACCESS_DENIED', ''],
    [k.OBJ_FORCE_ACCESS_CHECK, k.MAXIMUM_ALLOWED, 'STATUS_SUCCESS', 'STATUS_ACCESS_DENIED'],
  ];
  for (const [attributes, access, opened, written] of rows) {
    const { status, sectionHandle } = k.ZwOpenSection(access, named('guarded', attributes | k.OBJ_KERNEL_HANDLE));
    is(status, opened);
    if (sectionHandle === 0) continue;
    const { status: mapped, baseAddress } = map(sectionHandle);
    is(mapped, written);
    k.ZwUnmapViewOfSection(self, baseAddress);
    k.ZwClose(sectionHandle);
  }
  is(map(owner, k.PAGE_EXECUTE_READ).status, 'STATUS_SECTION_PROTECTION');
  is(n.NtOpenSection(n.SECTION_MAP_WRITE, named('guarded', 0)).status, 'STATUS_ACCESS_DENIED');
  k.ZwClose(owner);
});

test('a local section that was opened for reading can be written to by kernel mode', () => {
  const name = `\\Sessions\\${process.geteuid?.() === 0 ? 0 : 1}\\BaseNamedObjects\\of the user`;
  const made = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    n.InitializeObjectAttributes(name, 0),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  const opened = k.ZwOpenSection(k.SECTION_MAP_READ, k.InitializeObjectAttributes(name, k.OBJ_KERNEL_HANDLE));
  const { status, baseAddress } = map(opened.sectionHandle);
  is(status, 'STATUS_SUCCESS');
  k.ZwUnmapViewOfSection(self, baseAddress);
  for (const { sectionHandle } of [made, opened]) is(k.ZwClose(sectionHandle), 'STATUS_SUCCESS');
});

test('creating where a section is, and what cannot be created', () => {
  const first = create('taken');
  const again = (attributes: number, name = 'taken') =>
    k.ZwCreateSection(0, named(name, attributes), 100, k.PAGE_READONLY, k.SEC_COMMIT, null);
  is(again(0).status, 'STATUS_OBJECT_NAME_COLLISION');
  is(again(k.OBJ_CASE_INSENSITIVE, 'TAKEN').status, 'STATUS_OBJECT_NAME_COLLISION');
  const opened = again(k.OBJ_OPENIF);
  is(opened.status, 'STATUS_OBJECT_NAME_EXISTS');
  assert.equal(k.ZwQuerySection(opened.sectionHandle, k.SectionBasicInformation).sectionInformation?.MaximumSize, 4096);
  const physical = k.InitializeObjectAttributes('\\Device\\PhysicalMemory', k.OBJ_CASE_INSENSITIVE | k.OBJ_KERNEL_HANDLE);
  is(k.ZwOpenSection(k.SECTION_MAP_READ, physical).status, 'STATUS_ACCESS_DENIED');
  for (const handle of [first, opened.sectionHandle]) k.ZwClose(handle);
});

const driver = `
import * as k from 'sectile/ntddk';
export let kept;
export function DriverEntry(driverObject, registryPath) {
  const { status, values } = k.RtlQueryRegistryValues(k.RTL_REGISTRY_ABSOLUTE, registryPath,
    [{ Name: 'name', DefaultData: 'unused' }, { Name: 'size', DefaultData: '8192' }, { Name: 'absent' }]);
  if (!k.NT_SUCCESS(status) || 'absent' in values) return k.STATUS_UNSUCCESSFUL;
  const make = (name) => k.ZwCreateSection(k.SECTION_ALL_ACCESS,
    k.InitializeObjectAttributes('\\\\BaseNamedObjects\\\\' + name, k.OBJ_KERNEL_HANDLE | k.OBJ_PROTECT_CLOSE),
    Number(values.size), k.PAGE_READWRITE, k.SEC_COMMIT, null).sectionHandle;
  const handle = make(values.name);
  const map = () => k.ZwMapViewOfSection(handle, k.ZwCurrentProcess(), null, 0, 0, null, 0, k.ViewUnmap, 0, k.PAGE_READWRITE);
  globalThis.driverViews = [map(), map(), map()].map(({ view }) => view);
  k.ZwUnmapViewOfSection(k.NtCurrentProcess(), globalThis.driverViews[1].address);
  k.DbgPrint('%d bytes\\n', globalThis.driverViews[0].length);
  return k.STATUS_SUCCESS;
}
`;

test('a driver that is unloaded leaves no handle and no view', async () => {
  const folder = join(runtimeDirectory, 'drivers');
  mkdirSync(folder);
  const file = join(folder, 'careless.mjs');
  writeFileSync(file, driver);
  const { drivers } = system as unknown as { drivers: import('../../dist/system/driver-host.js').DriverHost };
  const { handles, views } = await drivers.load(file, { name: 'left-behind' });
  assert.deepEqual({ handles, views }, { handles: 1, views: 2 });
  const left = (globalThis as unknown as { driverViews: View[] }).driverViews;
  assert.deepEqual(
    left.map(({ length }) => length),
    [8192, 0, 8192],
  );
  const other = k.ZwOpenSection(k.SECTION_MAP_READ, named('left-behind'));
  is(other.status, 'STATUS_SUCCESS');
  k.ZwClose(other.sectionHandle);
  await drivers.unload('careless');
  assert.ok(left.every(({ closed }) => closed));
  is(k.ZwOpenSection(k.SECTION_MAP_READ, named('left-behind')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
});

test('RtlQueryRegistryValues knows the paths of loaded drivers only', () => {
  const { RtlQueryRegistryValues: query } = k;
  is(query(k.RTL_REGISTRY_ABSOLUTE, '\\Registry\\Machine\\X', []).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  is(query(1, 'X', []).status, 'STATUS_INVALID_PARAMETER');
  is(query(0, 'X', [null] as never).status, 'STATUS_INVALID_PARAMETER');
  is(query(0, 7 as never, []).status, 'STATUS_INVALID_PARAMETER');
});

test('a duplicate for this process is a user handle, one for the system process a kernel handle', () => {
  const kernel = create('duplicated', k.OBJ_KERNEL_HANDLE);
  const { targetHandle: user } = k.ZwDuplicateObject(self, kernel, self, k.SECTION_ALL_ACCESS, k.OBJ_KERNEL_HANDLE, 0);
  assert.ok(user > 0);
  const system = k.ZwDuplicateObject(self, self, self, 0, 0, k.DUPLICATE_SAME_ACCESS).targetHandle;
  const { status, targetHandle: second } = k.ZwDuplicateObject(
    self,
    user,
    system,
    k.SECTION_QUERY,
    k.OBJ_KERNEL_HANDLE,
    k.DUPLICATE_SAME_ATTRIBUTES,
  );
  is(status, 'STATUS_SUCCESS');
  assert.ok(second < 0);
  is(n.NtClose(second), 'STATUS_INVALID_HANDLE');
  is(n.NtDuplicateObject(self, second, self, 0, 0, 0).status, 'STATUS_INVALID_HANDLE');
  for (const each of [kernel, user, system, second]) is(k.ZwClose(each), 'STATUS_SUCCESS');
});
