/**
 * Device objects, the names they have and the links that lead to them: what stands behind `\Device\X`,
 * and behind `\\.\X`, which is `\??\X`. Says who may open which; dispatches nothing.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { foldCase } from '../namespace/name.js';
import { accessCheck, fileMapping, type SecurityDescriptor, type Token } from '../security/index.js';
import type { DriverObject, IoDriver } from './driver-object.js';
import type { FileObject, Request } from './irps.js';

/** A device as its driver sees it. */
export interface DeviceObject {
  readonly DriverObject: DriverObject;
  /** The device that its driver made before it; null for the first. */
  readonly NextDevice: DeviceObject | null;
  /** The driver's own: whatever it keeps for this device. */
  readonly DeviceExtension: Record<string, unknown>;
  /** FILE_DEVICE_… */
  readonly DeviceType: number;
  /** FILE_DEVICE_SECURE_OPEN and others: recorded. */
  readonly Characteristics: number;
}

export interface DeviceFacts {
  /** The name's last part; null for a device that nobody can open. */
  readonly leaf: string | null;
  readonly deviceType: number;
  readonly characteristics: number;
  /** One open file at a time. */
  readonly exclusive: boolean;
  readonly security: SecurityDescriptor;
}

/** An open file of a device: what a client's handle is on. */
export interface DeviceFile {
  readonly device: Device;
  readonly object: FileObject;
  readonly granted: number;
  /** Its driver has completed IRP_MJ_CREATE with success. */
  opened: boolean;
  /** Set when nothing but IRP_MJ_CLEANUP and IRP_MJ_CLOSE may reach the driver through it. */
  closed: boolean;
}

export class Device {
  readonly object: DeviceObject;
  readonly owner: IoDriver;
  readonly facts: DeviceFacts;
  readonly files = new Set<DeviceFile>();
  /** IRPs that have not been completed. */
  readonly requests = new Set<Request>();
  /** Nobody can open it any more, and nothing new reaches its driver. */
  removed = false;

  constructor(owner: IoDriver, facts: DeviceFacts) {
    this.owner = owner;
    this.facts = facts;
    const before = (): Device | undefined => {
      const all = [...owner.devices];
      return all[all.indexOf(this) - 1];
    };
    this.object = Object.freeze({
      DriverObject: owner.object,
      get NextDevice() {
        return before()?.object ?? null;
      },
      DeviceExtension: {},
      DeviceType: facts.deviceType,
      Characteristics: facts.characteristics,
    });
  }

  /** As messages name it. */
  get description(): string {
    return this.facts.leaf === null ? `a device of driver ${this.owner.name}` : `"${DEVICE}${this.facts.leaf}"`;
  }

  /**
   * What somebody gets who opens it: STATUS_ACCESS_DENIED by its descriptor, or because it is exclusive
   * and open already; STATUS_DEVICE_REMOVED when its driver is leaving.
   */
  check(token: Token, desired: number): { readonly status: NTSTATUS; readonly granted: number } {
    if (this.removed) return { status: Status.STATUS_DEVICE_REMOVED, granted: 0 };
    const decision = accessCheck(this.facts.security, token, desired, fileMapping);
    if (isSuccess(decision.status) && this.facts.exclusive && this.files.size > 0)
      return { status: Status.STATUS_ACCESS_DENIED, granted: 0 };
    return decision;
  }
}

export const DEVICE = '\\Device\\';

/** Three names of one directory: `\\.\X` of Win32 becomes the first of them. */
const LINK_DIRECTORIES = ['\\??\\', '\\DosDevices\\', '\\GLOBAL??\\'] as const;

/** Names that mean something else already, in small letters. */
const RESERVED_DEVICES: ReadonlySet<string> = new Set(['physicalmemory', 'mem', 'kmem', 'port']);
const RESERVED_LINKS: ReadonlySet<string> = new Set(['unix', 'global', 'unc']);

/** The rest of a path behind one of these prefixes, whose case does not count; null when it has none of them. */
function after(path: string, prefixes: readonly string[]): string | null {
  const folded = foldCase(path);
  const prefix = prefixes.find((each) => folded.startsWith(foldCase(each)));
  return prefix === undefined ? null : path.slice(prefix.length);
}

