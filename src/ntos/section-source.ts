/**
 * Sections that the kernel makes, where it is NT: created and opened by the system's own calls, with its names, rights
 * and errors.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import type { OverAccess } from '../memory/existing.js';
import type { Backing, MapOptions } from '../memory/memory-object.js';
import type { ObjectName } from '../memory/object-handle.js';
import { PAGE_READONLY, PAGE_READWRITE, SEC_COMMIT, SEC_LARGE_PAGES, SEC_RESERVE } from '../memory/section-masks.js';
import type { HeldSection, NewSection, SectionMemory, SectionSource } from '../memory/section-source.js';
import { MapFlag, type Mapping, type NtSystem, os, Protect } from '../os/index.js';
import {
  GENERIC_READ,
  GENERIC_WRITE,
  MAXIMUM_ALLOWED,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
} from '../security/index.js';
import { failureOf, failureOfStatus } from './failure.js';
import { callOf, closeHandle, grantedAccess, sectionFacts } from './handles.js';
import { securityFromText, soleWriterSecurity } from './security.js';

const PAGE_WRITECOPY = 0x08;
const ViewUnmap = 2;
const MEM_LARGE_PAGES = 0x2000_0000;
const INVALID_HANDLE_VALUE = -1;
/** The kernel's allocation granularity, on every processor. */
const GRANULARITY = 0x10000;

/** Win32 errors that are told apart here. */
const Win32 = { accessDenied: 5, invalidHandle: 6, notEnoughMemory: 8, alreadyExists: 183 } as const;

/** How a view is asked of the kernel: by whether it writes, and whether privately. */
const protectionOf = (writes: boolean, copies: boolean): number =>
  copies ? PAGE_WRITECOPY : writes ? PAGE_READWRITE : PAGE_READONLY;

class KernelMemory implements SectionMemory {
  readonly granularity = GRANULARITY;
  readonly backing: Backing;
  readonly writable: boolean;
  readonly description: string;
  readonly #nt: NtSystem;
  readonly #handle: number;
  readonly #allocationType: number;
  readonly #flags: number;

  constructor(nt: NtSystem, handle: number, facts: SectionKind & { readonly writable: boolean }) {
    this.#nt = nt;
    this.#handle = handle;
    this.backing = facts.backing;
    this.writable = facts.writable;
    this.description = facts.description;
    this.#allocationType = facts.largePages ? MEM_LARGE_PAGES : 0;
    this.#flags = facts.backing === 'pagefile' ? MapFlag.commitOnTouch : 0;
  }

  map(operation: string, object: string, { offset, length, protection, private: copies, address = 0n }: MapOptions): Mapping {
    const mapped = this.#nt.mapSection(
      this.#handle,
      BigInt(offset),
      BigInt(length),
      protectionOf((protection & Protect.write) !== 0, copies),
      address,
      this.#allocationType,
      this.#flags,
      0n,
      0n,
      ViewUnmap,
      null,
    );
    if (typeof mapped === 'number') throw failureOfStatus(operation, object, mapped);
    return mapped;
  }

  /** The kernel counts views itself. */
  holdForView(): null {
    return null;
  }
}

/** What is known of a section before it is asked. */
interface SectionKind {
  readonly backing: Backing;
  readonly description: string;
  readonly largePages?: boolean;
}

class KernelSection implements HeldSection {
  readonly memory: KernelMemory;
  readonly facts: { readonly size: number; readonly soleWriter: boolean };
  readonly granted: number;
  readonly #nt: NtSystem;
  readonly #handle: number;
  #closed = false;

