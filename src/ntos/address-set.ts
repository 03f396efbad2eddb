/**
 * A set of addresses, as ranges in order; neighbours are one.
 */
type Range = readonly [start: bigint, end: bigint];

function lower(one: bigint, other: bigint): bigint {
  if (one < other) return one;
  return other;
}

function higher(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

export class AddressSet {
  #ranges: readonly Range[] = [];

  /** @param end The first address behind the range. */
  add(start: bigint, end: bigint): void {
    let joined: Range = [start, end];
    const apart = this.#ranges.filter((each) => {
      const touches = each[0] <= joined[1] && joined[0] <= each[1];
      if (touches) joined = [lower(each[0], joined[0]), higher(each[1], joined[1])];
      return !touches;
    });
    const index = apart.findIndex(([first]) => first > joined[0]);
    this.#ranges = apart.toSpliced(index < 0 ? apart.length : index, 0, joined);
  }

  remove(start: bigint, end: bigint): void {
    if (this.#ranges.length === 0) return;
    const parts = ([first, last]: Range): readonly Range[] => [
      [first, lower(last, start)],
      [higher(first, end), last],
    ];
    this.#ranges = this.#ranges.flatMap(parts).filter(([first, last]) => first < last);
  }

  /** Whether all of a range is in it. */
  has(start: bigint, end: bigint): boolean {
    return this.#ranges.some(([first, last]) => first <= start && end <= last);
  }
}
