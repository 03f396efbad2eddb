/**
 * The memory that is this program's: views and private memory that the faces gave out. The runtime's own memory has its
 * place among the same addresses, and a wrong one must not reach it.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { ViewAccess } from '../memory/memory-object.js';
import { View, type ViewFacts } from '../memory/view.js';
import type { Handle } from '../nt/arguments.js';
import {
  MEM_FREE,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_REPLACE_PLACEHOLDER,
  MemoryBasicInformation,
  PAGE_NOACCESS,
} from '../nt/constants.js';
import type { MEMORY_BASIC_INFORMATION as PageFacts } from '../nt/memory-query.js';
import { viewAccessOf } from '../nt/protection.js';
import { CURRENT_PROCESS } from '../nt/tables.js';
import { type AddressRange, RangeTable } from '../nt/view-table.js';
import { type ExtendedParameter, MapFlag, type Mapping, type NtSystem } from '../os/index.js';
import { AddressSet } from './address-set.js';
import { callOf } from './handles.js';
import { giveMapping, mappedInto, mayKeepSection, takeMapping } from './mappings.js';
import { sectionByHandle } from './meetings.js';
import { MEMORY_BASIC_INFORMATION } from './structures.js';

/** A view that a face mapped. */
export interface OwnView extends AddressRange {
  readonly view: View;
  readonly mapping: Mapping;
}

/** How a view is asked for; the kernel judges it. */
export interface ViewRequest {
  /** One that is the program's, or that none is. */
  readonly section: Handle;
  /** 0 for anywhere. */
  readonly base: bigint;
  readonly offset: number | bigint;
  /** 0 for the rest of the section. */
  readonly viewSize: number | bigint;
  readonly allocationType: number;
  readonly protection: number;
  /** ViewShare or ViewUnmap. */
  readonly inherit: number;
  readonly zeroBits?: bigint;
  readonly commitSize?: bigint;
  /** Given, even if empty: NtMapViewOfSectionEx, which has neither of the three before. */
  readonly extended?: readonly ExtendedParameter[] | undefined;
}

/** One table, whichever face was used. */
const views = new RangeTable<OwnView>();
/** Views that are not in the table yet: most are unmapped before anybody looks for an address. */
const fresh: View[] = [];
/** And theirs, in a list beside it: pairs would have to be made. */
const freshMappings: Mapping[] = [];
const MOST_FRESH = 64;
/** Those whose guard has a handle on the section. */
const keepers = new Set<OwnView>();
/** Private memory and placeholders. */
const taken = new AddressSet();

const nothing = (): void => {};

function enter(view: View, mapping: Mapping, keeps: boolean): void {
  const base = view.address;
  const end = base + BigInt(view.length);
  const own: OwnView = { base, end, view, mapping, forget: keeps ? () => keepers.delete(own) : nothing };
  views.add(own);
  if (keeps) keepers.add(own);
}

/** The table, with all views in it. */
function table(): RangeTable<OwnView> {
  const mappings = freshMappings.splice(0);
  for (const [i, view] of fresh.splice(0).entries()) if (!view.closed) enter(view, mappings[i] as Mapping, false);
  return views;
}

function noteFresh(view: View, mapping: Mapping): void {
  if (fresh.length >= MOST_FRESH) table();
  fresh.push(view);
  freshMappings.push(mapping);
}

/** Looked up once. */
let mapSection: NtSystem['mapSection'] | null = null;

/** The facts of a view; those of the one before it where they are the same: what is made for each view costs time. */
function viewFacts(nt: NtSystem, section: Handle, offset: number, length: number, access: ViewAccess, keeps: boolean): ViewFacts {
  const known = sectionByHandle(nt, section);
  const reuse = keeps ? undefined : giveMapping;
  const { facts, object, lend } = known;
  if (facts?.length === length && facts.offset === offset && facts.access === access && facts.reuse === reuse) return facts;
  known.facts = { object, offset, length, access, reuse, lend };
  return known.facts;
}

/** Maps a view of a section into this process. */
export function mapView(nt: NtSystem, request: ViewRequest): View | { readonly status: NTSTATUS } {
  const { section, base: wanted, offset, viewSize, allocationType, protection, inherit } = request;
  const { zeroBits, commitSize, extended } = request;
  // The runtime has placeholders as well.
  if ((allocationType & MEM_REPLACE_PLACEHOLDER) !== 0 && !isOwnMemory(wanted, BigInt(viewSize))) {
    return { status: Status.STATUS_CONFLICTING_ADDRESSES };
  }
  const into = takeMapping();
  mapSection ??= nt.mapSection;
  const flags = MapFlag.exact;
  const isPlain = wanted === 0n && zeroBits === undefined && commitSize === undefined && extended === undefined;
  const answer = isPlain
    ? mapSection(section, offset, viewSize, protection, allocationType, flags, inherit, into)
    : mapSection(
        section,
        offset,
        viewSize,
        protection,
        allocationType,
        flags,
        inherit,
        into,
        wanted,
        zeroBits ?? 0n,
        commitSize ?? 0n,
        extended ?? null,
      );
  const mapping = mappedInto(into, answer);
  if (typeof mapping === 'number') return { status: mapping };
  const length = mapping === into ? (answer as number) : nt.mappingLength(mapping);
  const access = viewAccessOf(protection) ?? 'read';
  const keeps = mayKeepSection(protection, allocationType) && nt.mappingSection(mapping) !== 0;
  const view = new View(mapping, viewFacts(nt, section, Number(offset), length, access, keeps));
  if ((allocationType & MEM_REPLACE_PLACEHOLDER) !== 0) taken.remove(view.address, view.address + BigInt(length));
  if (keeps) enter(view, mapping, true);
  else noteFresh(view, mapping);
  return view;
}

