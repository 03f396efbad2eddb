/**
 * How the calls of this face reach the kernel: by name, with handles that are the program's, and object attributes in
 * the kernel's form.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { type Handle, handleValue, ulong } from '../../nt/arguments.js';
import { capture, type ObjectAttributes, textOf } from '../../nt/object-attributes.js';
import { CURRENT_PROCESS } from '../../nt/tables.js';
import type { NtSystem, ObjectAttributesArgument, SystemArgument } from '../../os/index.js';
import { GivenHandles } from '../given-handles.js';
import { callOf, grantedAccess } from '../handles.js';
import { noteViewsOfRuntime } from '../own-memory.js';
import { handleIn, words64 } from '../structures.js';

/** What the kernel is given for a handle that is not the program's: it says what is wrong with it. */
const NO_HANDLE: Handle = 0x7fff_fffc;

export interface Refusal {
  readonly status: NTSTATUS;
}

/** A handle with the status that it came with; 0 with that of a failure. */
export interface Opened {
  readonly status: NTSTATUS;
  readonly handle: Handle;
}

const refuse = (status: NTSTATUS): Opened => ({ status, handle: 0 });

/** Whether what a caller passed could not all be read as the numbers that C would have. */
export function isUnreadable(request: object): boolean {
  return Object.values(request).includes(undefined);
}

export class Kernel {
  readonly nt: NtSystem;
  readonly #given: GivenHandles;

  constructor(nt: NtSystem) {
    this.nt = nt;
    this.#given = new GivenHandles(nt);
    noteViewsOfRuntime(nt);
  }

  call(name: string, ...given: readonly SystemArgument[]): NTSTATUS {
    return callOf(this.nt, name)(...given);
  }

  /** The handle to give to the kernel for what a caller gave. */
  handle(value: unknown): Handle {
    return this.#given.usable(value) || NO_HANDLE;
  }

  /** The same where none may be given. */
  handleOrNone(value: unknown): Handle {
    return value === null || value === undefined || value === 0 ? 0 : this.handle(value);
  }

  /** Enters a handle that a call filled in. */
  enter(bytes: Uint8Array): Handle {
    return this.#given.add(handleIn(bytes));
  }

  /** Takes a handle of this process off the list, for what may close it: it is looked at again when it is used. */
  forget(handle: Handle): void {
    this.#given.forget(handle);
  }

  /** Whether a handle stands for this process. */
  isThisProcess(value: unknown): boolean {
    if (handleValue(value) === CURRENT_PROCESS) return true;
    return this.call('NtCompareObjects', this.handle(value), CURRENT_PROCESS) === Status.STATUS_SUCCESS;
  }

  /** Whether a handle that stands for this process may be used for what needs these rights: a status. */
  mayUseThisProcess(value: unknown, rights: number): NTSTATUS {
    const isPseudo = handleValue(value) === CURRENT_PROCESS;
    const granted = isPseudo ? rights : grantedAccess(this.nt, this.handle(value));
    return (granted & rights) === rights ? Status.STATUS_SUCCESS : Status.STATUS_ACCESS_DENIED;
  }

  /** OBJECT_ATTRIBUTES in the kernel's form. A descriptor counts for what is created alone. */
  attributes(given: ObjectAttributes | null, creates: boolean): ObjectAttributesArgument | Refusal {
    const captured = capture(given);
    if ('status' in captured) return captured;
    const name = textOf(captured.given.ObjectName);
    if (name !== null && typeof name !== 'string') return name;
    const security = creates && captured.security !== undefined ? this.nt.securityFromText(captured.security) : null;
    if (typeof security === 'number') return { status: Status.STATUS_INVALID_SECURITY_DESCR };
    return [name, captured.attributes, this.handleOrNone(captured.given.RootDirectory), security];
  }

  /** A call that fills in a handle: it gets that, the rights that are wanted, and what follows. */
  open(name: string, desiredAccess: unknown, ...rest: readonly SystemArgument[]): Opened {
    const desired = ulong(desiredAccess);
    if (desired === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
    const handle = words64(0n);
    const status = this.call(name, handle, desired, ...rest);
    return isSuccess(status) ? { status, handle: this.enter(handle) } : refuse(status);
  }

  /** Creates an object of a type that takes no more than these, or with OBJ_OPENIF opens it. */
  createNamed(name: string, desiredAccess: unknown, given: ObjectAttributes | null, ...rest: readonly SystemArgument[]): Opened {
    const attributes = given === null || given === undefined ? null : this.attributes(given, true);
    return attributes !== null && 'status' in attributes
      ? refuse(attributes.status)
      : this.open(name, desiredAccess, attributes, ...rest);
  }

  openNamed(name: string, desiredAccess: unknown, given: ObjectAttributes): Opened {
    const attributes = this.attributes(given, false);
    return 'status' in attributes ? refuse(attributes.status) : this.open(name, desiredAccess, attributes);
  }
}
