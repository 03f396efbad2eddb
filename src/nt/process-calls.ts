/**
 * The calls on processes: opening one by its number, what is known of it, its end. What is done inside
 * another process goes through its door; see door-client.ts.
 */
import type { ChildProcess } from 'node:child_process';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import {
  ACCESS_SYSTEM_SECURITY,
  MAXIMUM_ALLOWED,
  mapGeneric,
  PROCESS_ALL_ACCESS,
  PROCESS_QUERY_INFORMATION,
  PROCESS_QUERY_LIMITED_INFORMATION,
  PROCESS_TERMINATE,
} from '../security/index.js';
import { fieldsOf, type Handle, ulong } from './arguments.js';
import { OBJ_INHERIT, OBJ_KERNEL_HANDLE, OBJ_PROTECT_CLOSE } from './constants.js';
import { capture, type ObjectAttributes } from './object-attributes.js';
import { type ProcessBody, processType, type ThreadBody, threadType } from './object-types.js';
import { processOf, thisProcess } from './process-handles.js';
import { type Child, OtherProcess, STARTING_TIME, STILL_ACTIVE } from './process-object.js';
import { closeHandle } from './section-calls.js';
import { addHandle, type Mode } from './tables.js';

/** CLIENT_ID */
export interface CLIENT_ID {
  /** The number of the process. */
  readonly UniqueProcess: number;
  /** The number of its main thread, or left out. */
  readonly UniqueThread?: number | null;
}

/** What opening gives back; the handle is 0 on failure. */
export interface ProcessResult {
  readonly status: NTSTATUS;
  readonly processHandle: Handle;
}

const refuse = (status: NTSTATUS): ProcessResult => ({ status, processHandle: 0 });

/** The children that this process made and has not seen end, by number. */
const children = new Map<number, Child>();

/** The process that has a number now. */
function find(pid: number): OtherProcess | { readonly status: NTSTATUS } {
  return OtherProcess.find(pid, children.get(pid) ?? null);
}

/** The rights that an opener gets: what it asks for, once it may open the process at all. */
function grantedTo(desired: number): number | { readonly status: NTSTATUS } {
  if ((desired & ACCESS_SYSTEM_SECURITY) !== 0) return { status: Status.STATUS_PRIVILEGE_NOT_HELD };
  const mapped = mapGeneric(desired, processType.mapping);
  const granted = (mapped & MAXIMUM_ALLOWED) === 0 ? mapped & PROCESS_ALL_ACCESS : PROCESS_ALL_ACCESS;
  return granted === 0 ? { status: Status.STATUS_ACCESS_DENIED } : granted;
}

/** ZwOpenProcess and NtOpenProcess. */
export function openProcess(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes | null,
  clientId: CLIENT_ID,
): ProcessResult {
  const captured = objectAttributes === null || objectAttributes === undefined ? null : capture(objectAttributes);
  if (captured !== null && 'status' in captured) return refuse(captured.status);
  const desired = ulong(desiredAccess);
  const client = fieldsOf(clientId, 'UniqueProcess', 'UniqueThread');
  const pid = ulong(client?.UniqueProcess);
  // A name beside a number: which of them is meant nobody can say.
  const named = captured !== null && captured.given.ObjectName !== null;
  if (desired === undefined || named) return refuse(Status.STATUS_INVALID_PARAMETER);
  const thread = client?.UniqueThread;
  if (pid === undefined || pid === 0 || pid > 0x7fff_ffff || (thread && thread !== pid)) return refuse(Status.STATUS_INVALID_CID);
  const body = pid === thisProcess.pid ? thisProcess : reach(pid);
  if ('status' in body) return refuse(body.status);
  const granted = grantedTo(desired);
  if (typeof granted !== 'number') {
    body.close();
    return refuse(granted.status);
  }
  const attributes = captured?.attributes ?? 0;
  return enter(mode, body, granted, attributes);
}

