/**
 * What is in one directory of the system process. Every look-up takes the same time however much there is:
 * clients must not be able to hold each other up by filling a directory.
 */
import { foldCase, type ObjectEntry } from '../namespace/name.js';
import type { KernelObject } from './objects.js';

export class Entries {
  readonly #byLeaf = new Map<string, KernelObject>();
  /** Names that differ in case alone, newest first, as NT puts a new name in front of its bucket. */
  readonly #byFolded = new Map<string, KernelObject[]>();
  #sorted: readonly ObjectEntry[] | null = null;

  get size(): number {
    return this.#byLeaf.size;
  }

  all(): readonly KernelObject[] {
    return [...this.#byLeaf.values()];
  }

  /** The exact name first. */
  find(leaf: string, caseInsensitive: boolean): KernelObject | undefined {
    const exact = this.#byLeaf.get(leaf);
    return exact !== undefined || !caseInsensitive ? exact : this.#byFolded.get(foldCase(leaf))?.[0];
  }

  /** All entries by name; sorted once until something changes. */
  sorted(): readonly ObjectEntry[] {
    this.#sorted ??= this.all()
      .map((each) => each.entry())
      .sort((a, b) => (a.leaf < b.leaf ? -1 : 1));
    return this.#sorted;
  }

  add(object: KernelObject): void {
    const { leaf } = object.name;
    const folded = foldCase(leaf);
    this.#byLeaf.set(leaf, object);
    this.#byFolded.set(folded, [object, ...(this.#byFolded.get(folded) ?? [])]);
    this.#sorted = null;
  }

  delete(object: KernelObject): void {
    const { leaf } = object.name;
    const folded = foldCase(leaf);
    const others = this.#byFolded.get(folded)?.filter((each) => each !== object) ?? [];
    this.#byLeaf.delete(leaf);
    if (others.length > 0) this.#byFolded.set(folded, others);
    else this.#byFolded.delete(folded);
    this.#sorted = null;
  }
}
