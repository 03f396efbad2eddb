/**
 * The extended parameters of the newer memory calls, read and judged: where an allocation or a view may
 * stand.
 */
import { elementsOf, fieldsOf, ulong, ulong64OrNull } from './arguments.js';
import {
  ALLOCATION_GRANULARITY,
  MemExtendedParameterAddressRequirements,
  MemExtendedParameterNumaNode,
  PAGE_SIZE,
} from './constants.js';
import { HIGHEST_USER_ADDRESS } from './rules.js';

/** MEM_ADDRESS_REQUIREMENTS: null or 0 for what is not required. */
export interface MEM_ADDRESS_REQUIREMENTS {
  /** A multiple of 64 KiB. */
  readonly LowestStartingAddress?: bigint | null;
  /** The last byte that may be used: of a page, the last. */
  readonly HighestEndingAddress?: bigint | null;
  /** A power of two, 64 KiB at least. Views take none. */
  readonly Alignment?: number | bigint;
}

/** MEM_EXTENDED_PARAMETER */
export interface MEM_EXTENDED_PARAMETER {
  /** MemExtendedParameterAddressRequirements, or MemExtendedParameterNumaNode, which has no effect. */
  readonly Type: number;
  readonly Pointer?: MEM_ADDRESS_REQUIREMENTS;
  readonly ULong?: number;
}

/** Where something may stand, as numbers. */
export interface AddressRequirements {
  readonly lowest: bigint;
  readonly highest: bigint;
  /** 0 for the usual one. */
  readonly alignment: bigint;
}

const isPowerOfTwo = (value: bigint): boolean => (value & (value - 1n)) === 0n;

function requirementsOf(pointer: unknown, allowed: { alignment: boolean; base: bigint }): AddressRequirements | undefined {
  const fields = fieldsOf(pointer, 'LowestStartingAddress', 'HighestEndingAddress', 'Alignment');
  if (fields === undefined) return undefined;
  const lowest = ulong64OrNull(fields.LowestStartingAddress);
  const highest = ulong64OrNull(fields.HighestEndingAddress);
  const alignment = ulong64OrNull(fields.Alignment);
  if (lowest === undefined || highest === undefined || alignment === undefined) return undefined;
  const granularity = BigInt(ALLOCATION_GRANULARITY);
  const fits =
    (alignment === 0n || (allowed.alignment && isPowerOfTwo(alignment) && alignment >= granularity)) &&
    lowest % granularity === 0n &&
    lowest <= HIGHEST_USER_ADDRESS &&
    (highest === 0n || ((highest + 1n) % BigInt(PAGE_SIZE) === 0n && highest <= HIGHEST_USER_ADDRESS && highest > lowest)) &&
    // An address that is given leaves nothing to require.
    (allowed.base === 0n || (lowest === 0n && highest === 0n && alignment === 0n));
  return fits ? { lowest, highest: highest === 0n ? HIGHEST_USER_ADDRESS : highest, alignment } : undefined;
}

/**
 * Reads extended parameters. Undefined where one is of no kind that the call takes, comes twice, or asks
 * for what cannot be.
 */
export function extendedParameters(
  parameters: unknown,
  count: unknown,
  allowed: { readonly alignment: boolean; readonly base: bigint },
): { readonly requirements: AddressRequirements | null } | undefined {
  const given = elementsOf(parameters, count);
  if (given === undefined) return undefined;
  let requirements: AddressRequirements | null = null;
  for (const each of given) {
    const fields = fieldsOf(each, 'Type', 'Pointer', 'ULong');
    if (fields?.Type === MemExtendedParameterNumaNode && ulong(fields.ULong) !== undefined) continue;
    if (fields?.Type !== MemExtendedParameterAddressRequirements || requirements !== null) return undefined;
    const found = requirementsOf(fields.Pointer, allowed);
    if (found === undefined) return undefined;
    requirements = found;
  }
  // Nothing is required: the system may choose as it always does.
  const all = requirements as AddressRequirements | null;
  const free = all === null || (all.lowest === 0n && all.highest === HIGHEST_USER_ADDRESS && all.alignment === 0n);
  return { requirements: free ? null : all };
}
