/**
 * The directories of the object namespace and the way through them: what a path names, and in which of
 * the two places (this user's own names, the system process's) it then lives. The fixed part of the tree
 * is data, below; what programs create in it is found by the floor below.
 *
 * Source: nt-semantics 1.9; Microsoft's pages "Object Directories", "Kernel object namespaces" and
 * "Introduction to MS-DOS Device Names".
 */
import { type NTSTATUS, Status } from '../base/status.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { foldCase, type ObjectName, type Scope } from '../namespace/name.js';
import { findEntry } from '../system/lookup.js';
import { statusOf } from './failure.js';

/** A directory, as the way through the tree meets it. */
export interface Directory {
  /** From the root of the namespace; the root's own is empty. */
  readonly path: string;
  /** Where the objects in it live; null where nobody can create any. */
  readonly holds: Scope | null;
  /** Of the directory object; absent for the fixed directories. */
  readonly identity?: string;
  /** Absent for the fixed directories, and for those that have none. */
  readonly name?: ObjectName;
  /** Fixed entries. */
  readonly entries: ReadonlyMap<string, Directory | FixedLink>;
  /** Names in it that are refused to everybody, in any case. */
  readonly refused: readonly string[];
  /** Another handle on the directory object, for names that are empty; absent for the fixed directories. */
  readonly reopen?: (desired: number) => ObjectHandle;
}

/** A symbolic link that is always there. */
export interface FixedLink {
  readonly path: string;
  /** An absolute path. */
  readonly target: string;
}

/* ------------------------------------------------------------------------- the fixed tree ---- */

/** The session of the caller, whose own directory holds its local names: 0 for root, where drivers and services are, else 1. */
export function sessionId(): number {
  return process.geteuid?.() === 0 ? 0 : 1;
}

const GLOBAL_PATH = '\\BaseNamedObjects';
const LINKS_PATH = '\\Sessions\\BNOLINKS';
/** Where the links to devices are: `\??`, and in every session, for there is one machine-wide list. */
export const DOS_DEVICES = '\\GLOBAL??';
/** Where devices are. */
export const DEVICES = '\\Device';

const localPath = (session: number): string => `\\Sessions\\${session}\\BaseNamedObjects`;

interface Plan {
  readonly holds?: Scope;
  readonly refused?: readonly string[];
  /** A string is a link's target. */
  readonly entries?: Readonly<Record<string, Plan | string>>;
}

/** The tree as a caller in a session sees it: of the other sessions' directories it knows nothing. */
function planFor(session: number): Plan {
  const own = localPath(session);
  return {
    entries: {
      BaseNamedObjects: { holds: 'global', entries: { Global: GLOBAL_PATH, Local: GLOBAL_PATH, Session: LINKS_PATH } },
      Sessions: {
        entries: {
          BNOLINKS: { entries: { [session]: own } },
          [session]: {
            entries: {
              BaseNamedObjects: { holds: 'local', entries: { Global: GLOBAL_PATH, Local: own, Session: LINKS_PATH } },
            },
          },
        },
      },
      // Physical memory and its Unix kin: never, for nobody.
      Device: { refused: ['PhysicalMemory', 'mem', 'kmem', 'port'] },
      Driver: {},
      KernelObjects: {},
      'GLOBAL??': { entries: { Global: DOS_DEVICES } },
      '??': DOS_DEVICES,
      DosDevices: '\\??',
    },
  };
}

function build(path: string, { holds, refused = [], entries = {} }: Plan): Directory {
  const built = Object.entries(entries).map(([name, entry]): [string, Directory | FixedLink] => {
    const at = `${path}\\${name}`;
    return [name, typeof entry === 'string' ? { path: at, target: entry } : build(at, entry)];
  });
  return { path, holds: holds ?? null, entries: new Map(built), refused: refused.map(foldCase) };
}

const roots = new Map<number, Directory>();

/** The directory `\`. */
function rootOf(session: number): Directory {
  const root = roots.get(session) ?? build('', planFor(session));
  roots.set(session, root);
  return root;
}

/* ------------------------------------------------------------------------- names and paths ---- */

const prefixes = { local: 'Local\\', global: 'Global\\' } as const satisfies Record<Scope, string>;
const pathOfScope = (scope: Scope): string => (scope === 'global' ? GLOBAL_PATH : localPath(sessionId()));

