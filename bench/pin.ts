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

/** Two processors that share no core, if there are such; undefined when there is only one. */
export function twoCores(): readonly [number, number] | undefined {
  const processors = parseList(allowed());
  const [first] = processors;
  if (first === undefined) return undefined;
  let siblings: number[] = [];
  try {
    siblings = parseList(readFileSync(`/sys/devices/system/cpu/cpu${first}/topology/thread_siblings_list`, 'utf8'));
  } catch {
    // Not told: then any other will do.
  }
  const second = processors.find((each) => !siblings.includes(each)) ?? processors[1];
  return second === undefined || second === first ? undefined : [first, second];
}

function assign(pid: number, processors: string): void {
  execFileSync('taskset', ['-cp', processors, String(pid)], { stdio: 'ignore' });
}

/**
 * Pins the main threads of this process and of `others` apart; their helper threads stay free. Returns
 * how to undo it here, or undefined when this machine has one processor or no taskset(1).
 */
export function pinApart(others: readonly number[]): (() => void) | undefined {
  const before = allowed();
  const cores = twoCores();
  if (cores === undefined) return undefined;
  try {
    for (const pid of others) assign(pid, String(cores[1]));
    assign(process.pid, String(cores[0]));
  } catch {
    return undefined;
  }
  return () => assign(process.pid, before);
}
