/**
 * Memory objects over something that already is: a file, a POSIX shared memory object, a descriptor.
 * Each is looked at before it is trusted: its kind, its size, and how it may be opened.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MAXIMUM_SECTION_SIZE, show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type Descriptor, type DescriptorStat, isOsError, OpenFlag, os, Protect, plainMapping } from '../os/index.js';
import { keepFile } from './file-keeper.js';
import { growFile } from './grow-file.js';
import type { Lease } from './lease.js';
import { type Backing, MemoryObject } from './memory-object.js';
import { sectionErrorFrom } from './system-errors.js';

/** Undefined: as much as the descriptor allows. */
export type OverAccess = 'read' | 'readwrite' | undefined;

const FILE_TYPE = 0o170000;
const fileTypes: ReadonlyMap<number, string> = new Map([
  [0o040000, 'a directory'],
  [0o010000, 'a pipe'],
  [0o140000, 'a socket'],
  [0o020000, 'a character device'],
  [0o060000, 'a block device'],
]);
const REGULAR = 0o100000;
const CHARACTER_DEVICE = 0o020000;

/** The devices of mem(4) that reach physical memory: /dev/mem, /dev/kmem, /dev/port, as major and minor. */
const MEMORY_MAJOR = 1n;
const physicalMinors: readonly bigint[] = [1n, 2n, 4n];

/** Whether a path leads to physical memory, by whatever name: it is never mapped for anybody. */
function isPhysicalMemory(path: string): boolean {
  try {
    const { mode, rdev } = statSync(path, { bigint: true });
    return isPhysicalMemoryDevice(Number(mode), rdev);
  } catch {
    return false; // opening it gives the better error
  }
}

/** Whether a file of this mode and device number is a device that reaches physical memory. */
export function isPhysicalMemoryDevice(mode: number, device: bigint): boolean {
  if ((mode & FILE_TYPE) !== CHARACTER_DEVICE) return false;
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
  const minor = (device & 0xffn) | ((device >> 12n) & ~0xffn);
  return major === MEMORY_MAJOR && physicalMinors.includes(minor);
}

/**
 * Opens a regular file as memory; grows it to `size` when that is larger, allocating the new part so
 * that a full disk is an error now and not a fault later.
 */
export function openFile(operation: string, path: string | URL, access: 'read' | 'readwrite', size?: number): MemoryObject {
  if (typeof path !== 'string' && !(path instanceof URL)) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `path must be a string or a file URL, not ${show(path)}`,
    });
  }
  const file = typeof path === 'string' ? path : pathOfUrl(operation, path);
  const object = `file ${file}`;
  if (file === '' || file.includes('\0'))
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule: `${show(file)} is no path` });
  refusePhysicalMemory(operation, file);
  const write = access === 'readwrite';
  // Not blocking: a pipe or a device must be refused, not waited for.
  const flags = OpenFlag.nonBlocking | (write ? OpenFlag.write : 0);
  const descriptor = opened(operation, object, write, () => os.descriptorOpen(file, flags, 0));
  return complete(operation, object, descriptor, (stat) => {
    requireRegular(operation, object, stat);
    // Known first, so that nobody cuts the file short between the look at its size and the mapping.
    const lease = keepFile(operation, stat, write);
    try {
      return { backing: 'file', size: sizeOfFile(operation, object, descriptor, write, size), writable: write, lease };
    } catch (error) {
      lease.release();
      throw error;
    }
  });
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

function opened(operation: string, object: string, write: boolean, open: () => Descriptor): Descriptor {
  try {
    return open();
  } catch (error) {
    throw sectionErrorFrom(
      error,
      operation,
      object,
      write ? "Check the path and its permissions, or ask for access 'read'" : 'Check the path and its permissions',
    );
  }
}

function complete(
  operation: string,
  object: string,
  descriptor: Descriptor,
  look: (stat: DescriptorStat) => { backing: Backing; size: number; writable: boolean; lease?: Lease },
): MemoryObject {
  try {
    const { lease, ...facts } = look(os.descriptorStat(descriptor));
    return MemoryObject.adopt(descriptor, { ...facts, description: object }, lease);
  } catch (error) {
    os.descriptorClose(descriptor);
    throw sectionErrorFrom(error, operation, object);
  }
}

function requireRegular(operation: string, object: string, stat: DescriptorStat): void {
  const type = stat.mode & FILE_TYPE;
  if (type === REGULAR) return;
  throw new SectionError('ERR_SECTION_FILE', {
    operation,
    object,
    rule: `it is ${fileTypes.get(type) ?? 'no regular file'}`,
    wayOut:
      type === CHARACTER_DEVICE
        ? 'Open the device yourself and use Section.fromDescriptor'
        : 'Only regular files can back a section',
  });
}

