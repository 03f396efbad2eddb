/**
 * How Win32's parameters become NT's, as tables: the rights that a page protection asks for, the
 * protection that an access to a view means.
 *
 * Source: nt-semantics 1.10.
 */
import {
  MEM_LARGE_PAGES,
  MEM_RESERVE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_EXECUTE_WRITECOPY,
  PAGE_NOACCESS,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOPY,
  SEC_COMMIT,
  SEC_FILE,
  SEC_IMAGE,
  SEC_LARGE_PAGES,
  SEC_NOCACHE,
  SEC_RESERVE,
  SEC_WRITECOMBINE,
  SECTION_MAP_EXECUTE,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
  STANDARD_RIGHTS_REQUIRED,
} from '../nt/constants.js';
import {
  FILE_MAP_COPY,
  FILE_MAP_EXECUTE,
  FILE_MAP_LARGE_PAGES,
  FILE_MAP_READ,
  FILE_MAP_RESERVE,
  FILE_MAP_WRITE,
} from './constants.js';

const READ = STANDARD_RIGHTS_REQUIRED | SECTION_QUERY | SECTION_MAP_READ;

/** The protections that CreateFileMapping takes, and the rights its handle asks for. */
const handleAccess: ReadonlyMap<number, number> = new Map([
  [PAGE_READONLY, READ],
  [PAGE_WRITECOPY, READ],
  [PAGE_READWRITE, READ | SECTION_MAP_WRITE],
  [PAGE_EXECUTE_READ, READ | SECTION_MAP_EXECUTE],
  [PAGE_EXECUTE_WRITECOPY, READ | SECTION_MAP_EXECUTE],
  [PAGE_EXECUTE_READWRITE, READ | SECTION_MAP_WRITE | SECTION_MAP_EXECUTE],
]);

const SEC_FLAGS = SEC_FILE | SEC_IMAGE | SEC_RESERVE | SEC_COMMIT | SEC_NOCACHE | SEC_WRITECOMBINE | SEC_LARGE_PAGES;

/** What flProtect of CreateFileMapping says: protection and attributes in one. Null if it is invalid. */
export function parseProtect(
  flProtect: number,
): { readonly protection: number; readonly attributes: number; readonly access: number } | null {
  const attributes = (flProtect & SEC_FLAGS) >>> 0;
  const protection = (flProtect & ~SEC_FLAGS) >>> 0;
  const access = handleAccess.get(protection);
  return access === undefined ? null : { protection, attributes: attributes === 0 ? SEC_COMMIT : attributes, access };
}

/** The rights that OpenFileMapping asks for: FILE_MAP_COPY and FILE_MAP_EXECUTE are words of Win32 alone. */
export function openAccess(desiredAccess: number): number {
  if (desiredAccess === FILE_MAP_COPY) return SECTION_MAP_READ;
  return (desiredAccess & FILE_MAP_EXECUTE) === 0 ? desiredAccess : (desiredAccess & ~FILE_MAP_EXECUTE) | SECTION_MAP_EXECUTE;
}

/** The first row whose bits are asked for decides: the protection, and the one with FILE_MAP_EXECUTE. */
const viewProtections = {
  copy: [PAGE_WRITECOPY, PAGE_EXECUTE_WRITECOPY],
  write: [PAGE_READWRITE, PAGE_EXECUTE_READWRITE],
  read: [PAGE_READONLY, PAGE_EXECUTE_READ],
  none: [PAGE_NOACCESS, PAGE_NOACCESS],
} as const;

/** The protection that a view gets for an access: writing beats copying, copying counts only alone. */
export function viewProtection(desiredAccess: number): number {
  const access = desiredAccess & ~(FILE_MAP_EXECUTE | FILE_MAP_LARGE_PAGES | FILE_MAP_RESERVE);
  const reads = (access & FILE_MAP_READ) !== 0 ? 'read' : 'none';
  const kind = access === FILE_MAP_COPY ? 'copy' : (access & FILE_MAP_WRITE) !== 0 ? 'write' : reads;
  return viewProtections[kind][(desiredAccess & FILE_MAP_EXECUTE) === 0 ? 0 : 1];
}

/** What an access to a view says of how it is mapped: MEM_…. */
export function viewAllocation(desiredAccess: number): number {
  const large = (desiredAccess & FILE_MAP_LARGE_PAGES) === 0 ? 0 : MEM_LARGE_PAGES;
  return large | ((desiredAccess & FILE_MAP_RESERVE) === 0 ? 0 : MEM_RESERVE);
}
