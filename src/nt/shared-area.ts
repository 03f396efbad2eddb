/**
 * Where views go that children may inherit: a part of the address space that Linux gives to nobody by
 * itself. What lies in it here is free in a child as well, whose own memory lies elsewhere at random; among
 * the libraries it could be taken there.
 */
import { randomBytes } from 'node:crypto';
import { SectionError } from '../base/error.js';

/** Above what sanitizers use for themselves, below programs and libraries. */
const LOWEST = 0x1100_0000_0000n;
const HIGHEST = 0x5000_0000_0000n;

const SMALL = 0x1_0000n;
/** Large views start where huge pages do. */
const LARGE = 0x20_0000n;

const MOST_TRIES = 8;

const up = (value: bigint, multiple: bigint): bigint => ((value + multiple - 1n) / multiple) * multiple;

/** Begins at random in every process; goes up, so that addresses are long not used again. */
let next = LOWEST + (BigInt(`0x${randomBytes(6).toString('hex')}`) % (HIGHEST - LOWEST));

function reserve(length: bigint, alignment: bigint): bigint {
  const start = up(next, alignment);
  const address = start + length <= HIGHEST ? start : up(LOWEST, alignment);
  next = address + up(length, SMALL);
  return address;
}

/**
 * Maps in that part, or, where it cannot be, wherever there is room.
 *
 * @param alignment Of the address, in bytes; at least 64 KiB are kept.
 * @param map maps at an address, 0n for any; throws a SectionError where it cannot
 */
export function mapApart<T>(length: bigint, alignment: bigint, map: (address: bigint) => T): T {
  const wanted = length >= LARGE ? LARGE : SMALL;
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    try {
      return map(reserve(length, alignment > wanted ? alignment : wanted));
    } catch (error) {
      // A kernel with fewer address bits has no memory there.
      const elsewhere = ['ERR_SECTION_ADDRESS_CONFLICT', 'ERR_SECTION_NO_MEMORY'];
      if (!(error instanceof SectionError) || !elsewhere.includes(error.code)) throw error;
    }
  }
  return map(0n);
}
