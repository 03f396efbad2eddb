/**
 * Who owns a mutant: a process, told from every later one with its number by the time it started, and
 * from others with its number by its PID namespace. Its main thread stands for all its threads.
 */
import { readFileSync, readlinkSync } from 'node:fs';

/** As many words as {@link ownWords} has. */
export const OWNER_WORDS = 4;

/** Clock ticks from the machine's start to the process's; null for a process that has ended. */
function startOf(pid: number | 'self'): bigint | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null;
  }
  // After the command's name, which may hold anything: state, then the 19 fields up to the start.
  const [state = 'X', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 'ZX'.includes(state) ? null : BigInt(fields[18] ?? 0);
}

function namespaceOfProcesses(): bigint {
  try {
    return BigInt(/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? 0);
  } catch {
    return 0n;
  }
}

const low = (value: bigint): number => Number(BigInt.asIntN(32, value));

let own: readonly number[] | null = null;

/** This process, in words: number, start (low, high), PID namespace. */
export function ownWords(): readonly number[] {
  if (own === null) {
    const start = startOf('self') ?? 0n;
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
  const start = startOf(pid);
  return start === null || low(start) !== startLow || low(start >> 32n) !== startHigh;
}
