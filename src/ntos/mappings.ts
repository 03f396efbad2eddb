/**
 * Mappings of the kernel's sections. A mapping's handle costs a microsecond, a tenth of what C needs to map and unmap: so
 * those of closed mappings, of which nothing else is left, are mapped into anew. Nothing else is decided here.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Mapping } from '../os/index.js';

const PAGE_READWRITE = 0x04;
const MEM_RESERVE = 0x2000;

/** Whether a view's guard may need a handle on the section: keep_section in native/win32/mapping.c decides. */
export function mayKeepSection(protection: number, allocationType: number): boolean {
  return protection !== PAGE_READWRITE || (allocationType & MEM_RESERVE) !== 0;
}

/** How many handles wait at most. */
const MOST_SPARE = 64;

/** Handles of closed mappings that nobody else has, those of this thread of JavaScript. */
const spare: Mapping[] = [];

/** Takes the handle of a closed mapping. Whoever gives it has had it alone, and forgets it. */
export function giveMapping(mapping: Mapping): void {
  if (spare.length < MOST_SPARE) spare.push(mapping);
}

/** A handle to map into, or null: for `mapSection`, whose answer {@link mappedInto} reads. */
export function takeMapping(): Mapping | null {
  return spare.pop() ?? null;
}

/** @returns the mapping, or an NTSTATUS */
export function mappedInto(into: Mapping | null, answer: Mapping | number): Mapping | NTSTATUS {
  if (into === null || typeof answer !== 'number') return answer;
  if (answer > 0) return into;
  spare.push(into);
  return -answer;
}
