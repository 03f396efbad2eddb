/**
 * The extended parameters of the newer memory calls, as the kernel shall judge them: only read here.
 */
import { elementsOf, fieldsOf, ulong, ulong64OrNull } from '../nt/arguments.js';
import { MemExtendedParameterAddressRequirements } from '../nt/constants.js';
import type { ExtendedParameter } from '../os/index.js';

/** As many as the native part takes. */
const MOST = 8;
const MOST_TYPE = 0xff;

function requirementsOf(pointer: unknown): readonly [bigint, bigint, bigint] | undefined {
  const fields = fieldsOf(pointer, 'LowestStartingAddress', 'HighestEndingAddress', 'Alignment');
  const lowest = ulong64OrNull(fields?.LowestStartingAddress);
  const highest = ulong64OrNull(fields?.HighestEndingAddress);
  const alignment = ulong64OrNull(fields?.Alignment);
  if (fields === undefined || lowest === undefined || highest === undefined || alignment === undefined) return undefined;
  return [lowest, highest, alignment];
}

/** @param pointers The types whose value is a pointer. */
function parameterOf(given: unknown, pointers: readonly number[]): ExtendedParameter | undefined {
  const fields = fieldsOf(given, 'Type', 'Pointer', 'ULong');
  const type = ulong(fields?.Type);
  if (fields === undefined || type === undefined || type > MOST_TYPE) return undefined;
  const value = pointers.includes(type) ? requirementsOf(fields.Pointer) : BigInt(ulong(fields.ULong ?? 0) ?? -1);
  return value === undefined || value === -1n ? undefined : [type, value];
}

function allOf(parameters: unknown, count: unknown, pointers: readonly number[]): readonly ExtendedParameter[] | undefined {
  const read = elementsOf(parameters, count)?.map((each) => parameterOf(each, pointers));
  return read === undefined || read.length > MOST || read.includes(undefined) ? undefined : (read as ExtendedParameter[]);
}

/** Undefined for what cannot be read. @param count How many of them count; undefined for all. */
export function extendedOf(parameters: unknown, count: unknown): readonly ExtendedParameter[] | undefined {
  return allOf(parameters, count, [MemExtendedParameterAddressRequirements]);
}

/** The same of sections, whose types are others and point to nothing. */
export function sectionExtendedOf(parameters: unknown, count: unknown): readonly ExtendedParameter[] | undefined {
  return allOf(parameters, count, []);
}
