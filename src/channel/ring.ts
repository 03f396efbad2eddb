/**
 * A ring: messages from one producer, or several, to one consumer, in memory that they share. This file makes and opens
 * rings and gives out the two roles; the roles move the messages.
 */
import { oneOf, options } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { beforeClose, type View } from '../memory/view.js';
import { Section } from '../section.js';
import { sleepSync } from '../sync/timer.js';
import { claimFormatting, isFormatted, type Place, placeOf } from './header.js';
import { RingConsumer } from './ring-consumer.js';
import { formatRing, type Producers, RING_DATA, RingMemory, ringCapacity, Word } from './ring-layout.js';
import { RingProducer } from './ring-producer.js';
import type { PeerEnd } from './ring-side.js';

export interface RingCreateOptions {
  /** As a section's: `X` or `Local\X`, `Global\X`; unnamed if left out. */
  readonly name?: string;
  /** Bytes of messages, with 8 to 15 for each: 1 to 2^30, rounded up to a power of two, at least 1024. */
  readonly capacity: number;
  /** Default `'one'`, which is faster. */
  readonly producers?: Producers;
  /** Who may do what, as SDDL. Both sides need to write. Default: the creator's user and LocalSystem, everything. */
  readonly security?: string;
  /** When the name is taken: fail (the default), or open the ring that is there, with its own capacity. */
  readonly ifExists?: 'fail' | 'open';
}

export interface RingFormatOptions {
  /** The ring's first byte in the view, at a multiple of 64 bytes of the section. Default 0. */
  readonly offset?: number;
  /** Bytes for the whole ring. Default: to the view's end. The largest power of two that fits becomes its capacity. */
  readonly length?: number;
  /** Default `'one'`. */
  readonly producers?: Producers;
}

export interface RingOverOptions {
  /** The ring's first byte in the view. Default 0. */
  readonly offset?: number;
}

export interface RoleOptions {
  /**
   * What a wait does when the other side's process has ended, or the consumer has closed while there is no room: reject with
   * ERR_SECTION_PEER_ENDED (`'fail'`, the default), or wait for another one to come (`'wait'`).
   */
  readonly peerEnd?: PeerEnd;
}

/** Milliseconds for which an opener waits for whoever has just made the section to make the ring in it. */
const PATIENCE = 1000;

const producersWords = ['one', 'many'] as const;

export class Ring {
  readonly #memory: RingMemory;
  readonly #name: string | undefined;
  /** What goes with the ring: nothing, where it stands in a view of the caller's. */
  readonly #owned: readonly { close(): void }[];
  readonly #roles = new Set<{ close(): void }>();
  readonly #forget: () => void;
  #closed = false;

  private constructor(memory: RingMemory, name: string | undefined, owned: readonly { close(): void }[]) {
    this.#memory = memory;
    this.#name = name;
    this.#owned = owned;
    // The roles are given back while the memory is there.
    this.#forget = memory.view[beforeClose](() => this.close());
  }

