/**
 * Creates and opens objects wherever their names live: in the local registry, in the system process,
 * or nowhere (unnamed). The one door for every face.
 */
// Whatever opens sections has those over files made known.
import '../files/mapped-files.js';
import { SectionError } from '../base/error.js';
import { kindText, type ObjectKind } from '../base/object-kind.js';
import { MemoryObject as Memory, type MemoryObject } from '../memory/memory-object.js';
import { createContent, MAXIMUM_CONTENT } from '../memory/object-content.js';
import type { ObjectHandle, Scope, SectionHandle } from '../memory/object-handle.js';
import { PAGE_READWRITE, SEC_COMMIT } from '../memory/section-masks.js';
import { createLocal, findLocal, listLocalEntries, openLocal } from '../namespace/local.js';
import { noPermanence } from '../namespace/local-handle.js';
import { memoryLabel, type ObjectEntry, type ObjectName, type SectionName } from '../namespace/name.js';
import {
  defaultDescriptor,
  formatSddl,
  fromSddl,
  holdsPrivilege,
  type Privilege,
  privilegeNotHeld,
  tokenOfThisProcess,
} from '../security/index.js';
import { createGlobal, createGlobalSection, findGlobal, listGlobalEntries, openGlobal } from './global.js';
import { systemInThisProcess } from './kernel.js';
import { UnnamedHandle } from './unnamed.js';

/** What every kind of object is created with. */
interface Creation {
  /** SDDL; undefined for the creator's default. */
  readonly security?: string | undefined;
  /** Open the object if it exists, instead of failing. */
  readonly openExisting: boolean;
  /** Access for the creator (granted unchecked) or for opening an existing one (checked). */
  readonly desired: number;
  /** Outlives its last handle: only with a global name. */
  readonly permanent?: boolean;
  /** One handle at a time. */
  readonly exclusive?: boolean;
}

export interface SectionCreation extends Creation {
  /** Bytes; NT faces round up before. */
  readonly size: number;
  readonly reserve: boolean;
  readonly largePages: boolean;
  /** Nobody but the creator shall ever have writable views. */
  readonly soleWriter: boolean;
  /** PAGE_… and SEC_… as NT keeps them with the section. */
  readonly pageProtection: number;
  readonly attributes: number;
  /** For sections over something that already is: makes the memory object, which the handle then owns. */
  readonly over?: () => MemoryObject;
}

/** An object of any other kind. */
export interface ObjectCreation extends Creation {
  /** The initial bytes of its state, or a link's target in UTF-16LE; at most {@link MAXIMUM_CONTENT}. */
  readonly content: Uint8Array;
}

/** How an object is looked up. */
export interface LookupOptions {
  /** False for kernel mode that does not ask for a check: what is wanted is granted. */
  readonly checkAccess: boolean;
  /** OBJ_CASE_INSENSITIVE: for this lookup, names that differ in case alone are one. */
  readonly caseInsensitive?: boolean;
  /** OBJ_EXCLUSIVE, for opening: only an object that can have one handle will do. */
  readonly exclusive?: boolean;
}

const CHECKED: LookupOptions = { checkAccess: true };

/** Texts of default descriptors by user and group: most objects have one, and it is always the same. */
const defaults = new Map<string, string>();

function securityOf(operation: string, { security }: Creation): string {
  if (security !== undefined) return formatSddl(fromSddl(security, tokenOfThisProcess(), operation));
  const who = `${process.geteuid?.()}:${process.getegid?.()}`;
  let text = defaults.get(who);
  if (text === undefined) {
    text = formatSddl(defaultDescriptor(tokenOfThisProcess()));
    defaults.set(who, text);
  }
  return text;
}

/** Privileges that are this process's own business: the system process asks for the others. */
function requirePrivilege(operation: string, privilege: Privilege, options: LookupOptions): void {
  if (!options.checkAccess || systemInThisProcess() !== null) return;
  const token = tokenOfThisProcess();
  if (!holdsPrivilege(token, privilege)) throw privilegeNotHeld(operation, privilege, token);
}

