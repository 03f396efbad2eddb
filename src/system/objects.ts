/**
 * The objects of the system process, with their names, rights and handle counts. Decides who gets which
 * descriptor; speaks to nobody.
 *
 * A descriptor that is handed out carries no more than the rights that were granted: the memory's own
 * mode allows nobody to open it anew, a reader gets a description that was opened for reading.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { isSuccess, Status } from '../base/status.js';
import type { MemoryObject } from '../memory/memory-object.js';
import { readContent, takenByWaits } from '../memory/object-content.js';
import type { SectionFacts } from '../memory/object-handle.js';
import { roundUp } from '../memory/pagefile.js';
import { sharedWritable } from '../memory/section-masks.js';
import { MAXIMUM_NAME_LENGTH, type ObjectEntry, type ObjectName } from '../namespace/name.js';
import { newIdentity, notFound, requireKind, requireShareable } from '../namespace/object-rules.js';
import { type Descriptor, os } from '../os/index.js';
import {
  accessCheck,
  creatorAccess,
  DIRECTORY_CREATE_OBJECT,
  DIRECTORY_CREATE_SUBDIRECTORY,
  holdable,
  modifiesMemory,
  objectTypes,
  type SecurityDescriptor,
  type Token,
} from '../security/index.js';
import { Entries } from './entries.js';
import { Tickets } from './tickets.js';

/** Who holds a handle: a client's connection, kernel mode, or somebody to come. */
export interface Holder {
  readonly pid: number;
  readonly kernel: boolean;
}

/** What an object is made of. */
export interface ObjectParts {
  readonly name: ObjectName;
  readonly kind: ObjectKind;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly descriptor: SecurityDescriptor;
  /** The user whose account it is on; null for kernel mode. */
  readonly chargedTo: number | null;
  readonly exclusive: boolean;
  readonly permanent: boolean;
  /**
   * A description of the memory that was opened for reading; made here unless the caller has one (of a
   * file, which is not ours to reopen).
   */
  readonly reader?: Descriptor | undefined;
}

export class KernelObject {
  readonly name: ObjectName;
  readonly kind: ObjectKind;
  readonly identity = newIdentity();
  readonly memory: MemoryObject;
  readonly chargedTo: number | null;
  readonly exclusive: boolean;
  readonly created = Date.now();
  descriptor: SecurityDescriptor;
  /** Outlives its last handle. */
  permanent: boolean;
  /** For those who may only read. */
  readonly #reader: Descriptor;
  /** Whether a wait for it changes its state: as it was made, whatever its holders write there. */
  readonly #takenByWaits: boolean;
  #facts: SectionFacts;
  readonly holders = new Map<Holder, { handles: number; granted: number }>();
  #handles = 0;

  /** Takes over the memory, and the reader if there is one. */
  constructor({ name, kind, memory, facts, descriptor, chargedTo, exclusive, permanent, reader }: ObjectParts) {
    this.name = name;
    this.kind = kind;
    this.memory = memory;
    this.#takenByWaits = takenByWaits(kind, memory);
    this.#facts = facts;
    this.descriptor = descriptor;
    this.chargedTo = chargedTo;
    this.exclusive = exclusive;
    this.permanent = permanent;
    this.#reader = reader ?? os.descriptorReopen(memory.descriptor, false);
    // From here nobody opens the memory by /proc/self/fd who does not own it.
    if (reader === undefined) os.descriptorSetMode(memory.descriptor, 0);
  }

  get facts(): SectionFacts {
    return this.#facts;
  }

