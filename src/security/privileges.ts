/**
 * Privileges: who may do what no security descriptor decides. One table; a token carries what it takes to
 * answer.
 *
 * Source: Microsoft's pages "Privilege Constants", "Create global objects", "Lock pages in memory".
 */
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import { WellKnownSid } from './sid.js';
import { type Token, tokenHolds } from './token.js';

interface Row {
  /** What it is for, as a message says it. */
  readonly purpose: string;
  holds(token: Token): boolean;
  /** How one comes to it. */
  readonly wayOut: string;
  readonly status: number;
}

const isAdministrator = (token: Token): boolean => tokenHolds(token, WellKnownSid.administrators);

const table = {
  /** Administrators (root, and the user who runs the system process), and whom the system process is told. */
  SeCreateGlobalPrivilege: {
    purpose: 'create a section in the global namespace',
    holds: (token) => isAdministrator(token) || token.createsGlobal,
    wayOut:
      'Have the system process started with "sectile system start --grant-global USER", or let an administrator create it: opening needs no privilege',
    status: Status.STATUS_ACCESS_DENIED,
  },
  /** LocalSystem alone on Windows: here root, and the user who runs the system process. */
  SeCreatePermanentPrivilege: {
    purpose: 'make an object permanent',
    holds: isAdministrator,
    wayOut: 'Keep a handle open, or have root or the user who runs the system process do it',
    status: Status.STATUS_PRIVILEGE_NOT_HELD,
  },
  /** Linux's own rule for large pages of shared memory: CAP_IPC_LOCK, or the group vm.hugetlb_shm_group. */
  SeLockMemoryPrivilege: {
    purpose: 'create a section of large pages',
    holds: (token) => token.locksMemory(),
    wayOut: 'Run it with CAP_IPC_LOCK, put its user into the group of "sysctl vm.hugetlb_shm_group", or leave out large pages',
    status: Status.STATUS_PRIVILEGE_NOT_HELD,
  },
  /** Sectile keeps no audit lists: nobody from user mode has a use for it. */
  SeSecurityPrivilege: {
    purpose: 'read or change the audit list of an object',
    holds: () => false,
    wayOut: 'Leave out ACCESS_SYSTEM_SECURITY',
    status: Status.STATUS_PRIVILEGE_NOT_HELD,
  },
  /** Administrators may take what is somebody else's. */
  SeTakeOwnershipPrivilege: {
    purpose: 'take ownership of an object',
    holds: isAdministrator,
    wayOut: 'Have its owner or an administrator do it',
    status: Status.STATUS_PRIVILEGE_NOT_HELD,
  },
} as const satisfies Record<string, Row>;

export type Privilege = keyof typeof table;

/** Whether a token holds a privilege. The kernel holds all. */
export function holdsPrivilege(token: Token, privilege: Privilege): boolean {
  return token.isKernel || table[privilege].holds(token);
}

/** The refusal for who does not hold a privilege: its message names it and the way out. */
export function privilegeNotHeld(operation: string, privilege: Privilege, token: Token, object?: string): SectionError {
  const { purpose, wayOut, status } = table[privilege];
  return new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    ...(object === undefined ? {} : { object }),
    rule: `to ${purpose} takes ${privilege}, which ${token.describe()} does not hold`,
    wayOut,
    status,
  });
}
