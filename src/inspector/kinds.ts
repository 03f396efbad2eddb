/**
 * The kinds of named objects in words that a person can read, and the words for their rights.
 */
import type { ObjectKind } from '../base/object-kind.js';
import {
  DIRECTORY_CREATE_OBJECT,
  DIRECTORY_CREATE_SUBDIRECTORY,
  DIRECTORY_QUERY,
  DIRECTORY_TRAVERSE,
  EVENT_MODIFY_STATE,
  EVENT_QUERY_STATE,
  MUTANT_QUERY_STATE,
  objectTypes,
  SECTION_EXTEND_SIZE,
  SECTION_MAP_EXECUTE,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
  SEMAPHORE_MODIFY_STATE,
  SEMAPHORE_QUERY_STATE,
  SYMBOLIC_LINK_QUERY,
  SYNCHRONIZE,
} from '../security/index.js';

export type NamedKind = 'section' | 'event' | 'mutant' | 'semaphore' | 'directory' | 'symbolic link';

type Right = readonly [bit: number, word: string];

/** The rights of each kind that have words; a section's are the first that people ask for. */
const rights: Readonly<Record<ObjectKind, readonly Right[]>> = {
  Section: [
    [SECTION_MAP_READ, 'read'],
    [SECTION_MAP_WRITE, 'write'],
    [SECTION_MAP_EXECUTE, 'execute'],
    [SECTION_EXTEND_SIZE, 'extend'],
    [SECTION_QUERY, 'query'],
  ],
  Event: [
    [EVENT_QUERY_STATE, 'query'],
    [EVENT_MODIFY_STATE, 'set'],
    [SYNCHRONIZE, 'wait'],
  ],
  Mutant: [
    [MUTANT_QUERY_STATE, 'query'],
    [SYNCHRONIZE, 'wait'],
  ],
  Semaphore: [
    [SEMAPHORE_QUERY_STATE, 'query'],
    [SEMAPHORE_MODIFY_STATE, 'release'],
    [SYNCHRONIZE, 'wait'],
  ],
  Directory: [
    [DIRECTORY_QUERY, 'list'],
    [DIRECTORY_TRAVERSE, 'traverse'],
    [DIRECTORY_CREATE_OBJECT, 'create objects'],
    [DIRECTORY_CREATE_SUBDIRECTORY, 'create directories'],
  ],
  SymbolicLink: [[SYMBOLIC_LINK_QUERY, 'query']],
};

/** `symbolic link` for SymbolicLink. */
export function namedKind(kind: ObjectKind): NamedKind {
  return kind.replace(/(?!^)[A-Z]/g, (letter) => ` ${letter}`).toLowerCase() as NamedKind;
}

/** The kind whose rights an object has: what is no object of ours is like a section. */
export function kindOf(text: string): ObjectKind {
  return (Object.keys(rights) as ObjectKind[]).find((kind) => namedKind(kind) === text) ?? 'Section';
}

/** The rights that a mask holds: `read, write`; `everything` for all of the kind's. */
export function rightsText(mask: number, kind: ObjectKind): string {
  const { all } = objectTypes[kind].mapping;
  if ((mask & all) === all) return 'everything';
  const words = rights[kind].filter(([bit]) => (mask & bit) !== 0).map(([, word]) => word);
  return words.length === 0 ? 'none' : words.join(', ');
}
