/**
 * `sectile/kernel32`: the application's side of sections, as Win32 has it. The calls return what Win32
 * returns (0, null or false on failure) and say why in GetLastError(); they throw for no input.
 *
 * Names: `Global\X` is the system process's, shared by the whole machine; `Local\X` and plain `X` are
 * this user's own. They are case-sensitive, end at a NUL as C strings do, and hold no backslash.
 */
import '../nt/inherited.js';
import { isSuccess, Status } from '../base/status.js';
import type { View } from '../memory/view.js';
import type { MEM_EXTENDED_PARAMETER } from '../nt/address-requirements.js';
import { type Handle, type Size, ulong, ulong64 } from '../nt/arguments.js';
import { ViewShare } from '../nt/constants.js';
import { flushRange } from '../nt/flush-calls.js';
import { closeHandle, createSectionEx, openSection } from '../nt/section-calls.js';
import { CURRENT_PROCESS } from '../nt/tables.js';
import { mapViewOfSection, unmapViewOfSection } from '../nt/view-calls.js';
import { addressOf, fail, fromHalves, invalidParameter } from './arguments.js';
import { INVALID_HANDLE_VALUE } from './constants.js';
import { attributesToCreate, attributesToOpen, created, type SecurityAttributes } from './object-names.js';
import { openAccess, parseProtect, viewAllocation, viewProtection } from './rules.js';

export type { FaultReport, View } from '../memory/view.js';
export type { Handle, Size } from '../nt/arguments.js';
export type { Overlapped } from './arguments.js';
export * from './constants.js';
export * from './create-process.js';
export * from './devices.js';
export * from './file-locks.js';
export * from './file-moves.js';
export * from './files.js';
export * from './handles.js';
export { GetLastError, SetLastError } from './last-error.js';
export type { SecurityAttributes } from './object-names.js';
export * from './processes.js';
export * from './synchronization.js';
export * from './system-info.js';
export * from './virtual-memory.js';
export * from './waits.js';

/**
 * Creates a section of the paging file or of a file, or opens the one that has the name.
 *
 * @param hFile From CreateFile, with GENERIC_READ, and GENERIC_WRITE for PAGE_READWRITE; or
 * INVALID_HANDLE_VALUE for the paging file.
 * @param lpFileMappingAttributes Who may do what, as SDDL, alone or in SECURITY_ATTRIBUTES; null for
 * the creator's default. It counts when the section is created, not when it is opened.
 * @param flProtect PAGE_READONLY, PAGE_READWRITE, PAGE_WRITECOPY, PAGE_EXECUTE_READ,
 * PAGE_EXECUTE_READWRITE or PAGE_EXECUTE_WRITECOPY, with SEC_COMMIT (the default), SEC_RESERVE (pages
 * are committed by VirtualAlloc), SEC_LARGE_PAGES, SEC_NOCACHE or SEC_WRITECOMBINE.
 * @param dwMaximumSizeHigh Upper 32 bits of the size in bytes.
 * @param dwMaximumSizeLow Lower 32 bits.
 * @param lpName `X`, `Local\X` or `Global\X`; null for an unnamed section.
 * @returns The handle, with the last error ERROR_SUCCESS for a new section and ERROR_ALREADY_EXISTS for
 * one that was opened, whose size and protection are its own. 0 on failure: ERROR_INVALID_PARAMETER,
 * ERROR_INVALID_HANDLE (hFile, or another kind of object has the name), ERROR_ACCESS_DENIED,
 * ERROR_PATH_NOT_FOUND (a backslash in the name, or `Global\` while no system process runs),
 * ERROR_BAD_PATHNAME, ERROR_INVALID_NAME, ERROR_INVALID_SECURITY_DESCR, ERROR_NOT_ENOUGH_MEMORY (too
 * big, or larger than a file that is not to be written), ERROR_COMMITMENT_LIMIT, ERROR_NO_SYSTEM_RESOURCES
 * (large pages), ERROR_FILE_INVALID (an empty file and no size), ERROR_DISK_FULL (the file cannot grow),
 * ERROR_BAD_EXE_FORMAT (no file that can be mapped; no image), ERROR_LOCK_VIOLATION (a locked file).
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-createfilemappingw}
 */
export function CreateFileMapping(
  hFile: Handle,
  lpFileMappingAttributes: string | SecurityAttributes | null,
  flProtect: number,
  dwMaximumSizeHigh: number,
  dwMaximumSizeLow: number,
  lpName: string | null = null,
): Handle {
  const size = fromHalves(dwMaximumSizeHigh, dwMaximumSizeLow);
  if (size === undefined) return invalidParameter(0);
  return CreateFileMappingFromApp(hFile, lpFileMappingAttributes, flProtect, size, lpName);
}

/**
 * As {@link CreateFileMapping}, with the size as one number. No capability is asked for to execute.
 *
 * @param MaximumSize Bytes; 0 for all of a file.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-createfilemappingfromapp}
 */
