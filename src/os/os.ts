/**
 * What Sectile asks of an operating system, as one interface. Each platform implements it once;
 * nothing outside this folder knows which one it runs on. No names, no rights, no policy here.
 *
 * Every call may throw an {@link OsError}: the operating system said no, and this is its number.
 */

import type { Descriptor, Mapping, Server } from './handles.js';
import type { Mappings, MapRequest, Stretch } from './mappings.js';

/** An error of a system call: `code` is the symbol (`ENOSPC`), `errno` its positive number. */
export interface OsError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
}

export function isOsError(error: unknown): error is OsError {
  return error instanceof Error && 'syscall' in error && 'errno' in error && typeof error.errno === 'number';
}

export interface DescriptorStat {
  /** Device and inode: together the identity of the memory or file behind the descriptor. */
  readonly device: bigint;
  readonly inode: bigint;
  readonly size: number;
  /** File type and permission bits, as in `stat(2)`. */
  readonly mode: number;
  /** Of a device: which one. */
  readonly special: bigint;
  readonly uid: number;
  readonly links: number;
  /** Bytes really allocated. */
  readonly allocated: number;
  /** Whether this descriptor itself was opened for writing (`F_GETFL`). */
  readonly writable: boolean;
  readonly readable: boolean;
}

/** Bits for `descriptorOpen`. */
export const OpenFlag = {
  /** For reading and writing; else for reading. */
  write: 1,
  create: 2,
  exclusive: 4,
  noFollow: 8,
  directory: 16,
  nonBlocking: 32,
  /** For writing, and not for reading. */
  writeOnly: 64,
  /** Only to say which file it is: needs no right to it, and reaches sockets and links as well. */
  pathOnly: 128,
} as const;

/** Bits for `memorySeal`; the values are those of `fcntl(2)` F_SEAL_…. */
export const Seal = { seal: 1, shrink: 2, grow: 4, write: 8, futureWrite: 16 } as const;

/** How memory is committed at birth. */
export const Commit = {
  /** Nothing is set aside: a sparse object. */
  none: 0,
  /** Every page is allocated now; failure is an error now. */
  now: 1,
  /** As `now`, by touching a mapping that asks for transparent huge pages. */
  nowHuge: 2,
} as const;

