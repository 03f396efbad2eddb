/**
 * What the host offers beyond its ordinary page: large pages that are set aside (largePages), and
 * transparent ones that the kernel gives on request.
 */
import { readFileSync } from 'node:fs';

export interface LargePages {
  /** Bytes of one large page. */
  readonly size: number;
  readonly total: number;
  readonly free: number;
}

/** The host's default large pages, or null where it has none at all. */
export function largePages(): LargePages | null {
  let text: string;
  try {
    text = readFileSync('/proc/meminfo', 'utf8');
  } catch {
    return null;
  }
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
  const size = field('Hugepagesize') * 1024;
  return size === 0 ? null : { size, total: field('HugePages_Total'), free: field('HugePages_Free') - field('HugePages_Rsvd') };
}

export type TransparentHugePages = 'always' | 'within_size' | 'advise' | 'never' | 'deny' | 'force' | 'unknown';

let known: TransparentHugePages | undefined;

/** The host's policy for shared memory; read once. */
export function transparentHugePages(): TransparentHugePages {
  if (known === undefined) {
    try {
      const text = readFileSync('/sys/kernel/mm/transparent_hugepage/shmem_enabled', 'utf8');
      known = (/\[(\w+)\]/.exec(text)?.[1] ?? 'unknown') as TransparentHugePages;
    } catch {
      known = 'unknown';
    }
  }
  return known;
}

/** From this size on a mapping can hold a huge page. */
export const HUGE_PAGE = 2 << 20;

/** Whether asking for transparent huge pages can help an object of this size. */
export function hugePagesHelp(size: number): boolean {
  return size >= HUGE_PAGE && !['never', 'deny', 'unknown'].includes(transparentHugePages());
}
