/**
 * The calls on views: map, unmap, flush. The faces differ in the mode that they call in and in the names
 * they give these functions; what a call does stands here.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { View } from '../memory/view.js';
import type { Mapping } from '../os/index.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull } from './arguments.js';
import {
  ALLOCATION_GRANULARITY,
  MEM_TOP_DOWN,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_SIZE,
  PAGE_WRITECOMBINE,
  SEC_NOCACHE,
  SEC_WRITECOMBINE,
} from './constants.js';
import { mapBelow } from './placement.js';
import { baseProtection, viewKind } from './protection.js';
import {
  addressLimit,
  firstBroken,
  HIGHEST_USER_ADDRESS,
  type MapOfSection,
  type MapRequest,
  mapOfSectionRules,
  mapRules,
  viewLength,
} from './rules.js';
import { sectionSize, statusOf } from './section-calls.js';
import { heldByDriver, type Mode, mayUse, type OpenSection, processStatus, sectionOf, views } from './tables.js';
import type { MappedView } from './view-table.js';

/** What mapping gives back. On failure the outputs are the inputs, unchanged, and there is no view. */
export interface MapResult {
  readonly status: NTSTATUS;
  readonly baseAddress: bigint | null;
  readonly sectionOffset: number;
  /** Bytes, rounded up to whole pages. */
  readonly viewSize: number;
  readonly view: View | null;
}

export interface FlushResult {
  readonly status: NTSTATUS;
  /** Where the flushed range starts: at a page. */
  readonly baseAddress: bigint | null;
  /** Its bytes: whole pages. */
  readonly regionSize: number;
  /** IO_STATUS_BLOCK */
  readonly ioStatus: { readonly Status: NTSTATUS; readonly Information: number };
}