export interface PeerCredentials {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** One of the two is 0. */
export interface ProcessEnding {
  readonly code: number;
  readonly signal: number;
}

export interface Message {
  readonly bytes: Uint8Array;
  readonly descriptors: readonly Descriptor[];
}

export type ServerEvent =
  | { readonly type: 'connect'; readonly client: number; readonly peer: PeerCredentials }
  | { readonly type: 'message'; readonly client: number; readonly message: Message }
  | { readonly type: 'disconnect'; readonly client: number };

export interface ServerOptions {
  /** Of the socket's file; with an @ at its start, a name outside the file system that goes with the server. */
  readonly path: string;
  /** Permission bits of the socket file. */
  readonly mode: number;
  /** Messages longer than this end the connection. */
  readonly maximumMessage: number;
  /** Descriptors in one message; more end the connection. */
  readonly maximumDescriptors: number;
  /** Whether users other than root and our own may send any at all. */
  readonly descriptorsFromOthers: boolean;
  /** Whether such users are served at all; else their connections end as soon as they are made. */
  readonly clientsFromOthers: boolean;
  /** Whether the process goes on as long as the server listens. */
  readonly keepsProcess: boolean;
  /** Unanswered messages of one client; its socket is not read beyond them. */
  readonly maximumInFlight: number;
  readonly maximumClients: number;
}

/** What this platform is like, where that matters to others. */
export interface OsTraits {
  /**
   * How processes of one user share the memory of a local name: it is taken from one that holds it, or it is a file
   * beside the name's.
   */
  readonly localMemory: 'from-holders' | 'in-files';
  /** Whether memory objects can be sealed: against another size, against further writers. */
  readonly sealsMemory: boolean;
  /** Whether files below /proc show this process and others. */
  readonly showsProcesses: boolean;
  /** The runtime directory of root, for the whole machine. */
  readonly machineDirectory: string;
  /** Directories of the present user alone, where they are there, best first. */
  userDirectories(uid: number): readonly string[];
}

/** Addresses of this process that are in use. */
export interface AddressRange {
  readonly start: bigint;
  readonly end: bigint;
  /** Whether a file is mapped there. */
  readonly isFile: boolean;
}

export interface Os extends Mappings, OsTraits {
  // Descriptors
  descriptorOpen(path: string, flags: number, mode: number): Descriptor;
  /**
   * A new description of the same object, with its own access mode (and fresh permission check). ENOSYS where the system
   * cannot: of an object without a path, that came from another process.
   */
  descriptorReopen(descriptor: Descriptor, write: boolean): Descriptor;
  /** Takes a duplicate of a descriptor number that belongs to the caller. */
  descriptorFromNumber(number: number): Descriptor;
  /** Takes over a descriptor number that this process was born with and that nobody in it uses. */
  descriptorAdopt(number: number): Descriptor;
  /** Opens what shm_open(3) made under a name without a slash. */
  posixObjectOpen(name: string, write: boolean): Descriptor;
  /** Where an open file is now, as far as the system tells. */
  descriptorPath(descriptor: Descriptor): string;
  /** The number in this process, for `/proc/PID/fd`. It is valid while the descriptor is open. */
  descriptorNumber(descriptor: Descriptor): number;
  descriptorStat(descriptor: Descriptor): DescriptorStat;
  /** Reads at a position; returns the bytes read, fewer at the end. */
  descriptorRead(descriptor: Descriptor, target: Uint8Array, position: number): number;
  /** Writes all of `source` at a position, with one system call when it is below a page. */
  descriptorWrite(descriptor: Descriptor, source: Uint8Array, position: number): void;
  descriptorResize(descriptor: Descriptor, size: number): void;
  /** Allocates storage for a range so that later writes cannot fail for want of space; grows the file. */
  descriptorAllocate(descriptor: Descriptor, offset: number, length: number): void;
  descriptorSetMode(descriptor: Descriptor, mode: number): void;
  /** Safe to call twice. */
  descriptorClose(descriptor: Descriptor): void;
  /** Gives the number up to somebody who closes it himself, such as a stream of Node.js. */
  descriptorRelease(descriptor: Descriptor): number;
  /** A pipe, for telling the one who has the reader that the writer was closed. */
  pipeCreate(): [reader: Descriptor, writer: Descriptor];

  // Memory objects
  /**
   * A new anonymous memory object that only descriptors name. `largePageSize` 0 for ordinary pages.
   * Grow, shrink and seal are left open: seal when it is complete.
   */
  memoryCreate(label: string, size: number, commit: number, largePageSize: number): Descriptor;
  /** The same on another thread. */
  memoryCreateAsync(label: string, size: number, commit: number, largePageSize: number): Promise<Descriptor>;
  /** A memory object that is a new file at a path. `Commit.none` gives it a map of its committed pages. */
  memoryCreateFile(path: string, size: number, commit: number): Descriptor;
  memorySeal(descriptor: Descriptor, seals: number): void;
  /** The seals, or -1 where the object cannot have any. */
  memorySeals(descriptor: Descriptor): number;

