/**
 * The application's side of the tests of global objects in kernel mode.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { statusName } from '../../dist/base/status.js';
import { reached, scenarios } from '../support/scenario.js';

const oa = n.InitializeObjectAttributes;
const is = (status: number, name: string): void => assert.equal(statusName(status), name);

export default scenarios(import.meta.url, {
  'signals the driver’s event and reads its link': async () => {
    const event = w.OpenEvent(w.EVENT_MODIFY_STATE, false, 'Global\\wake');
    assert.notEqual(event, 0, `last error ${w.GetLastError()}`);
    assert.ok(w.SetEvent(event));
    is(n.NtQueryEvent(event, n.EventBasicInformation).status, 'STATUS_ACCESS_DENIED');
    const { objectInformation } = n.NtQueryObject(event, n.ObjectBasicInformation);
    assert.equal(objectInformation?.HandleCount, 2);
    const link = n.NtOpenSymbolicLinkObject(n.SYMBOLIC_LINK_QUERY, oa('\\BaseNamedObjects\\of the driver\\alias', 0));
    is(link.status, 'STATUS_SUCCESS');
    assert.equal(n.NtQuerySymbolicLinkObject(link.linkHandle).linkTarget, '\\BaseNamedObjects\\wake');
    const through = n.NtOpenEvent(n.EVENT_MODIFY_STATE, oa('\\BaseNamedObjects\\of the driver\\alias', 0));
    is(through.status, 'STATUS_SUCCESS');
    const name = n.NtQueryObject(through.eventHandle, n.ObjectNameInformation).objectInformation?.Name;
    assert.equal(name, '\\BaseNamedObjects\\wake');
    for (const handle of [event, link.linkHandle, through.eventHandle]) assert.ok(w.CloseHandle(handle));
  },

  'waits for the driver’s events and signals it': async () => {
    const open = (name: string, access: number): number => {
      const handle = w.OpenEvent(access, false, `Global\\${name}`);
      assert.notEqual(handle, 0, `${name}: last error ${w.GetLastError()}`);
      return handle;
    };
    const [once, lasting, answer] = [
      open('once', w.SYNCHRONIZE),
      open('lasting', w.SYNCHRONIZE),
      open('answer', w.EVENT_MODIFY_STATE),
    ];
    for (const handle of [once, lasting]) {
      assert.equal(w.SetEvent(handle), false);
      assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
    }
    assert.equal(w.OpenEvent(w.EVENT_MODIFY_STATE, false, 'Global\\once'), 0);
    reached('ready');
    assert.equal(await w.WaitForMultipleObjectsAsync(2, [lasting, once], true, w.INFINITE), w.WAIT_OBJECT_0);
    assert.equal(w.WaitForSingleObject(once, 0), w.WAIT_TIMEOUT);
    assert.equal(w.WaitForSingleObject(lasting, w.INFINITE), w.WAIT_OBJECT_0);
    assert.ok(w.SetEvent(answer));
    assert.equal(w.WaitForSingleObject(answer, 0), w.WAIT_FAILED);
    assert.equal(w.GetLastError(), w.ERROR_ACCESS_DENIED);
    for (const handle of [once, lasting, answer]) assert.ok(w.CloseHandle(handle));
  },

  'may look into the driver’s directory and create nothing there': async () => {
    const root = n.NtOpenDirectoryObject(n.DIRECTORY_QUERY, oa('\\BaseNamedObjects\\closed', 0));
    is(root.status, 'STATUS_SUCCESS');
    const { entries } = n.NtQueryDirectoryObject(root.directoryHandle, null, false, true, 0);
    assert.deepEqual(entries, [{ Name: 'inside', TypeName: 'Event' }]);
    const mine = n.NtCreateEvent(n.EVENT_ALL_ACCESS, oa('mine', 0, root.directoryHandle), 0, false);
    is(mine.status, 'STATUS_ACCESS_DENIED');
    is(n.NtOpenDirectoryObject(n.DIRECTORY_CREATE_OBJECT, oa('\\BaseNamedObjects\\closed', 0)).status, 'STATUS_ACCESS_DENIED');
    w.CloseHandle(root.directoryHandle);
  },

  'is not allowed to make anything permanent': async () => {
    const name = '\\BaseNamedObjects\\of the visitor';
    is(n.NtCreateEvent(n.EVENT_ALL_ACCESS, oa(name, n.OBJ_PERMANENT), 0, false).status, 'STATUS_PRIVILEGE_NOT_HELD');
    const { eventHandle } = n.NtCreateEvent(n.EVENT_ALL_ACCESS, oa(name, 0), 0, false);
    is(n.NtMakePermanentObject(eventHandle), 'STATUS_PRIVILEGE_NOT_HELD');
    is(n.NtMakeTemporaryObject(eventHandle), 'STATUS_SUCCESS');
    w.CloseHandle(eventHandle);
  },
});
