/**
 * What a security descriptor is made of: access control entries and the flags around their list.
 * Data types and their bits only: text form, assignment and check live in files of their own.
 *
 * Source: [MS-DTYP] 2.4.4.1 ACE_HEADER, 2.4.5 ACL, 2.4.6 SECURITY_DESCRIPTOR.
 */
import type { AccessMask } from './access-mask.js';
import type { Sid } from './sid.js';

export const OBJECT_INHERIT_ACE = 0x01;
export const CONTAINER_INHERIT_ACE = 0x02;
export const NO_PROPAGATE_INHERIT_ACE = 0x04;
/** The entry is a pattern for children: it says nothing about the object that carries it. */
export const INHERIT_ONLY_ACE = 0x08;
export const INHERITED_ACE = 0x10;

/** One entry: these rights are allowed or denied to this SID. */
export interface Ace {
  readonly type: 'allow' | 'deny';
  /** Bits …_ACE above. */
  readonly flags: number;
  /** As written: generic bits are mapped when access is checked. */
  readonly mask: AccessMask;
  readonly sid: Sid;
}

/** The content of a security descriptor, as far as it was said. */
export interface DescriptorContent {
  readonly owner: Sid | null;
  readonly group: Sid | null;
  /** In order; empty: nobody may do anything; null: everybody may do everything. */
  readonly dacl: readonly Ace[] | null;
  /** SE_DACL_PROTECTED: entries of a parent are not inherited. Kept and shown; sections inherit nothing. */
  readonly isProtected: boolean;
  /** SE_DACL_AUTO_INHERIT_REQ. Kept and shown. */
  readonly isAutoInheritRequested: boolean;
  /** SE_DACL_AUTO_INHERITED. Kept and shown. */
  readonly isAutoInherited: boolean;
}

/** Whether an entry concerns the object that carries it, and not only the object's children. */
export function appliesToObject(ace: Ace): boolean {
  return (ace.flags & INHERIT_ONLY_ACE) === 0;
}
