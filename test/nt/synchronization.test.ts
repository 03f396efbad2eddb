/**
 * Events, mutants and semaphores of `sectile/ntdll` and `sectile/kernel32`: their states, the rights to
 * them, and that processes share them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { start } from '../support/child.js';
import racer from './racer.js';
import { runtimeDirectory } from './runtime.js';
import { BOGUS, directory, is, named } from './user-mode.js';

const env = { SECTILE_RUNTIME_DIR: runtimeDirectory };

function event(type: number = n.NotificationEvent, state = false, access: number = n.EVENT_ALL_ACCESS): number {
  const { status, eventHandle } = n.NtCreateEvent(access, null, type, state);
  is(status, 'STATUS_SUCCESS');
  return eventHandle;
}

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

const stateOf = (handle: number) => n.NtQueryEvent(handle, n.EventBasicInformation).eventInformation;
const ownerOf = (handle: number) => n.NtQueryMutant(handle, n.MutantBasicInformation).mutantInformation;
const countOf = (handle: number) => n.NtQuerySemaphore(handle, n.SemaphoreBasicInformation).semaphoreInformation;

test('an event is signalled, reset and cleared, and tells the state before', () => {
  for (const type of [n.NotificationEvent, n.SynchronizationEvent]) {
    const handle = event(type, true);
    assert.deepEqual(stateOf(handle), { EventType: type, EventState: 1 });
    assert.deepEqual(n.NtResetEvent(handle), { status: n.STATUS_SUCCESS, previousState: 1 });
    assert.deepEqual(n.NtResetEvent(handle), { status: n.STATUS_SUCCESS, previousState: 0 });
    assert.deepEqual(n.NtSetEvent(handle), { status: n.STATUS_SUCCESS, previousState: 0 });
    assert.deepEqual(n.NtSetEvent(handle), { status: n.STATUS_SUCCESS, previousState: 1 });
    is(n.NtClearEvent(handle), 'STATUS_SUCCESS');
    assert.deepEqual(stateOf(handle), { EventType: type, EventState: 0 });
    n.NtClose(handle);
  }
});

test('a mutant is released as often as it was got, by its owner alone', () => {
  const owned = mutant(true);
  assert.deepEqual(ownerOf(owned), { CurrentCount: 0, OwnedByCaller: true, AbandonedState: false });
  assert.deepEqual(n.NtReleaseMutant(owned), { status: n.STATUS_SUCCESS, previousCount: 0 });
  assert.deepEqual(ownerOf(owned), { CurrentCount: 1, OwnedByCaller: false, AbandonedState: false });
  is(n.NtReleaseMutant(owned).status, 'STATUS_MUTANT_NOT_OWNED');
  const free = mutant(false);
  is(n.NtReleaseMutant(free).status, 'STATUS_MUTANT_NOT_OWNED');
  for (const handle of [owned, free]) n.NtClose(handle);
});

test('a semaphore counts up to its maximum', () => {
  const handle = semaphore(1, 3);
  assert.deepEqual(countOf(handle), { CurrentCount: 1, MaximumCount: 3 });
  assert.deepEqual(n.NtReleaseSemaphore(handle, 2), { status: n.STATUS_SUCCESS, previousCount: 1 });
  assert.deepEqual(n.NtReleaseSemaphore(handle, 1), { status: n.STATUS_SEMAPHORE_LIMIT_EXCEEDED, previousCount: 0 });
  assert.deepEqual(countOf(handle), { CurrentCount: 3, MaximumCount: 3 });
  is(n.NtReleaseSemaphore(handle, 0).status, 'STATUS_INVALID_PARAMETER', 'STATUS_SUCCESS');
  is(n.NtReleaseSemaphore(handle, -1).status, 'STATUS_INVALID_PARAMETER', 'STATUS_SEMAPHORE_LIMIT_EXCEEDED');
  for (const count of [1.5, '1']) is(n.NtReleaseSemaphore(handle, count as number).status, 'STATUS_INVALID_PARAMETER');
  const full = semaphore(0x7fff_ffff, 0x7fff_ffff);
  is(n.NtReleaseSemaphore(full, 0x7fff_ffff).status, 'STATUS_SEMAPHORE_LIMIT_EXCEEDED');
  for (const each of [handle, full]) n.NtClose(each);
});

test('what cannot be created', () => {
  for (const type of [2, -1, 'manual']) {
    is(n.NtCreateEvent(n.EVENT_ALL_ACCESS, null, type as number, false).status, 'STATUS_INVALID_PARAMETER');
  }
  for (const [initial, maximum] of [
    [0, 0],
    [0, -1],
    [-1, 1],
    [2, 1],
    [0, 2 ** 32],
  ] as const) {
    is(n.NtCreateSemaphore(n.SEMAPHORE_ALL_ACCESS, null, initial, maximum).status, 'STATUS_INVALID_PARAMETER');
  }
});

test('each use takes its right', () => {
  const blindEvent = event(n.NotificationEvent, false, n.EVENT_MODIFY_STATE);
  const stillEvent = event(n.NotificationEvent, false, n.EVENT_QUERY_STATE);
  is(n.NtQueryEvent(blindEvent, 0).status, 'STATUS_ACCESS_DENIED');
  is(n.NtSetEvent(blindEvent).status, 'STATUS_SUCCESS');
  is(n.NtSetEvent(stillEvent).status, 'STATUS_ACCESS_DENIED');
  is(n.NtClearEvent(stillEvent), 'STATUS_ACCESS_DENIED');
  is(n.NtQueryEvent(stillEvent, 0).status, 'STATUS_SUCCESS');
  const blindMutant = mutant(true, n.SYNCHRONIZE);
  is(n.NtQueryMutant(blindMutant, 0).status, 'STATUS_ACCESS_DENIED');
  is(n.NtReleaseMutant(blindMutant).status, 'STATUS_SUCCESS');
  const stillSemaphore = semaphore(0, 1, n.SEMAPHORE_QUERY_STATE);
  is(n.NtReleaseSemaphore(stillSemaphore, 1).status, 'STATUS_ACCESS_DENIED');
  const blindSemaphore = semaphore(0, 1, n.SEMAPHORE_MODIFY_STATE);
  is(n.NtQuerySemaphore(blindSemaphore, 0).status, 'STATUS_ACCESS_DENIED');
  for (const handle of [blindEvent, stillEvent, blindMutant, stillSemaphore, blindSemaphore]) n.NtClose(handle);
});

test('queries judge class and length, which must fit, before the handle', () => {
  const handles = [event(), mutant(false), semaphore(0, 1)] as const;
  const [events, mutants, semaphores] = handles;
  const queries = [
    [n.NtQueryEvent, events],
    [n.NtQueryMutant, mutants],
    [n.NtQuerySemaphore, semaphores],
  ] as const;
  for (const [query, handle] of queries) {
    is(query(BOGUS, 1, 8).status, 'STATUS_INVALID_INFO_CLASS');
    for (const length of [0, 7, 9]) is(query(BOGUS, 0, length).status, 'STATUS_INFO_LENGTH_MISMATCH');
    is(query(BOGUS, 0, 8).status, 'STATUS_INVALID_HANDLE');
    is(query(n.NtCurrentProcess(), 0, 8).status, 'STATUS_OBJECT_TYPE_MISMATCH');
    for (const other of handles)
      is(query(other, 0, 8).status, other === handle ? 'STATUS_SUCCESS' : 'STATUS_OBJECT_TYPE_MISMATCH');
    assert.equal(query(handle, 0).returnLength, 8);
  }
  for (const handle of handles) n.NtClose(handle);
});

test('one namespace for all kinds', () => {
  const { mutantHandle } = n.NtCreateMutant(n.MUTANT_ALL_ACCESS, named('of a kind'), false);
  const oa = named('of a kind');
  const openIf = named('of a kind', n.OBJ_OPENIF);
  for (const [attributes, onWine] of [
    [oa, 'STATUS_OBJECT_NAME_COLLISION'],
    [openIf, 'STATUS_OBJECT_TYPE_MISMATCH'],
  ] as const) {
    is(n.NtCreateEvent(n.EVENT_ALL_ACCESS, attributes, 0, false).status, 'STATUS_OBJECT_TYPE_MISMATCH', onWine);
    is(n.NtCreateSemaphore(n.SEMAPHORE_ALL_ACCESS, attributes, 0, 1).status, 'STATUS_OBJECT_TYPE_MISMATCH', onWine);
  }
  is(n.NtOpenSection(n.SECTION_QUERY, oa).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('OF A KIND', n.OBJ_CASE_INSENSITIVE)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtCreateMutant(n.MUTANT_ALL_ACCESS, oa, false).status, 'STATUS_OBJECT_NAME_COLLISION');
  const again = n.NtCreateMutant(n.MUTANT_ALL_ACCESS, openIf, true);
  is(again.status, 'STATUS_OBJECT_NAME_EXISTS');
  assert.equal(ownerOf(mutantHandle)?.CurrentCount, 1, 'whoever opens a mutant does not own it');
  assert.equal(w.CreateEvent(null, true, false, 'of a kind'), 0);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  for (const handle of [mutantHandle, again.mutantHandle]) n.NtClose(handle);
});

test('another process signals an event by its name', async (t) => {
  const { eventHandle } = n.NtCreateEvent(n.EVENT_ALL_ACCESS, named('shared event'), n.NotificationEvent, false);
  const child = start(t, racer, 'signals an event', { env, args: [`${directory}\\shared event`] });
  await child.reached('signalled');
  assert.equal(stateOf(eventHandle)?.EventState, 1);
  assert.equal(n.NtQueryObject(eventHandle, n.ObjectBasicInformation).objectInformation?.HandleCount, 2);
  child.tell('end');
  await child.endsWell();
  assert.equal(n.NtQueryObject(eventHandle, n.ObjectBasicInformation).objectInformation?.HandleCount, 1);
  n.NtClose(eventHandle);
});

test('processes that race for a semaphore never go beyond its maximum', async (t) => {
  const maximum = 30_000;
  const { semaphoreHandle } = n.NtCreateSemaphore(n.SEMAPHORE_ALL_ACCESS, named('raced for'), 0, maximum);
  const children = [1, 2].map(() =>
    start(t, racer, 'releases a semaphore as often as it can', { env, args: [`${directory}\\raced for`, 20_000] }),
  );
  await Promise.all(children.map((child) => child.reached('ready')));
  for (const child of children) child.tell('go');
  const done = await Promise.all(children.map((child) => child.reached('done')));
  assert.equal((done[0] as number) + (done[1] as number), maximum);
  assert.deepEqual(countOf(semaphoreHandle), { CurrentCount: maximum, MaximumCount: maximum });
  n.NtClose(semaphoreHandle);
});

test('another process’s mutex: not ours, then free', async (t) => {
  const child = start(t, racer, 'owns a mutex', { env, args: ['theirs', true] });
  await child.reached('owner');
  const handle = w.CreateMutex(null, true, 'theirs');
  assert.equal(w.GetLastError(), w.ERROR_ALREADY_EXISTS);
  assert.deepEqual(ownerOf(handle), { CurrentCount: 0, OwnedByCaller: false, AbandonedState: false });
  assert.equal(w.ReleaseMutex(handle), false);
  assert.equal(w.GetLastError(), w.ERROR_NOT_OWNER);
  child.tell('release');
  await child.reached('released');
  assert.deepEqual(ownerOf(handle), { CurrentCount: 1, OwnedByCaller: false, AbandonedState: false });
  child.tell('end');
  await child.endsWell();
  w.CloseHandle(handle);
});

test('a mutex whose owner was killed is abandoned', async (t) => {
  const child = start(t, racer, 'owns a mutex', { env, args: ['left behind', false] });
  await child.reached('owner');
  const handle = w.OpenMutex(w.MUTEX_MODIFY_STATE, false, 'left behind');
  assert.notEqual(handle, 0);
  await child.kill();
  assert.deepEqual(ownerOf(handle), { CurrentCount: 1, OwnedByCaller: false, AbandonedState: true });
  w.CloseHandle(handle);
});

test('kernel32: what creates also opens, and says so in the last error', () => {
  const create: readonly [string, () => number, (access: number, name: string) => number][] = [
    ['event', () => w.CreateEvent(null, true, true, 'event'), (access, name) => w.OpenEvent(access, false, name)],
    ['mutex', () => w.CreateMutexW(null, false, 'mutex'), (access, name) => w.OpenMutexW(access, false, name)],
    ['semaphore', () => w.CreateSemaphoreA(null, 1, 2, 'semaphore'), (access, name) => w.OpenSemaphoreA(access, false, name)],
  ];
  for (const [name, make, open] of create) {
    w.SetLastError(1);
    const first = make();
    assert.ok(first > 0);
    assert.equal(w.GetLastError(), w.ERROR_SUCCESS);
    const second = make();
    assert.equal(w.GetLastError(), w.ERROR_ALREADY_EXISTS);
    const third = open(w.SYNCHRONIZE, name);
    assert.ok(second > 0 && third > 0);
    assert.equal(open(w.SYNCHRONIZE, null as never), 0);
    assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
    assert.equal(open(w.SYNCHRONIZE, `no ${name}`), 0);
    assert.equal(w.GetLastError(), w.ERROR_FILE_NOT_FOUND);
    assert.equal(open(w.SYNCHRONIZE, 'a\\b'), 0);
    assert.equal(w.GetLastError(), w.ERROR_PATH_NOT_FOUND);
    for (const handle of [first, second, third]) assert.ok(w.CloseHandle(handle));
  }
});

test('kernel32: the calls that change a state', () => {
  const handles = [w.CreateEvent(null, false, false), w.CreateMutex(null, true), w.CreateSemaphore(null, 0, 1)] as const;
  const [events, mutexes, semaphores] = handles;
  assert.ok(w.SetEvent(events) && w.ResetEvent(events) && w.ReleaseMutex(mutexes) && w.ReleaseSemaphore(semaphores, 1));
  assert.equal(w.ReleaseSemaphore(semaphores, 1), false);
  assert.equal(w.GetLastError(), w.ERROR_TOO_MANY_POSTS);
  assert.equal(w.SetEvent(mutexes), false);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  assert.equal(w.CreateSemaphore(null, 2, 1), 0);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_PARAMETER);
  for (const handle of handles) assert.ok(w.CloseHandle(handle));
});
