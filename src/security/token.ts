/**
 * Access tokens: who is asking. A token is made from what the operating system vouches for (peer
 * credentials, this process's own ids), never from what a caller says about itself. It holds no rights.
 *
 * Source: [MS-DTYP] 2.5.2 Token/Authorization Context; Unix ids map as Samba maps them (sid.ts).
 */
import { readFileSync } from 'node:fs';
import { SectionError } from '../base/error.js';
import { type Sid, sidOfGroup, sidOfUser, WellKnownSid } from './sid.js';

/** Who is asking. */
export interface Token {
  readonly user: Sid;
  /** The group that new objects get. */
  readonly primaryGroup: Sid;
  /** Every SID but the user's that access may be granted through. */
  readonly groups: ReadonlySet<Sid>;
  /** The system process itself: it holds every privilege. */
  readonly isKernel: boolean;
  /** May create global sections although it is no administrator. */
  readonly createsGlobal: boolean;
  /** May have large pages. */
  locksMemory(): boolean;
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
  /** Users that may create global sections, beside administrators. */
  readonly globalUids?: Iterable<number> | 'all';
  /** Where it can be known: whether the process has the capability CAP_IPC_LOCK. Else root counts as having it. */
  readonly hasIpcLock?: () => boolean;
}

/** The group whose members may have large pages of shared memory; null where the host has no such rule. */
function largePagesGroup(): number | null {
  try {
    return Number(readFileSync('/proc/sys/vm/hugetlb_shm_group', 'utf8'));
  } catch {
    return null;
  }
}

const CAP_IPC_LOCK = 1n << 14n;

function hasIpcLock(): boolean {
  try {
    const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    return (BigInt(`0x${effective ?? 0}`) & CAP_IPC_LOCK) !== 0n;
  } catch {
    return false;
  }
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
export function tokenForPeer({ uid, gid, groups }: PeerCredentials, roles: TokenRoles = {}): Token {
  const { administratorUids = [], globalUids = [], hasIpcLock: isCapable = () => uid === 0 } = roles;
  const user = sidOfUser(uid);
  const primaryGroup = sidOfGroup(gid);
  const held = new Set<Sid>([primaryGroup, ...groups.map(sidOfGroup), everyone, authenticatedUsers, users]);
  if (uid === 0) held.add(localSystem);
  if (uid === 0 || new Set(administratorUids).has(uid)) held.add(administrators);
  const role = held.has(administrators) ? ', an administrator' : '';
  return {
    user,
    primaryGroup,
    groups: held,
    isKernel: false,
    createsGlobal: globalUids === 'all' || new Set(globalUids).has(uid),
    locksMemory: () => {
      const group = largePagesGroup();
      return isCapable() || (group !== null && [gid, ...groups].includes(group));
    },
    describe: () => `user ${uid} (${user})${role}`,
  };
}

/** The token of the system process and the drivers in it: LocalSystem, with every privilege. */
export function kernelToken(): Token {
  return {
    user: localSystem,
    primaryGroup: localSystem,
    groups: new Set<Sid>([administrators, everyone, authenticatedUsers, users]),
    isKernel: true,
    createsGlobal: true,
    locksMemory: () => true,
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
  return tokenForPeer({ uid, gid, groups: process.getgroups?.() ?? [] }, { hasIpcLock, ...roles });
}

/** Whether access granted to a SID reaches this token: [MS-DTYP] 2.5.3.1.1 SidInToken. */
export function tokenHolds(token: Token, sid: Sid): boolean {
  return token.user === sid || token.groups.has(sid);
}
