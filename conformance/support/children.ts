/**
 * Children that cases make with CreateProcess: they get what a child inherits.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import * as w from 'sectile/kernel32';
import * as n from 'sectile/ntdll';
import type { World } from '../script.js';
import type { Trial } from './trial.js';
import { errorNameOf } from './values.js';

/** An argument as a C program finds it again in its command line. */
const quoted = (argument: string): string => `"${argument.replace(/(\\*)"/g, '$1$1\\"').replace(/\\+$/, '$&$&')}"`;

function create(command: readonly [string, ...string[]], inheritHandles: boolean): w.ProcessInformation {
  const child = w.CreateProcess(command[0], command.map(quoted).join(' '), null, null, inheritHandles, 0, null, null, null);
  assert.ok(child !== null, `CreateProcess: ${errorNameOf(w.GetLastError())}`);
  return child;
}

/** Starts a command of the world's, until the case ends. */
export function startProcess(t: Trial, command: readonly [string, ...string[]], inheritHandles = false): w.ProcessInformation {
  const child = create(command, inheritHandles);
  t.keep(child.hProcess);
  t.keep(child.hThread);
  t.after(() => child.process.kill('SIGKILL'));
  return child;
}

/** Waits for its end and returns its exit code. */
export async function endOf({ process }: w.ProcessInformation): Promise<number | null> {
  if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
  return process.exitCode;
}

/** A child that ends with 0 if this address belongs to a view that holds 42, else with 1. */
export function looksAt(_world: World, _parent: unknown, address: string): void {
  const region = w.VirtualQuery(BigInt(address));
  process.exit(region?.State === n.MEM_COMMIT && region.Type === n.MEM_MAPPED ? 0 : 1);
}

/** An application that maps a view and makes a child: whether the child has the view. */
export async function parentOfChild(world: World, _parent: unknown, inheritDisposition: number): Promise<boolean> {
  const { sectionHandle } = n.NtCreateSection(n.SECTION_ALL_ACCESS, null, 4096, n.PAGE_READWRITE, n.SEC_COMMIT, null);
  const self = n.NtCurrentProcess();
  const { baseAddress, view } = n.NtMapViewOfSection(
    sectionHandle,
    self,
    null,
    0,
    0,
    null,
    0,
    inheritDisposition,
    0,
    n.PAGE_READWRITE,
  );
  assert.ok(view !== null && baseAddress !== null);
  view.bytes[0] = 42;
  return (await endOf(create(world.command(import.meta.url, 'looksAt', String(baseAddress)), true))) === 0;
}
