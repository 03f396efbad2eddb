/**
 * The types of objects that share the namespace with sections: events, mutants, semaphores, directories
 * and symbolic links, and what stands behind a handle on one.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { isSuccess } from '../base/status.js';
import { readContent } from '../memory/object-content.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { type Mapping, os } from '../os/index.js';
import { accessCheck, fromSddl, objectTypes, tokenOfThisProcess } from '../security/index.js';
import { EVENT_BYTES, EventState } from '../sync/event-state.js';
import { MUTEX_BYTES, MutexState } from '../sync/mutex-state.js';
import { SEMAPHORE_BYTES, SemaphoreState } from '../sync/semaphore-state.js';
import { mapState } from '../sync/state-memory.js';
import type { Waitable } from '../sync/waitable.js';
import { type Directory, directoryOf, type FixedLink } from './object-directory.js';
import { type ManagedObject, type NamedType, namedType, type ObjectBody } from './object-types.js';

/* ---------------------------------------------------------- events, mutants, semaphores ---- */

/** What a kind of objects with a state is made of: how many bytes it has, and what works on them. */
interface StateKind<S extends Waitable> {
  readonly bytes: number;
  readonly over: (mapping: Mapping) => S;
}

/**
 * An object whose state is a few words of shared memory, mapped when somebody first looks; processes may
 * race for it.
 */
export class StateObject<S extends Waitable = Waitable> implements ObjectBody {
  readonly object: ObjectHandle;
  readonly #kind: StateKind<S>;
  #mapping: Mapping | null = null;
  #state: S | null = null;

  constructor(object: ObjectHandle, kind: StateKind<S>) {
    this.object = object;
    this.#kind = kind;
  }

  /** Whether this handle's memory can be written. */
  get writable(): boolean {
    return this.object.memory.writable;
  }

  /**
   * Its state.
   *
   * @throws SectionError where the memory cannot be mapped, or is too short
   */
  get state(): S {
    if (this.#state !== null) return this.#state;
    this.#mapping = mapState('use an object', this.object, this.#kind.bytes);
    this.#state = this.#kind.over(this.#mapping);
    return this.#state;
  }

  close(): void {
    this.#state?.close();
    if (this.#mapping !== null) os.mappingClose(this.#mapping);
    this.object.close();
  }
}

/** @param takenByWaits Whether a wait changes the state. */
function stateType<S extends Waitable>(
  kind: 'Event' | 'Mutant' | 'Semaphore',
  { takenByWaits, ...of }: StateKind<S> & { takenByWaits: (state: S) => boolean },
): NamedType<StateObject<S>> {
  return {
    ...namedType<StateObject<S>>(kind, { bodyOf: (object) => new StateObject(object, of), objectOf: ({ object }) => object }),
    waitFor: ({ state, writable }) => (writable || !takenByWaits(state) ? state : null),
  };
}

export const eventType = stateType('Event', {
  bytes: EVENT_BYTES,
  over: (mapping) => new EventState(mapping),
  takenByWaits: (state) => !state.manualReset,
});
export const mutantType = stateType('Mutant', {
  bytes: MUTEX_BYTES,
  over: (mapping) => new MutexState(mapping),
  takenByWaits: () => true,
});
export const semaphoreType = stateType('Semaphore', {
  bytes: SEMAPHORE_BYTES,
  over: (mapping) => new SemaphoreState(mapping),
  takenByWaits: () => true,
});

/* -------------------------------------------------------------- directories and links ---- */

/** Who may do what with what is always there: everybody looks, and creates where programs' objects are. */
const LOOK_AND_CREATE = 'O:SYG:SYD:(A;;0x2000F;;;WD)(A;;GA;;;SY)';
const LOOK = 'O:SYG:SYD:(A;;0x20003;;;WD)(A;;GA;;;SY)';
const READ_LINK = 'O:SYG:SYD:(A;;0x20001;;;WD)(A;;GA;;;SY)';

/** A directory or a link that is always there: nobody created it, and nobody can change it. */
export class FixedObject implements ManagedObject {
  readonly identity: string;
  readonly path: string;
  readonly name = null;
  readonly #kind: ObjectKind;
  readonly #security: string;

  constructor(kind: ObjectKind, path: string, security: string) {
    this.#kind = kind;
    this.path = path === '' ? '\\' : path;
    this.identity = this.path;
    this.#security = security;
  }

  grant(desired: number): number {
    const token = tokenOfThisProcess();
    const { status, granted } = accessCheck(fromSddl(this.#security, token), token, desired, objectTypes[this.#kind].mapping);
    if (isSuccess(status)) return granted;
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation: 'open an object',
      object: `"${this.path}"`,
      rule: `its security descriptor ${this.#security} does not grant access 0x${desired.toString(16)}`,
      wayOut: 'Ask for less',
      status,
    });
  }

  security(): string {
    return this.#security;
  }

  permanent(): boolean {
    return true;
  }

  setPermanent(permanent: boolean): void {
    if (!permanent) this.#refuse();
  }

  setSecurity(): void {
    this.#refuse();
  }

  #refuse(): never {
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation: 'change an object',
      object: `"${this.path}"`,
      rule: 'it is a fixed part of the namespace',
      wayOut: 'Create a directory of your own, NtCreateDirectoryObject',
    });
  }
}

/** Behind a handle on a directory. */
export interface DirectoryBody extends ObjectBody {
  readonly directory: Directory;
  readonly object: ObjectHandle | FixedObject;
}

/** Behind a handle on a symbolic link. */
export interface LinkBody extends ObjectBody {
  readonly target: string;
  readonly object: ObjectHandle | FixedObject;
}

/** A body whose object is a fixed one. */
interface Fixed {
  readonly object: FixedObject;
}

export function fixedDirectoryBody(directory: Directory): DirectoryBody & Fixed {
  const object = new FixedObject('Directory', directory.path, directory.holds === null ? LOOK : LOOK_AND_CREATE);
  return { directory, object, close: () => {} };
}

export function fixedLinkBody({ path, target }: FixedLink): LinkBody & Fixed {
  return { target, object: new FixedObject('SymbolicLink', path, READ_LINK), close: () => {} };
}

function directoryBody(object: ObjectHandle): DirectoryBody {
  const directory = { ...directoryOf(object.name, object.identity), reopen: (desired: number) => object.reopen(desired) };
  return { directory, object, close: () => object.close() };
}

function linkBody(object: ObjectHandle): LinkBody {
  const bytes = readContent('read a symbolic link', object.memory.description, object.memory);
  return { target: Buffer.from(bytes).toString('utf16le'), object, close: () => object.close() };
}

/** How a link keeps its target. */
export function linkContent(target: string): Uint8Array {
  return Buffer.from(target, 'utf16le');
}

export const directoryType: NamedType<DirectoryBody> = namedType('Directory', {
  bodyOf: directoryBody,
  objectOf: ({ object }) => object,
});

export const symbolicLinkType: NamedType<LinkBody> = namedType('SymbolicLink', {
  bodyOf: linkBody,
  objectOf: ({ object }) => object,
});
