/**
 * Single assertions in which Wine departs from NT: what it answers instead is asserted there, and told. On Linux and on
 * Windows itself they are assertions like others.
 */
import assert from 'node:assert/strict';

/** Whether Wine plays Windows here. */
const isWine = process.platform === 'win32' && 'WINEHOMEDIR' in process.env;
const told = new Set<string>();

function tell(departure: string): void {
  if (!told.has(departure)) console.log(`# Wine departs from NT: ${departure}`);
  told.add(departure);
}

/** What is expected here. @param onWine What Wine has instead of what NT has. */
export function expected<T>(onNt: T, onWine: T): T {
  if (!isWine) return onNt;
  if (onWine !== onNt) tell(`${JSON.stringify(onWine)} instead of ${JSON.stringify(onNt)}`);
  return onWine;
}

/** An assertion that fails on Wine. @param departure What Wine does instead. */
export function unlessWine(departure: string, assertion: () => void): void {
  if (!isWine) {
    assertion();
    return;
  }
  assert.throws(assertion, Error, `Wine does not depart here any more: ${departure}`);
  tell(departure);
}
