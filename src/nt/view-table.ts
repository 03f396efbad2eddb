/**
 * What this process has taken of its address space through the NT and Win32 faces, by address: views,
 * private memory and placeholders. Any address inside one stands for it. The table keeps its views
 * mapped, as NT does: nobody needs to hold the object.
 */
import type { Backing } from '../memory/memory-object.js';
import type { SectionFacts } from '../memory/object-handle.js';
import type { View } from '../memory/view.js';
import type { Pages } from './pages.js';

/** What stands at some addresses: a view, or null for private memory. */
export interface AddressRange {
  readonly base: bigint;
  /** The first address behind it. */
  readonly end: bigint;
  readonly view: View | null;
  /** Told when it is off the table. */
  readonly forget: () => void;
}

interface Area extends AddressRange {
  /** PAGE_…, as VirtualQuery reports it. */
  readonly protection: number;
  readonly pages: Pages;
}

export interface MappedView extends Area {
  readonly view: View;
  /** PAGE_…, as it was asked for: what pages of it may be changed to. */
  readonly asked: number;
  readonly backing: Backing;
  /** Views start at multiples of it, and so does all that is done to their pages. */
  readonly pageSize: number;
  /** The file behind it grows when its pages are committed. */
  readonly grows: boolean;
  /** ViewShare or ViewUnmap. */
  readonly inherit: number;
  /** Of its section. */
  readonly facts: SectionFacts;
  /** As messages name it. */
  readonly object: string;
  /** It took the place of a placeholder, and can leave one again. */
  readonly fromPlaceholder: boolean;
}

export interface PrivateRegion extends Area {
  readonly view: null;
  /** Addresses that wait for a view or for private memory. */
  readonly placeholder: boolean;
  /** Private memory that took the place of a placeholder. */
  readonly fromPlaceholder: boolean;
}

/** Whether it was ended behind the table's back, by the view's own method. */
const isGone = ({ view }: AddressRange): boolean => view?.closed === true;

/** Closed views are looked for when there are this many, and then each time their number has doubled. */
const FIRST_SWEEP = 64;

/** Ranges of addresses that never overlap, found by any address inside. */
export class RangeTable<R extends AddressRange> {
  /** By base; they never overlap. A view that was closed through its own method stays until it is met. */
  #areas: R[] = [];
  #sweepAt = FIRST_SWEEP;

  /** Index of the first area that ends behind an address. */
  #indexAt(address: bigint): number {
    let low = 0;
    let high = this.#areas.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#areas[middle] as R).end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  add(area: R): void {
    if (this.#areas.length >= this.#sweepAt) this.#sweep();
    const index = this.#indexAt(area.base);
    let stale = 0;
    // Only views that were closed can be in the way: the system gave us these addresses.
    for (let each = this.#areas[index]; each !== undefined && each.base < area.end; each = this.#areas[index + stale]) {
      each.forget();
      stale++;
    }
    this.#areas.splice(index, stale, area);
  }

  #sweep(): void {
    for (const each of this.#areas) if (isGone(each)) each.forget();
    this.#areas = this.#areas.filter((each) => !isGone(each));
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#areas.length * 2);
  }

  /** What an address lies in. */
  areaAt(address: bigint): R | undefined {
    const index = this.#indexAt(address);
    const area = this.#areas[index];
    if (area === undefined || area.base > address) return undefined;
    if (!isGone(area)) return area;
    this.#areas.splice(index, 1);
    area.forget();
    return undefined;
  }

  /** All of them, by address. */
  protected ranges(): readonly R[] {
    return this.#areas.filter((each) => !isGone(each));
  }

  /** Where the first area behind an address starts. */
  nextBase(address: bigint): bigint | undefined {
    for (let index = this.#indexAt(address); ; index++) {
      const area = this.#areas[index];
      if (area === undefined) return undefined;
      if (area.base > address && !isGone(area)) return area.base;
    }
  }

  /** Takes an area off the table; whoever does so ends it, or puts others in its place. */
  remove(area: R): void {
    const index = this.#indexAt(area.base);
    if (this.#areas[index] === area) this.#areas.splice(index, 1);
    area.forget();
  }
}

export class ViewTable extends RangeTable<MappedView | PrivateRegion> {
  /** The view that an address lies in. */
  find(address: bigint): MappedView | undefined {
    const area = this.areaAt(address);
    return area?.view == null ? undefined : area;
  }

  /** Every view, by address. */
  mapped(): readonly MappedView[] {
    return this.ranges().filter((each): each is MappedView => each.view !== null);
  }

  /** Unmaps a view of this table. */
  unmap(mapped: MappedView): void {
    this.remove(mapped);
    mapped.view.close();
  }
}
