/**
 * Waits of `sectile/ntdll` in one process: what a wait takes, how long it lasts, any of several and all of them, rights,
 * and the promises that leave the event loop free.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as n from 'sectile/ntdll';
import './runtime.js';
import { BOGUS, create, is } from './user-mode.js';

const LOOK = 0;
const MILLISECOND = -10_000;

function event(type: number, state: boolean, access: number = n.EVENT_ALL_ACCESS): number {
  const { status, eventHandle } = n.NtCreateEvent(access, null, type, state);
  is(status, 'STATUS_SUCCESS');
  return eventHandle;
}

const automatic = (state: boolean): number => event(n.SynchronizationEvent, state);
const manual = (state: boolean): number => event(n.NotificationEvent, state);

function mutant(owned: boolean, access: number = n.MUTANT_ALL_ACCESS): number {
  const { status, mutantHandle } = n.NtCreateMutant(access, null, owned);
  is(status, 'STATUS_SUCCESS');
  return mutantHandle;
}

function semaphore(initial: number, maximum: number, access: number = n.SEMAPHORE_ALL_ACCESS): number {
  const { status, semaphoreHandle } = n.NtCreateSemaphore(access, null, initial, maximum);
  is(status, 'STATUS_SUCCESS');
  return semaphoreHandle;
}

const look = (handle: number): number => n.NtWaitForSingleObject(handle, false, LOOK);
const lookFor = (type: number, ...handles: number[]): number =>
  n.NtWaitForMultipleObjects(handles.length, handles, type, false, LOOK);
const isSet = (handle: number): boolean => n.NtQueryEvent(handle, 0).eventInformation?.EventState === 1;
const ownerOf = (handle: number) => n.NtQueryMutant(handle, 0).mutantInformation;
const countOf = (handle: number) => n.NtQuerySemaphore(handle, 0).semaphoreInformation?.CurrentCount;
const close = (...handles: readonly number[]): void => {
  for (const each of handles) is(n.NtClose(each), 'STATUS_SUCCESS');
};

test('a wait takes what it is for', () => {
  const [stays, goes, counts, owned] = [manual(true), automatic(true), semaphore(2, 2), mutant(false)];
  for (const _ of [1, 2]) is(look(stays), 'STATUS_SUCCESS');
  is(look(goes), 'STATUS_SUCCESS');
  is(look(goes), 'STATUS_TIMEOUT');
  for (const left of [1, 0]) {
    is(look(counts), 'STATUS_SUCCESS');
    assert.equal(countOf(counts), left);
  }
  is(look(counts), 'STATUS_TIMEOUT');
  for (const count of [0, -1, -2]) {
    is(look(owned), 'STATUS_SUCCESS');
    assert.deepEqual(ownerOf(owned), { CurrentCount: count, OwnedByCaller: true, AbandonedState: false });
  }
  for (const previousCount of [-2, -1, 0]) {
    assert.deepEqual(n.NtReleaseMutant(owned), { status: n.STATUS_SUCCESS, previousCount });
  }
  is(n.NtReleaseMutant(owned).status, 'STATUS_MUTANT_NOT_OWNED');
  close(stays, goes, counts, owned);
});

test('one that is created with an owner is had at once, by each of its handles', () => {
  const first = mutant(true);
  const { targetHandle } = n.NtDuplicateObject(n.NtCurrentProcess(), first, n.NtCurrentProcess(), 0, 0, 2);
  is(look(targetHandle), 'STATUS_SUCCESS');
  assert.equal(ownerOf(first)?.CurrentCount, -1);
  for (const handle of [first, targetHandle]) is(n.NtReleaseMutant(handle).status, 'STATUS_SUCCESS');
  assert.equal(ownerOf(first)?.CurrentCount, 1);
  close(first, targetHandle);
});

test('timeouts: from now, at a time, at once', () => {
  const never = automatic(false);
  const lasts = (timeout: number | bigint): number => {
    const before = performance.now();
    is(n.NtWaitForSingleObject(never, true, timeout), 'STATUS_TIMEOUT');
    return performance.now() - before;
  };
  const since1601 = (milliseconds: number): bigint => BigInt(Date.now() + milliseconds + 11_644_473_600_000) * 10_000n;
  assert.ok(lasts(30 * MILLISECOND) >= 29);
  assert.ok(lasts(-300_000n) >= 29);
  assert.ok(lasts(since1601(40)) >= 29);
  assert.ok(lasts(since1601(-5000)) < 1000);
  assert.ok(lasts(1) < 1000);
  assert.ok(lasts(0n) < 1000);
  for (const wrong of [1.5, 'soon', 2n ** 64n, Number.NaN]) {
    is(n.NtWaitForSingleObject(never, false, wrong as number), 'STATUS_INVALID_PARAMETER');
  }
  close(never);
});

test('any of several: the first that is signalled, and no other is touched', () => {
  const handles = [automatic(false), semaphore(1, 1), automatic(true), mutant(false)] as const;
  const [, counts, goes, owned] = handles;
  assert.equal(lookFor(n.WaitAny, ...handles), n.STATUS_WAIT_0 + 1);
  assert.ok(isSet(goes) && ownerOf(owned)?.CurrentCount === 1 && countOf(counts) === 0);
  assert.equal(lookFor(n.WaitAny, ...handles), n.STATUS_WAIT_0 + 2);
  for (const _ of [1, 2]) assert.equal(lookFor(n.WaitAny, ...handles), n.STATUS_WAIT_0 + 3);
  assert.equal(ownerOf(owned)?.CurrentCount, -1);
  is(n.NtWaitForMultipleObjects(3, handles, n.WaitAny, false, 5 * MILLISECOND), 'STATUS_TIMEOUT');
  close(...handles);
});

test('all of several: at one moment, or nothing', () => {
  const handles = [semaphore(1, 1), automatic(false), mutant(false), manual(true)] as const;
  const [counts, goes, owned, stays] = handles;
  is(lookFor(n.WaitAll, ...handles), 'STATUS_TIMEOUT');
  assert.ok(countOf(counts) === 1 && ownerOf(owned)?.CurrentCount === 1);
  n.NtSetEvent(goes);
  is(lookFor(n.WaitAll, ...handles), 'STATUS_SUCCESS');
  assert.ok(countOf(counts) === 0 && ownerOf(owned)?.OwnedByCaller && !isSet(goes) && isSet(stays));
  close(...handles);
});

test('the most objects there can be', () => {
  const handles = Array.from({ length: n.MAXIMUM_WAIT_OBJECTS }, () => manual(true));
  is(lookFor(n.WaitAll, ...handles), 'STATUS_SUCCESS');
  for (const handle of handles.slice(0, -1)) n.NtResetEvent(handle);
  assert.equal(lookFor(n.WaitAny, ...handles), n.STATUS_WAIT_63);
  is(lookFor(n.WaitAll, ...handles), 'STATUS_TIMEOUT');
  is(lookFor(n.WaitAny, ...handles, handles[0] as number), 'STATUS_INVALID_PARAMETER_1');
  close(...handles);
});

test('what is no wait', () => {
  const [one, other] = [automatic(true), automatic(true)];
  const several = (count: unknown, handles: unknown, type: unknown = n.WaitAny): number =>
    n.NtWaitForMultipleObjects(count as number, handles as number[], type as number, false, LOOK);
  for (const count of [0, 65, -1, 'two']) is(several(count, [one, other]), 'STATUS_INVALID_PARAMETER_1');
  for (const type of [2, -1, 'all']) is(several(2, [one, other], type), 'STATUS_INVALID_PARAMETER_3');
  for (const handles of [[one], null, 5, { length: 2 }]) is(several(2, handles), 'STATUS_ACCESS_VIOLATION');
  is(several(2, [one, BOGUS]), 'STATUS_INVALID_HANDLE');
  is(several(2, [one, one], n.WaitAll), 'STATUS_INVALID_PARAMETER_MIX');
  const { targetHandle } = n.NtDuplicateObject(n.NtCurrentProcess(), one, n.NtCurrentProcess(), 0, 0, 2);
  is(several(3, [one, other, targetHandle], n.WaitAll), 'STATUS_INVALID_PARAMETER_MIX');
  assert.ok(isSet(one) && isSet(other));
  is(several(2, [one, one]), 'STATUS_SUCCESS');
  for (const handle of [0, BOGUS, 'x']) is(look(handle as number), 'STATUS_INVALID_HANDLE');
  close(one, other, targetHandle);
});

test('a wait takes SYNCHRONIZE, and nothing else', () => {
  const handles = [
    event(n.NotificationEvent, true, n.EVENT_MODIFY_STATE | n.EVENT_QUERY_STATE),
    mutant(false, n.MUTANT_QUERY_STATE),
    semaphore(1, 1, n.SEMAPHORE_MODIFY_STATE | n.SEMAPHORE_QUERY_STATE),
    create(4096),
  ];
  for (const handle of handles) is(look(handle), 'STATUS_ACCESS_DENIED');
  const waits = [
    event(n.NotificationEvent, true, n.SYNCHRONIZE),
    event(n.SynchronizationEvent, true, n.SYNCHRONIZE),
    mutant(false, n.SYNCHRONIZE),
    semaphore(1, 1, n.SYNCHRONIZE),
  ];
  for (const handle of waits) is(look(handle), 'STATUS_SUCCESS');
  close(...handles, ...waits);
});

test('processes and threads that run are not signalled', () => {
  is(look(n.NtCurrentProcess()), 'STATUS_TIMEOUT');
  const { processHandle } = n.NtOpenProcess(n.SYNCHRONIZE, null, { UniqueProcess: process.pid });
  is(look(processHandle), 'STATUS_TIMEOUT');
  is(n.NtWaitForSingleObject(processHandle, false, 5 * MILLISECOND), 'STATUS_TIMEOUT');
  close(processHandle);
});

test('signal one, wait for another', () => {
  const [goes, other, stays, full, owned] = [automatic(false), automatic(true), manual(false), semaphore(1, 1), mutant(true)];
  const both = (signal: number, wait: number): number => n.NtSignalAndWaitForSingleObject(signal, wait, false, LOOK);
  is(both(goes, goes), 'STATUS_SUCCESS');
  assert.equal(isSet(goes), false);
  is(both(stays, other), 'STATUS_SUCCESS');
  assert.ok(isSet(stays) && !isSet(other));
  is(both(owned, other), 'STATUS_TIMEOUT');
  assert.equal(ownerOf(owned)?.CurrentCount, 1);
  is(both(owned, stays), 'STATUS_MUTANT_NOT_OWNED');
  is(both(full, stays), 'STATUS_SEMAPHORE_LIMIT_EXCEEDED');
  is(both(n.NtCurrentProcess(), stays), 'STATUS_OBJECT_TYPE_MISMATCH');
  is(both(BOGUS, stays), 'STATUS_INVALID_HANDLE');
  is(both(other, BOGUS), 'STATUS_INVALID_HANDLE');
  assert.equal(isSet(other), false, 'nothing is signalled for a wait that cannot be');
  const blind = event(n.SynchronizationEvent, false, n.SYNCHRONIZE);
  is(both(blind, stays), 'STATUS_ACCESS_DENIED');
  close(goes, other, stays, full, owned, blind);
});

test('promises leave the event loop free, and are served in the order of their coming', async () => {
  const goes = automatic(false);
  const order: number[] = [];
  const waits = [1, 2, 3].map(async (name) => {
    is(await n.NtWaitForSingleObjectAsync(goes, false, null), 'STATUS_SUCCESS');
    order.push(name);
  });
  let turns = 0;
  while (turns < 5) await new Promise((resolve) => setImmediate(resolve, turns++));
  assert.deepEqual(order, []);
  for (const wait of waits) {
    n.NtSetEvent(goes);
    await wait;
  }
  assert.deepEqual(order, [1, 2, 3]);
  is(await n.NtWaitForSingleObjectAsync(goes, false, LOOK), 'STATUS_TIMEOUT');
  is(await n.NtWaitForSingleObjectAsync(goes, false, 5 * MILLISECOND), 'STATUS_TIMEOUT');
  close(goes);
});

test('a promise outlives the handle that it was asked with', async () => {
  const goes = automatic(false);
  const { targetHandle } = n.NtDuplicateObject(n.NtCurrentProcess(), goes, n.NtCurrentProcess(), 0, 0, 2);
  const waits = n.NtWaitForMultipleObjectsAsync(1, [targetHandle], n.WaitAny, false, null);
  close(targetHandle);
  n.NtSetEvent(goes);
  is(await waits, 'STATUS_SUCCESS');
  close(goes);
});

test('promises for any and for all', async () => {
  const [one, other, counts] = [automatic(false), automatic(false), semaphore(0, 1)];
  const any = n.NtWaitForMultipleObjectsAsync(3, [one, other, counts], n.WaitAny, false, null);
  n.NtReleaseSemaphore(counts, 1);
  assert.equal(await any, n.STATUS_WAIT_0 + 2);
  assert.equal(countOf(counts), 0);
  const all = n.NtWaitForMultipleObjectsAsync(3, [one, other, counts], n.WaitAll, false, null);
  n.NtSetEvent(other);
  n.NtReleaseSemaphore(counts, 1);
  is(await n.NtWaitForSingleObjectAsync(n.NtCurrentProcess(), false, 5 * MILLISECOND), 'STATUS_TIMEOUT');
  assert.ok(isSet(other) && countOf(counts) === 1, 'nothing is taken before all are signalled');
  n.NtSetEvent(one);
  is(await all, 'STATUS_SUCCESS');
  assert.ok(!isSet(one) && !isSet(other) && countOf(counts) === 0);
  close(one, other, counts);
});

test('a signal ends a promise early, and takes nothing', async () => {
  const goes = automatic(false);
  const reason = new Error('enough');
  const gone = AbortSignal.abort(reason);
  const controller = new AbortController();
  const { signal } = controller;
  const waits = [
    n.NtWaitForSingleObjectAsync(goes, false, null, { signal }),
    n.NtWaitForMultipleObjectsAsync(1, [goes], n.WaitAny, false, null, { signal }),
    n.NtWaitForSingleObjectAsync(goes, false, null, { signal: gone }),
  ].map((wait) => assert.rejects(wait, reason));
  controller.abort(reason);
  await Promise.all(waits);
  n.NtSetEvent(goes);
  await assert.rejects(n.NtWaitForSingleObjectAsync(goes, false, null, { signal: gone }), reason);
  is(look(goes), 'STATUS_SUCCESS');
  for (const wrong of [{ signal: 5 }, 5, null]) {
    is(await n.NtWaitForSingleObjectAsync(goes, false, null, wrong as never), 'STATUS_INVALID_PARAMETER');
  }
  close(goes);
});

test('a mutant is a thread’s of JavaScript: another has to wait, and abandons it by ending', async () => {
  const name = `\\Sessions\\${process.geteuid?.() === 0 ? 0 : 1}\\BaseNamedObjects\\of a thread`;
  const { mutantHandle } = n.NtCreateMutant(n.MUTANT_ALL_ACCESS, n.InitializeObjectAttributes(name, 0), true);
  const code = `
    const { parentPort, workerData: name } = require('node:worker_threads');
    import('sectile/ntdll').then((n) => {
      const { mutantHandle } = n.NtOpenMutant(n.MUTANT_ALL_ACCESS, n.InitializeObjectAttributes(name, 0));
      parentPort.postMessage([n.NtWaitForSingleObject(mutantHandle, false, 0), n.NtReleaseMutant(mutantHandle).status]);
      parentPort.postMessage([n.NtWaitForSingleObject(mutantHandle, false, null)]);
    });`;
  const worker = new Worker(code, { eval: true, workerData: name });
  const ended = new Promise((resolve) => worker.once('exit', resolve));
  const said = async () => (await new Promise<number[]>((resolve) => worker.once('message', resolve))) as number[];
  assert.deepEqual(await said(), [n.STATUS_TIMEOUT, n.STATUS_MUTANT_NOT_OWNED]);
  const next = said();
  is(n.NtReleaseMutant(mutantHandle).status, 'STATUS_SUCCESS');
  assert.deepEqual(await next, [n.STATUS_WAIT_0]);
  assert.equal(await ended, 0);
  assert.deepEqual(ownerOf(mutantHandle), { CurrentCount: 1, OwnedByCaller: false, AbandonedState: true });
  is(look(mutantHandle), 'STATUS_ABANDONED_WAIT_0');
  is(n.NtReleaseMutant(mutantHandle).status, 'STATUS_SUCCESS');
  is(look(mutantHandle), 'STATUS_SUCCESS');
  close(mutantHandle);
});
