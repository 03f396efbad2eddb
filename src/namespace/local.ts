/**
 * Local names without a daemon. A name's registry file says which processes hold the object; an opener
 * takes it from one that lives, through /proc, and checks that it is the one the record means.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { SectionError } from '../base/error.js';
import { isSuccess } from '../base/status.js';
import { MemoryObject } from '../memory/memory-object.js';
import type { SectionFacts, SectionHandle } from '../memory/section-handle.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import {
  type AccessDecision,
  accessCheck,
  fromSddl,
  SECTION_MAP_WRITE,
  sectionMapping,
  tokenOfThisProcess,
} from '../security/index.js';
import { damaged } from './lock-file.js';
import type { SectionName } from './name.js';
import { RegistryFile } from './registry-file.js';
import { ObjectType, type RegistryRecord, type RegistrySlot } from './registry-record.js';
import { ensureRegistryDirectory, registryDirectoryIfAny } from './runtime-directory.js';

/** Whether a section's page protection lets anybody have shared writable views. */
const WRITABLE_PROTECTIONS = 0x04 | 0x40; // PAGE_READWRITE, PAGE_EXECUTE_READWRITE

const ENDING = '.object';

/** Milliseconds that a process which ends may take from losing its descriptors to losing its locks. */
const ENDING_TIME = 1000;

/** Records of processes that were killed: so many are cleared away when a process creates its first name. */
const MOST_CLEARED = 256;
let hasCleared = false;

function clearOnce(directory: string): void {
  if (hasCleared) return;
  hasCleared = true;
  for (const entry of readdirSync(directory).slice(0, MOST_CLEARED)) {
    if (entry.endsWith(ENDING)) RegistryFile.clear(join(directory, entry));
  }
}

function fileOf(directory: string, leaf: string): string {
  return join(directory, createHash('sha256').update(leaf, 'utf16le').digest('hex') + ENDING);
}

let pidNamespace: bigint | undefined;

/** This process's PID namespace: a process number means something only inside it. */
function ownPidNamespace(): bigint {
  if (pidNamespace === undefined) {
    try {
      pidNamespace = BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
    } catch (cause) {
      throw new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
        operation: 'use a local name',
        object: '/proc',
        rule: `it cannot be read: ${(cause as Error).message}`,
        wayOut: 'Local names need /proc mounted in this container',
        cause,
      });
    }
  }
  return pidNamespace;
}

/* ------------------------------------------------------------------------------- handles ---- */

const openHandles = new Set<LocalHandle>();

class LocalHandle implements SectionHandle {
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  readonly granted: number;
  readonly created: boolean;
  readonly #file: RegistryFile;
  readonly #slot: number;
  #closed = false;

  constructor(file: RegistryFile, slot: number, memory: MemoryObject, facts: SectionFacts, granted: number, created: boolean) {
    this.#file = file;
    this.#slot = slot;
    this.memory = memory;
    this.facts = facts;
    this.granted = granted;
    this.created = created;
    if (openHandles.size === 0) process.on('exit', closeAll);
    openHandles.add(this);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    openHandles.delete(this);
    if (openHandles.size === 0) process.off('exit', closeAll);
    try {
      this.#file.lock();
      this.#file.releaseSlot(this.#slot);
      if (!this.#file.isAlive) this.#file.unlink();
    } catch {
      // The locks go with the descriptor below, so the name is free all the same; whoever comes next
      // finds a record without a living holder and clears it away.
    } finally {
      this.memory.close();
      this.#file.close();
    }
  }
}

function closeAll(): void {
  for (const handle of [...openHandles]) handle.close();
}

/* ------------------------------------------------------------------------------- opening ---- */

function notFound(operation: string, name: SectionName): SectionError {
  return new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `"${name.full}"`,
    rule: 'no process of this user holds a section of that name',
    wayOut: 'Create it first, or look for it with "sectile ls"',
  });
}

/** The last decisions: most sections of a process have the same descriptor, and parsing it is the dear part. */
const decisions = new Map<string, AccessDecision>();
const REMEMBERED_DECISIONS = 64;

function decide(operation: string, security: string, desired: number): AccessDecision {
  const who = `${process.geteuid?.()}:${process.getegid?.()}:${process.getgroups?.()}`;
  const question = `${who} ${desired} ${security}`;
  let decision = decisions.get(question);
  if (decision === undefined) {
    const token = tokenOfThisProcess();
    decision = accessCheck(fromSddl(security, token, operation), token, desired, sectionMapping);
    if (decisions.size >= REMEMBERED_DECISIONS) decisions.clear();
    decisions.set(question, decision);
  }
  return decision;
}