export function CreateFileMappingFromApp(
  hFile: Handle,
  SecurityAttributes: string | SecurityAttributes | null,
  PageProtection: number,
  MaximumSize: Size,
  Name: string | null = null,
): Handle {
  return createMapping(hFile, SecurityAttributes, null, ulong(PageProtection), MaximumSize, Name, null);
}

/**
 * As {@link CreateFileMapping}, with the handle's rights of the caller's choice and the attributes by themselves.
 *
 * @param DesiredAccess FILE_MAP_…, or other rights of sections, as {@link OpenFileMapping} takes them: a
 * lone 1 is FILE_MAP_COPY there, not SECTION_QUERY.
 * @param PageProtection PAGE_… as there.
 * @param AllocationAttributes SEC_… as there; 0 for SEC_COMMIT.
 * @param MaximumSize Bytes; 0 for all of a file.
 * @param ExtendedParameters MemExtendedParameterNumaNode, which has no effect.
 * @param ParameterCount How many of them count; default: all.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-createfilemapping2}
 */
export function CreateFileMapping2(
  File: Handle,
  SecurityAttributes: string | SecurityAttributes | null,
  DesiredAccess: number,
  PageProtection: number,
  AllocationAttributes: number,
  MaximumSize: Size,
  Name: string | null = null,
  ExtendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  ParameterCount?: number,
): Handle {
  const [access, protection, attributes] = [ulong(DesiredAccess), ulong(PageProtection), ulong(AllocationAttributes)];
  if (access === undefined || protection === undefined || attributes === undefined) return invalidParameter(0);
  const parameters = { all: ExtendedParameters, count: ParameterCount };
  return createMapping(File, SecurityAttributes, access, protection | attributes, MaximumSize, Name, parameters);
}

/** What is common to them; without rights of the caller's choice, those that the protection asks for. */
function createMapping(
  hFile: Handle,
  security: string | SecurityAttributes | null,
  access: number | null,
  flProtect: number | undefined,
  size: Size,
  name: string | null,
  parameters: { readonly all: readonly MEM_EXTENDED_PARAMETER[] | null; readonly count: number | undefined } | null,
): Handle {
  const asked = parseProtect(flProtect ?? 0);
  const bytes = ulong64(size);
  if (asked === null || bytes === undefined) return invalidParameter(0);
  const attributes = attributesToCreate(security, name);
  // Any handle but this one is a file's, NULL as well.
  if (hFile === 0 || hFile === null || hFile === undefined) return fail(Status.STATUS_INVALID_HANDLE, 0);
  const file = hFile === INVALID_HANDLE_VALUE ? null : hFile;
  const { status, sectionHandle } = createSectionEx(
    'user',
    access === null ? asked.access : openAccess(access),
    attributes,
    bytes,
    asked.protection,
    asked.attributes,
    file,
    parameters?.all ?? null,
    parameters?.count,
  );
  return created(status, sectionHandle);
}

/**
 * Opens a named section.
 *
 * @param dwDesiredAccess FILE_MAP_READ, FILE_MAP_WRITE, FILE_MAP_EXECUTE, FILE_MAP_COPY, or
 * FILE_MAP_ALL_ACCESS; other rights of sections as well.
 * @param bInheritHandle Whether children that are created with bInheritHandles get the handle.
 * @param lpName `X`, `Local\X` or `Global\X`.
 * @returns The handle, or 0: ERROR_INVALID_PARAMETER (no name), ERROR_FILE_NOT_FOUND,
 * ERROR_INVALID_HANDLE (another kind of object), ERROR_ACCESS_DENIED, ERROR_PATH_NOT_FOUND.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-openfilemappingw}
 */
export function OpenFileMapping(dwDesiredAccess: number, bInheritHandle: boolean, lpName: string): Handle {
  const access = ulong(dwDesiredAccess);
  if (access === undefined || lpName === null || lpName === undefined) return invalidParameter(0);
  const { status, sectionHandle } = openSection('user', openAccess(access), attributesToOpen(bInheritHandle, lpName));
  return isSuccess(status) ? sectionHandle : fail(status, 0);
}

/**
 * Maps a view of a section into this process.
 *
 * @param hFileMappingObject From CreateFileMapping or OpenFileMapping.
 * @param dwDesiredAccess FILE_MAP_READ, FILE_MAP_WRITE or FILE_MAP_ALL_ACCESS (both: read and write),
 * FILE_MAP_COPY alone (copy-on-write), with FILE_MAP_EXECUTE for executable views. None of them: a view
 * that cannot be accessed. FILE_MAP_LARGE_PAGES of sections with SEC_LARGE_PAGES; FILE_MAP_RESERVE of writable
 * sections over files, as MEM_RESERVE of MapViewOfFile3.
 * @param dwFileOffsetHigh Upper 32 bits of the section's byte where the view starts.
 * @param dwFileOffsetLow Lower 32 bits. Together a multiple of 64 KiB.
 * @param dwNumberOfBytesToMap Bytes; 0 for all to the section's end. Views are whole pages.
 * @returns The view. It lives until it is unmapped, whatever becomes of the handle. Null on failure:
 * ERROR_INVALID_HANDLE, ERROR_ACCESS_DENIED (the handle's rights; or the view would go beyond the
 * section's end), ERROR_INVALID_PARAMETER, ERROR_MAPPED_ALIGNMENT, ERROR_NOT_ENOUGH_MEMORY.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffile}
 */
