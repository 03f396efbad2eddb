/**
 * What clients ask of devices: open a file, control it, wait for the outcome, close it. Keeps what each
 * client has open and under way, and how much of the system's memory that takes.
 *
 * A request is answered when its driver is through with it, or when the client's patience has ended: then
 * with a number to ask for it by. So a driver that takes its time keeps nobody waiting who does not want to.
 */
import { SectionError, type SectionErrorCode } from '../base/error.js';
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { type Descriptor, os } from '../os/index.js';
import { type Answer, answer, type Client, type Handler } from './clients.js';
import type { DeviceFile } from './devices.js';
import type { IoManager } from './io-manager.js';
import { rightsOfCode } from './io-rules.js';
import type { Request, RequestorsHandle } from './irps.js';
import type { SystemLimits } from './limits.js';
import type { DeviceReply, Operation, RequestOf } from './protocol.js';

/** A request that its client has not heard the outcome of. */
interface Outstanding {
  readonly request: Request;
  /** The file that it opens, if it does. */
  readonly opens: DeviceFile | null;
  readonly charge: number;
}

/** What one client has to do with devices. */
interface Account {
  readonly uid: number;
  readonly files: Map<number, DeviceFile>;
  readonly outstanding: Map<number, Outstanding>;
  last: number;
  /** Closed when one of the requests is through: the client holds the first of them as well, and sees it end. */
  bell: readonly [reader: Descriptor, writer: Descriptor] | null;
}

/** How long closing a file waits for its driver: it goes on behind the client's back then. */
const CLOSING_TIME = 5000;

const codeOfStatus: ReadonlyMap<NTSTATUS, SectionErrorCode> = new Map<NTSTATUS, SectionErrorCode>([
  [Status.STATUS_OBJECT_NAME_NOT_FOUND, 'ERR_SECTION_NOT_FOUND'],
  [Status.STATUS_OBJECT_PATH_NOT_FOUND, 'ERR_SECTION_NOT_FOUND'],
  [Status.STATUS_ACCESS_DENIED, 'ERR_SECTION_ACCESS_DENIED'],
]);

/** Waits for a request, for so long at most. */
async function settled(result: Promise<unknown>, patience: number): Promise<void> {
  if (patience === 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience);
  });
  await Promise.race([result, late]);
  clearTimeout(timer);
}

function limit(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_LIMIT', { operation, rule, wayOut: 'Close some, or wait until some are through' });
}

export class DeviceClients {
  readonly io: IoManager;
  readonly #limits: SystemLimits;
  readonly #accounts = new Map<Client, Account>();
  readonly #bytes = new Map<number, number>();

  constructor(io: IoManager, limits: SystemLimits) {
    this.io = io;
    this.#limits = limits;
  }

  of(client: Client): Account {
    let account = this.#accounts.get(client);
    if (account === undefined) {
      account = { uid: client.uid, files: new Map(), outstanding: new Map(), last: 0, bell: null };
      this.#accounts.set(client, account);
    }
    return account;
  }

  fileOf(client: Client, operation: string, handle: number): DeviceFile {
    const file = this.#accounts.get(client)?.files.get(handle);
    if (file !== undefined) return file;
    throw new SectionError('ERR_SECTION_CLOSED', {
      operation,
      object: `handle ${handle}`,
      rule: 'this client has no such file of a device',
    });
  }