/**
 * A handle was closed. The guard of a view that cannot be written to keeps one of its own on the section, to show that
 * again where a write went astray; but an object, and with it its name, shall not live on by a handle that nobody sees.
 *
 * @param others The handles that the program still has.
 */
export function letGoOfSections(nt: NtSystem, others: Iterable<Handle>): void {
  if (keepers.size === 0) return;
  const left = [...others];
  for (const own of keepers) {
    const section = own.view.closed ? 0 : nt.mappingSection(own.mapping);
    const isSame = (handle: Handle): boolean => callOf(nt, 'NtCompareObjects')(section, handle) === Status.STATUS_SUCCESS;
    if (section !== 0 && left.some(isSame)) continue;
    if (section !== 0) nt.mappingLetGo(own.mapping);
    keepers.delete(own);
  }
}

/** Where the runtime has views of its own: those that were there before the faces. */
let ofRuntime: ReadonlySet<bigint> | null = null;

/** Must be told before the program can be asked for a view by its address. */
export function noteViewsOfRuntime(nt: NtSystem): void {
  ofRuntime ??= new Set(nt.mappedViews());
}

/** What is at an address now; null for nothing. */
function allocationAt(nt: NtSystem, address: bigint): { readonly base: bigint; readonly protection: number } | null {
  const facts = MEMORY_BASIC_INFORMATION.room();
  const query = callOf(nt, 'NtQueryVirtualMemory');
  const status = query(CURRENT_PROCESS, address, MemoryBasicInformation, facts, facts.length, null);
  const { AllocationBase, AllocationProtect, State } = MEMORY_BASIC_INFORMATION.read(facts);
  return isSuccess(status) && State !== MEM_FREE ? { base: AllocationBase, protection: AllocationProtect } : null;
}

/** The view that an address lies in, also one that another process mapped into this one. */
export function anyViewAt(nt: NtSystem, address: bigint): View | undefined {
  if (BigInt.asUintN(64, address) !== address) return undefined;
  const there = allocationAt(nt, address);
  const found = table().areaAt(address);
  if (found !== undefined && there !== null) return found.view;
  // Whoever mapped it may have unmapped it as well.
  if (found !== undefined) unmapView(nt, address);
  if (there === null || ofRuntime?.has(there.base) !== false) return undefined;
  const mapping = nt.adoptView(address);
  if (mapping === null) return undefined;
  const length = nt.mappingLength(mapping);
  const { protection } = there;
  const access = viewAccessOf(protection) ?? 'read';
  const view = new View(mapping, { object: 'a view that another process mapped', offset: 0, length, access });
  enter(view, mapping, false);
  return view;
}

/** What the program is told of its pages: addresses that closed views still keep are free for it, and it gets them. */
export function shownPages(nt: NtSystem, facts: PageFacts): PageFacts {
  const end = nt.keptUntil(facts.BaseAddress);
  if (end === 0n) return facts;
  const RegionSize = Number(end - facts.BaseAddress);
  return { ...facts, RegionSize, AllocationBase: null, AllocationProtect: 0, State: MEM_FREE, Protect: PAGE_NOACCESS, Type: 0 };
}

/** The view that an address lies in. */
export function viewAt(address: bigint): OwnView | undefined {
  return table().areaAt(address);
}

/** Unmaps a view of which nobody has looked for the address; false where that is not known. */
export function unmapFresh(view: View): boolean {
  if (fresh[fresh.length - 1] !== view) return false;
  fresh.pop();
  freshMappings.pop();
  view.close();
  return true;
}

/**
 * Unmaps the view that an address lies in.
 *
 * @param flags Those of NtUnmapViewOfSectionEx.
 */
export function unmapView(nt: NtSystem, address: bigint, flags = 0): NTSTATUS {
  const found = table().areaAt(address) ?? (anyViewAt(nt, address) && table().areaAt(address));
  if (found === undefined) return Status.STATUS_NOT_MAPPED_VIEW;
  if ((flags & MEM_PRESERVE_PLACEHOLDER) !== 0) {
    const status = nt.mappingVacate(found.mapping);
    if (!isSuccess(status)) return status;
    taken.add(found.base, found.end);
  }
  table().remove(found);
  found.view.close();
  return Status.STATUS_SUCCESS;
}

/** Enters private memory, or a placeholder, that a call gave. */
export function takeMemory(base: bigint, bytes: bigint): void {
  taken.add(base, base + bytes);
}

/** Memory that a call gave back. */
export function forgetMemory(base: bigint, bytes: bigint): void {
  taken.remove(base, base + bytes);
}

/** Whether all of a range is private memory of the program's. */
export function isOwnMemory(base: bigint, bytes: bigint): boolean {
  return taken.has(base, base + bytes);
}

/**
 * Asks for memory at an address, and once more where closed views still keep that.
 *
 * @param ask The call; its status.
 */
export function withAddresses(nt: NtSystem, base: bigint, bytes: bigint, ask: () => NTSTATUS): NTSTATUS {
  const status = ask();
  if (status !== Status.STATUS_CONFLICTING_ADDRESSES || base === 0n) return status;
  return nt.releaseAddresses(base, bytes) ? ask() : status;
}

/** Must be told before protections or commitment of pages are changed in a range that may be a view's. */
export function pagesWillDiffer(nt: NtSystem, address: bigint): void {
  const found = table().areaAt(address);
  if (found !== undefined) nt.mappingPagesDiffer(found.mapping);
}
