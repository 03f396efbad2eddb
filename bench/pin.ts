/**
 * Puts two sides that spin on cores of their own. Left alone, a scheduler may wake one side on the
 * other's core, where each then waits out the other's time slice: milliseconds, in C as in JavaScript.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** `0-2,5` as numbers. */
function parseList(list: string): number[] {
  return list
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first = 0, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
}

function allowed(): string {
  return /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
}

let known: readonly number[] | undefined;

/** The processors that this process might use before it was pinned. */
function processors(): readonly number[] {
  known ??= parseList(allowed());
  return known;
}

/** A processor that this process may use. */
export function oneCore(): number {
  return processors()[0] ?? 0;
}

/** Two processors that share no core, if there are such; undefined when there is only one. */
export function twoCores(): readonly [number, number] | undefined {
  const [first] = processors();
  if (first === undefined) return undefined;
  let siblings: number[] = [];
  try {
    siblings = parseList(readFileSync(`/sys/devices/system/cpu/cpu${first}/topology/thread_siblings_list`, 'utf8'));
  } catch {
    // Not told: then any other will do.
  }
  const second = processors().find((each) => !siblings.includes(each)) ?? processors()[1];
  return second === undefined || second === first ? undefined : [first, second];
}

function assign(pid: number, list: string): void {
  execFileSync('taskset', ['-cp', list, String(pid)], { stdio: 'ignore' });
}

/**
 * Pins the main threads of this process to the first and of `others` to the second of two processors; their helper threads
 * stay free. Returns how to undo it here, or undefined when there is no taskset(1).
 */
function pin(others: readonly number[], [ours, theirs]: readonly [number, number]): (() => void) | undefined {
  const before = allowed();
  try {
    for (const pid of others) assign(pid, String(theirs));
    assign(process.pid, String(ours));
  } catch {
    return undefined;
  }
  return () => assign(process.pid, before);
}

/** Gives each side a core of its own; undefined when this machine has one processor, too. */
export function pinApart(others: readonly number[]): (() => void) | undefined {
  const cores = twoCores();
  return cores && pin(others, cores);
}

/** Has both sides share one processor, where one of them runs only while the other sleeps. */
export function pinTogether(others: readonly number[]): (() => void) | undefined {
  const core = oneCore();
  return pin(others, [core, core]);
}
