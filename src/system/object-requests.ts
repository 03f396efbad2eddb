/**
 * What the system process does for requests about objects: create, open, look up, and whatever a handle
 * lets its holder do. Each handler checks, acts and answers; none trusts a field further than the
 * protocol's tables have checked it.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { isSuccess } from '../base/status.js';
import { createContent, factsOfContent } from '../memory/object-content.js';
import { roundUp } from '../memory/pagefile.js';
import { memoryLabel, type ObjectName, parseName } from '../namespace/name.js';
import { exists, requireKind, requireShareable } from '../namespace/object-rules.js';
import { os } from '../os/index.js';
import {
  ACCESS_SYSTEM_SECURITY,
  accessCheck,
  changeDescriptor,
  creatorAccess,
  DELETE,
  DIRECTORY_QUERY,
  defaultDescriptor,
  formatSddl,
  fromSddl,
  holdsPrivilege,
  objectTypes,
  privilegeNotHeld,
  READ_CONTROL,
  requireOwner,
  SECTION_EXTEND_SIZE,
  type SecurityDescriptor,
  type Token,
} from '../security/index.js';
import {
  type Answer,
  answer,
  type Client,
  give,
  type Handler,
  held,
  isAdministrator,
  requireAccount,
  requireRights,
  requireRoom,
  type SystemContext,
} from './clients.js';
import { KernelObject, type ObjectParts } from './objects.js';
import type { ObjectListing, Operation, RequestOf } from './protocol.js';

type Table<O extends Operation> = { readonly [K in O]: Handler<K> };

export const objectHandlers: Table<
  | 'object.create'
  | 'object.open'
  | 'object.find'
  | 'object.entries'
  | 'object.list'
  | 'handle.close'
  | 'handle.duplicate'
  | 'handle.reopen'
  | 'handle.query'
  | 'handle.extend'
  | 'handle.security'
  | 'handle.set-security'
  | 'handle.set-permanent'
  | 'handle.pass'
  | 'handle.take'
> = {
  'object.create': (context, client, request) => {
    const operation = 'create an object';
    const name = globalName(context, operation, request);
    const content = Buffer.from(request.content, 'base64');
    return createObject(context, client, operation, name, request.kind, request, Math.max(1, content.length), () => {
      const memory = createContent(operation, `"${name.full}"`, memoryLabel(name.full), content);
      return { memory, facts: factsOfContent(memory) };
    });
  },
  'object.open': (context, client, request) => {
    const operation = 'open an object';
    requireRoom(context, client);
    const { object, granted } = context.directory.open(operation, globalName(context, operation, request), {
      ...request,
      token: client.token,
    });
    return give(client, object, granted, false);
  },
  'object.find': (context, _client, request) => {
    const operation = 'look up a name';
    return answer<'object.find'>({
      entry: context.directory.entry(operation, globalName(context, operation, request), request.caseInsensitive),
    });
  },
  'object.entries': (context, client, { directory, after }) => {
    const operation = 'list a directory';
    requireDirectoryHandle(context, client, operation, directory ?? undefined);
    const entries = context.directory.entries(operation, directory ?? undefined);
    const rest = after === null ? entries : entries.filter(({ leaf }) => leaf > after);
    const { page, more } = pageOf(rest, (each) => each);
    return answer<'object.entries'>({ entries: page, more });
  },
  'object.list': (context, client, { from }) => {
    const { page, more } = pageOf(context.directory.list().slice(from), (each) => listing(each, client));
    return answer<'object.list'>({ objects: page, more });
  },
  'handle.close': (context, client, { handle }) => {
    const { object } = held(client, 'close a handle', handle);
    client.handles.delete(handle);
    context.directory.release(object, client);
    return answer<'handle.close'>({});
  },
  'handle.duplicate': (context, client, { handle, granted }) => {
    const operation = 'duplicate a handle';
    requireRoom(context, client);
    const entry = held(client, operation, handle);
    requireRights(operation, entry, granted);
    requireShareable(operation, entry.object.name, entry.object, false);
    return give(client, entry.object, granted, false);
  },
  'handle.pass': (context, client, { handle, granted }) => {
    const operation = 'hand an object on';
    const entry = held(client, operation, handle);
    requireRights(operation, entry, granted);
    requireShareable(operation, entry.object.name, entry.object, false);
    const ticket = context.directory.tickets.pass(operation, entry.object, granted, client.pid, client.uid);
    return answer<'handle.pass'>({ ticket });
  },
  'handle.take': (context, client, { ticket }) => {
    requireRoom(context, client);
    return context.directory.tickets.take('take an object over', ticket, client.uid, ({ object, granted }) =>
      give(client, object, granted, false),
    );
  },
  'handle.reopen': (context, client, { handle, desired }) => {
    const operation = 'open an object again';
    requireRoom(context, client);
    const { object } = held(client, operation, handle);
    const granted = object.grant(operation, client.token, desired);
    requireShareable(operation, object.name, object, false);
    return give(client, object, granted, false);
  },
  'handle.query': (_context, client, { handle }) => {
    const { handles, permanent, facts } = held(client, 'query an object', handle).object;
    return answer<'handle.query'>({ handles, permanent, size: facts.size });
  },
  'handle.extend': (_context, client, { handle, size }) => {
    const operation = 'extend a section';
    const entry = held(client, operation, handle);
    requireKind(operation, entry.object.name, entry.object.kind, 'Section');
    requireRights(operation, entry, SECTION_EXTEND_SIZE);
    return answer<'handle.extend'>({ size: entry.object.extend(size) });
  },
  'handle.security': (_context, client, { handle }) => {
    const operation = 'query the security of an object';
    const entry = held(client, operation, handle);
    requireRights(operation, entry, READ_CONTROL);
    return answer<'handle.security'>({ security: formatSddl(entry.object.descriptor) });
  },
  'handle.set-security': (_context, client, { handle, security }) => {
    const operation = 'set the security of an object';
    const entry = held(client, operation, handle);
    const { descriptor, needs } = changeDescriptor(operation, entry.object.descriptor, security, client.token);
    requireRights(operation, entry, needs);
    entry.object.descriptor = descriptor;
    return answer<'handle.set-security'>({});
  },
  'handle.set-permanent': (_context, client, { handle, permanent }) => {
    const operation = permanent ? 'make an object permanent' : 'make an object temporary';
    const entry = held(client, operation, handle);
    if (permanent) requirePermanence(operation, client.token, entry.object.name);
    else requireRights(operation, entry, DELETE);
    entry.object.permanent = permanent;
    return answer<'handle.set-permanent'>({});
  },
};

/* ------------------------------------------------------------------------------- creating ---- */

