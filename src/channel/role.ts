/**
 * Roles in a channel: one 64-bit word each, which says what process holds it. It is taken and given back by one
 * compare-and-swap, so that a process which is killed at any moment holds it or does not; and it can be taken from a
 * process that has ended. Knows nothing of what a role does.
 */
import { SectionError } from '../base/error.js';
import { hasEnded, ownProcess } from '../sync/owner.js';

/** In a role's low half: nobody in the channel's home can tell whether its holder lives. */
const ELSEWHERE = 0x8000_0000n;
const PID = 0x7fff_ffffn;

/** A role that nobody holds. */
export const FREE = 0n;

/** What a role's word says. */
export interface RoleHolder {
  readonly pid: number;
  /** The low half of when it started, as the system counts; 0: unknown. */
  readonly startLow: number;
  /** In another PID namespace than the channel's home, where its number means something else. */
  readonly elsewhere: boolean;
}

/** The low half of the number of this process's PID namespace; 0 where nobody can tell. */
export function ownNamespace(): number {
  return ownProcess().namespace;
}

/** This process as a role's word, in a channel whose home is this PID namespace. */
export function ownRole(home: number): bigint {
  const { pid, startLow, namespace } = ownProcess();
  const elsewhere = home === namespace ? 0n : ELSEWHERE;
  return (BigInt.asUintN(32, BigInt(startLow)) << 32n) | elsewhere | (BigInt(pid) & PID);
}

/** Who holds a role, or null. */
export function holderOf(word: bigint): RoleHolder | null {
  if (word === FREE) return null;
  return {
    pid: Number(word & PID),
    startLow: Number(BigInt.asIntN(32, word >> 32n)),
    elsewhere: (word & ELSEWHERE) !== 0n,
  };
}

/**
 * Whether the process that holds a role is known to have ended. Of one in another PID namespace, and for a reader in another
 * than the channel's home, nobody can tell.
 */
export function holderHasEnded(word: bigint, home: number): boolean {
  const holder = holderOf(word);
  return holder !== null && !holder.elsewhere && hasEnded({ ...holder, namespace: home });
}

/**
 * Takes a role that is free, or whose holder has ended.
 *
 * @returns What stood there before, or null if a living process holds it.
 */
export function takeRole(roles: BigUint64Array<ArrayBuffer>, index: number, home: number): bigint | null {
  const own = ownRole(home);
  for (;;) {
    const word = Atomics.load(roles, index);
    if (word !== FREE && !holderHasEnded(word, home)) return null;
    if (Atomics.compareExchange(roles, index, word, own) === word) return word;
  }
}

/** Gives a role back, unless it is somebody else's by now. */
export function releaseRole(roles: BigUint64Array<ArrayBuffer>, index: number, home: number): void {
  Atomics.compareExchange(roles, index, ownRole(home), FREE);
}

/** A living process holds the role. */
export function roleTaken(operation: string, object: string, role: string, word: bigint): SectionError {
  const pid = holderOf(word)?.pid;
  return new SectionError('ERR_SECTION_ROLE_TAKEN', {
    operation,
    object,
    rule: `process ${pid ?? 'unknown'} is its ${role}`,
    wayOut: 'There is one at a time: close that one, or end its process',
  });
}
