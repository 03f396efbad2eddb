/**
 * How much memory sections can have here: what limits it, and large pages.
 */
import { statfsSync } from 'node:fs';
import { commitRoom } from '../../memory/commit.js';
import { largePages, transparentHugePages } from '../../memory/huge-pages.js';
import { sizeText } from '../units.js';
import { type Finding, fact, finding, messageOf, numberFact } from './finding.js';

const LITTLE = 256 << 20;

function commit(): Finding {
  const topic = 'Memory for sections';
  const room = commitRoom();
  if (room === null)
    return finding(
      'memory.commit',
      topic,
      'note',
      'unknown',
      'This host does not tell; too much ends in the out-of-memory killer.',
    );
  const tight = room.bytes < LITTLE;
  const byGroup = room.limit.startsWith('/sys/fs/cgroup');
  return finding(
    'memory.commit',
    topic,
    tight ? 'note' : 'ok',
    sizeText(room.bytes),
    `Limited by ${room.limit}${byGroup ? ' (a control group)' : ''}. Section.create refuses more, at once.`,
    {
      advice: tight ? 'Free memory or raise that limit; reserve: true commits page by page.' : null,
      values: { bytes: room.bytes, limit: room.limit },
    },
  );
}

function overcommit(): Finding {
  const mode = numberFact('/proc/sys/vm/overcommit_memory');
  const meanings: Readonly<Record<number, string>> = {
    0: 'The kernel guesses; Sectile commits at create, so a section that was made can always be written.',
    1: 'The kernel never refuses; Sectile asks how much is free before it commits.',
    2: 'The kernel keeps strict accounts: sections count against CommitLimit.',
  };
  const found = mode === null ? 'unknown' : `vm.overcommit_memory = ${mode}`;
  return finding('memory.overcommit', 'Overcommit', 'ok', found, meanings[mode ?? 0] ?? 'An unknown policy.', {
    values: { mode },
  });
}

function posix(): Finding {
  const topic = '/dev/shm';
  const scope = "It bounds the shm_open objects of other programs. Sectile's own sections do not live there.";
  try {
    const { bsize, blocks, bavail } = statfsSync('/dev/shm');
    const size = blocks * bsize;
    const free = bavail * bsize;
    const full = size > 0 && free < size / 20;
    return finding('memory.dev-shm', topic, full ? 'note' : 'ok', `${sizeText(free)} of ${sizeText(size)} free`, scope, {
      advice: full ? 'Remove what nobody uses ("sectile ls --foreign"), or: mount -o remount,size=… /dev/shm' : null,
      values: { size, free },
    });
  } catch (error) {
    return finding(
      'memory.dev-shm',
      topic,
      'note',
      messageOf(error),
      'There are no shm_open objects to open here; sections work without.',
      {
        values: { size: null, free: null },
      },
    );
  }
}

/** Soft limits from /proc/self/limits; null for unlimited or unknown. */
function limit(name: string): number | null {
  const text = new RegExp(`^${name}\\s+(\\S+)`, 'm').exec(fact('/proc/self/limits') ?? '')?.[1];
  return text === undefined || text === 'unlimited' ? null : Number(text);
}

const unlimited = (value: number | null, text: (value: number) => string): string => (value === null ? 'unlimited' : text(value));

function descriptors(): Finding {
  const most = limit('Max open files');
  const few = most !== null && most < 1024;
  return finding(
    'limits.descriptors',
    'Open descriptors',
    few ? 'note' : 'ok',
    unlimited(most, String),
    'A handle on a section takes two at most, a view of a file one.',
    {
      advice: few ? 'Raise it where many sections are open at once: ulimit -n 4096' : null,
      values: { limit: most },
    },
  );
}

function fileSize(): Finding {
  const most = limit('Max file size');
  return finding(
    'limits.file-size',
    'Size of one section',
    most === null ? 'ok' : 'note',
    unlimited(most, sizeText),
    'RLIMIT_FSIZE bounds memory objects, too.',
    {
      advice: most === null ? null : 'For larger sections: ulimit -f unlimited',
      values: { limit: most },
    },
  );
}

function locked(): Finding {
  const most = limit('Max locked memory');
  return finding(
    'limits.memlock',
    'Locked memory',
    'ok',
    unlimited(most, sizeText),
    'Sectile locks none. eBPF maps count against it before Linux 5.11.',
    {
      values: { limit: most },
    },
  );
}

function mappings(): Finding {
  const most = numberFact('/proc/sys/vm/max_map_count');
  const few = most !== null && most < 65_530;
  return finding(
    'limits.mappings',
    'Views per process',
    few ? 'note' : 'ok',
    most === null ? 'unknown' : `about ${most}`,
    'vm.max_map_count: every view takes one mapping, Node.js some hundreds.',
    {
      advice: few ? 'Raise it as root: sysctl vm.max_map_count=65530' : null,
      values: { limit: most },
    },
  );
}

function large(): Finding {
  const topic = 'Large pages';
  const pages = largePages();
  if (pages === null)
    return finding('pages.large', topic, 'note', 'none on this host', 'largePages: true is refused; nothing else needs them.', {
      values: { size: null, total: 0, free: 0 },
    });
  const { size, total, free } = pages;
  const values = { size, total, free };
  if (total > 0)
    return finding(
      'pages.large',
      topic,
      'ok',
      `${free} of ${total} free, ${sizeText(size)} each`,
      'largePages: true takes them from here.',
      { values },
    );
  return finding(
    'pages.large',
    topic,
    'note',
    `none set aside (${sizeText(size)} each)`,
    'largePages: true is refused; nothing else needs them.',
    {
      advice: 'Set some aside as root, 128 for instance: sysctl vm.nr_hugepages=128',
      values,
    },
  );
}

function transparent(): Finding {
  const policy = transparentHugePages();
  const off = ['never', 'deny', 'unknown'].includes(policy);
  const meaning = off
    ? 'Large sections are mapped by small pages: first touch and random access take longer.'
    : 'Large sections get huge pages without being asked twice.';
  return finding('pages.transparent', 'Transparent huge pages', off ? 'note' : 'ok', `shmem: ${policy}`, meaning, {
    advice: off && policy !== 'unknown' ? 'As root: echo advise > /sys/kernel/mm/transparent_hugepage/shmem_enabled' : null,
    values: { policy },
  });
}

export const memoryChecks: readonly (() => Finding)[] = [
  commit,
  overcommit,
  posix,
  descriptors,
  fileSize,
  locked,
  mappings,
  large,
  transparent,
];
