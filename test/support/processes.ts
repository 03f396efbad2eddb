/**
 * What /proc says about this machine's processes: who maps or holds a memory object, how many mappings
 * and descriptors a process has, how much shared memory there is.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended meanwhile, or hidden from us
  }
}

/** The lines of /proc/PID/maps that hold a text. */
export function mappings(text: string, pid: number | 'self' = 'self'): string[] {
  return readOrEmpty(`/proc/${pid}/maps`)
    .split('\n')
    .filter((line) => line.includes(text));
}

/** How many mappings this process has, of whatever. */
export function mappingCount(): number {
  return readOrEmpty('/proc/self/maps').split('\n').length - 1;
}

/** How many mappings this process has that look at an address range. */
export function mappingAt(address: bigint): string | undefined {
  return readOrEmpty('/proc/self/maps')
    .split('\n')
    .find((line) => {
      const [, low, high] = /^([0-9a-f]+)-([0-9a-f]+)/.exec(line) ?? [];
      return low !== undefined && address >= BigInt(`0x${low}`) && address < BigInt(`0x${high}`);
    });
}

/** What this process's descriptors lead to. */
export function descriptors(pid: number | 'self' = 'self'): string[] {
  let numbers: string[];
  try {
    numbers = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return [];
  }
  return numbers.flatMap((number) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${number}`)];
    } catch {
      return []; // the descriptor that listed the folder
    }
  });
}

/** Processes that map or hold what a text names, such as the label of a memory object. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => mappings(text, pid).length > 0 || descriptors(pid).some((target) => target.includes(text)));
}

function meminfo(field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readOrEmpty('/proc/meminfo'))?.[1] ?? 0) * 1024;
}

/** Bytes of shared memory on this machine. */
export function sharedMemory(): number {
  return meminfo('Shmem');
}

/** Bytes of memory that a process has resident. */
export function residentBytes(pid: number | 'self' = 'self'): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readOrEmpty(`/proc/${pid}/status`))?.[1] ?? 0) * 1024;
}

/** Waits until a condition of the kernel's holds: it tells nobody when it does. */
export async function eventually(what: string, holds: () => boolean, timeout = 30_000): Promise<void> {
  const end = performance.now() + timeout;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`not within ${timeout} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Linux 6.15: how a process ended can be asked by a descriptor that means it, when somebody has reaped it. */
export const endingsAreKept = (() => {
  const [major = 0, minor = 0] = readOrEmpty('/proc/sys/kernel/osrelease').split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 15);
})();
