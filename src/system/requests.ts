/**
 * What the system process does for each request of a client. Each handler checks, acts and answers;
 * none trusts a field further than the protocol's tables have checked it.
 */
import { SectionError } from '../base/error.js';
import { MemoryObject, roundUp } from '../memory/memory-object.js';
import type { SectionFacts } from '../memory/section-handle.js';
import { memoryLabel, parseName, type SectionName } from '../namespace/name.js';
import { type Descriptor, os } from '../os/index.js';
import { defaultDescriptor, formatSddl, type Token, tokenHolds, WellKnownSid } from '../security/index.js';
import type { DriverHost } from './driver-host.js';
import type { SystemLimits } from './limits.js';
import { creatorAccess } from './lookup.js';
import { descriptorFrom, type Holder, type ObjectDirectory, SectionObject } from './objects.js';
import type { ObjectListing, Operation, Replies, RequestOf, SectionReply, SystemStatus } from './protocol.js';

/** One connection. */
export interface Client extends Holder {
  readonly id: number;
  readonly uid: number;
  readonly token: Token;
  readonly handles: Map<number, { readonly object: SectionObject; readonly granted: number }>;
  nextHandle: number;
  greeted: boolean;
  gone: boolean;
  malformed: number;
}

export interface SystemContext {
  readonly directory: ObjectDirectory;
  readonly limits: SystemLimits;
  readonly drivers: DriverHost;
  status(): SystemStatus;
  /** Stops the system process once the answer is out. */
  stop(): void;
  audit(line: string): void;
  /** Throws once the system process is about to stop. */
  requireRunning(operation: string): void;
}

export interface Answer {
  readonly value: unknown;
  readonly descriptors?: readonly Descriptor[];
}

type Handler<O extends Operation> = (
  context: SystemContext,
  client: Client,
  request: RequestOf<O>,
  descriptors: readonly Descriptor[],
) => Answer | Promise<Answer>;

function answer<O extends Operation>(value: Replies[O], descriptors: readonly Descriptor[] = []): Answer {
  return { value, descriptors };
}

export const handlers: { readonly [O in Operation]: Handler<O> } = {
  hello: (context, client) => {
    client.greeted = true;
    return answer<'hello'>(context.status());
  },
  'section.create': createSection,
  'section.open': (context, client, { name, desired }) => {
    requireRoom(context, client);
    const parsed = globalName('open a section', name);
    const { object, granted } = context.directory.open('open a section', parsed, { token: client.token, desired });
    return give(client, object, granted, false);
  },
  'handle.close': (context, client, { handle }) => {
    const entry = client.handles.get(handle);
    if (entry === undefined) {
      throw new SectionError('ERR_SECTION_CLOSED', {
        operation: 'close a handle',
        object: `handle ${handle}`,
        rule: 'this client has no such handle',
      });
    }
    client.handles.delete(handle);
    context.directory.release(entry.object, client);
    return answer<'handle.close'>({});
  },
  'system.status': (context) => answer<'system.status'>(context.status()),
  'system.stop': (context, client) => {
    requireAdministrator(context, client, 'stop the system process');
    context.stop();
    return answer<'system.stop'>({});
  },
  'object.list': (context, client) =>
    answer<'object.list'>({ objects: context.directory.list().map((each) => listing(each, isAdministrator(client))) }),
  'driver.load': async (context, client, { file, parameters }) => {
    requireAdministrator(context, client, 'load a driver');
    context.requireRunning('load a driver');
    return answer<'driver.load'>(await context.drivers.load(file, parameters));
  },
  'driver.unload': async (context, client, { name }) => {
    requireAdministrator(context, client, 'unload a driver');
    await context.drivers.unload(name);
    return answer<'driver.unload'>({});
  },
  'driver.list': (context) => answer<'driver.list'>({ drivers: context.drivers.list() }),
};

/* ------------------------------------------------------------------------------- sections ---- */

