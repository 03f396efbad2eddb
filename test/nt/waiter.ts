/**
 * The other process of the tests of waits: it waits, signals, owns and dies as it is told.
 */
import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { reached, scenarios, told } from '../support/scenario.js';

function event(name: string): number {
  const handle = w.OpenEvent(w.EVENT_MODIFY_STATE | w.SYNCHRONIZE, false, name);
  assert.notEqual(handle, 0, `OpenEvent ${name}: ${w.GetLastError()}`);
  return handle;
}

function mutex(name: string): number {
  const handle = w.OpenMutex(w.SYNCHRONIZE, false, name);
  assert.notEqual(handle, 0, `OpenMutex ${name}: ${w.GetLastError()}`);
  return handle;
}

export default scenarios(import.meta.url, {
  /** Waits for an event, a mutex or a semaphore and says how that ended; ends on order, with what it has got. */
  waits: async (kind: 'Event' | 'Mutex' | 'Semaphore', name: string, blocks: boolean) => {
    const open = { Event: w.OpenEvent, Mutex: w.OpenMutex, Semaphore: w.OpenSemaphore }[kind];
    const handle = open(w.SYNCHRONIZE, false, name);
    assert.notEqual(handle, 0, `Open${kind}: ${w.GetLastError()}`);
    reached('waiting');
    const result = blocks ? w.WaitForSingleObject(handle, w.INFINITE) : await w.WaitForSingleObjectAsync(handle, w.INFINITE);
    reached('waited', result);
    await told('end');
    if (kind === 'Mutex') assert.ok(w.ReleaseMutex(handle), `ReleaseMutex: ${w.GetLastError()}`);
  },

  'answers each event with another': async (from: string, to: string, rounds: number, blocks: boolean) => {
    const [ping, pong] = [event(from), event(to)];
    reached('ready');
    for (let round = 0; round < rounds; round++) {
      const result = blocks ? w.WaitForSingleObject(ping, 20_000) : await w.WaitForSingleObjectAsync(ping, 20_000);
      assert.equal(result, w.WAIT_OBJECT_0, `round ${round}`);
      assert.ok(w.SetEvent(pong));
    }
    reached('done');
  },

  /** Reads, gives others the chance to come between, and writes. */
  'counts under a mutex': async (name: string, section: string, rounds: number, blocks: boolean) => {
    const handle = mutex(name);
    const view = w.MapViewOfFile(w.OpenFileMapping(w.FILE_MAP_WRITE, false, section), w.FILE_MAP_WRITE, 0, 0, 0);
    assert.ok(view !== null, `MapViewOfFile: ${w.GetLastError()}`);
    const count = view.as(Int32Array);
    reached('ready');
    await told('go');
    for (let round = 0; round < rounds; round++) {
      const result = blocks ? w.WaitForSingleObject(handle, 20_000) : await w.WaitForSingleObjectAsync(handle, 20_000);
      assert.equal(result, w.WAIT_OBJECT_0, `round ${round}`);
      const before = count[0] as number;
      if (round % 8 === 0) await turn();
      count[0] = before + 1;
      assert.ok(w.ReleaseMutex(handle), `ReleaseMutex: ${w.GetLastError()}`);
    }
    reached('done');
  },

  owns: async (name: string) => {
    const handle = mutex(name);
    assert.equal(w.WaitForSingleObject(handle, 20_000), w.WAIT_OBJECT_0);
    assert.equal(w.WaitForSingleObject(handle, 0), w.WAIT_OBJECT_0, 'again');
    reached('owner');
    await told('release');
    assert.ok(w.ReleaseMutex(handle) && w.ReleaseMutex(handle));
    assert.equal(w.ReleaseMutex(handle), false);
    assert.equal(w.GetLastError(), w.ERROR_NOT_OWNER);
    reached('released');
    await told('end');
  },

  /** A philosopher: takes two forks at one moment, and lays them back. */
  'takes two at once': async (first: string, second: string, rounds: number, blocks: boolean) => {
    const forks = [event(first), event(second)];
    reached('ready');
    await told('go');
    for (let round = 0; round < rounds; round++) {
      const result = blocks
        ? n.NtWaitForMultipleObjects(2, forks, n.WaitAll, false, -200_000_000)
        : await n.NtWaitForMultipleObjectsAsync(2, forks, n.WaitAll, false, -200_000_000);
      assert.equal(result, n.STATUS_WAIT_0, `round ${round}`);
      for (const fork of forks) assert.deepEqual(n.NtSetEvent(fork), { status: n.STATUS_SUCCESS, previousState: 0 });
    }
    reached('done');
  },
});
