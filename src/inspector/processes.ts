/**
 * What the processes of this host have open and mapped, as far as /proc shows it to us. One pass over
 * all of them; knows nothing of names and sections.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { isOsError, os } from '../os/index.js';
import { type Identity, identityFromMaps, identityOf, inodeOf, statOrNull } from './identity.js';

/** How a mapping may be used. `none`: reserved address space, or a guard. */
export type MappedAccess = 'read' | 'readwrite' | 'copy' | 'none';

/** One view as its process sees it. */
export interface MappedView {
  readonly pid: number;
  readonly address: bigint;
  /** Whole pages, so it may exceed what was asked for. */
  readonly length: number;
  /** Where in the object it starts, in bytes. */
  readonly offset: number;
  readonly access: MappedAccess;
}

export interface OpenDescriptor {
  readonly pid: number;
  readonly descriptor: number;
}

/** Memory or a file that processes have open or mapped. */
export interface Sighting {
  /** What /proc calls it: `/memfd:sectile:…`, `/dev/shm/…`, a path. */
  readonly label: string;
  readonly views: MappedView[];
  readonly descriptors: OpenDescriptor[];
}

export interface Survey {
  readonly sightings: ReadonlyMap<Identity, Sighting>;
  /** Processes that did not let us look. */
  readonly unseen: number;
}

/** What to look for. */
export interface Wanted {
  readonly identities: ReadonlySet<Identity>;
  /** Further objects, by what /proc calls them. */
  readonly label: (label: string) => boolean;
  /** Files whose device /proc/PID/maps may give differently (overlay file systems), by path. */
  readonly paths: ReadonlyMap<string, Identity>;
}

const DELETED = ' (deleted)';

