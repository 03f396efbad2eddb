/**
 * What the calls on events, mutants and semaphores have in common: from a handle to the
 * object's state, and the checks of a query.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { Waitable } from '../sync/waitable.js';
import { type Size, ulong, ulong64 } from './arguments.js';
import { type Refusal, statusOf } from './failure.js';
import type { StateObject } from './named-types.js';
import type { NamedType } from './object-types.js';
import { type Mode, mayUse, objectOf } from './tables.js';

/** What the use of a state gives back when it cannot be used. */
export interface Use<S, T> {
  /** Rights that the handle must have. */
  readonly rights: number;
  /** Whether the state is changed: a handle whose memory cannot be written is refused then. */
  readonly changes: boolean;
  /** Does it. */
  readonly act: (state: S) => T | Refusal;
}

/** Uses the state of the object behind a handle. */
export function useState<S extends Waitable, T>(
  mode: Mode,
  handle: unknown,
  type: NamedType<StateObject<S>>,
  use: Use<S, T>,
): T | Refusal {
  const found = objectOf(mode, handle, type);
  if ('status' in found) return found;
  if (!mayUse(mode, found, use.rights) || (use.changes && !found.body.writable)) return { status: Status.STATUS_ACCESS_DENIED };
  try {
    return use.act(found.body.state);
  } catch (error) {
    return { status: statusOf(error) };
  }
}

/** All the information structures of these types have this many bytes, and class 0 is the one there is. */
export const STATE_INFORMATION_LENGTH = 8;

/** Whether a query asks for what there is; class and length are judged before the handle. */
export function stateQueryStatus(informationClass: unknown, length: Size | undefined): NTSTATUS {
  if (ulong(informationClass) !== 0) return Status.STATUS_INVALID_INFO_CLASS;
  const fits = length === undefined || ulong64(length) === BigInt(STATE_INFORMATION_LENGTH);
  return fits ? Status.STATUS_SUCCESS : Status.STATUS_INFO_LENGTH_MISMATCH;
}

/** The bytes of a new object's state. */
export function stateContent(words: Int32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

/** A LONG; undefined for what is none. */
export function long(value: unknown): number | undefined {
  const bits = ulong(value);
  return bits === undefined ? undefined : bits | 0;
}
