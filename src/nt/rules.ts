/**
 * What a call's parameters must fulfil, as ordered lists: the first broken rule gives the status. The
 * order is NT's own (nt-semantics 1.2 and 1.4), for a caller can tell by it what was looked at.
 */
import { MAXIMUM_SECTION_SIZE } from '../base/checks.js';
import { type NTSTATUS, Status } from '../base/status.js';
import { largePages } from '../memory/huge-pages.js';
import {
  ALLOCATION_GRANULARITY,
  MEM_LARGE_PAGES,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  MEM_TOP_DOWN,
  PAGE_SIZE,
  SEC_BASED,
  SEC_COMMIT,
  SEC_IMAGE,
  SEC_LARGE_PAGES,
  SEC_NOCACHE,
  SEC_RESERVE,
  SEC_WRITECOMBINE,
  ViewShare,
  ViewUnmap,
} from './constants.js';
import { allowsView, isSectionProtection, isViewProtection, isWritable } from './protection.js';

/** What breaks the rule, and what the call then returns. */
export type Rule<T> = readonly [broken: (given: T) => boolean, status: NTSTATUS];

/** The status of the first rule that is broken, or STATUS_SUCCESS. */
export function firstBroken<T>(rules: readonly Rule<T>[], given: T): NTSTATUS {
  return rules.find(([broken]) => broken(given))?.[1] ?? Status.STATUS_SUCCESS;
}

/* ------------------------------------------------------------------------------ creating ---- */

/** Parameters of ZwCreateSection. Undefined stands for what is no number of the right kind. */
export interface CreateRequest {
  readonly attributes: number | undefined;
  readonly protection: number | undefined;
  /** 0 also where none was given. */
  readonly size: bigint | undefined;
  readonly hasFile: boolean;
}

const SEC_KNOWN = SEC_BASED | SEC_IMAGE | SEC_RESERVE | SEC_COMMIT | SEC_NOCACHE | SEC_WRITECOMBINE | SEC_LARGE_PAGES;
const SEC_TYPES = SEC_COMMIT | SEC_RESERVE | SEC_IMAGE;
/** SEC_NOCACHE is not among them: beside SEC_IMAGE its bit means SEC_IMAGE_NO_EXECUTE. */
const SEC_NOT_FOR_IMAGES = SEC_COMMIT | SEC_RESERVE | SEC_LARGE_PAGES | SEC_WRITECOMBINE;

/** A large page where the host has none to ask: sizes are then judged as on x64. */
const USUAL_LARGE_PAGE = 2 << 20;

const has = (attributes: number | undefined, bits: number): boolean => ((attributes ?? 0) & bits) !== 0;
const isLargePageMultiple = (size: bigint): boolean => size % BigInt(largePages()?.size ?? USUAL_LARGE_PAGE) === 0n;

/** ZwCreateSection, up to where the file and then the name are looked at. */
export const createRules: readonly Rule<CreateRequest>[] = [
  [({ attributes }) => attributes === undefined || has(attributes, ~SEC_KNOWN), Status.STATUS_INVALID_PARAMETER_6],
  [({ attributes }) => !has(attributes, SEC_TYPES), Status.STATUS_INVALID_PARAMETER_6],
  [({ attributes }) => has(attributes, SEC_IMAGE) && has(attributes, SEC_NOT_FOR_IMAGES), Status.STATUS_INVALID_PARAMETER_6],
  [({ attributes }) => has(attributes, SEC_COMMIT) && has(attributes, SEC_RESERVE), Status.STATUS_INVALID_PARAMETER_6],
  [({ protection }) => protection === undefined || !isSectionProtection(protection), Status.STATUS_INVALID_PAGE_PROTECTION],
  // Large pages cannot be reserved: CreateFileMapping's page, SEC_LARGE_PAGES.
  [({ attributes }) => has(attributes, SEC_LARGE_PAGES) && !has(attributes, SEC_COMMIT), Status.STATUS_INVALID_PARAMETER_6],
  [({ attributes, hasFile }) => has(attributes, SEC_IMAGE) && !hasFile, Status.STATUS_INVALID_FILE_FOR_SECTION],
  [({ size, hasFile }) => size === undefined || (!hasFile && size === 0n), Status.STATUS_INVALID_PARAMETER_4],
  [({ size = 0n }) => size > MAXIMUM_SECTION_SIZE, Status.STATUS_SECTION_TOO_BIG],
  [
    ({ attributes, size = 0n, hasFile }) => has(attributes, SEC_LARGE_PAGES) && !hasFile && !isLargePageMultiple(size),
    Status.STATUS_INVALID_PARAMETER_4,
  ],
  [({ attributes, hasFile }) => has(attributes, SEC_LARGE_PAGES) && hasFile, Status.STATUS_INVALID_PARAMETER_6],
];

