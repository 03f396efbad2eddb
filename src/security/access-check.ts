/**
 * The access check: may this token have these rights to an object with this descriptor? It answers from
 * its arguments alone. That kernel mode skips the check unless OBJ_FORCE_ACCESS_CHECK is set is the
 * callers' rule, not one of this file.
 *
 * Source: [MS-DTYP] 2.5.3.2 (access check algorithm), Microsoft's pages "How DACLs Control Access to an
 * Object" and "Well-known SIDs" (OWNER RIGHTS).
 */
import { type NTSTATUS, Status } from '../base/status.js';
import {
  ACCESS_SYSTEM_SECURITY,
  type AccessMask,
  type GenericMapping,
  GRANTABLE_RIGHTS,
  MAXIMUM_ALLOWED,
  mapGeneric,
  READ_CONTROL,
  WRITE_DAC,
  WRITE_OWNER,
} from './access-mask.js';
import { type Ace, appliesToObject } from './acl.js';
import { holdsPrivilege } from './privileges.js';
import type { SecurityDescriptor } from './security-descriptor.js';
import { WellKnownSid } from './sid.js';
import { type Token, tokenHolds } from './token.js';

/** What a check says: the rights to put into the handle, 0 unless the status is STATUS_SUCCESS. */
export interface AccessDecision {
  readonly status: NTSTATUS;
  readonly granted: AccessMask;
}

const OWNER_IMPLICIT = READ_CONTROL | WRITE_DAC;
const { ownerRights } = WellKnownSid;

/** The rights that an entry speaks of, for one type of object. */
function rightsOf(ace: Ace, mapping: GenericMapping): AccessMask {
  return mapGeneric(ace.mask, mapping) & GRANTABLE_RIGHTS;
}

/**
 * Every right that a DACL gives to a token. Each bit is decided by the first entry that speaks of it,
 * so one walk answers both a request for certain rights and one for MAXIMUM_ALLOWED.
 */
function rightsFromDacl(dacl: readonly Ace[], isOwner: boolean, token: Token, mapping: GenericMapping): AccessMask {
  const entries = dacl.filter(appliesToObject);
  // An entry for OWNER RIGHTS, allowing or denying, takes the place of what an owner has anyway.
  let granted = isOwner && !entries.some(({ sid }) => sid === ownerRights) ? OWNER_IMPLICIT : 0;
  let denied = 0;
  for (const ace of entries) {
    if (!(ace.sid === ownerRights ? isOwner : tokenHolds(token, ace.sid))) continue;
    const rights = rightsOf(ace, mapping);
    if (ace.type === 'allow') granted |= rights & ~denied;
    else denied |= rights;
  }
  return granted;
}

/**
 * Decides whether a token may have the access it asks for, as SeAccessCheck does.
 *
 * - Generic bits are mapped first, in the request and in each entry.
 * - Entries count in order: an allow before a deny wins and the other way round. Inherit-only entries
 *   do not count. Nothing that no entry gives is granted.
 * - The owner has READ_CONTROL and WRITE_DAC whatever the entries say, unless one is for OWNER RIGHTS.
 *   WRITE_OWNER comes from entries, or from SeTakeOwnershipPrivilege when it is asked for by name.
 * - A null DACL gives everything, an empty one nothing (but the owner's two rights).
 * - MAXIMUM_ALLOWED adds every right there is; if that is none, access is denied.
 * - ACCESS_SYSTEM_SECURITY needs SeSecurityPrivilege (privileges.ts).
 * - A request for no right at all is denied (nt-semantics 1.3), and so is one for reserved bits.
 *
 * @param desiredAccess the rights asked for, generic bits and MAXIMUM_ALLOWED included
 * @param mapping       the generic mapping of the object's type
 * @returns STATUS_SUCCESS with the granted rights, else STATUS_ACCESS_DENIED or
 *   STATUS_PRIVILEGE_NOT_HELD with 0. It never throws.
 */
export function accessCheck(
  descriptor: SecurityDescriptor,
  token: Token,
  desiredAccess: AccessMask,
  mapping: GenericMapping,
): AccessDecision {
  const desired = mapGeneric(desiredAccess, mapping);
  const privileged = desired & ACCESS_SYSTEM_SECURITY;
  if (privileged !== 0 && !holdsPrivilege(token, 'SeSecurityPrivilege'))
    return { status: Status.STATUS_PRIVILEGE_NOT_HELD, granted: 0 };

  const { dacl, owner } = descriptor;
  const available = dacl === null ? GRANTABLE_RIGHTS : rightsFromDacl(dacl, tokenHolds(token, owner), token, mapping);
  const taken = holdsPrivilege(token, 'SeTakeOwnershipPrivilege') ? desired & WRITE_OWNER : 0;
  const named = desired & ~(ACCESS_SYSTEM_SECURITY | MAXIMUM_ALLOWED);
  // Without a DACL "every right there is" means those of the type, not all that could be asked for.
  const maximum = (desired & MAXIMUM_ALLOWED) === 0 ? 0 : dacl === null ? mapping.all : available;
  const granted = (named | privileged | maximum) >>> 0;
  if ((named & ~(available | taken)) !== 0 || granted === 0) return { status: Status.STATUS_ACCESS_DENIED, granted: 0 };
  return { status: Status.STATUS_SUCCESS, granted };
}

/**
 * Whether some token, whoever's, could be given one of these rights by the descriptor as it stands:
 * through an allowing entry, denials not considered, or because there is no DACL. False is a promise,
 * true is not. The system process seals a section against future writers where this says no for
 * SECTION_MAP_WRITE.
 *
 * What an owner has without an entry (READ_CONTROL, WRITE_DAC) is not considered: a caller that lets
 * descriptors change must ask again then.
 *
 * @param mask    rights; generic bits are mapped
 * @param mapping the generic mapping of the object's type
 */
export function grantsToAnyone(descriptor: Pick<SecurityDescriptor, 'dacl'>, mask: AccessMask, mapping: GenericMapping): boolean {
  const wanted = mapGeneric(mask, mapping) & GRANTABLE_RIGHTS;
  if (descriptor.dacl === null) return wanted !== 0;
  return descriptor.dacl.some((ace) => ace.type === 'allow' && appliesToObject(ace) && (rightsOf(ace, mapping) & wanted) !== 0);
}
