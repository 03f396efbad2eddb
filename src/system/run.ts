/**
 * The system process itself: takes its place (one per runtime directory), listens, answers, and leaves
 * without a trace. Whoever calls this decides about signals and the process's exit.
 */
import { existsSync, readFileSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import { ensureRuntimeDirectory, ownSystemSocket } from '../namespace/runtime-directory.js';
import { type Descriptor, isOsError, OpenFlag, os, type Server, type ServerEvent } from '../os/index.js';
import { kernelToken, tokenForPeer } from '../security/index.js';
import { refusalLine } from './audit.js';
import type { Answer, Client, SystemContext } from './clients.js';
import { DeviceClients } from './device-requests.js';
import { DriverHost } from './driver-host.js';
import { becomeSystem, type SystemInside } from './kernel.js';
import { KernelObjects } from './kernel-objects.js';
import { defaultLimits, type SystemLimits } from './limits.js';
import { limitedLog, safeLog } from './log.js';
import { ObjectDirectory } from './objects.js';
import {
  decodeRequest,
  encode,
  errorReply,
  MAXIMUM_DESCRIPTORS,
  MAXIMUM_MESSAGE,
  PROTOCOL,
  type SystemStatus,
} from './protocol.js';
import { handlers } from './requests.js';
import { Turns } from './turns.js';

export interface SystemOptions {
  readonly drivers?: readonly { readonly file: string; readonly parameters?: Readonly<Record<string, string>> }[];
  readonly limits?: Partial<SystemLimits>;
  /** Users other than administrators who may create global sections, by number. */
  readonly grantGlobal?: readonly number[] | 'all';
  /** Gets one line for each thing worth knowing: refusals, drivers' errors, starts and stops. */
  readonly log?: (line: string) => void;
}

export interface RunningSystem {
  readonly socket: string;
  /** Settles when it has stopped, by {@link stop} or because a client asked. */
  readonly stopped: Promise<void>;
  /** Unloads the drivers, ends all connections, removes the socket. Safe to call twice. */
  stop(): Promise<void>;
}

const version = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version;

/**
 * Starts a system process in this process.
 *
 * @throws SectionError ERR_SECTION_SYSTEM_RUNNING when one runs already, ERR_SECTION_REGISTRY_OWNER for
 * a runtime directory that is not ours, ERR_SECTION_DRIVER when a driver does not load (nothing is left
 * running then).
 */
export async function runSystem(options: SystemOptions = {}): Promise<RunningSystem> {
  const directory = ensureRuntimeDirectory();
  const lock = takePlace(join(directory, 'system.lock'));
  const system = new System(lock, options);
  try {
    system.listen(ownSystemSocket());
    for (const { file, parameters } of options.drivers ?? []) await system.drivers.load(file, parameters ?? {});
  } catch (error) {
    await system.stop();
    throw error;
  }
  return system;
}

const FILE_TYPE = 0o170000;
const REGULAR = 0o100000;

/** One system process per runtime directory: a lock that the kernel drops when its owner ends. */
function takePlace(path: string): Descriptor {
  const lock = os.descriptorOpen(path, OpenFlag.write | OpenFlag.create | OpenFlag.noFollow | OpenFlag.nonBlocking, 0o600);
  const { uid, mode } = os.descriptorStat(lock);
  if (uid !== process.geteuid?.() || (mode & FILE_TYPE) !== REGULAR) {
    os.descriptorClose(lock);
    throw new SectionError('ERR_SECTION_REGISTRY_OWNER', {
      operation: 'system start',
      object: path,
      rule: `it must be a regular file of this user's own, and belongs to user ${uid}`,
      wayOut: 'Find out who put it there, then remove it',
    });
  }
  // Whoever could open it could lock it, and keep us out.
  os.descriptorSetMode(lock, 0o600);
  if (os.lockTry(lock, 0, 1)) {
    os.descriptorResize(lock, 0);
    os.descriptorWrite(lock, Buffer.from(`${process.pid}\n`), 0);
    return lock;
  }
  const text = Buffer.alloc(16);
  const pid = text.toString('utf8', 0, os.descriptorRead(lock, text, 0)).trim();
  os.descriptorClose(lock);
  throw new SectionError('ERR_SECTION_SYSTEM_RUNNING', {
    operation: 'system start',
    object: path,
    rule: existsSync(`/proc/${pid || 'none'}`)
      ? `a system process runs here already, process ${pid}`
      : 'another process holds its lock',
    wayOut: '"sectile system stop" ends a system process; "sectile doctor" looks at the rest',
  });
}

class System implements RunningSystem, SystemInside, SystemContext {
  socket = '';
  readonly stopped: Promise<void>;
  readonly directory: ObjectDirectory;
  readonly drivers: DriverHost;
  readonly devices: DeviceClients;
  readonly limits: SystemLimits;
  readonly objects: KernelObjects;
  readonly #audit: (line: string) => void;
  readonly #lock: Descriptor;
  readonly #grantGlobal: readonly number[] | 'all';
  readonly #clients = new Map<number, Client & { work: Promise<void> }>();
  readonly #turns = new Turns();
  readonly #started = Date.now();
  #server: Server | null = null;
  #stopping: Promise<void> | null = null;
  #hasStopped: () => void = () => {};

  constructor(lock: Descriptor, { limits, log = () => {}, grantGlobal = [] }: SystemOptions) {
    this.#lock = lock;
    this.#grantGlobal = grantGlobal;
    this.limits = { ...defaultLimits, ...limits };
    const safe = safeLog(log);
    this.#audit = limitedLog(safe);
    this.directory = new ObjectDirectory();
    this.drivers = new DriverHost(safe, this.#audit);
    this.devices = new DeviceClients(this.drivers.io, this.limits);
    this.objects = new KernelObjects(this.directory, this.#audit, () => {
      const driver = this.drivers.current();
      return driver === null ? kernelToken().describe() : `driver ${driver.name}`;
    });
    this.stopped = new Promise((resolve) => {
      this.#hasStopped = resolve;
    });
  }

  listen(path: string): void {
    this.socket = path;
    // The lock is ours, so whoever made this socket has died without removing it.
    try {
      unlinkSync(path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    // A socket that root or its own user owns is all that a client trusts: others need not knock.
    const mode = process.geteuid?.() === 0 ? 0o666 : 0o600;
    this.#server = os.serverListen(
      {
        path,
        mode,
        maximumMessage: MAXIMUM_MESSAGE,
        maximumDescriptors: MAXIMUM_DESCRIPTORS,
        // A descriptor of a file system that its sender serves can hold up whoever closes it.
        descriptorsFromOthers: false,
        clientsFromOthers: true,
        keepsProcess: true,
        maximumInFlight: this.limits.requestsInFlight,
        maximumClients: this.limits.clients,
      },
      (event) => this.drivers.outside(() => this.#onEvent(event)),
    );
    becomeSystem(this);
    this.drivers.install();
    this.#audit(`system process ${process.pid} listens at ${path}`);
  }

  /* ---------------------------------------------------------------------------- clients ---- */

  #onEvent(event: ServerEvent): void {
    if (event.type === 'connect') this.#onConnect(event.client, event.peer);
    else if (event.type === 'disconnect') this.#onDisconnect(event.client);
    else this.#onMessage(event.client, event.message.bytes, event.message.descriptors);
  }

  #onConnect(id: number, peer: { pid: number; uid: number; gid: number; groups: readonly number[] }): void {
    const sameUser = [...this.#clients.values()].filter((each) => each.uid === peer.uid).length;
    const token = tokenForPeer(peer, { administratorUids: [process.geteuid?.() ?? 0], globalUids: this.#grantGlobal });
    this.#clients.set(id, {
      id,
      pid: peer.pid,
      uid: peer.uid,
      kernel: false,
      token,
      handles: new Map(),
      nextHandle: 4,
      greeted: false,
      gone: false,
      malformed: 0,
      work: Promise.resolve(),
    });
    // Root is not counted: it must be able to look at a machine that somebody floods.
    if (sameUser < this.limits.clientsPerUser || peer.uid === 0) return;
    this.#audit(`limit for ${token.describe()}: ${this.limits.clientsPerUser} connections are open`);
    this.#cut(id);
  }

  #onDisconnect(id: number): void {
    const client = this.#clients.get(id);
    if (client === undefined) return;
    this.#clients.delete(id);
    client.gone = true;
    this.devices.forget(client);
    for (const { object } of client.handles.values()) this.directory.release(object, client);
    client.handles.clear();
  }

  #onMessage(id: number, bytes: Uint8Array, descriptors: readonly Descriptor[]): void {
    const client = this.#clients.get(id);
    if (client === undefined) {
      for (const each of descriptors) os.descriptorClose(each);
      return;
    }
    this.#turns.take(client.uid, () => {
      // One after the other: answers go out in the order of the requests.
      client.work = client.work.then(() => this.#serve(client, bytes, descriptors));
    });
  }

  async #serve(client: Client, bytes: Uint8Array, descriptors: readonly Descriptor[]): Promise<void> {
    try {
      if (client.gone) return;
      const answer = await this.#answer(client, bytes, descriptors);
      if (!client.gone) this.#reply(client, encode({ value: answer.value }), answer.descriptors ?? []);
    } catch (error) {
      this.#replyWithError(client, error);
    } finally {
      for (const each of descriptors) os.descriptorClose(each);
    }
  }

  async #answer(client: Client, bytes: Uint8Array, descriptors: readonly Descriptor[]): Promise<Answer> {
    const request = decodeRequest(bytes);
    if (!client.greeted && request.operation !== 'hello') {
      throw new SectionError('ERR_SECTION_PROTOCOL', { operation: request.operation, rule: 'a connection starts with hello' });
    }
    // The table's type ties each handler to its request; TypeScript cannot follow that through an index.
    const handler = handlers[request.operation] as (
      context: SystemContext,
      client: Client,
      request: unknown,
      descriptors: readonly Descriptor[],
    ) => Answer | Promise<Answer>;
    return handler(this, client, request, descriptors);
  }

  #replyWithError(client: Client, error: unknown): void {
    if (client.gone) return;
    let known = error;
    if (!(known instanceof SectionError)) {
      this.#audit(`error while serving ${client.token.describe()}: ${error instanceof Error ? error.stack : String(error)}`);
      const rule = isOsError(error)
        ? `the system refused: ${error.message}`
        : 'the system process met an error of its own, and has logged it';
      known = new SectionError('ERR_SECTION_SYSTEM_CALL', { operation: 'system process', rule });
    }
    const { code } = known as SectionError;
    const refusal = refusalLine(`${client.token.describe()}, process ${client.pid}`, known as SectionError);
    if (refusal !== null) this.#audit(refusal);
    this.#reply(client, encode({ error: errorReply(known as SectionError) }), []);
    if (code === 'ERR_SECTION_PROTOCOL' && ++client.malformed >= this.limits.malformedRequests) {
      this.#audit(`cut off ${client.token.describe()}, process ${client.pid}: ${client.malformed} malformed requests`);
      this.#cut(client.id);
    }
  }

  #reply(client: Client, bytes: Uint8Array, descriptors: readonly Descriptor[]): void {
    if (this.#server !== null) os.serverReply(this.#server, client.id, bytes, descriptors);
  }

  #cut(id: number): void {
    if (this.#server !== null) os.serverCut(this.#server, id);
  }

  status(): SystemStatus {
    return {
      protocol: PROTOCOL,
      version,
      pid: process.pid,
      uid: process.geteuid?.() ?? 0,
      started: this.#started,
      clients: this.#clients.size,
      objects: this.directory.size,
      drivers: this.drivers.list().length,
    };
  }

  /* ------------------------------------------------------------------------ kernel mode ---- */

  currentDriver() {
    return this.drivers.current();
  }

  get io() {
    return this.drivers.io;
  }

  contextStatus(call: string) {
    const request = this.drivers.currentRequest();
    return request === null ? Status.STATUS_SUCCESS : this.io.refuseInDispatch(request, call);
  }

  isInDispatch() {
    return this.drivers.currentRequest() !== null;
  }

  requestorsHandle(value: number) {
    return this.drivers.currentRequest()?.handle(value) ?? null;
  }

  driverParameters(registryPath: string) {
    return this.drivers.parametersOf(registryPath);
  }

  /* --------------------------------------------------------------------------- stopping ---- */

  requireRunning(operation: string): void {
    if (this.#stopping === null) return;
    throw new SectionError('ERR_SECTION_SYSTEM_GONE', { operation, rule: 'the system process is about to stop' });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    // Let the answer to whoever asked go out first.
    await new Promise((resolve) => setImmediate(resolve));
    await this.drivers.unloadAll();
    becomeSystem(null);
    if (this.#server !== null) os.serverClose(this.#server);
    this.#server = null;
    for (const id of [...this.#clients.keys()]) this.#onDisconnect(id);
    this.directory.clear();
    this.#audit(`system process ${process.pid} stopped`);
    os.descriptorClose(this.#lock);
    this.#hasStopped();
  }
}
