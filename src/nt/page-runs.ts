/**
 * A range of bytes in runs that have a value each, neighbours with different ones. Knows nothing of what
 * the values mean.
 */
export class PageRuns<T> {
  /** By their ends, which rise to the range's length. */
  #runs: { end: number; readonly value: T }[];

  constructor(length: number, value: T) {
    this.#runs = [{ end: length, value }];
  }

  #indexAt(offset: number): number {
    let low = 0;
    let high = this.#runs.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#runs[middle] as { end: number }).end > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The value at an offset, and where its run ends. */
  at(offset: number): { readonly value: T; readonly end: number } {
    return this.#runs[this.#indexAt(offset)] as { value: T; end: number };
  }

  /** Gives a range within the whole one value. */
  set(start: number, end: number, value: T): void {
    const first = this.#indexAt(start);
    const last = this.#indexAt(end - 1);
    const before = first === 0 ? 0 : (this.#runs[first - 1] as { end: number }).end;
    const kept: { end: number; value: T }[] = [];
    if (start > before) kept.push({ end: start, value: (this.#runs[first] as { value: T }).value });
    kept.push({ end, value });
    const behind = this.#runs[last] as { end: number; value: T };
    if (behind.end > end) kept.push(behind);
    this.#runs.splice(first, last - first + 1, ...kept);
    this.#merge(Math.max(0, first - 1), first + kept.length);
  }

  #merge(from: number, to: number): void {
    for (let index = Math.min(to, this.#runs.length - 1); index > from; index--) {
      if (this.#runs[index]?.value === this.#runs[index - 1]?.value) this.#runs.splice(index - 1, 1);
    }
  }

  /** Cuts the range at an offset; returns what lies behind, counted from there. */
  split(offset: number): PageRuns<T> {
    const index = this.#indexAt(offset);
    const tail = new PageRuns<T>(0, (this.#runs[index] as { value: T }).value);
    tail.#runs = this.#runs.slice(index).map(({ end, value }) => ({ end: end - offset, value }));
    const cut = this.#runs[index] as { end: number; value: T };
    this.#runs = [...this.#runs.slice(0, index), { end: offset, value: cut.value }];
    const before = this.#runs.at(-2);
    if (before !== undefined && before.end === offset) this.#runs.pop();
    return tail;
  }
}
