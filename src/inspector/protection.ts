/**
 * Page protections, section attributes and access masks in words that a person can read. Names only;
 * what a protection allows is decided elsewhere.
 */
import {
  SECTION_ALL_ACCESS,
  SECTION_EXTEND_SIZE,
  SECTION_MAP_EXECUTE,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
} from '../security/index.js';

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

/** SEC_… bits that say how the memory is held. */
const SEC_RESERVE = 0x0400_0000;
const SEC_LARGE_PAGES = 0x8000_0000;

export function isReserved(attributes: number): boolean {
  return (attributes & SEC_RESERVE) !== 0;
}

export function hasLargePages(attributes: number): boolean {
  return (attributes & SEC_LARGE_PAGES) !== 0;
}

const rights: readonly (readonly [number, string])[] = [
  [SECTION_MAP_READ, 'read'],
  [SECTION_MAP_WRITE, 'write'],
  [SECTION_MAP_EXECUTE, 'execute'],
  [SECTION_EXTEND_SIZE, 'extend'],
  [SECTION_QUERY, 'query'],
];

/** The rights of a section that a mask holds: `read, write`; `everything` for SECTION_ALL_ACCESS. */
export function rightsText(mask: number): string {
  if ((mask & SECTION_ALL_ACCESS) === SECTION_ALL_ACCESS) return 'everything';
  const words = rights.filter(([bit]) => (mask & bit) !== 0).map(([, word]) => word);
  return words.length === 0 ? 'none' : words.join(', ');
}
