/**
 * What the host would let us commit, asked before memory is taken: Linux answers an overdraft not
 * with an error but with the out-of-memory killer, so the error must come first.
 */
import { readFileSync } from 'node:fs';
import { SectionError } from '../base/error.js';

/** Below this the answer is not worth the reading: any allocation of that size could be the last straw. */
const WORTH_ASKING = 1 << 20;

export interface Room {
  /** Bytes that can be committed. */
  readonly bytes: number;
  /** Who says so, as the user can look it up. */
  readonly limit: string;
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null; // not this kind of host, or hidden from us: it then sets no limit that we can know
  }
}

function numberIn(text: string | null, key: string): number {
  const match = text === null ? null : new RegExp(`^${key}:?\\s+(\\d+)`, 'm').exec(text);
  return match === null ? 0 : Number(match[1]);
}

function roomOfHost(): Room | null {
  const text = read('/proc/meminfo');
  if (text === null) return null;
  const strict = read('/proc/sys/vm/overcommit_memory')?.trim() === '2';
  const left = strict
    ? numberIn(text, 'CommitLimit') - numberIn(text, 'Committed_AS')
    : numberIn(text, 'MemAvailable') + numberIn(text, 'SwapFree');
  return {
    bytes: Math.max(0, left) * 1024,
    limit: strict ? 'the commit limit (vm.overcommit_memory=2)' : 'memory and swap that are free on this host',
  };
}

interface ControlGroupFiles {
  readonly root: string;
  readonly limit: string;
  readonly usage: string;
  readonly fileCache: readonly string[];
}

const version1: ControlGroupFiles = {
  root: '/sys/fs/cgroup/memory',
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  fileCache: ['total_inactive_file', 'total_active_file'],
};
const version2: ControlGroupFiles = {
  root: '/sys/fs/cgroup',
  limit: 'memory.max',
  usage: 'memory.current',
  fileCache: ['inactive_file', 'active_file'],
};

/** The tightest limit of this process's memory control group and of those above it. */
function roomOfControlGroups(): Room | null {
  let tightest: Room | null = null;
  for (const line of (read('/proc/self/cgroup') ?? '').split('\n')) {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) continue;
    const files = controllers === '' ? version2 : controllers?.split(',').includes('memory') ? version1 : null;
    if (files === null) continue;
    for (let group = path === '/' ? '' : path; ; group = group.slice(0, group.lastIndexOf('/'))) {
      const folder = files.root + group;
      const limit = Number(read(`${folder}/${files.limit}`) ?? 'NaN'); // "max" is NaN as well: no limit
      if (Number.isFinite(limit) && limit < Number.MAX_SAFE_INTEGER / 2) {
        const stat = read(`${folder}/memory.stat`);
        const cache = files.fileCache.reduce((sum, key) => sum + numberIn(stat, key), 0);
        const bytes = Math.max(0, limit - Number(read(`${folder}/${files.usage}`) ?? 0) + cache);
        if (tightest === null || bytes < tightest.bytes) tightest = { bytes, limit: `${folder}/${files.limit}` };
      }
      if (group === '') break;
    }
  }
  return tightest;
}

/** How much memory could be committed right now, and what limits it. Null where the host does not tell. */
export function commitRoom(): Room | null {
  const host = roomOfHost();
  const group = roomOfControlGroups();
  if (host === null || group === null) return host ?? group;
  return group.bytes < host.bytes ? group : host;
}

/** Throws ERR_SECTION_COMMIT_LIMIT when so many bytes would not fit. */
export function checkCommit(operation: string, object: string, size: number): void {
  if (size < WORTH_ASKING) return;
  const room = commitRoom();
  if (room === null || size <= room.bytes) return;
  throw new SectionError('ERR_SECTION_COMMIT_LIMIT', {
    operation,
    object,
    rule: `${size} bytes cannot be committed: ${room.limit} leaves ${room.bytes}`,
    wayOut: 'Ask for less, raise that limit, or use reserve: true and touch only what you need',
  });
}
