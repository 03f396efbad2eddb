/**
 * Whether this process is the system process, and if so, its objects. A process becomes one only by
 * starting the server; there is no switch to claim it, and nothing to gain: every right of other
 * processes is granted by descriptors that the real system process hands out.
 */
import { SectionError } from '../base/error.js';
import { nt } from '../os/index.js';
import type { IoManager } from './io-manager.js';
import type { RequestorsHandle } from './irps.js';
import type { KernelObjects } from './kernel-objects.js';

/** What a driver holds and has taken back when it is unloaded. */
export type DriverHold = 'handle' | 'view' | 'reference' | 'wait';

/** A driver as the code it runs sees it. */
export interface DriverContext {
  readonly name: string;
  /** Called when the driver is unloaded, last registered first. Returns how to take it back. */
  onUnload(what: DriverHold, release: () => void): () => void;
}

export interface SystemInside {
  /** The global namespace, as drivers see it. */
  readonly objects: KernelObjects;
  /** The driver whose code is running, or null outside of any. */
  currentDriver(): DriverContext | null;
  /** Devices, as drivers see them. */
  readonly io: IoManager;
  /**
   * Whether the running code may make and map sections: STATUS_SUCCESS, or STATUS_INVALID_DEVICE_STATE in the
   * dispatch routine of a driver, and then the log says why.
   */
  contextStatus(call: string): number;
  /** Whether the running code was called for an application's request. */
  isInDispatch(): boolean;
  /** What a handle is on that stands in that request's input; null where it is none that can be had. */
  requestorsHandle(value: number): RequestorsHandle | null;
  /** Parameters that a driver was loaded with, by its registry path. */
  driverParameters(registryPath: string): Readonly<Record<string, string>> | null;
}

/**
 * For commands about the system process: where the kernel is NT there is none.
 *
 * @throws SectionError ERR_SECTION_NATIVE
 */
export function requireOwnKernel(operation: string): void {
  if (nt === null) return;
  throw new SectionError('ERR_SECTION_NATIVE', {
    operation,
    rule: "here the kernel is Windows' own, and there is no system process",
    wayOut: 'Global\\ names work without one; a driver is written in C: "sectile driver init NAME --windows" writes a first one',
  });
}

let inside: SystemInside | null = null;

export function systemInThisProcess(): SystemInside | null {
  return inside;
}

export function becomeSystem(system: SystemInside | null): void {
  inside = system;
}

/**
 * The system, for code that only makes sense in kernel mode.
 *
 * @throws SectionError ERR_SECTION_NOT_KERNEL_MODE outside the system process.
 */
export function kernelMode(operation: string): SystemInside {
  if (inside !== null) return inside;
  throw new SectionError('ERR_SECTION_NOT_KERNEL_MODE', {
    operation,
    rule: 'this is not the system process, so there is no kernel mode here',
    wayOut:
      'Put the code into a driver and load it with "sectile driver load FILE"; applications use sectile/kernel32 or sectile/ntdll',
  });
}

const nothing = () => {};

/**
 * In the system process, what a driver has from a face that is no kernel mode's is taken back when it is unloaded.
 *
 * @returns how to say that it is gone already
 */
export function heldByDriver(what: DriverHold, release: () => void): () => void {
  return inside?.currentDriver()?.onUnload(what, release) ?? nothing;
}
