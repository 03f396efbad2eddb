/**
 * Wrong handles and addresses on Windows: the runtime's own are beside the program's, and no call reaches them.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import * as w from 'sectile/kernel32';
import { scratchFolder } from '../support/child.js';

test('no handle of the runtime is closed, changed or used', () => {
  const own = w.CreateEvent(null, true, false, null);
  let others = 0;
  for (let handle = 4; handle < 0x1000; handle += 4) {
    if (handle === own) continue;
    others++;
    const calls = [
      () => w.CloseHandle(handle),
      () => w.SetHandleInformation(handle, w.HANDLE_FLAG_INHERIT, w.HANDLE_FLAG_INHERIT),
      () => w.SetEvent(handle),
      () => w.ReleaseSemaphore(handle, 1),
      () => w.WriteFile(handle, new Uint8Array(1)),
      () => w.TerminateProcess(handle, 1),
      () => w.DuplicateHandle(w.GetCurrentProcess(), handle, w.GetCurrentProcess(), 0, false, w.DUPLICATE_CLOSE_SOURCE) !== 0,
    ];
    for (const call of calls) assert.deepEqual([call(), w.GetLastError()], [false, w.ERROR_INVALID_HANDLE]);
  }
  assert.ok(others > 500);
  assert.ok(w.SetEvent(own) && w.CloseHandle(own));
});

test('no memory of the runtime is freed, protected, committed or unmapped', () => {
  const own = w.VirtualAlloc(null, 4096, w.MEM_RESERVE | w.MEM_COMMIT, w.PAGE_READWRITE);
  assert.ok(own !== null);
  const bases: bigint[] = [];
  for (let at: bigint | null = 0n; at !== null; ) {
    const facts: w.MemoryBasicInformation | null = w.VirtualQuery(at);
    if (facts !== null && facts.State !== w.MEM_FREE && facts.AllocationBase !== own) bases.push(facts.BaseAddress);
    at = facts === null ? null : facts.BaseAddress + BigInt(facts.RegionSize);
  }
  assert.ok(bases.length > 100);
  for (const base of bases) {
    const calls = [
      () => w.VirtualFree(base, 0, w.MEM_RELEASE),
      () => w.VirtualFree(base, 4096, w.MEM_DECOMMIT),
      () => w.VirtualProtect(base, 4096, w.PAGE_NOACCESS),
      () => w.VirtualAlloc(base, 4096, w.MEM_COMMIT, w.PAGE_NOACCESS) !== null,
      () => w.UnmapViewOfFile(base),
    ];
    for (const call of calls) assert.equal(call(), false, base.toString(16));
  }
  assert.equal(w.VirtualProtect(own, 4096, w.PAGE_READONLY), w.PAGE_READWRITE);
  assert.ok(w.VirtualFree(own, 0, w.MEM_RELEASE));
});

test('overlapped files: a call returns when its request has ended', (t) => {
  const path = join(scratchFolder(t), 'overlapped');
  const file = w.CreateFile(path, w.GENERIC_READ | w.GENERIC_WRITE, 0, null, w.CREATE_NEW, w.FILE_FLAG_OVERLAPPED);
  const bytes = new Uint8Array(1 << 20).fill(7);
  assert.equal(w.WriteFile(file, bytes, bytes.length, { Offset: 5 }), bytes.length);
  const back = new Uint8Array(bytes.length);
  assert.equal(w.ReadFile(file, back, back.length, { Offset: 5 }), bytes.length);
  assert.deepEqual(back, bytes);
  assert.equal(w.ReadFile(file, back, 1, { Offset: 2 ** 30 }), false);
  assert.equal(w.GetLastError(), w.ERROR_HANDLE_EOF);
  assert.equal(w.ReadFile(file, back, 1), false);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
  assert.ok(w.CloseHandle(file));
});

test('a device that refuses says why, at once or by a promise', async (t) => {
  const file = w.CreateFile(join(scratchFolder(t), 'no-device'), w.GENERIC_READ, 0, null, w.CREATE_NEW, 0);
  for (const handle of [file, 0]) {
    assert.equal(w.DeviceIoControl(handle, 0x22_2000, null, 16), false);
    assert.notEqual(w.GetLastError(), w.ERROR_SUCCESS);
    await assert.rejects(w.DeviceIoControlAsync(handle, 0x22_2000, new Uint8Array(8), 16), { code: 'ERR_SECTION_DRIVER' });
  }
  assert.ok(w.CloseHandle(file));
});
