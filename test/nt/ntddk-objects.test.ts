/**
 * `sectile/ntddk` on objects of every type, in a system process that this test is, with applications
 * beside it: handles of the kernel, objects that last, names that both sides use.
 */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import { runSystem } from '../../dist/system/run.js';
import { notRoot, run } from '../support/child.js';
import { runtimeDirectory } from './runtime.js';
import visitor from './visitor.js';

const system = await runSystem({ log: () => {} });
after(() => system.stop());
const k = await import('sectile/ntddk');
const n = await import('sectile/ntdll');

const env = { SECTILE_RUNTIME_DIR: runtimeDirectory };
const asNobody = process.geteuid?.() === 0 ? { env, uid: 65_534, gid: 65_534 } : { env };
const is = (status: number, name: string): void => assert.equal(statusName(status), name);

const oa = (name: string | null, attributes = 0, security: string | null = null, root: number | null = null) =>
  k.InitializeObjectAttributes(name, attributes, root, security);
const named = (name: string, attributes = 0, security: string | null = null) =>
  oa(`\\BaseNamedObjects\\${name}`, attributes, security);

function directory(attributes: import('sectile/ntddk').ObjectAttributes | null): number {
  const { status, directoryHandle } = k.ZwCreateDirectoryObject(k.DIRECTORY_ALL_ACCESS, attributes);
  is(status, 'STATUS_SUCCESS');
  return directoryHandle;
}

function event(attributes: import('sectile/ntddk').ObjectAttributes, access: number = k.EVENT_ALL_ACCESS): number {
  const { status, eventHandle } = k.ZwCreateEvent(access, attributes, k.SynchronizationEvent, false);
  is(status, 'STATUS_SUCCESS');
  return eventHandle;
}

test('kernel handles and user handles on a directory', () => {
  const own = directory(oa(null));
  const kernel = directory(oa(null, k.OBJ_KERNEL_HANDLE));
  assert.ok(own > 0 && kernel < 0);
  for (const handle of [own, kernel]) {
    const { status, objectInformation } = k.ZwQueryObject(handle, k.ObjectBasicInformation);
    is(status, 'STATUS_SUCCESS');
    assert.deepEqual(objectInformation, {
      Attributes: 0,
      GrantedAccess: k.DIRECTORY_ALL_ACCESS,
      HandleCount: 1,
      PointerCount: 2,
    });
  }
  is(n.NtQueryObject(kernel, k.ObjectBasicInformation).status, 'STATUS_INVALID_HANDLE');
  is(n.NtClose(kernel), 'STATUS_INVALID_HANDLE');
  for (const attributes of [0, k.OBJ_KERNEL_HANDLE]) {
    const { status, targetHandle } = k.ZwDuplicateObject(
      k.ZwCurrentProcess(),
      kernel,
      k.ZwCurrentProcess(),
      k.DIRECTORY_QUERY,
      attributes,
      0,
    );
    is(status, 'STATUS_SUCCESS');
    assert.ok(targetHandle > 0);
    const { objectInformation } = k.ZwQueryObject(targetHandle, k.ObjectBasicInformation);
    assert.deepEqual([objectInformation?.GrantedAccess, objectInformation?.HandleCount], [k.DIRECTORY_QUERY, 2]);
    is(k.ZwClose(targetHandle), 'STATUS_SUCCESS');
  }
  for (const handle of [own, kernel]) is(k.ZwClose(handle), 'STATUS_SUCCESS');
});

test('a permanent object outlives its handles until it is made temporary', () => {
  const isThere = (): boolean => {
    const { status, eventHandle } = k.ZwOpenEvent(k.EVENT_QUERY_STATE, named('lasting'));
    if (eventHandle !== 0) k.ZwClose(eventHandle);
    else is(status, 'STATUS_OBJECT_NAME_NOT_FOUND');
    return status === k.STATUS_SUCCESS;
  };
  const isMarked = (handle: number) =>
    k.ZwQueryObject(handle, k.ObjectBasicInformation).objectInformation?.Attributes === k.OBJ_PERMANENT;
  const temporary = (handle: number) => is(k.ZwMakeTemporaryObject(handle), 'STATUS_SUCCESS');
  const permanent = (handle: number) => is(k.ZwMakePermanentObject(handle), 'STATUS_SUCCESS');
  const rows: [attributes: number, steps: ((handle: number) => void)[], lasts: boolean][] = [
    [k.OBJ_PERMANENT, [], true],
    [k.OBJ_PERMANENT, [temporary], false],
    [k.OBJ_PERMANENT, [permanent], true],
    [k.OBJ_PERMANENT, [temporary, permanent], true],
    [0, [], false],
    [0, [temporary], false],
    [0, [permanent], true],
    [0, [temporary, permanent], true],
    [0, [permanent, temporary], false],
  ];
  for (const [attributes, steps, lasts] of rows) {
    const handle = event(named('lasting', attributes));
    for (const step of steps) step(handle);
    assert.equal(isMarked(handle), lasts);
    is(k.ZwSetEvent(handle).status, 'STATUS_SUCCESS');
    k.ZwClose(handle);
    assert.equal(isThere(), lasts);
    if (!lasts) continue;
    const { eventHandle } = k.ZwOpenEvent(k.DELETE, named('lasting'));
    assert.equal(k.ZwQueryEvent(eventHandle, k.EventBasicInformation).eventInformation?.EventState, 1, 'its state lasts as well');
    temporary(eventHandle);
    k.ZwClose(eventHandle);
    assert.equal(isThere(), false);
  }
});

