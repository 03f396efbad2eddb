/**
 * The calls on virtual memory: allocate and commit, protect, free, for private memory and for the pages of
 * views. What they tell of memory stands in memory-query.ts.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { sectionErrorFrom } from '../memory/system-errors.js';
import { type Mapping, os, Protect, plainMapping } from '../os/index.js';
import { type AddressRequirements, extendedParameters, type MEM_EXTENDED_PARAMETER } from './address-requirements.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull, unchanged, unchangedAddress } from './arguments.js';
import {
  ALLOCATION_GRANULARITY,
  MEM_COALESCE_PLACEHOLDERS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  MEM_RESERVE_PLACEHOLDER,
  MEM_RESET,
  MEM_RESET_UNDO,
  MEM_TOP_DOWN,
  PAGE_NOACCESS,
  PAGE_SIZE,
} from './constants.js';
import { statusOf } from './failure.js';
import { type AllocateRequest, allocateExRules, allocateRules, freeRules, protectRules } from './memory-rules.js';
import { Pages } from './pages.js';
import { mapBelow } from './placement.js';
import { allowsChange, isPrivateProtection } from './protection.js';
import { coalesce, cutOut, enterRegion, releaseRegion } from './regions.js';
import { addressLimit, firstBroken } from './rules.js';
import { type Mode, processStatus, views } from './tables.js';
import type { MappedView, PrivateRegion } from './view-table.js';

/** Where memory was allocated, committed or freed: whole pages. On failure as it was given. */
export interface MemoryResult {
  readonly status: NTSTATUS;
  readonly baseAddress: bigint | null;
  readonly regionSize: number;
}

export interface ProtectResult extends MemoryResult {
  /** PAGE_… that the first page had; 0 on failure. */
  readonly oldProtect: number;
}

const PAGE = BigInt(PAGE_SIZE);
const pageDown = (address: bigint): bigint => address - (address % PAGE);
const pageUp = (address: bigint): bigint => pageDown(address + PAGE - 1n);

const refusal =
  (baseAddress: unknown, regionSize: unknown) =>
  (status: NTSTATUS): MemoryResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    regionSize: unchanged(regionSize),
  });

const done = (start: bigint, end: bigint): MemoryResult => ({
  status: Status.STATUS_SUCCESS,
  baseAddress: start,
  regionSize: Number(end - start),
});

/* ----------------------------------------------------------------------------- allocate ---- */

type Allocation = { readonly [K in keyof AllocateRequest]-?: Exclude<AllocateRequest[K], undefined> };

