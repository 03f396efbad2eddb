/**
 * Plays of our own vectors on children and killed processes, and on exclusive objects.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { Parent, Peer, World } from '../script.js';
import { endOf, startProcess } from '../support/children.js';
import { READ_WRITE, SHARE_ALL } from '../support/files.js';
import { attributes, kinds, sessionDirectory } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { errorNameOf, numberOf } from '../support/values.js';

const { Section } = kinds;
const self = n.NtCurrentProcess();

function nameIn(t: Trial): string {
  const { directory } = t.inputs;
  return `${directory === 'the session’s' ? sessionDirectory : String(directory)}\\${t.name()}`;
}

/** A view of all of a section, readable and writable. */
function viewOf(section: number, inherit: number = n.ViewUnmap): n.View {
  const { view } = n.NtMapViewOfSection(section, self, null, 0, 0, null, 0, inherit, 0, n.PAGE_READWRITE);
  assert.ok(view !== null);
  return view;
}

/* ------------------------------------------------------------------------------ children ---- */

/** A child: 0 if its parent's view is there, holds 42 and takes a 43. */
export function hasView(_world: World, _parent: unknown, address: string): void {
  const region = w.VirtualQuery(BigInt(address));
  if (region?.State !== n.MEM_COMMIT || region.Type !== n.MEM_MAPPED) process.exit(1);
  const view = w.ViewOfAddress(BigInt(address));
  if (view?.bytes[0] !== 42) process.exit(2);
  view.bytes[0] = 43;
  process.exit(0);
}

