/**
 * Waiting for objects of the kernel, whoever made them: a program in C, another process, this one.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as w from 'sectile/kernel32';
import { platform } from '../support/platform.js';
import { Partner } from './programs.js';

const name = (what: string) => `Local\\SectileWaits${what}${process.pid}`;
const { INFINITE, WAIT_ABANDONED: ABANDONED, WAIT_OBJECT_0: GOT, WAIT_TIMEOUT: TIMED_OUT } = w;

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Whether a promise is still pending, after others have had their turns. */
async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  for (let i = 0; i < 5; i++) await turn();
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending;
}

test('an event that a program in C made is awaited, and the event loop goes on', async (t) => {
  const partner = await Partner.signals(t, 'create', 'event', name('Event'));
  const event = w.OpenEvent(w.EVENT_ALL_ACCESS, false, name('Event'));
  const wait = w.WaitForSingleObjectAsync(event, INFINITE);
  assert.ok(await isPending(wait));
  assert.equal(await partner.asks('signal'), 'done');
  assert.equal(await wait, GOT);
  assert.equal(w.WaitForSingleObject(event, 0), GOT);
  assert.equal(await partner.asks('reset'), 'done');
  assert.equal(w.WaitForSingleObject(event, 10), TIMED_OUT);
  assert.equal(await w.WaitForSingleObjectAsync(event, 0), TIMED_OUT);
  assert.equal(await w.WaitForSingleObjectAsync(event, 20), TIMED_OUT);
  w.CloseHandle(event);
});

test('a timer, a semaphore and a process are awaited, and the handle may be closed meanwhile', async (t) => {
  const timer = await Partner.signals(t, 'create', 'timer', name('Timer'));
  const semaphore = await Partner.signals(t, 'create', 'semaphore', name('Semaphore'));
  const handles = [
    Number(await timer.asks(`give ${process.pid}`)),
    w.OpenSemaphore(w.SEMAPHORE_ALL_ACCESS, false, name('Semaphore')),
    w.OpenProcess(w.SYNCHRONIZE, false, timer.pid),
  ];
  const waits = handles.map((handle) => w.WaitForSingleObjectAsync(handle, INFINITE));
  for (const handle of handles) assert.ok(w.CloseHandle(handle));
  for (const wait of waits) assert.ok(await isPending(wait));
  assert.equal(await timer.asks('signal'), 'done');
  assert.equal(await waits[0], GOT);
  assert.equal(await semaphore.asks('signal'), 'done');
  assert.equal(await waits[1], GOT);
  assert.ok(await isPending(waits[2] as Promise<number>));
  await timer.ends();
  assert.equal(await waits[2], GOT);
});

