/**
 * What readers of section cases share: the files, names, sizes and handles that the fields speak of, and
 * the two calls, in the caller's own mode.
 */
import { readFileSync } from 'node:fs';
import type { Handle, Size } from 'sectile/ntdll';
import { type FilePlan, makeFile, ntName } from '../files.js';
import { skip, type World } from '../script.js';
import { flags, quantity, status, UnknownWord, wordValue } from '../words.js';

type Inputs = Readonly<Record<string, unknown>>;
export type Caller = 'kernel' | 'user';

const FILE_OPEN = 1;
const FILE_NON_DIRECTORY_FILE = 0x40;
const FILE_ATTRIBUTE_NORMAL = 0x80;
const OPEN_EXISTING = 3;
const FIRST_KERNEL_ADDRESS = 0xffff_8000_0000_0000n;

/** The calls, by who calls. */
export function calls(world: World, caller: Caller) {
  if (caller === 'kernel') {
    const { k } = world;
    return {
      create: k.ZwCreateSection,
      map: k.ZwMapViewOfSection,
      unmap: k.ZwUnmapViewOfSection,
      query: k.ZwQuerySection,
      close: k.ZwClose,
    };
  }
  const { nt } = world;
  return {
    create: nt.NtCreateSection,
    map: nt.NtMapViewOfSection,
    unmap: nt.NtUnmapViewOfSection,
    query: nt.NtQuerySection,
    close: nt.NtClose,
  };
}

/** Closes a handle when the sequence ends, unless a case did before. */
export function closeLater(world: World, caller: Caller, handle: Handle): Handle {
  world.later(() => void calls(world, caller).close(handle));
  return handle;
}

/** Makes a file and opens it as its plan says. @throws Error when it cannot be opened */
export function openFile(world: World, caller: Caller, plan: FilePlan, path = makeFile(world, plan)): Handle {
  if (caller === 'user') {
    const handle = world.win32.CreateFile(path, plan.access, plan.share, null, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL);
    if (handle === world.win32.INVALID_HANDLE_VALUE) throw new Error(`CreateFile: error ${world.win32.GetLastError()}`);
    return closeLater(world, caller, handle);
  }
  const { k } = world;
  const attributes = k.InitializeObjectAttributes(ntName(path), k.OBJ_CASE_INSENSITIVE | k.OBJ_KERNEL_HANDLE);
  const opened = k.ZwCreateFile(
    plan.access,
    attributes,
    null,
    FILE_ATTRIBUTE_NORMAL,
    plan.share,
    FILE_OPEN,
    plan.unmappable ? 0 : FILE_NON_DIRECTORY_FILE,
  );
  if (!k.NT_SUCCESS(opened.status)) throw new Error(`ZwCreateFile: ${status(opened.status)}`);
  return closeLater(world, caller, opened.fileHandle);
}

/** `\BaseNamedObjects\X (OBJ_CASE_INSENSITIVE|OBJ_KERNEL_HANDLE), no root directory`, or null for no name. */
export function objectAttributes(world: World, text: unknown) {
  if (typeof text !== 'string') return null;
  const [, name = text, attributes] = /^(.*?)(?:\s*\(([^)]*)\).*)?$/.exec(text) ?? [];
  return world.nt.InitializeObjectAttributes(name, attributes === undefined ? 0 : flags(attributes));
}

/** Sizes as the suites write them: also `4 MiB`, `<EXEFILE size> - 2`, of a file whose size is given. */
export function sizeOf(text: unknown, fileSize = 0): Size | null {
  if (typeof text !== 'string') return quantity(text);
  const [, digits, unit] = /^(\d+) (KiB|MiB)\b/.exec(text) ?? [];
  if (digits !== undefined) return Number(digits) * (unit === 'KiB' ? 1024 : 1024 * 1024);
  const [, sign, difference] = /^<?\w+ size>?\s*(?:([+-])\s*(\d+))?$/.exec(text) ?? [null];
  if (/^<?\w+ size>?/.test(text)) return fileSize + Number(`${sign ?? '+'}${difference ?? 0}`);
  return quantity(text);
}

/** Handles as the suites write them: `NULL`, `INVALID_HANDLE_VALUE (…)`, `<bogus handle 0xDEAD>`. Undefined for another word. */
export function handleOf(text: unknown): Handle | undefined {
  if (text === null || text === 'NULL') return 0;
  if (typeof text !== 'string') return undefined;
  const bogus = /^<?bogus(?: handle)?:? ?(0x[\da-f]+)?/i.exec(text);
  if (bogus !== null) return Number(BigInt.asIntN(32, BigInt(bogus[1] ?? '0xdeadbeef')));
  try {
    return Number(BigInt.asIntN(32, BigInt(wordValue(text))));
  } catch (error) {
    if (error instanceof UnknownWord) return undefined;
    throw error;
  }
}

