/**
 * Local names without a daemon. A name's registry file says which processes hold the object; local-memory.ts says
 * how an opener comes to its memory, and checks that it is the one the record means.
 */
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import type { MemoryObject } from '../memory/memory-object.js';
import { readContent } from '../memory/object-content.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { type Descriptor, os } from '../os/index.js';
import { creatorAccess } from '../security/index.js';
import { grant, needsWriting, ownSlot } from './local-access.js';
import { clearOnce, fileOf, nameIgnoringCase, recordsIn } from './local-files.js';
import { LocalHandle, type LocalHandleParts, type OpenAgain } from './local-handle.js';
import type { FreshMemory } from './local-memory.js';
import { localMemory } from './local-memory-choice.js';
import { packLocal, unpackLocal } from './local-parcel.js';
import { damaged } from './lock-file.js';
import type { ObjectEntry, ObjectName } from './name.js';
import { exists, newIdentity, notFound, requireKind, requireShareable } from './object-rules.js';
import { RegistryFile } from './registry-file.js';
import type { RegistryRecord } from './registry-record.js';
import { ensureRegistryDirectory, registryDirectoryIfAny } from './runtime-directory.js';

export { type LocalListing, listLocal } from './local-files.js';

/** How a name is looked up, and what for. */
export interface LocalOpening {
  /** Null: any kind will do. */
  readonly kind: ObjectKind | null;
  /** Rights, or MAXIMUM_ALLOWED. */
  readonly desired: number;
  /** False for kernel mode: what is asked for is granted. */
  readonly checkAccess: boolean;
  readonly caseInsensitive: boolean;
  /** Only an object that can have one handle will do. */
  readonly exclusive: boolean;
}

/** Where a name was looked for, in messages. */
const HERE = 'no process of this user holds';

/** What a handle asks the registry for when it wants another one on its object. */
function againFor(operation: string, name: ObjectName, { identity, kind }: RegistryRecord, path: string): OpenAgain {
  return ({ memory: own, ...access }) => {
    const file = RegistryFile.open(operation, path, false);
    if (file === null) throw notFound(operation, name, kind, HERE);
    try {
      const found = file.read();
      if (found === null || found.identity !== identity) throw damaged(operation, file.path, 'it names another object');
      requireShareable(operation, name, { exclusive: found.exclusive, handles: 1 }, false);
      if ('granted' in access) return enter(operation, name, file, found, own.share(), access.granted, false);
      const granted = grant(operation, `"${name.full}"`, found.kind, found.security, access.desired);
      // Of a section that this process alone writes, only its own memory makes further writable views.
      const shares = found.soleWriter || own.writable || !needsWriting(found, granted);
      const memory = shares ? own.share() : localMemory.take(operation, name, file, found, true);
      if (memory === null) throw notFound(operation, name, kind, HERE);
      return enter(operation, name, file, found, memory, granted, false);
    } catch (error) {
      file.close();
      throw error;
    }
  };
}

/** Takes a slot in a locked file and gives its mutex back. Takes over the memory, also when it throws. */
function enter(
  operation: string,
  name: ObjectName,
  file: RegistryFile,
  record: RegistryRecord,
  memory: MemoryObject,
  granted: number,
  created: boolean,
): LocalHandle {
  try {
    const slot = file.claimSlot(ownSlot(memory, granted));
    file.unlock();
    return handleOn(operation, { name, record, file, slot, memory, granted, created });
  } catch (error) {
    memory.close();
    throw error;
  }
}

function handleOn(operation: string, parts: Omit<LocalHandleParts, 'again' | 'pack'>): LocalHandle {
  const { name, record, memory, file } = parts;
  return new LocalHandle({
    ...parts,
    again: againFor(operation, name, record, file.path),
    pack: (rights) => packLocal(name, record, memory, rights),
  });
}

