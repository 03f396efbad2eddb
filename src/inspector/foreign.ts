/**
 * Shared memory that nobody registered with us: objects of shm_open(3) in /dev/shm, and memory that
 * Sectile made without a name (or whose name has died while views live on).
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { HolderList } from './holders.js';
import { type Identity, identityOf, statOrNull } from './identity.js';
import type { ObjectFacts } from './object-facts.js';
import type { Sighting, Survey } from './processes.js';

/** Where Linux keeps what shm_open(3) makes. */
export const POSIX_DIRECTORY = '/dev/shm';
const MEMFD = '/memfd:sectile:';
const BLOCK = 512;
const PERMISSIONS = 0o7777n;

/** A shared memory object as its file tells. */
export interface PosixObject {
  readonly identity: Identity;
  readonly path: string;
}

/** Whether /proc calls something by a name of ours or of shm_open(3). */
export function isForeignLabel(label: string): boolean {
  return label.startsWith(MEMFD) || label.startsWith(`${POSIX_DIRECTORY}/`);
}

/** The objects in /dev/shm. */
export function posixObjects(): readonly PosixObject[] {
  let names: string[];
  try {
    names = readdirSync(POSIX_DIRECTORY);
  } catch {
    return []; // this host mounts none
  }
  return names.flatMap((name) => {
    const path = join(POSIX_DIRECTORY, name);
    const stat = statOrNull(path);
    return stat?.isFile() === true ? [{ identity: identityOf(stat.dev, stat.ino), path }] : [];
  });
}

const nobody: Sighting = { label: '', views: [], descriptors: [] };

function factsFrom(
  path: string,
  sighting: Sighting,
  known: Pick<ObjectFacts, 'name' | 'kind' | 'backing' | 'file'>,
): ObjectFacts {
  const stat = statOrNull(path);
  // Where nobody lets us reach the memory itself, its views say how large it is at least.
  const size = stat === null ? Math.max(0, ...sighting.views.map(({ offset, length }) => offset + length)) : Number(stat.size);
  const holders = new HolderList({ size, soleWriter: false });
  for (const { pid } of sighting.descriptors) holders.addHandle(pid, { granted: null });
  holders.addViews(sighting.views);
  return {
    ...known,
    scope: 'foreign',
    size,
    resident: stat === null ? null : Number(stat.blocks) * BLOCK,
    pageProtection: null,
    attributes: null,
    soleWriter: false,
    security: null,
    owner: stat === null ? null : Number(stat.uid),
    mode: stat === null ? null : Number(stat.mode & PERMISSIONS),
    created: null,
    device: stat?.dev ?? 0n,
    inode: stat?.ino ?? 0n,
    holders: holders.all(),
  };
}

/** The facts of what a path leads to: a file, or a descriptor in /proc. */
export function factsOfPath(
  path: string,
  survey: Survey,
  known: Pick<ObjectFacts, 'name' | 'kind' | 'backing' | 'file'>,
): ObjectFacts {
  const stat = statOrNull(path);
  return factsFrom(path, (stat === null ? undefined : survey.sightings.get(identityOf(stat.dev, stat.ino))) ?? nobody, known);
}

/** Memory without a living name: reached through a descriptor, or through a mapping where none is open. */
function memfdFacts(sighting: Sighting): ObjectFacts | null {
  const [open] = sighting.descriptors;
  const [view] = sighting.views;
  const known = { kind: 'memfd', backing: 'pagefile', file: sighting.label } as const;
  if (open !== undefined) {
    const { pid, descriptor } = open;
    return factsFrom(`/proc/${pid}/fd/${descriptor}`, sighting, { ...known, name: `fd:${pid}/${descriptor}` });
  }
  if (view === undefined) return null;
  const range = `${view.address.toString(16)}-${(view.address + BigInt(view.length)).toString(16)}`;
  return factsFrom(`/proc/${view.pid}/map_files/${range}`, sighting, {
    ...known,
    name: `view:${view.pid}/0x${view.address.toString(16)}`,
  });
}

/** All foreign objects that `survey` saw, but those that `named` already names. */
export function foreignObjects(posix: readonly PosixObject[], survey: Survey, named: ReadonlySet<Identity>): ObjectFacts[] {
  const objects: (ObjectFacts | null)[] = posix.map(({ path }) =>
    factsOfPath(path, survey, {
      name: `posix:/${path.slice(POSIX_DIRECTORY.length + 1)}`,
      kind: 'posix',
      backing: 'posix',
      file: path,
    }),
  );
  const known = new Set([...named, ...posix.map(({ identity }) => identity)]);
  for (const [identity, sighting] of survey.sightings) {
    if (!known.has(identity) && sighting.label.startsWith(MEMFD)) objects.push(memfdFacts(sighting));
  }
  return objects.filter((each) => each !== null);
}
