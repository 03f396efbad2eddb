/**
 * Where a channel of this folder's kinds stands in this process: the section and the view under it, its checked header,
 * and the end of all three. Makes sections, opens them and lays channels over views; knows no kind's own words.
 */
import { oneOf } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { beforeClose, type View } from '../memory/view.js';
import { Section, type SectionAccess } from '../section.js';
import {
  type ChannelFacts,
  type ChannelHeader,
  formatChannel,
  isFormatted,
  type KindName,
  type Place,
  placeOf,
  readHeader,
} from './header.js';

/** Where in a view a channel stands. */
export interface PartOptions {
  /** First byte of the view, such that the channel starts at a multiple of 64 bytes of the section. Default 0. */
  readonly offset?: number | bigint;
  /** Bytes that the channel may take. Default: to the view's end. */
  readonly length?: number | bigint;
}

/** How a section for a channel is made. */
export interface SectionOptions {
  /** As for {@link Section.create}. Unnamed if left out. */
  readonly name?: string;
  /** Who may do what, as SDDL. Default: the creator's user and LocalSystem, everything. */
  readonly security?: string;
  /** `'read'`: nobody but the creator can ever write, the kernel sees to that; no other process can take its place then. Default `'readwrite'`. */
  readonly protection?: SectionAccess;
}

/** Whether a writer wakes those who wait. `'never'` saves a system call each time; they look every few milliseconds then. */
export type Wake = 'always' | 'never';

export const partKeys = ['offset', 'length'] as const;
export const sectionKeys = ['name', 'security', 'protection'] as const;

export function wakes(operation: string, wake: unknown): boolean {
  return wake === undefined || oneOf(operation, 'wake', wake, ['always', 'never']) === 'always';
}

/** How long an opener waits for a maker that has made the section, and not yet the channel in it. */
const PATIENCE_MS = 200;

/** A channel as one side holds it. */
export class Cell {
  readonly place: Place;
  readonly header: ChannelHeader;
  /** As messages name it. */
  readonly object: string;
  readonly #closes: { close(): void }[];
  #closed = false;
  #forget: () => void = () => {};

  private constructor(place: Place, header: ChannelHeader, object: string, closes: { close(): void }[]) {
    this.place = place;
    this.header = header;
    this.object = object;
    this.#closes = closes;
  }

  /** Makes a section with a channel in it. */
  static create(operation: string, options: SectionOptions, facts: ChannelFacts, check: Check): Cell {
    const section = Section.create({
      size: facts.size,
      ...(options.protection === undefined ? {} : { protection: options.protection }),
      ...(options.name === undefined ? {} : { name: options.name }),
      ...(options.security === undefined ? {} : { security: options.security }),
    });
    return Cell.#in(section, 'readwrite', (view, closes) =>
      Cell.#at(operation, placeOf(operation, view, 0, facts.size, 'readwrite'), facts, check, closes),
    );
  }

  /**
   * Opens a section that has a channel of this kind in it.
   *
   * @param access what the section is opened for
   * @param viewAccess what the whole of it is mapped for; {@link control} maps a part for more
   */
  static open(
    operation: string,
    name: string,
    kind: KindName,
    check: Check,
    access: SectionAccess,
    viewAccess: SectionAccess = access,
  ): Cell {
    const section = Section.open(name, { access });
    return Cell.#in(section, viewAccess, (view, closes) => {
      const place = placeOf(operation, view, 0, undefined, viewAccess);
      waitUntilFormatted(place);
      return Cell.#at(operation, place, kind, check, closes);
    });
  }

  /** Makes a channel in a part of a view, which stays the caller's. */
  static format(operation: string, view: View, part: PartOptions, facts: ChannelFacts, check: Check): Cell {
    const place = placeOf(operation, view, part.offset, part.length, 'readwrite');
    if (place.length < facts.size) {
      throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
        operation,
        rule: `the channel takes ${facts.size} bytes, the part of the view has ${place.length}`,
      });
    }
    return Cell.#at(operation, place, facts, check, []);
  }

  /** A channel that stands in a part of a view, which stays the caller's. */
  static over(operation: string, view: View, part: PartOptions, kind: KindName, check: Check, access: SectionAccess): Cell {
    return Cell.#at(operation, placeOf(operation, view, part.offset, part.length, access), kind, check, []);
  }

  static #at(operation: string, place: Place, facts: ChannelFacts | KindName, check: Check, closes: { close(): void }[]): Cell {
    const kind = typeof facts === 'string' ? facts : facts.kind;
    if (typeof facts !== 'string') formatChannel(place, facts);
    const object = closes.length === 0 ? `${kind} in a view` : `${kind} of ${nameOf(closes)}`;
    const header = readHeader(operation, object, place, kind);
    check(operation, object, header);
    return new Cell(place, header, object, closes);
  }

  static #in(section: Section, access: SectionAccess, make: (view: View, closes: { close(): void }[]) => Cell): Cell {
    const closes: { close(): void }[] = [section];
    try {
      const view = section.map({ access });
      closes.unshift(view);
      return make(view, closes);
    } catch (error) {
      for (const each of closes) each.close();
      throw error;
    }
  }

  /** False once it was closed, or its view was. */
  get isOpen(): boolean {
    return !this.#closed && !this.place.view.closed;
  }

  /** Has something done right before the view is closed by somebody else. */
  whenViewCloses(action: () => void): void {
    this.#forget = this.place.view[beforeClose](action);
  }

  /** The channel's first bytes in a view that can be written. */
  control(length: number): Place {
    if (this.place.view.access === 'readwrite') return this.place;
    const section = this.#closes.find((each) => each instanceof Section) as Section;
    const view = section.map({ length, access: 'readwrite' });
    this.#closes.unshift(view);
    return { view, buffer: view.buffer, start: 0, length };
  }

  mustBeOpen(operation: string): void {
    if (!this.isOpen) throw this.closedError(operation);
  }

  closedError(operation: string): SectionError {
    return new SectionError('ERR_SECTION_CLOSED', {
      operation,
      object: this.object,
      rule: 'this side of the channel is closed',
      wayOut: 'Open it again',
    });
  }

  /** Gives back what was opened for the channel. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#forget();
    for (const each of this.#closes) each.close();
  }
}

/** Looks at the words of a header that are the kind's own; throws where they cannot be. */
export type Check = (operation: string, object: string, header: ChannelHeader) => void;

function nameOf(closes: readonly unknown[]): string {
  const section = closes.find((each) => each instanceof Section);
  return section?.name === undefined ? 'an unnamed section' : `"${section.name}"`;
}

function waitUntilFormatted(place: Place): void {
  if (isFormatted(place)) return;
  const nobody = new Int32Array(new SharedArrayBuffer(4));
  const end = performance.now() + PATIENCE_MS;
  while (!isFormatted(place) && performance.now() < end) Atomics.wait(nobody, 0, 0, 1);
}
