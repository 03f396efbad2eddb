/**
 * Which page protections and attributes a section can have: what NT keeps with it, as data. The NT faces
 * have the rules of their calls; this is what whoever keeps sections can rely on.
 */

export const PAGE_READONLY = 0x02;
export const PAGE_READWRITE = 0x04;

/** PAGE_READONLY … PAGE_EXECUTE_WRITECOPY: each stands alone. */
const protections: ReadonlySet<number> = new Set([PAGE_READONLY, PAGE_READWRITE, 0x08, 0x10, 0x20, 0x40, 0x80]);

/** PAGE_READWRITE, PAGE_EXECUTE_READWRITE */
const WRITABLE = PAGE_READWRITE | 0x40;

/** Whether a section's page protection lets anybody have shared writable views. */
export function sharedWritable(pageProtection: number): boolean {
  return (pageProtection & WRITABLE) !== 0;
}

export const SEC_FILE = 0x0080_0000;
export const SEC_RESERVE = 0x0400_0000;
export const SEC_COMMIT = 0x0800_0000;
export const SEC_LARGE_PAGES = 0x8000_0000;

/** Attributes beside those above: BASED, NO_CHANGE, IMAGE, NOCACHE, WRITECOMBINE. */
const OTHERS = 0x0020_0000 | 0x0040_0000 | 0x0100_0000 | 0x1000_0000 | 0x4000_0000;

/** Whether this is a page protection that a section can have. */
export function isSectionProtection(pageProtection: number): boolean {
  return protections.has(pageProtection);
}

/** Whether a section that is made like this can have these attributes. */
export function areSectionAttributes(
  attributes: number,
  made: { readonly reserve: boolean; readonly largePages: boolean; readonly fileBacked: boolean },
): boolean {
  const has = (bit: number) => (attributes & bit) !== 0;
  if ((attributes & ~(SEC_FILE | SEC_RESERVE | SEC_COMMIT | SEC_LARGE_PAGES | OTHERS)) !== 0) return false;
  if (made.fileBacked) return has(SEC_FILE) && !has(SEC_LARGE_PAGES);
  return (
    !has(SEC_FILE) &&
    has(SEC_RESERVE) === made.reserve &&
    has(SEC_COMMIT) !== made.reserve &&
    has(SEC_LARGE_PAGES) === made.largePages
  );
}
