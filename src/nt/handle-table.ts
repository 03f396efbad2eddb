/**
 * A table of handles: numbers that stand for open objects. Values step by four, as NT's do, and come
 * round again only after all others, so that a stale handle meets nobody else's object for long.
 */
import type { Handle } from './arguments.js';

const STEP = 4;
/** As many handles as NT gives one process. */
const MAXIMUM_HANDLES = 2 ** 24 - 1;

export class HandleTable<Entry> {
  /** Bits that every handle of this table has. */
  readonly #mark: number;
  readonly #entries = new Map<Handle, Entry>();
  #last = 0;

  /** @param mark 0 for user handles; the sign bit for kernel handles. */
  constructor(mark: number) {
    this.#mark = mark;
  }

  /** Enters an object; null when the table is full. */
  add(entry: Entry): Handle | null {
    if (this.#entries.size === MAXIMUM_HANDLES) return null;
    let handle: Handle;
    do {
      this.#last = (this.#last % MAXIMUM_HANDLES) + 1;
      handle = (this.#last * STEP) | this.#mark;
    } while (this.#entries.has(handle));
    this.#entries.set(handle, entry);
    return handle;
  }

  /** Enters an object under a value that is free; false where it is not, or can be none of this table's. */
  addAs(handle: Handle, entry: Entry): boolean {
    const index = (handle & ~this.#mark) / STEP;
    const fits = Number.isInteger(index) && index >= 1 && index <= MAXIMUM_HANDLES && (handle & this.#mark) === this.#mark;
    if (!fits || this.#entries.has(handle)) return false;
    this.#entries.set(handle, entry);
    return true;
  }

  entries(): IterableIterator<[Handle, Entry]> {
    return this.#entries.entries();
  }

  get(handle: Handle): Entry | undefined {
    return this.#entries.get(handle);
  }

  values(): Iterable<Entry> {
    return this.#entries.values();
  }

  delete(handle: Handle): void {
    this.#entries.delete(handle);
  }
}
