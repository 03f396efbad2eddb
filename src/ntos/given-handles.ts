/**
 * The handles that are this program's: those that the faces gave out, and those that another process put here. The
 * runtime's own handles are in the same table of the kernel, and a wrong number must not reach one of them.
 */
import { type Handle, handleValue } from '../nt/arguments.js';
import { CURRENT_PROCESS, CURRENT_THREAD } from '../nt/tables.js';
import type { NtSystem } from '../os/index.js';
import { callOf } from './handles.js';
import { forgetMeeting } from './meetings.js';
import { letGoOfSections } from './own-memory.js';

const HANDLE_FLAG_INHERIT = 1;
const STATUS_OBJECT_TYPE_MISMATCH = 0xc000_0024;
const STATUS_INVALID_HANDLE = 0xc000_0008;
/** The runtime opens what it needs before it runs a program: higher handles are not looked at. */
const HIGHEST_OF_RUNTIME = 0x800;

/** One table, whichever face was used. */
const given = new Set<Handle>();
let sectionsOfRuntime: ReadonlySet<Handle> | null = null;

function isSection(nt: NtSystem, handle: Handle): boolean {
  const status = callOf(nt, 'NtQuerySection')(handle, 0, new Uint8Array(24), 24, null);
  return status !== STATUS_OBJECT_TYPE_MISMATCH && status !== STATUS_INVALID_HANDLE;
}

function findSections(nt: NtSystem): ReadonlySet<Handle> {
  const found = new Set<Handle>();
  for (let handle = 4; handle < HIGHEST_OF_RUNTIME; handle += 4) if (isSection(nt, handle)) found.add(handle);
  return found;
}

/** Whether another process put it here: it was inherited (the runtime's handles are not inheritable), or it is a section. */
function isFromElsewhere(nt: NtSystem, handle: Handle): boolean {
  if (handle <= 0 || handle % 4 !== 0) return false;
  const flags = new Uint8Array(4);
  if (callOf(nt, 'GetHandleInformation')(handle, flags) !== 1) return false;
  return (
    ((flags[0] as number) & HANDLE_FLAG_INHERIT) !== 0 || (sectionsOfRuntime?.has(handle) === false && isSection(nt, handle))
  );
}

export class GivenHandles {
  readonly #nt: NtSystem;

  constructor(nt: NtSystem) {
    this.#nt = nt;
    sectionsOfRuntime ??= findSections(nt);
  }

  /** Enters a handle that a call gave. */
  add(handle: Handle): Handle {
    given.add(handle);
    return handle;
  }

  /** The handle to give to the system for what a program gave: its own, a pseudo handle, or 0, which no handle is. */
  usable(value: unknown): Handle {
    const handle = handleValue(value);
    return handle === CURRENT_PROCESS || handle === CURRENT_THREAD || this.has(handle) ? handle : 0;
  }

  has(handle: Handle): boolean {
    if (given.has(handle)) return true;
    if (!isFromElsewhere(this.#nt, handle)) return false;
    given.add(handle);
    return true;
  }

  /** A handle that was closed. */
  forget(handle: Handle): void {
    given.delete(handle);
    forgetMeeting(handle);
    letGoOfSections(this.#nt, given);
  }

  /** All that are known. */
  all(): readonly Handle[] {
    return [...given];
  }
}
