/**
 * What is known of one object and of those who hold it: the shape that every gatherer fills in and
 * every command prints.
 */
import type { Backing } from '../memory/memory-object.js';
import type { NamedKind } from './kinds.js';
import type { MappedView } from './processes.js';

/** A process that holds an object, by handles, by views or by both. */
export interface Holder {
  readonly pid: number;
  /** Its command line; null when it has ended or lives in another PID namespace. */
  readonly command: readonly string[] | null;
  /** Whether its handles are those of kernel mode: a driver in the system process. */
  readonly kernel: boolean;
  /** Open handles; for foreign objects open descriptors. */
  readonly handles: number;
  /** Granted access of all its handles together; null where nobody granted anything (foreign objects). */
  readonly granted: number | null;
  /** Its views, Sectile's own bookkeeping left out. */
  readonly mappings: readonly MappedView[];
  /** Its number means nothing here: it lives in another PID namespace. */
  readonly otherPidNamespace: boolean;
}

export interface ObjectFacts {
  /** As every command takes it: `Local\x`, `Global\x`, `posix:/x`, `fd:PID/N`. */
  readonly name: string;
  readonly scope: 'local' | 'global' | 'foreign';
  readonly kind: NamedKind | 'posix' | 'memfd' | 'file';
  /** Bytes; null where the object does not let us ask. */
  readonly size: number | null;
  /** Bytes in memory; null where it cannot be told. */
  readonly resident: number | null;
  readonly backing: Backing;
  /** The file behind it, or what /proc calls its memory; null where that says nothing. */
  readonly file: string | null;
  /** PAGE_…; null for foreign objects, which have none. */
  readonly pageProtection: number | null;
  /** SEC_…; null for foreign objects. */
  readonly attributes: number | null;
  readonly soleWriter: boolean;
  /** SDDL; null for foreign objects. */
  readonly security: string | null;
  /** User number and permission bits of a foreign object. */
  readonly owner: number | null;
  readonly mode: number | null;
  /** Milliseconds since 1970; null where nobody noted it. */
  readonly created: number | null;
  /** What tells its memory from all other; null where the kernel does not say. */
  readonly device: bigint | null;
  readonly inode: bigint | null;
  readonly holders: readonly Holder[];
}