  /** {@link ObjectHandle.extend} */
  extend(size: number): number {
    const { size: length } = os.descriptorStat(this.memory.descriptor);
    if (this.memory.backing !== 'file' || length < size) {
      throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
        operation: 'extend a section',
        object: `"${this.name.full}"`,
        rule: `it cannot reach to ${size} bytes: ${this.memory.backing === 'file' ? `its file has ${length}` : 'it has no file'}`,
        wayOut: 'Grow the file first',
      });
    }
    this.#facts = { ...this.#facts, size: Math.max(size, this.#facts.size) };
    return this.#facts.size;
  }

  /** Bytes on its creator's account: whole pages, and nothing for a file. */
  get charge(): number {
    return this.memory.backing === 'file' ? 0 : roundUp(this.facts.size, this.memory.pageSize);
  }

  get handles(): number {
    return this.#handles;
  }

  /** Whether somebody with these rights gets a descriptor that writes. */
  writes(granted: number, isCreator: boolean): boolean {
    const { pageProtection, soleWriter } = this.facts;
    return (
      modifiesMemory(this.kind, granted, this.#takenByWaits) &&
      this.memory.writable &&
      sharedWritable(pageProtection) &&
      (!soleWriter || isCreator)
    );
  }

  descriptorFor(writes: boolean): Descriptor {
    return writes ? this.memory.descriptor : this.#reader;
  }

  /** What a directory tells of it. */
  entry(): ObjectEntry {
    return { kind: this.kind, leaf: this.name.leaf, identity: this.identity };
  }

  /**
   * Checks access for somebody.
   *
   * @param token Null: kernel mode, no check.
   * @returns the rights of a handle
   * @throws SectionError ERR_SECTION_ACCESS_DENIED
   */
  grant(operation: string, token: Token | null, desired: number): number {
    if (token === null) return creatorAccess(this.kind, desired);
    const { status, granted } = accessCheck(this.descriptor, token, desired, objectTypes[this.kind].mapping);
    if (isSuccess(status)) return holdable(this.kind, granted);
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: `"${this.name.full}"`,
      rule: `its security descriptor does not grant access 0x${desired.toString(16)} to ${token.describe()}`,
      wayOut: 'Ask for less, or have its creator grant it',
      status,
    });
  }

  retain(holder: Holder, granted: number): void {
    this.#handles++;
    const entry = this.holders.get(holder) ?? { handles: 0, granted: 0 };
    this.holders.set(holder, { handles: entry.handles + 1, granted: entry.granted | granted });
  }

  /** True when that was the last handle. */
  release(holder: Holder): boolean {
    const entry = this.holders.get(holder);
    if (entry !== undefined && --entry.handles === 0) this.holders.delete(holder);
    return --this.#handles === 0;
  }

  destroy(): void {
    os.descriptorClose(this.#reader);
    this.memory.close();
  }
}

export interface Opening {
  /** Null: any. */
  readonly kind: ObjectKind | null;
  /** Null: kernel mode, no access check. */
  readonly token: Token | null;
  readonly desired: number;
  readonly caseInsensitive: boolean;
  readonly exclusive: boolean;
}

/** The key of \BaseNamedObjects itself, which is no object. */
const ROOT = '';
const ROOT_NAME = 'Global';
const LONGEST_FULL_NAME = ROOT_NAME.length + 1 + MAXIMUM_NAME_LENGTH;

/** \BaseNamedObjects, the directories in it, and all that lives in them. */
export class ObjectDirectory {
  readonly tickets = new Tickets(this);
  /** By identity of the directory, then by leaf. */
  readonly #entries = new Map<string, Entries>();
  /** Directories that live, by identity: nothing is looked up in one that does not. */
  readonly #directories = new Map<string, KernelObject>();
  readonly #accounts = new Map<number, { bytes: number; objects: number }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  list(): readonly KernelObject[] {
    return [...this.#entries.values()].flatMap((each) => each.all());
  }

  /** What a user's clients have created and still lives. */
  accountOf(user: number): { readonly bytes: number; readonly objects: number } {
    return this.#accounts.get(user) ?? { bytes: 0, objects: 0 };
  }

