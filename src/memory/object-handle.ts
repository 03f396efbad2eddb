/**
 * What every lookup gives back, whoever did it: a handle on a kernel object, as this process holds it.
 * Every kind of object has memory: a section its own, the others a little, for their state.
 */
import type { ObjectKind } from '../base/object-kind.js';
import type { MemoryObject } from './memory-object.js';
import type { Parcel } from './parcel.js';

export type { ObjectKind } from '../base/object-kind.js';

export type Scope = 'local' | 'global';

/** Where an object is found. */
export interface ObjectName {
  readonly scope: Scope;
  /** The name's last part. */
  readonly leaf: string;
  /** As messages show it: always with its prefix. */
  readonly full: string;
  /** Identity of the directory object that holds it; absent for the scope's own directory. */
  readonly directory?: string;
}

/** The facts that belong to the object itself, and are the same for all who hold it. */
export interface SectionFacts {
  /** Bytes, when this handle was made: see {@link ObjectHandle.currentSize}. */
  readonly size: number;
  /** PAGE_…, as NT keeps it. */
  readonly pageProtection: number;
  /** SEC_…, as NT keeps it. */
  readonly attributes: number;
  /** Nobody but the creator can have writable views. */
  readonly soleWriter: boolean;
}

export interface ObjectHandle {
  readonly kind: ObjectKind;
  /** This handle's own descriptor of the memory: it can do no more than was granted, where somebody can see to that. */
  readonly memory: MemoryObject;
  readonly facts: SectionFacts;
  /** Granted access: rights of the kind, and standard ones. */
  readonly granted: number;
  /** False when an existing object was opened. */
  readonly created: boolean;
  /** Tells the object from all others, for good. A directory's entries are filed under its identity. */
  readonly identity: string;
  /** Null for an object that was created without one. */
  readonly name: ObjectName | null;
  /**
   * Another handle of this process, with rights that the caller has checked. It counts by itself.
   *
   * @throws SectionError ERR_SECTION_ACCESS_DENIED (an exclusive object; more than this handle has, where the
   * system process counts), ERR_SECTION_LIMIT, ERR_SECTION_SYSTEM_…, ERR_SECTION_REGISTRY_…
   */
  duplicate(granted: number): ObjectHandle;
  /**
   * Another handle, with rights that the object's security descriptor is asked for anew.
   *
   * @throws SectionError as {@link duplicate}, and ERR_SECTION_ACCESS_DENIED where it does not grant them
   */
  reopen(desired: number): ObjectHandle;
  /**
   * A hold on the object for another process, with rights that the caller has checked.
   *
   * @throws SectionError as {@link duplicate}
   */
  pack(granted: number): Parcel;
  /** Open handles on the object, in all processes. */
  handleCount(): number;
  /** Bytes of a section as it is now: over a file it can have been extended since it was opened. */
  currentSize(): number;
  /**
   * Has a section over a file reach so far, for all who map it from now on; never less far than it does.
   * The file is as long already, and the handle's right is checked by the caller, and by the system
   * process again.
   *
   * @returns the size that it has then
   * @throws SectionError ERR_SECTION_ACCESS_DENIED, ERR_SECTION_OUT_OF_RANGE (the file is shorter)
   */
  extend(size: number): number;
  /** The security descriptor as it is now, as SDDL, whoever changed it. */
  security(): string;
  /**
   * Changes those parts of the security descriptor that the text has: O:, G:, D:. That this handle has
   * WRITE_DAC (D:) or WRITE_OWNER (O:, G:) is checked by the caller, and by the system process again.
   *
   * @throws SectionError ERR_SECTION_INVALID_SECURITY, ERR_SECTION_ACCESS_DENIED
   */
  setSecurity(sddl: string): void;
  /** Whether the object outlives its last handle. */
  permanent(): boolean;
  /**
   * @throws SectionError ERR_SECTION_ACCESS_DENIED with STATUS_PRIVILEGE_NOT_HELD or STATUS_NOT_SUPPORTED
   */
  setPermanent(permanent: boolean): void;
  /** Gives the handle back: closes `memory` and tells whoever counts handles. Safe to call twice, never throws. */
  close(): void;
}

/** A handle of kind Section. */
export type SectionHandle = ObjectHandle;
