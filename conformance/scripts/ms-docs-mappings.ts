/**
 * Plays of ms-docs-assertions about creating and opening file mappings, and about their rights.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import { skip, type World } from '../script.js';
import { openFile, READ_WRITE } from '../support/files.js';
import { family, type Trial } from '../support/trial.js';
import { asAnotherUser } from '../support/users.js';
import { errorNameOf, numberOf } from '../support/values.js';
import { BOTH, facts, granted, held, mapping, tryMapping, viewOf } from '../support/win32.js';

function zeroed(t: Trial): void {
  const section = tryMapping(t, Number(t.inputs.size), { protect: numberOf(t.inputs.protect) });
  t.win32(section !== 0);
  t.words('initialContents', { 'all zero': () => assert.ok(viewOf(t, section, BOTH).bytes.every((byte) => byte === 0)) });
}

function sizeOfNothing(t: Trial): void {
  t.win32(tryMapping(t, Number(t.inputs.size)) !== 0);
}

function sizeOfFile(t: Trial): void {
  const section = tryMapping(t, Number(t.inputs.size), { file: openFile(t, t.file(5000)) });
  t.win32(section !== 0);
  t.words('sectionSize', { 'current file size': () => assert.equal(facts(t, section).MaximumSize, 5000) });
}

function emptyFile(t: Trial): void {
  t.win32(tryMapping(t, Number(t.inputs.size), { file: openFile(t, t.file(0)) }) !== 0);
}

function grow(t: Trial): void {
  const path = t.file(100);
  const section = tryMapping(t, 9000, { file: openFile(t, path), protect: numberOf(t.inputs.protect) });
  t.win32(section !== 0);
  t.words('fileSizeAfter', { '= size': () => assert.equal(statSync(path).size, 9000) });
}

/** In a file system of 64 KiB: whether a mapping of a megabyte came to be, and the error. */
export function growWithoutRoom(
  _world: World,
  _parent: unknown,
  folder: string,
  protect: number,
): { readonly ok: boolean; readonly error: number } {
  const path = join(folder, 'small');
  writeFileSync(path, new Uint8Array(4096));
  const file = w.CreateFile(path, READ_WRITE, 0, null, w.OPEN_EXISTING, 0);
  assert.notEqual(file, w.INVALID_HANDLE_VALUE);
  const section = w.CreateFileMapping(file, null, protect, 0, 1 << 20, null);
  return { ok: section !== 0, error: w.GetLastError() };
}

function fullDisk(t: Trial): void {
  const folder = t.folder();
  const [file, ...args] = t.world.command(import.meta.url, 'growWithoutRoom', folder, numberOf(t.inputs.protect));
  const root = process.geteuid?.() === 0 ? [] : ['--map-root-user'];
  const script = 'mount -t tmpfs -o size=64k none "$0" || exit 99; exec "$@"';
  const made = spawnSync('unshare', [...root, '--mount', 'sh', '-c', script, folder, file, ...args], { encoding: 'utf8' });
  if (made.error !== undefined || made.status === 99 || made.stderr.startsWith('unshare:')) {
    skip('a file system that is full can be made only where this user may mount one in a namespace of its own');
  }
  assert.equal(made.status, 0, made.stderr);
  const { ok, error } = JSON.parse(made.stdout) as { ok: boolean; error: number };
  w.SetLastError(error);
  t.win32(ok);
}

function existing(t: Trial): void {
  const name = t.name();
  mapping(t, 4096, { name });
  const section = tryMapping(t, 65536, { name });
  t.win32(section !== 0);
  t.words('sectionSize', { 'size of the existing object, not S2': () => assert.equal(facts(t, section).MaximumSize, 4096) });
}

function nameOfOther(t: Trial): void {
  const others: readonly ((name: string) => number)[] = [
    (name) => w.CreateEvent(null, true, false, name),
    (name) => w.CreateSemaphore(null, 1, 1, name),
    (name) => w.CreateMutex(null, false, name),
  ];
  for (const create of others) {
    const name = t.name();
    assert.notEqual(t.keep(create(name)), 0, errorNameOf(w.GetLastError()));
    t.win32(tryMapping(t, 4096, { name }) !== 0);
  }
}

