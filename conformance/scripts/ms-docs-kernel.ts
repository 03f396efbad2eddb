/**
 * Plays of ms-docs-assertions about the driver's side: sections, views and flushes in kernel mode.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as n from 'sectile/ntdll';
import { kernelFile, kernelSection, kernelView, mapKernel, openKernelFile } from '../support/kernel.js';
import { attributes } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { namesIn, numberOf } from '../support/values.js';
import { held } from '../support/win32.js';

/** Tries to create a section, and keeps it if that works. */
function create(
  t: Trial,
  size: number | bigint | null,
  options: { protection?: number; file?: number; attributes?: number } = {},
): number {
  const { protection = n.PAGE_READWRITE, file = null, attributes: sec = n.SEC_COMMIT } = options;
  const { status, sectionHandle } = t.k.ZwCreateSection(n.SECTION_ALL_ACCESS, null, size, protection, sec, file);
  t.keep(sectionHandle);
  return status;
}

function roundedSize(t: Trial): void {
  t.words('sectionSize', {
    'n rounded up to PAGE_SIZE': () => {
      for (const size of [1, 4095, 4096, 4097, 100_000]) {
        const { sectionInformation } = t.k.ZwQuerySection(kernelSection(t, size), n.SectionBasicInformation);
        assert.equal(sectionInformation?.MaximumSize, Math.ceil(size / 4096) * 4096);
      }
    },
  });
}

function emptyFile(t: Trial): void {
  t.status(create(t, Number(t.inputs.maximumSize), { file: kernelFile(t, 0) }));
}

function largerThanFile(t: Trial): void {
  t.status(create(t, 5000, { file: kernelFile(t, 4096), protection: n.PAGE_READONLY }));
}

function largerThanAll(t: Trial): void {
  for (const size of [2n ** 63n, 2n ** 64n - 1n, 2n ** 48n]) t.status(create(t, size));
}

function invalidProtection(t: Trial): void {
  for (const protection of [0, n.PAGE_NOACCESS, n.PAGE_GUARD | n.PAGE_READWRITE, n.PAGE_READONLY | n.PAGE_READWRITE, 0x1234]) {
    t.status(create(t, 4096, { protection }));
  }
}

function noSections(t: Trial): void {
  t.status(create(t, 4096, { file: openKernelFile(t, '/dev/null', n.FILE_READ_DATA | n.FILE_WRITE_DATA) }));
}

function lockedFile(t: Trial): void {
  const path = t.file(8192);
  const locker = openKernelFile(t, path);
  t.is(t.k.ZwLockFile(locker, null, null, null, 0, 8192, 0, true, true).status, 'STATUS_SUCCESS', 'ZwLockFile');
  t.status(create(t, null, { file: openKernelFile(t, path) }));
  t.is(t.k.ZwUnlockFile(locker, 0, 8192, 0).status, 'STATUS_SUCCESS', 'ZwUnlockFile');
  t.is(create(t, null, { file: openKernelFile(t, path) }), 'STATUS_SUCCESS', 'create it when the lock is gone');
}

/** Rows that the suites refute: what they say instead stands in `contradictedBy`. */
function refuted(key: 'base' | 'offset') {
  return (t: Trial): void => {
    assert.equal(t.expect[key], 'rounded down to 64K');
    const suites = namesIn(t.case.contradictedBy, 'STATUS');
    const section = kernelSection(t, 0x4_0000);
    const options = key === 'base' ? { base: 0x2000_1000n } : { offset: 0x1_1000 };
    t.is(mapKernel(t, section, options).status, suites);
  };
}

function zeroBits(t: Trial): void {
  const least = Number(/^>= (\d+)$/.exec(String(t.inputs.zeroBits))?.[1]);
  const section = kernelSection(t, 4096);
  for (let bits = least; bits < 32; bits++) {
    assert.equal(n.NT_SUCCESS(mapKernel(t, section, { zeroBits: bits }).status), t.expect.ok, `${bits} zero bits`);
  }
  assert.ok(n.NT_SUCCESS(mapKernel(t, section, { zeroBits: 2 }).status));
}

function viewSize(t: Trial): void {
  const section = kernelSection(t, 0x2_1234, { file: kernelFile(t, 0x2_1234) });
  t.words('viewSizeOut', {
    'from offset to end of section, page rounded': () => {
      assert.equal(mapKernel(t, section, { size: Number(t.inputs.viewSize) }).viewSize, 0x2_2000);
      assert.equal(mapKernel(t, section, { size: 0, offset: 0x2_0000 }).viewSize, 0x2000);
    },
    'n rounded up to PAGE_SIZE': () => {
      for (const size of [1, 4096, 4097, 0x1_2345]) {
        assert.equal(mapKernel(t, section, { size }).viewSize, Math.ceil(size / 4096) * 4096);
      }
    },
  });
}

