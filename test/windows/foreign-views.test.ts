/**
 * Views that one process maps into another: there they are views like its own, and nothing that is done to them from
 * outside ends it.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Section } from 'sectile';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { create, is, mapped } from '../nt/user-mode.js';
import { start } from '../support/child.js';
import host from './host.js';

test('a view that another process mapped is found by its address, and survives its unmapping', async (t) => {
  const child = start(t, host, 'is mapped into');
  const id = (await child.reached('there')) as number;
  const { status, processHandle } = n.NtOpenProcess(n.PROCESS_VM_OPERATION, null, { UniqueProcess: id });
  is(status, 'STATUS_SUCCESS');
  const section = create(4096);
  const { view } = mapped(section);
  view.bytes[0] = 7;
  const mapThere = (): bigint => {
    const there = n.NtMapViewOfSection(section, processHandle, null, 0, 0, null, 0, n.ViewUnmap, 0, n.PAGE_READWRITE);
    is(there.status, 'STATUS_SUCCESS');
    assert.equal(there.view, null);
    return there.baseAddress as bigint;
  };
  const address = mapThere();
  child.tell('mapped', address);
  await child.reached('written');
  assert.equal(view.bytes[1], 8);
  is(n.NtUnmapViewOfSection(processHandle, address), 'STATUS_SUCCESS');
  child.tell('unmapped');
  await child.reached('outlived');
  child.tell('mapped again', mapThere());
  await child.reached('done');
  await child.endsWell();
  for (const handle of [section, processHandle]) n.NtClose(handle);
});

test('views of this process, and memory that is no view, are nobody else’s to find', () => {
  using section = Section.create({ size: 4096 });
  using view = section.map();
  assert.equal(w.ViewOfAddress(view.address), null);
  is(n.NtUnmapViewOfSection(n.NtCurrentProcess(), view.address), 'STATUS_NOT_MAPPED_VIEW');
  view.bytes[0] = 1;
  assert.equal(view.fault, null);
  // Memory that the system shares with every process, and an address where there is nothing.
  for (const address of [0x7ffe_0000n, 0x1_0000n]) {
    assert.equal(w.ViewOfAddress(address), null);
    is(n.NtUnmapViewOfSection(n.NtCurrentProcess(), address), 'STATUS_NOT_MAPPED_VIEW');
  }
});