  /** Objects of all users but root. */
  get objectsOfUsers(): number {
    let sum = 0;
    for (const [user, { objects }] of this.#accounts) if (user !== 0) sum += objects;
    return sum;
  }

  /** A directory object; undefined for \BaseNamedObjects itself. Throws STATUS_OBJECT_PATH_NOT_FOUND where none lives. */
  directory(operation: string, identity: string | undefined): KernelObject | undefined {
    if (identity === undefined) return undefined;
    const directory = this.#directories.get(identity);
    if (directory !== undefined) return directory;
    throw new SectionError('ERR_SECTION_NOT_FOUND', {
      operation,
      object: `directory ${identity}`,
      rule: 'it has gone with its last handle',
      status: Status.STATUS_OBJECT_PATH_NOT_FOUND,
    });
  }

  /** The name of a leaf in a directory, as messages show it. */
  nameIn(operation: string, identity: string | undefined, leaf: string): ObjectName {
    const directory = this.directory(operation, identity);
    const full = `${directory === undefined ? ROOT_NAME : directory.name.full}\\${leaf}`;
    // Directories in directories: each name would be as long as all names above it.
    if (full.length > LONGEST_FULL_NAME) {
      throw new SectionError('ERR_SECTION_INVALID_NAME', {
        operation,
        rule: `a name has at most ${MAXIMUM_NAME_LENGTH} UTF-16 units with those of its directories, this one has more`,
      });
    }
    return { scope: 'global', leaf, full, ...(identity === undefined ? {} : { directory: identity }) };
  }

  find(operation: string, { directory, leaf }: ObjectName, caseInsensitive: boolean): KernelObject | undefined {
    this.directory(operation, directory);
    return this.#entries.get(directory ?? ROOT)?.find(leaf, caseInsensitive);
  }

  /** What a name leads to, with the target of a link. */
  entry(operation: string, name: ObjectName, caseInsensitive: boolean): ObjectEntry | null {
    const object = this.find(operation, name, caseInsensitive);
    if (object === undefined) return null;
    if (object.kind !== 'SymbolicLink') return object.entry();
    const target = Buffer.from(readContent(operation, `"${object.name.full}"`, object.memory)).toString('utf16le');
    return { ...object.entry(), target };
  }

  /** What is in a directory, by name. */
  entries(operation: string, directory: string | undefined): readonly ObjectEntry[] {
    this.directory(operation, directory);
    return this.#entries.get(directory ?? ROOT)?.sorted() ?? [];
  }

  /**
   * Opens an object for somebody: finds it and checks the rights.
   *
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_ACCESS_DENIED
   */
  open(operation: string, name: ObjectName, opening: Opening): { readonly object: KernelObject; readonly granted: number } {
    const object = this.find(operation, name, opening.caseInsensitive);
    if (object === undefined) throw notFound(operation, name, opening.kind, 'the system process has not');
    requireKind(operation, object.name, object.kind, opening.kind);
    const granted = object.grant(operation, opening.token, opening.desired);
    requireShareable(operation, object.name, object, opening.exclusive);
    return { object, granted };
  }

  /**
   * Whether somebody may create an object in a directory: asked of the directory's own descriptor.
   *
   * @throws SectionError ERR_SECTION_ACCESS_DENIED
   */
  requireCreation(operation: string, name: ObjectName, kind: ObjectKind, token: Token): void {
    const right = kind === 'Directory' ? DIRECTORY_CREATE_SUBDIRECTORY : DIRECTORY_CREATE_OBJECT;
    this.directory(operation, name.directory)?.grant(operation, token, right);
  }

  /** Enters a new object under its name, which the caller has found free. */
  add(object: KernelObject): void {
    const { directory = ROOT } = object.name;
    const entries = this.#entries.get(directory) ?? new Entries();
    this.#entries.set(directory, entries);
    entries.add(object);
    if (object.kind === 'Directory') this.#directories.set(object.identity, object);
    this.#size++;
    this.#charge(object, 1);
  }

  /** Lets go of a handle; with the last one the name and this side's hold on the memory go, unless it is permanent. */
  release(object: KernelObject, holder: Holder): void {
    if (object.release(holder) && !object.permanent) this.#remove(object);
  }

  /** Removes what is permanent and held by nobody: at the end. */
  clear(): void {
    this.tickets.close();
    for (const each of this.list()) if (each.handles === 0) this.#remove(each);
  }

  #remove(object: KernelObject): void {
    const { directory = ROOT } = object.name;
    const entries = this.#entries.get(directory);
    entries?.delete(object);
    if (entries?.size === 0) this.#entries.delete(directory);
    this.#directories.delete(object.identity);
    this.#size--;
    this.#charge(object, -1);
    object.destroy();
  }

  /** Sets room aside for an object that is being made: what others ask for meanwhile is on top of it. Ends with the call. */
  reserve(user: number, bytes: number): () => void {
    this.#account(user, bytes, 1);
    return () => this.#account(user, -bytes, -1);
  }

  #charge(object: KernelObject, sign: 1 | -1): void {
    if (object.chargedTo !== null) this.#account(object.chargedTo, sign * object.charge, sign);
  }

  #account(user: number, moreBytes: number, moreObjects: 1 | -1): void {
    const { bytes, objects } = this.accountOf(user);
    const after = { bytes: bytes + moreBytes, objects: objects + moreObjects };
    if (after.objects === 0) this.#accounts.delete(user);
    else this.#accounts.set(user, after);
  }
}