function allocationType(t: Trial): void {
  const type = numberOf(t.inputs.allocationType);
  assert.equal(n.NT_SUCCESS(mapKernel(t, kernelSection(t, 4096), { type }).status), t.expect.ok);
}

function occupied(t: Trial): void {
  const section = kernelSection(t, 0x2_0000);
  const { address } = kernelView(t, section);
  t.status(mapKernel(t, section, { base: address }).status);
  t.status(mapKernel(t, section, { base: address + 0x1_0000n }).status);
}

function viewProtection(t: Trial): void {
  const invalid = t.inputs.protect === 'invalid';
  const rows: readonly (readonly [section: number, view: number])[] = invalid
    ? [
        [n.PAGE_READWRITE, 0],
        [n.PAGE_READWRITE, n.PAGE_READONLY | n.PAGE_READWRITE],
        [n.PAGE_READWRITE, 0x1000],
      ]
    : [
        [n.PAGE_READONLY, n.PAGE_READWRITE],
        [n.PAGE_READWRITE, n.PAGE_EXECUTE_READ],
        [n.PAGE_EXECUTE_READ, n.PAGE_EXECUTE_READWRITE],
      ];
  for (const [protection, view] of rows) {
    t.status(mapKernel(t, kernelSection(t, 4096, { protection }), { protection: view }).status, `${protection}, ${view}`);
  }
}

async function inheritance(t: Trial): Promise<void> {
  const shared = t.inputs.inheritDisposition === 'ViewShare';
  const seen = (await t.world.application(new URL('../support/children.js', import.meta.url).href, 'parentOfChild', {
    args: [numberOf(t.inputs.inheritDisposition)],
  }).result) as boolean;
  t.words('children', {
    'view is mapped in children created later': () => assert.ok(seen),
    'view is not mapped': () => assert.ok(!seen),
  });
  assert.equal(seen, shared);
}

function unmapInside(t: Trial): void {
  const self = t.k.ZwCurrentProcess();
  const section = kernelSection(t, 0x2_0000);
  for (const inside of [0n, 100n, 4096n, 0x1_ffffn]) {
    const view = kernelView(t, section);
    const { address } = view;
    t.status(t.k.ZwUnmapViewOfSection(self, address + inside));
    t.words('effect', {
      'whole view unmapped, range free again': () => {
        assert.equal(view.length, 0);
        t.is(t.k.ZwUnmapViewOfSection(self, address), 'STATUS_NOT_MAPPED_VIEW', 'unmap it again');
        assert.equal(kernelView(t, section, { base: address }).address, address);
      },
    });
  }
}

function goesWithLast(t: Trial): void {
  const before = held();
  const name = `\\BaseNamedObjects\\${t.name()}`;
  const section = kernelSection(t, 65536, { name });
  const view = kernelView(t, section);
  assert.ok(held() > before);
  t.is(t.k.ZwClose(section), 'STATUS_SUCCESS', 'close');
  t.is(t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), view.address), 'STATUS_SUCCESS', 'unmap');
  t.words('effect', { 'committed pages released, section deleted': () => assert.equal(held(), before) });
}

function closeInvalid(t: Trial): void {
  for (const handle of [0, 0x8000_0000, -1]) t.status(t.k.ZwClose(handle));
}

