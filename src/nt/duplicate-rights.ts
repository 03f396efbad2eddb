/**
 * Which rights a duplicate of a handle gets, for objects of every type alike.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { ACCESS_SYSTEM_SECURITY, MAXIMUM_ALLOWED, mapGeneric } from '../security/index.js';
import type { ObjectBody } from './object-types.js';
import type { Mode, OpenHandle } from './tables.js';

/** What stands behind a duplicate, and what it may do. */
export interface Hold {
  readonly body: ObjectBody;
  readonly granted: number;
}

/**
 * A hold on the source's object with these rights. No more than the source has come without asking; for
 * what goes beyond, the object's security descriptor is asked anew.
 */
export function hold(mode: Mode, source: OpenHandle, desired: number): Hold | { readonly status: NTSTATUS } {
  const { type, body, granted, checked } = source;
  const share = (rights: number): Hold => ({ body: type.duplicate?.(body, rights) ?? body, granted: rights });
  const unchecked = mode === 'kernel' && !checked;
  if ((desired & ACCESS_SYSTEM_SECURITY & ~granted) !== 0 && !unchecked) return { status: Status.STATUS_ACCESS_DENIED };
  const wanted = mapGeneric(desired, type.mapping) & (type.rights | MAXIMUM_ALLOWED);
  if (unchecked) return share((wanted & MAXIMUM_ALLOWED) === 0 ? wanted : type.rights);
  if ((wanted & ~granted) === 0) return share(wanted);
  if (type.reopen !== undefined) return type.reopen(body, wanted);
  return (wanted & MAXIMUM_ALLOWED) === 0 ? { status: Status.STATUS_ACCESS_DENIED } : share(granted);
}