/** What a look at /proc gave: nothing, where the process has ended meanwhile; `denied`, where it is not ours to see. */
function look<T>(read: () => T, nothing: T): T | 'denied' {
  try {
    return read();
  } catch (error) {
    return ['EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '') ? 'denied' : nothing;
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

/** Where a symbolic link leads, or null. */
export function linkOrNull(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}

function processCommand(pid: number): string | null {
  try {
    return os.processCommand(pid);
  } catch (error) {
    if (isOsError(error)) return null;
    throw error;
  }
}

/** The command line of a process, its arguments in order; empty for kernel threads, null when it has gone. */
export function commandOf(pid: number): readonly string[] | null {
  const text = processCommand(pid);
  return text === null ? null : text.split('\0').filter((part) => part !== '');
}

const LONGEST_COMMAND = 60;

/** A command line in few words: the program and its script, without folders. */
export function shortCommand(command: readonly string[] | null): string {
  if (command === null || command[0] === undefined) return 'a process that has ended';
  const [program, ...rest] = command;
  const script = rest.find((each) => !each.startsWith('-'));
  const words = rest.filter((each) => each !== script && !each.startsWith('-')).slice(0, 2);
  const text = [basename(program), ...(script === undefined ? [] : [basename(script)]), ...words].join(' ');
  return text.length <= LONGEST_COMMAND ? text : `${text.slice(0, LONGEST_COMMAND - 1)}…`;
}

const mapsLine = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) (\S+) (\d+) *(.*)$/gm;

function accessOf(permissions: string): MappedAccess {
  if (permissions[0] !== 'r') return 'none';
  if (permissions[3] !== 's') return 'copy';
  return permissions[1] === 'w' ? 'readwrite' : 'read';
}

/** Pages of one view may differ: it counts for what the most accessible of them is. */
const strength: Readonly<Record<MappedAccess, number>> = { none: 0, read: 1, copy: 2, readwrite: 3 };
const stronger = (one: MappedAccess, other: MappedAccess): MappedAccess => (strength[other] > strength[one] ? other : one);

/** The views in one /proc/PID/maps. A view that the kernel shows in pieces counts once. */
export function viewsIn(
  pid: number,
  maps: string,
  isWanted: (identity: Identity, label: string) => Identity | null,
): [Identity, string, MappedView][] {
  const views = new Map<string, [Identity, string, MappedView]>();
  for (const [, from, to, permissions = '', start, device = '', inode = '0', path = ''] of maps.matchAll(mapsLine)) {
    if (inode === '0') continue;
    const label = path.endsWith(DELETED) ? path.slice(0, -DELETED.length) : path;
    const identity = isWanted(identityFromMaps(device, inode), label);
    if (identity === null) continue;
    const address = BigInt(`0x${from}`);
    const end = BigInt(`0x${to}`);
    const offset = BigInt(`0x${start}`);
    const shared = permissions[3] === 's';
    // Pieces of one view lie where the object's first byte would lie at the same address.
    const base = `${identity} ${address - offset} ${shared}`;
    const before = views.get(base)?.[2];
    const view: MappedView =
      before === undefined
        ? { pid, address, length: Number(end - address), offset: Number(offset), access: accessOf(permissions) }
        : {
            ...before,
            length: Number(end - before.address),
            access: stronger(before.access, accessOf(permissions)),
          };
    views.set(base, [identity, label, view]);
  }
  return [...views.values()];
}

/** Looks at every process once. */
export function surveyProcesses(wanted: Wanted): Survey {
  const sightings = new Map<Identity, Sighting>();
  const sighting = (identity: Identity, label: string): Sighting => {
    let known = sightings.get(identity);
    if (known === undefined) {
      known = { label, views: [], descriptors: [] };
      sightings.set(identity, known);
    }
    return known;
  };
  const isWanted = (identity: Identity, label: string): Identity | null => {
    if (wanted.identities.has(identity) || wanted.label(label)) return identity;
    // The same path may be another file in another container: the inode must be the one that is meant.
    const meant = wanted.paths.get(label);
    return meant !== undefined && inodeOf(meant) === inodeOf(identity) ? meant : null;
  };
  let unseen = 0;
  for (const entry of os.showsProcesses ? readdirSync('/proc') : []) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    const maps = look(() => readFileSync(`/proc/${pid}/maps`, 'utf8'), '');
    const descriptors = look(() => readdirSync(`/proc/${pid}/fd`), []);
    if (maps === 'denied' || descriptors === 'denied') {
      // A kernel thread has no command line, and holds nothing of ours.
      if ((commandOf(pid)?.length ?? 0) > 0) unseen++;
      continue;
    }
    for (const [identity, label, view] of viewsIn(pid, maps, isWanted)) sighting(identity, label).views.push(view);
    for (const name of descriptors) {
      const path = `/proc/${pid}/fd/${name}`;
      const link = linkOrNull(path);
      // Only what has a path can be mapped by name here: sockets, pipes and the like are not.
      if (link === null || !link.startsWith('/')) continue;
      const label = link.endsWith(DELETED) ? link.slice(0, -DELETED.length) : link;
      if (!wanted.label(label) && !wanted.paths.has(label)) continue;
      const stat = statOrNull(path);
      if (stat === null) continue;
      sighting(identityOf(stat.dev, stat.ino), label).descriptors.push({ pid, descriptor: Number(name) });
    }
  }
  return { sightings, unseen };
}

/**
 * Bytes of the views of one object that are in memory for a process: the largest of its views. For
 * files, where the object itself does not tell.
 */
export function residentInViews(pid: number, views: readonly MappedView[]): number {
  const smaps = readOrNull(`/proc/${pid}/smaps`) ?? '';
  let largest = 0;
  for (const { address } of views) {
    const start = smaps.search(new RegExp(`^0*${address.toString(16)}-`, 'm'));
    if (start < 0) continue;
    const rss = /^Rss:\s+(\d+) kB/m.exec(smaps.slice(start));
    largest = Math.max(largest, Number(rss?.[1] ?? 0) * 1024);
  }
  return largest;
}