/* ------------------------------------------------------------------------------- mapping ---- */

/** Parameters of ZwMapViewOfSection. Undefined stands for what is no number of the right kind. */
export interface MapRequest {
  /** 0 to let the system choose. */
  readonly base: bigint | undefined;
  readonly zeroBits: bigint | undefined;
  readonly commitSize: bigint | undefined;
  readonly offset: bigint | undefined;
  /** 0 for the rest of the section. */
  readonly viewSize: bigint | undefined;
  readonly inherit: number | undefined;
  readonly allocationType: number | undefined;
  readonly protection: number | undefined;
}

/** Views end below this: MmHighestUserAddress of x64 less its guard of 64 KiB. */
export const HIGHEST_VIEW_ADDRESS = 0x7fff_fffd_ffffn;
/** The highest address of user mode. */
export const HIGHEST_USER_ADDRESS = 0x7fff_fffe_ffffn;

const MAXIMUM_ZERO_BITS = 21n;
/** From here on ZeroBits is a mask that addresses must fit into. */
const ZERO_BITS_MASK = 32n;

/** The highest address that ZeroBits allows; null where it sets no limit, undefined where it is invalid. */
export function addressLimit(zeroBits: bigint): bigint | null | undefined {
  if (zeroBits === 0n) return null;
  if (zeroBits <= MAXIMUM_ZERO_BITS) return (1n << (32n - zeroBits)) - 1n;
  if (zeroBits < ZERO_BITS_MASK) return undefined;
  const limit = (1n << BigInt(zeroBits.toString(2).length)) - 1n;
  return limit >= HIGHEST_VIEW_ADDRESS ? null : limit;
}

function contradictsZeroBits({ zeroBits, base = 0n, viewSize = 0n }: MapRequest): boolean {
  const limit = zeroBits === undefined ? undefined : addressLimit(zeroBits);
  return limit === undefined || (limit !== null && base !== 0n && base + viewSize > limit);
}

const MAP_ALLOCATION_TYPES = MEM_TOP_DOWN | MEM_LARGE_PAGES | MEM_RESERVE;

/** ZwMapViewOfSection, before the handles are looked at. */
export const mapRules: readonly Rule<MapRequest>[] = [
  [({ inherit }) => inherit !== ViewShare && inherit !== ViewUnmap, Status.STATUS_INVALID_PARAMETER_8],
  [
    ({ allocationType }) => allocationType === undefined || has(allocationType, ~MAP_ALLOCATION_TYPES),
    Status.STATUS_INVALID_PARAMETER_9,
  ],
  [({ protection }) => protection === undefined || !isViewProtection(protection), Status.STATUS_INVALID_PAGE_PROTECTION],
  [({ base }) => base === undefined || base > HIGHEST_VIEW_ADDRESS, Status.STATUS_INVALID_PARAMETER_3],
  [({ base = 0n, viewSize = 0n }) => viewSize > HIGHEST_VIEW_ADDRESS - base, Status.STATUS_INVALID_PARAMETER_3],
  [contradictsZeroBits, Status.STATUS_INVALID_PARAMETER_4],
  // Not NT's, which gets numbers whatever is passed:
  [({ commitSize }) => commitSize === undefined, Status.STATUS_INVALID_PARAMETER_5],
  [({ offset }) => offset === undefined, Status.STATUS_INVALID_PARAMETER_6],
  [({ viewSize }) => viewSize === undefined, Status.STATUS_INVALID_PARAMETER_7],
];

const MAP_EX_ALLOCATION_TYPES = MAP_ALLOCATION_TYPES | MEM_REPLACE_PLACEHOLDER;