  // Mappings
  map(descriptor: Descriptor, request: MapRequest): Mapping;
  /**
   * A further writable mapping of what `source` maps, made from the mapping and not from a descriptor:
   * it succeeds where future writable maps are sealed off. `offset` counts from the start of `source`.
   */
  mapAgain(source: Mapping, descriptor: Descriptor, request: MapRequest): Mapping;
  /** Private memory of zeros, of no object: `request.private`, offset 0. Without access it is reserved addresses. */
  mapPrivate(request: MapRequest): Mapping;
  /**
   * Sets the protection of whole pages, and whether they are the object's or, once written to, copies of
   * their own. Pages that are copies stay so. Needs `keepDescriptor`.
   */
  mappingProtectPages(mapping: Mapping, offset: number, length: number, protection: number, private_: boolean): void;
  /**
   * Commits whole pages for everybody who maps the object, by the mapping's rule. `allocateFirst` makes a
   * full memory an error before any page is there, at the price of huge pages where the host gives them unasked.
   */
  mappingCommit(mapping: Mapping, offset: number, length: number, allocateFirst: boolean): void;
  /** Whether pages are committed; `length` says how far to look. */
  mappingCommitted(mapping: Mapping, offset: number, length: number): Stretch;
  /** Whether pages of a private mapping are copies of its own by now. */
  mappingCopied(mapping: Mapping, offset: number, length: number): Stretch;
  /** Gives pages of private memory back: they read as zeros from now on. */
  mappingDiscard(mapping: Mapping, offset: number, length: number): void;
  /** What is in use of the address space, in order. */
  addressRanges(): Iterable<AddressRange>;
  /** Number of the descriptor that the mapping keeps, or -1. */
  mappingDescriptor(mapping: Mapping): number;
  /** Cuts private memory in two; returns the part from `offset` on. */
  mappingSplit(mapping: Mapping, offset: number): Mapping;
  /** Joins private memory with that right behind it, whose handle is closed then. */
  mappingJoin(mapping: Mapping, next: Mapping): void;
  /** Closes a mapping and keeps its addresses, as reserved private memory. EBUSY while work on it goes on. */
  mappingVacate(mapping: Mapping): Mapping;
  // Locks: held by the descriptor's open file description, dropped by the kernel when it closes.
  /** Tries an exclusive lock on a byte range; length 0 for all from `start` on. It needs a descriptor that writes. */
  lockTry(descriptor: Descriptor, start: number, length: number): boolean;
  /** Tries a lock that others may share; it takes the place of an exclusive one. It needs a descriptor that reads. */
  lockShare(descriptor: Descriptor, start: number, length: number): boolean;
  /** As `lockTry`, for at most so many milliseconds. */
  lockWait(descriptor: Descriptor, start: number, length: number, timeout: number): boolean;
  unlock(descriptor: Descriptor, start: number, length: number): void;
  /** Start of the first range in which somebody else holds a lock, or -1. */
  lockHolder(descriptor: Descriptor, start: number, length: number): number;
  /** As `lockHolder`, for exclusive locks alone. */
  lockExcluder(descriptor: Descriptor, start: number, length: number): number;

  // Processes: a descriptor means one process for good, never a later one with its number.
  processOpen(pid: number): Descriptor;
  /** Its number; ESRCH when it has been reaped, EINVAL for what is no process of this process's space. */
  processId(process: Descriptor): number;
  /** A number that no other process with this one has; null when it has ended, undefined where that cannot be told. */
  processStart(pid: number): bigint | null | undefined;
  /** The arguments that a process was started with, NULs between them, or its program; null when it has gone, or hides. */
  processCommand(pid: number): string | null;
  /** Which processes numbers mean to this one, where there are several such spaces; else 0n. */
  processNamespace(): bigint;
  processHasEnded(process: Descriptor): boolean;
  /**
   * How a child of this process ended, or null while it runs. Of others, and once it is reaped, Linux 6.15 knows it when they
   * have been reaped; else it throws ECHILD.
   */
  processEnding(process: Descriptor): ProcessEnding | null;
  /** Ends the process at once: SIGKILL. */
  processKill(process: Descriptor): void;

  // Sockets: message boundaries kept, descriptors travel beside the bytes, no event loop reads them.
  socketConnect(path: string): Descriptor;
  socketPeer(descriptor: Descriptor): PeerCredentials;
  /** Sends one message and waits for one answer, at most `timeout` milliseconds (else ETIMEDOUT). */
  socketRequest(descriptor: Descriptor, bytes: Uint8Array, descriptors: readonly Descriptor[], timeout: number): Message;

  /** Listens, with a thread that reads and hands over on this thread. */
  serverListen(options: ServerOptions, listener: (event: ServerEvent) => void): Server;
  /** Answers the oldest unanswered message of a client. A client that does not read is cut off. */
  serverReply(server: Server, client: number, bytes: Uint8Array, descriptors: readonly Descriptor[]): void;
  /** Ends a connection; `disconnect` follows. */
  serverCut(server: Server, client: number): void;
  /** Ends all connections and removes the socket file. Safe to call twice. */
  serverClose(server: Server): void;
}
