/**
 * Global names, as a client of the system process has them: handles that it counts, with descriptors that
 * can do what it granted.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { MemoryObject } from '../memory/memory-object.js';
import type { ObjectHandle, SectionFacts } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import type { ObjectEntry, ObjectName } from '../namespace/name.js';
import { type Descriptor, os } from '../os/index.js';
import { modifiesMemory } from '../security/index.js';
import { type Answer, ask, type Connection, connected, request } from './client.js';
import { systemInThisProcess } from './kernel.js';
import type { LookupOptions, ObjectCreation, SectionCreation } from './lookup.js';
import type { HandleReply, Operation, RequestOf } from './protocol.js';

class GlobalHandle implements ObjectHandle {
  readonly kind: ObjectKind;
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly identity: string;
  readonly name: ObjectName;
  readonly #through: Connection;
  readonly #handle: number;
  #closed = false;

  constructor(through: Connection, name: ObjectName, reply: HandleReply, memory: MemoryObject) {
    const { size, pageProtection, attributes, soleWriter } = reply;
    this.#through = through;
    this.#handle = reply.handle;
    this.kind = reply.kind;
    this.identity = reply.identity;
    this.name = name;
    this.memory = memory;
    this.facts = { size, pageProtection, attributes, soleWriter };
    this.granted = reply.granted;
    this.created = reply.created;
  }

  duplicate(granted: number): ObjectHandle {
    const operation = 'duplicate a handle';
    return this.#another(operation, this.#ask(operation, 'handle.duplicate', { granted }));
  }

  reopen(desired: number): ObjectHandle {
    const operation = 'open an object again';
    return this.#another(operation, this.#ask(operation, 'handle.reopen', { desired }));
  }

  pack(granted: number): Parcel {
    const { ticket } = this.#ask('hand an object on', 'handle.pass', { granted }).value;
    return globalParcel(this.name, ticket);
  }

  handleCount(): number {
    return this.#ask('count handles', 'handle.query', {}).value.handles;
  }

  currentSize(): number {
    return this.#ask('query an object', 'handle.query', {}).value.size;
  }

  extend(size: number): number {
    return this.#ask('extend a section', 'handle.extend', { size }).value.size;
  }

  security(): string {
    return this.#ask('query the security of an object', 'handle.security', {}).value.security;
  }

  setSecurity(sddl: string): void {
    this.#ask('set the security of an object', 'handle.set-security', { security: sddl });
  }

  permanent(): boolean {
    return this.#ask('query an object', 'handle.query', {}).value.permanent;
  }

  setPermanent(permanent: boolean): void {
    const operation = permanent ? 'make an object permanent' : 'make an object temporary';
    this.#ask(operation, 'handle.set-permanent', { permanent });
  }

  /** Null once it is closed. */
  get systemHandle(): SystemHandle | null {
    return this.#closed ? null : { through: this.#through, handle: this.#handle };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.memory.close();
    if (this.#through.gone) return;
    try {
      ask(this.#through, 'close a handle', 'handle.close', { handle: this.#handle });
    } catch {
      // The system process has gone, and the handle with it.
    }
  }

  /** Through the connection that the handle came by: on any other it means nothing, or something else. */
  #ask<O extends Operation>(caller: string, operation: O, fields: Omit<RequestOf<O>, 'handle'>): Answer<O> {
    if (this.#closed || this.#through.gone) {
      const rule = this.#closed ? 'it is closed' : 'the system process that gave this handle has gone';
      throw new SectionError(this.#closed ? 'ERR_SECTION_CLOSED' : 'ERR_SECTION_SYSTEM_GONE', {
        operation: caller,
        object: `"${this.name.full}"`,
        rule,
        wayOut: 'Open it again',
      });
    }
    return ask(this.#through, caller, operation, { ...fields, handle: this.#handle } as RequestOf<O>);
  }

  #another(caller: string, answer: HandleAnswer): ObjectHandle {
    // Of a section that we alone write, only this memory can make further writable views.
    const writes = modifiesMemory(this.kind, answer.value.granted, true);
    const own = writes && this.facts.soleWriter && this.memory.writable ? this.memory.share() : undefined;
    return handleFrom(caller, this.name, answer, this.#through, own);
  }
}

/** A handle as the system process knows it: its number, in the connection that it came by. */
export interface SystemHandle {
  readonly through: Connection;
  readonly handle: number;
}

/** What the system process knows a handle as; null where it does not. */
export function systemHandleOf(body: unknown): SystemHandle | null {
  return body instanceof GlobalHandle ? body.systemHandle : null;
}

/** An answer that brings a handle, whatever was asked. */
type HandleAnswer = Pick<Answer<'object.open'>, 'value' | 'descriptors'>;

/**
 * A sole writer maps its section once and then closes the door behind it: the seal is set through the
 * creator's own descriptor, before anybody else can have one that writes.
 */
function memoryFrom(operation: string, reply: HandleReply, descriptor: Descriptor): MemoryObject {
  const { size, pageSize, backing, writable } = reply;
  if (!reply.soleWriter || !reply.created) return MemoryObject.adopt(descriptor, { backing, size, pageSize, writable });
  return MemoryObject.adoptAsSoleWriter(operation, descriptor, { backing, size, pageSize });
}

