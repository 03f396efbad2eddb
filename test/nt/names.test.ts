/**
 * Paths of the object namespace: what they name, and which status says what is wrong with them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import {
  DEVICES,
  type DeviceEntry,
  type Found,
  lookUpIn,
  lookUpPath,
  type Purpose,
  sessionDirectory,
  sessionId,
  setDeviceNamespace,
} from '../../dist/nt/object-directory.js';

const session = sessionId();
const other = session + 1;
const LONG = 'x'.repeat(2000);

/** `Global\X`, `Local\X`, the path of a directory or a link, what a file or a device is called, or a status. */
function said(found: Found): string {
  if ('status' in found) return statusName(found.status);
  if ('name' in found) return found.name.full;
  if ('directory' in found) return `directory ${found.directory.path}`;
  if ('link' in found) return `link ${found.link.path} to ${found.link.target}`;
  return 'file' in found ? `file ${found.file}` : `device ${found.device}${found.rest}`;
}

function check(
  rows: readonly (readonly [string, string])[],
  lookUp: (path: string, purpose: Purpose) => Found,
  purpose: Purpose,
): void {
  for (const [path, expected] of rows) {
    test(`${purpose} ${JSON.stringify(path.slice(0, 60))}: ${JSON.stringify(expected.slice(0, 60))}`, () =>
      assert.equal(said(lookUp(path, purpose)), expected));
  }
}

test('root is in session 0, everybody else in session 1', () => {
  assert.equal(session, process.geteuid?.() === 0 ? 0 : 1);
});