/** ZwMapViewOfSectionEx, before the handles are looked at. */
export const mapExRules: readonly Rule<MapRequest>[] = [
  [
    ({ allocationType }) => allocationType === undefined || has(allocationType, ~MAP_EX_ALLOCATION_TYPES),
    Status.STATUS_INVALID_PARAMETER,
  ],
  [({ protection }) => protection === undefined || !isViewProtection(protection), Status.STATUS_INVALID_PAGE_PROTECTION],
  [
    ({ base, viewSize }) => base === undefined || viewSize === undefined || viewSize > HIGHEST_VIEW_ADDRESS - base,
    Status.STATUS_INVALID_PARAMETER,
  ],
  [({ offset }) => offset === undefined, Status.STATUS_INVALID_PARAMETER],
  // A placeholder is named by where it is and how large.
  [
    ({ allocationType, base, viewSize }) => has(allocationType, MEM_REPLACE_PLACEHOLDER) && (base === 0n || viewSize === 0n),
    Status.STATUS_INVALID_PARAMETER,
  ],
];

/** A request that has passed {@link mapRules}, with the section it is about. */
export interface MapOfSection {
  readonly request: { readonly [K in keyof MapRequest]-?: Exclude<MapRequest[K], undefined> };
  /** As NT counts it: whole pages for a section that the paging file backs. */
  readonly sectionSize: bigint;
  readonly sectionProtection: number;
  readonly sectionAttributes: number;
  readonly isPagefile: boolean;
  /** The pages that it is made of. */
  readonly pageSize: bigint;
}

/** Bytes that the view is to cover, before rounding. */
export function viewLength({ request: { viewSize, offset }, sectionSize }: MapOfSection): bigint {
  return viewSize === 0n ? sectionSize - offset : viewSize;
}

/** Reserving is for files that can grow: of a section that the paging file backs, all is there. */
export const reserves = ({ request, isPagefile }: MapOfSection): boolean =>
  has(request.allocationType, MEM_RESERVE) && !isPagefile;

function isMisaligned({ request: { base, offset, allocationType }, pageSize }: MapOfSection): boolean {
  const granularity = BigInt(ALLOCATION_GRANULARITY);
  // A placeholder may start at any page. Views of large pages start where those do.
  const ofBase = has(allocationType, MEM_REPLACE_PLACEHOLDER) ? BigInt(PAGE_SIZE) : granularity;
  return base % ofBase !== 0n || offset % granularity !== 0n || (base !== 0n && (base - offset) % pageSize !== 0n);
}

/** Bytes that CommitSize may ask for: of a view that is reserved, all of its last page as well. */
function committable(map: MapOfSection): bigint {
  const page = BigInt(PAGE_SIZE);
  const length = viewLength(map);
  return reserves(map) ? length + ((page - (length % page)) % page) : length;
}

/** ZwMapViewOfSection, once process and section are known and the handle's rights suffice. */
export const mapOfSectionRules: readonly Rule<MapOfSection>[] = [
  [isMisaligned, Status.STATUS_MAPPED_ALIGNMENT],
  [({ request, sectionProtection }) => !allowsView(sectionProtection, request.protection), Status.STATUS_SECTION_PROTECTION],
  [(map) => reserves(map) && !isWritable(map.sectionProtection), Status.STATUS_SECTION_PROTECTION],
  [({ request, sectionSize }) => request.offset >= sectionSize, Status.STATUS_INVALID_VIEW_SIZE],
  // A view that reserves may go beyond the file: committing its pages grows that.
  [(map) => !reserves(map) && map.request.offset + viewLength(map) > map.sectionSize, Status.STATUS_INVALID_VIEW_SIZE],
  [(map) => map.request.offset + viewLength(map) > MAXIMUM_SECTION_SIZE, Status.STATUS_INVALID_VIEW_SIZE],
  [(map) => map.request.commitSize > committable(map), Status.STATUS_INVALID_PARAMETER_5],
  [({ request, isPagefile }) => has(request.allocationType, MEM_RESERVE) && isPagefile, Status.STATUS_INVALID_PARAMETER_9],
  // Windows 10 and later; before, the bit was ignored.
  [
    ({ request, sectionAttributes }) => has(request.allocationType, MEM_LARGE_PAGES) && !has(sectionAttributes, SEC_LARGE_PAGES),
    Status.STATUS_INVALID_PARAMETER,
  ],
];
