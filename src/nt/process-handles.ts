/**
 * Handles to processes as arguments: which process one means, and what may be done to it. The pseudo
 * handles of the calling process and thread stand for handles that hold every right.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { ProcessEnd } from '../sync/process-point.js';
import { handleValue } from './arguments.js';
import { type ProcessBody, processType, type ThreadBody, threadType } from './object-types.js';
import { CURRENT_PROCESS, CURRENT_THREAD, handleOf, type Mode, mayUse, type OpenHandle, objectOf } from './tables.js';

/** Nothing is held for the process that asks. */
export const thisProcess: ProcessBody = {
  pid: process.pid,
  isCurrent: true,
  end: new ProcessEnd(null),
  close: () => {},
};
const thisThread: ThreadBody = { id: process.pid, process: thisProcess, close: () => {} };

const always = { checked: true, inherit: false, protectedFromClose: false, forget: () => {} } as const;
const currentProcess: OpenHandle<ProcessBody> = {
  type: processType,
  body: thisProcess,
  object: 'this process',
  granted: processType.rights,
  ...always,
};
const currentThread: OpenHandle<ThreadBody> = {
  type: threadType,
  body: thisThread,
  object: 'this thread',
  granted: threadType.rights,
  ...always,
};

/** What is behind a handle, as {@link handleOf}; what a pseudo handle stands for as well. */
export function anyHandleOf(mode: Mode, value: unknown): OpenHandle | { readonly status: NTSTATUS } {
  const handle = handleValue(value);
  if (handle === CURRENT_PROCESS) return currentProcess as unknown as OpenHandle;
  if (handle === CURRENT_THREAD) return currentThread as unknown as OpenHandle;
  return handleOf(mode, value);
}

/**
 * The process that a handle means, for what needs these rights to it: PROCESS_….
 *
 * @returns it, or STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_ACCESS_DENIED
 */
export function processOf(mode: Mode, value: unknown, rights: number): ProcessBody | { readonly status: NTSTATUS } {
  if (handleValue(value) === CURRENT_PROCESS) return thisProcess;
  const found = objectOf(mode, value, processType);
  if ('status' in found) return found;
  return mayUse(mode, found, rights) ? found.body : { status: Status.STATUS_ACCESS_DENIED };
}
