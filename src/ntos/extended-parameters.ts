/**
 * Extended parameters of the memory calls, from what a caller gave into the kernel's form.
 */
import { elementsOf, fieldsOf, ulong, ulong64OrNull } from '../nt/arguments.js';
import { MemExtendedParameterAddressRequirements } from '../nt/constants.js';
import type { ExtendedParameter } from '../os/index.js';

/** Of one call; the system's own calls know fewer kinds. */
const MOST_PARAMETERS = 8;

function requirements(pointer: unknown): readonly [bigint, bigint, bigint] | undefined {
  const fields = fieldsOf(pointer, 'LowestStartingAddress', 'HighestEndingAddress', 'Alignment');
  if (fields === undefined) return undefined;
  const lowest = ulong64OrNull(fields.LowestStartingAddress);
  const highest = ulong64OrNull(fields.HighestEndingAddress);
  const alignment = ulong64OrNull(fields.Alignment);
  return lowest === undefined || highest === undefined || alignment === undefined ? undefined : [lowest, highest, alignment];
}

function parameter(given: unknown, pointers: readonly number[]): ExtendedParameter | undefined {
  const fields = fieldsOf(given, 'Type', 'Pointer', 'ULong');
  const type = ulong(fields?.Type);
  if (type === undefined) return undefined;
  const value = pointers.includes(type) ? requirements(fields?.Pointer) : ulong(fields?.ULong ?? 0);
  return value === undefined ? undefined : [type, typeof value === 'number' ? BigInt(value) : value];
}

function parameters(given: unknown, count: unknown, pointers: readonly number[]): readonly ExtendedParameter[] | undefined {
  const elements = elementsOf(given, count);
  if (elements === undefined || elements.length > MOST_PARAMETERS) return undefined;
  const all = elements.map((each) => parameter(each, pointers));
  return all.every((each) => each !== undefined) ? all : undefined;
}

/** Of memory and views. Undefined for what C could not have passed, or is more than any call takes. */
export function parametersForKernel(given: unknown, count: unknown): readonly ExtendedParameter[] | undefined {
  return parameters(given, count, [MemExtendedParameterAddressRequirements]);
}

/** Of sections, whose types are others and point to nothing. */
export function sectionParametersForKernel(given: unknown, count: unknown): readonly ExtendedParameter[] | undefined {
  return parameters(given, count, []);
}
