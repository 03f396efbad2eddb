/**
 * The objects of this host and who holds them: local ones from the registry, global ones from the
 * system process, and what they all have open and mapped from /proc. Gathers; prints nothing.
 */
import { SectionError } from '../base/error.js';
import { type LocalListing, listLocal } from '../namespace/local.js';
import { systemObjects, systemStatus } from '../system/client.js';
import type { ObjectListing } from '../system/protocol.js';
import { foreignObjects, isForeignLabel, posixObjects } from './foreign.js';
import { HolderList } from './holders.js';
import { type Identity, identityOf, statOrNull } from './identity.js';
import type { ObjectGroup } from './inspector.js';
import { namedKind } from './kinds.js';
import type { ObjectFacts } from './object-facts.js';
import { linkOrNull, residentInViews, type Survey, surveyProcesses } from './processes.js';

export type ObjectScope = ObjectFacts['scope'];

/** Something that kept us from telling all. */
export interface Problem {
  readonly error: SectionError;
  /** Whether a whole group is missing because of it. */
  readonly group: ObjectScope | null;
}

export interface Listing {
  readonly objects: readonly ObjectFacts[];
  readonly problems: readonly Problem[];
  /** Whether a system process answers; null when nobody asked. */
  readonly systemPid: number | null;
  /** Processes that did not let us look at what they hold. */
  readonly unseen: number;
}

const none = (): string => 'none';

export const ownGroups: readonly ObjectGroup[] = [
  { scope: 'local', heading: "Local: this user's names", none },
  {
    scope: 'global',
    heading: 'Global: names of the system process',
    none: ({ systemPid }) => (systemPid === null ? 'no system process runs (sectile system start)' : 'none'),
  },
  { scope: 'foreign', heading: 'Foreign: shared memory of other programs, and sections without a name', none },
];

const BLOCK = 512;

function problemOf(error: unknown, group: ObjectScope | null): Problem {
  if (!(error instanceof SectionError)) throw error;
  return { error, group };
}

function gatherLocal(operation: string, problems: Problem[]): readonly LocalListing[] {
  try {
    const listing = listLocal(operation);
    problems.push(...listing.problems.map(({ error }) => problemOf(error, null)));
    return listing.objects;
  } catch (error) {
    problems.push(problemOf(error, 'local'));
    return [];
  }
}

function gatherGlobal(problems: Problem[]): { systemPid: number | null; listings: readonly ObjectListing[] } {
  let systemPid: number | null = null;
  try {
    systemPid = systemStatus().pid;
    return { systemPid, listings: systemObjects() };
  } catch (error) {
    const isAbsent = error instanceof SectionError && error.code === 'ERR_SECTION_SYSTEM_NOT_RUNNING';
    if (!isAbsent) problems.push(problemOf(error, 'global'));
    return { systemPid, listings: [] };
  }
}

/** A way through /proc to the memory itself: any descriptor of it. */
function descriptorPath(
  identity: Identity,
  candidates: readonly { readonly pid: number; readonly descriptor: number }[],
): string | null {
  for (const { pid, descriptor } of candidates) {
    const path = `/proc/${pid}/fd/${descriptor}`;
    const stat = statOrNull(path);
    if (stat !== null && identityOf(stat.dev, stat.ino) === identity) return path;
  }
  return null;
}

function residentOf(backing: ObjectFacts['backing'], path: string | null, holders: HolderList): number | null {
  if (backing === 'file') {
    const viewers = holders.all().filter(({ mappings }) => mappings.length > 0);
    return viewers.length === 0 ? null : Math.max(...viewers.map(({ pid, mappings }) => residentInViews(pid, mappings)));
  }
  const stat = path === null ? null : statOrNull(path);
  return stat === null ? null : Number(stat.blocks) * BLOCK;
}

/** Names of local objects, those in directories with the directories' own in front. */
function localNames(listings: readonly LocalListing[]): (record: LocalListing['record']) => string {
  const directories = new Map(listings.map(({ record }) => [record.identity, record]));
  const nameOf = ({ name, directory }: LocalListing['record'], depth = 0): string => {
    if (directory === null) return `Local\\${name}`;
    const above = directories.get(directory);
    // A directory that has gone, and its name with it.
    const path = above === undefined || depth > MOST_NESTED ? `Local\\{${directory}}` : nameOf(above, depth + 1);
    return `${path}\\${name}`;
  };
  return nameOf;
}

