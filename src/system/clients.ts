/**
 * A connection as the system process knows it, and what it may do and use up there.
 */
import { SectionError } from '../base/error.js';
import { roundUp } from '../memory/pagefile.js';
import type { ObjectName } from '../namespace/name.js';
import { type Descriptor, os } from '../os/index.js';
import { type Token, tokenHolds, WellKnownSid } from '../security/index.js';
import type { DeviceClients } from './device-requests.js';
import type { DriverHost } from './driver-host.js';
import type { SystemLimits } from './limits.js';
import type { Holder, KernelObject, ObjectDirectory } from './objects.js';
import type { HandleReply, Operation, Replies, RequestOf, SystemStatus } from './protocol.js';

/** What a handle of a client is on. */
export interface ClientHandle {
  readonly object: KernelObject;
  readonly granted: number;
}

/** One connection. */
export interface Client extends Holder {
  readonly id: number;
  readonly uid: number;
  readonly token: Token;
  readonly handles: Map<number, ClientHandle>;
  nextHandle: number;
  greeted: boolean;
  gone: boolean;
  malformed: number;
}

export interface SystemContext {
  readonly directory: ObjectDirectory;
  readonly limits: SystemLimits;
  readonly drivers: DriverHost;
  readonly devices: DeviceClients;
  status(): SystemStatus;
  /** Stops the system process once the answer is out. */
  stop(): void;
  /** Throws once the system process is about to stop. */
  requireRunning(operation: string): void;
}

export interface Answer {
  readonly value: unknown;
  readonly descriptors?: readonly Descriptor[];
}

export type Handler<O extends Operation> = (
  context: SystemContext,
  client: Client,
  request: RequestOf<O>,
  descriptors: readonly Descriptor[],
) => Answer | Promise<Answer>;

export function answer<O extends Operation>(value: Replies[O], descriptors: readonly Descriptor[] = []): Answer {
  return { value, descriptors };
}

/* -------------------------------------------------------------------------------- handles ---- */

/** Handle values go up in fours and start again after the last: one that was closed is not soon used again. */
const LAST_HANDLE = 0x7fff_fffc;

function freeHandle(client: Client): number {
  let handle = client.nextHandle;
  while (client.handles.has(handle)) handle = handle === LAST_HANDLE ? 4 : handle + 4;
  client.nextHandle = handle === LAST_HANDLE ? 4 : handle + 4;
  return handle;
}

/** Enters a handle for a client, and answers with a descriptor that can do what was granted. */
export function give(client: Client, object: KernelObject, granted: number, created: boolean): Answer {
  const handle = freeHandle(client);
  client.handles.set(handle, { object, granted });
  object.retain(client, granted);
  const writable = object.writes(granted, created);
  const { size, pageProtection, attributes, soleWriter } = object.facts;
  const reply: HandleReply = {
    handle,
    kind: object.kind,
    identity: object.identity,
    leaf: object.name.leaf,
    created,
    granted,
    size,
    pageSize: object.memory.pageSize,
    backing: object.memory.backing === 'file' ? 'file' : 'pagefile',
    pageProtection,
    attributes,
    soleWriter,
    writable,
  };
  return { value: reply, descriptors: [object.descriptorFor(writable)] };
}

/** What a client's handle is on. */
export function held(client: Client, operation: string, handle: number): ClientHandle {
  const entry = client.handles.get(handle);
  if (entry !== undefined) return entry;
  throw new SectionError('ERR_SECTION_CLOSED', {
    operation,
    object: `handle ${handle}`,
    rule: 'this client has no such handle',
  });
}

/** Refuses what a handle has no right to. The client's own word for its rights counts for nothing. */
export function requireRights(operation: string, { object, granted }: ClientHandle, rights: number): void {
  if ((granted & rights) === rights) return;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${object.name.full}"`,
    rule: `the handle has access 0x${granted.toString(16)}, and 0x${rights.toString(16)} is needed`,
    wayOut: 'Open it again, with that access',
  });
}

/* --------------------------------------------------------------------------------- checks ---- */

export function isAdministrator(client: Client): boolean {
  return tokenHolds(client.token, WellKnownSid.administrators);
}

export function requireAdministrator(client: Client, operation: string): void {
  if (isAdministrator(client)) return;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    rule: 'only root and the user who runs the system process may do that',
  });
}

function limit(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_LIMIT', {
    operation,
    rule,
    wayOut: 'Close what is not needed, or have the system process started with a higher limit',
  });
}

export function requireRoom(context: SystemContext, client: Client): void {
  context.requireRunning('open a handle');
  const { handlesPerClient } = context.limits;
  if (client.handles.size < handlesPerClient) return;
  throw limit('open a handle', `this client has ${handlesPerClient} handles open, and may have no more`);
}

/** Whether a client's user may have another object, of so many bytes. All kinds count alike. */
export function requireAccount(context: SystemContext, client: Client, operation: string, name: ObjectName, bytes: number): void {
  const { bytesPerUser, objectsPerUser, objectsOfUsers } = context.limits;
  const account = context.directory.accountOf(client.uid);
  const size = roundUp(bytes, os.pageSize);
  if (account.bytes + size > bytesPerUser && size > 0) {
    const left = Math.max(0, bytesPerUser - account.bytes);
    throw limit(operation, `"${name.full}" needs ${size} bytes, and of its user's ${bytesPerUser} only ${left} are left`);
  }
  // Root must be able to work on a machine that somebody floods.
  if (client.uid === 0) return;
  if (account.objects >= objectsPerUser) throw limit(operation, `this user's ${objectsPerUser} objects exist already`);
  if (context.directory.objectsOfUsers >= objectsOfUsers) {
    throw limit(operation, `all users' ${objectsOfUsers} objects exist already`);
  }
}