/** A process that can be opened: a child of this one, or one whose door is open to us. */
function reach(pid: number): OtherProcess | { readonly status: NTSTATUS } {
  const found = find(pid);
  if ('status' in found || found.isChild) return found;
  const door = found.door();
  if (!('status' in door)) return found;
  found.close();
  return door;
}

function enter(mode: Mode, body: ProcessBody, granted: number, attributes: number): ProcessResult {
  const handle = addHandle(mode === 'kernel' && (attributes & OBJ_KERNEL_HANDLE) !== 0, {
    type: processType,
    body,
    object: `process ${body.pid}`,
    granted,
    checked: mode === 'user',
    inherit: (attributes & OBJ_INHERIT) !== 0,
    protectedFromClose: (attributes & OBJ_PROTECT_CLOSE) !== 0,
  });
  return handle === null
    ? refuse(Status.STATUS_INSUFFICIENT_RESOURCES)
    : { status: Status.STATUS_SUCCESS, processHandle: handle };
}

/** Handles on a child that was just made: on the process and its main thread. */
export function enterChild(
  process_: ChildProcess,
  pid: number,
  inherit: { readonly process: boolean; readonly thread: boolean },
): { readonly processHandle: Handle; readonly threadHandle: Handle } | { readonly status: NTSTATUS } {
  const child: Child = { process: process_, startedBy: performance.now() + STARTING_TIME, terminatedWith: null };
  children.set(pid, child);
  process_.once('exit', () => children.delete(pid));
  const body = OtherProcess.find(pid, child);
  if ('status' in body) return body;
  const { status, processHandle } = enter('user', body, PROCESS_ALL_ACCESS, inherit.process ? OBJ_INHERIT : 0);
  if (!isSuccess(status)) return { status };
  const thread: ThreadBody = { id: pid, process: body, close: () => {} };
  const threadHandle = addHandle(false, {
    type: threadType,
    body: thread,
    object: `main thread of process ${pid}`,
    granted: threadType.rights,
    checked: true,
    inherit: inherit.thread,
  });
  if (threadHandle !== null) return { processHandle, threadHandle };
  closeHandle('user', processHandle);
  return { status: Status.STATUS_INSUFFICIENT_RESOURCES };
}

/** The number of the process that a handle means, or why there is none. */
export function processIdOf(mode: Mode, value: Handle): number | { readonly status: NTSTATUS } {
  const found = processOf(mode, value, PROCESS_QUERY_LIMITED_INFORMATION);
  return 'status' in found ? found : found.pid;
}

/**
 * What the exit code of a process is: STILL_ACTIVE while it runs.
 *
 * @returns it, or STATUS_NOT_SUPPORTED where the process has ended and only its parent can know
 */
export function exitCodeOf(mode: Mode, value: Handle): number | { readonly status: NTSTATUS } {
  const found = anyProcessOf(mode, value, [PROCESS_QUERY_INFORMATION, PROCESS_QUERY_LIMITED_INFORMATION]);
  if ('status' in found) return found;
  return (found instanceof OtherProcess ? found.exitCode() : STILL_ACTIVE) ?? { status: Status.STATUS_NOT_SUPPORTED };
}

/** A process by a handle that holds one of these rights. */
function anyProcessOf(mode: Mode, value: Handle, rights: readonly number[]): ProcessBody | { readonly status: NTSTATUS } {
  for (const each of rights) {
    const found = processOf(mode, value, each);
    if (!('status' in found) || found.status !== Status.STATUS_ACCESS_DENIED) return found;
  }
  return { status: Status.STATUS_ACCESS_DENIED };
}

/** Ends a process at once; this one by leaving it. */
export function terminateProcess(mode: Mode, value: Handle, exitCode: number): NTSTATUS {
  const code = ulong(exitCode);
  if (code === undefined) return Status.STATUS_INVALID_PARAMETER;
  const found = processOf(mode, value, PROCESS_TERMINATE);
  if ('status' in found) return found.status;
  return found instanceof OtherProcess ? found.terminate(code) : process.exit(code);
}
