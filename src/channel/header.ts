/**
 * The header that every channel starts with: what it is, how large, whose. Written once, its first word last,
 * and checked whole before anybody believes a word of it. Knows no kind's own words: those follow behind.
 * The layout is docs/channel-layout.md.
 */
import { randomBytes } from 'node:crypto';
import { byteCount, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { View } from '../memory/view.js';
import { ownNamespace } from './role.js';

/** `SCHN`. */
export const MAGIC = 0x4e48_4353;
export const LAYOUT_VERSION = 1;

/** Bytes of the header; a kind's own words start behind it. */
export const HEADER_BYTES = 128;

/** Where a channel may start: at multiples of so many bytes of the section. */
export const CHANNEL_ALIGNMENT = 64;

/** Words that two sides write stand so many bytes apart, for processors fetch lines of 64 bytes in pairs. */
export const APART = 128;

/** In place of the first word while somebody writes the others. */
const BEING_FORMATTED = 1;

/** What the third word says. */
export const Kind = { ring: 1, latest: 2, broadcast: 3, pool: 4 } as const;
export type KindName = keyof typeof Kind;

/** Bytes from a channel's start; 32-bit words unless said. */
export const HeaderAt = {
  magic: 0,
  layoutVersion: 4,
  kind: 8,
  /** The kind's own. */
  flags: 12,
  /** 64 bits: bytes of the whole channel, with this header. */
  size: 16,
  /** 64 bits, random: tells channels apart. */
  id: 24,
  /** The low half of the number of its maker's PID namespace: process numbers mean something there only. 0: unknown. */
  home: 32,
  /** Where the data starts. */
  data: 36,
  /** Four words of the kind's own. */
  parameters: 40,
} as const;

/** What a header says. */
export interface ChannelFacts {
  readonly kind: KindName;
  readonly flags: number;
  /** Bytes of the whole channel. */
  readonly size: number;
  readonly data: number;
  readonly parameters: readonly [number, number, number, number];
}

export interface ChannelHeader extends ChannelFacts {
  readonly home: number;
  readonly id: bigint;
}

/** A part of a view in which a channel stands, or shall. */
export interface Place {
  readonly view: View;
  readonly buffer: ArrayBuffer;
  /** The channel's first byte in the buffer. */
  readonly start: number;
  /** Bytes from there to the end of the part. */
  readonly length: number;
}

/**
 * The part of a view that a user named for a channel.
 *
 * @throws SectionError ERR_SECTION_INVALID_ARGUMENT, ERR_SECTION_CLOSED, ERR_SECTION_ACCESS_DENIED (a view that does not share
 * what is written), ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_MISALIGNED, ERR_SECTION_BUFFER_UNAVAILABLE
 */
export function placeOf(
  operation: string,
  view: unknown,
  offset: number | bigint | undefined,
  length: number | bigint | undefined,
  access: 'read' | 'readwrite',
): Place {
  if (!View.is(view)) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `view must be a view, not ${show(view)}`,
      wayOut: 'Map one with section.map()',
    });
  }
  if (view.closed) {
    throw new SectionError('ERR_SECTION_CLOSED', { operation, rule: 'the view is closed', wayOut: 'Map the section again' });
  }
  if (view.access === 'copy' || (access === 'readwrite' && view.access !== 'readwrite')) {
    throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
      operation,
      rule: `the view was mapped with access '${view.access}'`,
      wayOut: `Map it with access '${access}'`,
    });
  }
  const whole = view.length;
  const range = { code: 'ERR_SECTION_OUT_OF_RANGE', wayOut: `The view has ${whole} bytes` } as const;
  const start = byteCount(operation, 'offset', offset ?? 0, { maximum: whole, ...range });
  const bytes = byteCount(operation, 'length', length ?? whole - start, { maximum: whole - start, ...range });
  if ((view.offset + start) % CHANNEL_ALIGNMENT !== 0 || start % CHANNEL_ALIGNMENT !== 0) {
    throw new SectionError('ERR_SECTION_MISALIGNED', {
      operation,
      rule: `a channel starts at a multiple of ${CHANNEL_ALIGNMENT} bytes of the section and of the view, not at ${view.offset + start} and ${start}`,
    });
  }
  if (bytes < HEADER_BYTES) {
    throw new SectionError('ERR_SECTION_OUT_OF_RANGE', {
      operation,
      rule: `a channel's header takes ${HEADER_BYTES} bytes, the part has ${bytes}`,
    });
  }
  return { view, buffer: view.buffer, start, length: bytes };
}

