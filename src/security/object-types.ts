/**
 * What access means for each kind of object: its generic rights, the rights that a handle can hold, and
 * those that change the object's memory. One row each; nothing else decides by kind.
 *
 * Source: Microsoft's pages "File Mapping Security and Access Rights", "Synchronization Object Security
 * and Access Rights", ZwCreateDirectoryObject and ZwOpenSymbolicLinkObject; the generic mappings as
 * ObjectTypeInformation reports them on Windows.
 */
import type { ObjectKind } from '../base/object-kind.js';
import {
  ACCESS_SYSTEM_SECURITY,
  type AccessMask,
  DIRECTORY_ALL_ACCESS,
  DIRECTORY_CREATE_OBJECT,
  DIRECTORY_CREATE_SUBDIRECTORY,
  DIRECTORY_QUERY,
  DIRECTORY_TRAVERSE,
  EVENT_ALL_ACCESS,
  EVENT_MODIFY_STATE,
  EVENT_QUERY_STATE,
  type GenericMapping,
  MAXIMUM_ALLOWED,
  MUTANT_ALL_ACCESS,
  MUTANT_QUERY_STATE,
  mapGeneric,
  SECTION_ALL_ACCESS,
  SECTION_MAP_EXECUTE,
  SECTION_MAP_EXECUTE_EXPLICIT,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
  SEMAPHORE_ALL_ACCESS,
  SEMAPHORE_MODIFY_STATE,
  SEMAPHORE_QUERY_STATE,
  STANDARD_RIGHTS_EXECUTE,
  STANDARD_RIGHTS_READ,
  STANDARD_RIGHTS_WRITE,
  SYMBOLIC_LINK_ALL_ACCESS,
  SYMBOLIC_LINK_QUERY,
  SYNCHRONIZE,
} from './access-mask.js';

export interface ObjectTypeAccess {
  readonly mapping: GenericMapping;
  /** Every right that a handle can hold, but ACCESS_SYSTEM_SECURITY. */
  readonly valid: AccessMask;
  /** Whoever has one of these rights gets memory that can be written. */
  readonly modifies: AccessMask;
  /** So does whoever has this one, of an object whose state a wait changes: all of its kind, but for events that stay signalled. */
  readonly takes: AccessMask;
}

export const objectTypes: Readonly<Record<ObjectKind, ObjectTypeAccess>> = {
  Section: {
    mapping: {
      read: STANDARD_RIGHTS_READ | SECTION_QUERY | SECTION_MAP_READ,
      write: STANDARD_RIGHTS_WRITE | SECTION_MAP_WRITE,
      execute: STANDARD_RIGHTS_EXECUTE | SECTION_MAP_EXECUTE,
      all: SECTION_ALL_ACCESS,
    },
    valid: SECTION_ALL_ACCESS | SECTION_MAP_EXECUTE_EXPLICIT,
    modifies: SECTION_MAP_WRITE,
    takes: 0,
  },
  Event: {
    mapping: {
      read: STANDARD_RIGHTS_READ | EVENT_QUERY_STATE,
      write: STANDARD_RIGHTS_WRITE | EVENT_MODIFY_STATE,
      execute: STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
      all: EVENT_ALL_ACCESS,
    },
    valid: EVENT_ALL_ACCESS,
    modifies: EVENT_MODIFY_STATE,
    takes: SYNCHRONIZE,
  },
  Mutant: {
    mapping: {
      read: STANDARD_RIGHTS_READ | MUTANT_QUERY_STATE,
      write: STANDARD_RIGHTS_WRITE,
      execute: STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
      all: MUTANT_ALL_ACCESS,
    },
    valid: MUTANT_ALL_ACCESS,
    modifies: MUTANT_QUERY_STATE,
    takes: SYNCHRONIZE,
  },
  Semaphore: {
    mapping: {
      read: STANDARD_RIGHTS_READ | SEMAPHORE_QUERY_STATE,
      write: STANDARD_RIGHTS_WRITE | SEMAPHORE_MODIFY_STATE,
      execute: STANDARD_RIGHTS_EXECUTE | SYNCHRONIZE,
      all: SEMAPHORE_ALL_ACCESS,
    },
    valid: SEMAPHORE_ALL_ACCESS,
    modifies: SEMAPHORE_MODIFY_STATE,
    takes: SYNCHRONIZE,
  },
  Directory: {
    mapping: {
      read: STANDARD_RIGHTS_READ | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
      write: STANDARD_RIGHTS_WRITE | DIRECTORY_CREATE_OBJECT | DIRECTORY_CREATE_SUBDIRECTORY,
      execute: STANDARD_RIGHTS_EXECUTE | DIRECTORY_QUERY | DIRECTORY_TRAVERSE,
      all: DIRECTORY_ALL_ACCESS,
    },
    valid: DIRECTORY_ALL_ACCESS,
    modifies: 0,
    takes: 0,
  },
  SymbolicLink: {
    mapping: {
      read: STANDARD_RIGHTS_READ | SYMBOLIC_LINK_QUERY,
      write: STANDARD_RIGHTS_WRITE,
      execute: STANDARD_RIGHTS_EXECUTE | SYMBOLIC_LINK_QUERY,
      all: SYMBOLIC_LINK_ALL_ACCESS,
    },
    valid: SYMBOLIC_LINK_ALL_ACCESS,
    modifies: 0,
    takes: 0,
  },
};

/** The mapping of sections. */
export const sectionMapping: GenericMapping = objectTypes.Section.mapping;

/**
 * Whether a handle with these rights changes the object's memory.
 *
 * @param takenByWaits Whether a wait for the object changes its state.
 */
export function modifiesMemory(kind: ObjectKind, granted: AccessMask, takenByWaits: boolean): boolean {
  const { modifies, takes } = objectTypes[kind];
  return (granted & (takenByWaits ? modifies | takes : modifies)) !== 0;
}

/** A creator is granted what it asks for, unchecked; the most there is, if it asks for that. */
export function creatorAccess(kind: ObjectKind, desired: AccessMask): AccessMask {
  const { mapping } = objectTypes[kind];
  const mapped = mapGeneric(desired, mapping);
  const wanted = (mapped & MAXIMUM_ALLOWED) === 0 ? mapped : mapped | mapping.all;
  return holdable(kind, wanted);
}

/** The part of a mask that a handle on this kind of object can hold. */
export function holdable(kind: ObjectKind, granted: AccessMask): AccessMask {
  return (granted & (objectTypes[kind].valid | ACCESS_SYSTEM_SECURITY)) >>> 0;
}