async function childOfView(t: Trial): Promise<void> {
  const { status, sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  t.keep(sectionHandle);
  const view = viewOf(sectionHandle, numberOf(t.inputs.inheritDisposition));
  t.after(() => view.closed || n.NtUnmapViewOfSection(self, view.address));
  view.bytes[0] = 42;
  const command = t.world.command(import.meta.url, 'hasView', String(view.address));
  const code = await endOf(startProcess(t, command, t.inputs.inheritHandles === true));
  t.equal('childHasView', code !== 1);
  if ('childSeesWrites' in t.case.expect) t.equal('childSeesWrites', code === 0 && view.bytes[0] === 43);
}

/** A child: 0 if the handle is one on a section of 4096 bytes. */
export function hasHandle(_world: World, _parent: unknown, handle: number): void {
  process.exit(n.NtQuerySection(handle, n.SectionBasicInformation).sectionInformation?.MaximumSize === 4096 ? 0 : 1);
}

async function childOfHandle(t: Trial): Promise<void> {
  const { status, sectionHandle } = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    attributes(null, numberOf(t.inputs.attributes)),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  t.is(status, 'STATUS_SUCCESS', 'create the section');
  t.keep(sectionHandle);
  const command = t.world.command(import.meta.url, 'hasHandle', sectionHandle);
  t.equal('childHasHandle', (await endOf(startProcess(t, command, t.inputs.inheritHandles === true))) === 0);
}

/* ---------------------------------------------------------------------- killed processes ---- */

/** Another process: makes the section, writes 42, and holds it until it is killed. */
export async function holds(_world: World, parent: Parent, name: string): Promise<void> {
  const { status, sectionHandle } = n.NtCreateSection(
    n.SECTION_ALL_ACCESS,
    attributes(name),
    4096,
    n.PAGE_READWRITE,
    n.SEC_COMMIT,
    null,
  );
  assert.equal(status, n.STATUS_SUCCESS);
  viewOf(sectionHandle).bytes[0] = 42;
  parent.tell('ready');
  await parent.told();
}

async function started(t: Trial, name: string, ...args: readonly unknown[]): Promise<Peer> {
  const peer = t.world.child(import.meta.url, name, { args });
  assert.equal(await peer.told(), 'ready');
  return peer;
}

function firstByte(t: Trial, section: number): number {
  const view = viewOf(section);
  const [byte] = view.bytes;
  n.NtUnmapViewOfSection(self, view.address);
  t.keep(section);
  return Number(byte);
}

async function killed(t: Trial): Promise<void> {
  const name = nameIn(t);
  const holder = await started(t, 'holds', name);
  const mine = Section.open(attributes(name));
  t.is(mine.status, t.expect.openBefore, 'open it before');
  if (t.case.call.includes('of two')) t.keep(mine.handle);
  else assert.equal(n.NtClose(mine.handle), n.STATUS_SUCCESS);
  await holder.kill('SIGKILL');
  const again = Section.open(attributes(name));
  t.is(again.status, t.expect.openAfter, 'open it after');
  if (!('createAfter' in t.case.expect)) {
    t.equal('firstByteAfter', firstByte(t, again.handle));
    return;
  }
  const fresh = Section.create(attributes(name));
  t.is(fresh.status, t.expect.createAfter, 'create it after');
  t.equal('firstByteAfter', firstByte(t, fresh.handle));
}

/** Another process: opens the file as it is told, and holds on until it is killed. */
export async function holdsFile(_world: World, parent: Parent, path: string, share: number, what: string): Promise<void> {
  const file = w.CreateFile(path, READ_WRITE, share, null, w.OPEN_EXISTING, 0);
  assert.notEqual(file, w.INVALID_HANDLE_VALUE, errorNameOf(w.GetLastError()));
  if (what === 'section') assert.notEqual(w.CreateFileMapping(file, null, w.PAGE_READWRITE, 0, 0, null), 0);
  if (what === 'lock') assert.ok(w.LockFile(file, 0, 0, 100, 0));
  parent.tell('ready');
  await parent.told();
}

/** Tries what the row is about; the error, or ERROR_SUCCESS. */
function tryFile(t: Trial, path: string, what: string): string {
  const file = w.CreateFile(path, READ_WRITE, SHARE_ALL, null, w.OPEN_EXISTING, 0);
  t.keep(file);
  if (file === w.INVALID_HANDLE_VALUE) return errorNameOf(w.GetLastError());
  const went =
    what === 'open' ||
    (what === 'section' && w.SetFilePointerEx(file, 1, w.FILE_BEGIN) === 1 && w.SetEndOfFile(file)) ||
    (what === 'lock' && w.LockFile(file, 0, 0, 100, 0));
  const error = went ? 'ERROR_SUCCESS' : errorNameOf(w.GetLastError());
  w.CloseHandle(file);
  return error;
}

async function killedWithFile(t: Trial): Promise<void> {
  const what = t.case.call.includes('section') ? 'section' : t.case.call.includes('locked') ? 'lock' : 'open';
  const path = t.file(4096);
  const holder = await started(t, 'holdsFile', path, Number(t.inputs.share ?? SHARE_ALL), what);
  t.equal('errorBefore', tryFile(t, path, what));
  await holder.kill('SIGKILL');
  t.equal('errorAfter', tryFile(t, path, what));
}

/* ----------------------------------------------------------------------------- exclusive ---- */

function exclusive(t: Trial): void {
  const name = nameIn(t);
  const { status, handle } = Section.create(attributes(name, numberOf(t.inputs.attributes)));
  t.keep(handle);
  t.status(status);
  const again = String(t.inputs.again);
  if (again.endsWith('after the close')) assert.equal(n.NtClose(handle), n.STATUS_SUCCESS);
  const second = again.startsWith('NtOpenSection')
    ? Section.open(attributes(name))
    : Section.create(attributes(name, n.OBJ_OPENIF));
  t.keep(second.handle);
  t.is(second.status, t.expect.againStatus, again);
}

export const scripts = family({
  'sectile-lifetime-001..002, sectile-lifetime-019': childOfView,
  'sectile-lifetime-003..005': childOfHandle,
  'sectile-lifetime-006..009': killed,
  'sectile-lifetime-010..012': killedWithFile,
  'sectile-lifetime-013..018': exclusive,
});
