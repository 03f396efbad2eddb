/**
 * Waits of `sectile/kernel32` and `sectile/ntdll` between processes: wake-ups, owners that are killed, children that end, and
 * races in which nothing may be lost or taken by halves.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { type Child, start } from '../support/child.js';
import { runtimeDirectory } from './runtime.js';
import waiter from './waiter.js';

const env = { SECTILE_RUNTIME_DIR: runtimeDirectory };
const begin = (t: TestContext, title: string, ...args: unknown[]): Child => start(t, waiter, title, { env, args });
const close = (...handles: readonly number[]): void => {
  for (const each of handles) assert.ok(w.CloseHandle(each), `last error ${w.GetLastError()}`);
};
const ownerOf = (handle: number) => n.NtQueryMutant(handle, n.MutantBasicInformation).mutantInformation;

test('another process’s wait ends when the object is signalled', async (t) => {
  const objects = [
    ['Event', w.CreateEvent(null, false, false, 'an event'), w.SetEvent],
    ['Mutex', w.CreateMutex(null, true, 'a mutex'), w.ReleaseMutex],
    ['Semaphore', w.CreateSemaphore(null, 0, 5, 'a semaphore'), (handle: number) => w.ReleaseSemaphore(handle, 1)],
  ] as const;
  for (const [kind, handle, signal] of objects) {
    const children = [true, false].map((blocks) =>
      begin(t, 'waits', kind, `a${kind === 'Event' ? 'n' : ''} ${kind.toLowerCase()}`, blocks),
    );
    await Promise.all(children.map((child) => child.reached('waiting')));
    const waits = children.map(async (child) => {
      assert.equal(await child.reached('waited'), w.WAIT_OBJECT_0, kind);
      child.tell('end');
      await child.endsWell();
    });
    assert.ok(signal(handle));
    // One signal is for one of them; a mutex is handed on by the one who gets it.
    await Promise.race(waits);
    if (kind !== 'Mutex') assert.ok(signal(handle));
    await Promise.all(waits);
    assert.equal(w.WaitForSingleObject(handle, 0), kind === 'Mutex' ? w.WAIT_OBJECT_0 : w.WAIT_TIMEOUT, kind);
    close(handle);
  }
});

test('a manual-reset event ends the waits of all', async (t) => {
  const handle = w.CreateEvent(null, true, false, 'for all');
  const children = [true, false, false].map((blocks) => begin(t, 'waits', 'Event', 'for all', blocks));
  await Promise.all(children.map((child) => child.reached('waiting')));
  assert.ok(w.SetEvent(handle));
  for (const child of children) {
    assert.equal(await child.reached('waited'), w.WAIT_OBJECT_0);
    child.tell('end');
    await child.endsWell();
  }
  close(handle);
});

test('the mutex of a process that is killed: whoever waits is told, and owns it', async (t) => {
  const handle = w.CreateMutex(null, false, 'of the dead');
  const waits: readonly (() => number | Promise<number>)[] = [
    () => w.WaitForSingleObject(handle, 20_000),
    () => w.WaitForSingleObjectAsync(handle, 20_000),
    () => w.WaitForMultipleObjects(1, [handle], true, 20_000),
    () => w.WaitForMultipleObjectsAsync(1, [handle], true, 20_000),
  ];
  for (const [index, wait] of waits.entries()) {
    const child = begin(t, 'owns', 'of the dead');
    await child.reached('owner');
    assert.equal(w.WaitForSingleObject(handle, 0), w.WAIT_TIMEOUT);
    assert.deepEqual(ownerOf(handle), { CurrentCount: -1, OwnedByCaller: false, AbandonedState: false });
    // A promise waits when the owner is killed; a call that blocks begins when that is under way.
    const blocks = index % 2 === 0;
    const early = blocks ? null : wait();
    const ending = child.kill();
    assert.equal(await (early ?? wait()), w.WAIT_ABANDONED);
    assert.equal((await ending).signal, 'SIGKILL');
    assert.deepEqual(ownerOf(handle), { CurrentCount: 0, OwnedByCaller: true, AbandonedState: false });
    assert.ok(w.ReleaseMutex(handle));
    assert.equal(w.WaitForSingleObject(handle, 0), w.WAIT_OBJECT_0, 'the next one hears nothing of it');
    assert.ok(w.ReleaseMutex(handle));
  }
  close(handle);
});

test('an abandoned mutex among several', async (t) => {
  const handles = [w.CreateEvent(null, false, false), w.CreateMutex(null, false, 'of several')] as const;
  const [event, mutex] = handles;
  const owner = async (): Promise<void> => {
    const child = begin(t, 'owns', 'of several');
    await child.reached('owner');
    await child.kill();
  };
  await owner();
  assert.equal(w.WaitForMultipleObjects(2, handles, false, 0), w.WAIT_ABANDONED_0 + 1);
  assert.ok(w.ReleaseMutex(mutex));
  await owner();
  assert.equal(w.WaitForMultipleObjects(2, handles, true, 0), w.WAIT_TIMEOUT);
  assert.ok(w.SetEvent(event));
  assert.equal(w.WaitForMultipleObjects(2, handles, true, 0), w.WAIT_ABANDONED_0);
  assert.ok(w.ReleaseMutex(mutex));
  close(...handles);
});

test('an owner gives back what it has as often as it got it', async (t) => {
  const handle = w.CreateMutex(null, false, 'got twice');
  const child = begin(t, 'owns', 'got twice');
  await child.reached('owner');
  assert.equal(w.ReleaseMutex(handle), false);
  assert.equal(w.GetLastError(), w.ERROR_NOT_OWNER);
  const waits = w.WaitForSingleObjectAsync(handle, w.INFINITE);
  child.tell('release');
  assert.equal(await waits, w.WAIT_OBJECT_0);
  await child.reached('released');
  child.tell('end');
  await child.endsWell();
  assert.ok(w.ReleaseMutex(handle));
  close(handle);
});

function run(code: string): w.ProcessInformation {
  const line = `"${process.execPath}" --eval "${code}"`;
  const child = w.CreateProcess(null, line, null, null, false, 0, null, null, { stdio: 'ignore' });
  assert.ok(child !== null, `last error ${w.GetLastError()}`);
  return child;
}

test('the end of a child is waited for, and its exit code is known then', async () => {
  const children = [7, 8, 9].map((code) => run(`setTimeout(() => process.exit(${code}), 100)`));
  const [first, second, third] = children as [w.ProcessInformation, w.ProcessInformation, w.ProcessInformation];
  assert.equal(w.WaitForSingleObject(first.hProcess, 20_000), w.WAIT_OBJECT_0);
  assert.equal(w.GetExitCodeProcess(first.hProcess), 7);
  assert.equal(w.WaitForSingleObject(first.hThread, 0), w.WAIT_OBJECT_0);
  assert.equal(await w.WaitForSingleObjectAsync(second.hThread, 20_000), w.WAIT_OBJECT_0);
  assert.equal(w.GetExitCodeProcess(second.hProcess), 8);
  const event = w.CreateEvent(null, true, true);
  assert.equal(w.WaitForMultipleObjects(3, [event, second.hProcess, third.hProcess], true, 20_000), w.WAIT_OBJECT_0);
  assert.equal(w.GetExitCodeProcess(third.hProcess), 9);
  close(event, ...children.flatMap(({ hProcess, hThread }) => [hProcess, hThread]));
});

test('any of children: the one that is ended', async () => {
  const children = [run('setTimeout(() => {}, 60000)'), run('setTimeout(() => {}, 60000)')];
  const handles = children.map(({ hProcess }) => hProcess) as [number, number];
  assert.equal(w.WaitForMultipleObjects(2, handles, false, 10), w.WAIT_TIMEOUT);
  const waits = w.WaitForMultipleObjectsAsync(2, handles, false, w.INFINITE);
  assert.ok(w.TerminateProcess(handles[1], 3));
  assert.equal(await waits, w.WAIT_OBJECT_0 + 1);
  assert.ok(w.TerminateProcess(handles[0], 3));
  assert.equal(w.WaitForMultipleObjects(2, handles, true, 20_000), w.WAIT_OBJECT_0);
  for (const { hProcess, hThread } of children) {
    assert.equal(w.GetExitCodeProcess(hProcess), 3);
    close(hProcess, hThread);
  }
});

async function answer(ping: number, pong: number): Promise<number> {
  assert.ok(w.SetEvent(ping));
  return w.WaitForSingleObjectAsync(pong, 20_000);
}

for (const blocks of [true, false]) {
  test(`no wake-up is lost: a thousand answers, ${blocks ? 'blocking' : 'by promises'}`, async (t) => {
    const rounds = 1000;
    const handles = [w.CreateEvent(null, false, false, 'ping'), w.CreateEvent(null, false, false, 'pong')] as const;
    const child = begin(t, 'answers each event with another', 'ping', 'pong', rounds, blocks);
    await child.reached('ready');
    for (let round = 0; round < rounds; round++) {
      const result = blocks ? w.SignalObjectAndWait(...handles, 20_000, false) : await answer(...handles);
      assert.equal(result, w.WAIT_OBJECT_0, `round ${round}`);
    }
    await child.reached('done');
    await child.endsWell();
    close(...handles);
  });
}

test('one at a time under a mutex, whoever waits how', async (t) => {
  const rounds = 400;
  const mutex = w.CreateMutex(null, false, 'one at a time');
  const section = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 4096, 'the count');
  const children = [true, true, false].map((blocks) =>
    begin(t, 'counts under a mutex', 'one at a time', 'the count', rounds, blocks),
  );
  await Promise.all(children.map((child) => child.reached('ready')));
  for (const child of children) child.tell('go');
  await Promise.all(children.map((child) => child.endsWell()));
  const view = w.MapViewOfFile(section, w.FILE_MAP_READ, 0, 0, 0);
  assert.equal(view?.as(Int32Array)[0], rounds * children.length);
  w.UnmapViewOfFile(view as w.View);
  close(mutex, section);
});

test('philosophers who take both forks at one moment all eat', async (t) => {
  const forks = ['a', 'b', 'c'].map((name) => w.CreateEvent(null, false, true, `fork ${name}`));
  const pairs = [
    ['fork a', 'fork b', true],
    ['fork c', 'fork b', true],
    ['fork c', 'fork a', false],
  ] as const;
  const children = pairs.map((pair) => begin(t, 'takes two at once', pair[0], pair[1], 150, pair[2]));
  await Promise.all(children.map((child) => child.reached('ready')));
  for (const child of children) child.tell('go');
  await Promise.all(children.map((child) => child.endsWell()));
  for (const fork of forks) assert.equal(w.WaitForSingleObject(fork, 0), w.WAIT_OBJECT_0, 'each fork lies there again');
  close(...forks);
});

test('kernel32 says why a wait failed', async () => {
  const [event, blind] = [w.CreateEvent(null, true, true), w.CreateEventEx(null, null, 0, w.EVENT_MODIFY_STATE)];
  const fails = (result: number, error: number): void => {
    assert.equal(result, w.WAIT_FAILED);
    assert.equal(w.GetLastError(), error);
  };
  fails(w.WaitForSingleObject(0x7ff0, 0), w.ERROR_INVALID_HANDLE);
  fails(w.WaitForSingleObject(blind, 0), w.ERROR_ACCESS_DENIED);
  fails(w.WaitForSingleObject(event, 1.5), w.ERROR_INVALID_PARAMETER);
  fails(w.WaitForMultipleObjects(0, [], false, 0), w.ERROR_INVALID_PARAMETER);
  fails(w.WaitForMultipleObjects(2, [event], false, 0), w.ERROR_NOACCESS);
  fails(w.WaitForMultipleObjectsEx(2, [event, event], true, 0, false), w.ERROR_INVALID_PARAMETER);
  fails(w.SignalObjectAndWait(w.GetCurrentProcess(), event, 0, false), w.ERROR_INVALID_HANDLE);
  assert.equal(w.WaitForSingleObjectEx(event, w.INFINITE, true), w.WAIT_OBJECT_0);
  for (const [wait, status] of [
    [w.WaitForSingleObjectAsync(0x7ff0, 0), n.STATUS_INVALID_HANDLE],
    [w.WaitForSingleObjectAsync(blind, 0), n.STATUS_ACCESS_DENIED],
    [w.WaitForMultipleObjectsAsync(0, [], true, 0), n.STATUS_INVALID_PARAMETER_1],
  ] as const) {
    await assert.rejects(wait, { name: 'SectionError', status });
  }
  close(event, blind);
});
