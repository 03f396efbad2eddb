/**
 * Roles in a channel: one 64-bit word each, which says what process holds it. It is taken and given back by one
 * compare-and-swap, so that a process which is killed at any moment holds it or does not; and it can be taken from a
 * process that has ended. Knows nothing of what a role does.
 */
import { ownPidNamespace } from '../namespace/local-access.js';
import { os } from '../os/index.js';

/** In a role's low half: nobody in the channel's home can tell whether its holder lives. */
const ELSEWHERE = 0x8000_0000n;
const PID = 0x7fff_ffffn;

/** A role that nobody holds. */
export const FREE = 0n;

/** What a role's word says. */
export interface RoleHolder {
  readonly pid: number;
  /** The low 32 bits of when it started, as the system counts; 0: unknown. */
  readonly startLow: number;
  /** In another PID namespace than the channel's home, where its number means something else. */
  readonly elsewhere: boolean;
}

let namespace: number | undefined;

/** The low half of the number of this process's PID namespace; 0 where nobody can tell. */
export function ownNamespace(): number {
  if (namespace === undefined) {
    try {
      namespace = Number(BigInt.asIntN(32, ownPidNamespace()));
    } catch {
      namespace = 0;
    }
  }
  return namespace;
}

let ownStart: bigint | undefined;

/** This process as a role's word, in a channel whose home is this PID namespace. */
export function ownRole(home: number): bigint {
  ownStart ??= BigInt.asUintN(32, os.processStart(process.pid) ?? 0n);
  const elsewhere = home === ownNamespace() ? 0n : ELSEWHERE;
  return (ownStart << 32n) | elsewhere | (BigInt(process.pid) & PID);
}

/** Who holds a role, or null. */
export function holderOf(word: bigint): RoleHolder | null {
  const bits = BigInt.asUintN(64, word);
  if (bits === FREE) return null;
  return {
    pid: Number(bits & PID),
    startLow: Number(bits >> 32n),
    elsewhere: (bits & ELSEWHERE) !== 0n,
  };
}

/**
 * Whether the process that holds a role is known to have ended. Of one in another PID namespace, and for a reader in another
 * than the channel's home, nobody can tell.
 */
export function hasEnded(word: bigint, home: number): boolean {
  const holder = holderOf(word);
  if (holder === null || holder.elsewhere || home !== ownNamespace()) return false;
  if (BigInt.asUintN(64, word) === ownRole(home)) return false;
  const start = os.processStart(holder.pid);
  if (start === undefined) return false;
  return start === null || (holder.startLow !== 0 && BigInt.asUintN(32, start) !== BigInt(holder.startLow));
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
    if (word !== FREE && !hasEnded(word, home)) return null;
    if (Atomics.compareExchange(roles, index, word, own) === word) return word;
  }
}

/** Gives a role back, unless it is somebody else's by now. */
export function releaseRole(roles: BigUint64Array<ArrayBuffer>, index: number, home: number): void {
  Atomics.compareExchange(roles, index, ownRole(home), FREE);
}
