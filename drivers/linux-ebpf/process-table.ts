/**
 * Reads the table that the eBPF program fills, from a view of its map. It believes nothing that it finds
 * there: every number is bounded, every text is cleaned, and no content keeps it waiting.
 */
import type { View } from 'sectile';
import {
  ENTRIES,
  ENTRY_SIZE,
  EntryAt,
  EntryState,
  HEADER_SIZE,
  HeaderAt,
  NAME_LENGTH,
  TABLE_MAGIC,
  TABLE_SIZE,
  TABLE_VERSION,
} from './layout.ts';

/** What the kernel knows of one process. Counts begin at `since`. */
export interface ProcessFigures {
  readonly processId: number;
  readonly name: string;
  readonly hasEnded: boolean;
  /** Nanoseconds of CLOCK_MONOTONIC, the clock of `process.hrtime`, as `last` is. */
  readonly since: bigint;
  /** System calls that were entered. */
  readonly calls: bigint;
  /** How often a thread left a processor. */
  readonly switches: bigint;
  /** Nanoseconds on processors, up to the last event. */
  readonly ran: bigint;
  /** The last event, and where it was. */
  readonly last: bigint;
  readonly lastProcessor: number;
  /** Number of the last system call, in the machine's own table. */
  readonly lastCall: number;
  /**
   * Whether all of this was read at one moment. False for a process that is never at rest while it is looked
   * at: then each number is right by itself, and they may be some events apart.
   */
  readonly isWhole: boolean;
}

/** As large as process numbers get (PID_MAX_LIMIT). */
const LARGEST_PROCESS_ID = 4_194_304;
/** An event takes a tenth of a microsecond: after so many looks the process has many threads, or the table is no good. */
const MOST_LOOKS = 32;

const utf8 = new TextDecoder();

/** Any user names processes: nothing in a name may reach a terminal as a command. */
function cleanName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return utf8
    .decode(bytes.slice(0, end < 0 ? bytes.length : end))
    .replace(/[\p{C}\p{Z}]/gu, (each) => (each === ' ' ? ' ' : '?'));
}

export class ProcessTable {
  readonly #words32: Uint32Array;
  readonly #words64: BigUint64Array;
  readonly #bytes: Uint8Array;
  /** A word of our own. To exchange it is the one full fence that JavaScript has. */
  readonly #fence = new Int32Array(1);

  /**
   * @param view At least the table, from its first byte on.
   * @throws Error when the view holds something else
   */
  constructor(view: View) {
    if (view.length < TABLE_SIZE) {
      throw new Error(`the table of processes has ${TABLE_SIZE} bytes, what was handed over ${view.length}`);
    }
    this.#words32 = view.as(Uint32Array);
    this.#words64 = view.as(BigUint64Array);
    this.#bytes = view.bytes;
    const found = (['magic', 'version', 'entries', 'entrySize'] as const).map((field) => this.#word32(HeaderAt[field]));
    if (found.join() !== [TABLE_MAGIC, TABLE_VERSION, ENTRIES, ENTRY_SIZE].join()) {
      throw new Error(
        `the table has another layout (${found.join(', ')}); build the eBPF program anew: node scripts/build-ebpf.mjs`,
      );
    }
  }

  #word32(at: number): number {
    return Atomics.load(this.#words32, at / 4);
  }

  #word64(at: number): bigint {
    return Atomics.load(this.#words64, at / 8);
  }

  /** Entries that were taken from processes which may still run: their counts began anew. */
  get givenAway(): bigint {
    return this.#word64(HeaderAt.givenAway);
  }

  /** All processes that have had an event, in no order. */
  read(): ProcessFigures[] {
    const found: ProcessFigures[] = [];
    for (let number = 0; number < ENTRIES; number++) {
      const entry = this.#readEntry(HEADER_SIZE + number * ENTRY_SIZE);
      if (entry !== null) found.push(entry);
    }
    return found;
  }

  #readEntry(at: number): ProcessFigures | null {
    for (let look = 1; ; look++) {
      const left = this.#word64(at + EntryAt.left);
      const processId = this.#word32(at + EntryAt.processId);
      if (processId === 0 || processId > LARGEST_PROCESS_ID) return null;
      const name = this.#bytes.slice(at + EntryAt.name, at + EntryAt.name + NAME_LENGTH);
      const figures = {
        processId,
        hasEnded: this.#word32(at + EntryAt.state) === EntryState.ended,
        since: this.#word64(at + EntryAt.since),
        calls: this.#word64(at + EntryAt.calls),
        switches: this.#word64(at + EntryAt.switches),
        ran: this.#word64(at + EntryAt.ran),
        last: this.#word64(at + EntryAt.last),
        lastProcessor: this.#word32(at + EntryAt.lastProcessor),
        lastCall: this.#word32(at + EntryAt.lastCall),
      };
      // Nothing above may be read after `entered` is.
      Atomics.exchange(this.#fence, 0, 0);
      const isWhole = this.#word64(at + EntryAt.entered) === left;
      if (isWhole || look === MOST_LOOKS) return { ...figures, name: cleanName(name), isWhole };
    }
  }
}
