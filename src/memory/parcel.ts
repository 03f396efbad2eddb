/**
 * A handle on its way to another process of this machine: descriptors, and what must be known beside
 * them. A parcel holds its object by itself, from the moment it is packed until it is closed; whoever it
 * is sent to makes a handle of it that holds the object from then on.
 */
import type { Descriptor } from '../os/index.js';

export interface Parcel {
  /** JSON: for whoever unpacks it. */
  readonly facts: unknown;
  readonly descriptors: readonly Descriptor[];
  /** Called when a process has been born with the descriptors, under these numbers. */
  sentTo?(pid: number, numbers: readonly number[]): void;
  /** Gives up this side's hold. Safe to call twice, never throws. */
  close(): void;
}