function closeProtected(t: Trial): void {
  const { sectionHandle } = t.k.ZwCreateSection(
    n.SECTION_ALL_ACCESS,
    attributes(null, n.OBJ_KERNEL_HANDLE | n.OBJ_PROTECT_CLOSE),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  t.status(t.k.ZwClose(sectionHandle));
  const freed = t.k.ZwSetInformationObject(sectionHandle, t.k.ObjectHandleFlagInformation, {
    Inherit: false,
    ProtectFromClose: false,
  });
  t.is(freed, 'STATUS_SUCCESS', 'let it be closed');
  t.is(t.k.ZwClose(sectionHandle), 'STATUS_SUCCESS', 'close');
}

function closeKernelHandle(t: Trial): void {
  for (const handle of [-4, -8, -0x7fff_fffc]) {
    const status = n.NtClose(handle);
    assert.equal(n.NT_SUCCESS(status), t.expect.ok);
    t.is(status, namesIn(t.case.note, 'STATUS'));
  }
}

/** A view of a file of three pages. */
function fileView(t: Trial): n.View {
  return kernelView(t, kernelSection(t, null, { file: kernelFile(t, 3 * 4096) }));
}

function flushRange(t: Trial): void {
  const { address } = fileView(t);
  const self = t.k.ZwCurrentProcess();
  const flush = (base: bigint, size: number) => {
    const { status, baseAddress, regionSize } = t.k.ZwFlushVirtualMemory(self, base, size);
    t.is(status, 'STATUS_SUCCESS');
    return { baseAddress, regionSize };
  };
  if (t.inputs.regionSize === 0) {
    t.words('range', {
      'base to end of mapped range': () => assert.deepEqual(flush(address, 0), { baseAddress: address, regionSize: 3 * 4096 }),
    });
    t.words('out', {
      'actual base and size': () =>
        assert.deepEqual(flush(address + 5000n, 0), { baseAddress: address + 4096n, regionSize: 2 * 4096 }),
    });
    return;
  }
  t.words('out', {
    'n rounded up to page': () => {
      for (const size of [1, 4096, 4097]) assert.equal(flush(address, size).regionSize, Math.ceil(size / 4096) * 4096);
    },
  });
}

function flushNothing(t: Trial): void {
  const view = fileView(t);
  const { address } = view;
  t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), address);
  t.status(t.k.ZwFlushVirtualMemory(t.k.ZwCurrentProcess(), address, 0).status);
}

function flushInvalid(t: Trial): void {
  const { address } = fileView(t);
  const rows: readonly (readonly [base: bigint | null, size: bigint | number])[] = [
    [0xffff_8000_0000_0000n, 4096],
    [address, 2n ** 63n],
    [address, 2n ** 64n - 1n],
  ];
  for (const [base, size] of rows) t.status(t.k.ZwFlushVirtualMemory(t.k.ZwCurrentProcess(), base, size).status, String(size));
}

function flushElsewhere(t: Trial): void {
  const { address } = fileView(t);
  for (const process of [0, 0x7ff0]) t.status(t.k.ZwFlushVirtualMemory(process, address, 0).status);
}