/** Process handles: also `current`. */
export function processOf(world: World, text: unknown): Handle {
  if (text === undefined || text === 'current' || text === 'NtCurrentProcess') return world.nt.NtCurrentProcess();
  const handle = handleOf(text);
  if (handle === undefined) throw new UnknownWord(`"${String(text)}" is no process`);
  return handle;
}

/** Base addresses: also the kernel's range, and memory that is taken. */
export function addressOf(world: World, caller: Caller, text: unknown): bigint | null {
  if (typeof text === 'string' && /kernel range/i.test(text)) {
    return FIRST_KERNEL_ADDRESS + BigInt(/\+ ?(\d+)/.exec(text)?.[1] ?? 0);
  }
  if (typeof text === 'string' && /existing VirtualAlloc region/i.test(text)) return allocated(world, caller);
  const value = quantity(text);
  return value === null ? null : BigInt(value);
}

/** The base of some private memory, which goes with the sequence. */
export function allocated(world: World, caller: Caller, size = 0x10000): bigint {
  const { nt } = world;
  const [allocate, free] =
    caller === 'kernel'
      ? [world.k.ZwAllocateVirtualMemory, world.k.ZwFreeVirtualMemory]
      : [nt.NtAllocateVirtualMemory, nt.NtFreeVirtualMemory];
  const result = allocate(nt.NtCurrentProcess(), null, 0, size, nt.MEM_RESERVE | nt.MEM_COMMIT, nt.PAGE_READWRITE);
  if (!nt.NT_SUCCESS(result.status) || result.baseAddress === null) throw new Error(`allocating: ${status(result.status)}`);
  const base = result.baseAddress;
  world.later(() => void free(nt.NtCurrentProcess(), base, 0, nt.MEM_RELEASE));
  return base;
}

export interface Section {
  readonly status: number;
  readonly handle: Handle;
}

/** Creates a section as the fields tell. */
export function createSection(world: World, caller: Caller, inputs: Inputs, file: Handle | null, fileSize = 0): Section {
  const { status: result, sectionHandle } = calls(world, caller).create(
    flags(inputs['desiredAccess'] ?? 'SECTION_ALL_ACCESS'),
    objectAttributes(world, inputs['objectName']),
    sizeOf(inputs['maximumSize'], fileSize),
    flags(inputs['sectionPageProtection']),
    flags(inputs['allocationAttributes']),
    file,
  );
  return { status: result, handle: sectionHandle };
}

/** Maps as the fields tell; fields that are absent take the defaults of a plain call. */
export function mapView(world: World, caller: Caller, section: Handle, inputs: Inputs) {
  return calls(world, caller).map(
    section,
    processOf(world, inputs['process']),
    addressOf(world, caller, inputs['baseAddress'] ?? null),
    quantity(inputs['zeroBits']) ?? 0,
    quantity(inputs['commitSize']) ?? 0,
    quantity(inputs['sectionOffset']),
    quantity(inputs['viewSize']) ?? 0,
    flags(inputs['inherit'] ?? 'ViewShare'),
    flags(inputs['allocationType'] ?? inputs['allocType'] ?? 0),
    flags(inputs['viewProtection'] ?? inputs['protect'] ?? 'PAGE_READWRITE'),
  );
}

/** Image sections are the loader's: their views are laid out by what a program file says. */
export function skipImages(world: World, attributes: unknown, result: number): void {
  if ((flags(attributes ?? 0) & world.nt.SEC_IMAGE) !== 0 && result === world.nt.STATUS_NOT_SUPPORTED)
    skip('no program of Windows runs in a Linux process, so Sectile makes no image sections of valid images, and says so');
}

/** Large pages are set aside by the host's administrator; where there are none to get, nobody can have them. */
export function skipWithoutLargePages(world: World, bytes: number): void {
  const size = world.win32.GetLargePageMinimum();
  const free = size === 0 ? 0 : freeLargePages(size);
  if (free * size < bytes) skip(`this host has ${free} large pages set aside (vm.nr_hugepages), which the case needs`);
}

function freeLargePages(size: number): number {
  try {
    return Number(readFileSync(`/sys/kernel/mm/hugepages/hugepages-${size / 1024}kB/free_hugepages`, 'utf8'));
  } catch {
    return 0;
  }
}
