/**
 * The views that this process has mapped through the NT and Win32 faces, by address: any address inside
 * a view stands for it. The table keeps its views mapped, as NT does: nobody needs to hold the object.
 */
import type { View } from '../memory/view.js';

export interface MappedView {
  readonly view: View;
  readonly base: bigint;
  /** The first address behind it. */
  readonly end: bigint;
  /** PAGE_…, as VirtualQuery reports it. */
  readonly protection: number;
  /** Takes it off the list of what its driver holds. */
  readonly forget: () => void;
}

/** Closed views are looked for when there are this many, and then each time their number has doubled. */
const FIRST_SWEEP = 64;

export class ViewTable {
  /** By base; they never overlap. A view that was closed through its own method stays until it is met. */
  #views: MappedView[] = [];
  #sweepAt = FIRST_SWEEP;

  /** Index of the first view that ends behind an address. */
  #indexAt(address: bigint): number {
    let low = 0;
    let high = this.#views.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#views[middle] as MappedView).end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  add(mapped: MappedView): void {
    if (this.#views.length >= this.#sweepAt) this.#sweep();
    const index = this.#indexAt(mapped.base);
    let stale = 0;
    // Only views that were closed can be in the way: the system gave us these addresses.
    for (let each = this.#views[index]; each !== undefined && each.base < mapped.end; each = this.#views[index + stale]) {
      each.forget();
      stale++;
    }
    this.#views.splice(index, stale, mapped);
  }

  #sweep(): void {
    for (const each of this.#views) if (each.view.closed) each.forget();
    this.#views = this.#views.filter(({ view }) => !view.closed);
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#views.length * 2);
  }

  /** The view that an address lies in. */
  find(address: bigint): MappedView | undefined {
    const index = this.#indexAt(address);
    const mapped = this.#views[index];
    if (mapped === undefined || mapped.base > address) return undefined;
    if (!mapped.view.closed) return mapped;
    this.#views.splice(index, 1);
    mapped.forget();
    return undefined;
  }

  /** Where the first view behind an address starts. */
  nextBase(address: bigint): bigint | undefined {
    for (let index = this.#indexAt(address); ; index++) {
      const mapped = this.#views[index];
      if (mapped === undefined) return undefined;
      if (mapped.base > address && !mapped.view.closed) return mapped.base;
    }
  }

  /** Unmaps a view of this table. */
  unmap(mapped: MappedView): void {
    const index = this.#indexAt(mapped.base);
    if (this.#views[index] === mapped) this.#views.splice(index, 1);
    mapped.forget();
    mapped.view.close();
  }
}
