/**
 * The types of kernel objects that a handle can be on: what their generic rights mean and which rights
 * a handle can hold. One row each; the handle table tells handles apart by it.
 *
 * Source: Microsoft's pages of each type's access rights; OBJECT_TYPE_INFORMATION as Windows reports it.
 */
import type { FileObject } from '../files/file-object.js';
import type { ObjectHandle, ObjectKind, SectionHandle } from '../memory/object-handle.js';
import {
  ACCESS_SYSTEM_SECURITY,
  FILE_ALL_ACCESS,
  fileMapping,
  type GenericMapping,
  objectTypes,
  PROCESS_ALL_ACCESS,
  processMapping,
  SECTION_ALL_ACCESS,
  SYNCHRONIZE,
  THREAD_ALL_ACCESS,
  threadMapping,
} from '../security/index.js';
import type { Waitable } from '../sync/waitable.js';

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
  /** ValidAccessMask as ObjectTypeInformation tells it; {@link rights} where it is left out. */
  readonly valid?: number;
  /** The object behind a body, for types whose objects have names, security and counts. */
  objectOf?(body: B): ManagedObject;
  /**
   * Makes what stands behind a further handle, with rights that the caller has checked; throws a
   * SectionError when it cannot. A type without it has its handles share one body, which is closed with
   * the last of them.
   */
  duplicate?(body: B, granted: number): B;
  /** As {@link duplicate}, with a fresh check of rights that go beyond the handle's. Without it none do. */
  reopen?(body: B, desired: number): { readonly body: B; readonly granted: number };
  /**
   * What a wait for the object is a wait for; null where this handle's memory cannot be changed as the wait would. A type
   * without it has its objects signalled at all times, as NT's default object is.
   *
   * @throws SectionError where its memory cannot be mapped, or is none of ours
   */
  waitFor?(body: B): Waitable | null;
  /** Only for the compiler: ties the type to its bodies. */
  readonly body?: B;
}

/** What the object manager knows of an object, as NtQueryObject and its like ask for it. */
export interface ManagedObject
  extends Pick<ObjectHandle, 'identity' | 'name' | 'security' | 'setSecurity' | 'permanent' | 'setPermanent'> {
  /** From the root of the namespace, for what is there without having been created. */
  readonly path?: string;
  /** Open handles in all processes; without it, those of this process are counted. */
  handleCount?(): number;
  /**
   * For what is there without having been created: the rights that this process is granted of those it wants.
   *
   * @throws SectionError ERR_SECTION_ACCESS_DENIED
   */
  grant?(desired: number): number;
}

export const isHandle = (object: ManagedObject): object is ObjectHandle => 'duplicate' in object;

/** A type whose objects can have a name. */
export interface NamedType<B extends ObjectBody> extends ObjectType<B> {
  readonly kind: ObjectKind;
  bodyOf(object: ObjectHandle): B;
  objectOf(body: B): ManagedObject;
}

/** A row for one of the kinds that the namespace has; duplicates count as handles of their own. */
export function namedType<B extends ObjectBody>(
  kind: ObjectKind,
  { bodyOf, objectOf }: { bodyOf(object: ObjectHandle): B; objectOf(body: B): ManagedObject },
): NamedType<B> {
  const { mapping, valid } = objectTypes[kind];
  return {
    name: kind,
    kind,
    mapping,
    rights: valid | ACCESS_SYSTEM_SECURITY,
    valid,
    bodyOf,
    objectOf,
    duplicate: (body, granted) => {
      const object = objectOf(body);
      return isHandle(object) ? bodyOf(object.duplicate(granted)) : body;
    },
    reopen: (body, desired) => {
      const object = objectOf(body);
      if (!isHandle(object)) return { body, granted: object.grant?.(desired) ?? 0 };
      const again = object.reopen(desired);
      return { body: bodyOf(again), granted: again.granted };
    },
  };
}

export const sectionType: NamedType<SectionHandle> = {
  ...namedType('Section', { bodyOf: (object) => object, objectOf: (object) => object }),
  // As Windows tells it, although no handle on a section can be waited for.
  valid: SECTION_ALL_ACCESS | SYNCHRONIZE,
};

/** A process: this one, or another that was opened. Whoever holds one never means a later process with its number. */
export interface ProcessBody extends ObjectBody {
  readonly pid: number;
  readonly isCurrent: boolean;
  /** Its end. */
  readonly end: Waitable;
}

/** Processes are checked when they are opened: a handle can be given no further right. */
export const processType: ObjectType<ProcessBody> = {
  name: 'Process',
  mapping: processMapping,
  rights: PROCESS_ALL_ACCESS,
  waitFor: ({ end }) => end,
};

/** The main thread of a process. */
export interface ThreadBody extends ObjectBody {
  readonly id: number;
  readonly process: ProcessBody;
}

/** Signalled with its process: a main thread of JavaScript ends with it. */
export const threadType: ObjectType<ThreadBody> = {
  name: 'Thread',
  mapping: threadMapping,
  rights: THREAD_ALL_ACCESS,
  waitFor: ({ process }) => process.end,
};

/** An open file. Its handles share one file object, and hold no right that the file was not opened with. */
export const fileType: ObjectType<FileObject> = {
  name: 'File',
  mapping: fileMapping,
  rights: FILE_ALL_ACCESS | ACCESS_SYSTEM_SECURITY,
};
