/**
 * What Sectile asks of an operating system whose kernel is NT itself: its own calls, under their own names. Nothing is
 * decided here: a status or an error comes back as the system gave it.
 */
import type { Mapping } from './handles.js';

declare const opaque: unique symbol;
/** A handle that is closed by `handleClose`, else when it is collected, else with the thread of JavaScript that holds it. */
export interface HeldHandle {
  readonly [opaque]: 'handle';
}

/** Where those meet who wait for words of a section. */
export interface Meeting {
  readonly [opaque]: 'meeting';
}

/** A thread that waits, and owns the mutexes that it gets. It ends with `keeperEnd`, or when it is collected. */
export interface Keeper {
  readonly [opaque]: 'keeper';
}

/** `[name, attributes, root directory, security descriptor]` of OBJECT_ATTRIBUTES. */
export type ObjectAttributesArgument = readonly [
  name: string | null,
  attributes: number,
  root: number,
  security: Uint8Array | null,
];

/** `[security descriptor, whether the handle is inherited]` of SECURITY_ATTRIBUTES. */
export type SecurityAttributesArgument = readonly [security: Uint8Array | null, inherit: boolean];

/** `[type, value]` of MEM_EXTENDED_PARAMETER; the value of address requirements is `[lowest, highest, alignment]`. */
export type ExtendedParameter = readonly [type: number, value: bigint | readonly [bigint, bigint, bigint]];

export type SystemArgument =
  | number
  | bigint
  | string
  | Uint8Array
  | ObjectAttributesArgument
  | SecurityAttributesArgument
  | readonly ExtendedParameter[]
  | readonly number[]
  | null;

/**
 * A call of the table in native/win32/calls.c. It takes what its row states and answers with a number: a status, a
 * BOOL, a handle (32 bits, sign-extended); with a bigint where the row says so.
 */
export type SystemCall = (...given: readonly SystemArgument[]) => number;

/** How {@link NtSystem.mapSection} maps. */
export const MapFlag = {
  /** Offset, address and length go to the kernel as they are; the view is all that it maps. */
  exact: 1,
  /** Reserved pages are committed by the first access, and that is no fault. */
  commitOnTouch: 2,
} as const;

/**
 * Waits for objects of the kernel that leave this thread free. Each has a number and tells once how it ended: an NTSTATUS
 * (STATUS_WAIT_0 and the index, STATUS_ABANDONED_WAIT_0 and the index, or why it cannot be waited for any more). The handle may
 * be closed meanwhile: the wait has one of its own. A minus before an NTSTATUS says that no wait was started.
 */
export interface NtWaits {
  /**
   * Waits for one object, in a thread that others wait in as well: for any but a mutex.
   *
   * @returns the wait's number, or minus the NTSTATUS
   */
  handleWait(handle: number, ended: (status: number) => void): number;
  /** Ends a wait, which tells nothing then. Null: it has taken nothing. Else it had ended already: the NTSTATUS. */
  waitStop(wait: number): number | null;
  /** One more who keeps the process, or one less. */
  waitsKeep(keeps: boolean): void;
  keeperStart(): Keeper;
  /**
   * Waits for one of 1 to 64 objects, or for all. A keeper waits for one thing at a time.
   *
   * @returns the wait's number, or minus the NTSTATUS
   */
  keeperWait(keeper: Keeper, handles: readonly number[], all: boolean, ended: (status: number) => void): number;
  /**
   * The same, and this thread stands still.
   *
   * @param milliseconds A fraction too, or Infinity.
   * @returns an NTSTATUS; STATUS_TIMEOUT when the time has passed
   */
  keeperWaitSync(keeper: Keeper, handles: readonly number[], all: boolean, milliseconds: number): number;
  /** Releases a mutex once that the keeper owns. @returns an NTSTATUS */
  keeperRelease(keeper: Keeper, mutex: number): number;
  /** Ends the thread: what it owns is abandoned. A wait must have been stopped before. Safe to call twice. */
  keeperEnd(keeper: Keeper): void;
}

