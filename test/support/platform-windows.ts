/**
 * What tests of sections ask of Windows: see platform.ts. By the system's own calls, through the table that the faces
 * call it by.
 */
import { rmSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { View } from 'sectile';
import { nt, type SystemArgument } from '../../dist/os/index.js';
import type { Platform } from './platform.js';

const SELF = -1;
const MEM_COMMIT = 0x1000;
const MEM_MAPPED = 0x4_0000;

function call(name: string, ...given: readonly SystemArgument[]): number {
  const found = nt?.calls[name];
  if (found === undefined) throw new Error(`${name} is not in the table of calls`);
  return found(...given);
}

interface Region {
  readonly base: bigint;
  readonly allocation: bigint;
  readonly size: bigint;
  readonly committed: boolean;
  readonly mapped: boolean;
}

/** MEMORY_BASIC_INFORMATION of all that is not free in a process. */
function regions(process: number): Region[] {
  const found: Region[] = [];
  const bytes = new Uint8Array(48);
  const view = new DataView(bytes.buffer);
  for (let at = 0n; call('NtQueryVirtualMemory', process, at, 0, bytes, 48, null) === 0; ) {
    const [base, size, state] = [view.getBigUint64(0, true), view.getBigUint64(24, true), view.getUint32(32, true)];
    const [allocation, mapped] = [view.getBigUint64(8, true), view.getUint32(40, true) === MEM_MAPPED];
    if (state !== 0x1_0000) found.push({ base, allocation, size, committed: state === MEM_COMMIT, mapped });
    at = base + size;
  }
  return found;
}

/** Bytes of each view of a process, by its address. */
function viewsOf(process: number): Map<bigint, number> {
  const found = new Map<bigint, number>();
  for (const { allocation, size, mapped } of regions(process)) {
    if (mapped) found.set(allocation, (found.get(allocation) ?? 0) + Number(size));
  }
  return found;
}

function query(process: number, what: number, bytes: number): DataView {
  const facts = new Uint8Array(bytes);
  const status = call('NtQueryInformationProcess', process, what, facts, bytes, null);
  if (status !== 0) throw new Error(`NtQueryInformationProcess(${what}): 0x${status.toString(16)}`);
  return new DataView(facts.buffer);
}

const handleCount = () => query(SELF, 20, 4).getUint32(0, true);

/** How many handles of each type this process has: an OBJECT_TYPE_INFORMATION starts with the type's name. */
function handlesByType(): Record<string, number> {
  const [facts, length] = [new Uint8Array(1024), new Uint8Array(4)];
  const found: Record<string, number> = {};
  for (let handle = 4, left = handleCount(); left > 0 && handle < 0x4_0000; handle += 4) {
    const status = call('NtQueryObject', handle, 2, facts, facts.length, length);
    if (status === 0xc000_0008) continue;
    left--;
    const type = /[A-Z][A-Za-z]+/.exec(Buffer.from(facts.buffer).toString('utf16le', 16))?.[0];
    if (status === 0 && type !== undefined) found[type] = (found[type] ?? 0) + 1;
  }
  return found;
}

const sections = (): number => handlesByType()['Section'] ?? 0;

/** Process ids, from the SYSTEM_PROCESS_INFORMATION of all. */
function processes(): number[] {
  const bytes = new Uint8Array(1 << 20);
  if (call('NtQuerySystemInformation', 5, bytes, bytes.length, null) !== 0) throw new Error('no list of processes');
  const view = new DataView(bytes.buffer);
  const found: number[] = [];
  for (let at = 0; ; ) {
    found.push(Number(view.getBigUint64(at + 80, true)));
    const next = view.getUint32(at, true);
    if (next === 0) return found;
    at += next;
  }
}

function holders(size: number): number[] {
  const whole = Math.ceil(size / 4096) * 4096;
  return processes().filter((pid) => {
    if (pid === process.pid) return [...viewsOf(SELF).values()].includes(whole);
    const [queryInformation, read] = [0x400, 0x10];
    const handle = call('OpenProcess', queryInformation | read, 0, pid);
    if (handle === 0) return false;
    const holds = [...viewsOf(handle).values()].includes(whole);
    call('NtClose', handle);
    return holds;
  });
}

/** The sections of this session that have a name. */
function namedSections(): number {
  const session = query(SELF, 24, 4).getUint32(0, true);
  const path = session === 0 ? '\\BaseNamedObjects' : `\\Sessions\\${session}\\BaseNamedObjects`;
  const handle = new Uint8Array(8);
  const directoryQuery = 1;
  const status = call('NtOpenDirectoryObject', handle, directoryQuery, [path, 0, 0, null]);
  if (status !== 0) throw new Error(`${path}: 0x${status.toString(16)}`);
  const directory = new DataView(handle.buffer).getInt32(0, true);
  const [entry, context] = [new Uint8Array(0x1_1000), new Uint8Array(4)];
  let found = 0;
  // One at a time; the type's name stands at the end.
  while (call('NtQueryDirectoryObject', directory, entry, entry.length, 1, 0, context, null) === 0) {
    const text = Buffer.from(entry.buffer).toString('utf16le');
    // Each process of Node.js has one of its own, for debuggers.
    if (text.includes('\0Section\0') && !text.includes('node-debug-handler-')) found++;
    entry.fill(0);
  }
  call('NtClose', directory);
  return found;
}

interface Stranger {
  /** As the system does when what backs the page at an address cannot be read: STATUS_IN_PAGE_ERROR. */
  lose(address: bigint): void;
}

function compiled(source: string, kind: 'program' | 'addon'): string {
  const folder = process.env['SECTILE_TEST_PROGRAMS'];
  if (folder === undefined)
    throw new Error('SECTILE_TEST_PROGRAMS names no folder: tests of Windows start by npm run test:windows');
  return join(folder, source.replace(/\.c$/, kind === 'addon' ? '.node' : '.exe'));
}

/** What was there before the first section. */
const before =
  nt === null
    ? { views: new Set<bigint>(), sections: 0, names: 0 }
    : { views: new Set(viewsOf(SELF).keys()), sections: sections(), names: namedSections() };

const onlyPosix = 'is of POSIX, and no part of Windows';

export const windows: Platform = {
  granularity: 0x1_0000,
  manyPages: 20_000,
  largestSection: 2 ** 40,
  oddNames: ['x'.repeat(32_000)],
  // A zero ends a name; the session's directory has a link of this name.
  noNames: ['\0', 'a\0b', 'x'.repeat(32_766)],
  noBacking: [['\\\\.\\NUL', /a character device/]],
  // Whoever holds the privilege is given them; none are set aside.
  largePages: { setAside: () => 0, setAsideMore: () => null, free: () => null },
  largePagesHint: /Lock pages in memory/,
  refusedBuffer: /^(EFAULT|EACCES|EPERM|UNKNOWN)$/,
  owners: undefined,
  permanence: 'STATUS_PRIVILEGE_NOT_HELD',
  lacks: {
    freshHandles: 'the kernel gives the number of a closed handle out again at once',
    posixObjects: `shm_open ${onlyPosix}`,
    systemProcess: 'the kernel itself is what the system process plays elsewhere',
    cutFiles: 'the kernel refuses to cut a file short that has views',
    seals: false,
    countedMemory: false,
    largePages: false,
    commitByReading: false,
    hiddenHolders: 'the kernel itself keeps the names',
    packetSockets: `sockets with descriptors ${onlyPosix}`,
    longSocketPaths: `sockets with descriptors ${onlyPosix}`,
    devices: 'the kernel maps no devices by descriptors: their drivers make sections',
    root: 'Windows has no such user',
    closedMemory: 'the kernel lets a process change the memory of its children',
    deviceNamesOfFiles: 'a name that begins so is always a device',
    posixFiles: `what it opens ${onlyPosix}`,
    symbolicLinks: 'making symbolic links takes a privilege on Windows',
    inheritedViews: 'CreateProcess of Windows hands handles on, and no views',
    ownInheritance: 'the runtime and the kernel hand handles on, to every child',
    orphans: 'Node.js for Windows ends children with their parent, unless they are detached',
    doors: 'processes are open to their user from the start',
    hostGuards: 'the kernel guards them by security descriptors',
    smallDisk: false,
    signal: (name) => (['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'].includes(name) ? false : `Windows cannot send ${name}`),
  },
  attacks: {
    ways: (_pid, name, size) => [
      { title: 'attacks a section by its name', args: [compiled('attacker.c', 'program'), name, size] },
    ],
    refusedToReaders: [
      'open-write',
      'open-all',
      'open-generic-write',
      'open-extend',
      'open-maximum-writes',
      'create-over',
      'map-write',
      'protect-write',
      'write-process-memory',
      'duplicate-write',
      'set-security',
      'extend-grow',
      'extend-shrink',
    ],
    refusedToHolders: ['extend-grow', 'extend-shrink'],
  },
  waysOfWaiting: ['by threads'],
  // The kernel keeps whole pages of a section that no file backs.
  foundSize: (size) => Math.ceil(size / 4096) * 4096,
  localNames: () => namedSections() - before.names,
  views: () => [...viewsOf(SELF).keys()].filter((address) => !before.views.has(address)).length,
  isView: (address) => regions(SELF).some(({ base, size, mapped }) => mapped && address >= base && address < base + size),
  mappings: () => regions(SELF).filter(({ committed }) => committed).length,
  handles: handleCount,
  sectionHandles: () => sections() - before.sections,
  holdings: () => {
    // The runtime makes and drops handles of other types as it likes.
    const { Section, Mutant, Directory, SymbolicLink } = handlesByType();
    return { Section, Mutant, Directory, SymbolicLink, views: viewsOf(SELF).size, names: namedSections() };
  },
  holders: (_name, size) => holders(size),
  sharedMemory: () => {
    const bytes = new Uint8Array(0x400);
    if (call('NtQuerySystemInformation', 2, bytes, 344, null) !== 0) throw new Error('no figures of the system');
    const committedPages = 60;
    return new DataView(bytes.buffer).getUint32(committedPages, true) * 4096;
  },
  crashed: ({ code }) => code === 0xc000_0005,
  // Whoever ends himself has no signal: TerminateProcess with 1.
  endedBy: ({ code, signal }, wanted) => signal === wanted || (signal === null && code === 1 && wanted === 'SIGKILL'),
  loseBacking: (view: View, _path, _keep, at) => {
    const stranger = createRequire(import.meta.url)(compiled('stranger.c', 'addon')) as Stranger;
    stranger.lose(view.address + BigInt(at));
  },
  restoreBacking: () => {},
  smallDisk: [],
  makeSmallDisk: (folder) => {
    const { bavail, bsize } = statfsSync(folder);
    return Math.min(bavail * bsize + 2 ** 30, 2 ** 45);
  },
  ntPath: (path) => `\\??\\${path}`,
  // A file that has a view cannot be removed: what a test leaves goes with the folder of the whole run.
  removeFolder: (path) => {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 2 });
    } catch (error) {
      if (!['EPERM', 'EBUSY', 'ENOTEMPTY', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  },
  addonWithoutBuffers: () => compiled('no-buffers.c', 'addon'),
  compiled,
};