function collision(t: Trial): void {
  const name = `\\BaseNamedObjects\\${t.name()}`;
  kernelSection(t, 4096, { name });
  const openIf = t.inputs.attributes === 'OBJ_OPENIF';
  const oa = attributes(name, n.OBJ_KERNEL_HANDLE | (openIf ? n.OBJ_OPENIF : 0));
  const { status, sectionHandle } = t.k.ZwCreateSection(n.SECTION_ALL_ACCESS, oa, 8192, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  t.keep(sectionHandle);
  if (!openIf) {
    t.status(status);
    return;
  }
  assert.equal(n.NT_SUCCESS(status), t.expect.ok);
  t.is(status, namesIn(t.case.note, 'STATUS'));
  t.words('effect', {
    'existing object opened': () => {
      const { sectionInformation } = t.k.ZwQuerySection(sectionHandle, n.SectionBasicInformation);
      assert.equal(sectionInformation?.MaximumSize, 4096);
    },
  });
}

function openInOtherCase(t: Trial): void {
  const name = t.name();
  kernelSection(t, 4096, { name: `\\BaseNamedObjects\\${name}` });
  const upper = `\\BASENAMEDOBJECTS\\${name.toUpperCase()}`;
  const open = (flags: number) => t.k.ZwOpenSection(n.SECTION_MAP_READ, attributes(upper, flags | n.OBJ_KERNEL_HANDLE));
  const { status, sectionHandle } = open(numberOf(t.inputs.attributes));
  t.keep(sectionHandle);
  assert.equal(n.NT_SUCCESS(status), t.expect.ok);
  assert.ok(!n.NT_SUCCESS(open(0).status));
}

function accessCheck(t: Trial): void {
  const name = `\\BaseNamedObjects\\${t.name()}`;
  kernelSection(t, 4096, { name, security: 'D:(A;;GR;;;WD)' });
  const { status, sectionHandle } = t.k.ZwOpenSection(n.SECTION_MAP_WRITE, attributes(name, numberOf(t.inputs.attributes)));
  t.keep(sectionHandle);
  if ('status' in t.case.expect) t.status(status);
  else assert.equal(n.NT_SUCCESS(status), t.expect.ok);
}

function afterLastHandle(t: Trial): void {
  const name = `\\BaseNamedObjects\\${t.name()}`;
  const permanent = t.case.call.includes('OBJ_PERMANENT');
  const section = kernelSection(t, 4096, { name, flags: permanent ? n.OBJ_PERMANENT : 0 });
  t.is(t.k.ZwClose(section), 'STATUS_SUCCESS', 'close');
  const { status, sectionHandle } = t.k.ZwOpenSection(n.DELETE, attributes(name, n.OBJ_KERNEL_HANDLE));
  t.k.ZwMakeTemporaryObject(sectionHandle);
  t.k.ZwClose(sectionHandle);
  t.equal('exists', n.NT_SUCCESS(status));
}

function exclusive(t: Trial): void {
  const name = `\\BaseNamedObjects\\${t.name()}`;
  const section = kernelSection(t, 4096, { name, flags: n.OBJ_EXCLUSIVE });
  t.words('rule', {
    'only one handle can be open': () => {
      for (const flags of [n.OBJ_KERNEL_HANDLE, n.OBJ_KERNEL_HANDLE | numberOf(t.inputs.attributes)]) {
        t.is(t.k.ZwOpenSection(n.SECTION_MAP_READ, attributes(name, flags)).status, 'STATUS_ACCESS_DENIED', 'open it again');
      }
      t.is(t.k.ZwQuerySection(section, n.SectionBasicInformation).status, 'STATUS_SUCCESS', 'use the first');
    },
  });
}

function qualityOfService(t: Trial): void {
  t.equal(
    'SecurityQualityOfService',
    t.k.InitializeObjectAttributes('\\BaseNamedObjects\\x', 0, null, null).SecurityQualityOfService,
  );
}

function closeAtOnce(t: Trial): void {
  const section = kernelSection(t, 4096);
  const view = kernelView(t, section);
  assert.equal(n.NT_SUCCESS(t.k.ZwClose(section)), t.expect.ok);
  view.bytes.fill(7);
  t.equal('viewUsable', view.bytes.every((byte) => byte === 7) && view.fault === null);
}

function discarded(t: Trial): void {
  const name = `\\BaseNamedObjects\\${t.name()}`;
  const section = kernelSection(t, 4096, { name });
  const view = kernelView(t, section);
  view.bytes.fill(0xee);
  t.k.ZwUnmapViewOfSection(t.k.ZwCurrentProcess(), view.address);
  t.k.ZwClose(section);
  t.words('data', {
    discarded: () => assert.ok(kernelView(t, kernelSection(t, 4096, { name })).bytes.every((byte) => byte === 0)),
  });
}

function copyOnWrite(t: Trial): void {
  const path = t.file(4096);
  const section = kernelSection(t, null, { file: openKernelFile(t, path) });
  const view = kernelView(t, section, { protection: n.PAGE_WRITECOPY });
  view.bytes.fill(0xee);
  t.words('file', {
    unchanged: () => {
      t.is(t.k.ZwFlushVirtualMemory(t.k.ZwCurrentProcess(), view.address, 0).status, 'STATUS_SUCCESS', 'flush');
      assert.ok(readFileSync(path).every((byte, at) => byte === (at & 0xff)));
    },
  });
}

export const scripts = family({
  'ms-docs-053': roundedSize,
  'ms-docs-054': emptyFile,
  'ms-docs-055': largerThanFile,
  'ms-docs-056': largerThanAll,
  'ms-docs-057': invalidProtection,
  'ms-docs-058': noSections,
  'ms-docs-059': lockedFile,
  'ms-docs-060': refuted('base'),
  'ms-docs-061': refuted('offset'),
  'ms-docs-062': zeroBits,
  'ms-docs-063..064': viewSize,
  'ms-docs-065': allocationType,
  'ms-docs-066': occupied,
  'ms-docs-067..068': viewProtection,
  'ms-docs-069..070': inheritance,
  'ms-docs-072': unmapInside,
  'ms-docs-073': goesWithLast,
  'ms-docs-074': closeInvalid,
  'ms-docs-075': closeProtected,
  'ms-docs-076': closeKernelHandle,
  'ms-docs-077..078': flushRange,
  'ms-docs-079': flushNothing,
  'ms-docs-080': flushInvalid,
  'ms-docs-081': flushElsewhere,
  'ms-docs-082..083': collision,
  'ms-docs-084': openInOtherCase,
  'ms-docs-085..086': accessCheck,
  'ms-docs-087..088': afterLastHandle,
  'ms-docs-089': exclusive,
  'ms-docs-090': qualityOfService,
  'ms-docs-091': closeAtOnce,
  'ms-docs-092': discarded,
  'ms-docs-093': copyOnWrite,
});
