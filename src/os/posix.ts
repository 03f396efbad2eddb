/**
 * The POSIX implementation of {@link Os}: the addon's calls as they are, and what Linux and macOS are like.
 */
import { isAbsolute } from 'node:path';
import { loadNative } from './native.js';
import type { AddressRange, Os, OsTraits } from './os.js';

/** What the addon has that is not {@link Os} as it is. */
interface Addon {
  /** Start, end and whether a file is there, for each range. */
  addressRanges(): Float64Array;
  memoryCanSeal(): boolean;
  /** `inLoop`: waits may stand in the event loop itself. */
  waitsListen(listener: (ended: Float64Array) => void, inLoop: boolean): boolean;
  temporaryFolder(): string;
}

function* rangesIn(items: Float64Array): Generator<AddressRange> {
  for (let i = 0; i < items.length; i += 3) {
    yield { start: BigInt(items[i] ?? 0), end: BigInt(items[i + 1] ?? 0), isFile: items[i + 2] === 1 };
  }
}

/** Deno and Bun carry libuv's names, and not what is behind them. */
const hasLibuv = process.versions['bun'] === undefined && process.versions['deno'] === undefined;
/** SECTILE_WAITS=threads: for tests, waits as where the kernel has no ring for them. */
const inLoop = hasLibuv && process.env['SECTILE_WAITS'] !== 'threads';

function posix(traits: (addon: Addon) => Omit<OsTraits, 'sealsMemory'>): Os {
  const native = loadNative() as unknown as Omit<Os, keyof OsTraits | 'addressRanges' | 'waitsListen'> & Addon;
  return {
    ...native,
    ...traits(native),
    sealsMemory: native.memoryCanSeal(),
    addressRanges: () => rangesIn(native.addressRanges()),
    waitsListen: (listener) => void native.waitsListen(listener, inLoop),
  };
}

/** SECTILE_LOCAL_STORE=file: for tests, local names as on systems without /proc. */
const sharesByFile = process.env['SECTILE_LOCAL_STORE'] === 'file';

export function linux(): Os {
  return posix(() => ({
    localMemory: sharesByFile ? 'in-files' : 'from-holders',
    showsProcesses: true,
    machineDirectory: '/run/sectile',
    // The environment may still be that of another user (su, sudo): then its directory is not ours.
    userDirectories: (uid) => [process.env['XDG_RUNTIME_DIR'] ?? '', `/run/user/${uid}`].filter(isAbsolute),
  }));
}

export function darwin(): Os {
  return posix((addon) => ({
    localMemory: 'in-files',
    showsProcesses: false,
    machineDirectory: '/var/run/sectile',
    userDirectories: () => [addon.temporaryFolder()],
  }));
}
