/**
 * Waits of `sectile/ntddk`: a driver looks, or awaits, and never blocks the process that serves everybody.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import { runSystem } from '../../dist/system/run.js';
import { scratchFolder, start } from '../support/child.js';
import { startClient, startSystem } from '../support/system.js';
import { runtimeDirectory } from './runtime.js';
import visitor from './visitor.js';

const system = await runSystem({ log: () => {} });
after(() => system.stop());
const k = await import('sectile/ntddk');
const n = await import('sectile/ntdll');
const w = await import('sectile/kernel32');

const is = (status: number, name: string): void => assert.equal(statusName(status), name);

function event(name: string | null, type: number, state: boolean, security: string | null = null): number {
  const path = name === null ? null : `\\BaseNamedObjects\\${name}`;
  const attributes = k.InitializeObjectAttributes(path, k.OBJ_KERNEL_HANDLE, null, security);
  const { status, eventHandle } = k.ZwCreateEvent(k.EVENT_ALL_ACCESS, attributes, type, state);
  is(status, 'STATUS_SUCCESS');
  return eventHandle;
}

test('a driver looks at once, and does not block', async () => {
  const wake = event(null, k.SynchronizationEvent, true);
  const look = (): number => k.ZwWaitForSingleObject(wake, false, 0);
  is(k.ZwWaitForSingleObject(wake, false, null), 'STATUS_NOT_SUPPORTED');
  is(k.ZwWaitForSingleObject(wake, false, -1), 'STATUS_NOT_SUPPORTED');
  is(look(), 'STATUS_SUCCESS');
  is(look(), 'STATUS_TIMEOUT');
  const waits = k.ZwWaitForSingleObjectAsync(wake, false, null);
  k.ZwSetEvent(wake);
  is(await waits, 'STATUS_SUCCESS');
  is(await k.ZwWaitForSingleObjectAsync(wake, false, -10_000), 'STATUS_TIMEOUT');
  is(await k.ZwWaitForSingleObjectAsync(0x7ff0, false, null), 'STATUS_INVALID_HANDLE');
  is(n.NtWaitForSingleObject(wake, false, 0), 'STATUS_INVALID_HANDLE');
  k.ZwClose(wake);
});

test('in the system process user mode does not block either', () => {
  const { eventHandle } = n.NtCreateEvent(n.EVENT_ALL_ACCESS, null, n.SynchronizationEvent, true);
  is(n.NtWaitForMultipleObjects(1, [eventHandle], n.WaitAny, false, null), 'STATUS_NOT_SUPPORTED');
  is(n.NtSignalAndWaitForSingleObject(eventHandle, eventHandle, false, null), 'STATUS_NOT_SUPPORTED');
  assert.equal(w.WaitForSingleObject(eventHandle, 10), w.WAIT_FAILED);
  assert.equal(w.GetLastError(), w.ERROR_NOT_SUPPORTED);
  assert.equal(w.WaitForSingleObject(eventHandle, 0), w.WAIT_OBJECT_0);
  n.NtClose(eventHandle);
});

test('an application that may only wait for the driver’s events waits, and the driver for it', async (t) => {
  const events = [
    event('once', k.SynchronizationEvent, false, 'D:(A;;0x100000;;;WD)'),
    event('lasting', k.NotificationEvent, false, 'D:(A;;0x100000;;;WD)'),
    event('answer', k.SynchronizationEvent, false, 'D:(A;;0x2;;;WD)'),
  ] as const;
  const [once, lasting, answer] = events;
  const asNobody = process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = start(t, visitor, 'waits for the driver’s events and signals it', {
    env: { SECTILE_RUNTIME_DIR: runtimeDirectory },
    ...asNobody,
  });
  await child.reached('ready');
  const waits = k.ZwWaitForSingleObjectAsync(answer, false, null);
  k.ZwSetEvent(once);
  k.ZwSetEvent(lasting);
  is(await waits, 'STATUS_SUCCESS');
  await child.endsWell();
  for (const handle of events) k.ZwClose(handle);
});

test('the wait of a driver that is unloaded is taken back', async (t) => {
  const scratch = scratchFolder(t);
  const file = join(scratch, 'waits.mjs');
  writeFileSync(
    file,
    `import * as k from 'sectile/ntddk';
    export function DriverEntry(driverObject) {
      driverObject.DriverUnload = () => {};
      const { eventHandle } = k.ZwCreateEvent(k.EVENT_ALL_ACCESS, null, k.SynchronizationEvent, false);
      void k.ZwWaitForSingleObjectAsync(eventHandle, false, null);
      return 0;
    }`,
  );
  const other = await startSystem(t, { scratch, drivers: [{ file }] });
  const client = await startClient(t, { scratch });
  await client.succeeds('unload', 'waits');
  const text = /^driver waits: left 1 wait, 1 handle; it is taken back/;
  for (let found = false; !found; ) found = text.test(String(await other.reached('log')));
  assert.deepEqual(await client.succeeds('drivers'), []);
});
