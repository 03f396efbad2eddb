/**
 * Where the figures were made: the facts of the machine that move them. Reads only.
 */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the package under test. */
export const packageRoot = dirname(fileURLToPath(import.meta.resolve('sectile/package.json')));

/** A one-line file of /proc or /sys, or null where this kernel has none. */
function fact(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** The chosen word of a `one [two] three` file. */
function choice(path: string): string | null {
  return fact(path)?.match(/\[(.+)\]/)?.[1] ?? null;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly memory: number;
  readonly platform: string;
  readonly kernel: string;
  readonly transparentHugePages: string | null;
  readonly transparentHugePagesShared: string | null;
  readonly hugePages2MiB: number;
  readonly loadAtStart: readonly number[];
}

export function describeMachine(): Machine {
  return {
    processor: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memory: os.totalmem(),
    platform: `${os.platform()} ${os.arch()}`,
    kernel: os.release(),
    transparentHugePages: choice('/sys/kernel/mm/transparent_hugepage/enabled'),
    transparentHugePagesShared: choice('/sys/kernel/mm/transparent_hugepage/shmem_enabled'),
    hugePages2MiB: Number(fact('/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages') ?? 0),
    loadAtStart: os.loadavg(),
  };
}

/** Bytes that can be had without pushing anything out. */
export function availableMemory(): number {
  const kilobytes = fact('/proc/meminfo')?.match(/^MemAvailable:\s+(\d+)/m)?.[1];
  return kilobytes === undefined ? os.freemem() : Number(kilobytes) * 1024;
}

/** How one mapping of a process is backed by page tables, from /proc/PID/smaps. */
export interface MappingFacts {
  readonly start: bigint;
  /** Bytes mapped by huge entries. */
  readonly huge: number;
  /** Whether huge pages were asked for (`hg` among its flags). */
  readonly asked: boolean;
}

/** Facts of the mapping of `pid` that holds `address`; undefined when there is none. */
export function mappingAt(pid: number | 'self', address: bigint): MappingFacts | undefined {
  for (const block of (fact(`/proc/${pid}/smaps`) ?? '').split(/\n(?=[0-9a-f]+-[0-9a-f]+ )/)) {
    const range = block.match(/^([0-9a-f]+)-([0-9a-f]+) /);
    if (range === null) continue;
    const start = BigInt(`0x${range[1]}`);
    if (address < start || address >= BigInt(`0x${range[2]}`)) continue;
    const huge = Number(block.match(/^ShmemPmdMapped:\s+(\d+)/m)?.[1] ?? 0) * 1024;
    return { start, huge, asked: /^VmFlags:.*\bhg\b/m.test(block) };
  }
  return undefined;
}