/** The name of an object in a directory. */
function nameIn({ path, identity }: Directory, holds: Scope, leaf: string): ObjectName {
  const base = pathOfScope(holds);
  // What is in a directory without a name has no way from the root.
  const within = path.startsWith(base)
    ? `${prefixes[holds]}${path.slice(base.length + 1)}${path === base ? '' : '\\'}`
    : `${path}\\`;
  return { scope: holds, leaf, full: within + leaf, ...(identity === undefined ? {} : { directory: identity }) };
}

/** The path from the root that an object's name stands for. */
export function pathOf({ scope, full }: ObjectName): string {
  const prefix = prefixes[scope];
  return full.startsWith(prefix) ? `${pathOfScope(scope)}\\${full.slice(prefix.length)}` : full;
}

/** In place of the path of a directory that has no name. */
const UNNAMED = '...';

/** The directory that a directory object is. */
export function directoryOf(name: ObjectName | null, identity: string): Directory {
  const entries = new Map();
  const named = name === null ? { path: UNNAMED } : { path: pathOf(name), name };
  return { ...named, holds: name?.scope ?? 'local', identity, entries, refused: [] };
}

/* ------------------------------------------------------------------------------- devices ---- */

/** What the I/O system keeps in `\Device` and `\GLOBAL??`. */
export interface DeviceEntry {
  /** As it was created. */
  readonly leaf: string;
  /** A link's, an absolute path; absent for a device. */
  readonly target?: string;
}

export interface DeviceNamespace {
  find(directory: typeof DEVICES | typeof DOS_DEVICES, leaf: string, caseInsensitive: boolean): DeviceEntry | null;
  list(directory: typeof DEVICES | typeof DOS_DEVICES): readonly DeviceEntry[];
}

let devices: DeviceNamespace = { find: () => null, list: () => [] };

/** Hands over the lookup of devices and their links. */
export function setDeviceNamespace(namespace: DeviceNamespace): void {
  devices = namespace;
}

/** What devices and links a directory has. */
export function devicesIn({ path }: Directory): readonly DeviceEntry[] {
  return path === DEVICES || path === DOS_DEVICES ? devices.list(path) : [];
}

/** Files have the names that Wine gives them: `unix`, then the host's path; or that path at once. */
function fileIn({ path }: Directory, components: readonly string[]): string | null {
  if (path !== DOS_DEVICES) return null;
  const [first = '', ...rest] = components;
  if (first.startsWith('/')) return components.join('/');
  return foldCase(first) === 'UNIX' ? `/${rest.join('/')}` : null;
}

/* -------------------------------------------------------------------------------- lookup ---- */

/** What the lookup is for: it decides what a name that is not there means. */
export type Purpose = 'create' | 'open';

export interface Lookup {
  readonly purpose: Purpose;
  /** OBJ_CASE_INSENSITIVE */
  readonly caseInsensitive: boolean;
  /** A link at the path's end is itself what is wanted (OBJ_OPENLINK, or the call is about links). */
  readonly stopAtLink?: boolean;
  /** Links that were followed on the way here. */
  readonly followed?: number;
}

/** A name that an object can have. Whether it does, and whether that is a link, the call finds out that uses it. */
export interface FoundName {
  readonly name: ObjectName;
  readonly within: Directory;
  /** Links that were followed so far. */
  readonly followed: number;
}

export type Found =
  | { readonly status: NTSTATUS }
  | { readonly directory: Directory }
  | { readonly link: FixedLink }
  | FoundName
  /** `\Device\X`, and what comes after it. */
  | { readonly device: string; readonly rest: string }
  /** A path of the host. */
  | { readonly file: string };

/** As many as NT allows. */
const MOST_LINKS = 30;

const failure = (status: NTSTATUS): { readonly status: NTSTATUS } => ({ status });

function fixedEntry({ entries }: Directory, component: string, caseInsensitive: boolean): Directory | FixedLink | undefined {
  const exact = entries.get(component);
  if (exact !== undefined || !caseInsensitive) return exact;
  const folded = foldCase(component);
  return [...entries].find(([name]) => foldCase(name) === folded)?.[1];
}

/** What a last component means that names nothing fixed: an object, if the directory can have any. */
function leafIn(directory: Directory, leaf: string, { purpose, followed = 0 }: Lookup): Found {
  if (directory.holds !== null) return { name: nameIn(directory, directory.holds, leaf), within: directory, followed };
  return failure(purpose === 'open' ? Status.STATUS_OBJECT_NAME_NOT_FOUND : Status.STATUS_ACCESS_DENIED);
}