/** The last part of a name to be made: one component, in a directory that there is. */
function leafOf(path: string, prefixes: readonly string[]): string | { readonly status: NTSTATUS } {
  if (!path.startsWith('\\')) return { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  const leaf = after(path, prefixes);
  if (leaf === null || leaf.includes('\\')) return { status: Status.STATUS_OBJECT_PATH_NOT_FOUND };
  return leaf === '' ? { status: Status.STATUS_OBJECT_NAME_INVALID } : leaf;
}

interface Link {
  readonly name: string;
  readonly target: string;
  readonly owner: IoDriver | null;
}

/** `\Device` and `\GLOBAL??`. Names are told apart without their case. */
export class DeviceDirectory {
  readonly #devices = new Map<string, Device>();
  readonly #links = new Map<string, Link>();

  /** The last part of a device's name, when it can be made; else why not. */
  newName(path: string): string | { readonly status: NTSTATUS } {
    const leaf = leafOf(path, [DEVICE]);
    if (typeof leaf !== 'string') return leaf;
    const folded = foldCase(leaf);
    const isTaken = this.#devices.has(folded) || RESERVED_DEVICES.has(leaf.toLowerCase());
    return isTaken ? { status: Status.STATUS_OBJECT_NAME_COLLISION } : leaf;
  }

  add(device: Device): void {
    if (device.facts.leaf !== null) this.#devices.set(foldCase(device.facts.leaf), device);
  }

  remove(device: Device): void {
    if (device.facts.leaf === null) return;
    const key = foldCase(device.facts.leaf);
    if (this.#devices.get(key) === device) this.#devices.delete(key);
  }

  /** Makes a link; as in NT, what it leads to need not be there. */
  link(path: string, target: string, owner: IoDriver | null): NTSTATUS {
    const leaf = leafOf(path, LINK_DIRECTORIES);
    if (typeof leaf !== 'string') return leaf.status;
    const to = leafOf(target, [DEVICE]);
    if (typeof to !== 'string') return to.status;
    const key = foldCase(leaf);
    if (this.#links.has(key) || RESERVED_LINKS.has(leaf.toLowerCase())) return Status.STATUS_OBJECT_NAME_COLLISION;
    this.#links.set(key, { name: leaf, target, owner });
    return Status.STATUS_SUCCESS;
  }

  unlink(path: string): NTSTATUS {
    const leaf = leafOf(path, LINK_DIRECTORIES);
    if (typeof leaf !== 'string') return leaf.status;
    return this.#links.delete(foldCase(leaf)) ? Status.STATUS_SUCCESS : Status.STATUS_OBJECT_NAME_NOT_FOUND;
  }

  /** Takes away the links that a driver has left. */
  unlinkAll(owner: IoDriver): void {
    for (const [key, link] of this.#links) if (link.owner === owner) this.#links.delete(key);
  }

  /**
   * The device that a path names, `\Device\X`, and what of the path is left for its driver. Links have been
   * followed by whoever asks.
   *
   * @returns or STATUS_OBJECT_NAME_NOT_FOUND, STATUS_OBJECT_PATH_NOT_FOUND (another directory),
   * STATUS_ACCESS_DENIED (`\Device\PhysicalMemory`)
   */
  find(path: string): { readonly device: Device; readonly fileName: string } | { readonly status: NTSTATUS } {
    const name = after(path, [DEVICE]);
    if (name === null) return { status: Status.STATUS_OBJECT_PATH_NOT_FOUND };
    const [leaf, fileName] = split(name);
    if (RESERVED_DEVICES.has(leaf.toLowerCase())) return { status: Status.STATUS_ACCESS_DENIED };
    const device = this.#devices.get(foldCase(leaf));
    return device === undefined ? { status: Status.STATUS_OBJECT_NAME_NOT_FOUND } : { device, fileName };
  }

  /** What a directory has under a name, as it was created. */
  entry(kind: DeviceEntryKind, leaf: string, caseInsensitive: boolean): DeviceEntry | null {
    const folded = foldCase(leaf);
    const device = this.#devices.get(folded);
    const link = this.#links.get(folded);
    const found = kind === 'link' ? linkEntry(link) : deviceEntry(device);
    return found !== null && (caseInsensitive || found.leaf === leaf) ? found : null;
  }

  entries(kind: DeviceEntryKind): readonly DeviceEntry[] {
    const all = kind === 'link' ? [...this.#links.values()].map(linkEntry) : [...this.#devices.values()].map(deviceEntry);
    return all.filter((each) => each !== null);
  }
}

/** What is listed: the devices of `\Device`, or the links of `\GLOBAL??`. */
export type DeviceEntryKind = 'device' | 'link';

export interface DeviceEntry {
  readonly leaf: string;
  /** A link's. */
  readonly target?: string;
}

function deviceEntry(device: Device | undefined): DeviceEntry | null {
  return device === undefined || device.facts.leaf === null ? null : { leaf: device.facts.leaf };
}

function linkEntry(link: Link | undefined): DeviceEntry | null {
  return link === undefined ? null : { leaf: link.name, target: link.target };
}

/** The first component, and the rest with its backslash. */
function split(path: string): readonly [leaf: string, rest: string] {
  const end = path.indexOf('\\');
  return end < 0 ? [path, ''] : [path.slice(0, end), path.slice(end)];
}