function backslash(t: Trial): void {
  for (const prefix of ['', 'Local\\', 'Global\\']) t.win32(tryMapping(t, 4096, { name: `${prefix}a\\b` }) !== 0, prefix);
}

/** As an ordinary user: creates or opens, and says how that went. */
export function useGlobal(_world: World, _parent: unknown, what: 'create' | 'open', name: string) {
  const handle =
    what === 'create'
      ? w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 4096, name)
      : w.OpenFileMapping(w.FILE_MAP_READ, false, name);
  return { ok: handle !== 0, error: w.GetLastError() };
}

async function globalName(t: Trial): Promise<void> {
  const name = `Global\\${t.name()}`;
  const what = t.case.call === 'CreateFileMapping' ? 'create' : 'open';
  if (what === 'open') mapping(t, 4096, { name, security: 'D:(A;;GA;;;WD)' });
  const { ok, error } = (await asAnotherUser(t, import.meta.url, 'useGlobal', [what, name])) as { ok: boolean; error: number };
  w.SetLastError(error);
  t.win32(ok);
}

function commitAssumed(t: Trial): void {
  const section = tryMapping(t, 4096, { protect: numberOf(String(t.inputs.protect).replace(/ \(.*\)$/, '')) });
  t.win32(section !== 0);
  t.words('attributes', { 'SEC_COMMIT assumed': () => assert.equal(facts(t, section).AllocationAttributes, n.SEC_COMMIT) });
}

/** What the rows write for protections, beside plain unions. */
const protects = new Map<unknown, number>([
  ['SEC_LARGE_PAGES without SEC_COMMIT', n.PAGE_READWRITE | n.SEC_LARGE_PAGES],
  ['SEC_LARGE_PAGES|SEC_COMMIT', n.PAGE_READWRITE | n.SEC_LARGE_PAGES | n.SEC_COMMIT],
  ['SEC_NOCACHE alone', n.PAGE_READWRITE | n.SEC_NOCACHE],
]);

function badProtect(t: Trial): void {
  const { inputs } = t;
  const protect = protects.get(inputs.protect) ?? numberOf(inputs.protect);
  const file = inputs.file === 'a file handle' ? openFile(t, t.file(2 ** 16)) : w.INVALID_HANDLE_VALUE;
  const size = inputs.size === 'not a multiple of GetLargePageMinimum' ? w.GetLargePageMinimum() + 4096 : 2 ** 21;
  t.win32(tryMapping(t, file === w.INVALID_HANDLE_VALUE ? size : 0, { protect, file }) !== 0);
}

function reserveOverFile(t: Trial): void {
  const section = tryMapping(t, 0, { protect: n.PAGE_READWRITE | numberOf(t.inputs.protect), file: openFile(t, t.file(4096)) });
  t.win32(section !== 0);
  t.words('effect', {
    'none (reported as file section)': () => {
      assert.equal(facts(t, section).AllocationAttributes, n.SEC_FILE);
      assert.equal(w.VirtualQuery(viewOf(t, section, BOTH))?.State, n.MEM_COMMIT);
    },
  });
}

function decommit(t: Trial): void {
  const view = viewOf(t, mapping(t, 65536, { protect: w.PAGE_READWRITE | w.SEC_RESERVE }), BOTH);
  assert.notEqual(w.VirtualAlloc(view.address, 4096, w.MEM_COMMIT, w.PAGE_READWRITE), null);
  t.win32(w.VirtualFree(view.address, 4096, w.MEM_DECOMMIT));
}

const fileAccess = new Map<unknown, number>([
  ['without GENERIC_READ', n.GENERIC_WRITE],
  ['GENERIC_READ only', n.GENERIC_READ],
]);