test('making temporary takes DELETE where rights count', () => {
  const handle = event(named('needs delete', k.OBJ_PERMANENT));
  const weak = k.ZwOpenEvent(k.EVENT_QUERY_STATE, named('needs delete', k.OBJ_FORCE_ACCESS_CHECK)).eventHandle;
  is(k.ZwMakeTemporaryObject(weak), 'STATUS_ACCESS_DENIED');
  is(k.ZwSetEvent(weak).status, 'STATUS_ACCESS_DENIED');
  const unchecked = k.ZwOpenEvent(0, named('needs delete')).eventHandle;
  is(k.ZwSetEvent(unchecked).status, 'STATUS_SUCCESS');
  is(k.ZwMakeTemporaryObject(unchecked), 'STATUS_SUCCESS');
  for (const each of [handle, weak, unchecked]) k.ZwClose(each);
});

test('an application and a driver use one event, by its name and through a link', async (t) => {
  const wake = event(named('wake', k.OBJ_KERNEL_HANDLE, 'D:(A;;0x2;;;WD)'));
  const held = directory(named('of the driver'));
  const { status, linkHandle } = k.ZwCreateSymbolicLinkObject(
    k.SYMBOLIC_LINK_ALL_ACCESS,
    oa('alias', 0, 'D:(A;;GR;;;WD)', held),
    '\\BaseNamedObjects\\wake',
  );
  is(status, 'STATUS_SUCCESS');
  await run(t, visitor, 'signals the driver’s event and reads its link', asNobody);
  assert.equal(k.ZwQueryEvent(wake, k.EventBasicInformation).eventInformation?.EventState, 1);
  const { objectInformation } = k.ZwQueryObject(wake, k.ObjectBasicInformation);
  assert.equal(objectInformation?.HandleCount, 1);
  for (const handle of [linkHandle, held, wake]) is(k.ZwClose(handle), 'STATUS_SUCCESS');
});

test('a directory’s descriptor says who may create in it', { skip: notRoot }, async (t) => {
  const closed = directory(named('closed', 0, 'D:(A;;GR;;;WD)(A;;GA;;;SY)'));
  const inside = event(oa('inside', 0, 'D:(A;;GA;;;WD)', closed));
  await run(t, visitor, 'may look into the driver’s directory and create nothing there', asNobody);
  for (const handle of [inside, closed]) k.ZwClose(handle);
});

test('what lasts takes a privilege', { skip: notRoot }, async (t) => {
  await run(t, visitor, 'is not allowed to make anything permanent', asNobody);
});

test('mutants, semaphores and security in kernel mode', () => {
  const { mutantHandle } = k.ZwCreateMutant(0, named('m', k.OBJ_KERNEL_HANDLE), true);
  assert.equal(k.ZwQueryMutant(mutantHandle, k.MutantBasicInformation).mutantInformation?.OwnedByCaller, true);
  is(k.ZwReleaseMutant(mutantHandle).status, 'STATUS_SUCCESS');
  const { semaphoreHandle } = k.ZwCreateSemaphore(0, named('s', k.OBJ_KERNEL_HANDLE), 0, 5);
  assert.equal(k.ZwReleaseSemaphore(semaphoreHandle, 5).previousCount, 0);
  const opened = k.ZwOpenSemaphore(k.SEMAPHORE_QUERY_STATE, named('S', k.OBJ_KERNEL_HANDLE | k.OBJ_CASE_INSENSITIVE));
  assert.deepEqual(k.ZwQuerySemaphore(opened.semaphoreHandle, k.SemaphoreBasicInformation).semaphoreInformation, {
    CurrentCount: 5,
    MaximumCount: 5,
  });
  is(k.ZwSetSecurityObject(mutantHandle, k.DACL_SECURITY_INFORMATION, 'D:(A;;GR;;;WD)'), 'STATUS_SUCCESS');
  const { securityDescriptor } = k.ZwQuerySecurityObject(mutantHandle, k.DACL_SECURITY_INFORMATION);
  assert.equal(securityDescriptor, 'D:(A;;GR;;;WD)');
  is(n.NtOpenMutant(n.MUTANT_ALL_ACCESS, named('m')).status, 'STATUS_ACCESS_DENIED');
  for (const handle of [mutantHandle, semaphoreHandle, opened.semaphoreHandle]) is(k.ZwClose(handle), 'STATUS_SUCCESS');
});
