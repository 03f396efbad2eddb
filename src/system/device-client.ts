/**
 * The client's side of devices: open files of them, and control requests, waited for or not.
 *
 * Whoever waits does so in the system process's answer. Whoever does not gets a pipe that ends when one of
 * his requests is through, and the event loop watches that: nothing is polled, no thread is blocked.
 */
import { Socket } from 'node:net';
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import { MAXIMUM_NAME_LENGTH } from '../namespace/name.js';
import { os } from '../os/index.js';
import { ask, type Connection, request } from './client.js';
import type { DeviceEntry, DeviceEntryKind } from './devices.js';
import { MAXIMUM_DEVICE_BUFFER } from './io-rules.js';
import { systemInThisProcess } from './kernel.js';
import { type DeviceReply, LONGEST_PATIENCE } from './protocol.js';

/** A control request: its buffers, and which handles of this process stand in the input. */
export interface DeviceControl {
  readonly code: number;
  readonly input: Uint8Array;
  /** Bytes that the caller has room for. */
  readonly outputLength: number;
  /** METHOD_IN_DIRECT: what the second buffer holds. */
  readonly direct: Uint8Array | null;
  readonly handles: readonly (readonly [value: number, handle: number, granted: number])[];
}

export interface DeviceOutcome {
  readonly status: number;
  readonly information: number;
  readonly output: Uint8Array;
}

interface OpenRequest {
  readonly desired: number;
  readonly share: number;
  readonly options: number;
  readonly attributes: number;
}

/** Asks on until the driver is through. */
function wait(through: Connection, operation: string, first: DeviceReply): DeviceReply {
  let reply = first;
  while (reply.request !== 0)
    reply = ask(through, operation, 'device.wait', { request: reply.request, patience: LONGEST_PATIENCE }).value;
  return reply;
}

function outcomeOf({ status, information, output }: DeviceReply): DeviceOutcome {
  return { status, information, output: new Uint8Array(Buffer.from(output, 'base64')) };
}

/** An open file of a device. */
export class DeviceHandle {
  readonly path: string;
  readonly granted: number;
  readonly through: Connection;
  readonly #file: number;
  #closed = false;

  constructor(path: string, through: Connection, reply: DeviceReply) {
    this.path = path;
    this.through = through;
    this.granted = reply.granted;
    this.#file = reply.handle;
  }

  /** Waits for the driver. @throws SectionError */
  control(operation: string, given: DeviceControl): DeviceOutcome {
    return outcomeOf(wait(this.through, operation, this.#start(operation, given, LONGEST_PATIENCE)));
  }

  /** As {@link control}, and the event loop goes on meanwhile. */
  async controlAsync(operation: string, given: DeviceControl): Promise<DeviceOutcome> {
    const reply = this.#start(operation, given, 0);
    if (reply.request === 0) return outcomeOf(reply);
    return outcomeOf(await waiterOf(this.through).outcomeOf(operation, reply.request));
  }

  #start(operation: string, { input, direct, ...rest }: DeviceControl, patience: number): DeviceReply {
    const sent = input.length + (direct?.length ?? 0);
    const most = Math.max(sent, rest.outputLength);
    if (most > MAXIMUM_DEVICE_BUFFER) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object: this.path,
        rule: `a request to a device takes at most ${MAXIMUM_DEVICE_BUFFER} bytes either way, not ${most}`,
        wayOut: 'Share a section with the driver for more',
        status: Status.STATUS_INVALID_BUFFER_SIZE,
      });
    }
    const fields = {
      ...rest,
      handle: this.#file,
      input: base64(input),
      direct: direct === null ? null : base64(direct),
      patience,
    };
    return ask(this.through, operation, 'device.control', fields).value;
  }

  /** Safe to call twice, never throws. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.through.gone) return;
    try {
      ask(this.through, 'close a device', 'device.close', { handle: this.#file });
    } catch {
      // The system process has gone, and the file with it.
    }
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64');
}

/** What `\Device` or `\GLOBAL??` has under a name; null where there is nothing, or no system process. */
export function findDevice(kind: DeviceEntryKind, name: string, caseInsensitive: boolean): DeviceEntry | null {
  const inside = systemInThisProcess();
  if (inside !== null) return inside.io.entry(kind, name, caseInsensitive);
  if (name.length > MAXIMUM_NAME_LENGTH || name === '') return null;
  return whereThereIsOne(() => request('find a device', 'device.find', { kind, name, caseInsensitive }).value.entry, null);
}

export function listDevices(kind: DeviceEntryKind): readonly DeviceEntry[] {
  const inside = systemInThisProcess();
  if (inside !== null) return inside.io.entries(kind);
  return whereThereIsOne(() => request('list devices', 'device.list', { kind }).value.entries, []);
}

/** Without a system process there are no devices. */
function whereThereIsOne<T>(ask: () => T, none: T): T {
  try {
    return ask();
  } catch (error) {
    if (error instanceof SectionError) return none;
    throw error;
  }
}

/**
 * Opens a file of a device, and waits for its driver.
 *
 * @param path `\Device\X`, with what the driver gets of it behind.
 * @returns the handle, or the status with which the driver refused
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_SYSTEM_…
 */
export function openDevice(
  operation: string,
  path: string,
  asked: OpenRequest,
): { readonly handle: DeviceHandle | null; readonly status: number; readonly information: number } {
  const { value, through } = request(operation, 'device.open', { path, ...asked, patience: LONGEST_PATIENCE });
  const reply = wait(through, operation, value);
  const { status, information } = reply;
  return { handle: reply.handle === 0 ? null : new DeviceHandle(path, through, reply), status, information };
}

/* ------------------------------------------------------------------ not waiting ---- */

interface Waiting {
  readonly operation: string;
  readonly resolve: (reply: DeviceReply) => void;
  readonly reject: (error: unknown) => void;
}

/** The requests of one connection whose outcome the event loop waits for. */
class Waiter {
  readonly #through: Connection;
  readonly #waiting = new Map<number, Waiting>();
  #listening = false;

  constructor(through: Connection) {
    this.#through = through;
  }

  outcomeOf(operation: string, number: number): Promise<DeviceReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(number, { operation, resolve, reject });
      this.#listen();
    });
  }

  /** Takes what is ready; then waits for the pipe, as long as there is anything to wait for. */
  #listen(): void {
    if (this.#listening) return;
    try {
      while (this.#waiting.size > 0) {
        const { value, descriptors } = ask(this.#through, 'wait for a device', 'device.collect', {});
        const [bell, ...others] = descriptors;
        for (const each of others) os.descriptorClose(each);
        if (bell !== undefined) {
          this.#hear(os.descriptorRelease(bell));
          return;
        }
        for (const number of value.ready) this.#take(number);
      }
    } catch (error) {
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    }
  }

  #take(number: number): void {
    const waiting = this.#waiting.get(number);
    const operation = waiting?.operation ?? 'wait for a device';
    const { value } = ask(this.#through, operation, 'device.wait', { request: number, patience: 0 });
    this.#waiting.delete(number);
    waiting?.resolve(value);
  }

  #hear(fd: number): void {
    this.#listening = true;
    const pipe = new Socket({ fd, readable: true, writable: false });
    pipe.on('error', () => {}); // the close that follows is all that there is to know
    pipe.on('close', () => {
      this.#listening = false;
      this.#listen();
    });
    pipe.resume();
  }
}

const waiters = new WeakMap<Connection, Waiter>();

function waiterOf(through: Connection): Waiter {
  let waiter = waiters.get(through);
  if (waiter === undefined) {
    waiter = new Waiter(through);
    waiters.set(through, waiter);
  }
  return waiter;
}
