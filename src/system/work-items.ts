/**
 * Work items: a routine that a driver has run later, for nobody but the system itself. An item can wait
 * once at a time.
 */
import type { Device } from './devices.js';

/** As a driver holds it: nothing in it is for the driver. */
export class WorkItem {
  readonly #device: Device;
  #queued = false;

  constructor(device: Device) {
    this.#device = device;
  }

  /** Notes that an item waits: its device, or null when it waits already or is none. */
  static start(item: unknown): Device | null {
    if (!WorkItem.#is(item) || item.#queued) return null;
    item.#queued = true;
    return item.#device;
  }

  static done(item: unknown): void {
    if (WorkItem.#is(item)) item.#queued = false;
  }

  static #is(item: unknown): item is WorkItem {
    return typeof item === 'object' && item !== null && #queued in item;
  }
}
