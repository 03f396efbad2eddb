/**
 * The megabytes that the handover benchmark moves, and what a receiver does with them: the same on
 * every transport.
 */

export const PAYLOAD_BYTES = 2 ** 26;
const PAGE = 4096;

/** Fills the payload: every byte from the stamp, and in the first word of each page stamp + page. */
export function produce(bytes: Uint8Array, stamp: number): void {
  bytes.fill(stamp);
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0, page = 0; offset < bytes.length; offset += PAGE, page++) data.setInt32(offset, stamp + page, true);
}

/** What every receiver does before it calls a payload received: checks one word of each page. */
export function wrongPages(bytes: Uint8Array, stamp: number): number {
  if (bytes.length !== PAYLOAD_BYTES) return PAYLOAD_BYTES / PAGE;
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let wrong = 0;
  for (let offset = 0, page = 0; offset < bytes.length; offset += PAGE, page++) {
    if (data.getInt32(offset, true) !== stamp + page) wrong++;
  }
  return wrong;
}

/** Compares every byte with a payload made here. Outside of any measured time. */
export function isWhole(bytes: Uint8Array, stamp: number): boolean {
  const expected = new Uint8Array(PAYLOAD_BYTES);
  produce(expected, stamp);
  return Buffer.compare(bytes, expected) === 0;
}

/** What a receiver reports. */
export interface Receipt {
  /** Its clock (CLOCK_MONOTONIC, one for all processes) right after the check, in nanoseconds. */
  readonly end: number;
  readonly wrong: number;
}

export function clock(): number {
  return Number(process.hrtime.bigint());
}

/** Checks a payload that has arrived, notes the time, and then compares every byte if asked to. */
export function receive(bytes: Uint8Array, stamp: number, whole: boolean): Receipt {
  const wrong = wrongPages(bytes, stamp);
  const end = clock();
  if (whole && !isWhole(bytes, stamp)) throw new Error(`a payload did not arrive byte for byte (stamp ${stamp})`);
  return { end, wrong };
}
