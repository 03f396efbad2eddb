/**
 * The directories of the object namespace and the way through them: which path names a section, and in
 * which of the two places it then lives. The tree is fixed in this version; it is data, below.
 *
 * Source: nt-semantics 1.9; Microsoft's pages "Object Directories" and "Kernel object namespaces".
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { foldCase, type Scope, type SectionName } from '../namespace/name.js';

interface Directory {
  /** Where the sections in it live; null where nobody can create any. */
  readonly holds: Scope | null;
  /** Whatever is in it is refused. */
  readonly refused?: boolean;
  readonly entries: Readonly<Record<string, Directory | SymbolicLink>>;
}

interface SymbolicLink {
  /** Components of an absolute path. */
  readonly target: readonly string[];
}

/** The session of the caller, whose own directory holds its local names: 0 for root, where drivers and services are, else 1. */
export function sessionId(): number {
  return process.geteuid?.() === 0 ? 0 : 1;
}

const GLOBAL = ['BaseNamedObjects'] as const;
const LINKS = ['Sessions', 'BNOLINKS'] as const;
const directoryOf = (session: number) => ['Sessions', String(session), 'BaseNamedObjects'] as const;

/** The tree as a caller in a session sees it: of the other sessions' directories it knows nothing. */
function treeFor(session: number): Directory {
  const own = directoryOf(session);
  const session0 = { Global: { target: GLOBAL }, Local: { target: GLOBAL }, Session: { target: LINKS } };
  return {
    holds: null,
    entries: {
      BaseNamedObjects: { holds: 'global', entries: session0 },
      Sessions: {
        holds: null,
        entries: {
          BNOLINKS: { holds: null, entries: { [session]: { target: own } } },
          [session]: {
            holds: null,
            entries: {
              BaseNamedObjects: {
                holds: 'local',
                entries: { Global: { target: GLOBAL }, Local: { target: own }, Session: { target: LINKS } },
              },
            },
          },
        },
      },
      // \Device\PhysicalMemory, and the Unix devices that would be its kin: never, for nobody.
      Device: { holds: null, refused: true, entries: {} },
    },
  };
}

const trees = new Map<number, Directory>();

function treeOf(session: number): Directory {
  const tree = trees.get(session) ?? treeFor(session);
  trees.set(session, tree);
  return tree;
}

/** What the lookup is for: it decides what a name that is not there means. */
export type Purpose = 'create' | 'open';

export type Resolved = { readonly status: NTSTATUS } | { readonly name: SectionName };

const prefixes = { local: 'Local\\', global: 'Global\\' } as const satisfies Record<Scope, string>;

function entryOf({ entries }: Directory, component: string, caseInsensitive: boolean): Directory | SymbolicLink | undefined {
  if (Object.hasOwn(entries, component)) return entries[component];
  if (!caseInsensitive) return undefined;
  const folded = foldCase(component);
  return Object.entries(entries).find(([name]) => foldCase(name) === folded)?.[1];
}

/** What a last component means that names nothing we know: a section, if the directory can have any. */
function leafIn({ holds }: Directory, leaf: string, purpose: Purpose): Resolved {
  if (holds !== null) return { name: { scope: holds, leaf, full: prefixes[holds] + leaf } };
  return { status: purpose === 'open' ? Status.STATUS_OBJECT_NAME_NOT_FOUND : Status.STATUS_ACCESS_DENIED };
}

function walk(tree: Directory, path: readonly string[], purpose: Purpose, caseInsensitive: boolean): Resolved {
  let directory = tree;
  let rest = path;
  for (;;) {
    const [component = '', ...further] = rest;
    if (component === '') return { status: Status.STATUS_OBJECT_NAME_INVALID };
    if (directory.refused === true) return { status: Status.STATUS_ACCESS_DENIED };
    const entry = entryOf(directory, component, caseInsensitive);
    if (entry === undefined) {
      return further.length === 0 ? leafIn(directory, component, purpose) : { status: Status.STATUS_OBJECT_PATH_NOT_FOUND };
    }
    if ('target' in entry) {
      directory = tree;
      rest = [...entry.target, ...further];
    } else if (further.length === 0) {
      return { status: Status.STATUS_OBJECT_TYPE_MISMATCH };
    } else {
      directory = entry;
      rest = further;
    }
  }
}

/**
 * What a path from the root names, `\BaseNamedObjects\X` or `\Sessions\N\BaseNamedObjects\X`.
 *
 * @returns the section's name, or STATUS_OBJECT_PATH_SYNTAX_BAD (no leading backslash),
 * STATUS_OBJECT_NAME_INVALID (an empty component), STATUS_OBJECT_PATH_NOT_FOUND (no such directory, or
 * another session's), STATUS_OBJECT_TYPE_MISMATCH (the path of a directory), STATUS_ACCESS_DENIED
 * (`\Device`; creating where only directories are), STATUS_OBJECT_NAME_NOT_FOUND (opening there)
 */
export function resolvePath(path: string, purpose: Purpose, caseInsensitive: boolean): Resolved {
  if (!path.startsWith('\\')) return { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  if (path === '\\') return { status: Status.STATUS_OBJECT_TYPE_MISMATCH };
  return walk(treeOf(sessionId()), path.slice(1).split('\\'), purpose, caseInsensitive);
}

/**
 * What a name means in the caller's own session's directory: how Win32 resolves `X`, `Local\X` and
 * `Global\X`. Statuses as {@link resolvePath}; a leading backslash is STATUS_OBJECT_PATH_SYNTAX_BAD.
 */
export function resolveInSession(name: string, purpose: Purpose, caseInsensitive: boolean): Resolved {
  if (name.startsWith('\\')) return { status: Status.STATUS_OBJECT_PATH_SYNTAX_BAD };
  const session = sessionId();
  return walk(treeOf(session), [...directoryOf(session), ...name.split('\\')], purpose, caseInsensitive);
}
