/**
 * `sectile/ntdll` on objects of every type: what NtQueryObject tells, how long objects stay, who may do
 * what with them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as n from 'sectile/ntdll';
import { platform } from '../support/platform.js';
import { expected } from '../support/wine.js';
import './runtime.js';
import { BOGUS, create, directory, is, named, self } from './user-mode.js';

const isRoot = process.geteuid?.() === 0;

function event(attributes: n.ObjectAttributes | null, access: number = n.EVENT_ALL_ACCESS): number {
  const { status, eventHandle } = n.NtCreateEvent(access, attributes, n.NotificationEvent, false);
  is(status, 'STATUS_SUCCESS');
  return eventHandle;
}

const basicOf = (handle: number) => n.NtQueryObject(handle, n.ObjectBasicInformation).objectInformation;
const nameOf = (handle: number) => n.NtQueryObject(handle, n.ObjectNameInformation).objectInformation?.Name;

test('basic information: attributes of the handle, what it was granted, how many there are', () => {
  const first = event(named('counted', n.OBJ_INHERIT), n.EVENT_QUERY_STATE);
  const inherit = expected(n.OBJ_INHERIT, 0);
  const pointers = expected(2, 1); // beside the handles: the name, and the query
  const one = { Attributes: inherit, GrantedAccess: n.EVENT_QUERY_STATE, HandleCount: 1, PointerCount: 1 + pointers };
  assert.deepEqual(basicOf(first), one);
  const { eventHandle: second } = n.NtOpenEvent(n.GENERIC_ALL, named('counted'));
  assert.deepEqual(basicOf(second), {
    Attributes: 0,
    GrantedAccess: n.EVENT_ALL_ACCESS,
    HandleCount: 2,
    PointerCount: 2 + pointers,
  });
  const { targetHandle: third } = n.NtDuplicateObject(self, second, self, 0, n.OBJ_INHERIT, n.DUPLICATE_SAME_ACCESS);
  assert.equal(basicOf(first)?.HandleCount, 3);
  is(n.NtSetEvent(third).status, 'STATUS_SUCCESS');
  assert.equal(n.NtQueryEvent(first, 0).eventInformation?.EventState, 1);
  for (const handle of [second, third]) n.NtClose(handle);
  assert.equal(basicOf(first)?.HandleCount, 1);
  n.NtClose(first);
});

test('a duplicate that asks for more is checked against the descriptor', () => {
  const own = platform.owners?.[0] ?? 'OW';
  const handle = event(named('guarded', 0, `D:(A;;0x1;;;${own})`), n.EVENT_QUERY_STATE);
  const duplicate = (access: number) => n.NtDuplicateObject(self, handle, self, access, 0, 0);
  is(duplicate(n.EVENT_MODIFY_STATE).status, 'STATUS_ACCESS_DENIED');
  const same = duplicate(n.EVENT_QUERY_STATE);
  const none = duplicate(0);
  is(same.status, 'STATUS_SUCCESS');
  is(none.status, 'STATUS_SUCCESS');
  assert.equal(basicOf(none.targetHandle)?.GrantedAccess, 0);
  for (const each of [handle, same.targetHandle, none.targetHandle]) n.NtClose(each);
});

test('names are told whole, with the case that the object was created with', () => {
  for (const text of ['plain', 'Mixed Case', 'ends\0', 'with\0in']) {
    const handle = event(named(text));
    assert.equal(nameOf(handle), `${directory}\\${text}`);
    n.NtClose(handle);
  }
  const handle = event(named('As Created'));
  const found = n.NtOpenEvent(n.EVENT_QUERY_STATE, named('AS CREATED', n.OBJ_CASE_INSENSITIVE)).eventHandle;
  assert.equal(nameOf(found), `${directory}\\As Created`);
  const { returnLength } = n.NtQueryObject(handle, n.ObjectNameInformation);
  assert.equal(returnLength, 16 + 2 * (directory.length + '\\As Created'.length + 1));
  const nameless = create(4096);
  assert.deepEqual(n.NtQueryObject(nameless, n.ObjectNameInformation), {
    status: n.STATUS_SUCCESS,
    objectInformation: { Name: '' },
    returnLength: 16,
  });
  const rows: [handle: number, length: number, status: string, onWine?: string][] = [
    [handle, 0, 'STATUS_INFO_LENGTH_MISMATCH'],
    [handle, 15, 'STATUS_INFO_LENGTH_MISMATCH'],
    [handle, 16, 'STATUS_BUFFER_OVERFLOW', 'STATUS_INFO_LENGTH_MISMATCH'],
    [handle, returnLength - 1, 'STATUS_BUFFER_OVERFLOW', 'STATUS_INFO_LENGTH_MISMATCH'],
    [handle, returnLength, 'STATUS_SUCCESS'],
    [nameless, 16, 'STATUS_SUCCESS'],
    [BOGUS, 0, 'STATUS_INVALID_HANDLE'],
  ];
  for (const [which, length, status, onWine] of rows) {
    is(n.NtQueryObject(which, n.ObjectNameInformation, length).status, status, onWine);
  }
  for (const each of [handle, found, nameless]) n.NtClose(each);
});

test('types: their generic rights and the rights that are valid', () => {
  const { status, objectInformation: types } = n.NtQueryObject(null, n.ObjectTypesInformation);
  is(status, 'STATUS_SUCCESS');
  const rows: [name: string, read: number, write: number, execute: number, all: number, valid: number][] = [
    ['Directory', 0x2_0003, 0x2_000c, 0x2_0003, 0xf_000f, 0xf_000f],
    ['SymbolicLink', 0x2_0001, 0x2_0000, 0x2_0001, 0xf_0001, 0xf_0001],
    ['Event', 0x2_0001, 0x2_0002, 0x12_0000, 0x1f_0003, 0x1f_0003],
    ['Mutant', 0x2_0001, 0x2_0000, 0x12_0000, 0x1f_0001, 0x1f_0001],
    ['Semaphore', 0x2_0001, 0x2_0002, 0x12_0000, 0x1f_0003, 0x1f_0003],
    ['Section', 0x2_0005, 0x2_0002, 0x2_0008, 0xf_001f, 0x1f_001f],
  ];
  for (const [name, GenericRead, GenericWrite, GenericExecute, GenericAll, valid] of rows) {
    const type = types?.find(({ TypeName }) => TypeName === name);
    assert.deepEqual(type?.GenericMapping, { GenericRead, GenericWrite, GenericExecute, GenericAll }, name);
    assert.equal(type?.ValidAccessMask, valid, name);
  }
  const handle = event(null);
  const { targetHandle: same } = n.NtDuplicateObject(self, handle, self, 0, 0, n.DUPLICATE_SAME_ACCESS);
  const type = n.NtQueryObject(handle, n.ObjectTypeInformation).objectInformation;
  assert.equal(type?.TypeName, 'Event');
  const { TotalNumberOfObjects: objects = 0, TotalNumberOfHandles: handles = 0 } = type ?? {};
  assert.ok(objects >= 1 && handles >= 2, `${objects} events, ${handles} handles`);
  assert.equal(n.NtQueryObject(self, n.ObjectTypeInformation).objectInformation?.TypeName, 'Process');
  for (const each of [handle, same]) n.NtClose(each);
});

test('classes and lengths', () => {
  const handle = event(null);
  const rows: [kind: number, length: number, status: string, onWine?: string][] = [
    [n.ObjectBasicInformation, 0, 'STATUS_INFO_LENGTH_MISMATCH'],
    [n.ObjectBasicInformation, 57, 'STATUS_INFO_LENGTH_MISMATCH', 'STATUS_SUCCESS'],
    [n.ObjectBasicInformation, 56, 'STATUS_SUCCESS'],
    [n.ObjectTypeInformation, 103, 'STATUS_INFO_LENGTH_MISMATCH'],
    [n.ObjectTypeInformation, 200, 'STATUS_SUCCESS'],
    [n.ObjectTypesInformation, 100, 'STATUS_INFO_LENGTH_MISMATCH'],
    [n.ObjectHandleFlagInformation, 2, 'STATUS_SUCCESS'],
    [5, 100, 'STATUS_INVALID_INFO_CLASS'],
    [-1, 100, 'STATUS_INVALID_INFO_CLASS'],
  ];
  for (const [kind, length, status, onWine] of rows) is(n.NtQueryObject(handle, kind, length).status, status, onWine);
  n.NtClose(handle);
});

test('flags of a handle are told and changed', () => {
  const handle = event(null);
  const flags = { Inherit: true, ProtectFromClose: true };
  is(n.NtSetInformationObject(handle, n.ObjectHandleFlagInformation, flags), 'STATUS_SUCCESS');
  assert.deepEqual(n.NtQueryObject(handle, n.ObjectHandleFlagInformation).objectInformation, flags);
  assert.equal(basicOf(handle)?.Attributes, expected(n.OBJ_INHERIT | n.OBJ_PROTECT_CLOSE, 0));
  is(n.NtClose(handle), 'STATUS_HANDLE_NOT_CLOSABLE');
  is(n.NtSetInformationObject(handle, n.ObjectBasicInformation, flags), 'STATUS_INVALID_INFO_CLASS');
  is(n.NtSetInformationObject(handle, n.ObjectHandleFlagInformation, null as never), 'STATUS_ACCESS_VIOLATION');
  is(n.NtSetInformationObject(BOGUS, n.ObjectHandleFlagInformation, flags), 'STATUS_INVALID_HANDLE');
  is(n.NtSetInformationObject(handle, n.ObjectHandleFlagInformation, {}), 'STATUS_SUCCESS');
  is(n.NtClose(handle), 'STATUS_SUCCESS');
});

test('an exclusive object has one handle', () => {
  // Wine has no exclusive objects.
  const refused = ['STATUS_ACCESS_DENIED', 'STATUS_SUCCESS'] as const;
  const mixed = ['STATUS_INVALID_PARAMETER', 'STATUS_SUCCESS'] as const;
  const handle = event(named('mine alone', n.OBJ_EXCLUSIVE));
  for (const flags of [0, n.OBJ_EXCLUSIVE]) is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('mine alone', flags)).status, ...refused);
  is(n.NtDuplicateObject(self, handle, self, 0, 0, n.DUPLICATE_SAME_ACCESS).status, ...refused);
  n.NtClose(handle);
  const shared = event(named('ours'));
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('ours', n.OBJ_EXCLUSIVE)).status, ...mixed);
  n.NtClose(shared);
});

test('local names cannot be kept by nobody; what has no name need not be', () => {
  const denied = platform.permanence;
  const handle = event(named('for a while'));
  is(n.NtCreateEvent(n.EVENT_ALL_ACCESS, named('for ever', n.OBJ_PERMANENT), 0, false).status, denied, 'STATUS_SUCCESS');
  is(n.NtMakePermanentObject(handle), denied, 'STATUS_NOT_IMPLEMENTED');
  is(n.NtMakeTemporaryObject(handle), 'STATUS_SUCCESS');
  const weak = n.NtOpenEvent(n.EVENT_QUERY_STATE, named('for a while')).eventHandle;
  is(n.NtMakeTemporaryObject(weak), 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS');
  is(n.NtMakeTemporaryObject(BOGUS), 'STATUS_INVALID_HANDLE');
  const nameless = n.NtCreateEvent(n.EVENT_ALL_ACCESS, n.InitializeObjectAttributes(null, n.OBJ_PERMANENT), 0, false);
  is(nameless.status, isRoot ? 'STATUS_SUCCESS' : 'STATUS_PRIVILEGE_NOT_HELD', 'STATUS_SUCCESS');
  for (const each of [handle, weak, nameless.eventHandle]) n.NtClose(each);
});

test('security: told in parts, changed by those who may, seen by the next opener', () => {
  const handle = event(named('secured', 0, 'D:(A;;GA;;;WD)'));
  const all = n.OWNER_SECURITY_INFORMATION | n.GROUP_SECURITY_INFORMATION | n.DACL_SECURITY_INFORMATION;
  assert.equal(n.NtQuerySecurityObject(handle, n.DACL_SECURITY_INFORMATION).securityDescriptor, 'D:(A;;GA;;;WD)');
  const whole = n.NtQuerySecurityObject(handle, all);
  const owners =
    platform.owners === undefined
      ? /^O:.*(?=D:)/.exec(whole.securityDescriptor ?? '')?.[0]
      : `O:${platform.owners[0]}G:${platform.owners[1]}`;
  assert.equal(whole.securityDescriptor, `${owners}D:(A;;GA;;;WD)`);
  // Header 20, owner and group 8 + 4 * 2 each, list 8, its entry 8 and the SID of Everyone 12.
  if (platform.owners !== undefined) assert.equal(whole.lengthNeeded, 20 + 16 + 16 + 8 + 8 + 12);
  is(n.NtQuerySecurityObject(handle, all, whole.lengthNeeded - 1).status, 'STATUS_BUFFER_TOO_SMALL');
  is(n.NtQuerySecurityObject(handle, all, whole.lengthNeeded).status, 'STATUS_SUCCESS');
  is(n.NtQuerySecurityObject(handle, n.SACL_SECURITY_INFORMATION).status, 'STATUS_ACCESS_DENIED');
  const weak = n.NtOpenEvent(n.EVENT_QUERY_STATE, named('secured')).eventHandle;
  is(n.NtQuerySecurityObject(weak, all).status, 'STATUS_ACCESS_DENIED');
  is(n.NtSetSecurityObject(weak, n.DACL_SECURITY_INFORMATION, 'D:'), 'STATUS_ACCESS_DENIED');
  const rows: [parts: number, text: unknown, status: string, onWine?: string][] = [
    [n.DACL_SECURITY_INFORMATION, 'O:WD', 'STATUS_INVALID_ACL', 'STATUS_SUCCESS'],
    [n.OWNER_SECURITY_INFORMATION, 'D:', 'STATUS_INVALID_OWNER', 'STATUS_INVALID_SECURITY_DESCR'],
    [n.GROUP_SECURITY_INFORMATION, 'D:', 'STATUS_INVALID_PRIMARY_GROUP', 'STATUS_INVALID_SECURITY_DESCR'],
    [n.LABEL_SECURITY_INFORMATION, 'D:', 'STATUS_NOT_SUPPORTED', 'STATUS_SUCCESS'],
    [n.DACL_SECURITY_INFORMATION, 'nonsense', 'STATUS_INVALID_SECURITY_DESCR'],
    [n.DACL_SECURITY_INFORMATION, 7, 'STATUS_INVALID_SECURITY_DESCR'],
    [n.DACL_SECURITY_INFORMATION, null, 'STATUS_ACCESS_VIOLATION'],
    [n.DACL_SECURITY_INFORMATION, 'G:SYD:(A;;0x1;;;WD)', 'STATUS_SUCCESS'],
  ];
  for (const [parts, text, status, onWine] of rows) is(n.NtSetSecurityObject(handle, parts, text as string), status, onWine);
  const { securityDescriptor } = n.NtQuerySecurityObject(handle, all);
  assert.equal(securityDescriptor, `${owners}D:(A;;CC;;;WD)`);
  is(n.NtOpenEvent(n.EVENT_MODIFY_STATE, named('secured')).status, 'STATUS_ACCESS_DENIED');
  is(n.NtSetEvent(handle).status, 'STATUS_SUCCESS');
  // The process has a descriptor where it is the kernel's object.
  if (platform.owners !== undefined) is(n.NtQuerySecurityObject(self, all).status, 'STATUS_NOT_SUPPORTED');
  for (const each of [handle, weak]) n.NtClose(each);
});