  /** Refuses another request where it would be too much for one client or one user. */
  requireRoom(client: Client, operation: string, bytes: number): void {
    const { deviceRequestsPerClient, deviceBytesPerUser } = this.#limits;
    if (this.of(client).outstanding.size >= deviceRequestsPerClient) {
      throw limit(operation, `this client has ${deviceRequestsPerClient} requests to devices under way, and may have no more`);
    }
    if ((this.#bytes.get(client.uid) ?? 0) + bytes > deviceBytesPerUser)
      throw limit(
        operation,
        `this user's files of devices, and the buffers of its requests, would take more than ${deviceBytesPerUser} bytes`,
      );
  }

  /** Refuses another file. */
  requireFile(client: Client, operation: string): void {
    const { handlesPerClient } = this.#limits;
    if (this.of(client).files.size < handlesPerClient) return;
    throw limit(operation, `this client has ${handlesPerClient} files of devices open, and may have no more`);
  }

  /** Notes a request until its client has heard the outcome. Returns the number to ask for it by. */
  add(client: Client, request: Request, opens: DeviceFile | null, charge: number): number {
    const account = this.of(client);
    account.last = nextNumber(account.last, account.outstanding);
    account.outstanding.set(account.last, { request, opens, charge });
    this.#charge(client.uid, charge);
    request.result.then(() => this.#ring(account));
    return account.last;
  }

  /** The answer to whoever waits for a request; hands its outcome out once. */
  reply(client: Client, number: number): Answer {
    const account = this.of(client);
    const { request, opens, charge } = account.outstanding.get(number) as Outstanding;
    const { completion } = request;
    const none: DeviceReply = { request: 0, status: 0, information: 0, output: '', handle: 0, granted: 0 };
    if (completion === null) return answer<'device.wait'>({ ...none, request: number });
    account.outstanding.delete(number);
    const { status, information, output } = completion;
    const done = { ...none, status, information, output: Buffer.from(output).toString('base64') };
    if (opens === null || !isSuccess(status)) {
      this.#charge(account.uid, -charge);
      return answer<'device.wait'>(done);
    }
    // What the file takes stays on the account until it is closed.
    account.last = nextNumber(account.last, account.files);
    account.files.set(account.last, opens);
    return answer<'device.wait'>({ ...done, handle: account.last, granted: opens.granted });
  }

  /** Takes an open file from its client. */
  remove(client: Client, handle: number): void {
    const { uid, files } = this.of(client);
    const file = files.get(handle);
    if (file !== undefined && files.delete(handle)) this.#charge(uid, -chargeOf(file));
  }

  readyOf(client: Client): readonly number[] {
    return [...this.of(client).outstanding].filter(([, { request }]) => request.completion !== null).map(([number]) => number);
  }

  /** A pipe whose end says that a request is through. One at a time. */
  bellFor(client: Client): Descriptor {
    const account = this.of(client);
    this.#ring(account);
    account.bell = os.pipeCreate();
    return account.bell[0];
  }

  #ring(account: Account): void {
    if (account.bell === null) return;
    for (const each of account.bell) os.descriptorClose(each);
    account.bell = null;
  }

  #charge(uid: number, bytes: number): void {
    const after = (this.#bytes.get(uid) ?? 0) + bytes;
    if (after === 0) this.#bytes.delete(uid);
    else this.#bytes.set(uid, after);
  }

  /** A client has gone: its files are closed as if it had closed them. */
  forget(client: Client): void {
    const account = this.#accounts.get(client);
    if (account === undefined) return;
    this.#accounts.delete(client);
    this.#ring(account);
    const opening = [...account.outstanding.values()].map(({ opens }) => opens);
    for (const { charge } of account.outstanding.values()) this.#charge(account.uid, -charge);
    for (const file of account.files.values()) this.#charge(account.uid, -chargeOf(file));
    account.outstanding.clear();
    for (const file of [...account.files.values(), ...opening]) if (file !== null) void this.io.close(file, client);
  }
}

/** Bytes that an open file takes beside its name, about. */
const FILE_BYTES = 1024;

/** What an open file takes of its user's account: its name can be long. */
function chargeOf({ object }: DeviceFile): number {
  return FILE_BYTES + object.FileName.length * 2;
}

function nextNumber(last: number, used: ReadonlyMap<number, unknown>): number {
  let next = last;
  do next = next >= 0x7fff_ffff ? 1 : next + 1;
  while (used.has(next));
  return next;
}

/** What a handle in a client's input is on. Its own word counts for which of its handles it means, and for fewer rights. */
function handleOf(client: Client, handles: RequestOf<'device.control'>['handles'], value: number): RequestorsHandle | null {
  const [, number = 0, granted = 0] = handles.find(([each]) => each === value) ?? [];
  const held = client.handles.get(number);
  return held === undefined ? null : { object: held.object, granted: held.granted & granted };
}

/** Bytes of their own: those of a Buffer may lie in a pool that others share. */
function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

type DeviceOperation = Extract<Operation, `device.${string}`>;

export const deviceHandlers: { readonly [O in DeviceOperation]: Handler<O> } = {
  'device.find': ({ devices }, _client, { kind, name, caseInsensitive }) =>
    answer<'device.find'>({ entry: devices.io.entry(kind, name, caseInsensitive) }),
  'device.list': ({ devices }, _client, { kind }) => answer<'device.list'>({ entries: devices.io.entries(kind) }),
  'device.open': async (context, client, { path, patience, ...asked }) => {
    const operation = 'open a device';
    context.requireRunning(operation);
    const { devices } = context;
    devices.requireRoom(client, operation, FILE_BYTES + path.length * 2);
    devices.requireFile(client, operation);
    const opened = devices.io.open(path, { ...asked, token: client.token, requestor: client });
    if ('status' in opened) {
      throw new SectionError(codeOfStatus.get(opened.status) ?? 'ERR_SECTION_DRIVER', {
        operation,
        object: `"${path}"`,
        rule: whyNot.get(opened.status)?.(asked.desired, client) ?? 'its driver is leaving',
        wayOut: 'Is its driver loaded, and are you meant to use it? "sectile driver ls" shows what is loaded',
        status: opened.status,
      });
    }
    const number = devices.add(client, opened.request, opened.file, chargeOf(opened.file));
    await settled(opened.request.result, patience);
    return client.gone ? gone() : devices.reply(client, number);
  },
  'device.control': async (context, client, { handle, code, outputLength, patience, ...given }) => {
    const operation = 'control a device';
    const { devices } = context;
    const file = devices.fileOf(client, operation, handle);
    const missing = rightsOfCode(code) & ~file.granted;
    if (missing !== 0) {
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation,
        object: file.device.description,
        rule: `the control code 0x${code.toString(16)} needs access 0x${missing.toString(16)}, which the handle has not`,
        wayOut: 'Open the device for reading or writing',
      });
    }
    const input = bytesOf(given.input);
    const direct = given.direct === null ? null : bytesOf(given.direct);
    const charge = input.length + outputLength;
    devices.requireRoom(client, operation, charge);
    const { handles } = given;
    const handleIn = (value: number) => handleOf(client, handles, value);
    const request = devices.io.control(file, { code, input, outputLength, direct, handle: handleIn }, client);
    const number = devices.add(client, request, null, charge);
    await settled(request.result, patience);
    return client.gone ? gone() : devices.reply(client, number);
  },
  'device.wait': async ({ devices }, client, { request: number, patience }) => {
    const outstanding = devices.of(client).outstanding.get(number);
    if (outstanding === undefined) {
      throw new SectionError('ERR_SECTION_CLOSED', {
        operation: 'wait for a device',
        object: `request ${number}`,
        rule: 'this client has no such request under way',
      });
    }
    await settled(outstanding.request.result, patience);
    return client.gone ? gone() : devices.reply(client, number);
  },
  'device.collect': ({ devices }, client) => {
    const ready = devices.readyOf(client);
    if (ready.length > 0) return answer<'device.collect'>({ ready });
    // A pipe takes descriptors, which are for those who wait for something.
    if (devices.of(client).outstanding.size === 0) {
      throw new SectionError('ERR_SECTION_CLOSED', {
        operation: 'wait for a device',
        rule: 'this client has no request under way',
      });
    }
    return answer<'device.collect'>({ ready }, [devices.bellFor(client)]);
  },
  'device.close': async ({ devices }, client, { handle }) => {
    const file = devices.fileOf(client, 'close a device', handle);
    devices.remove(client, handle);
    await settled(devices.io.close(file, client), CLOSING_TIME);
    return answer<'device.close'>({});
  },
};

/** Why a device is not opened. */
const whyNot = new Map<NTSTATUS, (desired: number, client: Client) => string>([
  [Status.STATUS_OBJECT_NAME_NOT_FOUND, () => 'there is no device of that name'],
  [Status.STATUS_OBJECT_PATH_NOT_FOUND, () => 'devices are found in \\Device, and nowhere else'],
  [
    Status.STATUS_ACCESS_DENIED,
    (desired, { token }) =>
      `its security descriptor does not grant access 0x${desired.toString(16)} to ${token.describe()}, or it is exclusive and open`,
  ],
]);

/** Nobody reads this answer. */
function gone(): Answer {
  return answer<'device.close'>({});
}
