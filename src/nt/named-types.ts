/**
 * The types of objects that share the namespace with sections: events, mutants, semaphores, directories
 * and symbolic links, and what stands behind a handle on one.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { isSuccess } from '../base/status.js';
import { readContent } from '../memory/object-content.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { SharedWords } from '../memory/shared-words.js';
import { Protect } from '../os/index.js';
import { accessCheck, fromSddl, objectTypes, tokenOfThisProcess } from '../security/index.js';
import { type Directory, directoryOf, type FixedLink } from './object-directory.js';
import { type ManagedObject, type NamedType, namedType, type ObjectBody } from './object-types.js';
import { OWNER_WORDS } from './owner.js';

/* ---------------------------------------------------------- events, mutants, semaphores ---- */

/**
 * An object whose state is a few words of shared memory, mapped when somebody first looks; processes may
 * race for it.
 */
export class StateObject implements ObjectBody {
  readonly object: ObjectHandle;
  readonly #length: number;
  #words: SharedWords | null = null;

  /** @param length Words that its kind has. */
  constructor(object: ObjectHandle, length: number) {
    this.object = object;
    this.#length = length;
  }

  /** Whether this handle's memory can be written. */
  get writable(): boolean {
    return this.object.memory.writable;
  }

  /**
   * The words of its state.
   *
   * @throws SectionError where the memory cannot be mapped, or is too short: whoever made the object may be anybody
   */
  get words(): SharedWords {
    if (this.#words !== null) return this.#words;
    const { memory } = this.object;
    const length = this.#length * Int32Array.BYTES_PER_ELEMENT;
    if (memory.size < length) {
      throw new SectionError('ERR_SECTION_TYPE_MISMATCH', {
        operation: 'use an object',
        object: memory.description,
        rule: `it has ${memory.size} bytes, and its state has ${length}: it was not made by Sectile`,
      });
    }
    const protection = Protect.read | (memory.writable ? Protect.write : 0);
    const mapping = memory.map('use an object', memory.description, { offset: 0, length, protection, private: false });
    this.#words = new SharedWords(mapping);
    return this.#words;
  }

  close(): void {
    this.#words?.close();
    this.object.close();
  }
}

const stateType = (kind: 'Event' | 'Mutant' | 'Semaphore', length: number): NamedType<StateObject> =>
  namedType(kind, { bodyOf: (object) => new StateObject(object, length), objectOf: ({ object }) => object });

export const eventType = stateType('Event', 2);
export const mutantType = stateType('Mutant', 1 + OWNER_WORDS);
export const semaphoreType = stateType('Semaphore', 2);

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
