/**
 * Names of sections as Win32 has them: an optional `Local\` or `Global\`, then anything but a
 * backslash. A name is never a path of the file system.
 */
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { ObjectKind } from '../base/object-kind.js';
import type { ObjectName, Scope } from '../memory/object-handle.js';

export type { ObjectName, Scope } from '../memory/object-handle.js';

/** The name of a section; any kind of object has such names. */
export type SectionName = ObjectName;

/** What a directory has under a name. */
export interface ObjectEntry {
  readonly kind: ObjectKind;
  /** As it was spelt when it was created. */
  readonly leaf: string;
  readonly identity: string;
  /** Where a symbolic link leads. */
  readonly target?: string;
}

/** NT counts a name's bytes in 16 bits, and UTF-16 takes two for each unit: 65,532 bytes. */
export const MAXIMUM_NAME_LENGTH = 32_766;

const prefixes: readonly (readonly [string, Scope])[] = [
  ['Global\\', 'global'],
  ['Local\\', 'local'],
];

/**
 * Splits a name into its namespace and its leaf. Prefixes are case-sensitive; `Session\` is reserved.
 *
 * @throws SectionError ERR_SECTION_INVALID_NAME
 * @see CreateFileMappingW, lpName; "Kernel object namespaces" (Microsoft)
 */
export function parseName(operation: string, name: unknown): SectionName {
  const refuse = (rule: string, wayOut?: string): never => {
    throw new SectionError('ERR_SECTION_INVALID_NAME', {
      operation,
      object: show(name),
      rule,
      ...(wayOut === undefined ? {} : { wayOut }),
    });
  };
  if (typeof name !== 'string') return refuse('a name must be a string');
  const [prefix = '', scope = 'local'] = prefixes.find(([start]) => name.startsWith(start)) ?? [];
  const leaf = name.slice(prefix.length);
  if (leaf === '') return refuse('a name must not be empty', 'Leave name out for an unnamed section');
  if (name.startsWith('Session\\')) return refuse('the prefix Session\\ is reserved', 'Use Local\\ or Global\\');
  if (leaf.includes('\\')) {
    return refuse('a name may hold any character but a backslash', 'The prefixes are Local\\ and Global\\, in this spelling');
  }
  if (leaf.length > MAXIMUM_NAME_LENGTH)
    return refuse(`a name has at most ${MAXIMUM_NAME_LENGTH} UTF-16 units, this one has ${leaf.length}`);
  return { scope, leaf, full: `${scope === 'global' ? 'Global' : 'Local'}\\${leaf}` };
}

/**
 * A name as NT compares it without regard to case: each UTF-16 unit by itself, so that no name changes
 * its length (a sharp s stays one).
 */
export function foldCase(text: string): string {
  let folded = '';
  for (let index = 0; index < text.length; index++) {
    const unit = text[index] as string;
    const upper = unit.toUpperCase();
    folded += upper.length === 1 ? upper : unit;
  }
  return folded;
}

/** A name for humans in /proc: printable, short, carrying no meaning. */
export function memoryLabel(name: string | undefined): string {
  const text = (name ?? '').replace(/[^\x21-\x7e]/g, '?').slice(0, 60);
  return `sectile:${text}`;
}