  /** Takes over the handle. @param size Undefined: as large as the kernel says. */
  constructor(nt: NtSystem, handle: number, kind: SectionKind, granted: number, size: number | undefined, soleWriter = false) {
    this.#nt = nt;
    this.#handle = handle;
    this.granted = granted;
    this.memory = new KernelMemory(nt, handle, { ...kind, writable: (granted & SECTION_MAP_WRITE) !== 0 });
    this.facts = { size: size ?? sectionFacts(nt, handle)?.size ?? this.#mappedSize(), soleWriter };
  }

  /** A handle that grants no query: a view of the whole says how large it is. */
  #mappedSize(): number {
    const whole = this.#nt.mapSection(this.#handle, 0n, 0n, PAGE_READONLY, 0n, 0, MapFlag.exact, 0n, 0n, ViewUnmap, null);
    if (typeof whole === 'number') return 0; // no view can be had: whoever maps one is told why
    const size = this.#nt.mappingLength(whole);
    os.mappingClose(whole);
    return size;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeHandle(this.#nt, this.#handle);
  }
}

class KernelSections implements SectionSource {
  readonly #nt: NtSystem;

  constructor(nt: NtSystem) {
    this.#nt = nt;
  }

  create(operation: string, name: ObjectName | null, wish: NewSection): HeldSection {
    const nt = this.#nt;
    const object = name === null ? 'an unnamed section' : `"${name.full}"`;
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
    const kind = { backing: 'pagefile', description: object, largePages: wish.largePages } as const;
    if (made.handle === 0) {
      // It exists and grants less than all: what it grants will do.
      if (made.error === Win32.accessDenied && wish.openExisting && name !== null)
        return this.open(operation, name, MAXIMUM_ALLOWED);
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

  open(operation: string, name: ObjectName, desired: number): HeldSection {
    const nt = this.#nt;
    const object = `"${name.full}"`;
    const open = (access: number): number => callOf(nt, 'OpenFileMappingW')(access, 0, name.full);
    // A publisher may grant the view and not the query.
    let granted = desired === MAXIMUM_ALLOWED ? desired : desired | SECTION_QUERY;
    let handle = open(granted);
    if (handle === 0 && granted !== desired && nt.lastError() === Win32.accessDenied) {
      granted = desired;
      handle = open(granted);
    }
    if (handle === 0) throw failureOf(operation, object, nt.lastError());
    if (granted === MAXIMUM_ALLOWED) granted = grantedAccess(nt, handle);
    return new KernelSection(nt, handle, { backing: 'pagefile', description: object }, granted, undefined);
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
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
      throw new SectionError('ERR_SECTION_FILE', {
        operation,
        object,
        rule: 'it is a directory',
        wayOut: 'Only regular files can back a section',
      });
    }
    const rights = access === 'read' ? GENERIC_READ : (GENERIC_READ | GENERIC_WRITE) >>> 0;
    const [shareAll, openExisting] = [7, 3];
    const handle = callOf(this.#nt, 'CreateFileW')(file, rights, shareAll, null, openExisting, 0, 0);
    if (handle === INVALID_HANDLE_VALUE) throw failureOf(operation, object, this.#nt.lastError());
    try {
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
    const [none, disk] = [-2, 1];
    if (handle === INVALID_HANDLE_VALUE || handle === none || callOf(this.#nt, 'GetFileType')(handle) !== disk) {
      throw invalid(operation, 'it is not open in this process on anything that can be mapped', object);
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
        ? new SectionError('ERR_SECTION_TOO_BIG', {
            operation,
            object,
            rule: `size ${size} is beyond it, and a read-only section does not grow it`,
            wayOut: "Ask for access 'readwrite', or for no more than the file has",
            errno: error,
          })
        : failureOf(operation, error === Win32.invalidHandle ? label : object, error);
    }
    if (error === Win32.alreadyExists) {
      closeHandle(this.#nt, handle);
      throw failureOf(operation, label, error);
    }
    const granted = SECTION_QUERY | SECTION_MAP_READ | (access === 'read' ? 0 : SECTION_MAP_WRITE);
    return new KernelSection(this.#nt, handle, { backing: 'file', description: object }, granted, size);
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

function invalid(operation: string, rule: string, object?: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule, ...(object === undefined ? {} : { object }) });
}

/** The sections of a system whose kernel is NT. */
export function kernelSections(nt: NtSystem): SectionSource {
  return new KernelSections(nt);
}
