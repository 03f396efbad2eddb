/**
 * What every lookup gives back, whoever did it: a handle on a section, as this process holds it.
 */
import type { MemoryObject } from './memory-object.js';

/** The facts that belong to the section itself and are the same for all who hold it. */
export interface SectionFacts {
  /** Bytes, as asked for at create. */
  readonly size: number;
  /** PAGE_…, as NT keeps it. */
  readonly pageProtection: number;
  /** SEC_…, as NT keeps it. */
  readonly attributes: number;
  /** Nobody but the creator can have writable views. */
  readonly soleWriter: boolean;
  /** The security descriptor as SDDL. */
  readonly security: string;
}

export interface SectionHandle {
  /** This handle's own descriptor of the memory: it can do no more than was granted. */
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  /** Granted access: SECTION_… bits. */
  readonly granted: number;
  /** False when an existing section was opened. */
  readonly created: boolean;
  /** Gives the handle back: closes `memory` and tells whoever counts handles. Safe to call twice, never throws. */
  close(): void;
}