/** ZwAllocateVirtualMemory and NtAllocateVirtualMemory. */
export function allocateVirtualMemory(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  zeroBits: Size,
  regionSize: Size,
  allocationType: number,
  protect: number,
): MemoryResult {
  const request: AllocateRequest = {
    base: ulong64OrNull(baseAddress),
    zeroBits: ulong64(zeroBits),
    size: ulong64(regionSize),
    type: ulong(allocationType),
    protection: ulong(protect),
  };
  const refuse = refusal(baseAddress, regionSize);
  const broken = firstBroken(allocateRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return refuse(process);
  const limit = addressLimit(request.zeroBits as bigint) ?? null;
  const requirements = limit === null ? null : { lowest: 0n, highest: limit, alignment: 0n };
  return allocate(request as Allocation, requirements, refuse);
}

/** ZwAllocateVirtualMemoryEx and NtAllocateVirtualMemoryEx. */
export function allocateVirtualMemoryEx(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  allocationType: number,
  pageProtection: number,
  parameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  parameterCount?: number,
): MemoryResult {
  const request: AllocateRequest = {
    base: ulong64OrNull(baseAddress),
    zeroBits: 0n,
    size: ulong64(regionSize),
    type: ulong(allocationType),
    protection: ulong(pageProtection),
  };
  const refuse = refusal(baseAddress, regionSize);
  const broken = firstBroken(allocateExRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const extended = extendedParameters(parameters, parameterCount, { alignment: true, base: request.base as bigint });
  if (extended === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return refuse(process);
  return allocate(request as Allocation, extended.requirements, refuse);
}

function allocate(
  request: Allocation,
  requirements: AddressRequirements | null,
  refuse: (status: NTSTATUS) => MemoryResult,
): MemoryResult {
  const { base, size, type } = request;
  try {
    if ((type & (MEM_RESET | MEM_RESET_UNDO)) !== 0) return reset(base, size, refuse);
    if (base === 0n || (type & MEM_RESERVE) !== 0) return reserve(request, requirements, refuse);
    return commit(request, refuse);
  } catch (error) {
    return refuse(statusOf(error));
  }
}

/** What one address range lies in whole; undefined if it is in nothing, or goes beyond it. */
function areaOf(start: bigint, end: bigint): MappedView | PrivateRegion | undefined {
  const area = views.areaAt(start);
  return area !== undefined && end <= area.end ? area : undefined;
}

/** The pages keep what they hold: there is no better place to keep it in. */
function reset(base: bigint, size: bigint, refuse: (status: NTSTATUS) => MemoryResult): MemoryResult {
  const [start, end] = [pageDown(base), pageUp(base + size)];
  const area = areaOf(start, end);
  if (area === undefined) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  return done(start, end);
}

function reserve(
  request: Allocation,
  requirements: AddressRequirements | null,
  refuse: (status: NTSTATUS) => MemoryResult,
): MemoryResult {
  const { base, size, type, protection } = request;
  if (!isPrivateProtection(protection)) return refuse(Status.STATUS_INVALID_PAGE_PROTECTION);
  if ((type & MEM_REPLACE_PLACEHOLDER) !== 0) return replace(request, refuse);
  const start = base - (base % BigInt(ALLOCATION_GRANULARITY));
  if (base !== 0n && start === 0n) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  const length = pageUp(base + size) - start;
  const alignment = requirements === null || requirements.alignment === 0n ? ALLOCATION_GRANULARITY : requirements.alignment;
  const mapAt = (address: bigint): Mapping => reserveAt(address, Number(length), Number(alignment));
  const mapping = requirements === null || base !== 0n ? mapAt(start) : reserveWithin(requirements, length, type, mapAt);
  if (mapping === null) return refuse(Status.STATUS_NO_MEMORY);
  const pages = Pages.reserved(mapping, Number(length));
  const at = os.mappingAddress(mapping);
  if ((type & MEM_COMMIT) !== 0 || (base === 0n && (type & MEM_RESERVE) === 0)) {
    try {
      pages.commit(0, Number(length), protection);
    } catch (error) {
      os.mappingClose(mapping);
      throw error;
    }
  }
  enterRegion(at, pages, protection, (type & MEM_RESERVE_PLACEHOLDER) !== 0);
  return done(at, at + length);
}

function reserveAt(address: bigint, length: number, alignment: number): Mapping {
  try {
    const request = { ...plainMapping, offset: 0, length, protection: Protect.none, private: true, pageSize: os.pageSize };
    return os.mapPrivate({ ...request, address, alignment });
  } catch (error) {
    throw sectionErrorFrom(error, 'VirtualAlloc', 'private memory');
  }
}

function reserveWithin(
  { lowest, highest, alignment }: AddressRequirements,
  length: bigint,
  type: number,
  mapAt: (address: bigint) => Mapping,
): Mapping | null {
  const granularity = BigInt(ALLOCATION_GRANULARITY);
  const topDown = (type & MEM_TOP_DOWN) !== 0;
  return mapBelow(
    { lowest, limit: highest, length, alignment: alignment > granularity ? alignment : granularity, topDown },
    mapAt,
  );
}

/** Private memory in the place of a placeholder, exactly as large. */
function replace({ base, size, type, protection }: Allocation, refuse: (status: NTSTATUS) => MemoryResult): MemoryResult {
  const area = views.areaAt(base);
  if (area?.view !== null || !area.placeholder || area.base !== base || area.end !== base + size) {
    return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  }
  const { pages, end } = area;
  if ((type & MEM_COMMIT) !== 0) pages.commit(0, pages.length, protection);
  views.remove(area);
  enterRegion(base, pages, protection, false, true);
  return done(base, end);
}

function commit({ base, size, protection }: Allocation, refuse: (status: NTSTATUS) => MemoryResult): MemoryResult {
  const [start, end] = [pageDown(base), pageUp(base + size)];
  const area = areaOf(start, end);
  if (area === undefined) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  const unfit = area.view === null ? privateStatus(area, protection) : viewStatus(area, protection);
  if (!isSuccess(unfit)) return refuse(unfit);
  if (!areWholePages(area, start, end)) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  area.pages.commit(Number(start - area.base), Number(end - start), protection);
  return done(start, end);
}

function privateStatus(region: PrivateRegion, protection: number): NTSTATUS {
  if (region.placeholder) return Status.STATUS_CONFLICTING_ADDRESSES;
  return isPrivateProtection(protection) ? Status.STATUS_SUCCESS : Status.STATUS_INVALID_PAGE_PROTECTION;
}

/** Whether pages of a view can be committed with a protection: the paging file's, and those of files that grow. */
function viewStatus(view: MappedView, protection: number): NTSTATUS {
  if (view.backing !== 'pagefile' && !view.grows) return Status.STATUS_ALREADY_COMMITTED;
  return allowsChange(view.asked, protection) ? Status.STATUS_SUCCESS : Status.STATUS_SECTION_PROTECTION;
}

/** Large pages have one protection each. */
function areWholePages(area: MappedView | PrivateRegion, start: bigint, end: bigint): boolean {
  const size = area.view === null ? PAGE : BigInt(area.pageSize);
  return (start - area.base) % size === 0n && (end - area.base) % size === 0n;
}

/* ------------------------------------------------------------------------------ protect ---- */

/** ZwProtectVirtualMemory and NtProtectVirtualMemory. */
export function protectVirtualMemory(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  newProtect: number,
): ProtectResult {
  const request = { base: ulong64OrNull(baseAddress), size: ulong64(regionSize), protection: ulong(newProtect) };
  const refuse = (status: NTSTATUS): ProtectResult => ({ ...refusal(baseAddress, regionSize)(status), oldProtect: 0 });
  const broken = firstBroken(protectRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return refuse(process);
  const { base = 0n, size = 0n, protection = 0 } = request;
  const [start, end] = [pageDown(base), pageUp(base + size)];
  const area = areaOf(start, end);
  if (area === undefined || !areWholePages(area, start, end)) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  const [offset, length] = [Number(start - area.base), Number(end - start)];
  if (!area.pages.isCommitted(offset, length)) return refuse(Status.STATUS_NOT_COMMITTED);
  if (area.view === null && !isPrivateProtection(protection)) return refuse(Status.STATUS_INVALID_PAGE_PROTECTION);
  if (area.view !== null && !allowsChange(area.asked, protection)) return refuse(Status.STATUS_SECTION_PROTECTION);
  const oldProtect = area.pages.at(offset).protection;
  try {
    area.pages.protect(offset, length, protection);
  } catch (error) {
    return refuse(statusOf(error));
  }
  return { ...done(start, end), oldProtect };
}

/* --------------------------------------------------------------------------------- free ---- */

/** ZwFreeVirtualMemory and NtFreeVirtualMemory. */
export function freeVirtualMemory(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
  freeType: number,
): MemoryResult {
  const request = { base: ulong64OrNull(baseAddress), size: ulong64(regionSize), type: ulong(freeType) };
  const refuse = refusal(baseAddress, regionSize);
  const broken = firstBroken(freeRules, request);
  if (!isSuccess(broken)) return refuse(broken);
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return refuse(process);
  const { base = 0n, size = 0n, type = 0 } = request;
  const area = views.areaAt(base);
  if (area === undefined) return refuse(Status.STATUS_MEMORY_NOT_ALLOCATED);
  if (area.view !== null) return refuse(Status.STATUS_UNABLE_TO_DELETE_SECTION);
  if ((type & MEM_COALESCE_PLACEHOLDERS) !== 0) return join(base, base + size, refuse);
  if (size === 0n && base !== area.base) return refuse(Status.STATUS_FREE_VM_NOT_AT_BASE);
  const [start, end] = size === 0n ? [area.base, area.end] : [pageDown(base), pageUp(base + size)];
  if (end > area.end) return refuse(Status.STATUS_UNABLE_TO_FREE_VM);
  try {
    if ((type & MEM_PRESERVE_PLACEHOLDER) !== 0) return preserve(area, start, end, refuse);
    if ((type & MEM_DECOMMIT) === 0) {
      releaseRegion(cutOut(area, start, end));
    } else if (area.placeholder) {
      return refuse(Status.STATUS_UNABLE_TO_FREE_VM);
    } else {
      area.pages.decommit(Number(start - area.base), Number(end - start));
    }
  } catch (error) {
    return refuse(statusOf(error));
  }
  return done(start, end);
}

/** A part of a placeholder becomes one of its own; memory that took a placeholder's place gives it back. */
function preserve(area: PrivateRegion, start: bigint, end: bigint, refuse: (status: NTSTATUS) => MemoryResult): MemoryResult {
  const whole = start === area.base && end === area.end;
  if (area.placeholder) {
    if (whole) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
    cutOut(area, start, end);
    return done(start, end);
  }
  if (!whole || !area.fromPlaceholder) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  area.pages.decommit(0, area.pages.length);
  views.remove(area);
  enterRegion(start, area.pages, PAGE_NOACCESS, true);
  return done(start, end);
}

/** Neighbouring placeholders become one: the range begins and ends with one of them. */
function join(start: bigint, end: bigint, refuse: (status: NTSTATUS) => MemoryResult): MemoryResult {
  const parts: PrivateRegion[] = [];
  for (let at = start; at < end; ) {
    const area = views.areaAt(at);
    if (area === undefined || area.view !== null || !area.placeholder || area.base !== at || area.end > end) {
      return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
    }
    parts.push(area);
    at = area.end;
  }
  if (parts.length < 2) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
  coalesce(parts);
  return done(start, end);
}
