/**
 * Paths of the object namespace: what they name, and which status says what is wrong with them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { statusName } from '../../dist/base/status.js';
import { type Purpose, type Resolved, resolveInSession, resolvePath, sessionId } from '../../dist/nt/object-directory.js';

const session = sessionId();
const other = session + 1;
const LONG = 'x'.repeat(2000);

/** `Global\X`, `Local\X`, or a status. */
function said(resolved: Resolved): string {
  return 'name' in resolved ? resolved.name.full : statusName(resolved.status);
}

function check(
  rows: readonly (readonly [string, string])[],
  resolve: (path: string, purpose: Purpose) => Resolved,
  purpose: Purpose,
): void {
  for (const [path, expected] of rows) {
    test(`${purpose} ${JSON.stringify(path.slice(0, 60))}: ${JSON.stringify(expected.slice(0, 60))}`, () =>
      assert.equal(said(resolve(path, purpose)), expected));
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
  ['\\KernelObjects\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\constructor\\X', 'STATUS_OBJECT_PATH_NOT_FOUND'],
  [`\\Sessions\\${other}\\BaseNamedObjects\\X`, 'STATUS_OBJECT_PATH_NOT_FOUND'],
  ['\\', 'STATUS_OBJECT_TYPE_MISMATCH'],
  ['\\BaseNamedObjects', 'STATUS_OBJECT_TYPE_MISMATCH'],
  ['\\BaseNamedObjects\\Global', 'STATUS_OBJECT_TYPE_MISMATCH'],
  [`\\Sessions\\${session}`, 'STATUS_OBJECT_TYPE_MISMATCH'],
  ['\\Device\\PhysicalMemory', 'STATUS_ACCESS_DENIED'],
  ['\\Device\\mem', 'STATUS_ACCESS_DENIED'],
  ['\\Device\\Harddisk0\\Partition0', 'STATUS_ACCESS_DENIED'],
];
for (const purpose of ['create', 'open'] as const) check(paths, (path, why) => resolvePath(path, why, false), purpose);

const bare: readonly string[] = ['\\X', '\\Sessions\\X', `\\Sessions\\${session}\\X`];
check(
  bare.map((path) => [path, 'STATUS_OBJECT_NAME_NOT_FOUND']),
  (path, why) => resolvePath(path, why, false),
  'open',
);
check(
  bare.map((path) => [path, 'STATUS_ACCESS_DENIED']),
  (path, why) => resolvePath(path, why, false),
  'create',
);

test('OBJ_CASE_INSENSITIVE finds directories and links in any case, and leaves the leaf to the lookup', () => {
  assert.equal(said(resolvePath('\\BASENAMEDobjects\\GLOBAL\\Mixed', 'open', true)), 'Global\\Mixed');
  assert.equal(said(resolvePath('\\device\\physicalmemory', 'open', true)), 'STATUS_ACCESS_DENIED');
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
  ['Global', 'STATUS_OBJECT_TYPE_MISMATCH'],
  ['\\X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
  ['\\BaseNamedObjects\\X', 'STATUS_OBJECT_PATH_SYNTAX_BAD'],
];
for (const purpose of ['create', 'open'] as const) check(names, (name, why) => resolveInSession(name, why, false), purpose);