function fileWithoutAccess(t: Trial): void {
  const access = fileAccess.get(t.inputs.fileAccess) ?? assert.fail(`nobody here knows ${String(t.inputs.fileAccess)}`);
  const file = openFile(t, t.file(4096), access);
  t.win32(tryMapping(t, 0, { protect: numberOf(t.inputs.protect), file }) !== 0);
  if (t.case.note?.startsWith('tests: ') === true) assert.equal(`tests: ${errorNameOf(w.GetLastError())}`, t.case.note);
}

const inheritable = (handle: number): boolean => ((w.GetHandleInformation(handle) ?? 0) & w.HANDLE_FLAG_INHERIT) !== 0;
/** OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION */
const OWNER_AND_DACL = 0x5;

function defaultSecurity(t: Trial): void {
  const section = tryMapping(t, 4096, { security: t.inputs.securityAttributes as null, name: t.name() });
  t.win32(section !== 0);
  t.equal('inheritable', inheritable(section));
  t.words('securityDescriptor', {
    'default, from the creator token': () => {
      const { status, securityDescriptor } = n.NtQuerySecurityObject(section, OWNER_AND_DACL);
      t.is(status, 'STATUS_SUCCESS', 'NtQuerySecurityObject');
      const owner = /^O:(.*?)D:/.exec(String(securityDescriptor))?.[1];
      assert.ok(owner !== undefined && owner !== '', String(securityDescriptor));
      assert.ok(String(securityDescriptor).includes(`;;;${owner})`), `the owner ${owner} has no right in ${securityDescriptor}`);
    },
  });
}

function eitherOrder(t: Trial): void {
  const before = held();
  for (const handleFirst of [true, false]) {
    const name = t.name();
    const section = w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, 4096, name);
    const view = w.MapViewOfFile(section, BOTH, 0, 0, 0);
    assert.ok(view !== null);
    assert.ok(held() > before);
    if (handleFirst) {
      t.win32(w.CloseHandle(section));
      view.bytes[0] = 1;
      t.win32(w.UnmapViewOfFile(view));
    } else {
      t.win32(w.UnmapViewOfFile(view));
      assert.ok(w.CloseHandle(w.OpenFileMapping(w.FILE_MAP_READ, false, name)));
      t.win32(w.CloseHandle(section));
    }
    t.words('lifetime', {
      'object goes away after the last of both': () => {
        assert.equal(w.OpenFileMapping(w.FILE_MAP_READ, false, name), 0);
        assert.equal(held(), before);
      },
    });
  }
}

function coherentSections(t: Trial): void {
  const path = t.file(4096);
  const [one, other] = [1, 2].map(() => viewOf(t, mapping(t, 0, { file: openFile(t, path) }), BOTH)) as [w.View, w.View];
  one.bytes[7] = 0xaa;
  other.bytes[8] = 0xbb;
  t.equal('coherent', other.bytes[7] === 0xaa && one.bytes[8] === 0xbb);
}

function beyondSection(t: Trial): void {
  const path = t.file(4096);
  const file = openFile(t, path);
  const section = mapping(t, 0, { file });
  assert.equal(w.SetFilePointerEx(file, 65536 * 2, w.FILE_BEGIN), 65536 * 2);
  assert.ok(w.SetEndOfFile(file));
  t.words('visible', {
    'bytes beyond the section size are not reachable through views': () => {
      assert.equal(viewOf(t, section, BOTH).length, 4096);
      for (const [size, offset] of [
        [4097, 0],
        [1, 65536],
      ] as const) {
        assert.equal(w.MapViewOfFile(section, BOTH, 0, offset, size), null);
      }
    },
  });
}

function noError(t: Trial): void {
  w.SetLastError(w.ERROR_ACCESS_DENIED);
  mapping(t, 4096, { name: t.name() });
  const [expected] = [t.expect.error];
  assert.equal(errorNameOf(w.GetLastError()), expected === 'NO_ERROR' ? 'ERROR_SUCCESS' : expected);
}