/** A directory or a link that somebody created, in the middle of a path. */
function createdEntry(
  directory: Directory,
  component: string,
  { caseInsensitive }: Lookup,
): Directory | { readonly target: string } | NTSTATUS {
  if (directory.holds === null) return Status.STATUS_OBJECT_PATH_NOT_FOUND;
  let entry: ReturnType<typeof findEntry>;
  try {
    entry = findEntry('find an object', directory.holds, directory.identity, component, caseInsensitive);
  } catch (error) {
    return statusOf(error);
  }
  if (entry === null) return Status.STATUS_OBJECT_PATH_NOT_FOUND;
  if (entry.target !== undefined) return { target: entry.target };
  return entry.kind === 'Directory'
    ? directoryOf(nameIn(directory, directory.holds, entry.leaf), entry.identity)
    : Status.STATUS_OBJECT_TYPE_MISMATCH;
}

function walk(start: Directory, path: readonly string[], lookup: Lookup): Found {
  let directory = start;
  let rest = path;
  for (;;) {
    const [component = '', ...further] = rest;
    const file = fileIn(directory, rest);
    if (file !== null) return { file };
    if (component === '') return failure(Status.STATUS_OBJECT_NAME_INVALID);
    if (directory.refused.includes(foldCase(component))) return failure(Status.STATUS_ACCESS_DENIED);
    const isLast = further.length === 0;
    const fixed = fixedEntry(directory, component, lookup.caseInsensitive);
    const device = fixed === undefined ? deviceEntry(directory, component, lookup) : null;
    if (device !== null && device.target === undefined) {
      return { device: `${DEVICES}\\${device.leaf}`, rest: further.map((each) => `\\${each}`).join('') };
    }
    if (fixed === undefined && device === null && isLast) return leafIn(directory, component, lookup);
    const entry = fixed ?? device ?? createdEntry(directory, component, lookup);
    if (typeof entry === 'number') return failure(entry);
    if (!('entries' in entry)) {
      const { target = '' } = entry;
      if (!isLast || lookup.stopAtLink !== true) return follow([target, ...further].join('\\'), lookup);
      return { link: { path: `${directory.path}\\${component}`, target } };
    }
    if (isLast) return { directory: entry };
    directory = entry;
    rest = further;
  }
}

function deviceEntry({ path }: Directory, component: string, { caseInsensitive }: Lookup): DeviceEntry | null {
  return path === DEVICES || path === DOS_DEVICES ? devices.find(path, component, caseInsensitive) : null;
}

/** Goes on where a link leads to. */
export function follow(target: string, lookup: Lookup): Found {
  const followed = (lookup.followed ?? 0) + 1;
  if (followed > MOST_LINKS) return failure(Status.STATUS_OBJECT_NAME_NOT_FOUND);
  return lookUpPath(target, { ...lookup, followed });
}

/**
 * What a path from the root names, `\BaseNamedObjects\X` or `\Sessions\N\BaseNamedObjects\X`.
 *
 * @returns the name, directory, link, device or file, or STATUS_OBJECT_PATH_SYNTAX_BAD (no leading
 * backslash), STATUS_OBJECT_NAME_INVALID (an empty component), STATUS_OBJECT_PATH_NOT_FOUND (no such
 * directory, or another session's), STATUS_OBJECT_TYPE_MISMATCH (a way through what is no directory),
 * STATUS_ACCESS_DENIED (`\Device\PhysicalMemory`; creating where nobody can), STATUS_OBJECT_NAME_NOT_FOUND
 * (opening there; too many links), or what the system process answers for a directory in between
 */
export function lookUpPath(path: string, lookup: Lookup): Found {
  if (!path.startsWith('\\')) return failure(Status.STATUS_OBJECT_PATH_SYNTAX_BAD);
  const root = rootOf(sessionId());
  return path === '\\' ? { directory: root } : walk(root, path.slice(1).split('\\'), lookup);
}

/** What a name means that starts in a directory; a leading backslash is STATUS_OBJECT_PATH_SYNTAX_BAD. */
export function lookUpIn(directory: Directory, name: string, lookup: Lookup): Found {
  if (name.startsWith('\\')) return failure(Status.STATUS_OBJECT_PATH_SYNTAX_BAD);
  return name === '' ? { directory } : walk(directory, name.split('\\'), lookup);
}

/** Where Win32 looks up `X`, `Local\X` and `Global\X`: the directory of the caller's own session. */
export function sessionDirectory(): Directory {
  return (lookUpPath(localPath(sessionId()), { purpose: 'open', caseInsensitive: false }) as { readonly directory: Directory })
    .directory;
}
