/**
 * The client's side of the system process: finds it, checks that it can be trusted, asks and waits.
 * One connection per thread; the system process drops its handles when it closes, however that happens.
 */
import { SectionError } from '../base/error.js';
import { MemoryObject } from '../memory/memory-object.js';
import type { SectionFacts, SectionHandle } from '../memory/section-handle.js';
import type { SectionName } from '../namespace/name.js';
import { systemSocketCandidates } from '../namespace/runtime-directory.js';
import { type Descriptor, isOsError, type Message, os } from '../os/index.js';
import type { SectionCreation } from './lookup.js';
import {
  type DriverListing,
  decodeReply,
  encode,
  type ObjectListing,
  type Operation,
  PROTOCOL,
  type Replies,
  type RequestOf,
  type SectionReply,
  type SystemStatus,
} from './protocol.js';

/** A system process that works answers in microseconds; committing gigabytes takes seconds. */
const ANSWER_TIMEOUT = 30_000;

interface Connection {
  readonly socket: Descriptor;
  readonly path: string;
  /** The user who runs the system process. */
  readonly uid: number;
  /** Set when the system process has gone; handles of this connection are void then. */
  gone: boolean;
}

let connection: Connection | null = null;

function connect(operation: string): Connection {
  const tried: string[] = [];
  for (const path of systemSocketCandidates()) {
    let socket: Descriptor;
    try {
      socket = os.socketConnect(path);
    } catch (error) {
      if (!isOsError(error) || !['ENOENT', 'ECONNREFUSED', 'ENOTDIR', 'EACCES'].includes(error.code))
        throw unreachable(operation, path, error);
      tried.push(`${path} (${error.code})`);
      continue;
    }
    const { uid } = os.socketPeer(socket);
    if (uid !== 0 && uid !== process.geteuid?.()) {
      os.descriptorClose(socket);
      throw new SectionError('ERR_SECTION_SYSTEM_UNTRUSTED', {
        operation,
        object: `system process at ${path}`,
        rule: `user ${uid} runs it, and only root's or one's own is trusted`,
        wayOut: 'Have it stopped, or set SECTILE_RUNTIME_DIR to a directory of your own',
      });
    }
    return { socket, path, uid, gone: false };
  }
  throw new SectionError('ERR_SECTION_SYSTEM_NOT_RUNNING', {
    operation,
    rule: `no system process answers at ${tried.join(' or ')}`,
    wayOut: 'Start one with "sectile system start" (Global\\ names and drivers need it)',
  });
}

function unreachable(operation: string, path: string, cause: unknown): SectionError {
  return new SectionError('ERR_SECTION_SYSTEM_BUSY', {
    operation,
    object: `system process at ${path}`,
    rule: `it cannot be reached: ${(cause as Error).message}`,
    wayOut: 'Look at it with "sectile system status"',
    ...(isOsError(cause) ? { errno: cause.errno } : {}),
    cause,
  });
}

function exchange(current: Connection, operation: string, bytes: Uint8Array, descriptors: readonly Descriptor[]): Message {
  try {
    return os.socketRequest(current.socket, bytes, descriptors, ANSWER_TIMEOUT);
  } catch (error) {
    // Whatever happened, an answer that comes late would be taken for that of the next request.
    drop(current);
    if (isOsError(error) && error.code === 'ETIMEDOUT') throw unreachable(operation, current.path, error);
    throw new SectionError('ERR_SECTION_SYSTEM_GONE', {
      operation,
      object: `system process at ${current.path}`,
      rule: `it has gone (${(error as Error).message})`,
      wayOut: 'Views go on; start it again with "sectile system start" and open the section again',
      ...(isOsError(error) ? { errno: error.errno } : {}),
      cause: error,
    });
  }
}

function drop(current: Connection): void {
  current.gone = true;
  if (connection === current) connection = null;
  os.descriptorClose(current.socket);
}

interface Answer<O extends Operation> {
  readonly value: Replies[O];
  readonly descriptors: readonly Descriptor[];
}

function ask<O extends Operation>(
  current: Connection,
  caller: string,
  operation: O,
  fields: RequestOf<O>,
  descriptors: readonly Descriptor[] = [],
): Answer<O> {
  const message = exchange(current, caller, encode({ operation, ...fields }), descriptors);
  const reply = decodeReply(message.bytes);
  if ('error' in reply) {
    for (const each of message.descriptors) os.descriptorClose(each);
    const { code, ...failure } = reply.error;
    throw new SectionError(code, { operation: caller, ...failure });
  }
  return { value: reply.value as Replies[O], descriptors: message.descriptors };
}

/** The connection of this thread; made, greeted and trusted on first use. */
function connected(caller: string): Connection {
  if (connection !== null) return connection;
  const fresh = connect(caller);
  const status = ask(fresh, caller, 'hello', { protocol: PROTOCOL }).value;
  if (status.protocol !== PROTOCOL) {
    drop(fresh);
    throw new SectionError('ERR_SECTION_PROTOCOL', {
      operation: caller,
      object: `system process at ${fresh.path}`,
      rule: `it speaks protocol ${status.protocol}, this Sectile speaks ${PROTOCOL}`,
      wayOut: '"sectile system stop" with its own version, then start it with this one',
    });
  }
  connection = fresh;
  return fresh;
}

/**
 * Asks once; when the connection of an earlier system process turns out dead, asks the one that may
 * have been started since. Safe because the request cannot have been carried out: nobody read it.
 */