/** Checks desired access (it may hold MAXIMUM_ALLOWED) against the section's descriptor. */
function grant(operation: string, name: SectionName, record: RegistryRecord, desired: number): number {
  const decision = decide(operation, record.security, desired);
  if (isSuccess(decision.status)) return decision.granted;
  throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object: `"${name.full}"`,
    rule: `its security descriptor ${record.security} does not grant access 0x${desired.toString(16)}`,
    wayOut: 'Ask for less, or have its creator grant it',
    status: decision.status,
  });
}

function openThrough(slot: RegistrySlot, write: boolean): Descriptor {
  const path = `/proc/${slot.pid === process.pid ? 'self' : slot.pid}/fd/${slot.descriptor}`;
  return os.descriptorOpen(path, OpenFlag.nonBlocking | (write ? OpenFlag.write : 0), 0);
}

/** Takes the memory from any living holder; null when none lives any more. Needs the file's mutex. */
function takeFromHolders(
  operation: string,
  name: SectionName,
  file: RegistryFile,
  record: RegistryRecord,
  write: boolean,
): MemoryObject | null {
  const refusals: string[] = [];
  for (const index of file.livingSlots()) {
    const slot = file.readSlot(index);
    if (slot.pidNamespace !== ownPidNamespace()) {
      refusals.push(`process ${slot.pid} lives in another PID namespace`);
      continue;
    }
    let descriptor: Descriptor;
    let writable = write;
    try {
      try {
        descriptor = openThrough(slot, write);
      } catch (error) {
        // A file that this user may only read: its section can be opened, its views cannot write.
        if (!write || !isOsError(error) || !['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
        writable = false;
        descriptor = openThrough(slot, false);
      }
    } catch (error) {
      const vanished = isOsError(error) && ['ENOENT', 'ESRCH'].includes(error.code);
      if (vanished && file.ownerEnds(index, ENDING_TIME)) continue;
      refusals.push(
        `process ${slot.pid} does not let its descriptors be opened (${isOsError(error) ? error.code : String(error)})`,
      );
      continue;
    }
    const stat = os.descriptorStat(descriptor);
    if (stat.device !== record.device || stat.inode !== record.inode) {
      os.descriptorClose(descriptor);
      if (file.ownerEnds(index, ENDING_TIME)) continue;
      throw damaged(
        operation,
        file.path,
        `descriptor ${slot.descriptor} of process ${slot.pid} is another object than the record names`,
      );
    }
    return MemoryObject.adopt(descriptor, { backing: record.backing, size: record.size, pageSize: record.pageSize, writable });
  }
  // A holder may have died between the two looks; then the name is free.
  if (refusals.length === 0 || !file.isAlive) return null;
  throw new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
    operation,
    object: `"${name.full}"`,
    rule: `the section exists, but ${refusals.join(', and ')}`,
    wayOut:
      'A process that changed its user or hides its /proc entry cannot share a local name: use Global\\ with a system process',
  });
}

function factsOf(record: RegistryRecord): SectionFacts {
  const { size, pageProtection, attributes, soleWriter, security } = record;
  return { size, pageProtection, attributes, soleWriter, security };
}

function checkRecord(operation: string, name: SectionName, file: RegistryFile, record: RegistryRecord): void {
  if (record.name !== name.leaf) throw damaged(operation, file.path, 'it names another object');
  if (record.type === ObjectType.section) return;
  throw new SectionError('ERR_SECTION_TYPE_MISMATCH', {
    operation,
    object: `"${name.full}"`,
    rule: 'an object of another type has that name',
    wayOut: 'Choose another name: all kinds of objects share one namespace',
  });
}

/** Opens what a locked file names; null (and the file closed and cleared) when nobody holds it. */
function openLocked(operation: string, name: SectionName, file: RegistryFile, desired: number): SectionHandle | null {
  const record = file.read();
  if (record === null || !file.isAlive) return null;
  checkRecord(operation, name, file, record);
  const granted = grant(operation, name, record, desired);
  const write = (granted & SECTION_MAP_WRITE) !== 0 && (record.pageProtection & WRITABLE_PROTECTIONS) !== 0 && !record.soleWriter;
  const memory = takeFromHolders(operation, name, file, record, write);
  if (memory === null) return null;
  try {
    const slot = file.claimSlot(ownSlot(memory, granted));
    file.unlock();
    return new LocalHandle(file, slot, memory, factsOf(record), granted, false);
  } catch (error) {
    memory.close();
    throw error;
  }
}

function ownSlot(memory: MemoryObject, granted: number): RegistrySlot {
  return {
    pid: process.pid,
    descriptor: os.descriptorNumber(memory.descriptor),
    pidNamespace: ownPidNamespace(),
    granted,
    opened: Date.now(),
  };
}

/**
 * Opens a local section.
 *
 * @param desired SECTION_… bits, or MAXIMUM_ALLOWED.
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_TYPE_MISMATCH,
 * ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_…
 */
