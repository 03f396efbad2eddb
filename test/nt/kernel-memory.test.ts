/**
 * Virtual memory in kernel mode: a driver's section that only it writes, reserved and committed by the
 * page, with an application beside it.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import { runSystem } from '../../dist/system/run.js';
import { start } from '../support/child.js';
import { platform } from '../support/platform.js';
import application from './application.js';
import { runtimeDirectory } from './runtime.js';

const system = await runSystem({ log: () => {} });
after(() => system.stop());
const k = await import('sectile/ntddk');

const PAGE = 0x1000;
const SIZE = 16 * PAGE;
const self = k.ZwCurrentProcess();

function is(status: number, name: string): void {
  assert.equal(statusName(status), name);
}

function basic(address: bigint) {
  const { status, memoryInformation } = k.ZwQueryVirtualMemory(self, address, k.MemoryBasicInformation);
  is(status, 'STATUS_SUCCESS');
  assert.ok(memoryInformation !== null && 'State' in memoryInformation);
  return [memoryInformation.State, memoryInformation.Protect, memoryInformation.RegionSize];
}

test('a driver commits pages of a section that only it writes, and an application that reads sees them', {
  skip: platform.lacks.commitByReading,
}, async (t) => {
  const attributes = k.InitializeObjectAttributes(
    '\\BaseNamedObjects\\reserved',
    k.OBJ_KERNEL_HANDLE | k.OBJ_FORCE_ACCESS_CHECK,
    null,
    'D:(A;;GA;;;SY)(A;;GR;;;WD)',
  );
  const { status, sectionHandle } = k.ZwCreateSection(
    k.SECTION_ALL_ACCESS,
    attributes,
    SIZE,
    k.PAGE_READWRITE,
    k.SEC_RESERVE,
    null,
  );
  is(status, 'STATUS_SUCCESS');
  const { view, baseAddress } = k.ZwMapViewOfSection(
    sectionHandle,
    self,
    null,
    0,
    PAGE,
    null,
    0,
    k.ViewUnmap,
    0,
    k.PAGE_READWRITE,
  );
  assert.ok(view !== null && baseAddress !== null);
  view.bytes[0] = 11;
  const child = start(t, application, 'reads pages that a driver commits', {
    env: { SECTILE_RUNTIME_DIR: runtimeDirectory },
    args: ['Global\\reserved', SIZE],
    ...(process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}),
  });
  await child.reached('mapped');
  const second = baseAddress + BigInt(PAGE);
  is(k.ZwAllocateVirtualMemory(self, second, 0, PAGE, k.MEM_COMMIT, k.PAGE_READWRITE).status, 'STATUS_SUCCESS');
  view.bytes[PAGE] = 22;
  child.tell('the second page is there');
  await child.reached('committed');
  assert.deepEqual(basic(baseAddress), [k.MEM_COMMIT, k.PAGE_READWRITE, 3 * PAGE]);
  view.bytes[2 * PAGE] = 33;
  child.tell('look');
  await child.endsWell();
  assert.deepEqual([view.fault], [null]);
  is(k.ZwProtectVirtualMemory(self, baseAddress, PAGE, k.PAGE_READONLY).status, 'STATUS_SUCCESS');
  view.bytes[0] = 99;
  assert.equal(view.fault?.kind, 'write-to-read-only');
  is(k.ZwProtectVirtualMemory(self, baseAddress, PAGE, k.PAGE_READWRITE).status, 'STATUS_SUCCESS');
  assert.equal(view.bytes[0], 11);
  view.bytes[0] = 12;
  is(k.ZwUnmapViewOfSection(self, second), 'STATUS_SUCCESS');
  is(k.ZwClose(sectionHandle), 'STATUS_SUCCESS');
});

test('kernel mode has private memory and placeholders of its own', () => {
  const { status, baseAddress } = k.ZwAllocateVirtualMemory(self, null, 0, SIZE, k.MEM_RESERVE | k.MEM_COMMIT, k.PAGE_READWRITE);
  is(status, 'STATUS_SUCCESS');
  assert.ok(baseAddress !== null);
  assert.deepEqual(basic(baseAddress), [k.MEM_COMMIT, k.PAGE_READWRITE, SIZE]);
  is(k.ZwUnmapViewOfSection(self, baseAddress), 'STATUS_NOT_MAPPED_VIEW');
  is(k.ZwFreeVirtualMemory(self, baseAddress, 0, k.MEM_RELEASE).status, 'STATUS_SUCCESS');
  const placeholder = k.ZwAllocateVirtualMemoryEx(self, null, SIZE, k.MEM_RESERVE | k.MEM_RESERVE_PLACEHOLDER, k.PAGE_NOACCESS);
  is(placeholder.status, 'STATUS_SUCCESS');
  const { sectionHandle } = k.ZwCreateSection(k.SECTION_ALL_ACCESS, null, SIZE, k.PAGE_READWRITE, k.SEC_COMMIT, null);
  const mapped = k.ZwMapViewOfSectionEx(
    sectionHandle,
    self,
    placeholder.baseAddress,
    null,
    SIZE,
    k.MEM_REPLACE_PLACEHOLDER,
    k.PAGE_READWRITE,
  );
  is(mapped.status, 'STATUS_SUCCESS');
  assert.equal(mapped.view?.bytes.length, SIZE);
  is(k.ZwUnmapViewOfSectionEx(self, mapped.baseAddress, k.MEM_PRESERVE_PLACEHOLDER), 'STATUS_SUCCESS');
  is(k.ZwFreeVirtualMemory(self, placeholder.baseAddress, 0, k.MEM_RELEASE).status, 'STATUS_SUCCESS');
  is(k.ZwClose(sectionHandle), 'STATUS_SUCCESS');
});
