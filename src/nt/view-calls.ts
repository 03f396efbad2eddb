/**
 * The calls on views: map and unmap. The faces differ in the mode that they call in and in the names they
 * give these functions; what a call does stands here.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import type { SectionHandle } from '../memory/object-handle.js';
import { sharedWritable } from '../memory/section-masks.js';
import { View } from '../memory/view.js';
import { CommitRule, isOsError, type Mapping } from '../os/index.js';
import { PROCESS_VM_OPERATION } from '../security/index.js';
import { type AddressRequirements, extendedParameters, type MEM_EXTENDED_PARAMETER } from './address-requirements.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull, unchanged, unchangedAddress, wholePages } from './arguments.js';
import {
  ALLOCATION_GRANULARITY,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_REPLACE_PLACEHOLDER,
  MEM_TOP_DOWN,
  MEM_UNMAP_WITH_TRANSIENT_BOOST,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOMBINE,
  SEC_NOCACHE,
  SEC_RESERVE,
  SEC_WRITECOMBINE,
  ViewShare,
  ViewUnmap,
} from './constants.js';
import { statusOf } from './failure.js';
import { Pages } from './pages.js';
import { mapBelow } from './placement.js';
import { processOf } from './process-handles.js';
import { baseProtection, viewKind } from './protection.js';
import { enterRegion } from './regions.js';
import { mapInto, unmapFrom } from './remote-views.js';
import {
  addressLimit,
  firstBroken,
  type MapOfSection,
  type MapRequest,
  mapExRules,
  mapOfSectionRules,
  mapRules,
  reserves,
  viewLength,
} from './rules.js';
import { sectionSize } from './section-calls.js';
import { mapApart } from './shared-area.js';
import { contextStatus, heldByDriver, type Mode, mayUse, type OpenSection, sectionOf, views } from './tables.js';
import type { MappedView, PrivateRegion } from './view-table.js';

/** What mapping gives back. On failure the outputs are the inputs, unchanged, and there is no view. */
export interface MapResult {
  readonly status: NTSTATUS;
  readonly baseAddress: bigint | null;
  readonly sectionOffset: number;
  /** Bytes, rounded up to whole pages. */
  readonly viewSize: number;
  readonly view: View | null;
}

/** Where a view may stand. */
interface Place {
  /** Null for anywhere. */
  readonly requirements: AddressRequirements | null;
  /** The placeholder whose place it takes. */
  readonly placeholder: PrivateRegion | null;
}

const refusal =
  (baseAddress: unknown, sectionOffset: unknown, viewSize: unknown) =>
  (status: NTSTATUS): MapResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    sectionOffset: unchanged(sectionOffset),
    viewSize: unchanged(viewSize),
    view: null,
  });

