/**
 * Sections that the kernel makes, where it is NT: created and opened by the system's own calls, with its names, rights
 * and errors.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { OverAccess } from '../memory/existing.js';
import type { ObjectName } from '../memory/object-handle.js';
import { PAGE_READONLY, PAGE_READWRITE, SEC_COMMIT, SEC_LARGE_PAGES, SEC_RESERVE } from '../memory/section-masks.js';
import type { HeldSection, NewSection, SectionSource } from '../memory/section-source.js';
import type { NtSystem } from '../os/index.js';
import {
  GENERIC_READ,
  GENERIC_WRITE,
  MAXIMUM_ALLOWED,
  READ_CONTROL,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
} from '../security/index.js';
import { failureOf, notGranted } from './failure.js';
import { callOf, closeHandle, daclText, grantedAccess } from './handles.js';
import { KernelSection } from './kernel-section.js';
import { securityFromText, soleWriterSecurity } from './security.js';

const INVALID_HANDLE_VALUE = -1;

/** Win32 errors that are told apart here. */
const Win32 = { accessDenied: 5, invalidHandle: 6, notEnoughMemory: 8, alreadyExists: 183 } as const;

class KernelSections implements SectionSource {
  readonly #nt: NtSystem;

  constructor(nt: NtSystem) {
    this.#nt = nt;
  }

