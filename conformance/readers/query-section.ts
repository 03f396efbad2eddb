/**
 * NtQuerySection, under the names of the rows.
 */
import type { Handle } from 'sectile/ntdll';
import type { Observation } from '../compare.js';
import type { World } from '../script.js';
import { status } from '../words.js';
import { type Caller, calls } from './sections.js';

/** Bytes of the classes' structures on x64, by class. */
const sizes: ReadonlyMap<number, number> = new Map([
  [0, 24],
  [1, 64],
]);

/** `sizeof`, `sizeof-1`, `sizeof + 0x1000000000` */
function lengthOf(text: unknown, size: number): number {
  const [, sign = '+', difference = '0'] = /^sizeof ?(?:([+-]) ?(0x[\da-f]+|\d+))?$/i.exec(String(text)) ?? [];
  return size + (sign === '-' ? -1 : 1) * Number(difference);
}

export function queryObservation(
  world: World,
  caller: Caller,
  handle: Handle,
  informationClass = 0,
  length?: unknown,
): Observation {
  const size = sizes.get(informationClass) ?? 0;
  const given = length === undefined ? [] : [lengthOf(length, size)];
  const { status: result, sectionInformation, returnLength } = calls(world, caller).query(handle, informationClass, ...given);
  if (sectionInformation === null) return { status: status(result) };
  const { BaseAddress, AllocationAttributes, MaximumSize } = sectionInformation;
  return {
    status: status(result),
    returnLength: returnLength === size ? 'sizeof' : returnLength,
    BaseAddress,
    Attributes: AllocationAttributes,
    Size: MaximumSize,
  };
}
