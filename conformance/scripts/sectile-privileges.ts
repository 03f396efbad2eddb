/**
 * Plays of our own vectors on privileges and on names in every namespace.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { World } from '../script.js';
import { attributes, type Kind, kinds, sessionDirectory } from '../support/kinds.js';
import { family, type Trial } from '../support/trial.js';
import { asAnotherUser } from '../support/users.js';
import { numberOf } from '../support/values.js';
import { mapping } from '../support/win32.js';

const OPEN_TO_ALL = 'D:(A;;GA;;;WD)';
const READ_WRITE = (n.GENERIC_READ | n.GENERIC_WRITE) >>> 0;

interface Attempt {
  readonly status: number;
  readonly handle: number;
}

function kindOf(type: unknown): Kind {
  return kinds[type as keyof typeof kinds] ?? assert.fail(`nobody here knows the kind ${String(type)}`);
}

function pathOf(directory: unknown, name: string): string | null {
  if (directory === null) return null;
  return `${directory === 'the session’s' ? sessionDirectory : String(directory)}\\${name}`;
}

/** Does what a row says, as whoever runs it. */
export function attempt(_world: World, _parent: unknown, call: string, inputs: Trial['inputs'], name: string): Attempt {
  const path = pathOf(inputs.directory, name);
  const oa = path === null ? null : attributes(path, inputs.attributes === undefined ? 0 : numberOf(inputs.attributes));
  if (inputs.allocationAttributes !== undefined) {
    const sec = numberOf(inputs.allocationAttributes);
    const { status, sectionHandle } = n.NtCreateSection(READ_WRITE, oa, Number(inputs.size), n.PAGE_READWRITE, sec, null);
    return { status, handle: sectionHandle };
  }
  const kind = kindOf(inputs.type);
  return call.startsWith('NtOpen') ? kind.open(oa as n.ObjectAttributes, READ_WRITE) : kind.create(oa, READ_WRITE);
}

async function privilege(t: Trial): Promise<void> {
  const { inputs } = t;
  const name = (inputs.name as string | undefined) ?? t.name();
  if (inputs.exists === true) {
    const existing = kindOf(inputs.type).create(attributes(pathOf(inputs.directory, name), 0, null, OPEN_TO_ALL));
    t.is(existing.status, 'STATUS_SUCCESS', 'create what is to exist');
    t.keep(existing.handle);
  }
  if (inputs.user === 'root') {
    asRoot(t, name);
    return;
  }
  const args = [t.case.call, inputs, name];
  const where = inputs.directory === 'the session’s' ? 'alone' : 'beside the system';
  const { status, handle } = (await asAnotherUser(t, import.meta.url, 'attempt', args, where)) as Attempt;
  t.status(status);
  if ('handle' in t.case.expect) t.words('handle', { 'user handle': () => assert.ok(handle > 0) });
}

function asRoot(t: Trial, name: string): void {
  const { inputs } = t;
  const { status, handle } = attempt(t.world, null, t.case.call, inputs, name);
  t.status(status);
  if (!('existsAfterLastHandle' in t.case.expect)) {
    t.keep(handle);
    return;
  }
  const kind = kindOf(inputs.type);
  const oa = attributes(pathOf(inputs.directory, name));
  assert.equal(n.NtClose(handle), n.STATUS_SUCCESS);
  const again = kind.open(oa, n.DELETE);
  t.equal('existsAfterLastHandle', n.NT_SUCCESS(again.status));
  t.is(n.NtMakeTemporaryObject(again.handle), 'STATUS_SUCCESS', 'NtMakeTemporaryObject');
  assert.equal(n.NtClose(again.handle), n.STATUS_SUCCESS);
  const gone = kind.open(oa, n.DELETE);
  t.keep(gone.handle);
  t.equal('existsAfterTemporary', n.NT_SUCCESS(gone.status));
}

function openByName(t: Trial): void {
  const { inputs } = t;
  const word = t.name();
  const kind = kindOf(inputs.type);
  const made = kind.create(attributes(pathOf(inputs.directory, `${word}-${String(inputs.stored)}`)));
  t.is(made.status, 'STATUS_SUCCESS', 'create');
  t.keep(made.handle);
  const asked = pathOf(inputs.askedDirectory ?? inputs.directory, `${word}-${String(inputs.asked)}`);
  const { status, handle } = kind.open(attributes(asked, numberOf(inputs.attributes)));
  t.keep(handle);
  t.status(status, `open ${asked}`);
}

/** `Global\Frames` with the run's word before the name. */
function ownName(text: string, word: string): string {
  const at = text.lastIndexOf('\\') + 1;
  return `${text.slice(0, at)}${word}-${text.slice(at)}`;
}

function openMapping(t: Trial): void {
  const { inputs } = t;
  const word = t.name();
  mapping(t, 4096, { name: ownName(`${String(inputs.directory)}\\${String(inputs.stored)}`, word) });
  t.win32(t.keep(w.OpenFileMapping(w.FILE_MAP_READ, false, ownName(String(inputs.asked), word))) !== 0);
}

export const scripts = family({
  'sectile-privileges-001..014': privilege,
  'sectile-case-001..042': openByName,
  'sectile-case-043..049': openMapping,
});
