/**
 * Who owns a mutant: a process, told from every later one with its number by the time it started, and
 * from others with its number by its PID namespace. Its main thread stands for all its threads.
 */
import { ownPidNamespace } from '../namespace/local-access.js';
import { os } from '../os/index.js';

/** As many words as {@link ownWords} has. */
export const OWNER_WORDS = 4;

/** 0 where nobody can tell. */
function namespaceOfProcesses(): bigint {
  try {
    return ownPidNamespace();
  } catch {
    return 0n;
  }
}

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));

let own: readonly number[] | null = null;

/** This process, in words: number, start (low, high), PID namespace. */
export function ownWords(): readonly number[] {
  if (own === null) {
    const start = os.processStart(process.pid) ?? 0n;
    own = [process.pid, low(start), low(start >> 32n), low(namespaceOfProcesses())];
  }
  return own;
}

const same = (one: readonly number[], other: readonly number[]): boolean => one.every((word, index) => word === other[index]);

export function isOwn(words: readonly number[]): boolean {
  return same(words, ownWords());
}

/** Whether the process that the words mean has ended. Of another PID namespace's processes nobody can tell. */
export function hasEnded(words: readonly number[]): boolean {
  const [pid = 0, startLow, startHigh, namespace] = words;
  if (namespace !== ownWords()[3]) return false;
  const start = os.processStart(pid);
  if (start === undefined) return false;
  return start === null || low(start) !== startLow || low(start >> 32n) !== startHigh;
}