const paths: [path: string, expected: string][] = [
  ['\\BaseNamedObjects\\X', 'Global\\X'],
  ['\\BaseNamedObjects\\Global\\X', 'Global\\X'],
  ['\\BaseNamedObjects\\Local\\X', 'Global\\X'],
  [`\\Sessions\\${session}\\BaseNamedObjects\\X`, 'Local\\X'],
  [`\\Sessions\\${session}\\BaseNamedObjects\\Local\\X`, 'Local\\X'],
  [`\\Sessions\\${session}\\BaseNamedObjects\\Global\\X`, 'Global\\X'],
  [`\\BaseNamedObjects\\Session\\${session}\\X`, 'Local\\X'],
  [`\\Sessions\\BNOLINKS\\${session}\\X`, 'Local\\X'],
  [`\\Sessions\\${session}\\BaseNamedObjects\\a\0b`, 'Local\\a\0b'],
  [`\\BaseNamedObjects\\${LONG}`, `Global\\${LONG}`],
  ['\\BaseNamedObjects\\../../etc/passwd', 'Global\\../../etc/passwd'],
  ['\\BaseNamedObjects\\__proto__', 'Global\\__proto__'],
  ['', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['THIS/IS/INVALID', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['BaseNamedObjects\\X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['\\BaseNamedObjects\\', 'STATUS_OBJECT_NAME_INVALID'],
  ['\\\\BaseNamedObjects', 'STATUS_OBJECT_NAME_INVALID'],
  ['\\BaseNamedObjects\\\\X', 'STATUS_OBJECT_NAME_INVALID'],
  ['\\BaseNamedObjects\\Global\\', 'STATUS_OBJECT_NAME_INVALID'],
  ['\\BaseNamedObjects\\X\\', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\BaseNamedObjects\\X\\Y', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\basenamedobjects\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\BaseNamedObjects\\global\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\BasedNamedObjects\\Local\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\ObjectTypes\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\constructor\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  [`\\Sessions\\${other}\\BaseNamedObjects\\X`, 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\', 'directory '],
  ['\\BaseNamedObjects', 'directory \\BaseNamedObjects'],
  ['\\BaseNamedObjects\\Global', 'directory \\BaseNamedObjects'],
  [`\\BaseNamedObjects\\Session\\${session}`, `directory \\Sessions\\${session}\\BaseNamedObjects`],
  [`\\Sessions\\${session}`, `directory \\Sessions\\${session}`],
  ['\\??', 'directory \\GLOBAL??'],
  ['\\DosDevices', 'directory \\GLOBAL??'],
  ['\\??\\unix\\tmp\\x', 'file /tmp/x'],
  ['\\DosDevices\\Global\\UNIX\\tmp', 'file /tmp'],
  ['\\GLOBAL??\\/tmp/x', 'file /tmp/x'],
  ['\\Device\\PhysicalMemory', 'STATUS_ACCESS_DENIED'],
  ['\\Device\\mem', 'STATUS_ACCESS_DENIED'],
  ['\\Device\\KMEM', 'STATUS_ACCESS_DENIED'],
  ['\\Device\\Harddisk0\\Partition0', 'STATUS_OBJECT_PATH_NOT_FOUND'],
];
const at = (path: string, purpose: Purpose): Found => lookUpPath(path, { purpose, caseInsensitive: false });
for (const purpose of ['create', 'open'] as const) check(paths, at, purpose);

const bare: readonly string[] = ['\\X', '\\Sessions\\X', `\\Sessions\\${session}\\X`];
check(
  bare.map((path) => [path, 'STATUS_OBJECT_NAME_NOT_FOUND']),
  at,
  'open',
);
check(
  bare.map((path) => [path, 'STATUS_ACCESS_DENIED']),
  at,
  'create',
);

test('OBJ_CASE_INSENSITIVE finds directories and links in any case, and leaves the leaf to the lookup', () => {
  const open = { purpose: 'open', caseInsensitive: true } as const;
  assert.equal(said(lookUpPath('\\BASENAMEDobjects\\GLOBAL\\Mixed', open)), 'Global\\Mixed');
  assert.equal(said(lookUpPath('\\device\\physicalmemory', open)), 'STATUS_ACCESS_DENIED');
});

test('a link is itself what is found where it is wanted, and only at the end of a path', () => {
  const lookup = { purpose: 'open', caseInsensitive: false, stopAtLink: true } as const;
  assert.equal(said(lookUpPath('\\BaseNamedObjects\\Local', lookup)), 'link \\BaseNamedObjects\\Local to \\BaseNamedObjects');
  assert.equal(said(lookUpPath('\\DosDevices', lookup)), 'link \\DosDevices to \\??');
  assert.equal(said(lookUpPath('\\BaseNamedObjects\\Local\\X', lookup)), 'Global\\X');
});

const names: [name: string, expected: string][] = [
  ['X', 'Local\\X'],
  ['Local\\X', 'Local\\X'],
  ['Global\\X', 'Global\\X'],
  [`Session\\${session}\\X`, 'Local\\X'],
  [`Session\\${other}\\X`, 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['global\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['a\\b', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['Global\\a\\b', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['Global\\', 'STATUS_OBJECT_NAME_INVALID'],
  ['Global', 'directory \\BaseNamedObjects'],
  ['\\X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['\\BaseNamedObjects\\X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
];
for (const purpose of ['create', 'open'] as const) {
  check(names, (name, why) => lookUpIn(sessionDirectory(), name, { purpose: why, caseInsensitive: false }), purpose);
}

const links: readonly DeviceEntry[] = [
  { leaf: 'Camera', target: '\\Device\\Camera0' },
  { leaf: 'Round', target: '\\??\\Round' },
];
const devices: readonly DeviceEntry[] = [{ leaf: 'Camera0' }];

test('devices and their links are looked up by whoever keeps them', (t) => {
  const kept = (directory: string) => (directory === DEVICES ? devices : links);
  setDeviceNamespace({
    list: kept,
    find: (directory, leaf, any) =>
      kept(directory).find((each) => each.leaf === leaf || (any && each.leaf.toLowerCase() === leaf.toLowerCase())) ?? null,
  });
  t.after(() => setDeviceNamespace({ find: () => null, list: () => [] }));
  const rows: [path: string, caseInsensitive: boolean, expected: string][] = [
    ['\\??\\Camera', false, 'device \\Device\\Camera0'],
    ['\\??\\Camera\\lens\\', false, 'device \\Device\\Camera0\\lens\\'],
    ['\\??\\camera', true, 'device \\Device\\Camera0'],
    ['\\??\\camera', false, 'STATUS_OBJECT_NAME_NOT_FOUND'],
    ['\\Device\\Camera0\\x', false, 'device \\Device\\Camera0\\x'],
    ['\\Device\\Camera1', false, 'STATUS_OBJECT_NAME_NOT_FOUND'],
    ['\\??\\Round', false, 'STATUS_OBJECT_NAME_NOT_FOUND'],
  ];
  for (const [path, caseInsensitive, expected] of rows) {
    assert.equal(said(lookUpPath(path, { purpose: 'open', caseInsensitive })), expected, path);
  }
});
