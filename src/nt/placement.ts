/**
 * Finds room between two addresses: what ZeroBits and address requirements ask for. Linux takes a limit for 2 GiB only,
 * so the gaps come from the process's own map.
 */
import { SectionError } from '../base/error.js';
import { os } from '../os/index.js';

/** Linux keeps everything below this free of mappings (vm.mmap_min_addr), and NT its first 64 KiB. */
const LOWEST_ADDRESS = 0x1_0000n;

interface Wish {
  /** The lowest address that may be used; default the lowest there is. */
  readonly lowest?: bigint;
  /** The highest address that may be used. */
  readonly limit: bigint;
  readonly length: bigint;
  readonly alignment: bigint;
  /** MEM_TOP_DOWN: the highest place rather than the lowest. */
  readonly topDown: boolean;
}

/** Places that are free now, the best first. */
function candidates({ lowest: from = LOWEST_ADDRESS, limit, length, alignment, topDown }: Wish): bigint[] {
  const places: bigint[] = [];
  let free = from > LOWEST_ADDRESS ? from : LOWEST_ADDRESS;
  const gap = (start: bigint, end: bigint): void => {
    const lowest = ((start + alignment - 1n) / alignment) * alignment;
    const highest = ((end - length) / alignment) * alignment;
    if (end - length >= lowest) places.push(topDown ? highest : lowest);
  };
  for (const { start, end } of os.addressRanges()) {
    if (free > limit) break;
    gap(free, start <= limit ? start : limit + 1n);
    if (end > free) free = end;
  }
  if (free <= limit) gap(free, limit + 1n);
  return topDown ? places.reverse() : places;
}

/**
 * Maps at the first place that is still free when it is tried.
 *
 * @param map maps at an address; throws ERR_SECTION_ADDRESS_CONFLICT where somebody was quicker
 * @returns what `map` returned, or null where there is no room
 */
export function mapBelow<T>(wish: Wish, map: (address: bigint) => T): T | null {
  for (const address of candidates(wish)) {
    try {
      return map(address);
    } catch (error) {
      if (!(error instanceof SectionError) || error.code !== 'ERR_SECTION_ADDRESS_CONFLICT') throw error;
    }
  }
  return null;
}
