/**
 * How the face makes the system's Win32 calls: by name, with the last error that the face keeps. What JavaScript can pass
 * and C cannot is judged here, as src/win32 judges it; everything else is the system's to judge.
 */
import { fieldsOf, type Handle } from '../../nt/arguments.js';
import type { NtSystem, SecurityAttributesArgument, SystemArgument } from '../../os/index.js';
import { cString, failWith } from '../../win32/arguments.js';
import {
  ERROR_CALL_NOT_IMPLEMENTED,
  ERROR_FILENAME_EXCED_RANGE,
  ERROR_INVALID_SECURITY_DESCR,
  ERROR_NOACCESS,
} from '../../win32/constants.js';
import { SetLastError } from '../../win32/last-error.js';
import { GivenHandles } from '../given-handles.js';
import { callOf } from '../handles.js';

/** The longest text that a UNICODE_STRING holds with its NUL, in 16-bit units. */
const MOST_CHARACTERS = 0x7ffe;
/** The longest SDDL that the native part reads. */
const MOST_SDDL = 0x2_0000;

/** What a call takes for a name or for security; null where it is none, and the last error says so. */
export type Taken<T> = { readonly value: T } | null;

export class Win32System {
  readonly nt: NtSystem;
  readonly handles: GivenHandles;
  /** Of the last call. */
  #error = 0;

  constructor(nt: NtSystem) {
    this.nt = nt;
    this.handles = new GivenHandles(nt);
  }

  /** What a call answers; 0 where this version of the system lacks it. */
  call(name: string, ...given: readonly SystemArgument[]): number | bigint {
    const call: ((...all: readonly SystemArgument[]) => number | bigint) | undefined = this.nt.calls[name];
    const answer = call === undefined ? 0 : call(...given);
    this.#error = call === undefined ? ERROR_CALL_NOT_IMPLEMENTED : this.nt.lastError();
    return answer;
  }

  /** Fails for the reason that the last call gave. */
  fails<T>(value: T): T {
    SetLastError(this.#error);
    return value;
  }

  /** A call that answers with a BOOL, or with 0 for its failure. */
  does(name: string, ...given: readonly SystemArgument[]): boolean {
    return Number(this.call(name, ...given)) !== 0 || this.fails(false);
  }

  /** A call that opens: its handle, or `none`. */
  opens(none: Handle, name: string, ...given: readonly SystemArgument[]): Handle {
    const handle = Number(this.call(name, ...given));
    return handle === none || handle === 0 ? this.fails(none) : this.handles.add(handle);
  }

  /** A call that creates: as {@link opens}, and the last error tells what is new from what was there. */
  creates(none: Handle, name: string, ...given: readonly SystemArgument[]): Handle {
    const handle = this.opens(none, name, ...given);
    return handle === none ? none : this.fails(handle);
  }

  /** Fails as Win32 does for a status. */
  failsWith<T>(status: number, value: T): T {
    SetLastError(callOf(this.nt, 'RtlNtStatusToDosError')(status));
    return value;
  }

  /** Bytes that were transferred, or minus the error. */
  transferred(result: number): number | false {
    return result < 0 ? failWith(-result, false) : result;
  }
}

/** A name, or none. */
export function nameOf(name: unknown): Taken<string | null> {
  if (name === null || name === undefined) return { value: null };
  if (typeof name !== 'string') return failWith(ERROR_NOACCESS, null);
  const text = cString(name);
  return text.length > MOST_CHARACTERS ? failWith(ERROR_FILENAME_EXCED_RANGE, null) : { value: text };
}

/** SECURITY_ATTRIBUTES, or SDDL alone. */
export function securityOf({ nt }: Win32System, security: unknown): Taken<SecurityAttributesArgument | null> {
  const fields = fieldsOf(security, 'lpSecurityDescriptor', 'bInheritHandle');
  const sddl = typeof security === 'string' ? security : (fields?.lpSecurityDescriptor ?? null);
  const inherit = fields?.bInheritHandle === true;
  if (sddl === null) return { value: inherit ? [null, true] : null };
  const descriptor = descriptorOf(nt, sddl);
  return descriptor === null ? null : { value: [descriptor, inherit] };
}

/** A security descriptor from SDDL. Null where it is none, and the last error says so. */
export function descriptorOf(nt: NtSystem, sddl: unknown): Uint8Array | null {
  const text = typeof sddl === 'string' ? cString(sddl) : '';
  const descriptor = text === '' || text.length > MOST_SDDL ? ERROR_INVALID_SECURITY_DESCR : nt.securityFromText(text);
  return typeof descriptor === 'number' ? failWith(ERROR_INVALID_SECURITY_DESCR, null) : descriptor;
}
