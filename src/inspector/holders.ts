/**
 * Puts together, per process, the handles that somebody counted and the views that /proc shows.
 */

import { os } from '../os/index.js';
import type { Holder } from './object-facts.js';
import { commandOf, type MappedView } from './processes.js';

interface HandleFacts {
  readonly granted: number | null;
  readonly kernel?: boolean;
  readonly count?: number;
  readonly pidNamespace?: bigint;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** This process's PID namespace; null where the system does not tell. */
export function pidNamespace(): bigint | null {
  try {
    return os.processNamespace();
  } catch {
    return null;
  }
}

export class HolderList {
  readonly #object: { readonly size: number; readonly soleWriter: boolean };
  readonly #holders = new Map<string, Mutable<Holder>>();

  constructor(object: { readonly size: number; readonly soleWriter: boolean }) {
    this.#object = object;
  }

  #of(pid: number, kernel: boolean, elsewhere: boolean): Mutable<Holder> {
    const key = `${pid} ${kernel} ${elsewhere}`;
    let holder = this.#holders.get(key);
    if (holder === undefined) {
      const command = elsewhere ? null : commandOf(pid);
      holder = { pid, command, kernel, handles: 0, granted: null, mappings: [], otherPidNamespace: elsewhere };
      this.#holders.set(key, holder);
    }
    return holder;
  }

  addHandle(pid: number, { granted, kernel = false, count = 1, pidNamespace: lives }: HandleFacts): void {
    const elsewhere = lives !== undefined && lives !== pidNamespace();
    const holder = this.#of(pid, kernel, elsewhere);
    holder.handles += count;
    if (granted !== null) holder.granted = ((holder.granted ?? 0) | granted) >>> 0;
  }

  addViews(views: readonly MappedView[]): void {
    for (const pid of new Set(views.map((view) => view.pid))) {
      const kernel = this.#holders.has(`${pid} true false`);
      const holder = this.#of(pid, kernel, false);
      holder.mappings = this.#withoutWriter(
        views.filter((view) => view.pid === pid),
        holder.handles > 0,
      );
    }
  }

  /**
   * The creator of a section that it alone writes keeps one mapping of the whole beside its handle:
   * later writable views are made from it. It is no view that anybody asked for.
   */
  #withoutWriter(views: readonly MappedView[], hasHandle: boolean): readonly MappedView[] {
    const { soleWriter, size } = this.#object;
    if (!soleWriter || !hasHandle) return views;
    const writer = views.find(({ access, offset, length }) => access === 'readwrite' && offset === 0 && length >= size);
    return views.filter((view) => view !== writer);
  }

  /** All of them, those with handles first. */
  all(): readonly Holder[] {
    return [...this.#holders.values()].sort((a, b) => Number(b.handles > 0) - Number(a.handles > 0) || a.pid - b.pid);
  }
}
