/**
 * The process of foreign-views.test.ts that another one maps into.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { reached, scenarios, told } from '../support/scenario.js';

export default scenarios(import.meta.url, {
  'is mapped into': async () => {
    reached('there', process.pid);
    const address = (await told('mapped')) as bigint;
    const view = w.ViewOfAddress(address);
    assert.ok(view !== null, `last error ${w.GetLastError()}`);
    assert.deepEqual([view.address, view.length, view.bytes[0]], [address, 4096, 7]);
    assert.equal(w.ViewOfAddress(address + 4095n), view);
    view.bytes[1] = 8;
    reached('written');
    await told('unmapped');
    assert.equal(view.bytes[1], 0);
    assert.equal(view.fault?.kind, 'backing-lost');
    view.close();
    reached('outlived');
    const second = (await told('mapped again')) as bigint;
    assert.equal(n.NtUnmapViewOfSection(n.NtCurrentProcess(), second), n.STATUS_SUCCESS);
    assert.equal(n.NtUnmapViewOfSection(n.NtCurrentProcess(), second), n.STATUS_NOT_MAPPED_VIEW);
    reached('done');
  },
});
