/**
 * The named objects of a Windows session and of the whole machine, as the kernel knows them. Gathers; prints nothing.
 */
import type { ObjectKind } from '../../base/object-kind.js';
import { win32ErrorOf } from '../../base/status.js';
import { PAGE_READWRITE } from '../../memory/section-masks.js';
import { failureOf } from '../../ntos/failure.js';
import { callOf, closeHandle, sectionFacts } from '../../ntos/handles.js';
import type { NtSystem } from '../../os/index.js';
import {
  DIRECTORY_QUERY,
  EVENT_QUERY_STATE,
  MUTANT_QUERY_STATE,
  READ_CONTROL,
  SECTION_QUERY,
  SEMAPHORE_QUERY_STATE,
  SYMBOLIC_LINK_QUERY,
} from '../../security/index.js';
import type { ObjectGroup } from '../inspector.js';
import { namedKind } from '../kinds.js';
import type { ObjectFacts } from '../object-facts.js';
import type { Listing, ObjectScope, Problem } from '../objects.js';
import { type DirectoryEntry, entriesOf, globalDirectory, localDirectory } from './directories.js';
import { HandleSurvey } from './handle-holders.js';

/** How objects of each kind are opened to be asked, by NT's name of the type. */
const kinds: ReadonlyMap<string, readonly [kind: ObjectKind, call: string, right: number]> = new Map([
  ['Section', ['Section', 'NtOpenSection', SECTION_QUERY]],
  ['Event', ['Event', 'NtOpenEvent', EVENT_QUERY_STATE]],
  ['Mutant', ['Mutant', 'NtOpenMutant', MUTANT_QUERY_STATE]],
  ['Semaphore', ['Semaphore', 'NtOpenSemaphore', SEMAPHORE_QUERY_STATE]],
  ['Directory', ['Directory', 'NtOpenDirectoryObject', DIRECTORY_QUERY]],
  ['SymbolicLink', ['SymbolicLink', 'NtOpenSymbolicLinkObject', SYMBOLIC_LINK_QUERY]],
]);

const FAILED = 0x8000_0000;
/** OWNER, GROUP and DACL. */
const SECURITY_PARTS = 7;
const LARGEST_DESCRIPTOR = 0x20000;
const SEC_FILE = 0x0080_0000;

/** Opens an object with the rights to ask it; fewer where it grants fewer. 0: none. */
function openToAsk(nt: NtSystem, path: string, call: string, right: number): number {
  const handle = new Uint8Array(8);
  for (const desired of [right | READ_CONTROL, right, READ_CONTROL]) {
    if (callOf(nt, call)(handle, desired, [path, 0, 0, null]) < FAILED) return new DataView(handle.buffer).getInt32(0, true);
  }
  return 0;
}

function securityOf(nt: NtSystem, handle: number): string | null {
  const [descriptor, needed] = [new Uint8Array(LARGEST_DESCRIPTOR), new Uint8Array(4)];
  const status = callOf(nt, 'NtQuerySecurityObject')(handle, SECURITY_PARTS, descriptor, descriptor.length, needed);
  if (status >= FAILED) return null;
  const text = nt.securityToText(descriptor.subarray(0, new DataView(needed.buffer).getUint32(0, true)), SECURITY_PARTS);
  return typeof text === 'string' && text !== '' ? text : null;
}

/** An object with the handle by which it is asked, 0 where it does not let us. */
interface AskedObject {
  readonly name: string;
  readonly scope: 'local' | 'global';
  readonly kind: ObjectKind;
  readonly handle: number;
}

function ask(nt: NtSystem, scope: 'local' | 'global', directory: string, { name, type }: DirectoryEntry): AskedObject[] {
  const row = kinds.get(type);
  if (row === undefined) return [];
  const [kind, call, right] = row;
  return [{ name, scope, kind, handle: openToAsk(nt, `${directory}\\${name}`, call, right) }];
}

function factsOf(nt: NtSystem, { name, scope, kind, handle }: AskedObject, survey: HandleSurvey): ObjectFacts {
  const asked = handle !== 0 && kind === 'Section' ? sectionFacts(nt, handle) : undefined;
  return {
    name: `${scope === 'global' ? 'Global' : 'Local'}\\${name}`,
    scope,
    kind: namedKind(kind),
    size: asked?.size ?? null,
    attributes: asked?.attributes ?? null,
    resident: null,
    backing: ((asked?.attributes ?? 0) & SEC_FILE) === 0 ? 'pagefile' : 'file',
    file: null,
    pageProtection: kind === 'Section' ? null : PAGE_READWRITE,
    soleWriter: false,
    security: handle === 0 ? null : securityOf(nt, handle),
    owner: null,
    mode: null,
    created: null,
    device: null,
    inode: null,
    holders: handle === 0 ? [] : survey.holdersOf(handle),
  };
}

const byScope = (a: ObjectFacts, b: ObjectFacts): number => Number(a.scope === 'global') - Number(b.scope === 'global');
const byName = (a: ObjectFacts, b: ObjectFacts): number => (a.name < b.name ? -1 : 1);

const none = (): string => 'none';

export const kernelGroups: readonly ObjectGroup[] = [
  { scope: 'local', heading: "Local: this session's names", none },
  { scope: 'global', heading: 'Global: names of the whole machine', none },
];

/** As the inspector's: the session's names, and those of the whole machine. There are no foreign ones. */
export function listKernelObjects(nt: NtSystem, operation: string, scopes: ReadonlySet<ObjectScope>): Listing {
  const problems: Problem[] = [];
  const asked: AskedObject[] = [];
  for (const scope of ['local', 'global'] as const) {
    if (!scopes.has(scope)) continue;
    const directory = scope === 'global' ? globalDirectory : localDirectory(nt);
    const entries = entriesOf(nt, directory);
    if (typeof entries === 'number') {
      problems.push({ error: failureOf(operation, directory, win32ErrorOf(entries)), group: scope });
    } else asked.push(...entries.flatMap((entry) => ask(nt, scope, directory, entry)));
  }
  const survey = new HandleSurvey(nt);
  try {
    const objects = asked.map((each) => factsOf(nt, each, survey)).sort((a, b) => byScope(a, b) || byName(a, b));
    return { objects, problems, systemPid: null, unseen: survey.unseen };
  } finally {
    survey.close();
    for (const { handle } of asked) if (handle !== 0) closeHandle(nt, handle);
  }
}