function sizeOfFile(operation: string, object: string, descriptor: Descriptor, write: boolean, size?: number): number {
  const stat = os.descriptorStat(descriptor);
  const wanted = size ?? stat.size;
  if (wanted === 0) {
    throw new SectionError('ERR_SECTION_FILE_EMPTY', {
      operation,
      object,
      rule: 'it is empty, and an empty section cannot be',
      wayOut: 'Give a size to grow it (with access readwrite), or write to it first',
    });
  }
  if (wanted > MAXIMUM_SECTION_SIZE) {
    throw new SectionError('ERR_SECTION_TOO_BIG', {
      operation,
      object,
      rule: `it has ${wanted} bytes, a section at most ${MAXIMUM_SECTION_SIZE}`,
    });
  }
  if (wanted <= stat.size) return wanted;
  if (!write) {
    throw new SectionError('ERR_SECTION_TOO_BIG', {
      operation,
      object,
      rule: `size ${wanted} is beyond its ${stat.size} bytes, and a read-only section does not grow it`,
      wayOut: "Ask for access 'readwrite', or for no more than the file has",
    });
  }
  growFile(operation, object, descriptor, wanted);
  return wanted;
}

/** Opens what shm_open(3) made. */
export function openPosixObject(operation: string, name: string, access: 'read' | 'readwrite'): MemoryObject {
  if (typeof name !== 'string' || !/^\/?[^/\0]+$/.test(name) || /^\/?\.\.?$/.test(name) || Buffer.byteLength(name) > 256) {
    throw new SectionError('ERR_SECTION_INVALID_NAME', {
      operation,
      object: show(name),
      rule: 'the name of a POSIX object is a slash and up to 255 bytes without one',
      wayOut: "Give the name that its maker gave to shm_open, such as '/frames'",
    });
  }
  const leaf = name.replace(/^\//, '');
  const object = `POSIX object "/${leaf}"`;
  const write = access === 'readwrite';
  const descriptor = opened(operation, object, write, () => os.posixObjectOpen(leaf, write));
  return complete(operation, object, descriptor, (stat) => {
    if (isPhysicalMemoryDevice(stat.mode, stat.special)) throw physicalMemory(operation, object);
    // A system that keeps them apart from files gives them no type.
    if ((stat.mode & FILE_TYPE) !== 0) requireRegular(operation, object, stat);
    if (stat.size === 0) {
      throw new SectionError('ERR_SECTION_FILE_EMPTY', {
        operation,
        object,
        rule: 'its maker has not given it a size yet',
        wayOut: 'Open it again when the publisher is up',
      });
    }
    return { backing: 'posix', size: stat.size, writable: write };
  });
}

/** Takes a duplicate of a descriptor; `size` says how much of it can be mapped. */
export function openDescriptor(operation: string, fd: number, access: OverAccess, size: number): MemoryObject {
  if (!Number.isInteger(fd) || fd < 0 || fd > 0x7fff_ffff) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      rule: `fd must be a descriptor number, not ${show(fd)}`,
    });
  }
  const object = `descriptor ${fd}`;
  let descriptor: Descriptor;
  try {
    descriptor = os.descriptorFromNumber(fd);
  } catch (cause) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation,
      object,
      rule: 'it is not open in this process',
      ...(isOsError(cause) ? { errno: cause.errno } : {}),
      cause,
    });
  }
  return complete(operation, object, descriptor, (stat) => {
    const type = stat.mode & FILE_TYPE;
    if (type === 0o040000 || type === 0o010000 || type === 0o140000) requireRegular(operation, object, stat);
    if (isPhysicalMemoryDevice(stat.mode, stat.special)) throw physicalMemory(operation, object);
    if (!stat.readable || (access === 'readwrite' && !stat.writable)) {
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation,
        object,
        rule: stat.readable ? 'it was opened for reading' : 'it was not opened for reading, and every view reads',
        wayOut: stat.readable ? "Ask for access 'read', or open it for reading and writing" : 'Open it for reading and writing',
      });
    }
    if (type === REGULAR && size > Math.ceil(stat.size / os.pageSize) * os.pageSize) {
      throw new SectionError('ERR_SECTION_TOO_BIG', {
        operation,
        object,
        rule: `size ${size} is beyond its ${stat.size} bytes`,
        wayOut: 'Ask for no more than it has, or grow it first',
      });
    }
    // What a device says of its first page holds for that alone: an offset may choose what is mapped (UIO, V4L2).
    if (type !== REGULAR && type !== CHARACTER_DEVICE) requireMappable(operation, object, descriptor);
    return { backing: 'descriptor', size, writable: access === undefined ? stat.writable : access === 'readwrite' };
  });
}

/** Tries a page: what can never be mapped (an eventfd) says so at once; other refusals may depend on the range. */
function requireMappable(operation: string, object: string, descriptor: Descriptor): void {
  try {
    const trial = os.map(descriptor, {
      ...plainMapping,
      offset: 0,
      length: 1,
      protection: Protect.read,
      pageSize: os.pageSize,
    });
    os.mappingClose(trial);
  } catch (error) {
    if (!isOsError(error) || error.code !== 'ENODEV') return;
    throw new SectionError('ERR_SECTION_FILE', {
      operation,
      object,
      rule: 'what it is open on cannot be mapped into memory',
      wayOut: 'Use the descriptor of a file, a memfd, a device with mmap, or a mappable eBPF map',
      errno: error.errno,
      cause: error,
    });
  }
}

function refusePhysicalMemory(operation: string, path: string): void {
  if (isPhysicalMemory(path)) throw physicalMemory(operation, path);
}

function physicalMemory(operation: string, object: string): SectionError {
  return new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object,
    rule: 'physical memory is never mapped',
    wayOut: 'Have the driver that owns the memory share a section of its own',
  });
}
