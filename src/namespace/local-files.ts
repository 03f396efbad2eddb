/**
 * The files of the registry of local names: which file a name has, going through all of them, and clearing
 * away those of processes that were killed.
 */
import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { SectionError } from '../base/error.js';
import { localMemory } from './local-memory-choice.js';
import { foldCase, type ObjectName } from './name.js';
import { RegistryFile } from './registry-file.js';
import { isIdentity, type RegistryRecord, type RegistrySlot } from './registry-record.js';
import { registryDirectoryIfAny } from './runtime-directory.js';

const ENDING = '.object';

/** Records of processes that were killed: so many are cleared away when a process creates its first name. */
const MOST_CLEARED = 256;
let hasCleared = false;

/** Once in a process: clears away what processes that were killed left behind. */
export function clearOnce(folder: string): void {
  if (hasCleared) return;
  hasCleared = true;
  for (const entry of readdirSync(folder).slice(0, MOST_CLEARED)) {
    if (entry.endsWith(ENDING)) RegistryFile.clear(join(folder, entry));
    else if (localMemory.isLeftOver(entry)) rmSync(join(folder, entry), { force: true });
  }
}

/**
 * The file of a name. A leaf holds no backslash, so that no name in a directory is one outside.
 *
 * @throws SectionError ERR_SECTION_INVALID_NAME for a directory that no local one can be
 */
export function fileOf(folder: string, { leaf, directory, full }: ObjectName): string {
  if (directory !== undefined && !isIdentity(directory)) {
    throw new SectionError('ERR_SECTION_INVALID_NAME', {
      operation: 'use a local name',
      object: `"${full}"`,
      rule: `${JSON.stringify(directory)} is the identity of no local directory`,
    });
  }
  const key = directory === undefined ? leaf : `${directory}\\${leaf}`;
  return join(folder, createHash('sha256').update(key, 'utf16le').digest('hex') + ENDING);
}

export interface LocalListing {
  readonly path: string;
  readonly record: RegistryRecord;
  readonly holders: readonly RegistrySlot[];
}

export interface LocalProblem {
  readonly path: string;
  readonly error: SectionError;
}

/** All local objects that somebody holds. Clears away records whose holders have died. */
export function listLocal(operation: string): {
  readonly objects: readonly LocalListing[];
  readonly problems: readonly LocalProblem[];
} {
  const objects: LocalListing[] = [];
  const problems: LocalProblem[] = [];
  const folder = registryDirectoryIfAny();
  for (const entry of folder === null ? [] : readdirSync(folder).filter((each) => each.endsWith(ENDING))) {
    const path = join(folder ?? '', entry);
    try {
      const listing = listingOf(operation, path);
      if (listing !== null) objects.push(listing);
    } catch (error) {
      if (!(error instanceof SectionError)) throw error;
      problems.push({ path, error });
    }
  }
  return { objects, problems };
}

function listingOf(operation: string, path: string): LocalListing | null {
  const file = RegistryFile.open(operation, path, false);
  if (file === null) return null;
  try {
    const record = file.read();
    const holders = [...file.livingSlots()].map((index) => file.readSlot(index));
    if (holders.length > 0 && record !== null) return { path, record, holders };
    file.unlink();
    return null;
  } finally {
    file.close();
  }
}

/** What is held in a directory; without one, in the user's own. A damaged record is no entry. */
export function recordsIn(operation: string, directory: string | undefined): readonly RegistryRecord[] {
  return listLocal(operation)
    .objects.map(({ record }) => record)
    .filter((record) => record.directory === (directory ?? null));
}

/** The name under which somebody holds what differs from this name in case alone; null when nobody does. */
export function nameIgnoringCase(operation: string, name: ObjectName): ObjectName | null {
  const folded = foldCase(name.leaf);
  const found = recordsIn(operation, name.directory).find((each) => foldCase(each.name) === folded);
  if (found === undefined) return null;
  return { ...name, leaf: found.name, full: name.full.slice(0, name.full.length - name.leaf.length) + found.name };
}
