/**
 * What drivers do with the global namespace: the same as clients do by requests, in this process, as
 * LocalSystem, and without access checks unless they ask for them.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import { MemoryObject } from '../memory/memory-object.js';
import { createContent, factsOfContent } from '../memory/object-content.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { memoryLabel, type ObjectEntry, type ObjectName } from '../namespace/name.js';
import { exists, requireKind } from '../namespace/object-rules.js';
import { os } from '../os/index.js';
import {
  creatorAccess,
  defaultDescriptor,
  fromSddl,
  grantsToAnyone,
  kernelToken,
  SECTION_MAP_WRITE,
  type SecurityDescriptor,
  sectionMapping,
} from '../security/index.js';
import { refusalLine } from './audit.js';
import { KernelHandle } from './kernel-handle.js';
import type { LookupOptions, ObjectCreation, SectionCreation } from './lookup.js';
import { type Holder, KernelObject, type ObjectDirectory, type ObjectParts } from './objects.js';

type Made = Pick<ObjectParts, 'memory' | 'facts' | 'reader'>;

export class KernelObjects {
  readonly #directory: ObjectDirectory;
  readonly #audit: (line: string) => void;
  /** Who calls, for the log. */
  readonly #caller: () => string;
  readonly #holder: Holder = { pid: process.pid, kernel: true };

  constructor(directory: ObjectDirectory, audit: (line: string) => void, caller: () => string) {
    this.#directory = directory;
    this.#audit = audit;
    this.#caller = caller;
  }

  createSection(operation: string, name: ObjectName, creation: SectionCreation, options: LookupOptions): ObjectHandle {
    return this.#create(operation, name, 'Section', creation, options, (object, descriptor) => {
      const { size, reserve, largePages, pageProtection, attributes, over } = creation;
      // Where nobody may ever be granted writing, the kernel below is told so: not even root can write then.
      const soleWriter =
        over === undefined && (creation.soleWriter || !grantsToAnyone(descriptor, SECTION_MAP_WRITE, sectionMapping));
      const memory =
        over?.() ??
        MemoryObject.createPagefile(operation, object, {
          label: memoryLabel(name.full),
          size,
          reserve,
          largePages,
          soleWriter,
        });
      const facts = { size: memory.size, pageProtection, attributes, soleWriter };
      try {
        return { memory, facts, reader: over === undefined ? undefined : os.descriptorReopen(memory.descriptor, false) };
      } catch (error) {
        memory.close();
        throw error;
      }
    });
  }

  createObject(
    operation: string,
    name: ObjectName,
    kind: ObjectKind,
    creation: ObjectCreation,
    options: LookupOptions,
  ): ObjectHandle {
    return this.#create(operation, name, kind, creation, options, (object) => {
      const memory = createContent(operation, object, memoryLabel(name.full), creation.content);
      return { memory, facts: factsOfContent(memory) };
    });
  }

  #create(
    operation: string,
    given: ObjectName,
    kind: ObjectKind,
    creation: SectionCreation | ObjectCreation,
    options: LookupOptions,
    make: (object: string, descriptor: SecurityDescriptor) => Made,
  ): ObjectHandle {
    const name = this.#directory.nameIn(operation, given.directory, given.leaf);
    const { exclusive = false, permanent = false, security, desired } = creation;
    const existing = this.#directory.find(operation, name, options.caseInsensitive ?? false);
    if (existing !== undefined) {
      requireKind(operation, existing.name, existing.kind, kind);
      if (!creation.openExisting) throw exists(operation, existing.name, kind);
      return this.openObject(operation, name, kind, desired, { ...options, exclusive });
    }
    const token = kernelToken();
    if (options.checkAccess) this.#watched(() => this.#directory.requireCreation(operation, name, kind, token));
    const descriptor = security === undefined ? defaultDescriptor(token) : fromSddl(security, token, operation);
    const { memory, facts, reader } = make(`"${name.full}"`, descriptor);
    let object: KernelObject;
    try {
      object = new KernelObject({ name, kind, memory, facts, descriptor, chargedTo: null, exclusive, permanent, reader });
    } catch (error) {
      memory.close();
      if (reader !== undefined) os.descriptorClose(reader);
      throw error;
    }
    this.#directory.add(object);
    return new KernelHandle(this.#directory, object, this.#holder, creatorAccess(kind, desired), true);
  }

  openObject(
    operation: string,
    name: ObjectName,
    kind: ObjectKind | null,
    desired: number,
    { checkAccess, caseInsensitive = false, exclusive = false }: LookupOptions,
  ): ObjectHandle {
    const token = checkAccess ? kernelToken() : null;
    const { object, granted } = this.#watched(() =>
      this.#directory.open(operation, name, { kind, token, desired, caseInsensitive, exclusive }),
    );
    return new KernelHandle(this.#directory, object, this.#holder, granted, false);
  }

  /** Takes a handle that waits under a ticket. */
  take(operation: string, ticket: string): ObjectHandle {
    return this.#directory.tickets.take(
      operation,
      ticket,
      null,
      ({ object, granted }) => new KernelHandle(this.#directory, object, this.#holder, granted, false),
    );
  }

  findEntry(operation: string, directory: string | undefined, leaf: string, caseInsensitive: boolean): ObjectEntry | null {
    return this.#directory.entry(operation, this.#directory.nameIn(operation, directory, leaf), caseInsensitive);
  }

  listEntries(operation: string, directory: string | undefined): readonly ObjectEntry[] {
    return this.#directory.entries(operation, directory);
  }

  /** Has refusals logged. */
  #watched<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const line = error instanceof SectionError ? refusalLine(this.#caller(), error) : null;
      if (line !== null) this.#audit(line);
      throw error;
    }
  }
}