  create(operation: string, name: ObjectName | null, wish: NewSection): HeldSection {
    const nt = this.#nt;
    const object = name === null ? 'an unnamed section' : `"${name.full}"`;
    checkName(operation, name);
    if (wish.largePages) this.#checkLargePages(operation, object, wish);
    const security = wish.soleWriter
      ? soleWriterSecurity(nt, operation, wish.security)
      : wish.security === undefined
        ? null
        : securityFromText(nt, operation, wish.security);
    const attributes = (wish.reserve ? SEC_RESERVE : SEC_COMMIT) | (wish.largePages ? SEC_LARGE_PAGES : 0);
    const made = this.#createMapping(
      INVALID_HANDLE_VALUE,
      security,
      (PAGE_READWRITE | attributes) >>> 0,
      wish.size,
      name?.full ?? null,
    );
    const named = name !== null;
    const kind = { backing: 'pagefile', description: object, named, largePages: wish.largePages } as const;
    if (made.handle === 0) {
      if (made.error === Win32.accessDenied && wish.openExisting && name !== null) {
        const existing = this.#openExisting(operation, name);
        if (existing !== null) return existing;
      }
      throw failureOf(operation, object, made.error);
    }
    if (made.error !== Win32.alreadyExists) {
      return new KernelSection(nt, made.handle, kind, grantedAccess(nt, made.handle), wish.size, wish.soleWriter);
    }
    if (!wish.openExisting) {
      closeHandle(nt, made.handle);
      throw failureOf(operation, object, made.error);
    }
    return new KernelSection(nt, made.handle, kind, grantedAccess(nt, made.handle), undefined);
  }

  /** One that could not be made: it exists and grants less than all, and what it grants will do; or there is none (null). */
  #openExisting(operation: string, name: ObjectName): HeldSection | null {
    try {
      return this.open(operation, name, MAXIMUM_ALLOWED);
    } catch (error) {
      if (error instanceof SectionError && error.code === 'ERR_SECTION_NOT_FOUND') return null;
      throw error;
    }
  }

  open(operation: string, name: ObjectName, desired: number): HeldSection {
    const nt = this.#nt;
    const object = `"${name.full}"`;
    checkName(operation, name);
    const open = (access: number): number => callOf(nt, 'OpenFileMappingW')(access, 0, name.full);
    // A publisher may grant the view and not the query.
    let granted = desired === MAXIMUM_ALLOWED ? desired : desired | SECTION_QUERY;
    let handle = open(granted);
    if (handle === 0 && granted !== desired && nt.lastError() === Win32.accessDenied) {
      granted = desired;
      handle = open(granted);
    }
    if (handle === 0) throw this.#notOpened(operation, object, nt.lastError(), open);
    if (granted === MAXIMUM_ALLOWED) granted = grantedAccess(nt, handle);
    return new KernelSection(nt, handle, { backing: 'pagefile', description: object, named: true }, granted, undefined);
  }

  /** Where a caller may know who is granted what, it is said. */
  #notOpened(operation: string, object: string, error: number, open: (access: number) => number): SectionError {
    if (error !== Win32.accessDenied) return failureOf(operation, object, error);
    const handle = open(READ_CONTROL);
    if (handle === 0) return failureOf(operation, object, error);
    const granted = daclText(this.#nt, handle);
    closeHandle(this.#nt, handle);
    return granted === undefined ? failureOf(operation, object, error) : notGranted(operation, object, granted);
  }

  overFile(
    operation: string,
    path: string | URL,
    access: 'read' | 'readwrite',
    size: number | undefined,
    name: ObjectName | null,
  ): HeldSection {
    if (typeof path !== 'string' && !(path instanceof URL)) {
      throw invalid(operation, `path must be a string or a file URL, not ${show(path)}`);
    }
    const file = typeof path === 'string' ? path : pathOfUrl(operation, path);
    if (file === '' || file.includes('\0')) throw invalid(operation, `${show(file)} is no path`);
    const object = `file ${file}`;
    checkName(operation, name);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw noRegularFile(operation, object, 'a directory');
    }
    const rights = access === 'read' ? GENERIC_READ : (GENERIC_READ | GENERIC_WRITE) >>> 0;
    const [shareAll, openExisting] = [7, 3];
    const handle = callOf(this.#nt, 'CreateFileW')(file, rights, shareAll, null, openExisting, 0, 0);
    if (handle === INVALID_HANDLE_VALUE) throw failureOf(operation, object, this.#nt.lastError());
    try {
      const type = callOf(this.#nt, 'GetFileType')(handle);
      if (type !== DISK) throw noRegularFile(operation, object, kindsOfFiles.get(type) ?? 'no file');
      return this.#overHandle(operation, object, handle, access, size, name);
    } finally {
      closeHandle(this.#nt, handle); // the section holds the file
    }
  }

  overPosix(operation: string, name: string): HeldSection {
    throw new SectionError('ERR_SECTION_NATIVE', {
      operation,
      object: show(name),
      rule: 'this system has no POSIX shared memory',
      wayOut: 'Open a named section with Section.open',
    });
  }

  overDescriptor(operation: string, fd: number, access: OverAccess, size: number): HeldSection {
    if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fff_ffff) {
      throw invalid(operation, `fd must be a descriptor number, not ${show(fd)}`);
    }
    const object = `descriptor ${fd}`;
    const handle = callOf(this.#nt, 'uv_get_osfhandle')(fd);
    const none = -2;
    if (handle === INVALID_HANDLE_VALUE || handle === none || callOf(this.#nt, 'GetFileType')(handle) !== DISK) {
      throw invalid(operation, 'it is not open in this process on anything that can be mapped', object);
    }
    const length = new Uint8Array(8);
    callOf(this.#nt, 'GetFileSizeEx')(handle, length);
    if (size > Number(new DataView(length.buffer).getBigUint64(0, true))) {
      throw beyondTheFile(operation, object, size, 'a section over a descriptor does not grow it');
    }
    if (access !== undefined) return this.#overHandle(operation, object, handle, access, size, null);
    try {
      return this.#overHandle(operation, object, handle, 'readwrite', size, null);
    } catch {
      return this.#overHandle(operation, object, handle, 'read', size, null);
    }
  }

  #overHandle(
    operation: string,
    object: string,
    file: number,
    access: 'read' | 'readwrite',
    size: number | undefined,
    name: ObjectName | null,
  ): HeldSection {
    const protect = access === 'read' ? PAGE_READONLY : PAGE_READWRITE;
    const { handle, error } = this.#createMapping(file, null, protect, size ?? 0, name?.full ?? null);
    const label = name === null ? object : `"${name.full}"`;
    if (handle === 0) {
      throw error === Win32.notEnoughMemory && access === 'read'
        ? beyondTheFile(operation, object, size, 'a read-only section does not grow it')
        : failureOf(operation, error === Win32.invalidHandle ? label : object, error);
    }
    if (error === Win32.alreadyExists) {
      closeHandle(this.#nt, handle);
      throw failureOf(operation, label, error);
    }
    const granted = SECTION_QUERY | SECTION_MAP_READ | (access === 'read' ? 0 : SECTION_MAP_WRITE);
    const kind = {
      backing: 'file',
      description: object,
      named: name !== null,
      file: access === 'read' ? null : file,
      meeting: name === null ? this.#nt.meetingOfFile(file) : null,
    } as const;
    return new KernelSection(this.#nt, handle, kind, granted, size);
  }

  #createMapping(
    file: number,
    security: Uint8Array | null,
    protect: number,
    size: number,
    name: string | null,
  ): { readonly handle: number; readonly error: number } {
    const attributes = security === null ? null : ([security, false] as const);
    const [high, low] = [Math.floor(size / 2 ** 32), size % 2 ** 32];
    const handle = callOf(this.#nt, 'CreateFileMappingW')(file, attributes, protect, high, low, name);
    return { handle, error: this.#nt.lastError() };
  }

  #checkLargePages(operation: string, object: string, wish: NewSection): void {
    const minimum = Number(callOf(this.#nt, 'GetLargePageMinimum')());
    const refuse = (code: 'ERR_SECTION_LARGE_PAGES' | 'ERR_SECTION_INVALID_ARGUMENT', rule: string, wayOut?: string): never => {
      throw new SectionError(code, { operation, object, rule, ...(wayOut === undefined ? {} : { wayOut }) });
    };
    if (wish.reserve) {
      refuse('ERR_SECTION_INVALID_ARGUMENT', 'large pages are always committed, so largePages and reserve exclude each other');
    }
    if (minimum === 0) refuse('ERR_SECTION_LARGE_PAGES', 'this host has no large pages');
    if (wish.size % minimum === 0) return;
    const fitting = Math.ceil(wish.size / minimum) * minimum;
    refuse(
      'ERR_SECTION_INVALID_ARGUMENT',
      `with largePages, size must be a multiple of ${minimum}, not ${wish.size}`,
      `Ask for ${fitting}`,
    );
  }
}

function pathOfUrl(operation: string, url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `${show(url.href)} is not the URL of a file`,
      cause,
    });
  }
}

/** What UNICODE_STRING holds of a name that ends in a zero. */
const LONGEST_NAME = 32_766;

/** What the kernel's calls would take for another name, they are not given. */
export function checkName(operation: string, name: ObjectName | null): void {
  if (name === null || (!name.full.includes('\0') && name.full.length <= LONGEST_NAME)) return;
  throw new SectionError('ERR_SECTION_INVALID_NAME', {
    operation,
    object: show(name.full),
    rule: `on Windows a name has no zero in it, and at most ${LONGEST_NAME} characters with its prefix`,
    wayOut: 'Choose another name',
  });
}

const DISK = 1;
/** What GetFileType says. */
const kindsOfFiles: ReadonlyMap<number, string> = new Map([
  [2, 'a character device'],
  [3, 'a pipe or a socket'],
]);

function noRegularFile(operation: string, object: string, kind: string): SectionError {
  const wayOut = 'Only regular files can back a section';
  return new SectionError('ERR_SECTION_FILE', { operation, object, rule: `it is ${kind}`, wayOut });
}

function beyondTheFile(operation: string, object: string, size: number | undefined, rule: string): SectionError {
  return new SectionError('ERR_SECTION_TOO_BIG', {
    operation,
    object,
    rule: `size ${size} is beyond it, and ${rule}`,
    wayOut: "Ask for no more than the file has, or use Section.fromFile with access 'readwrite', which grows it",
  });
}

function invalid(operation: string, rule: string, object?: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule, ...(object === undefined ? {} : { object }) });
}

/** The sections of a system whose kernel is NT. */
export function kernelSections(nt: NtSystem): SectionSource {
  return new KernelSections(nt);
}
