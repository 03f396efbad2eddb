/**
 * The calls on symbolic links of the object namespace: create, open, read. Source: Microsoft's pages of
 * ZwOpenSymbolicLinkObject and ZwQuerySymbolicLinkObject.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { SYMBOLIC_LINK_QUERY } from '../security/index.js';
import { type Handle, type Size, ulong64 } from './arguments.js';
import { linkContent, symbolicLinkType } from './named-types.js';
import { type ObjectAttributes, textOf, type UNICODE_STRING } from './object-attributes.js';
import { createNamed, type Opened, openNamed } from './object-opening.js';
import { type Mode, mayUse, objectOf } from './tables.js';

/** What create and open give back; the handle is 0 on failure. */
export interface LinkResult {
  readonly status: NTSTATUS;
  readonly linkHandle: Handle;
}

export interface LinkQueryResult {
  readonly status: NTSTATUS;
  readonly linkTarget: string | null;
  /** Bytes of the target with the NUL that ends it. */
  readonly returnLength: number;
}

const refuse = (status: NTSTATUS): LinkResult => ({ status, linkHandle: 0 });
const resultOf = ({ status, handle }: Opened): LinkResult => ({ status, linkHandle: handle });

/** The text that a link is to lead to. */
function targetOf(given: unknown): string | { readonly status: NTSTATUS } {
  const text = textOf(given);
  if (text === null) return { status: Status.STATUS_ACCESS_VIOLATION };
  // A name that is wrong in its length is, as a target, a wrong parameter.
  if (typeof text === 'string' || text.status !== Status.STATUS_OBJECT_NAME_INVALID) return text;
  return { status: Status.STATUS_INVALID_PARAMETER };
}

/** ZwCreateSymbolicLinkObject and NtCreateSymbolicLinkObject. */
export function createSymbolicLinkObject(
  mode: Mode,
  desiredAccess: number,
  objectAttributes: ObjectAttributes,
  linkTarget: string | UNICODE_STRING,
): LinkResult {
  const target = targetOf(linkTarget);
  if (typeof target !== 'string') return refuse(target.status);
  if (objectAttributes === null || objectAttributes === undefined) return refuse(Status.STATUS_ACCESS_VIOLATION);
  const content = linkContent(target);
  return resultOf(createNamed('ZwCreateSymbolicLinkObject', mode, symbolicLinkType, desiredAccess, objectAttributes, content));
}

/** ZwOpenSymbolicLinkObject and NtOpenSymbolicLinkObject. */
export function openSymbolicLinkObject(mode: Mode, desiredAccess: number, objectAttributes: ObjectAttributes): LinkResult {
  return resultOf(openNamed('ZwOpenSymbolicLinkObject', mode, symbolicLinkType, desiredAccess, objectAttributes));
}

/** ZwQuerySymbolicLinkObject and NtQuerySymbolicLinkObject. */
export function querySymbolicLinkObject(mode: Mode, linkHandle: Handle, length?: Size): LinkQueryResult {
  const fail = (status: NTSTATUS, returnLength = 0): LinkQueryResult => ({ status, linkTarget: null, returnLength });
  const found = objectOf(mode, linkHandle, symbolicLinkType);
  if ('status' in found) return fail(found.status);
  if (!mayUse(mode, found, SYMBOLIC_LINK_QUERY)) return fail(Status.STATUS_ACCESS_DENIED);
  const { target } = found.body;
  const returnLength = 2 * (target.length + 1);
  if (length !== undefined && (ulong64(length) ?? 0n) < BigInt(returnLength)) {
    return fail(Status.STATUS_BUFFER_TOO_SMALL, returnLength);
  }
  return { status: Status.STATUS_SUCCESS, linkTarget: target, returnLength };
}
