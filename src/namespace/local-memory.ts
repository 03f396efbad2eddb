/**
 * How processes of one user come to the memory of a local name: the seam between the registry, which is the same
 * everywhere, and what a platform has to share memory by.
 */
import type { MemoryObject } from '../memory/memory-object.js';
import type { ObjectName } from './name.js';
import type { RegistryFile } from './registry-file.js';
import type { RegistryRecord } from './registry-record.js';

/** Memory that nobody else can find yet. */
export interface FreshMemory {
  readonly memory: MemoryObject;
  /**
   * Makes it what others find under a name's file. Needs the file's mutex, and that nobody holds the name.
   *
   * @throws SectionError ERR_SECTION_FILE where it cannot be found by others
   */
  publish(operation: string, file: RegistryFile): void;
  /** Closes it and leaves nothing behind, unless it was published. */
  discard(): void;
}

export interface LocalMemory {
  /**
   * Makes memory that can be published.
   *
   * @param make Makes it: where a path is given, as a new file there.
   */
  make(folder: string, make: (path?: string) => MemoryObject): FreshMemory;
  /**
   * The memory that a name's file means; null when nobody holds it any more. Needs the file's mutex.
   *
   * @throws SectionError ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_DAMAGED
   */
  take(operation: string, name: ObjectName, file: RegistryFile, record: RegistryRecord, write: boolean): MemoryObject | null;
  /** Takes away what others could find under a name's file. Needs the file's mutex, and that nobody holds the name. */
  forget(path: string): void;
  /** Whether an entry of the folder is memory that somebody made and, killed, never published. */
  isLeftOver(entry: string): boolean;
}