/** @param own Memory that the handle shall use instead of what came with the answer. */
function handleFrom(
  operation: string,
  { directory, full, leaf }: ObjectName,
  { value, descriptors }: HandleAnswer,
  through: Connection,
  own?: MemoryObject,
): ObjectHandle {
  const [descriptor, ...others] = descriptors;
  for (const each of others) os.descriptorClose(each);
  if (descriptor === undefined) {
    throw new SectionError('ERR_SECTION_PROTOCOL', {
      operation,
      object: `"${full}"`,
      rule: 'the answer came without its descriptor',
    });
  }
  const name: ObjectName = {
    scope: 'global',
    leaf: value.leaf,
    full: full.slice(0, full.length - leaf.length) + value.leaf,
    ...(directory === undefined ? {} : { directory }),
  };
  if (own !== undefined) os.descriptorClose(descriptor);
  return new GlobalHandle(through, name, value, own ?? memoryFrom(operation, value, descriptor));
}

/** The handle waits in the system process: nothing but its ticket travels. */
export function globalParcel(name: ObjectName, ticket: string): Parcel {
  return { facts: { place: 'global', name, ticket }, descriptors: [], close: () => {} };
}

/**
 * Makes a handle of what another process has packed: its own, on its own connection.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND (the ticket was used, or is too old), ERR_SECTION_SYSTEM_…; TypeError
 */
export function takeGlobal(operation: string, facts: unknown): ObjectHandle {
  const { name, ticket } = (facts ?? {}) as { readonly name?: ObjectName; readonly ticket?: unknown };
  if (typeof ticket !== 'string' || typeof name?.leaf !== 'string' || typeof name.full !== 'string')
    throw new TypeError('no global object');
  const inside = systemInThisProcess();
  if (inside !== null) return inside.objects.take(operation, ticket);
  const answer = request(operation, 'handle.take', { ticket });
  return handleFrom(operation, name, answer, answer.through);
}

/** The system process takes descriptors from root and its own user alone: see the threat model. */
function requireDescriptorsTaken(operation: string, name: ObjectName): void {
  const user = process.geteuid?.();
  if (user === 0 || user === connected(operation).uid) return;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${name.full}"`,
    rule: 'only root and the user who runs the system process may put a file under a global name',
    wayOut: 'Use a local name, or copy the file into a section of its own',
  });
}

function lookupFields({ leaf, directory }: ObjectName, desired: number, exclusive: boolean, options: LookupOptions) {
  return { name: leaf, directory: directory ?? null, desired, exclusive, caseInsensitive: options.caseInsensitive ?? false };
}

function creationFields(name: ObjectName, creation: SectionCreation | ObjectCreation, options: LookupOptions) {
  const { security, openExisting, desired, permanent = false, exclusive = false } = creation;
  return { ...lookupFields(name, desired, exclusive, options), security: security ?? null, openExisting, permanent };
}

export function createGlobalSection(
  operation: string,
  name: ObjectName,
  creation: SectionCreation,
  options: LookupOptions,
): ObjectHandle {
  if (creation.over !== undefined) requireDescriptorsTaken(operation, name);
  const over = creation.over?.() ?? null;
  const descriptors: Descriptor[] = [];
  try {
    if (over !== null) {
      // The system process cannot reopen a descriptor that we send without risking to block on it:
      // it gets one of each kind.
      descriptors.push(os.descriptorReopen(over.descriptor, false));
      if (over.writable) descriptors.push(over.descriptor);
    }
    const { reserve, largePages, soleWriter, pageProtection, attributes } = creation;
    const answer = request(
      operation,
      'section.create',
      {
        ...creationFields(name, creation, options),
        size: over?.size ?? creation.size,
        reserve,
        largePages,
        soleWriter,
        pageProtection,
        attributes,
        fileBacked: over !== null,
      },
      descriptors,
    );
    return handleFrom(operation, name, answer, answer.through);
  } finally {
    if (descriptors[0] !== undefined) os.descriptorClose(descriptors[0]);
    over?.close();
  }
}

export function createGlobal(
  operation: string,
  name: ObjectName,
  kind: Exclude<ObjectKind, 'Section'>,
  creation: ObjectCreation,
  options: LookupOptions,
): ObjectHandle {
  const content = Buffer.from(creation.content).toString('base64');
  const answer = request(operation, 'object.create', { ...creationFields(name, creation, options), kind, content });
  return handleFrom(operation, name, answer, answer.through);
}

export function openGlobal(
  operation: string,
  name: ObjectName,
  kind: ObjectKind | null,
  desired: number,
  options: LookupOptions,
): ObjectHandle {
  const fields = { ...lookupFields(name, desired, options.exclusive ?? false, options), kind };
  const answer = request(operation, 'object.open', fields);
  return handleFrom(operation, name, answer, answer.through);
}

export function findGlobal(
  operation: string,
  directory: string | undefined,
  leaf: string,
  caseInsensitive: boolean,
): ObjectEntry | null {
  return request(operation, 'object.find', { directory: directory ?? null, name: leaf, caseInsensitive }).value.entry;
}

export function listGlobalEntries(operation: string, directory: string | undefined): readonly ObjectEntry[] {
  const all: ObjectEntry[] = [];
  for (let more = true; more; ) {
    const after = all.at(-1)?.leaf ?? null;
    const { value } = request(operation, 'object.entries', { directory: directory ?? null, after });
    all.push(...value.entries);
    more = value.more && value.entries.length > 0;
  }
  return all;
}