function request<O extends Operation>(
  caller: string,
  operation: O,
  fields: RequestOf<O>,
  descriptors: readonly Descriptor[] = [],
): Answer<O> & { readonly through: Connection } {
  const before = connection;
  const current = connected(caller);
  try {
    return { ...ask(current, caller, operation, fields, descriptors), through: current };
  } catch (error) {
    const stale = current === before && current.gone && isStale(error);
    if (!stale) throw error;
    const fresh = connected(caller);
    return { ...ask(fresh, caller, operation, fields, descriptors), through: fresh };
  }
}

function isStale(error: unknown): boolean {
  const cause = error instanceof SectionError ? error.cause : undefined;
  return isOsError(cause) && ['EPIPE', 'ECONNRESET', 'ENOTCONN'].includes(cause.code);
}

/* ------------------------------------------------------------------------------ sections ---- */

class GlobalHandle implements SectionHandle {
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly #through: Connection;
  readonly #handle: number;
  #closed = false;

  constructor(through: Connection, reply: SectionReply, memory: MemoryObject) {
    const { size, pageProtection, attributes, soleWriter, security } = reply;
    this.#through = through;
    this.#handle = reply.handle;
    this.memory = memory;
    this.facts = { size, pageProtection, attributes, soleWriter, security };
    this.granted = reply.granted;
    this.created = reply.created;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.memory.close();
    if (this.#through.gone) return;
    try {
      ask(this.#through, 'close a handle', 'handle.close', { handle: this.#handle });
    } catch {
      // The system process has gone, and the handle with it.
    }
  }
}

/**
 * A sole writer maps its section once and then closes the door behind it: the seal is set through the
 * creator's own descriptor, before anybody else can have one that writes.
 */
function memoryFrom(operation: string, reply: SectionReply, descriptor: Descriptor): MemoryObject {
  const { size, pageSize, backing, writable } = reply;
  if (!reply.soleWriter || !reply.created) return MemoryObject.adopt(descriptor, { backing, size, pageSize, writable });
  return MemoryObject.adoptAsSoleWriter(operation, descriptor, { backing, size, pageSize });
}

function handleFrom(operation: string, name: SectionName, answer: Answer<'section.open'>, through: Connection): SectionHandle {
  const [descriptor, ...others] = answer.descriptors;
  for (const each of others) os.descriptorClose(each);
  if (descriptor === undefined) {
    throw new SectionError('ERR_SECTION_PROTOCOL', {
      operation,
      object: `"${name.full}"`,
      rule: 'the answer came without its descriptor',
    });
  }
  return new GlobalHandle(through, answer.value, memoryFrom(operation, answer.value, descriptor));
}

/** The system process takes descriptors from root and its own user alone: see the threat model. */
function requireDescriptorsTaken(operation: string, name: SectionName): void {
  const user = process.geteuid?.();
  if (user === 0 || user === connected(operation).uid) return;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${name.full}"`,
    rule: 'only root and the user who runs the system process may put a file under a global name',
    wayOut: 'Use a local name, or copy the file into a section of its own',
  });
}

export function createGlobal(operation: string, name: SectionName, creation: SectionCreation): SectionHandle {
  if (creation.over !== undefined) requireDescriptorsTaken(operation, name);
  const over = creation.over?.() ?? null;
  const descriptors: Descriptor[] = [];
  try {
    if (over !== null) {
      // The system process cannot reopen a descriptor that we send without risking to block on it:
      // it gets one of each kind.
      descriptors.push(os.descriptorReopen(over.descriptor, false));
      if (over.writable) descriptors.push(over.descriptor);
    }
    const { reserve, largePages, soleWriter, pageProtection, attributes, security, openExisting, desired } = creation;
    const answer = request(
      operation,
      'section.create',
      {
        name: name.leaf,
        size: over?.size ?? creation.size,
        reserve,
        largePages,
        soleWriter,
        pageProtection,
        attributes,
        security: security ?? null,
        openExisting,
        desired,
        fileBacked: over !== null,
      },
      descriptors,
    );
    return handleFrom(operation, name, answer, answer.through);
  } finally {
    if (descriptors[0] !== undefined) os.descriptorClose(descriptors[0]);
    over?.close();
  }
}

export function openGlobal(operation: string, name: SectionName, desired: number): SectionHandle {
  const answer = request(operation, 'section.open', { name: name.leaf, desired });
  return handleFrom(operation, name, answer, answer.through);
}

/* -------------------------------------------------------------------------- administering ---- */

/** What the running system process says of itself. Throws ERR_SECTION_SYSTEM_NOT_RUNNING when none runs. */
export function systemStatus(): SystemStatus & { readonly path: string } {
  const { value, through } = request('system status', 'system.status', {});
  return { ...value, path: through.path };
}

/** All global objects. For root and the system process's own user. */
export function systemObjects(): readonly ObjectListing[] {
  return request('list objects', 'object.list', {}).value.objects;
}

/** Asks the system process to stop; it does so after it has answered. */
export function stopSystem(): void {
  const { through } = request('system stop', 'system.stop', {});
  drop(through);
}

/** Loads a driver from a file that the system process can read. */
export function loadDriver(file: string, parameters: Readonly<Record<string, string>> = {}): DriverListing {
  return request('driver load', 'driver.load', { file, parameters: { ...parameters } }).value;
}

export function unloadDriver(name: string): void {
  request('driver unload', 'driver.unload', { name });
}

export function listDrivers(): readonly DriverListing[] {
  return request('driver ls', 'driver.list', {}).value.drivers;
}
