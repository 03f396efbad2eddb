/**
 * `sectile/ntdll`: directories, symbolic links and names that start from them, in the user's own part of
 * the namespace.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as n from 'sectile/ntdll';
import { platform } from '../support/platform.js';
import { expected } from '../support/wine.js';
import './runtime.js';
import { BOGUS, directory, is, named } from './user-mode.js';

const oa = n.InitializeObjectAttributes;

function open(path: string, access: number = n.DIRECTORY_QUERY, root: number | null = null): number {
  const { status, directoryHandle } = n.NtOpenDirectoryObject(access, oa(path, 0, root));
  is(status, 'STATUS_SUCCESS');
  return directoryHandle;
}

function make(attributes: n.ObjectAttributes, access: number = n.DIRECTORY_ALL_ACCESS): number {
  const { status, directoryHandle } = n.NtCreateDirectoryObject(access, attributes);
  is(status, 'STATUS_SUCCESS');
  return directoryHandle;
}

function link(attributes: n.ObjectAttributes, target: string): number {
  const { status, linkHandle } = n.NtCreateSymbolicLinkObject(n.SYMBOLIC_LINK_ALL_ACCESS, attributes, target);
  is(status, 'STATUS_SUCCESS');
  return linkHandle;
}

const event = (attributes: n.ObjectAttributes | null) =>
  n.NtCreateEvent(n.EVENT_ALL_ACCESS, attributes, n.NotificationEvent, false);

function nameOf(handle: number): string | undefined {
  const { status, objectInformation } = n.NtQueryObject(handle, n.ObjectNameInformation);
  is(status, 'STATUS_SUCCESS');
  return objectInformation?.Name;
}

function close(...handles: readonly number[]): void {
  for (const handle of handles) is(n.NtClose(handle), 'STATUS_SUCCESS');
}

test('the root is a directory: it exists already, and is nothing else', () => {
  const root = (attributes: number) => n.NtCreateDirectoryObject(n.DIRECTORY_QUERY, oa('\\', attributes));
  is(root(0).status, 'STATUS_OBJECT_NAME_COLLISION');
  const opened = root(n.OBJ_OPENIF);
  is(opened.status, 'STATUS_OBJECT_NAME_EXISTS');
  assert.equal(nameOf(opened.directoryHandle), expected('\\', ''));
  is(event(oa('\\', n.OBJ_OPENIF)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtOpenSection(n.SECTION_QUERY, oa('\\', 0)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  close(opened.directoryHandle);
});

test('names that start from a directory', () => {
  const base = open(directory);
  const first = event(oa('from a root', 0, base));
  is(first.status, 'STATUS_SUCCESS');
  assert.equal(nameOf(first.eventHandle), `${directory}\\from a root`);
  is(
    n.NtOpenEvent(n.EVENT_QUERY_STATE, named('from a root', n.OBJ_EXCLUSIVE)).status,
    'STATUS_INVALID_PARAMETER',
    'STATUS_SUCCESS',
  );
  const rows: [name: string | null, create: string, open: string][] = [
    ['from a root', 'STATUS_OBJECT_NAME_COLLISION', 'STATUS_SUCCESS'],
    ['Local\\from a root', 'STATUS_OBJECT_NAME_COLLISION', 'STATUS_SUCCESS'],
    ['\\', 'STATUS_OBJECT_PATH_SYNTAX_BAD', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
    ['\\from a root', 'STATUS_OBJECT_PATH_SYNTAX_BAD', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
    ['missing\\', 'STATUS_OBJECT_PATH_NOT_FOUND', 'STATUS_OBJECT_PATH_NOT_FOUND'],
    ['missing\\x', 'STATUS_OBJECT_PATH_NOT_FOUND', 'STATUS_OBJECT_PATH_NOT_FOUND'],
    ['from a root\\x', 'STATUS_OBJECT_TYPE_MISMATCH', 'STATUS_OBJECT_TYPE_MISMATCH'],
    ['', 'STATUS_SUCCESS', 'STATUS_OBJECT_TYPE_MISMATCH'],
    [null, 'STATUS_OBJECT_NAME_INVALID', 'STATUS_OBJECT_NAME_INVALID'],
  ];
  for (const [name, created, opened] of rows) {
    const made = event(oa(name, 0, base));
    is(made.status, created);
    const found = n.NtOpenEvent(n.EVENT_QUERY_STATE, oa(name, 0, base));
    is(found.status, opened);
    close(...[made.eventHandle, found.eventHandle].filter((handle) => handle !== 0));
  }
  is(event(oa('x', 0, first.eventHandle)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(event(oa('x', 0, BOGUS)).status, 'STATUS_INVALID_HANDLE');
  const again = open('', n.DIRECTORY_QUERY, base);
  assert.equal(nameOf(again), directory);
  close(again, first.eventHandle, base);
});

test('directories that programs create hold objects of their own', () => {
  const outer = make(named('outer'));
  const inner = make(oa('inner', 0, outer));
  assert.equal(nameOf(inner), `${directory}\\outer\\inner`);
  const made = [event(oa('inner\\x', 0, outer)), event(named('x')), event(named('outer\\x'))];
  for (const { status } of made) is(status, 'STATUS_SUCCESS');
  assert.equal(nameOf(made[0]?.eventHandle ?? 0), `${directory}\\outer\\inner\\x`);
  is(event(oa('x', 0, inner)).status, 'STATUS_OBJECT_NAME_COLLISION');
  is(event(named('outer')).status, 'STATUS_OBJECT_TYPE_MISMATCH', 'STATUS_OBJECT_NAME_COLLISION');
  is(event(named('OUTER\\x')).status, 'STATUS_OBJECT_PATH_NOT_FOUND');
  const section = n.NtOpenSection(n.SECTION_QUERY, named('outer\\inner\\X', n.OBJ_CASE_INSENSITIVE));
  is(section.status, 'STATUS_OBJECT_TYPE_MISMATCH');
  const found = n.NtOpenEvent(n.EVENT_QUERY_STATE, named('OUTER\\Inner\\X', n.OBJ_CASE_INSENSITIVE));
  is(found.status, 'STATUS_SUCCESS');
  assert.equal(nameOf(found.eventHandle), `${directory}\\outer\\inner\\x`);
  is(n.NtCreateDirectoryObject(n.DIRECTORY_QUERY, named('outer')).status, 'STATUS_OBJECT_NAME_COLLISION');
  close(inner, outer);
  const gone = event(named('outer\\y'));
  is(gone.status, 'STATUS_OBJECT_PATH_NOT_FOUND', 'STATUS_SUCCESS');
  if (gone.eventHandle !== 0) close(gone.eventHandle);
  close(found.eventHandle, ...made.map(({ eventHandle }) => eventHandle));
});

test('a directory’s descriptor says who may create in it', () => {
  const own = platform.owners?.[0] ?? 'OW';
  const readable = make(named('readable', 0, `D:(A;;GR;;;${own})(A;;0x8;;;${own})`));
  const rows: [attributes: n.ObjectAttributes, status: string, onWine?: string][] = [
    [oa('x', 0, readable), 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS'],
    [named('readable\\x'), 'STATUS_ACCESS_DENIED', 'STATUS_SUCCESS'],
    [named('readable\\inner\\x'), 'STATUS_SUCCESS'],
    [named('readable\\inner'), 'STATUS_OBJECT_TYPE_MISMATCH', 'STATUS_OBJECT_NAME_COLLISION'],
  ];
  const inner = make(oa('inner', 0, readable));
  for (const [attributes, status, onWine] of rows) {
    const made = event(attributes);
    is(made.status, status, onWine);
    if (made.eventHandle !== 0) close(made.eventHandle);
  }
  close(inner, readable);
});

test('a directory without a name is reached by its handle alone', () => {
  const nameless = make(oa(null, 0));
  const made = event(oa('inside', 0, nameless));
  is(made.status, 'STATUS_SUCCESS');
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('inside')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  const again = open('', n.DIRECTORY_QUERY, nameless);
  const found = n.NtOpenEvent(n.EVENT_QUERY_STATE, oa('inside', 0, again));
  is(found.status, 'STATUS_SUCCESS');
  assert.equal(nameOf(nameless), '');
  assert.equal(nameOf(made.eventHandle), expected('...\\inside', '\\inside'));
  close(again, found.eventHandle, made.eventHandle, nameless);
});

test('a listing has every entry once, in as many calls as the buffer makes it', () => {
  const listed = make(named('listed'));
  const inside = [event(oa('b', 0, listed)).eventHandle, link(oa('a', 0, listed), '\\x'), make(oa('c', 0, listed))];
  const all = n.NtQueryDirectoryObject(listed, null, false, true, 0);
  is(all.status, 'STATUS_SUCCESS');
  const byName = [...all.entries].sort((one, other) => (one.Name < other.Name ? -1 : 1));
  assert.deepEqual(byName, [
    { Name: 'a', TypeName: 'SymbolicLink' },
    { Name: 'b', TypeName: 'Event' },
    { Name: 'c', TypeName: 'Directory' },
  ]);
  const names: string[] = [];
  let context = 0;
  for (;;) {
    const { status, entries, context: next } = n.NtQueryDirectoryObject(listed, 200, true, false, context);
    if (entries.length === 0) {
      is(status, 'STATUS_NO_MORE_ENTRIES');
      break;
    }
    is(status, 'STATUS_SUCCESS');
    names.push(...entries.map(({ Name }) => Name));
    context = next;
  }
  assert.deepEqual(names.sort(), ['a', 'b', 'c']);
  const tooSmall = n.NtQueryDirectoryObject(listed, 10, true, true, 0);
  is(tooSmall.status, 'STATUS_BUFFER_TOO_SMALL');
  const some = n.NtQueryDirectoryObject(listed, tooSmall.returnLength, false, true, 0);
  is(some.status, 'STATUS_MORE_ENTRIES');
  assert.deepEqual([some.entries.length, some.context], [1, 1]);
  const rest = n.NtQueryDirectoryObject(listed, null, false, false, some.context);
  assert.deepEqual([rest.entries.length, rest.context], [2, 3]);
  const blind = open(`${directory}\\listed`, n.DIRECTORY_TRAVERSE);
  is(n.NtQueryDirectoryObject(blind, null, false, true, 0).status, 'STATUS_ACCESS_DENIED');
  is(n.NtQueryDirectoryObject(inside[0] as number, null, false, true, 0).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtQueryDirectoryObject(listed, 'much' as never, false, true, 0).status, 'STATUS_INVALID_PARAMETER');
  close(blind, listed, ...inside);
});

test('what is always there is listed, too', () => {
  const root = open('\\');
  const names = n.NtQueryDirectoryObject(root, null, false, true, 0).entries.map(({ Name, TypeName }) => `${TypeName} ${Name}`);
  for (const each of ['Directory BaseNamedObjects', 'Directory Device', 'Directory GLOBAL??', 'SymbolicLink DosDevices']) {
    assert.ok(names.includes(each), each);
  }
  close(root);
});

test('a link leads on, is itself on demand, and is no root', () => {
  const made = event(named('linked to'));
  const alias = link(named('alias'), `${directory}\\linked to`);
  const around = link(named('around'), directory);
  for (const name of ['alias', 'around\\linked to', 'around\\around\\alias']) {
    const found = n.NtOpenEvent(n.EVENT_QUERY_STATE, named(name));
    is(found.status, 'STATUS_SUCCESS');
    assert.equal(nameOf(found.eventHandle), `${directory}\\linked to`);
    close(found.eventHandle);
  }
  is(event(named('alias')).status, 'STATUS_OBJECT_NAME_COLLISION');
  const opened = event(named('alias', n.OBJ_OPENIF));
  is(opened.status, 'STATUS_OBJECT_NAME_EXISTS');
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('alias', n.OBJ_OPENLINK)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  const itself = n.NtOpenSymbolicLinkObject(n.SYMBOLIC_LINK_QUERY, named('alias'));
  is(itself.status, 'STATUS_SUCCESS');
  const target = n.NtQuerySymbolicLinkObject(itself.linkHandle);
  assert.equal(target.linkTarget, `${directory}\\linked to`);
  assert.equal(target.returnLength, 2 * (directory.length + '\\linked to'.length + 1));
  is(n.NtQuerySymbolicLinkObject(itself.linkHandle, target.returnLength - 1).status, 'STATUS_BUFFER_TOO_SMALL');
  is(event(oa('x', 0, around)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  is(n.NtCreateSymbolicLinkObject(n.GENERIC_ALL, named('alias'), '\\').status, 'STATUS_OBJECT_NAME_COLLISION');
  close(itself.linkHandle, opened.eventHandle, made.eventHandle);
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('alias')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  const through = event(named('alias'));
  is(through.status, 'STATUS_SUCCESS');
  assert.equal(nameOf(through.eventHandle), `${directory}\\linked to`);
  close(through.eventHandle, alias, around);
});

test('links that lead to each other lead nowhere', () => {
  const links = [
    link(named('ping'), `${directory}\\pong`),
    link(named('pong'), `${directory}\\ping`),
    link(named('relative'), 'ping'),
  ];
  is(n.NtOpenEvent(n.EVENT_QUERY_STATE, named('ping')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  is(event(named('ping\\x')).status, 'STATUS_OBJECT_NAME_NOT_FOUND');
  is(event(named('relative')).status, 'STATUS_OBJECT_PATH_SYNTAX_BAD');
  close(...links);
});

test('what a link can lead to', () => {
  const rows: [target: unknown, status: string][] = [
    [null, 'STATUS_ACCESS_VIOLATION'],
    [7, 'STATUS_ACCESS_VIOLATION'],
    [{ Length: 3, MaximumLength: 4, Buffer: '\\x' }, 'STATUS_INVALID_PARAMETER'],
    [{ Length: 2, MaximumLength: 4, Buffer: 1n }, 'STATUS_DATATYPE_MISALIGNMENT'],
    ['\\anywhere', 'STATUS_SUCCESS'],
    ['', 'STATUS_SUCCESS'],
  ];
  for (const [target, status] of rows) {
    const made = n.NtCreateSymbolicLinkObject(n.SYMBOLIC_LINK_QUERY, oa(null, 0), target as string);
    is(made.status, status);
    if (made.linkHandle === 0) continue;
    assert.equal(n.NtQuerySymbolicLinkObject(made.linkHandle).linkTarget, target);
    close(made.linkHandle);
  }
  is(n.NtCreateSymbolicLinkObject(n.SYMBOLIC_LINK_QUERY, null as never, '\\x').status, 'STATUS_ACCESS_VIOLATION');
  const fixed = n.NtOpenSymbolicLinkObject(n.SYMBOLIC_LINK_QUERY, oa(`${directory}\\Local`, 0));
  assert.equal(n.NtQuerySymbolicLinkObject(fixed.linkHandle).linkTarget, directory);
  is(event(oa('x', 0, fixed.linkHandle)).status, 'STATUS_OBJECT_TYPE_MISMATCH');
  close(fixed.linkHandle);
});

test('nobody changes what is always there', { skip: platform.lacks.systemProcess }, () => {
  const root = n.NtOpenDirectoryObject(n.MAXIMUM_ALLOWED, oa('\\', 0)).directoryHandle;
  const security = n.NtQuerySecurityObject(root, n.DACL_SECURITY_INFORMATION);
  assert.equal(security.securityDescriptor, 'D:(A;;CCDCRC;;;WD)(A;;GA;;;SY)');
  const refused = process.geteuid?.() === 0 ? 'STATUS_ACCESS_DENIED' : 'STATUS_PRIVILEGE_NOT_HELD';
  is(n.NtSetSecurityObject(root, n.DACL_SECURITY_INFORMATION, 'D:'), 'STATUS_ACCESS_DENIED');
  is(n.NtMakeTemporaryObject(root), 'STATUS_ACCESS_DENIED');
  const made = n.NtCreateDirectoryObject(n.DIRECTORY_QUERY, oa('\\mine', n.OBJ_PERMANENT));
  is(made.status, refused);
  close(root);
});