export function MapViewOfFile(
  hFileMappingObject: Handle,
  dwDesiredAccess: number,
  dwFileOffsetHigh: number,
  dwFileOffsetLow: number,
  dwNumberOfBytesToMap: Size,
): View | null {
  return MapViewOfFileEx(hFileMappingObject, dwDesiredAccess, dwFileOffsetHigh, dwFileOffsetLow, dwNumberOfBytesToMap, null);
}

/**
 * As {@link MapViewOfFile}, at an address of the caller's choice.
 *
 * @param lpBaseAddress Where the view shall start, a multiple of 64 KiB; null to let the system choose.
 * @returns The view, or null: also ERROR_INVALID_ADDRESS (the range is taken), ERROR_MAPPED_ALIGNMENT.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffileex}
 */
export function MapViewOfFileEx(
  hFileMappingObject: Handle,
  dwDesiredAccess: number,
  dwFileOffsetHigh: number,
  dwFileOffsetLow: number,
  dwNumberOfBytesToMap: Size,
  lpBaseAddress: bigint | null,
): View | null {
  const offset = fromHalves(dwFileOffsetHigh, dwFileOffsetLow);
  return mapView(hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, lpBaseAddress);
}

/**
 * As {@link MapViewOfFile}, with the offset as one number. No capability is asked for to execute.
 *
 * @param FileOffset The section's byte where the view starts, a multiple of 64 KiB.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-mapviewoffilefromapp}
 */
export function MapViewOfFileFromApp(
  hFileMappingObject: Handle,
  DesiredAccess: number,
  FileOffset: Size,
  NumberOfBytesToMap: Size,
): View | null {
  return mapView(hFileMappingObject, DesiredAccess, ulong64(FileOffset), NumberOfBytesToMap, null);
}

function mapView(
  section: Handle,
  desiredAccess: number,
  offset: bigint | undefined,
  bytes: Size,
  base: bigint | null,
): View | null {
  const access = ulong(desiredAccess);
  if (access === undefined || offset === undefined) return invalidParameter(null);
  const { status, view } = mapViewOfSection(
    'user',
    section,
    CURRENT_PROCESS,
    base,
    0,
    0,
    offset,
    bytes,
    ViewShare,
    viewAllocation(access),
    viewProtection(access),
  );
  return isSuccess(status) ? view : fail(status, null);
}

/**
 * Unmaps a view: its buffer is detached, its addresses are free.
 *
 * @param lpBaseAddress The view, or any address inside it.
 * @returns Whether it was one; if not, ERROR_INVALID_ADDRESS.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-unmapviewoffile}
 */
export function UnmapViewOfFile(lpBaseAddress: View | bigint): boolean {
  const status = unmapViewOfSection('user', CURRENT_PROCESS, addressOf(lpBaseAddress));
  return isSuccess(status) || fail(status, false);
}

/**
 * Starts writing a range of a file's view to the disk and does not wait for it (`view.flush()` does);
 * for other views there is nothing to do.
 *
 * @param lpBaseAddress The view, or an address inside it.
 * @param dwNumberOfBytesToFlush Bytes; 0 for all to the view's end.
 * @returns Whether it was started; if not, ERROR_INVALID_ADDRESS or ERROR_INVALID_PARAMETER.
 * @see {@link https://learn.microsoft.com/windows/win32/api/memoryapi/nf-memoryapi-flushviewoffile}
 */
export function FlushViewOfFile(lpBaseAddress: View | bigint, dwNumberOfBytesToFlush: Size): boolean {
  const range = flushRange('user', CURRENT_PROCESS, addressOf(lpBaseAddress), dwNumberOfBytesToFlush);
  if ('status' in range) return fail(range.status, false);
  void range.mapped.view.flush(range.start, range.length);
  return true;
}

/**
 * Closes a handle. Views live on; the section's name goes with its last handle.
 *
 * @param hObject A handle of this process.
 * @returns Whether it was closed; if not, ERROR_INVALID_HANDLE.
 * @see {@link https://learn.microsoft.com/windows/win32/api/handleapi/nf-handleapi-closehandle}
 */
export function CloseHandle(hObject: Handle): boolean {
  const status = closeHandle('user', hObject);
  return isSuccess(status) || fail(status, false);
}

export {
  CreateFileMapping as CreateFileMappingA,
  CreateFileMapping as CreateFileMappingW,
  OpenFileMapping as OpenFileMappingA,
  OpenFileMapping as OpenFileMappingW,
};