/** Makes a handle of what another process has packed; takes over the descriptors. */
export function takeLocal(operation: string, facts: unknown, descriptors: readonly Descriptor[]): ObjectHandle {
  return handleOn(operation, { ...unpackLocal(operation, facts, descriptors), created: false });
}

/* ------------------------------------------------------------------------------- opening ---- */

/** The file of a name, locked. */
function openFile(operation: string, name: ObjectName, kind: ObjectKind | null): RegistryFile {
  const folder = registryDirectoryIfAny();
  const file = folder === null ? null : RegistryFile.open(operation, fileOf(folder, name), false);
  if (file === null) throw notFound(operation, name, kind, HERE);
  return file;
}

/** The record of a locked file, if somebody holds its object. */
function livingRecord(operation: string, name: ObjectName, file: RegistryFile): RegistryRecord | null {
  const record = file.read();
  if (record === null || !file.isAlive) return null;
  if (record.name !== name.leaf || record.directory !== (name.directory ?? null))
    throw damaged(operation, file.path, 'it names another object');
  return record;
}

/** Opens what a locked file names; null when nobody holds it. */
function openLocked(operation: string, name: ObjectName, file: RegistryFile, opening: LocalOpening): LocalHandle | null {
  const record = livingRecord(operation, name, file);
  if (record === null) return null;
  const { kind, security, exclusive } = record;
  requireKind(operation, name, kind, opening.kind);
  requireShareable(operation, name, { exclusive, handles: 1 }, opening.exclusive);
  const granted = opening.checkAccess
    ? grant(operation, `"${name.full}"`, kind, security, opening.desired)
    : creatorAccess(kind, opening.desired);
  // Kernel mode can do what it likes with its handles, whatever they were granted.
  const write = needsWriting(record, opening.checkAccess ? granted : -1);
  const memory = localMemory.take(operation, name, file, record, write);
  return memory === null ? null : enter(operation, name, file, record, memory, granted, false);
}

/**
 * Opens a local object.
 *
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_TYPE_MISMATCH,
 * ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_…
 */
export function openLocal(operation: string, name: ObjectName, opening: LocalOpening): ObjectHandle {
  try {
    return openExact(operation, name, opening);
  } catch (error) {
    const isMissing = error instanceof SectionError && error.code === 'ERR_SECTION_NOT_FOUND';
    const other = isMissing && opening.caseInsensitive ? nameIgnoringCase(operation, name) : null;
    if (other === null) throw error;
    return openExact(operation, other, opening);
  }
}

function openExact(operation: string, name: ObjectName, opening: LocalOpening): ObjectHandle {
  const file = openFile(operation, name, opening.kind);
  let handle: LocalHandle | null = null;
  try {
    handle = openLocked(operation, name, file, opening);
    if (handle === null) {
      file.unlink();
      throw notFound(operation, name, opening.kind, HERE);
    }
    return handle;
  } finally {
    if (handle === null) file.close();
  }
}

/* ------------------------------------------------------------------------------ creating ---- */

export interface LocalCreation extends Omit<LocalOpening, 'kind'> {
  readonly kind: ObjectKind;
  /** Open the object if it exists, instead of failing. */
  readonly openExisting: boolean;
  readonly pageProtection: number;
  readonly attributes: number;
  /** SDDL. */
  readonly security: string;
  /** Makes the memory, as a new file where a path is given; called once, and only when the name is free. */
  make(path?: string): MemoryObject;
}

/**
 * Creates a local object, or opens the existing one on request. Of many that race for a name, one
 * creates and the others find it.
 *
 * @throws SectionError ERR_SECTION_EXISTS, what {@link openLocal} throws, and what `make` throws.
 */