/** Creates what is not global: in the local registry, or without a name. */
function createHere(
  operation: string,
  name: ObjectName | null,
  kind: ObjectKind,
  creation: Creation & { readonly pageProtection: number; readonly attributes: number },
  options: LookupOptions,
  make: (object: string, label: string, path?: string) => MemoryObject,
): ObjectHandle {
  const permanent = creation.permanent === true;
  if (permanent) requirePrivilege(operation, 'SeCreatePermanentPrivilege', options);
  const security = securityOf(operation, creation);
  const made = (path?: string) => {
    if (permanent && name !== null) throw noPermanence(operation, name);
    return make(
      name === null ? `an unnamed ${kindText(kind).replace(/^an? /, '')}` : `"${name.full}"`,
      memoryLabel(name?.full),
      path,
    );
  };
  if (name === null) return UnnamedHandle.create(kind, made(), { ...creation, security });
  const { checkAccess, caseInsensitive = false } = options;
  return createLocal(operation, name, {
    ...creation,
    kind,
    security,
    exclusive: creation.exclusive ?? false,
    checkAccess,
    caseInsensitive,
    make: made,
  });
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
  options: LookupOptions = CHECKED,
): SectionHandle {
  if (name?.scope === 'global') {
    const inside = systemInThisProcess();
    if (inside !== null) return inside.objects.createSection(operation, name, creation, options);
    return createGlobalSection(operation, name, creation, options);
  }
  const { size, reserve, largePages, soleWriter, over } = creation;
  if (largePages) requirePrivilege(operation, 'SeLockMemoryPrivilege', options);
  return createHere(operation, name, 'Section', creation, options, (object, label, path) =>
    over === undefined
      ? Memory.createPagefile(operation, object, { label, size, reserve, largePages, soleWriter, path })
      : over(),
  );
}

/**
 * Creates an object of another kind than a section; with a name and `openExisting`, opens the one that
 * exists.
 *
 * @param name Null for an object without one.
 * @throws SectionError
 */
export function createObject(
  operation: string,
  name: ObjectName | null,
  kind: Exclude<ObjectKind, 'Section'>,
  creation: ObjectCreation,
  options: LookupOptions = CHECKED,
): ObjectHandle {
  if (creation.content.length > MAXIMUM_CONTENT) {
    throw new SectionError('ERR_SECTION_TOO_BIG', {
      operation,
      rule: `${kindText(kind)} has at most ${MAXIMUM_CONTENT} bytes, not ${creation.content.length}`,
    });
  }
  if (name?.scope === 'global') {
    const inside = systemInThisProcess();
    if (inside !== null) return inside.objects.createObject(operation, name, kind, creation, options);
    return createGlobal(operation, name, kind, creation, options);
  }
  const facts = { pageProtection: PAGE_READWRITE, attributes: SEC_COMMIT };
  return createHere(operation, name, kind, { ...creation, ...facts }, options, (object, label, path) =>
    createContent(operation, object, label, creation.content, path),
  );
}

/**
 * Opens a named object.
 *
 * @param kind Null for whatever kind it is.
 * @param desired Rights of its kind, generic ones, or MAXIMUM_ALLOWED for all that is granted.
 * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_TYPE_MISMATCH and others
 */
export function openObject(
  operation: string,
  name: ObjectName,
  kind: ObjectKind | null,
  desired: number,
  options: LookupOptions = CHECKED,
): ObjectHandle {
  const { checkAccess, caseInsensitive = false, exclusive = false } = options;
  if (name.scope === 'local') return openLocal(operation, name, { kind, desired, checkAccess, caseInsensitive, exclusive });
  const inside = systemInThisProcess();
  if (inside !== null) return inside.objects.openObject(operation, name, kind, desired, options);
  return openGlobal(operation, name, kind, desired, options);
}

/** Opens a named section: {@link openObject} of that kind. */
export function openSection(
  operation: string,
  name: SectionName,
  desired: number,
  options: LookupOptions = CHECKED,
): SectionHandle {
  return openObject(operation, name, 'Section', desired, options);
}

/**
 * What a directory has under a name, whoever may open it: for going through directories and links.
 *
 * @param directory Identity of the directory object; undefined for the scope's own directory.
 * @returns null where there is nothing of that name
 */
export function findEntry(
  operation: string,
  scope: Scope,
  directory: string | undefined,
  leaf: string,
  caseInsensitive: boolean,
): ObjectEntry | null {
  if (scope === 'local') {
    const name = { scope, leaf, full: `Local\\${leaf}`, ...(directory === undefined ? {} : { directory }) };
    return findLocal(operation, name, caseInsensitive);
  }
  const inside = systemInThisProcess();
  if (inside !== null) return inside.objects.findEntry(operation, directory, leaf, caseInsensitive);
  return findGlobal(operation, directory, leaf, caseInsensitive);
}

/**
 * What is in a directory, by name.
 *
 * @param directory Identity of the directory object, on which the caller has a handle with DIRECTORY_QUERY;
 * undefined for the scope's own directory.
 */
export function listEntries(operation: string, scope: Scope, directory: string | undefined): readonly ObjectEntry[] {
  if (scope === 'local') return listLocalEntries(operation, directory);
  return systemInThisProcess()?.objects.listEntries(operation, directory) ?? listGlobalEntries(operation, directory);
}
