/**
 * Where the idiomatic face has its sections from: Sectile itself, or the kernel where it is NT. What both give is the
 * same; which rights and names there are is theirs.
 */
import type { Mapping } from '../os/index.js';
import type { OverAccess } from './existing.js';
import type { Backing, MapOptions } from './memory-object.js';
import type { ObjectName } from './object-handle.js';

/** The memory of a section, as far as views of it are concerned. */
export interface SectionMemory {
  readonly backing: Backing;
  /** Views start at multiples of this many bytes in the section and in memory. */
  readonly granularity: number;
  /** Whether shared writable views can be had. */
  readonly writable: boolean;
  /** How messages name it when its section has no name. */
  readonly description: string;
  /**
   * Maps a range that the caller has checked against the section's size.
   *
   * @throws SectionError ERR_SECTION_ADDRESS_CONFLICT, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_NO_MEMORY
   */
  map(operation: string, object: string, options: MapOptions): Mapping;
  /** Takes the handle of a mapping of its own that was closed, where that saves making another; whoever gives it forgets it. */
  readonly reuse?: (mapping: Mapping) => void;
  /** Must be told, once, before anybody waits for words of a mapping that is no private copy. */
  readonly lend?: (mapping: Mapping) => void;
  /** What a view holds beside its mapping; null where there is nothing to hold. */
  holdForView(): (() => void) | null;
}

/** A section as one holder has it. */
export interface HeldSection {
  readonly memory: SectionMemory;
  readonly facts: { readonly size: number; readonly soleWriter: boolean };
  /** Granted access: SECTION_…. */
  readonly granted: number;
  /** Gives the handle back. Safe to call twice, never throws. */
  close(): void;
}

/** A section of the paging file that shall be. */
export interface NewSection {
  /** Bytes. */
  readonly size: number;
  readonly reserve: boolean;
  readonly largePages: boolean;
  /** Nobody but the creator shall ever have writable views. */
  readonly soleWriter: boolean;
  /** SDDL; undefined for the creator's default. */
  readonly security: string | undefined;
  /** Open the section that has the name, instead of failing. */
  readonly openExisting: boolean;
}

/** Each throws a SectionError where it cannot. */
export interface SectionSource {
  /** @param name Null for an unnamed section. */
  create(operation: string, name: ObjectName | null, wish: NewSection): HeldSection;
  /** @param desired SECTION_…, or MAXIMUM_ALLOWED. */
  open(operation: string, name: ObjectName, desired: number): HeldSection;
  /** @param size Undefined: the file's length. */
  overFile(
    operation: string,
    path: string | URL,
    access: 'read' | 'readwrite',
    size: number | undefined,
    name: ObjectName | null,
  ): HeldSection;
  overPosix(operation: string, name: string, access: 'read' | 'readwrite'): HeldSection;
  overDescriptor(operation: string, fd: number, access: OverAccess, size: number): HeldSection;
}