async function createSection(
  context: SystemContext,
  client: Client,
  request: RequestOf<'section.create'>,
  descriptors: readonly Descriptor[],
): Promise<Answer> {
  const operation = 'create a section';
  if (request.name === null) {
    throw new SectionError('ERR_SECTION_PROTOCOL', { operation, rule: 'a section without a name needs no system process' });
  }
  const name = globalName(operation, request.name);
  requireRoom(context, client);
  const existing = existingFor(context, client, operation, name, request);
  if (existing !== null) return existing;

  const descriptor = descriptorFrom(operation, request.security, client.token, defaultDescriptor(client.token));
  requireAccount(context, client, operation, name, request);
  const { memory, reader } = request.fileBacked
    ? memoryOfFile(operation, name, request, descriptors)
    : { memory: await newMemory(operation, name, request), reader: undefined };

  // While the memory was committed, the client may have gone, or another may have taken the name.
  let object: SectionObject | null = null;
  try {
    if (client.gone) throw new SectionError('ERR_SECTION_CLOSED', { operation, rule: 'the client has gone' });
    const winner = existingFor(context, client, operation, name, request);
    if (winner !== null) return winner;
    requireAccount(context, client, operation, name, request);
    const { pageProtection, attributes, soleWriter } = request;
    const facts: SectionFacts = { size: memory.size, pageProtection, attributes, soleWriter, security: formatSddl(descriptor) };
    object = new SectionObject(name, memory, facts, descriptor, client.uid, reader);
    context.directory.add(object);
    return give(client, object, creatorAccess(request.desired), true);
  } finally {
    if (object === null) {
      memory.close();
      if (reader !== undefined) os.descriptorClose(reader);
    }
  }
}

/** The answer when the name is taken; null when it is free. */
function existingFor(
  context: SystemContext,
  client: Client,
  operation: string,
  name: SectionName,
  request: RequestOf<'section.create'>,
): Answer | null {
  if (context.directory.find(name) === undefined) return null;
  if (!request.openExisting) {
    throw new SectionError('ERR_SECTION_EXISTS', { operation, object: `"${name.full}"`, rule: 'a section of that name exists' });
  }
  const { object, granted } = context.directory.open(operation, name, { token: client.token, desired: request.desired });
  return give(client, object, granted, false);
}

function newMemory(operation: string, name: SectionName, request: RequestOf<'section.create'>): Promise<MemoryObject> {
  const { size, reserve, largePages, soleWriter } = request;
  // A sole writer seals the memory itself, after its one mapping.
  return MemoryObject.createPagefileAsync(operation, `"${name.full}"`, {
    label: memoryLabel(name.full),
    size,
    reserve,
    largePages,
    leaveSealable: soleWriter,
  });
}

const REGULAR = 0o100000;
const FILE_TYPE = 0o170000;

/** A client's file: one descriptor that reads, and one that writes where the section does. */
function memoryOfFile(
  operation: string,
  name: SectionName,
  request: RequestOf<'section.create'>,
  [reader, writer]: readonly Descriptor[],
): { memory: MemoryObject; reader: Descriptor } {
  const refuse = (rule: string): never => {
    throw new SectionError('ERR_SECTION_FILE', { operation, object: `"${name.full}"`, rule });
  };
  if (reader === undefined) return refuse('no descriptor of its file came with the request');
  const stat = os.descriptorStat(reader);
  if ((stat.mode & FILE_TYPE) !== REGULAR || stat.writable || !stat.readable)
    return refuse('the first descriptor must be a regular file, opened for reading');
  if (request.size > stat.size) return refuse(`its size ${request.size} is beyond the file's ${stat.size} bytes`);
  if (writer !== undefined) {
    const other = os.descriptorStat(writer);
    if (other.device !== stat.device || other.inode !== stat.inode || !other.writable || !other.readable) {
      return refuse('the second descriptor must be the same file, opened for reading and writing');
    }
  }
  // The message's descriptors are closed when it is answered: keep duplicates.
  const kept = os.descriptorFromNumber(os.descriptorNumber(reader));
  const memory = MemoryObject.adopt(os.descriptorFromNumber(os.descriptorNumber(writer ?? reader)), {
    backing: 'file',
    size: request.size,
    writable: writer !== undefined,
  });
  return { memory, reader: kept };
}

