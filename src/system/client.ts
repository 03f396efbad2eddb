/**
 * The client's side of the system process: finds it, checks that it can be trusted, asks and waits.
 * One connection per thread; the system process drops its handles when it closes, however that happens.
 */
import { SectionError } from '../base/error.js';
import { systemSocketCandidates } from '../namespace/runtime-directory.js';
import { type Descriptor, isOsError, type Message, os } from '../os/index.js';
import {
  type DriverListing,
  decodeReply,
  encode,
  type ObjectListing,
  type Operation,
  PROTOCOL,
  type Replies,
  type RequestOf,
  type SystemStatus,
} from './protocol.js';

/** A system process that works answers in microseconds; committing gigabytes takes seconds. */
const ANSWER_TIMEOUT = 30_000;

export interface Connection {
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

export interface Answer<O extends Operation> {
  readonly value: Replies[O];
  readonly descriptors: readonly Descriptor[];
}

export function ask<O extends Operation>(
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
export function connected(caller: string): Connection {
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
export function request<O extends Operation>(
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

/* -------------------------------------------------------------------------- administering ---- */

/** What the running system process says of itself. Throws ERR_SECTION_SYSTEM_NOT_RUNNING when none runs. */
export function systemStatus(): SystemStatus & { readonly path: string } {
  const { value, through } = request('system status', 'system.status', {});
  return { ...value, path: through.path };
}

/** All global objects. For root and the system process's own user. */
export function systemObjects(): readonly ObjectListing[] {
  const all: ObjectListing[] = [];
  for (let more = true; more; ) {
    const { value } = request('list objects', 'object.list', { from: all.length });
    all.push(...value.objects);
    more = value.more && value.objects.length > 0;
  }
  return all;
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
