/**
 * Locks on ranges of a file's bytes, as NT counts them: each belongs to the handle that took it, and is
 * given back as it was taken. The operating system's own locks on the file carry them, so they hold
 * against programs that ask for those.
 */
import { type NTSTATUS, Status } from '../base/status.js';
import { type Descriptor, os } from '../os/index.js';

/** Beyond it the locks of the operating system are not told apart here. */
const END = 2n ** 46n;

interface Range {
  readonly start: bigint;
  /** The first byte behind it. */
  readonly end: bigint;
  readonly exclusive: boolean;
  readonly key: number;
}

const overlap = (a: Range, b: Range): boolean => a.start < b.end && b.start < a.end;

/** As `os` takes a range: length 0 is all from the start on. */
function span({ start, end }: Pick<Range, 'start' | 'end'>): [start: number, length: number] {
  return [Number(start), end > END ? 0 : Number(end - start)];
}

export class RangeLocks {
  readonly #ranges: Range[] = [];
  readonly #own: () => Descriptor;
  readonly #full: () => Descriptor;
  /** What locks are taken through once there are any: locks of one descriptor do not stand in each other's way. */
  #through: Descriptor | null = null;

  /**
   * @param own The handle's descriptor.
   * @param full One that reads and writes, as locks of both kinds need it.
   */
  constructor(own: () => Descriptor, full: () => Descriptor) {
    this.#own = own;
    this.#full = full;
  }

  /** STATUS_LOCK_NOT_GRANTED where anybody's lock is in the way, the handle's own as well. */
  lock(start: bigint, length: bigint, key: number, exclusive: boolean): NTSTATUS {
    const range: Range = { start, end: start + length, exclusive, key };
    if (start >= END) return Status.STATUS_INVALID_LOCK_RANGE;
    if (length > 0n) {
      if (this.#ranges.some((each) => overlap(each, range) && (exclusive || each.exclusive)))
        return Status.STATUS_LOCK_NOT_GRANTED;
      this.#through ??= this.#full();
      const granted = (exclusive ? os.lockTry : os.lockShare)(this.#through, ...span(range));
      if (!granted) return Status.STATUS_LOCK_NOT_GRANTED;
    }
    this.#ranges.push(range);
    return Status.STATUS_SUCCESS;
  }

  /** STATUS_RANGE_NOT_LOCKED unless exactly this range was locked, by this handle. */
  unlock(start: bigint, length: bigint, key: number): NTSTATUS {
    const index = this.#ranges.findIndex((each) => each.start === start && each.end === start + length && each.key === key);
    const [range] = index < 0 ? [] : this.#ranges.splice(index, 1);
    if (range === undefined) return Status.STATUS_RANGE_NOT_LOCKED;
    if (this.#through === null || length === 0n) return Status.STATUS_SUCCESS;
    os.unlock(this.#through, ...span(range));
    // What other shared locks of this handle cover as well stays locked.
    for (const each of this.#ranges) if (overlap(each, range)) os.lockShare(this.#through, ...span(each));
    return Status.STATUS_SUCCESS;
  }

  /** Whether another handle's lock keeps this one from reading (or writing) a range. */
  forbids(start: number, length: number, writing: boolean): boolean {
    if (length === 0) return false;
    const against = writing ? os.lockHolder : os.lockExcluder;
    return against(this.#through ?? this.#own(), start, length) !== -1;
  }

  /** Whether a section could reach bytes that anybody has locked. */
  forbidsSections(writable: boolean): boolean {
    return this.#ranges.some(({ exclusive }) => exclusive || writable) || this.forbids(0, Number(END), writable);
  }
}