/** What requests to create have in common. */
export type CreateRequest = Pick<
  RequestOf<'object.create'>,
  'security' | 'openExisting' | 'desired' | 'permanent' | 'exclusive' | 'caseInsensitive'
>;

type Made = Pick<ObjectParts, 'memory' | 'facts' | 'reader'>;

/**
 * Creates an object, or opens the one that has the name.
 *
 * @param bytes What it takes of its user's account.
 * @param make Makes its memory, when all checks are passed.
 */
export async function createObject(
  context: SystemContext,
  client: Client,
  operation: string,
  name: ObjectName,
  kind: ObjectKind,
  request: CreateRequest,
  bytes: number,
  make: () => Made | Promise<Made>,
): Promise<Answer> {
  requireRoom(context, client);
  const existing = existingFor(context, client, operation, name, kind, request);
  if (existing !== null) return existing;

  const { token } = client;
  if (kind === 'Section' && !holdsPrivilege(token, 'SeCreateGlobalPrivilege'))
    throw privilegeNotHeld(operation, 'SeCreateGlobalPrivilege', token, `"${name.full}"`);
  if (request.permanent) requirePermanence(operation, token, name);
  // All other rights a creator has for the asking.
  if ((request.desired & ACCESS_SYSTEM_SECURITY) !== 0 && !holdsPrivilege(token, 'SeSecurityPrivilege'))
    throw privilegeNotHeld(operation, 'SeSecurityPrivilege', token, `"${name.full}"`);
  context.directory.requireCreation(operation, name, kind, token);
  const descriptor = descriptorFrom(operation, request.security, token);
  requireAccount(context, client, operation, name, bytes);
  // The memory is committed beside this thread: others, or further connections of this user, ask meanwhile.
  const release = context.directory.reserve(client.uid, roundUp(bytes, os.pageSize));
  let made: Made;
  try {
    made = await make();
  } finally {
    release();
  }

  // While the memory was committed, the client may have gone, or another may have taken the name.
  let object: KernelObject | null = null;
  try {
    if (client.gone) throw new SectionError('ERR_SECTION_CLOSED', { operation, rule: 'the client has gone' });
    const winner = existingFor(context, client, operation, name, kind, request);
    if (winner !== null) return winner;
    requireAccount(context, client, operation, name, bytes);
    const { exclusive, permanent } = request;
    object = new KernelObject({ ...made, name, kind, descriptor, chargedTo: client.uid, exclusive, permanent });
    context.directory.add(object);
    return give(client, object, creatorAccess(kind, request.desired), true);
  } finally {
    if (object === null) {
      made.memory.close();
      if (made.reader !== undefined) os.descriptorClose(made.reader);
    }
  }
}

