/**
 * What Latest and Broadcast have in common: the words by which one writer tells any number of readers that there is something
 * new, that it has closed the channel, and who it is. Readers write nothing, so a read-only view is enough for them. Knows
 * nothing of what is written.
 */
import { mappingOf } from '../memory/view.js';
import { WaitPoint } from '../sync/wait-point.js';
import type { Cell } from './cell.js';
import { store } from './fence.js';
import { PeerWaits } from './peer-waits.js';
import { releaseRole, roleTaken, takeRole } from './role.js';

/** Bytes from the channel's start. */
export const OneWriterAt = { writer: 128, signal: 136, newest: 140, ended: 144 } as const;

/** Flag bit 0: the writer wakes nobody; readers look from time to time. */
export const NEVER_WAKES = 1;

const SIGNAL = OneWriterAt.signal / 4;
const NEWEST = OneWriterAt.newest / 4;
const ENDED = OneWriterAt.ended / 4;
const WRITER = OneWriterAt.writer / 8;

/** The writer's half. */
export class WriterWords {
  readonly cell: Cell;
  /** The channel, from its first byte on. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly #roles: BigUint64Array<ArrayBuffer>;
  readonly #point: WaitPoint;
  readonly #wakes: boolean;

  /**
   * Takes the writer's role. The cell is closed if that fails.
   *
   * @throws SectionError ERR_SECTION_ROLE_TAKEN
   */
  constructor(operation: string, cell: Cell) {
    const { buffer, start, view } = cell.place;
    this.cell = cell;
    this.words = new Int32Array(buffer, start, Math.floor(cell.header.size / 4));
    this.#roles = new BigUint64Array(buffer, start, OneWriterAt.writer / 8 + 1);
    this.#wakes = (cell.header.flags & NEVER_WAKES) === 0;
    if (takeRole(this.#roles, WRITER, cell.header.home) === null) {
      const holder = Atomics.load(this.#roles, WRITER);
      cell.close();
      throw roleTaken(operation, cell.object, 'writer', holder);
    }
    this.#point = new WaitPoint(view[mappingOf], start + OneWriterAt.signal);
    cell.whenViewCloses(() => this.close());
    store(this.words, ENDED, 0);
    this.#tell();
  }

  /** Makes what was written the newest there is, and tells those who wait. */
  publish(newest: number): void {
    store(this.words, NEWEST, newest);
    this.#tell();
  }

  /** As {@link publish}, and wakes nobody. */
  publishQuietly(newest: number): void {
    store(this.words, NEWEST, newest);
  }

  #tell(): void {
    const { words } = this;
    store(words, SIGNAL, ((words[SIGNAL] ?? 0) + 1) | 0);
    if (this.#wakes) this.#point.wake();
  }

  /** Tells the readers that this is the end, and lets another write. Safe to call twice. */
  close(): void {
    if (this.cell.isOpen) {
      store(this.words, ENDED, 1);
      this.#tell();
      releaseRole(this.#roles, WRITER, this.cell.header.home);
    }
    this.#point.close();
    this.cell.close();
  }
}

/** A reader's half. */
export class ReaderWords {
  readonly cell: Cell;
  /** The channel, from its first byte on. */
  readonly words: Int32Array<ArrayBuffer>;
  readonly waits: PeerWaits;

  constructor(cell: Cell) {
    const { buffer, start } = cell.place;
    this.cell = cell;
    this.words = new Int32Array(buffer, start, Math.floor(cell.header.size / 4));
    const { writer: role, ended, signal } = OneWriterAt;
    this.waits = new PeerWaits(cell, { title: 'writer', role, ended, signal, isQuiet: (cell.header.flags & NEVER_WAKES) !== 0 });
    cell.whenViewCloses(() => this.close());
  }

  /** Ends the waiting of this side, and lets the channel go. Safe to call twice. */
  close(): void {
    this.waits.close();
    this.cell.close();
  }
}
