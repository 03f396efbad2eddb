/**
 * Who owns a mutant: a process, told from every later one with its number by the time it started, and
 * from others with its number by its PID namespace. Its main thread stands for all its threads.
 */
import { readFileSync } from 'node:fs';
import { ownPidNamespace } from '../namespace/local-access.js';

/** As many words as {@link ownWords} has. */
export const OWNER_WORDS = 4;

/** Whether a process is there, although /proc does not show it (hidepid). */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Clock ticks from the machine's start to the process's; null when it has ended, undefined when nobody can tell. */
function startOf(pid: number): bigint | null | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return isThere(pid) ? undefined : null;
  }
  // After the command's name, which may hold anything: state, then the 19 fields up to the start.
  const [state = 'X', ...fields] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return 'ZX'.includes(state) ? null : BigInt(fields[18] ?? 0);
}

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
    const start = startOf(process.pid) ?? 0n;
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
  if (start === undefined) return false;
  return start === null || low(start) !== startLow || low(start >> 32n) !== startHigh;
}
