/**
 * The security descriptor of an object, and how a new object gets its own from its creator's token and
 * from what the creator asked for. It assigns; access-check.ts judges.
 *
 * Source: [MS-DTYP] 2.4.6, 2.5.3.4 (CreateSecurityDescriptor); Microsoft's page "DACL for a New Object".
 */
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import { GENERIC_ALL, GENERIC_EXECUTE, GENERIC_READ, READ_CONTROL, WRITE_DAC, WRITE_OWNER } from './access-mask.js';
import { type Ace, appliesToObject, type DescriptorContent } from './acl.js';
import { parseSddl } from './sddl.js';
import { type Sid, WellKnownSid } from './sid.js';
import { type Token, tokenHolds } from './token.js';

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
  return { ...asked, owner, group, dacl: assigned(isDaclPresent ? asked.dacl : defaultDacl(token), owner, group) };
}

/** A list with Creator Owner and Creator Group replaced by who they are for this object. */
function assigned(dacl: readonly Ace[] | null, owner: Sid, group: Sid): readonly Ace[] | null {
  const creators = new Map<Sid, Sid>([
    [creatorOwner, owner],
    [creatorGroup, group],
  ]);
  const replaced = dacl?.map((ace) => {
    const sid = appliesToObject(ace) ? creators.get(ace.sid) : undefined;
    return sid === undefined ? ace : { ...ace, sid };
  });
  return replaced ?? null;
}

/**
 * Refuses an owner whom the token cannot name: anybody may name itself; administrators, whose tokens hold
 * SeRestorePrivilege on Windows, and the kernel may name others.
 *
 * @throws SectionError ERR_SECTION_INVALID_SECURITY with STATUS_INVALID_OWNER
 */
export function requireOwner(operation: string, owner: Sid, token: Token): void {
  if (owner === token.user || token.isKernel || tokenHolds(token, administrators)) return;
  throw new SectionError('ERR_SECTION_INVALID_SECURITY', {
    operation,
    rule: `the owner must be ${token.user}, who asks, and not ${owner}`,
    wayOut: 'Leave out O: in the security descriptor',
    status: Status.STATUS_INVALID_OWNER,
  });
}

/** A security descriptor with some of its parts replaced. */
export interface DescriptorChange {
  readonly descriptor: SecurityDescriptor;
  /** WRITE_DAC, WRITE_OWNER: what the handle must have for it. */
  readonly needs: number;
}

/**
 * Replaces those parts of a descriptor that a text has: owner, group, DACL.
 *
 * @param text  SDDL; Creator Owner and Creator Group mean the object's owner and group
 * @param token who changes it
 * @throws SectionError ERR_SECTION_INVALID_SECURITY, with STATUS_INVALID_OWNER for an owner whom the
 *   token cannot name; see {@link requireOwner} and {@link parseSddl}
 */
export function changeDescriptor(operation: string, before: SecurityDescriptor, text: string, token: Token): DescriptorChange {
  const { isDaclPresent, owner: newOwner, group: newGroup, ...asked } = parseSddl(text, operation);
  const owner = newOwner === null || newOwner === creatorOwner ? before.owner : newOwner;
  const group = newGroup === null || newGroup === creatorGroup ? before.group : newGroup;
  if (owner !== before.owner) requireOwner(operation, owner, token);
  const needs = (isDaclPresent ? WRITE_DAC : 0) | (newOwner === null && newGroup === null ? 0 : WRITE_OWNER);
  const content = isDaclPresent ? { ...asked, dacl: assigned(asked.dacl, owner, group) } : before;
  return { descriptor: { ...before, ...content, owner, group }, needs };
}
