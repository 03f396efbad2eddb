/**
 * What the parameters of the calls on virtual memory must fulfil, as ordered lists: the first broken rule
 * gives the status.
 *
 * Source: Microsoft's pages of NtAllocateVirtualMemory, NtFreeVirtualMemory, VirtualAlloc2, VirtualFree
 * and VirtualProtect; nt-semantics 1.5 and 1.8.
 */
import { Status } from '../base/status.js';
import {
  MEM_COALESCE_PLACEHOLDERS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_RELEASE,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  MEM_RESERVE_PLACEHOLDER,
  MEM_RESET,
  MEM_RESET_UNDO,
  MEM_TOP_DOWN,
  PAGE_NOACCESS,
} from './constants.js';
import { isViewProtection } from './protection.js';
import { addressLimit, HIGHEST_USER_ADDRESS, type Rule } from './rules.js';

/** Parameters of NtAllocateVirtualMemory. Undefined stands for what is no number of the right kind. */
export interface AllocateRequest {
  /** 0 to let the system choose. */
  readonly base: bigint | undefined;
  readonly zeroBits: bigint | undefined;
  readonly size: bigint | undefined;
  readonly type: number | undefined;
  readonly protection: number | undefined;
}

const has = (flags: number | undefined, bits: number): boolean => ((flags ?? 0) & bits) !== 0;
const isOne = (value: number): boolean => value !== 0 && (value & (value - 1)) === 0;

const RESETS = MEM_RESET | MEM_RESET_UNDO;
const ALLOCATION_TYPES = MEM_COMMIT | MEM_RESERVE | RESETS | MEM_TOP_DOWN;
const PLACEHOLDER_TYPES = MEM_RESERVE_PLACEHOLDER | MEM_REPLACE_PLACEHOLDER;

const protectionRule: Rule<AllocateRequest> = [
  ({ protection }) => protection === undefined || !isViewProtection(protection),
  Status.STATUS_INVALID_PAGE_PROTECTION,
];

/** NtAllocateVirtualMemory. */
export const allocateRules: readonly Rule<AllocateRequest>[] = [
  [({ zeroBits }) => zeroBits === undefined || addressLimit(zeroBits) === undefined, Status.STATUS_INVALID_PARAMETER_3],
  [({ type }) => type === undefined || has(type, ~ALLOCATION_TYPES), Status.STATUS_INVALID_PARAMETER_5],
  [({ type }) => !has(type, MEM_COMMIT | MEM_RESERVE | RESETS), Status.STATUS_INVALID_PARAMETER_5],
  // Resetting is a thing of its own.
  [({ type = 0 }) => has(type, RESETS) && !isOne(type), Status.STATUS_INVALID_PARAMETER_5],
  protectionRule,
  [({ base }) => base === undefined || base > HIGHEST_USER_ADDRESS, Status.STATUS_INVALID_PARAMETER_2],
  [
    ({ size, base = 0n }) => size === undefined || size === 0n || size > HIGHEST_USER_ADDRESS + 1n - base,
    Status.STATUS_INVALID_PARAMETER_4,
  ],
];

/** NtAllocateVirtualMemoryEx, and with it VirtualAlloc2. */
export const allocateExRules: readonly Rule<AllocateRequest>[] = [
  [({ type }) => type === undefined || has(type, ~(ALLOCATION_TYPES | PLACEHOLDER_TYPES)), Status.STATUS_INVALID_PARAMETER],
  [({ type }) => !has(type, MEM_COMMIT | MEM_RESERVE | RESETS), Status.STATUS_INVALID_PARAMETER],
  [({ type = 0 }) => has(type, RESETS) && !isOne(type), Status.STATUS_INVALID_PARAMETER],
  [({ type }) => has(type, PLACEHOLDER_TYPES) && !has(type, MEM_RESERVE), Status.STATUS_INVALID_PARAMETER],
  // A placeholder has no memory yet.
  [
    ({ type, protection }) => has(type, MEM_RESERVE_PLACEHOLDER) && (type !== PLACEHOLDER || protection !== PAGE_NOACCESS),
    Status.STATUS_INVALID_PARAMETER,
  ],
  [({ type, base }) => has(type, MEM_REPLACE_PLACEHOLDER) && base === 0n, Status.STATUS_INVALID_PARAMETER],
  protectionRule,
  [({ base }) => base === undefined || base > HIGHEST_USER_ADDRESS, Status.STATUS_INVALID_PARAMETER],
  [
    ({ size, base = 0n }) => size === undefined || size === 0n || size > HIGHEST_USER_ADDRESS + 1n - base,
    Status.STATUS_INVALID_PARAMETER,
  ],
];
const PLACEHOLDER = MEM_RESERVE | MEM_RESERVE_PLACEHOLDER;

/** Parameters of NtFreeVirtualMemory. */
export interface FreeRequest {
  readonly base: bigint | undefined;
  /** 0 for all of the allocation. */
  readonly size: bigint | undefined;
  readonly type: number | undefined;
}

const FREE_TYPES = MEM_DECOMMIT | MEM_RELEASE;
const KEEPS_PLACEHOLDER = MEM_PRESERVE_PLACEHOLDER | MEM_COALESCE_PLACEHOLDERS;

/** NtFreeVirtualMemory. */
export const freeRules: readonly Rule<FreeRequest>[] = [
  [({ type }) => type === undefined || has(type, ~(FREE_TYPES | KEEPS_PLACEHOLDER)), Status.STATUS_INVALID_PARAMETER_4],
  [({ type = 0 }) => !isOne(type & FREE_TYPES), Status.STATUS_INVALID_PARAMETER_4],
  [
    ({ type = 0 }) => has(type, KEEPS_PLACEHOLDER) && (!has(type, MEM_RELEASE) || !isOne(type & KEEPS_PLACEHOLDER)),
    Status.STATUS_INVALID_PARAMETER_4,
  ],
  [({ base }) => base === undefined || base > HIGHEST_USER_ADDRESS, Status.STATUS_INVALID_PARAMETER_2],
  [({ size, base = 0n }) => size === undefined || size > HIGHEST_USER_ADDRESS + 1n - base, Status.STATUS_INVALID_PARAMETER_3],
  [({ size, type }) => size === 0n && has(type, KEEPS_PLACEHOLDER), Status.STATUS_INVALID_PARAMETER_3],
];

/** Parameters of NtProtectVirtualMemory. */
export interface ProtectRequest {
  readonly base: bigint | undefined;
  readonly size: bigint | undefined;
  readonly protection: number | undefined;
}

/** NtProtectVirtualMemory. */
export const protectRules: readonly Rule<ProtectRequest>[] = [
  [({ protection }) => protection === undefined || !isViewProtection(protection), Status.STATUS_INVALID_PAGE_PROTECTION],
  [({ base }) => base === undefined || base > HIGHEST_USER_ADDRESS, Status.STATUS_INVALID_PARAMETER_2],
  [
    ({ size, base = 0n }) => size === undefined || size === 0n || size > HIGHEST_USER_ADDRESS + 1n - base,
    Status.STATUS_INVALID_PARAMETER_3,
  ],
];