  /**
   * Makes a ring in a section of its own.
   *
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT, and as Section.create; with `ifExists: 'open'` as {@link open}
   */
  static create(createOptions: RingCreateOptions): Ring {
    const operation = 'Ring.create';
    if (createOptions === undefined) throw invalid(operation, 'options are needed: { capacity }');
    const given = options(operation, createOptions, ['name', 'capacity', 'producers', 'security', 'ifExists']);
    const capacity = ringCapacity(operation, given.capacity);
    const producers = oneOf(operation, 'producers', given.producers ?? 'one', producersWords);
    const { name, security, ifExists } = given;
    const section = Section.create({
      size: RING_DATA + capacity,
      ...(ifExists === undefined ? {} : { ifExists }),
      ...(name === undefined ? {} : { name }),
      ...(security === undefined ? {} : { security }),
    });
    return Ring.#inSection(operation, section, (place) => {
      if (claimFormatting(place)) formatRing(operation, place, producers);
      else awaitFormat(place);
    });
  }

  /**
   * Opens a ring that some process holds.
   *
   * @param name As given to create.
   * @throws SectionError ERR_SECTION_TYPE_MISMATCH (no ring of this version), ERR_SECTION_CHANNEL_DAMAGED, and as Section.open
   */
  static open(name: string): Ring {
    return Ring.#inSection('Ring.open', Section.open(name, { access: 'readwrite' }), awaitFormat);
  }

  static #inSection(operation: string, section: Section, prepare: (place: Place) => void): Ring {
    let view: View | undefined;
    try {
      view = section.map({ access: 'readwrite' });
      const place = placeOf(operation, view, 0, undefined, 'readwrite');
      prepare(place);
      const object = section.name === undefined ? 'a ring' : `"${section.name}"`;
      return new Ring(new RingMemory(operation, object, place), section.name, [view, section]);
    } catch (error) {
      view?.close();
      section.close();
      throw error;
    }
  }

  /**
   * Makes a ring in a part of a view. What stood there is lost; nobody may use a ring there meanwhile. The view stays the
   * caller's; closing it closes the ring.
   *
   * @throws SectionError ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_CLOSED,
   * ERR_SECTION_INVALID_ARGUMENT
   */
  static format(view: View, formatOptions?: RingFormatOptions): Ring {
    const operation = 'Ring.format';
    const given = options(operation, formatOptions, ['offset', 'length', 'producers']);
    const producers = oneOf(operation, 'producers', given.producers ?? 'one', producersWords);
    const place = placeOf(operation, view, given.offset, given.length, 'readwrite');
    formatRing(operation, place, producers);
    return new Ring(new RingMemory(operation, 'a ring in a view', place), undefined, []);
  }

  /**
   * The ring that stands in a part of a view, formatted by some process.
   *
   * @throws SectionError ERR_SECTION_TYPE_MISMATCH, ERR_SECTION_CHANNEL_DAMAGED, and as {@link format}
   */
  static over(view: View, overOptions?: RingOverOptions): Ring {
    const operation = 'Ring.over';
    const { offset } = options(operation, overOptions, ['offset']);
    const place = placeOf(operation, view, offset, undefined, 'readwrite');
    return new Ring(new RingMemory(operation, 'a ring in a view', place), undefined, []);
  }

  /** With its prefix; undefined for an unnamed ring, and for one in a view. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Bytes of records that it holds: messages, each with 8 bytes more, rounded up to 8. */
  get capacity(): number {
    return this.#memory.capacity;
  }

  /** Bytes that a message may have: half the capacity less 8. */
  get maximum(): number {
    return this.#memory.maximum;
  }

  get producers(): Producers {
    return this.#memory.many ? 'many' : 'one';
  }

  /** Bytes of records that were sent and not yet received, as it is at this moment. */
  get used(): number {
    this.#mustBeOpen('ring.used');
    const { words, capacity } = this.#memory;
    const head = Atomics.load(words, Word.head);
    return Math.min(Math.max((Atomics.load(words, Word.tail) - head) | 0, 0), capacity);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Becomes the ring's producer, or one of several (64 at most). A role whose process has ended is taken over, and goes on
   * where that one's last sent message ends.
   *
   * @throws SectionError ERR_SECTION_ROLE_TAKEN, ERR_SECTION_LIMIT, ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_CLOSED
   */
  producer(roleOptions?: RoleOptions): RingProducer {
    return this.#role('ring.producer', RingProducer, roleOptions);
  }

  /**
   * Becomes the ring's consumer. A role whose process has ended is taken over, and goes on with the first message that was not
   * given back.
   *
   * @throws SectionError ERR_SECTION_ROLE_TAKEN, ERR_SECTION_CHANNEL_DAMAGED, ERR_SECTION_CLOSED
   */
  consumer(roleOptions?: RoleOptions): RingConsumer {
    return this.#role('ring.consumer', RingConsumer, roleOptions);
  }

  #role<T extends { close(): void }>(
    operation: string,
    Role: new (operation: string, memory: RingMemory, peerEnd: PeerEnd, onClose: () => void) => T,
    roleOptions: RoleOptions | undefined,
  ): T {
    const given = options(operation, roleOptions, ['peerEnd']);
    const peerEnd = oneOf(operation, 'peerEnd', given.peerEnd ?? 'fail', ['fail', 'wait']);
    this.#mustBeOpen(operation);
    const role: T = new Role(operation, this.#memory, peerEnd, () => this.#roles.delete(role));
    this.#roles.add(role);
    return role;
  }

  #mustBeOpen(operation: string): void {
    if (!this.#closed && !this.#memory.view.closed) return;
    const { object } = this.#memory;
    throw new SectionError('ERR_SECTION_CLOSED', { operation, object, rule: 'the ring is closed', wayOut: 'Open it again' });
  }

  /** Closes its roles, and its memory where that is its own. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    for (const role of [...this.#roles]) role.close();
    for (const each of this.#owned) each.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A process that has just made the section makes the ring in it next. */
function awaitFormat(place: Place): void {
  for (let waited = 0; waited < PATIENCE && !isFormatted(place); waited++) sleepSync(1);
}

function invalid(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule });
}
