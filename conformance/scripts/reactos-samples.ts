/**
 * Plays of reactos-samples: a reserved mapping, one that a child inherits, one that two processes open by name.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import type { Parent, World } from '../script.js';
import { endOf, startProcess } from '../support/children.js';
import { family, type Trial } from '../support/trial.js';
import { constant, errorNameOf, numberOf } from '../support/values.js';
import { viewOf } from '../support/win32.js';

const VALUE = 0x12345678;

function reserved(t: Trial, inheritable: boolean): number {
  const { inputs } = t;
  const section = w.CreateFileMapping(
    constant(String(inputs.hFile ?? 'INVALID_HANDLE_VALUE')),
    null,
    numberOf(inputs.protect ?? 'PAGE_READWRITE|SEC_RESERVE'),
    0,
    Number(inputs.size ?? 4096),
    null,
  );
  assert.notEqual(section, 0, errorNameOf(w.GetLastError()));
  t.keep(section);
  if (inheritable) assert.ok(w.SetHandleInformation(section, w.HANDLE_FLAG_INHERIT, w.HANDLE_FLAG_INHERIT));
  return section;
}

function commitAndWrite(t: Trial): void {
  const view = viewOf(t, reserved(t, true), w.FILE_MAP_WRITE);
  t.win32(w.VirtualAlloc(view.address, 0x1000, w.MEM_COMMIT, w.PAGE_READWRITE) !== null);
  const words = view.as(Uint32Array);
  words[0] = VALUE;
  assert.equal(words[0], Number(t.expect.writeReadBack));
}

/** The child: uses the handle under its parent's value. */
export function inheritor(_world: World, _parent: unknown, section: number): number {
  const view = w.MapViewOfFile(section, w.FILE_MAP_WRITE, 0, 0, 0x1000);
  assert.ok(view !== null, errorNameOf(w.GetLastError()));
  assert.notEqual(w.VirtualAlloc(view.address, 0x1000, w.MEM_COMMIT, w.PAGE_READWRITE), null);
  const words = view.as(Uint32Array);
  const found = words[0];
  words[0] = found === VALUE ? 1 : 2;
  return words[0];
}

async function inherited(t: Trial): Promise<void> {
  const section = reserved(t, true);
  const view = viewOf(t, section, w.FILE_MAP_WRITE);
  assert.notEqual(w.VirtualAlloc(view.address, 0x1000, w.MEM_COMMIT, w.PAGE_READWRITE), null);
  view.as(Uint32Array)[0] = VALUE;
  const child = startProcess(t, t.world.command(import.meta.url, 'inheritor', section), true);
  const code = await endOf(child);
  t.win32(code === 0 && view.as(Uint32Array)[0] === 1, `the child ended with ${code}`);
}

/** The client of the sample: opens by name and reads what the server wrote. */
export function client(
  _world: World,
  _parent: Parent,
  name: string,
  access: number,
  all: number,
): { ok: boolean; text: string; error: number } {
  const section = w.OpenFileMapping(access, false, name);
  const view = w.MapViewOfFile(section, all, 0, 0, 8192);
  return {
    ok: view !== null,
    text: view === null ? '' : String.fromCharCode(...view.bytes.subarray(0, 5)),
    error: w.GetLastError(),
  };
}

async function byName(t: Trial): Promise<void> {
  const size = Number(/ (\d+), L"/.exec(String(t.inputs.server))?.[1]);
  const name = t.name();
  const section = t.keep(w.CreateFileMapping(w.INVALID_HANDLE_VALUE, null, w.PAGE_READWRITE, 0, size, name));
  viewOf(t, section, w.FILE_MAP_WRITE).bytes.set([...'hello'].map((letter) => letter.charCodeAt(0)));
  const [, opened, mapped] = /OpenFileMappingW\((\w+),.*MapViewOfFile\((\w+),/.exec(t.case.call) ?? assert.fail();
  const args = [name, numberOf(opened), numberOf(mapped)];
  const { ok, text, error } = (await t.world.child(import.meta.url, 'client', { args }).result) as ReturnType<typeof client>;
  w.SetLastError(error);
  t.win32(ok);
  t.equal('clientSeesServerString', text === 'hello');
}

export const scripts = family({ 'ros-sample-001': commitAndWrite, 'ros-sample-002': inherited, 'ros-sample-003': byName });
