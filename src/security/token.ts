/**
 * Access tokens: who is asking. A token is made from what the operating system vouches for (peer
 * credentials, this process's own ids), never from what a caller says about itself. It holds no rights.
 *
 * Source: [MS-DTYP] 2.5.2 Token/Authorization Context; Unix ids map as Samba maps them (sid.ts).
 */
import { SectionError } from '../base/error.js';
import { type Sid, sidOfGroup, sidOfUser, WellKnownSid } from './sid.js';

/** Who is asking. */
export interface Token {
  readonly user: Sid;
  /** The group that new objects get. */
  readonly primaryGroup: Sid;
  /** Every SID but the user's that access may be granted through. */
  readonly groups: ReadonlySet<Sid>;
  /** The system process itself: it alone holds privileges (SeSecurityPrivilege). */
  readonly isKernel: boolean;
  /** For people: `user 1000 (S-1-22-1-1000)`. */
  describe(): string;
}

/** What SO_PEERCRED and SO_PEERGROUPS say of a process. */
export interface PeerCredentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the primary one may be among them. */
  readonly groups: readonly number[];
}

export interface TokenRoles {
  /** Users that are administrators beside root: the owner of a system process run by an ordinary user. */
  readonly administratorUids?: Iterable<number>;
}

const { everyone, authenticatedUsers, users, administrators, localSystem } = WellKnownSid;

/**
 * The token of another process, from its credentials.
 *
 * Everyone on the machine is in Everyone, Authenticated Users and Users. Root is in Administrators and
 * may do what LocalSystem may, but is not the kernel: checks apply to it.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT where an id is no user or group id
 */
export function tokenForPeer({ uid, gid, groups }: PeerCredentials, { administratorUids = [] }: TokenRoles = {}): Token {
  const user = sidOfUser(uid);
  const primaryGroup = sidOfGroup(gid);
  const held = new Set<Sid>([primaryGroup, ...groups.map(sidOfGroup), everyone, authenticatedUsers, users]);
  if (uid === 0) held.add(localSystem);
  if (uid === 0 || new Set(administratorUids).has(uid)) held.add(administrators);
  const role = held.has(administrators) ? ', an administrator' : '';
  return { user, primaryGroup, groups: held, isKernel: false, describe: () => `user ${uid} (${user})${role}` };
}

/** The token of the system process and the drivers in it: LocalSystem, with every privilege. */
export function kernelToken(): Token {
  return {
    user: localSystem,
    primaryGroup: localSystem,
    groups: new Set<Sid>([administrators, everyone, authenticatedUsers, users]),
    isKernel: true,
    describe: () => `the kernel (LocalSystem, ${localSystem})`,
  };
}

/**
 * The token of this process, from its effective ids: the same that a peer sees of it in SO_PEERCRED.
 *
 * @throws SectionError ERR_SECTION_NATIVE where there are no Unix ids: on Windows tokens are the kernel's
 */
export function tokenOfThisProcess(roles: TokenRoles = {}): Token {
  const uid = process.geteuid?.();
  const gid = process.getegid?.();
  if (uid === undefined || gid === undefined) {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation: 'tokenOfThisProcess',
      rule: `${process.platform} has no Unix user ids: tokens and access checks are the kernel's there`,
    });
  }
  return tokenForPeer({ uid, gid, groups: process.getgroups?.() ?? [] }, roles);
}

/** Whether access granted to a SID reaches this token: [MS-DTYP] 2.5.3.1.1 SidInToken. */
export function tokenHolds(token: Token, sid: Sid): boolean {
  return token.user === sid || token.groups.has(sid);
}
