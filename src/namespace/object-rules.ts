/**
 * Rules of the object namespace that hold wherever a name lives: one namespace for all kinds, and objects
 * that can have one handle.
 */
import { randomBytes } from 'node:crypto';
import { SectionError } from '../base/error.js';
import { kindText, type ObjectKind } from '../base/object-kind.js';
import type { ObjectName } from './name.js';

/** An identity that nothing else has, here or elsewhere. */
export function newIdentity(): string {
  return randomBytes(16).toString('hex');
}

/** @param where who has none, as the beginning of a sentence: "no process of this user holds" */
export function notFound(operation: string, name: ObjectName, kind: ObjectKind | null, where: string): SectionError {
  return new SectionError('ERR_SECTION_NOT_FOUND', {
    operation,
    object: `"${name.full}"`,
    rule: `${where} ${kind === null ? 'an object' : kindText(kind)} of that name`,
    wayOut: 'Create it first, or look for it with "sectile ls"',
  });
}

/** Refuses what is of another kind than the caller can use. */
export function requireKind(operation: string, name: ObjectName, found: ObjectKind, wanted: ObjectKind | null): void {
  if (wanted === null || found === wanted) return;
  throw new SectionError('ERR_SECTION_TYPE_MISMATCH', {
    operation,
    object: `"${name.full}"`,
    rule: `${kindText(found)} has that name, and ${kindText(wanted)} is wanted`,
    wayOut: 'Choose another name: all kinds of objects share one namespace',
  });
}

/**
 * Of an exclusive object one handle can be open at a time; what is not exclusive cannot be opened as if
 * it were.
 *
 * @see InitializeObjectAttributes, OBJ_EXCLUSIVE: "Only a single handle can be open for this object"
 */
export function requireShareable(
  operation: string,
  name: ObjectName,
  object: { readonly exclusive: boolean; readonly handles: number },
  wantsExclusive: boolean,
): void {
  if (object.exclusive && object.handles > 0) {
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      object: `"${name.full}"`,
      rule: 'it is exclusive (OBJ_EXCLUSIVE), and its one handle is open',
      wayOut: 'Wait until its holder closes it, or have it created without OBJ_EXCLUSIVE',
    });
  }
  if (object.exclusive || !wantsExclusive) return;
  throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
    operation,
    object: `"${name.full}"`,
    rule: 'it was created without OBJ_EXCLUSIVE, and so it cannot be opened with it',
  });
}

/** The name is taken. */
export function exists(operation: string, name: ObjectName, kind: ObjectKind): SectionError {
  return new SectionError('ERR_SECTION_EXISTS', {
    operation,
    object: `"${name.full}"`,
    rule: `${kindText(kind)} of that name exists`,
    wayOut:
      kind === 'Section' ? "Open it with Section.open, or create with ifExists: 'open'" : 'Open it, or create with OBJ_OPENIF',
  });
}
