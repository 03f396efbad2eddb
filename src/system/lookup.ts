/**
 * Creates and opens sections wherever their names live: in the local registry, in the system process,
 * or nowhere (unnamed). The one door for every face.
 */
import type { MemoryObject } from '../memory/memory-object.js';
import { MemoryObject as Memory } from '../memory/memory-object.js';
import type { SectionHandle } from '../memory/section-handle.js';
import { createLocal, openLocal } from '../namespace/local.js';
import { memoryLabel, type SectionName } from '../namespace/name.js';
import {
  defaultDescriptor,
  formatSddl,
  fromSddl,
  MAXIMUM_ALLOWED,
  mapGeneric,
  SECTION_ALL_ACCESS,
  sectionMapping,
  tokenOfThisProcess,
} from '../security/index.js';
import { createGlobal, openGlobal } from './client.js';
import { systemInThisProcess } from './kernel.js';

export interface SectionCreation {
  /** Bytes; NT faces round up before. */
  readonly size: number;
  readonly reserve: boolean;
  readonly largePages: boolean;
  /** Nobody but the creator shall ever have writable views. */
  readonly soleWriter: boolean;
  /** PAGE_… and SEC_… as NT keeps them with the section. */
  readonly pageProtection: number;
  readonly attributes: number;
  /** SDDL; undefined for the creator's default. */
  readonly security: string | undefined;
  /** Open the section if it exists, instead of failing. */
  readonly openExisting: boolean;
  /** Access for the creator (granted unchecked) or for opening an existing one (checked). */
  readonly desired: number;
  /** For sections over something that already is: makes the memory object, which the handle then owns. */
  readonly over?: () => MemoryObject;
}

/** How kernel mode looks up; user mode always checks. */
export interface LookupOptions {
  readonly checkAccess: boolean;
  /** OBJ_CASE_INSENSITIVE: for this lookup, names that differ in case alone are one. */
  readonly caseInsensitive?: boolean;
}

/** A creator is granted what it asks for, unchecked; the most there is, if it asks for that. */
export function creatorAccess(desired: number): number {
  const mapped = mapGeneric(desired, sectionMapping);
  return (mapped & MAXIMUM_ALLOWED) === 0 ? mapped : SECTION_ALL_ACCESS;
}

function makeMemory(operation: string, object: string, name: SectionName | null, creation: SectionCreation): MemoryObject {
  if (creation.over !== undefined) return creation.over();
  const { size, reserve, largePages, soleWriter } = creation;
  return Memory.createPagefile(operation, object, { label: memoryLabel(name?.full), size, reserve, largePages, soleWriter });
}

/** Texts of default descriptors by user and group: most sections have one, and it is always the same. */
const defaults = new Map<string, string>();

function securityOf(operation: string, creation: SectionCreation): string {
  if (creation.security !== undefined) return formatSddl(fromSddl(creation.security, tokenOfThisProcess(), operation));
  const who = `${process.geteuid?.()}:${process.getegid?.()}`;
  let text = defaults.get(who);
  if (text === undefined) {
    text = formatSddl(defaultDescriptor(tokenOfThisProcess()));
    defaults.set(who, text);
  }
  return text;
}

class UnnamedHandle implements SectionHandle {
  readonly memory: MemoryObject;
  readonly facts: SectionHandle['facts'];
  readonly granted: number;
  readonly created = true;

  constructor(memory: MemoryObject, creation: SectionCreation, security: string) {
    const { pageProtection, attributes, desired } = creation;
    this.memory = memory;
    this.facts = { size: memory.size, pageProtection, attributes, soleWriter: memory.soleWriter, security };
    this.granted = creatorAccess(desired);
  }

  close(): void {
    this.memory.close();
  }
}

/**
 * Creates a section; with a name and `openExisting`, opens the one that exists (its facts win).
 *
 * @param name Null for an unnamed section.
 * @throws SectionError
 */
export function createSection(
  operation: string,
  name: SectionName | null,
  creation: SectionCreation,
  options: LookupOptions = { checkAccess: true },
): SectionHandle {
  if (name?.scope === 'global') {
    const inside = systemInThisProcess();
    return inside === null ? createGlobal(operation, name, creation) : inside.createSection(operation, name, creation, options);
  }
  const security = securityOf(operation, creation);
  const make = () => makeMemory(operation, name === null ? 'an unnamed section' : `"${name.full}"`, name, creation);
  if (name === null) return new UnnamedHandle(make(), creation, security);
  return createLocal(operation, name, { ...creation, security, make, creatorAccess: creatorAccess(creation.desired) });
}

/**
 * Opens a named section.
 *
 * @param desired SECTION_… bits, or MAXIMUM_ALLOWED for all that is granted.
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED and others
 */
export function openSection(
  operation: string,
  name: SectionName,
  desired: number,
  options: LookupOptions = { checkAccess: true },
): SectionHandle {
  if (name.scope === 'local') return openLocal(operation, name, desired);
  const inside = systemInThisProcess();
  return inside === null ? openGlobal(operation, name, desired) : inside.openSection(operation, name, desired, options);
}
