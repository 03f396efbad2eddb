/**
 * The memory that is this program's: views and private memory that the faces gave out. The runtime's own memory has its
 * place among the same addresses, and a wrong one must not reach it.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { View } from '../memory/view.js';
import type { Handle } from '../nt/arguments.js';
import {
  MEM_FREE,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_REPLACE_PLACEHOLDER,
  MemoryBasicInformation,
  PAGE_NOACCESS,
} from '../nt/constants.js';
import type { MEMORY_BASIC_INFORMATION as PageFacts } from '../nt/memory-query.js';
import { isViewProtection, viewKind } from '../nt/protection.js';
import { CURRENT_PROCESS } from '../nt/tables.js';
import { type AddressRange, RangeTable } from '../nt/view-table.js';
import { type ExtendedParameter, MapFlag, type Mapping, type NtSystem } from '../os/index.js';
import { AddressSet } from './address-set.js';
import { callOf } from './handles.js';
import { meetBySection } from './meetings.js';
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
  readonly offset: bigint;
  /** 0 for the rest of the section. */
  readonly viewSize: bigint;
  readonly allocationType: number;
  readonly protection: number;
  /** ViewShare or ViewUnmap. */
  readonly inherit: number;
  readonly zeroBits?: bigint;
  readonly commitSize?: bigint;
  /** Given, even if empty: NtMapViewOfSectionEx, which has neither of the three before. */
  readonly extended?: readonly ExtendedParameter[];
}

/** One table, whichever face was used. */
const views = new RangeTable<OwnView>();
/** Those whose guard has a handle on the section. */
const keepers = new Set<OwnView>();
/** Private memory and placeholders. */
const taken = new AddressSet();

/** Maps a view of a section into this process. */
export function mapView(nt: NtSystem, request: ViewRequest): View | { readonly status: NTSTATUS } {
  const { section, base, offset, viewSize, allocationType, protection, inherit } = request;
  // The runtime has placeholders as well.
  if ((allocationType & MEM_REPLACE_PLACEHOLDER) !== 0 && !isOwnMemory(base, viewSize)) {
    return { status: Status.STATUS_CONFLICTING_ADDRESSES };
  }
  const mapping = nt.mapSection(
    section,
    offset,
    viewSize,
    protection,
    base,
    allocationType,
    MapFlag.exact,
    request.zeroBits ?? 0n,
    request.commitSize ?? 0n,
    inherit,
    request.extended ?? null,
  );
  if (typeof mapping === 'number') return { status: mapping };
  meetBySection(nt, section, mapping);
  const length = nt.mappingLength(mapping);
  const access = isViewProtection(protection) ? viewKind(protection).access : 'read';
  const view = new View(mapping, { object: `a view of section ${section}`, offset: Number(offset), length, access });
  const end = view.address + BigInt(length);
  // Where it took the place of a placeholder.
  taken.remove(view.address, end);
  const own: OwnView = { base: view.address, end, view, mapping, forget: () => keepers.delete(own) };
  views.add(own);
  if (nt.mappingSection(mapping) !== 0) keepers.add(own);
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
  const found = views.areaAt(address);
  if (found !== undefined && there !== null) return found.view;
  // Whoever mapped it may have unmapped it as well.
  if (found !== undefined) unmapView(nt, address);
  if (there === null || ofRuntime?.has(there.base) !== false) return undefined;
  const mapping = nt.adoptView(address);
  if (mapping === null) return undefined;
  const length = nt.mappingLength(mapping);
  const { base, protection } = there;
  const access = isViewProtection(protection) ? viewKind(protection).access : 'read';
  const view = new View(mapping, { object: 'a view that another process mapped', offset: 0, length, access });
  views.add({ base, end: base + BigInt(length), view, mapping, forget: () => {} });
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
  return views.areaAt(address);
}

/**
 * Unmaps the view that an address lies in.
 *
 * @param flags Those of NtUnmapViewOfSectionEx.
 */
export function unmapView(nt: NtSystem, address: bigint, flags = 0): NTSTATUS {
  if (views.areaAt(address) === undefined) anyViewAt(nt, address);
  const found = views.areaAt(address);
  if (found === undefined) return Status.STATUS_NOT_MAPPED_VIEW;
  if ((flags & MEM_PRESERVE_PLACEHOLDER) !== 0) {
    const status = nt.mappingVacate(found.mapping);
    if (!isSuccess(status)) return status;
    taken.add(found.base, found.end);
  }
  views.remove(found);
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
  const found = views.areaAt(address);
  if (found !== undefined) nt.mappingPagesDiffer(found.mapping);
}