export function createLocal(operation: string, wanted: ObjectName, creation: LocalCreation): ObjectHandle {
  // Looked at again each time: a folder that was removed under us is made anew.
  const folder = ensureRegistryDirectory(true);
  clearOnce(folder);
  const isThere = (name: ObjectName) => findLocal(operation, name, false) !== null;
  const name = creation.caseInsensitive && !isThere(wanted) ? (nameIgnoringCase(operation, wanted) ?? wanted) : wanted;
  const path = fileOf(folder, name);
  let fresh: FreshMemory | null = null;
  const makeFresh = () => localMemory.make(folder, (place) => creation.make(place));
  // First pass: only look. Memory is made outside the mutex, for committing it can take seconds.
  for (const attempt of ['look', 'create'] as const) {
    const file = RegistryFile.open(operation, path, attempt === 'create');
    if (file === null) {
      fresh = makeFresh();
      continue;
    }
    let handle: LocalHandle | null = null;
    try {
      handle = creation.openExisting ? openLocked(operation, name, file, creation) : null;
      if (handle === null) {
        const record = livingRecord(operation, name, file);
        if (record !== null) {
          requireKind(operation, name, record.kind, creation.kind);
          throw exists(operation, name, record.kind);
        }
        if (attempt === 'create' && fresh !== null) handle = register(operation, name, file, fresh, creation);
      }
      if (handle !== null) {
        if (!handle.created) fresh?.discard();
        return handle;
      }
    } catch (error) {
      fresh?.discard();
      throw error;
    } finally {
      if (handle === null) file.close();
    }
    fresh ??= makeFresh();
  }
  fresh?.discard();
  throw exists(operation, name, creation.kind);
}

function register(
  operation: string,
  name: ObjectName,
  file: RegistryFile,
  fresh: FreshMemory,
  creation: LocalCreation,
): LocalHandle {
  const { memory } = fresh;
  const { device, inode } = os.descriptorStat(memory.descriptor);
  const record: RegistryRecord = {
    name: name.leaf,
    directory: name.directory ?? null,
    identity: newIdentity(),
    kind: creation.kind,
    size: memory.size,
    device,
    inode,
    created: Date.now(),
    pageProtection: creation.pageProtection,
    attributes: creation.attributes,
    soleWriter: memory.soleWriter,
    exclusive: creation.exclusive,
    pageSize: memory.pageSize,
    backing: memory.backing,
    security: creation.security,
  };
  fresh.publish(operation, file);
  file.write(record);
  return enter(operation, name, file, record, memory, creatorAccess(creation.kind, creation.desired), true);
}

/* --------------------------------------------------------------------------- directories ---- */

/**
 * What a name leads to, whoever may open it: for going through directories.
 *
 * @returns null when nobody holds anything of that name
 */
export function findLocal(operation: string, name: ObjectName, caseInsensitive: boolean): ObjectEntry | null {
  const folder = registryDirectoryIfAny();
  const file = folder === null ? null : RegistryFile.open(operation, fileOf(folder, name), false);
  try {
    const record = file === null ? null : livingRecord(operation, name, file);
    if (file !== null && record !== null) return entryOf(operation, name, file, record);
  } finally {
    file?.close();
  }
  const other = caseInsensitive ? nameIgnoringCase(operation, name) : null;
  return other === null ? null : findLocal(operation, other, false);
}

function entryOf(operation: string, name: ObjectName, file: RegistryFile, record: RegistryRecord): ObjectEntry | null {
  const { kind, identity } = record;
  const entry = { kind, leaf: record.name, identity };
  if (kind !== 'SymbolicLink') return entry;
  const memory = localMemory.take(operation, name, file, record, false);
  if (memory === null) return null;
  try {
    const target = Buffer.from(readContent(operation, `"${name.full}"`, memory)).toString('utf16le');
    return { ...entry, target };
  } finally {
    memory.close();
  }
}

/** What is in a directory, by name; without one, in the user's own. */
export function listLocalEntries(operation: string, directory: string | undefined): readonly ObjectEntry[] {
  return recordsIn(operation, directory)
    .map(({ kind, name, identity }) => ({ kind, leaf: name, identity }))
    .sort((a, b) => (a.leaf < b.leaf ? -1 : 1));
}