/** Turns of the loop until something is so. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn();
}

test('each signal of a semaphore or an auto-reset event ends one wait', async () => {
  const [semaphore, event] = [w.CreateSemaphore(null, 0, 10), w.CreateEvent(null, false, false)];
  for (const [object, signal] of [
    [semaphore, () => w.ReleaseSemaphore(semaphore, 1)],
    [event, () => w.SetEvent(event)],
  ] as const) {
    let ended = 0;
    const waits = Array.from({ length: 3 }, async () => {
      await w.WaitForSingleObjectAsync(object, INFINITE);
      ended++;
    });
    for (let round = 1; round <= 3; round++) {
      assert.ok(signal());
      await until(() => ended === round);
      await turn();
      assert.equal(ended, round);
    }
    await Promise.all(waits);
    w.CloseHandle(object);
  }
});

test('thousands of waits at once, and each ends by its own signal', async () => {
  const events = Array.from({ length: 3000 }, () => w.CreateEvent(null, false, false));
  const before = performance.now();
  const waits = events.map(async (event, index) => {
    assert.equal(await w.WaitForSingleObjectAsync(event, INFINITE), GOT);
    return index;
  });
  console.log(`# 3000 waits started in ${(performance.now() - before).toFixed(0)} ms`);
  assert.equal(await Promise.race([...waits, turn()]), undefined);
  for (const event of [...events].reverse()) assert.ok(w.SetEvent(event));
  assert.deepEqual(await Promise.all(waits), [...events.keys()]);
  for (const event of events) assert.equal(w.WaitForSingleObject(event, 0), TIMED_OUT);
  for (const event of events) assert.ok(w.CloseHandle(event));
});

test('a wait that is given up has taken nothing', async () => {
  const semaphore = w.CreateSemaphore(null, 0, 10);
  const signals = Array.from({ length: 200 }, () => new AbortController());
  const waits = signals.map((each) => w.WaitForSingleObjectAsync(semaphore, INFINITE, { signal: each.signal }));
  const reason = new Error('enough');
  for (const each of signals) each.abort(reason);
  for (const wait of waits) await assert.rejects(wait, (error) => error === reason);
  w.ReleaseSemaphore(semaphore, 1);
  assert.equal(w.WaitForSingleObject(semaphore, 0), GOT);
  // One that has come already is not lost by giving up.
  const late = new AbortController();
  const wait = w.WaitForSingleObjectAsync(semaphore, INFINITE, { signal: late.signal });
  w.ReleaseSemaphore(semaphore, 1);
  while (w.WaitForSingleObject(semaphore, 0) === GOT) w.ReleaseSemaphore(semaphore, 1);
  late.abort(reason);
  assert.equal(await wait, GOT);
  await assert.rejects(w.WaitForSingleObjectAsync(semaphore, INFINITE, { signal: late.signal }), (error) => error === reason);
  w.CloseHandle(semaphore);
});

test('one or all of several', async () => {
  const events = Array.from({ length: 64 }, () => w.CreateEvent(null, false, false));
  const [first = 0, second = 0, third = 0] = events;
  assert.equal(w.WaitForMultipleObjects(3, events, false, 0), TIMED_OUT);
  w.SetEvent(third);
  assert.equal(w.WaitForMultipleObjects(3, events, false, 0), 2);
  const any = w.WaitForMultipleObjectsAsync(64, events, false, INFINITE);
  assert.ok(await isPending(any));
  w.SetEvent(second);
  assert.equal(await any, 1);
  const all = w.WaitForMultipleObjectsAsync(2, events, true, INFINITE);
  w.SetEvent(first);
  assert.ok(await isPending(all));
  // Nothing is taken before all can be.
  assert.equal(w.WaitForSingleObject(first, 0), GOT);
  w.SetEvent(first);
  w.SetEvent(second);
  assert.equal(await all, GOT);
  assert.equal(w.WaitForMultipleObjects(2, events, false, 0), TIMED_OUT);
  assert.equal(await w.WaitForMultipleObjectsAsync(2, events, true, 20), TIMED_OUT);
  assert.equal(w.SignalObjectAndWait(first, second, 0, false), TIMED_OUT);
  assert.equal(w.WaitForSingleObject(first, 0), GOT);
  for (const event of events) w.CloseHandle(event);
});

test('a mutex that is awaited is owned until it is released, by whatever form', async (t) => {
  const mutex = w.CreateMutex(null, false, name('Mutex'));
  const partner = await Partner.signals(t, 'open', 'mutex', name('Mutex'));
  assert.equal(await w.WaitForSingleObjectAsync(mutex, INFINITE), GOT);
  assert.equal(await w.WaitForSingleObjectAsync(mutex, INFINITE), GOT, 'owned twice');
  assert.equal(await partner.asks('wait 0'), String(TIMED_OUT));
  assert.ok(w.ReleaseMutex(mutex));
  assert.equal(await partner.asks('wait 0'), String(TIMED_OUT));
  assert.ok(w.ReleaseMutex(mutex));
  assert.equal(w.ReleaseMutex(mutex), false);
  assert.equal(w.GetLastError(), w.ERROR_NOT_OWNER);
  assert.equal(await partner.asks('wait 0'), String(GOT));
  const wait = w.WaitForSingleObjectAsync(mutex, INFINITE);
  assert.ok(await isPending(wait));
  assert.equal(await partner.asks('signal'), 'done');
  assert.equal(await wait, GOT);
  assert.ok(w.ReleaseMutex(mutex));
  // On this very thread, as C has it.
  assert.equal(w.WaitForSingleObject(mutex, 0), GOT);
  assert.equal(await partner.asks('wait 0'), String(TIMED_OUT));
  assert.ok(w.ReleaseMutex(mutex));
  w.CloseHandle(mutex);
});

test('a mutex among several is owned as well', async () => {
  const [mutex, event] = [w.CreateMutex(null, false), w.CreateEvent(null, true, false)];
  const both = [event, mutex];
  assert.equal(await w.WaitForMultipleObjectsAsync(2, both, false, INFINITE), 1);
  assert.equal(w.WaitForSingleObject(mutex, 0), TIMED_OUT, 'another thread owns it');
  assert.ok(w.ReleaseMutex(mutex));
  const all = w.WaitForMultipleObjectsAsync(2, both, true, INFINITE);
  assert.ok(await isPending(all));
  w.SetEvent(event);
  assert.equal(await all, GOT);
  assert.equal(w.WaitForSingleObject(mutex, 0), TIMED_OUT);
  assert.ok(w.ReleaseMutex(mutex));
  assert.equal(w.ReleaseMutex(mutex), false);
  for (const handle of both) w.CloseHandle(handle);
});

test('a mutex whose owner is killed is abandoned, once', async (t) => {
  const mutex = w.CreateMutex(null, false, name('Abandoned'));
  for (const form of ['async', 'several', 'sync'] as const) {
    const partner = await Partner.signals(t, 'open', 'mutex', name('Abandoned'));
    assert.equal(await partner.asks('wait 0'), String(GOT));
    const wait =
      form === 'several'
        ? w.WaitForMultipleObjectsAsync(2, [w.CreateEvent(null, false, false), mutex], false, INFINITE)
        : form === 'async'
          ? w.WaitForSingleObjectAsync(mutex, INFINITE)
          : Promise.resolve(0);
    await turn();
    await partner.kill();
    const status = form === 'sync' ? w.WaitForSingleObject(mutex, 30_000) : await wait;
    assert.equal(status, form === 'several' ? ABANDONED + 1 : ABANDONED);
    assert.ok(w.ReleaseMutex(mutex));
  }
  assert.equal(w.WaitForSingleObject(mutex, 0), GOT);
  assert.ok(w.ReleaseMutex(mutex));
  w.CloseHandle(mutex);
});

test('what cannot be waited for says so', async () => {
  assert.equal(w.WaitForSingleObject(0x1234, 0), 0xffff_ffff);
  assert.equal(w.GetLastError(), w.ERROR_INVALID_HANDLE);
  const code = (expected: string) => (error: unknown) => (error as { code?: string }).code === expected;
  await assert.rejects(w.WaitForSingleObjectAsync(0x1234, 10), code('ERR_SECTION_INVALID_ARGUMENT'));
  const event = w.CreateEventEx(null, null, 0, w.EVENT_MODIFY_STATE);
  await assert.rejects(w.WaitForSingleObjectAsync(event, 10), code('ERR_SECTION_ACCESS_DENIED'));
  assert.equal(w.WaitForMultipleObjects(0, [], false, 0), 0xffff_ffff);
  await assert.rejects(w.WaitForMultipleObjectsAsync(65, [], false, 0), code('ERR_SECTION_INVALID_ARGUMENT'));
  await assert.rejects(
    w.WaitForMultipleObjectsAsync(2, [event, 0x1234], false, 0),
    (error) => code('ERR_SECTION_ACCESS_DENIED')(error) || code('ERR_SECTION_INVALID_ARGUMENT')(error),
  );
  w.CloseHandle(event);
});

test('a thread of JavaScript that is terminated while it waits leaves nothing behind', async () => {
  const source = `
    const { parentPort } = require('node:worker_threads');
    import('sectile/kernel32').then(async (w) => {
      const mutex = w.OpenMutex(0x1f0001, false, ${JSON.stringify(name('Worker'))});
      await w.WaitForSingleObjectAsync(mutex, 0xffffffff);
      for (let i = 0; i < 200; i++) w.WaitForSingleObjectAsync(w.CreateEvent(null, false, false), 0xffffffff);
      w.WaitForMultipleObjectsAsync(2, [w.CreateEvent(null, false, false), mutex], true, 0xffffffff);
      parentPort.postMessage('waits');
    });`;
  const mutex = w.CreateMutex(null, false, name('Worker'));
  for (let round = 0; round < 3; round++) {
    const worker = new Worker(source, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    assert.equal(w.WaitForSingleObject(mutex, 0), TIMED_OUT);
    await worker.terminate();
    assert.equal(w.WaitForSingleObject(mutex, 30_000), ABANDONED);
    assert.ok(w.ReleaseMutex(mutex));
  }
  w.CloseHandle(mutex);
});

test('waits leave no handles behind', async () => {
  const event = w.CreateEvent(null, false, false);
  const mutex = w.CreateMutex(null, false);
  const round = async () => {
    const waits = Array.from({ length: 20 }, () => w.WaitForSingleObjectAsync(event, 1));
    waits.push(w.WaitForMultipleObjectsAsync(2, [event, mutex], true, 1));
    await Promise.all(waits);
    assert.equal(await w.WaitForSingleObjectAsync(mutex, INFINITE), GOT);
    assert.ok(w.ReleaseMutex(mutex));
  };
  await round();
  const before = platform.holdings('');
  for (let i = 0; i < 10; i++) await round();
  assert.deepEqual(platform.holdings(''), before);
  w.CloseHandle(event);
  w.CloseHandle(mutex);
});
