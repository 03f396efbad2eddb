/**
 * The application's side of the tests of kernel mode: another process, with sectile/kernel32.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import { reached, scenarios, told } from '../support/scenario.js';

export default scenarios(import.meta.url, {
  'creates a global section and sees what the driver adds': async (name: string) => {
    const handle = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, 'D:(A;;GA;;;WD)', w.PAGE_READWRITE, 0, 1000, name);
    assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
    assert.equal(w.GetLastError(), w.ERROR_SUCCESS);
    const view = w.MapViewOfFile(handle, w.FILE_MAP_READ | w.FILE_MAP_WRITE, 0, 0, 1024);
    assert.ok(view !== null, `last error ${w.GetLastError()}`);
    const counters = view.as(Int32Array);
    counters[0] = 40;
    reached('mapped', handle);
    await told('look');
    assert.deepEqual([counters[0], counters[1]], [42, 7]);
    assert.ok(w.UnmapViewOfFile(view) && w.CloseHandle(handle));
  },

  'may only read what the driver grants, and cannot use its handles': async (name: string, kernelHandle: number) => {
    const handle = w.OpenFileMapping(w.FILE_MAP_READ, false, name);
    assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
    const view = w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, 0);
    assert.equal(view?.bytes[0], 99);
    assert.equal(w.MapViewOfFile(handle, w.FILE_MAP_WRITE, 0, 0, 0), null);
    assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
    assert.equal(w.OpenFileMapping(w.FILE_MAP_WRITE, false, name), 0);
    assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
    assert.equal(w.MapViewOfFile(kernelHandle, w.FILE_MAP_READ, 0, 0, 0), null);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
    assert.equal(w.CloseHandle(kernelHandle), false);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
    reached('done');
    await told('end');
  },

  'reads pages that a driver commits': async (name: string, size: number) => {
    const handle = w.OpenFileMapping(w.FILE_MAP_READ, false, name);
    assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
    const view = w.MapViewOfFile(handle, w.FILE_MAP_READ, 0, 0, 0);
    assert.ok(view !== null);
    assert.equal(view.bytes[0], 11);
    assert.equal(w.VirtualQuery(view.address + 0x1000n)?.RegionSize, size - 0x1000);
    reached('mapped');
    await told('the second page is there');
    assert.equal(view.bytes[0x1000], 22);
    const third = view.address + 0x2000n;
    assert.equal(w.VirtualAlloc(third, 1, w.MEM_COMMIT, w.PAGE_READWRITE), null);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
    assert.equal(w.VirtualAlloc(third, 1, w.MEM_COMMIT, w.PAGE_READONLY), third);
    reached('committed');
    await told('look');
    assert.equal(view.bytes[0x2000], 33);
    assert.equal(view.fault, null);
  },

  'cannot import sectile/ntddk': async () => {
    await assert.rejects(import('sectile/ntddk'), { name: 'SectionError', code: 'ERR_SECTION_NOT_KERNEL_MODE' });
  },
});