function openExisting(t: Trial): void {
  const name = t.name();
  mapping(t, 4096, { name, security: 'D:(A;;GR;;;WD)' });
  t.win32(t.keep(w.OpenFileMapping(w.FILE_MAP_READ, false, name)) !== 0);
}

function openInheritable(t: Trial): void {
  const name = t.name();
  mapping(t, 4096, { name });
  t.equal('inheritable', inheritable(t.keep(w.OpenFileMapping(w.FILE_MAP_READ, t.inputs.inherit === true, name))));
  assert.equal(
    inheritable(t.keep(w.OpenFileMapping(w.FILE_MAP_READ, t.inputs.inherit !== true, name))),
    t.inputs.inherit !== true,
  );
}

function allAccess(t: Trial): void {
  t.words('includes', {
    'all section rights but FILE_MAP_EXECUTE': () => {
      assert.equal(w.FILE_MAP_ALL_ACCESS, w.SECTION_ALL_ACCESS);
      assert.equal(w.FILE_MAP_ALL_ACCESS & w.FILE_MAP_EXECUTE, 0);
      const name = t.name();
      mapping(t, 4096, { name, protect: w.PAGE_EXECUTE_READWRITE });
      const opened = t.keep(w.OpenFileMapping(w.FILE_MAP_ALL_ACCESS, false, name));
      assert.equal(granted(t, opened), w.SECTION_ALL_ACCESS);
    },
  });
}

function copyAsRead(t: Trial): void {
  const name = t.name();
  mapping(t, 4096, { name });
  const opened = w.OpenFileMapping(numberOf(t.inputs.access), false, name);
  const other = w.OpenFileMapping(numberOf(t.expect.equals), false, name);
  assert.equal(granted(t, t.keep(opened)), granted(t, t.keep(other)));
}

interface TypeInformation {
  readonly ValidAccessMask: number;
}

function validRights(t: Trial): number {
  const { status, objectInformation } = n.NtQueryObject(mapping(t, 4096), n.ObjectTypeInformation);
  t.is(status, 'STATUS_SUCCESS', 'NtQueryObject');
  return (objectInformation as unknown as TypeInformation).ValidAccessMask;
}

function synchronize(t: Trial): void {
  // The suites refute the page: the right is in the type's mask, though nothing can be waited for.
  assert.equal(t.expect.supported, false);
  assert.equal(validRights(t) & n.SYNCHRONIZE, n.SYNCHRONIZE);
}

function standardRights(t: Trial): void {
  const rights = (t.expect.rights as readonly string[]).map(numberOf);
  assert.equal(validRights(t) & 0x000f_0000, numberOf((t.expect.rights as readonly string[]).join('|')));
  const name = t.name();
  mapping(t, 4096, { name });
  for (const right of rights) assert.equal(granted(t, t.keep(w.OpenFileMapping(right, false, name))), right);
}

export const scripts = family({
  'ms-docs-001': zeroed,
  'ms-docs-002': sizeOfNothing,
  'ms-docs-003': sizeOfFile,
  'ms-docs-004': emptyFile,
  'ms-docs-005': grow,
  'ms-docs-006': fullDisk,
  'ms-docs-007': existing,
  'ms-docs-008': nameOfOther,
  'ms-docs-009': backslash,
  'ms-docs-010..011': globalName,
  'ms-docs-012': commitAssumed,
  'ms-docs-013..018': badProtect,
  'ms-docs-019': reserveOverFile,
  'ms-docs-020': decommit,
  'ms-docs-021..022': fileWithoutAccess,
  'ms-docs-023': defaultSecurity,
  'ms-docs-024': eitherOrder,
  'ms-docs-025': coherentSections,
  'ms-docs-026': beyondSection,
  'ms-docs-027': noError,
  'ms-docs-046': openExisting,
  'ms-docs-047': openInheritable,
  'ms-docs-048': allAccess,
  'ms-docs-049': copyAsRead,
  'ms-docs-051': synchronize,
  'ms-docs-052': standardRights,
});