/** An output that nobody has written to. */
const unchanged = (value: unknown): number => (typeof value === 'number' || typeof value === 'bigint' ? Number(value) : 0);
const unchangedAddress = (value: unknown): bigint | null => (typeof value === 'bigint' ? value : null);
const wholePages = (bytes: bigint): number => Math.ceil(Number(bytes) / PAGE_SIZE) * PAGE_SIZE;

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
  const refuse = (status: NTSTATUS): MapResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    sectionOffset: unchanged(sectionOffset),
    viewSize: unchanged(viewSize),
    view: null,
  });
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
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return refuse(process);
  const found = sectionOf(mode, sectionHandle);
  if ('status' in found) return refuse(found.status);
  const { body: section } = found;
  const map: MapOfSection = {
    request: request as MapOfSection['request'],
    sectionSize: BigInt(sectionSize(section)),
    sectionProtection: section.facts.pageProtection,
    sectionAttributes: section.facts.attributes,
    isPagefile: section.memory.backing === 'pagefile',
    pageSize: BigInt(section.memory.pageSize),
  };
  const { rights } = viewKind(map.request.protection);
  if (!mayUse(mode, found, rights)) return refuse(Status.STATUS_ACCESS_DENIED);
  const unfit = firstBroken(mapOfSectionRules, map);
  if (!isSuccess(unfit)) return refuse(unfit);
  try {
    const mapped = mapView(found, map);
    if (mapped === null) return refuse(Status.STATUS_NO_MEMORY);
    const { view, base } = mapped;
    return { status: Status.STATUS_SUCCESS, baseAddress: base, sectionOffset: view.offset, viewSize: view.length, view };
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/** Maps what has passed every check, and enters it. Null when there is no room where it must be. */
function mapView({ body: section, object }: OpenSection, map: MapOfSection): MappedView | null {
  const { request } = map;
  const kind = viewKind(request.protection);
  const offset = Number(request.offset);
  const length = wholePages(viewLength(map));
  const options = { offset, length, protection: kind.map, private: kind.access === 'copy', alignment: ALLOCATION_GRANULARITY };
  const mapAt = (address: bigint): Mapping =>
    section.memory.map('ZwMapViewOfSection', object, { ...options, ...(address === 0n ? {} : { address }) });
  const limit = addressLimit(request.zeroBits) ?? null;
  const mapping = limit === null || request.base !== 0n ? mapAt(request.base) : mapUnder(limit, length, map, mapAt);
  if (mapping === null) return null;

  const view = new View(mapping, { object, offset, length, access: kind.access });
  let forget = () => {};
  const mapped: MappedView = {
    view,
    base: view.address,
    end: view.address + BigInt(length),
    protection: reportedProtection(request.protection, map.sectionAttributes),
    forget: () => forget(),
  };
  views.add(mapped);
  forget = heldByDriver('view', () => views.unmap(mapped));
  return mapped;
}

function mapUnder(
  limit: bigint,
  length: number,
  { request, pageSize }: MapOfSection,
  mapAt: (address: bigint) => Mapping,
): Mapping | null {
  const alignment = pageSize > ALLOCATION_GRANULARITY ? pageSize : BigInt(ALLOCATION_GRANULARITY);
  const before = request.offset % pageSize;
  const topDown = (request.allocationType & MEM_TOP_DOWN) !== 0;
  return mapBelow({ limit, length: BigInt(length) + before, alignment, topDown }, (address) => mapAt(address + before));
}

/** A section's cache attributes show in the protection of its views. */
function reportedProtection(protection: number, sectionAttributes: number): number {
  if (baseProtection(protection) === PAGE_NOACCESS) return protection;
  const noCache = (sectionAttributes & SEC_NOCACHE) !== 0 ? PAGE_NOCACHE : 0;
  const writeCombine = (sectionAttributes & SEC_WRITECOMBINE) !== 0 ? PAGE_WRITECOMBINE : 0;
  return protection | noCache | writeCombine;
}

/** The view that an address lies in, if the address can be one at all. */
function viewAt(address: unknown): MappedView | undefined {
  const value = ulong64OrNull(address);
  return value === undefined ? undefined : views.find(value);
}

/** ZwUnmapViewOfSection and NtUnmapViewOfSection. */
export function unmapViewOfSection(mode: Mode, processHandle: Handle, baseAddress: bigint | null): NTSTATUS {
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return process;
  const mapped = viewAt(baseAddress);
  if (mapped === undefined) return Status.STATUS_NOT_MAPPED_VIEW;
  views.unmap(mapped);
  return Status.STATUS_SUCCESS;
}

/** A range of whole pages within one view. */
interface FlushRange {
  readonly mapped: MappedView;
  /** Bytes from the view's start. */
  readonly start: number;
  readonly length: number;
}

/** What a flush is about: all pages that the range touches, to the view's end where its size is 0. */
export function flushRange(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
): FlushRange | { readonly status: NTSTATUS } {
  const base = ulong64OrNull(baseAddress);
  const size = ulong64(regionSize);
  if (base === undefined || size === undefined || base > HIGHEST_USER_ADDRESS || size > HIGHEST_USER_ADDRESS - base) {
    return { status: Status.STATUS_INVALID_PARAMETER_2 };
  }
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return { status: process };
  const mapped = viewAt(base);
  if (mapped === undefined) return { status: Status.STATUS_NOT_MAPPED_VIEW };
  const start = base - (base % BigInt(PAGE_SIZE));
  const end = size === 0n ? mapped.end : mapped.base + BigInt(wholePages(base + size - mapped.base));
  if (end > mapped.end) return { status: Status.STATUS_NOT_MAPPED_VIEW };
  return { mapped, start: Number(start - mapped.base), length: Number(end - start) };
}

/** ZwFlushVirtualMemory and NtFlushVirtualMemory: returns when the range is on the disk. */
export function flushVirtualMemory(mode: Mode, processHandle: Handle, baseAddress: bigint | null, regionSize: Size): FlushResult {
  const refuse = (status: NTSTATUS): FlushResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    regionSize: unchanged(regionSize),
    ioStatus: { Status: status, Information: 0 },
  });
  const range = flushRange(mode, processHandle, baseAddress, regionSize);
  if ('status' in range) return refuse(range.status);
  const { mapped, start, length } = range;
  try {
    mapped.view.flushSync(start, length);
  } catch (error) {
    return refuse(statusOf(error));
  }
  return {
    status: Status.STATUS_SUCCESS,
    baseAddress: mapped.base + BigInt(start),
    regionSize: length,
    ioStatus: { Status: Status.STATUS_SUCCESS, Information: length },
  };
}
