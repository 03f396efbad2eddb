/**
 * What page protections mean: which a section and a view may have, which view a section allows, what
 * rights a view needs, and how it is mapped. Each fact is one row of one table.
 *
 * Source: nt-semantics 1.2, 1.5 and 1.6; Microsoft's page "Memory Protection Constants".
 */
import type { ViewAccess } from '../memory/memory-object.js';
import { Protect } from '../os/index.js';
import { SECTION_MAP_EXECUTE, SECTION_MAP_READ, SECTION_MAP_WRITE } from '../security/index.js';
import {
  FILE_EXECUTE,
  FILE_READ_DATA,
  FILE_WRITE_DATA,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_EXECUTE_WRITECOPY,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOMBINE,
  PAGE_WRITECOPY,
} from './constants.js';

/** How a view of some protection comes about. */
interface ViewKind {
  /** Rights that the section handle must hold. */
  readonly rights: number;
  /** Bits of `Protect` for the mapping. */
  readonly map: number;
  readonly access: ViewAccess;
}

const { none, read, write, execute } = Protect;

/**
 * Every base protection as a view's. A page that can be executed can be read: PAGE_EXECUTE reads on
 * the processors that NT runs on.
 */
const views: ReadonlyMap<number, ViewKind> = new Map([
  [PAGE_NOACCESS, { rights: SECTION_MAP_READ, map: none, access: 'read' }],
  [PAGE_READONLY, { rights: SECTION_MAP_READ, map: read, access: 'read' }],
  [PAGE_WRITECOPY, { rights: SECTION_MAP_READ, map: read | write, access: 'copy' }],
  [PAGE_READWRITE, { rights: SECTION_MAP_WRITE, map: read | write, access: 'readwrite' }],
  [PAGE_EXECUTE, { rights: SECTION_MAP_EXECUTE, map: read | execute, access: 'read' }],
  [PAGE_EXECUTE_READ, { rights: SECTION_MAP_EXECUTE | SECTION_MAP_READ, map: read | execute, access: 'read' }],
  [PAGE_EXECUTE_WRITECOPY, { rights: SECTION_MAP_EXECUTE | SECTION_MAP_READ, map: read | write | execute, access: 'copy' }],
  [PAGE_EXECUTE_READWRITE, { rights: SECTION_MAP_EXECUTE | SECTION_MAP_WRITE, map: read | write | execute, access: 'readwrite' }],
]);

const DATA_VIEWS = PAGE_NOACCESS | PAGE_READONLY | PAGE_WRITECOPY;
const EXECUTE_VIEWS = PAGE_EXECUTE | PAGE_EXECUTE_READ | PAGE_EXECUTE_WRITECOPY;

interface SectionKind {
  /** The view protections that it allows, as a union of bits. */
  readonly views: number;
  /** Rights that the file behind it must have been opened with. */
  readonly fileRights: number;
}

/** Every protection that a section may have. PAGE_NOACCESS is none. */
const sections: ReadonlyMap<number, SectionKind> = new Map([
  [PAGE_READONLY, { views: DATA_VIEWS, fileRights: FILE_READ_DATA }],
  [PAGE_WRITECOPY, { views: DATA_VIEWS, fileRights: FILE_READ_DATA }],
  [PAGE_READWRITE, { views: DATA_VIEWS | PAGE_READWRITE, fileRights: FILE_READ_DATA | FILE_WRITE_DATA }],
  [PAGE_EXECUTE, { views: PAGE_NOACCESS | PAGE_EXECUTE, fileRights: FILE_EXECUTE }],
  [PAGE_EXECUTE_READ, { views: DATA_VIEWS | EXECUTE_VIEWS, fileRights: FILE_EXECUTE | FILE_READ_DATA }],
  [PAGE_EXECUTE_WRITECOPY, { views: DATA_VIEWS | EXECUTE_VIEWS, fileRights: FILE_EXECUTE | FILE_READ_DATA }],
  [
    PAGE_EXECUTE_READWRITE,
    {
      views: DATA_VIEWS | EXECUTE_VIEWS | PAGE_READWRITE | PAGE_EXECUTE_READWRITE,
      fileRights: FILE_EXECUTE | FILE_READ_DATA | FILE_WRITE_DATA,
    },
  ],
]);