export function openLocal(operation: string, name: SectionName, desired: number): SectionHandle {
  const directory = registryDirectoryIfAny();
  const file = directory === null ? null : RegistryFile.open(operation, fileOf(directory, name.leaf), false);
  if (file === null) throw notFound(operation, name);
  let handle: SectionHandle | null = null;
  try {
    handle = openLocked(operation, name, file, desired);
    if (handle === null) {
      file.unlink();
      throw notFound(operation, name);
    }
    return handle;
  } finally {
    if (handle === null) file.close();
  }
}

/* ------------------------------------------------------------------------------ creating ---- */

export interface LocalCreation {
  /** Open the section if it exists, instead of failing. */
  readonly openExisting: boolean;
  /** Access for opening an existing section: checked. */
  readonly desired: number;
  /** Access of the handle when the section is created: granted unchecked. */
  readonly creatorAccess: number;
  readonly pageProtection: number;
  readonly attributes: number;
  /** SDDL. */
  readonly security: string;
  /** Makes the memory; called once, and only when the name is free. */
  make(): MemoryObject;
}

/**
 * Creates a local section, or opens the existing one on request. Of many that race for a name, one
 * creates and the others find it.
 *
 * @throws SectionError ERR_SECTION_EXISTS, what {@link openLocal} throws, and what `make` throws.
 */
export function createLocal(operation: string, name: SectionName, creation: LocalCreation): SectionHandle {
  // Looked at again each time: a folder that was removed under us is made anew.
  const directory = ensureRegistryDirectory(true);
  clearOnce(directory);
  const path = fileOf(directory, name.leaf);
  let memory: MemoryObject | null = null;
  // First pass: only look. Memory is made outside the mutex, for committing it can take seconds.
  for (const attempt of ['look', 'create'] as const) {
    const file = RegistryFile.open(operation, path, attempt === 'create');
    if (file === null) {
      memory = creation.make();
      continue;
    }
    let handle: SectionHandle | null = null;
    try {
      handle = creation.openExisting ? openLocked(operation, name, file, creation.desired) : null;
      if (handle === null) {
        const record = file.read();
        if (record !== null && file.isAlive) {
          checkRecord(operation, name, file, record);
          throw exists(operation, name);
        }
        if (attempt === 'create' && memory !== null) handle = register(name, file, memory, creation);
      }
      if (handle !== null) {
        if (!handle.created) memory?.close();
        return handle;
      }
    } catch (error) {
      memory?.close();
      throw error;
    } finally {
      if (handle === null) file.close();
    }
    memory ??= creation.make();
  }
  memory?.close();
  throw exists(operation, name);
}

function exists(operation: string, name: SectionName): SectionError {
  return new SectionError('ERR_SECTION_EXISTS', {
    operation,
    object: `"${name.full}"`,
    rule: 'a section of that name exists',
    wayOut: "Open it with Section.open, or create with ifExists: 'open'",
  });
}

function register(name: SectionName, file: RegistryFile, memory: MemoryObject, creation: LocalCreation): SectionHandle {
  const { device, inode } = os.descriptorStat(memory.descriptor);
  const record: RegistryRecord = {
    name: name.leaf,
    type: ObjectType.section,
    size: memory.size,
    device,
    inode,
    created: Date.now(),
    pageProtection: creation.pageProtection,
    attributes: creation.attributes,
    soleWriter: memory.soleWriter,
    pageSize: memory.pageSize,
    backing: memory.backing,
    security: creation.security,
  };
  file.write(record);
  const slot = file.claimSlot(ownSlot(memory, creation.creatorAccess));
  file.unlock();
  return new LocalHandle(file, slot, memory, factsOf(record), creation.creatorAccess, true);
}

/* ------------------------------------------------------------------------------- listing ---- */

export interface LocalListing {
  readonly path: string;
  readonly record: RegistryRecord;
  readonly holders: readonly RegistrySlot[];
}

export interface LocalProblem {
  readonly path: string;
  readonly error: SectionError;
}

/** All local sections that somebody holds. Clears away records whose holders have died. */
export function listLocal(operation: string): {
  readonly sections: readonly LocalListing[];
  readonly problems: readonly LocalProblem[];
} {
  const sections: LocalListing[] = [];
  const problems: LocalProblem[] = [];
  const directory = registryDirectoryIfAny();
  for (const entry of directory === null ? [] : readdirSync(directory).filter((each) => each.endsWith(ENDING))) {
    const path = join(directory ?? '', entry);
    let file: RegistryFile | null = null;
    try {
      file = RegistryFile.open(operation, path, false);
      if (file === null) continue;
      const record = file.read();
      if (!file.isAlive) file.unlink();
      else if (record !== null)
        sections.push({ path, record, holders: [...file.livingSlots()].map((index) => (file as RegistryFile).readSlot(index)) });
    } catch (error) {
      if (!(error instanceof SectionError)) throw error;
      problems.push({ path, error });
    } finally {
      file?.close();
    }
  }
  return { sections, problems };
}