export interface NtSystem extends NtWaits {
  /** The calls that this version of the system has, by name: see native/win32/calls.c. */
  readonly calls: Readonly<Record<string, SystemCall>>;
  /** GetLastError() of the last of these calls. */
  lastError(): number;
  /** Takes a handle over. */
  handleHold(handle: number): HeldHandle;
  /** Safe to call twice. */
  handleClose(handle: HeldHandle): void;
  /** Where an array stands: for pointers that the system put into it. Never handed to the system. */
  addressOf(structure: Uint8Array): bigint;
  /**
   * NtMapViewOfSection into this process, guarded.
   *
   * @param section A handle with the rights that `protect` needs.
   * @param offset Bytes; any offset unless {@link MapFlag.exact}. Numbers cost less than bigints.
   * @param length Bytes; 0 for all to the section's end.
   * @param inherit ViewShare or ViewUnmap.
   * @param into The handle of a closed mapping, of which `mappingClose` said that nothing is left; null for a new handle,
   * which costs a microsecond.
   * @param rest All or none. `address`: of byte `offset`; 0n for anywhere. `extended`: at most 8; null to call
   * NtMapViewOfSection and not NtMapViewOfSectionEx, which knows neither `zeroBits` nor `commitSize` nor `inherit`.
   * @returns the mapping, or an NTSTATUS; with `into`, the mapping's bytes, or minus the NTSTATUS
   */
  mapSection(
    section: number,
    offset: number | bigint,
    length: number | bigint,
    protect: number,
    allocationType: number,
    flags: number,
    inherit: number,
    into: Mapping | null,
    ...rest:
      | readonly []
      | readonly [address: bigint, zeroBits: bigint, commitSize: bigint, extended: readonly ExtendedParameter[] | null]
  ): Mapping | number;
  /** Bytes of a mapping. */
  mappingLength(mapping: Mapping): number;
  /** Flushes of the mapping wait from now on until this file is on the disk; the mapping keeps a duplicate. */
  mappingFlushesFile(mapping: Mapping, file: number): void;
  /** Where all meet who know a section by its name; null for one without. */
  meetingOfSection(section: number): Meeting | null;
  /** Where all of this session meet who map a file without a name; null for one that has no number. */
  meetingOfFile(file: number): Meeting | null;
  /** Where nobody meets but who is given it: for the views of one section in this process. */
  meetingOfOwn(): Meeting;
  /** Those who wait for words of a mapping meet there. Without it waiting and waking are EOPNOTSUPP. Once for each mapping. */
  mappingMeets(mapping: Mapping, meeting: Meeting): void;
  /** The view that somebody else mapped at an address, guarded from now on; null where there is none, or it is guarded. */
  adoptView(address: bigint): Mapping | null;
  /** Where the views are that this process has, whoever mapped them. */
  mappedViews(): readonly bigint[];
  /** Must be told before protections of single pages of a mapping are changed. */
  mappingPagesDiffer(mapping: Mapping): void;
  /** The handle that a mapping's guard has on the section, or 0. It is the guard's to close. */
  mappingSection(mapping: Mapping): number;
  /** Has the guard close it: a page that a write went astray to stays a copy from then on. */
  mappingLetGo(mapping: Mapping): void;
  /**
   * Closes a mapping that took the place of a placeholder, and leaves that.
   *
   * @returns an NTSTATUS; on failure the mapping is as it was
   */
  mappingVacate(mapping: Mapping): number;
  /** The end of the closed view whose addresses are still kept at an address; 0n where none is. */
  keptUntil(address: bigint): bigint;
  /** Frees addresses in a range that closed views still keep; false where there are none. */
  releaseAddresses(address: bigint, length: bigint): boolean;
  /**
   * ReadFile, at an offset or at the file's position; returns when it is done, also for overlapped handles.
   *
   * @returns bytes, or minus the Win32 error
   */
  fileRead(file: number, target: Uint8Array, offset: bigint | null): number;
  /** WriteFile, likewise. */
  fileWrite(file: number, source: Uint8Array, offset: bigint | null): number;
  /** LockFileEx, waited for where it waits. @returns 0, or minus the Win32 error */
  fileLock(file: number, flags: number, offset: bigint, length: bigint): number;
  /** UnlockFileEx; without flags. */
  fileUnlock(file: number, flags: number, offset: bigint, length: bigint): number;
  /** DeviceIoControl, likewise. @returns bytes, or minus the Win32 error */
  deviceControl(device: number, code: number, input: Uint8Array | null, output: Uint8Array | null): number;
  /**
   * The same on another thread, on copies of the memory.
   *
   * @returns what came back, or an NTSTATUS
   */
  deviceControlAsync(
    device: number,
    code: number,
    input: Uint8Array | null,
    output: Uint8Array | null,
  ): Promise<Uint8Array | number>;
  /** A self-relative security descriptor from SDDL, or the Win32 error. */
  securityFromText(sddl: string): Uint8Array | number;
  /** SDDL of those parts (OWNER_SECURITY_INFORMATION …), or the Win32 error. */
  securityToText(descriptor: Uint8Array, parts: number): string | number;
}
