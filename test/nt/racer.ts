/**
 * The other process of the tests of events, mutants and semaphores.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { reached, scenarios, told } from '../support/scenario.js';

const open = (path: string, access: number) => [access, n.InitializeObjectAttributes(path, 0)] as const;

export default scenarios(import.meta.url, {
  'signals an event': async (path: string) => {
    const { status, eventHandle } = n.NtOpenEvent(...open(path, n.EVENT_MODIFY_STATE));
    assert.equal(status, n.STATUS_SUCCESS);
    assert.deepEqual(n.NtSetEvent(eventHandle), { status: n.STATUS_SUCCESS, previousState: 0 });
    assert.equal(n.NtQueryEvent(eventHandle, n.EventBasicInformation).status, n.STATUS_ACCESS_DENIED);
    reached('signalled');
    await told('end');
  },

  'releases a semaphore as often as it can': async (path: string, most: number) => {
    const { semaphoreHandle } = n.NtOpenSemaphore(...open(path, n.SEMAPHORE_MODIFY_STATE));
    reached('ready');
    await told('go');
    let done = 0;
    for (let round = 0; round < most; round++) {
      const { status } = n.NtReleaseSemaphore(semaphoreHandle, 1);
      if (status === n.STATUS_SUCCESS) done++;
      else assert.equal(status, n.STATUS_SEMAPHORE_LIMIT_EXCEEDED);
    }
    reached('done', done);
  },

  'owns a mutex': async (name: string, released: boolean) => {
    const handle = w.CreateMutex(null, true, name);
    assert.notEqual(handle, 0, `last error ${w.GetLastError()}`);
    reached('owner');
    await told('release');
    if (released) assert.ok(w.ReleaseMutex(handle));
    reached('released');
    await told('end');
  },
});