const halves = (words: Int32Array, index: number): number =>
  ((words[index + 1] ?? 0) >>> 0) * 2 ** 32 + ((words[index] ?? 0) >>> 0);

/**
 * Writes the header of a new channel, after everything before its data was made zero. Whoever sees its first
 * word sees all of it.
 */
export function formatChannel(place: Place, facts: ChannelFacts): void {
  const { buffer, start } = place;
  const words = new Int32Array(buffer, start, facts.data / 4);
  Atomics.store(words, HeaderAt.magic / 4, BEING_FORMATTED);
  words.fill(0, 1);
  words[HeaderAt.layoutVersion / 4] = LAYOUT_VERSION;
  words[HeaderAt.kind / 4] = Kind[facts.kind];
  words[HeaderAt.flags / 4] = facts.flags;
  words[HeaderAt.size / 4] = facts.size | 0;
  words[HeaderAt.size / 4 + 1] = Math.floor(facts.size / 2 ** 32);
  const random = randomBytes(8);
  words[HeaderAt.id / 4] = random.readInt32LE(0);
  words[HeaderAt.id / 4 + 1] = random.readInt32LE(4);
  words[HeaderAt.home / 4] = ownNamespace();
  words[HeaderAt.data / 4] = facts.data;
  words.set(facts.parameters, HeaderAt.parameters / 4);
  Atomics.store(words, HeaderAt.magic / 4, MAGIC);
}

/** Of several who find new memory one is the one that formats it. */
export function claimFormatting({ buffer, start }: Place): boolean {
  return Atomics.compareExchange(new Int32Array(buffer, start, 1), 0, 0, BEING_FORMATTED) === 0;
}

/** Whether a channel's first word stands there. */
export function isFormatted({ buffer, start }: Place): boolean {
  return Atomics.load(new Int32Array(buffer, start, 1), 0) === MAGIC;
}

/**
 * Reads a header, and believes it only where the place has room for what it says. The kind's own words are the caller's
 * to check.
 *
 * @throws SectionError ERR_SECTION_TYPE_MISMATCH (no channel, or one of another kind), ERR_SECTION_CHANNEL_DAMAGED
 */
export function readHeader(operation: string, object: string, place: Place, kind: KindName): ChannelHeader {
  const { buffer, start, length } = place;
  const shared = new Int32Array(buffer, start, HEADER_BYTES / 4);
  const magic = Atomics.load(shared, HeaderAt.magic / 4);
  // One copy, so that every word is checked as it is used.
  const words = shared.slice();
  const at = (offset: number): number => (words[offset / 4] ?? 0) >>> 0;
  if (magic !== MAGIC) throw notThis(operation, object, kind, 'there is no channel there');
  if (at(HeaderAt.layoutVersion) !== LAYOUT_VERSION) {
    throw notThis(operation, object, kind, `its layout is version ${at(HeaderAt.layoutVersion)}, not ${LAYOUT_VERSION}`);
  }
  if (at(HeaderAt.kind) !== Kind[kind]) {
    const other = Object.entries(Kind).find(([, number]) => number === at(HeaderAt.kind))?.[0];
    throw notThis(operation, object, kind, `it is a channel of kind ${other ?? at(HeaderAt.kind)}`);
  }
  const size = halves(words, HeaderAt.size / 4);
  const data = at(HeaderAt.data);
  if (size > length || data < HEADER_BYTES || data % 8 !== 0 || data > size) {
    throw damaged(operation, object, `its header speaks of ${size} bytes with data from ${data}, there are ${length}`);
  }
  const parameter = (index: number): number => at(HeaderAt.parameters + 4 * index);
  return {
    kind,
    flags: at(HeaderAt.flags),
    size,
    data,
    parameters: [parameter(0), parameter(1), parameter(2), parameter(3)],
    home: words[HeaderAt.home / 4] ?? 0,
    id: (BigInt(at(HeaderAt.id + 4)) << 32n) | BigInt(at(HeaderAt.id)),
  };
}

function notThis(operation: string, object: string, kind: KindName, rule: string): SectionError {
  return new SectionError('ERR_SECTION_TYPE_MISMATCH', {
    operation,
    object,
    rule,
    wayOut: `Open a ${kind} of this version of Sectile`,
  });
}

/** Shared memory holds what no well-behaved peer writes there. */
export function damaged(operation: string, object: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_CHANNEL_DAMAGED', {
    operation,
    object,
    rule,
    wayOut:
      'A process that writes there does not keep to the layout: make the channel anew, and give it to trusted processes only',
  });
}
