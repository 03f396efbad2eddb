/**
 * The types of kernel objects that a handle can be on: what their generic rights mean and which rights
 * a handle can hold. One row each; the handle table tells handles apart by it.
 *
 * Source: Microsoft's pages of each type's access rights; OBJECT_TYPE_INFORMATION as Windows reports it.
 */
import type { SectionHandle } from '../memory/section-handle.js';
import {
  ACCESS_SYSTEM_SECURITY,
  type GenericMapping,
  SECTION_ALL_ACCESS,
  SECTION_MAP_EXECUTE_EXPLICIT,
  sectionMapping,
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
  /** Only for the compiler: ties the type to its bodies. */
  readonly body?: B;
}

export const sectionType: ObjectType<SectionHandle> = {
  name: 'Section',
  mapping: sectionMapping,
  rights: SECTION_ALL_ACCESS | SECTION_MAP_EXECUTE_EXPLICIT | ACCESS_SYSTEM_SECURITY,
};
