/**
 * The security descriptor of an object, and how a new object gets its own from its creator's token and
 * from what the creator asked for. It assigns; access-check.ts judges.
 *
 * Source: [MS-DTYP] 2.4.6, 2.5.3.4 (CreateSecurityDescriptor); Microsoft's page "DACL for a New Object".
 */
import { GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, READ_CONTROL } from './access-mask.js';
import { type Ace, appliesToObject, type DescriptorContent } from './acl.js';
import { parseSddl } from './sddl.js';
import { type Sid, WellKnownSid } from './sid.js';
import type { Token } from './token.js';

/** A descriptor with nothing left open. */
export interface SecurityDescriptor extends DescriptorContent {
  readonly owner: Sid;
  readonly group: Sid;
}

const { localSystem, administrators, creatorOwner, creatorGroup } = WellKnownSid;

function allow(mask: number, sid: Sid): Ace {
  return { type: 'allow', flags: 0, mask: mask >>> 0, sid };
}

/** The token's default DACL, with the entries that Windows gives to a user's and to LocalSystem's token. */
function defaultDacl(token: Token): readonly Ace[] {
  return token.isKernel
    ? [allow(GENERIC_ALL, localSystem), allow(READ_CONTROL | GENERIC_READ | GENERIC_EXECUTE, administrators)]
    : [allow(GENERIC_ALL, token.user), allow(GENERIC_ALL, localSystem)];
}

/**
 * The descriptor of an object whose creator asked for none.
 *
 * @param token the creator: its user becomes the owner. A user's object is open to the user and to
 *   LocalSystem; the kernel's to LocalSystem, and to Administrators for reading and execution.
 */
export function defaultDescriptor(token: Token): SecurityDescriptor {
  return {
    owner: token.user,
    group: token.primaryGroup,
    dacl: defaultDacl(token),
    isProtected: false,
    isAutoInheritRequested: false,
    isAutoInherited: false,
  };
}

/**
 * The descriptor of an object whose creator asked for one in SDDL.
 *
 * What the text leaves out comes from the token: owner, primary group, and the default DACL where there
 * is no `D:` at all, as for any new object in NT. To open an object to everybody, say so:
 * `D:NO_ACCESS_CONTROL`. Creator Owner and Creator Group become the new object's owner and group, but
 * stay as they are in inherit-only entries, which are patterns for other objects.
 *
 * @param text      SDDL, see {@link parseSddl}
 * @param token     the creator
 * @param operation the call that an error message names
 * @throws SectionError ERR_SECTION_INVALID_SECURITY, see {@link parseSddl}
 */
export function fromSddl(text: string, token: Token, operation = 'fromSddl'): SecurityDescriptor {
  const { isDaclPresent, ...asked } = parseSddl(text, operation);
  const owner = asked.owner === null || asked.owner === creatorOwner ? token.user : asked.owner;
  const group = asked.group === null || asked.group === creatorGroup ? token.primaryGroup : asked.group;
  const assigned = new Map<Sid, Sid>([
    [creatorOwner, owner],
    [creatorGroup, group],
  ]);
  const dacl = (isDaclPresent ? asked.dacl : defaultDacl(token))?.map((ace) => {
    const sid = appliesToObject(ace) ? assigned.get(ace.sid) : undefined;
    return sid === undefined ? ace : { ...ace, sid };
  });
  return { ...asked, owner, group, dacl: dacl ?? null };
}