/** Bits that may stand beside a view's base protection, one at a time, and beside anything but PAGE_NOACCESS. */
const MODIFIERS = PAGE_GUARD | PAGE_NOCACHE | PAGE_WRITECOMBINE;
const modifiers: readonly number[] = [0, PAGE_GUARD, PAGE_NOCACHE, PAGE_WRITECOMBINE];

/** A view's protection without the bits that say how, not what, it may access. */
export function baseProtection(protection: number): number {
  return protection & ~MODIFIERS;
}

/** Whether a section can have this protection. */
export function isSectionProtection(protection: number): boolean {
  return sections.has(protection);
}

/** Whether a view can have this protection. */
export function isViewProtection(protection: number): boolean {
  const modifier = protection & MODIFIERS;
  const base = baseProtection(protection);
  return views.has(base) && modifiers.includes(modifier) && (modifier === 0 || base !== PAGE_NOACCESS);
}

/** Whether a section of this protection can have a view of that one. */
export function allowsView(sectionProtection: number, viewProtection: number): boolean {
  return ((sections.get(sectionProtection)?.views ?? 0) & baseProtection(viewProtection)) !== 0;
}

/** Whether somebody can write to the section through some view. */
export function isWritable(sectionProtection: number): boolean {
  return allowsView(sectionProtection, PAGE_READWRITE);
}

/** What a view of a protection can be used for; undefined where no view can have it. */
export function viewAccessOf(protection: number): ViewKind['access'] | undefined {
  const plain = views.get(protection);
  if (plain !== undefined) return plain.access;
  return isViewProtection(protection) ? viewKind(protection).access : undefined;
}

/** How a view of a protection that {@link isViewProtection} knows is made. */
export function viewKind(viewProtection: number): ViewKind {
  const kind = views.get(baseProtection(viewProtection));
  if (kind === undefined) throw new RangeError(`0x${viewProtection.toString(16)} is no view's protection`);
  return kind;
}

/** The rights that a file must have been opened with to back a section of this protection (MmMakeFileAccess). */
export function fileRightsFor(sectionProtection: number): number {
  return sections.get(sectionProtection)?.fileRights ?? 0;
}

/** What a page of a copy-on-write protection has once it was written to and is a copy: it is an ordinary one. */
const afterCopy: ReadonlyMap<number, number> = new Map([
  [PAGE_WRITECOPY, PAGE_READWRITE],
  [PAGE_EXECUTE_WRITECOPY, PAGE_EXECUTE_READWRITE],
]);

/** The protection that copied pages of a view show; the same one where nothing is copied. */
export function protectionOfCopies(protection: number): number {
  const base = baseProtection(protection);
  return (afterCopy.get(base) ?? base) | (protection & MODIFIERS);
}

const READ = 1;
const WRITE = 2;
const EXECUTE = 4;

/** What each base protection lets a page be used for. Writing to a copy needs no more than reading. */
const uses: ReadonlyMap<number, number> = new Map([
  [PAGE_NOACCESS, 0],
  [PAGE_READONLY, READ],
  [PAGE_WRITECOPY, READ],
  [PAGE_READWRITE, READ | WRITE],
  [PAGE_EXECUTE, EXECUTE],
  [PAGE_EXECUTE_READ, READ | EXECUTE],
  [PAGE_EXECUTE_WRITECOPY, READ | EXECUTE],
  [PAGE_EXECUTE_READWRITE, READ | WRITE | EXECUTE],
]);

/** Whether pages of a view that was mapped with one protection can be given another: only what that one allowed. */
export function allowsChange(viewProtection: number, newProtection: number): boolean {
  const allowed = uses.get(baseProtection(viewProtection)) ?? 0;
  return ((uses.get(baseProtection(newProtection)) ?? ~0) & ~allowed) === 0;
}

/** Whether private memory can have a protection: there is no section to copy from. */
export function isPrivateProtection(protection: number): boolean {
  return isViewProtection(protection) && !afterCopy.has(baseProtection(protection));
}