/** Handle values go up in fours and start again after the last: one that was closed is not soon used again. */
const LAST_HANDLE = 0x7fff_fffc;

function freeHandle(client: Client): number {
  let handle = client.nextHandle;
  while (client.handles.has(handle)) handle = handle === LAST_HANDLE ? 4 : handle + 4;
  client.nextHandle = handle === LAST_HANDLE ? 4 : handle + 4;
  return handle;
}

function give(client: Client, object: SectionObject, granted: number, created: boolean): Answer {
  const handle = freeHandle(client);
  client.handles.set(handle, { object, granted });
  object.retain(client, granted);
  const writable = object.writes(granted, created);
  const { size, pageProtection, attributes, soleWriter, security } = object.facts;
  const reply: SectionReply = {
    handle,
    created,
    granted,
    size,
    pageSize: object.memory.pageSize,
    backing: object.memory.backing === 'file' ? 'file' : 'pagefile',
    pageProtection,
    attributes,
    soleWriter,
    security,
    writable,
  };
  return { value: reply, descriptors: [object.descriptorFor(writable)] };
}

/* --------------------------------------------------------------------------------- checks ---- */

function globalName(operation: string, leaf: string): SectionName {
  return parseName(operation, `Global\\${leaf}`);
}

function limit(context: SystemContext, client: Client, operation: string, rule: string): SectionError {
  context.audit(`limit for ${client.token.describe()}, process ${client.pid}: ${rule}`);
  return new SectionError('ERR_SECTION_LIMIT', {
    operation,
    rule,
    wayOut: 'Close what is not needed, or have the system process started with a higher limit',
  });
}

function requireRoom(context: SystemContext, client: Client): void {
  context.requireRunning('open a handle');
  const { handlesPerClient } = context.limits;
  if (client.handles.size < handlesPerClient) return;
  throw limit(context, client, 'open a handle', `this client has ${handlesPerClient} handles open, and may have no more`);
}

function requireAccount(
  context: SystemContext,
  client: Client,
  operation: string,
  name: SectionName,
  request: RequestOf<'section.create'>,
): void {
  const { bytesPerUser, objectsPerUser, objectsOfUsers } = context.limits;
  const { bytes, objects } = context.directory.accountOf(client.uid);
  const size = request.fileBacked ? 0 : roundUp(request.size, os.pageSize);
  if (bytes + size > bytesPerUser && size > 0) {
    const left = Math.max(0, bytesPerUser - bytes);
    throw limit(
      context,
      client,
      operation,
      `"${name.full}" needs ${size} bytes, and of its user's ${bytesPerUser} only ${left} are left`,
    );
  }
  // Root must be able to work on a machine that somebody floods.
  if (client.uid === 0) return;
  if (objects >= objectsPerUser) throw limit(context, client, operation, `this user's ${objectsPerUser} sections exist already`);
  if (context.directory.objectsOfUsers >= objectsOfUsers) {
    throw limit(context, client, operation, `all users' ${objectsOfUsers} sections exist already`);
  }
}

function isAdministrator(client: Client): boolean {
  return tokenHolds(client.token, WellKnownSid.administrators);
}

function requireAdministrator(context: SystemContext, client: Client, operation: string): void {
  if (isAdministrator(client)) return;
  context.audit(`refused ${client.token.describe()}, process ${client.pid}: ${operation}`);
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    rule: 'only root and the user who runs the system process may do that',
  });
}

function listing(object: SectionObject, withHolders: boolean): ObjectListing {
  const { device, inode, allocated } = os.descriptorStat(object.memory.descriptor);
  const { size, pageProtection, attributes, soleWriter, security } = object.facts;
  return {
    name: object.name.full,
    size,
    backing: object.memory.backing === 'file' ? 'file' : 'pagefile',
    pageProtection,
    attributes,
    soleWriter,
    security,
    resident: allocated,
    device: String(device),
    inode: String(inode),
    holders: withHolders
      ? [...object.holders].map(([holder, { handles, granted }]) => ({
          pid: holder.pid,
          kernel: holder.kernel,
          handles,
          granted,
        }))
      : [],
  };
}
