/**
 * What tests of sections ask of Linux: see platform.ts.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildWithoutBuffers, compileHere } from './compile-posix.js';
import type { Platform } from './platform.js';
import { descriptors, mappingAt, mappingCount, mappings, processesWith, sharedMemory } from './processes.js';

const notRoot = process.geteuid?.() === 0 ? false : 'needs root';

/** A path to a descriptor of that process's memory. */
function memoryOf(pid: number, text: string): string {
  const folder = `/proc/${pid}/fd`;
  const number = readdirSync(folder).find((each) => readlinkSync(`${folder}/${each}`).includes(text));
  if (number === undefined) throw new Error(`process ${pid} has no memory with "${text}" in its name`);
  return `${folder}/${number}`;
}

const POOL = '/proc/sys/vm/nr_hugepages';
const poolSize = () => (existsSync(POOL) ? Number(readFileSync(POOL, 'utf8')) : Number.NaN);

export const posix: Platform = {
  granularity: 4096,
  // Twice what vm.max_map_count is by default, 65,530.
  manyPages: 140_000,
  largestSection: 2 ** 46,
  oddNames: ['\0', 'a\0b', 'Local', 'x'.repeat(32_766)],
  noNames: [],
  noBacking: [['/dev/null', /a character device/]],
  largePages: {
    setAside: poolSize,
    setAsideMore: (t, count) => {
      if (notRoot) return notRoot;
      const before = poolSize();
      t.after(() => writeFileSync(POOL, String(before)));
      writeFileSync(POOL, String(before + count));
      return poolSize() < before + count ? `the host has no room for ${count} large pages` : null;
    },
    free: () => Number(/^HugePages_Free:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]),
  },
  largePagesHint: /vm\.nr_hugepages=1/,
  refusedBuffer: /^EFAULT$/,
  owners: [`S-1-22-1-${process.geteuid?.()}`, `S-1-22-2-${process.getegid?.()}`],
  // The privilege is root's; but a local name is kept by nobody who outlives its users.
  permanence: process.geteuid?.() === 0 ? 'STATUS_NOT_SUPPORTED' : 'STATUS_PRIVILEGE_NOT_HELD',
  lacks: {
    freshHandles: false,
    posixObjects: false,
    systemProcess: false,
    cutFiles: false,
    seals: false,
    countedMemory: false,
    largePages: false,
    commitByReading: false,
    hiddenHolders: false,
    packetSockets: false,
    longSocketPaths: false,
    devices: false,
    root: notRoot,
    closedMemory: false,
    deviceNamesOfFiles: false,
    hostGuards: false,
    inheritedViews: false,
    ownInheritance: false,
    orphans: false,
    doors: false,
    posixFiles: false,
    symbolicLinks: false,
    smallDisk: notRoot,
    signal: () => false,
  },
  attacks: {
    ways: (pid, name, size) =>
      ['read', 'write'].map((flags) => ({
        title: 'attacks with a descriptor of another process',
        args: [compileHere('hostile.c', 'program'), 0, size, memoryOf(pid, name), flags],
      })),
    refusedToReaders: [
      'map-write',
      'map-write-only',
      'mprotect-write',
      'mremap-mprotect-write',
      'write',
      'pwrite',
      'pwritev',
      'sendfile-into',
      'ftruncate-grow',
      'ftruncate-shrink',
      'fallocate-grow',
      'fallocate-punch',
      'fallocate-zero',
      'madvise-remove',
      'truncate-path',
      'reopen-truncate',
      'add-seals',
    ],
    refusedToHolders: ['ftruncate-grow', 'ftruncate-shrink', 'fallocate-grow', 'truncate-path', 'add-seals', 'add-future-write'],
  },
  waysOfWaiting: ['in the loop', 'by threads'],
  foundSize: (size) => size,
  localNames: (scratch) => readdirSync(join(scratch, 'run', `local-${process.geteuid?.()}`)).length,
  views: () => mappings('memfd:').length + mappings('sectile-test').length,
  isView: (address) => /memfd:sectile/.test(mappingAt(address) ?? ''),
  mappings: mappingCount,
  handles: () => descriptors().length,
  sectionHandles: () => descriptors().filter((target) => target.includes('memfd:sectile')).length,
  holdings: (runtimeDirectory) => ({
    descriptors: descriptors().sort(),
    memory: mappings('memfd:').length + mappings('any-file').length,
    registry: readdirSync(runtimeDirectory, { recursive: true })
      .map(String)
      .filter((name) => name.includes('/'))
      .sort(),
  }),
  holders: (name) => processesWith(name),
  sharedMemory,
  crashed: ({ signal }) => signal === 'SIGSEGV',
  // The sanitizers' own handlers, to which the guard passes what is not its own, end the process with a report.
  endedBy: (ending, signal) => ending.signal === signal || ending.stderr.includes('AddressSanitizer'),
  loseBacking: (_view, path, keep) => truncateSync(path, keep),
  restoreBacking: truncateSync,
  smallDisk: ['unshare', '--mount', '--propagation', 'private'],
  makeSmallDisk: (folder) => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', folder]);
    return 2 ** 26;
  },
  ntPath: (path) => `\\??\\unix${path.replaceAll('/', '\\')}`,
  removeFolder: (path) => rmSync(path, { recursive: true, force: true }),
  addonWithoutBuffers: buildWithoutBuffers,
  compiled: compileHere,
};
