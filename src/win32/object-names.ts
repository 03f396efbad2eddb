/**
 * How Win32 calls say which object they mean and what its handle shall be like: a name in the caller's
 * session, SECURITY_ATTRIBUTES.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { fieldsOf, type Handle } from '../nt/arguments.js';
import { OBJ_INHERIT, OBJ_OPENIF } from '../nt/constants.js';
import { ObjectAttributes, SESSION_DIRECTORY } from '../nt/object-attributes.js';
import { cString, fail } from './arguments.js';
import { ERROR_ALREADY_EXISTS, ERROR_SUCCESS } from './constants.js';
import { SetLastError } from './last-error.js';

/** SECURITY_ATTRIBUTES, with the descriptor as SDDL. */
export interface SecurityAttributes {
  readonly nLength?: number;
  readonly lpSecurityDescriptor?: string | null;
  /** Whether child processes get the handle. */
  readonly bInheritHandle?: boolean;
}

function attributesFor(name: string | null, flags: number, inherit: boolean, security: string | null): ObjectAttributes {
  const text = typeof name === 'string' ? cString(name) : name;
  return new ObjectAttributes(text, flags | (inherit ? OBJ_INHERIT : 0), text === null ? null : SESSION_DIRECTORY, security);
}

/** For creating an object, or opening the one that has the name. */
export function attributesToCreate(security: string | SecurityAttributes | null, name: string | null): ObjectAttributes {
  const fields = fieldsOf(security, 'lpSecurityDescriptor', 'bInheritHandle');
  const descriptor = typeof security === 'string' ? security : (fields?.lpSecurityDescriptor ?? null);
  return attributesFor(name ?? null, OBJ_OPENIF, fields?.bInheritHandle === true, descriptor as string | null);
}

/** Whether SECURITY_ATTRIBUTES say that children get the handle. */
export function isInheritable(security: unknown): boolean {
  return fieldsOf(security, 'bInheritHandle')?.bInheritHandle === true;
}

export function attributesToOpen(inherit: boolean, name: string): ObjectAttributes {
  return attributesFor(name, 0, inherit === true, null);
}

/** What a creating call returns; the last error tells a new object from one that was there. */
export function created(status: NTSTATUS, handle: Handle): Handle {
  if (!isSuccess(status)) return fail(status, 0);
  SetLastError(status === Status.STATUS_OBJECT_NAME_EXISTS ? ERROR_ALREADY_EXISTS : ERROR_SUCCESS);
  return handle;
}
