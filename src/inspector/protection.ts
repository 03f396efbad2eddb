/**
 * Page protections and section attributes in words that a person can read. Names only;
 * what a protection allows is decided elsewhere.
 */
import { SEC_LARGE_PAGES, SEC_RESERVE } from '../memory/section-masks.js';

const protections = new Map<number, string>([
  [0x01, 'no access'],
  [0x02, 'read-only'],
  [0x04, 'read-write'],
  [0x08, 'copy-on-write'],
  [0x10, 'execute'],
  [0x20, 'execute-read'],
  [0x40, 'execute-read-write'],
  [0x80, 'execute-copy-on-write'],
]);

/** `read-write` for PAGE_READWRITE, and whether only the creator may make use of it. */
export function protectionText(pageProtection: number, soleWriter: boolean): string {
  const text = protections.get(pageProtection & 0xff) ?? `PAGE 0x${pageProtection.toString(16)}`;
  return soleWriter ? `${text} (creator only)` : text;
}

export function isReserved(attributes: number): boolean {
  return (attributes & SEC_RESERVE) !== 0;
}

export function hasLargePages(attributes: number): boolean {
  return (attributes & SEC_LARGE_PAGES) !== 0;
}
