/**
 * Sections that Sectile makes: in the local registry, by way of the system process, or unnamed.
 */
import { type OverAccess, openDescriptor, openFile, openPosixObject } from '../memory/existing.js';
import type { MemoryObject } from '../memory/memory-object.js';
import { PAGE_READONLY, PAGE_READWRITE, SEC_COMMIT, SEC_FILE, SEC_LARGE_PAGES, SEC_RESERVE } from '../memory/section-masks.js';
import type { SectionSource } from '../memory/section-source.js';
import { MAXIMUM_ALLOWED, SECTION_MAP_READ, SECTION_MAP_WRITE, SECTION_QUERY } from '../security/index.js';
import { createSection, openSection, type SectionCreation } from './lookup.js';

/** A creation over memory that already is. */
function overExisting(access: OverAccess, over: () => MemoryObject): SectionCreation {
  return {
    size: 0, // the memory object says it
    reserve: false,
    largePages: false,
    soleWriter: false,
    pageProtection: access === 'read' ? PAGE_READONLY : PAGE_READWRITE,
    attributes: SEC_FILE,
    security: undefined,
    openExisting: false,
    desired: SECTION_QUERY | SECTION_MAP_READ | (access === 'read' ? 0 : SECTION_MAP_WRITE),
    over,
  };
}

export const ownSections: SectionSource = {
  create: (operation, name, wish) =>
    createSection(operation, name, {
      ...wish,
      pageProtection: PAGE_READWRITE,
      attributes: (wish.reserve ? SEC_RESERVE : SEC_COMMIT) | (wish.largePages ? SEC_LARGE_PAGES : 0),
      desired: MAXIMUM_ALLOWED,
    }),
  open: (operation, name, desired) => openSection(operation, name, desired),
  overFile: (operation, path, access, size, name) =>
    createSection(
      operation,
      name,
      overExisting(access, () => openFile(operation, path, access, size)),
    ),
  overPosix: (operation, name, access) =>
    createSection(
      operation,
      null,
      overExisting(access, () => openPosixObject(operation, name, access)),
    ),
  overDescriptor: (operation, fd, access, size) =>
    createSection(
      operation,
      null,
      overExisting(access, () => openDescriptor(operation, fd, access, size)),
    ),
};