/** ZwMapViewOfSection and NtMapViewOfSection. */
export function mapViewOfSection(
  mode: Mode,
  sectionHandle: Handle,
  processHandle: Handle,
  baseAddress: bigint | null,
  zeroBits: Size,
  commitSize: Size,
  sectionOffset: Size | null,
  viewSize: Size,
  inheritDisposition: number,
  allocationType: number,
  protect: number,
): MapResult {
  const refuse = refusal(baseAddress, sectionOffset, viewSize);
  const context = contextStatus('ZwMapViewOfSection');
  if (!isSuccess(context)) return refuse(context);
  const request: MapRequest = {
    base: ulong64OrNull(baseAddress),
    zeroBits: ulong64(zeroBits),
    commitSize: ulong64(commitSize),
    offset: ulong64OrNull(sectionOffset),
    viewSize: ulong64(viewSize),
    inherit: ulong(inheritDisposition),
    allocationType: ulong(allocationType),
    protection: ulong(protect),
  };
  const broken = firstBroken(mapRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const limit = addressLimit(request.zeroBits as bigint) ?? null;
  const requirements = limit === null ? null : { lowest: 0n, highest: limit, alignment: 0n };
  return mapAsked(mode, sectionHandle, processHandle, request as MapOfSection['request'], requirements, refuse);
}

/** ZwMapViewOfSectionEx and NtMapViewOfSectionEx. */
export function mapViewOfSectionEx(
  mode: Mode,
  sectionHandle: Handle,
  processHandle: Handle,
  baseAddress: bigint | null,
  sectionOffset: Size | null,
  viewSize: Size,
  allocationType: number,
  protect: number,
  parameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  parameterCount?: number,
): MapResult {
  const refuse = refusal(baseAddress, sectionOffset, viewSize);
  const context = contextStatus('ZwMapViewOfSectionEx');
  if (!isSuccess(context)) return refuse(context);
  const request: MapRequest = {
    base: ulong64OrNull(baseAddress),
    zeroBits: 0n,
    commitSize: 0n,
    offset: ulong64OrNull(sectionOffset),
    viewSize: ulong64(viewSize),
    inherit: ViewShare,
    allocationType: ulong(allocationType),
    protection: ulong(protect),
  };
  const broken = firstBroken(mapExRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const extended = extendedParameters(parameters, parameterCount, { alignment: false, base: request.base as bigint });
  if (extended === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  return mapAsked(mode, sectionHandle, processHandle, request as MapOfSection['request'], extended.requirements, refuse);
}

/** What is common to them: the handles, the rules that need the section, the view. */
function mapAsked(
  mode: Mode,
  sectionHandle: Handle,
  processHandle: Handle,
  request: MapOfSection['request'],
  requirements: AddressRequirements | null,
  refuse: (status: NTSTATUS) => MapResult,
): MapResult {
  const process = processOf(mode, processHandle, PROCESS_VM_OPERATION);
  if ('status' in process) return refuse(process.status);
  const found = sectionOf(mode, sectionHandle);
  if ('status' in found) return refuse(found.status);
  const { rights } = viewKind(request.protection);
  if (!mayUse(mode, found, rights)) return refuse(Status.STATUS_ACCESS_DENIED);
  if (!process.isCurrent) {
    const there = mapInto(process, found, rights, { request, requirements });
    return isSuccess(there.status) ? { ...refuse(there.status), ...there } : refuse(there.status);
  }
  return mapHere(found, request, requirements, refuse);
}

/** Maps a view into this process, of a section that the caller may map so. */
export function mapHere(
  found: Pick<OpenSection, 'body' | 'object'>,
  request: MapOfSection['request'],
  requirements: AddressRequirements | null,
  refuse: (status: NTSTATUS) => MapResult,
): MapResult {
  const section = found.body;
  const map: MapOfSection = {
    request,
    sectionSize: BigInt(sectionSize(section)),
    sectionProtection: section.facts.pageProtection,
    sectionAttributes: section.facts.attributes,
    isPagefile: section.memory.backing === 'pagefile',
    pageSize: BigInt(section.memory.pageSize),
  };
  const unfit = firstBroken(mapOfSectionRules, map);
  if (!isSuccess(unfit)) return refuse(unfit);
  const placeholder = placeholderFor(map);
  if (placeholder === undefined) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  try {
    const mapped = mapView(found, map, { requirements, placeholder });
    if (mapped === null) return refuse(Status.STATUS_NO_MEMORY);
    const { view, base } = mapped;
    return { status: Status.STATUS_SUCCESS, baseAddress: base, sectionOffset: view.offset, viewSize: view.length, view };
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/**
 * MmMapViewInSystemSpace: a view of a section that is held by a pointer, from its start and as its page protection
 * allows.
 */
export function mapReferencedSection(body: SectionHandle, object: string, viewSize: bigint): MapResult {
  const { memory, facts } = body;
  // Where somebody else is the only writer, the kernel below lets us read.
  const writes = sharedWritable(facts.pageProtection) && memory.writable && (!facts.soleWriter || memory.soleWriter);
  const request = {
    base: 0n,
    zeroBits: 0n,
    commitSize: 0n,
    offset: 0n,
    viewSize,
    inherit: ViewUnmap,
    allocationType: 0,
    protection: writes ? PAGE_READWRITE : PAGE_READONLY,
  };
  return mapHere({ body, object }, request, null, refusal(null, null, 0));
}

/** The placeholder that a view is to take the place of: exactly as large. Null if none is asked for, undefined if there is none. */
function placeholderFor(map: MapOfSection): PrivateRegion | null | undefined {
  const { base, allocationType } = map.request;
  if ((allocationType & MEM_REPLACE_PLACEHOLDER) === 0) return null;
  const area = views.areaAt(base);
  const fits = area?.base === base && area.end - base === BigInt(wholePages(viewLength(map)));
  return fits && area.view === null && area.placeholder ? area : undefined;
}

/** Which of the view's pages are there: SEC_RESERVE commits by the page, a file that may grow has what it has. */
function commitRule(map: MapOfSection): number {
  if (map.isPagefile) return (map.sectionAttributes & SEC_RESERVE) !== 0 ? CommitRule.data : CommitRule.all;
  return reserves(map) ? CommitRule.size : CommitRule.all;
}

/** Maps what has passed every check, and enters it. Null when there is no room where it must be. */
function mapView(
  { body: section, object }: Pick<OpenSection, 'body' | 'object'>,
  map: MapOfSection,
  place: Place,
): MappedView | null {
  const { request } = map;
  const kind = viewKind(request.protection);
  const offset = Number(request.offset);
  const length = wholePages(viewLength(map));
  const commit = commitRule(map);
  const options = {
    offset,
    length,
    protection: kind.map,
    private: kind.access === 'copy',
    alignment: ALLOCATION_GRANULARITY,
    commit,
    paged: true,
    replaces: place.placeholder?.pages.mapping ?? null,
  };
  const mapAt = (address: bigint): Mapping =>
    section.memory.map('ZwMapViewOfSection', object, { ...options, address: address === 0n ? undefined : address });
  const mapping = mapAnywhere(place.requirements, length, map, mapAt);
  if (mapping === null) return null;
  if (place.placeholder !== null) views.remove(place.placeholder);

  const view = new View(mapping, { object, offset, length, access: kind.access, release: section.memory.holdForView() });
  const cache = cacheProtection(map.sectionAttributes);
  const pages = new Pages(mapping, { object, length, protection: request.protection, cache, commit });
  if (commit === CommitRule.data && request.commitSize !== 0n) commitHead(view, pages, wholePages(request.commitSize));
  let forget = () => {};
  const mapped: MappedView = {
    view,
    base: view.address,
    end: view.address + BigInt(length),
    asked: request.protection,
    protection: baseProtection(request.protection) === PAGE_NOACCESS ? request.protection : request.protection | cache,
    pages,
    backing: section.memory.backing,
    pageSize: section.memory.pageSize,
    grows: commit === CommitRule.size,
    inherit: request.inherit,
    facts: section.facts,
    object,
    fromPlaceholder: place.placeholder !== null,
    forget: () => forget(),
  };
  views.add(mapped);
  forget = heldByDriver('view', () => views.unmap(mapped));
  return mapped;
}

function commitHead(view: View, pages: Pages, length: number): void {
  try {
    pages.commitAlone(0, length);
  } catch (error) {
    view.close();
    throw error;
  }
}

/** Maps at the address that is asked for, or finds one. Null when there is no room where it must be. */
function mapAnywhere(
  requirements: AddressRequirements | null,
  length: number,
  map: MapOfSection,
  mapAt: (address: bigint) => Mapping,
): Mapping | null {
  const { base, inherit, offset } = map.request;
  if (base !== 0n) return mapAt(base);
  if (requirements !== null) return mapWithin(requirements, length, map, mapAt);
  if (inherit !== ViewShare) return mapAt(0n);
  const before = offset % map.pageSize;
  return mapApart(BigInt(length) + before, map.pageSize, (address) => mapAt(address === 0n ? 0n : address + before));
}

function mapWithin(
  { lowest, highest }: AddressRequirements,
  length: number,
  { request, pageSize }: MapOfSection,
  mapAt: (address: bigint) => Mapping,
): Mapping | null {
  const alignment = pageSize > ALLOCATION_GRANULARITY ? pageSize : BigInt(ALLOCATION_GRANULARITY);
  const before = request.offset % pageSize;
  const topDown = (request.allocationType & MEM_TOP_DOWN) !== 0;
  const wish = { lowest, limit: highest, length: BigInt(length) + before, alignment, topDown };
  return mapBelow(wish, (address) => mapAt(address + before));
}

/** A section's cache attributes show in the protection of its views. */
function cacheProtection(sectionAttributes: number): number {
  const noCache = (sectionAttributes & SEC_NOCACHE) !== 0 ? PAGE_NOCACHE : 0;
  const writeCombine = (sectionAttributes & SEC_WRITECOMBINE) !== 0 ? PAGE_WRITECOMBINE : 0;
  return noCache | writeCombine;
}

/** The view that an address lies in, if the address can be one at all. */
function viewAt(address: unknown): MappedView | undefined {
  const value = ulong64OrNull(address);
  return value === undefined ? undefined : views.find(value);
}

/** ZwUnmapViewOfSection and NtUnmapViewOfSection. */
export function unmapViewOfSection(mode: Mode, processHandle: Handle, baseAddress: bigint | null): NTSTATUS {
  return unmapViewOfSectionEx(mode, processHandle, baseAddress, 0);
}

/** ZwUnmapViewOfSectionEx and NtUnmapViewOfSectionEx. */
export function unmapViewOfSectionEx(mode: Mode, processHandle: Handle, baseAddress: bigint | null, flags: number): NTSTATUS {
  const how = ulong(flags);
  if (how === undefined || (how & ~(MEM_UNMAP_WITH_TRANSIENT_BOOST | MEM_PRESERVE_PLACEHOLDER)) !== 0) {
    return Status.STATUS_INVALID_PARAMETER_3;
  }
  const process = processOf(mode, processHandle, PROCESS_VM_OPERATION);
  if ('status' in process) return process.status;
  if (!process.isCurrent) return unmapFrom(process, baseAddress, how);
  const mapped = viewAt(baseAddress);
  if (mapped === undefined) return Status.STATUS_NOT_MAPPED_VIEW;
  if ((how & MEM_PRESERVE_PLACEHOLDER) !== 0) return vacate(mapped);
  views.unmap(mapped);
  return Status.STATUS_SUCCESS;
}

/** Unmaps a view and leaves the placeholder that it took the place of. */
function vacate(mapped: MappedView): NTSTATUS {
  if (!mapped.fromPlaceholder) return Status.STATUS_CONFLICTING_ADDRESSES;
  const { base, end, view } = mapped;
  let range: Mapping;
  try {
    range = view.vacate();
  } catch (error) {
    // Work of another thread on the view goes on: a prefetch, a flush.
    if (isOsError(error)) return error.code === 'EBUSY' ? Status.STATUS_SHARING_VIOLATION : Status.STATUS_NO_MEMORY;
    throw error;
  }
  views.remove(mapped);
  enterRegion(base, Pages.reserved(range, Number(end - base)), PAGE_NOACCESS, true);
  return Status.STATUS_SUCCESS;
}