/** The answer when the name is taken; null when it is free. */
function existingFor(
  context: SystemContext,
  client: Client,
  operation: string,
  name: ObjectName,
  kind: ObjectKind,
  request: CreateRequest,
): Answer | null {
  const { caseInsensitive, exclusive, desired } = request;
  const existing = context.directory.find(operation, name, caseInsensitive);
  if (existing === undefined) return null;
  requireKind(operation, existing.name, existing.kind, kind);
  if (!request.openExisting) throw exists(operation, existing.name, kind);
  const opening = { kind, token: client.token, desired, caseInsensitive, exclusive };
  const { object, granted } = context.directory.open(operation, name, opening);
  return give(client, object, granted, false);
}

/** The descriptor of a new object, from SDDL or as its creator's default. */
function descriptorFrom(operation: string, sddl: string | null, token: Token): SecurityDescriptor {
  if (sddl === null) return defaultDescriptor(token);
  const descriptor = fromSddl(sddl, token, operation);
  requireOwner(operation, descriptor.owner, token);
  return descriptor;
}

/* --------------------------------------------------------------------------------- checks ---- */

/** The name that a client means: a leaf in a directory that lives. */
export function globalName(
  context: SystemContext,
  operation: string,
  { name, directory }: { readonly name: string; readonly directory: string | null },
): ObjectName {
  const { leaf } = parseName(operation, `Global\\${name}`);
  return context.directory.nameIn(operation, directory ?? undefined, leaf);
}

function requirePermanence(operation: string, token: Token, { full }: ObjectName): void {
  if (holdsPrivilege(token, 'SeCreatePermanentPrivilege')) return;
  throw privilegeNotHeld(operation, 'SeCreatePermanentPrivilege', token, `"${full}"`);
}

/** A directory is listed for those who have opened it with DIRECTORY_QUERY; \BaseNamedObjects itself for all. */
function requireDirectoryHandle(context: SystemContext, client: Client, operation: string, identity: string | undefined): void {
  const directory = context.directory.directory(operation, identity);
  if (directory === undefined) return;
  const handles = [...client.handles.values()].filter(({ object }) => object === directory);
  if (handles.some(({ granted }) => (granted & DIRECTORY_QUERY) !== 0)) return;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${directory.name.full}"`,
    rule: `this client has no handle on it with access 0x${DIRECTORY_QUERY.toString(16)}`,
    wayOut: 'Open it with DIRECTORY_QUERY',
  });
}

/** How much one answer tells of many objects, in characters: names and descriptors can be long. */
const LONGEST_PAGE = 256 * 1024;

/** As many as fit into one answer, as they are told, and whether there are more. */
function pageOf<T, U>(all: readonly T[], tell: (each: T) => U): { readonly page: readonly U[]; readonly more: boolean } {
  let sum = 0;
  const page: U[] = [];
  for (const each of all) {
    if (sum > LONGEST_PAGE) break;
    const told = tell(each);
    sum += JSON.stringify(told).length;
    page.push(told);
  }
  return { page, more: page.length < all.length };
}

function listing(object: KernelObject, client: Client): ObjectListing {
  const { device, inode, allocated } = os.descriptorStat(object.memory.descriptor);
  const { size, pageProtection, attributes, soleWriter } = object.facts;
  const { status } = accessCheck(object.descriptor, client.token, READ_CONTROL, objectTypes[object.kind].mapping);
  return {
    name: object.name.full,
    kind: object.kind,
    permanent: object.permanent,
    size,
    backing: object.memory.backing === 'file' ? 'file' : 'pagefile',
    pageProtection,
    attributes,
    soleWriter,
    security: isSuccess(status) || isAdministrator(client) ? formatSddl(object.descriptor) : null,
    resident: allocated,
    device: String(device),
    inode: String(inode),
    holders: isAdministrator(client)
      ? [...object.holders].map(([holder, { handles, granted }]) => ({
          pid: holder.pid,
          kernel: holder.kernel,
          handles,
          granted,
        }))
      : [],
  };
}
