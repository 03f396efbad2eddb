/**
 * The types of kernel objects that a handle can be on: what their generic rights mean and which rights
 * a handle can hold. One row each; the handle table tells handles apart by it.
 *
 * Source: Microsoft's pages of each type's access rights; OBJECT_TYPE_INFORMATION as Windows reports it.
 */
import type { FileObject } from '../files/file-object.js';
import type { SectionHandle } from '../memory/object-handle.js';
import {
  ACCESS_SYSTEM_SECURITY,
  FILE_ALL_ACCESS,
  fileMapping,
  type GenericMapping,
  PROCESS_ALL_ACCESS,
  processMapping,
  SECTION_ALL_ACCESS,
  SECTION_MAP_EXECUTE_EXPLICIT,
  sectionMapping,
  THREAD_ALL_ACCESS,
  threadMapping,
} from '../security/index.js';

/** What stands behind a handle. Closing it gives up this one handle's hold. */
export interface ObjectBody {
  close(): void;
}

/** A type of objects; `B` is what stands behind its handles. */
export interface ObjectType<B extends ObjectBody> {
  /** As ObjectTypeInformation tells it. */
  readonly name: string;
  readonly mapping: GenericMapping;
  /** Every right that a handle can hold. */
  readonly rights: number;
  /**
   * Makes what stands behind a further handle, with rights that the caller has checked; throws a
   * SectionError when it cannot. A type without it has its handles share one body, which is closed with
   * the last of them.
   */
  duplicate?(body: B, granted: number): B;
  /** As {@link duplicate}, with a fresh check of rights that go beyond the handle's. Without it none do. */
  reopen?(body: B, desired: number): { readonly body: B; readonly granted: number };
  /** Only for the compiler: ties the type to its bodies. */
  readonly body?: B;
}

export const sectionType: ObjectType<SectionHandle> = {
  name: 'Section',
  mapping: sectionMapping,
  rights: SECTION_ALL_ACCESS | SECTION_MAP_EXECUTE_EXPLICIT | ACCESS_SYSTEM_SECURITY,
};

/** A process: this one, or another that was opened. Whoever holds one never means a later process with its number. */
export interface ProcessBody extends ObjectBody {
  readonly pid: number;
  readonly isCurrent: boolean;
}

/** Processes are checked when they are opened: a handle can be given no further right. */
export const processType: ObjectType<ProcessBody> = { name: 'Process', mapping: processMapping, rights: PROCESS_ALL_ACCESS };

/** The main thread of a process. */
export interface ThreadBody extends ObjectBody {
  readonly id: number;
  readonly process: ProcessBody;
}

export const threadType: ObjectType<ThreadBody> = { name: 'Thread', mapping: threadMapping, rights: THREAD_ALL_ACCESS };

/** An open file. Its handles share one file object, and hold no right that the file was not opened with. */
export const fileType: ObjectType<FileObject> = {
  name: 'File',
  mapping: fileMapping,
  rights: FILE_ALL_ACCESS | ACCESS_SYSTEM_SECURITY,
};