const MOST_NESTED = 64;

function localFacts(listing: LocalListing, name: string, survey: Survey): ObjectFacts {
  const { record, holders: slots } = listing;
  const identity = identityOf(record.device, record.inode);
  const sighting = survey.sightings.get(identity);
  const holders = new HolderList(record);
  for (const { pid, granted, pidNamespace } of slots) holders.addHandle(pid, { granted, pidNamespace });
  holders.addViews(sighting?.views ?? []);
  const path = descriptorPath(identity, slots);
  return {
    name,
    scope: 'local',
    kind: namedKind(record.kind),
    size: record.size,
    resident: residentOf(record.backing, path, holders),
    backing: record.backing,
    file: record.backing === 'file' ? (sighting?.label ?? null) : null,
    pageProtection: record.pageProtection,
    attributes: record.attributes,
    soleWriter: record.soleWriter,
    security: record.security,
    owner: null,
    mode: null,
    created: record.created,
    device: record.device,
    inode: record.inode,
    holders: holders.all(),
  };
}

function globalFacts(listing: ObjectListing, survey: Survey): ObjectFacts {
  const device = BigInt(listing.device);
  const inode = BigInt(listing.inode);
  const sighting = survey.sightings.get(identityOf(device, inode));
  const holders = new HolderList(listing);
  for (const { pid, handles, granted, kernel } of listing.holders) holders.addHandle(pid, { granted, kernel, count: handles });
  holders.addViews(sighting?.views ?? []);
  return {
    name: listing.name.startsWith('Global\\') ? listing.name : `Global\\${listing.name}`,
    scope: 'global',
    kind: namedKind(listing.kind),
    size: listing.size,
    resident: listing.backing === 'file' ? residentOf('file', null, holders) : listing.resident,
    backing: listing.backing,
    file: listing.backing === 'file' ? (sighting?.label ?? null) : null,
    pageProtection: listing.pageProtection,
    attributes: listing.attributes,
    soleWriter: listing.soleWriter,
    security: listing.security,
    owner: null,
    mode: null,
    created: null,
    device,
    inode,
    holders: holders.all(),
  };
}

const byName = (a: ObjectFacts, b: ObjectFacts): number => (a.name < b.name ? -1 : 1);

/**
 * All objects that can be seen from here.
 *
 * @param operation The command, for messages.
 * @param scopes Which groups to gather.
 */
export function listObjects(operation: string, scopes: ReadonlySet<ObjectScope>): Listing {
  const problems: Problem[] = [];
  // All three are looked at even for one: what is local or global is not foreign.
  const local = gatherLocal(operation, scopes.has('local') ? problems : []);
  const { systemPid, listings } =
    scopes.has('global') || scopes.has('foreign')
      ? gatherGlobal(scopes.has('global') ? problems : [])
      : { systemPid: null, listings: [] };
  const posix = scopes.has('foreign') ? posixObjects() : [];

  const named = new Set<Identity>();
  for (const { record } of local) named.add(identityOf(record.device, record.inode));
  for (const { device, inode } of listings) named.add(identityOf(BigInt(device), BigInt(inode)));
  const survey = surveyProcesses({
    identities: new Set([...named, ...posix.map(({ identity }) => identity)]),
    label: (label) => scopes.has('foreign') && isForeignLabel(label),
    paths: pathsOf(local),
  });

  const nameOf = localNames(local);
  const objects: ObjectFacts[] = [];
  if (scopes.has('local')) objects.push(...local.map((each) => localFacts(each, nameOf(each.record), survey)).sort(byName));
  if (scopes.has('global')) objects.push(...listings.map((each) => globalFacts(each, survey)).sort(byName));
  if (scopes.has('foreign')) objects.push(...foreignObjects(posix, survey, named).sort(byName));
  return { objects, problems, systemPid, unseen: survey.unseen };
}

/** Paths of the files behind local sections, as their holders' descriptors name them. */
function pathsOf(local: readonly LocalListing[]): ReadonlyMap<string, Identity> {
  const paths = new Map<string, Identity>();
  for (const { record, holders } of local) {
    if (record.backing !== 'file') continue;
    const identity = identityOf(record.device, record.inode);
    const path = linkOrNull(descriptorPath(identity, holders) ?? '');
    if (path !== null) paths.set(path, identity);
  }
  return paths;
}
