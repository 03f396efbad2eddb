/**
 * The memory behind a section: one descriptor, its size and what may be done with it. Knows nothing
 * of names and rights; whoever opens a section gets a memory object that can do no more than granted.
 */
import { dirname } from 'node:path';
import { SectionError, type SectionErrorCode } from '../base/error.js';
import { Status } from '../base/status.js';
import { Commit, CommitRule, type Descriptor, isOsError, type Mapping, os, Protect, plainMapping, Seal } from '../os/index.js';
import { checkCommit } from './commit.js';
import { keepFile } from './file-keeper.js';
import { hugePagesHelp, largePages, transparentHugePages } from './huge-pages.js';
import type { Lease } from './lease.js';

/** What a section's memory is: the paging file (anonymous memory), or something that already is. */
export type Backing = 'pagefile' | 'file' | 'posix' | 'descriptor';

/** How a view may be used. `copy` is copy-on-write: writes stay in the view. */
export type ViewAccess = 'read' | 'readwrite' | 'copy';

export interface MapOptions {
  readonly offset: number;
  readonly length: number;
  /** Bits of `Protect`. */
  readonly protection: number;
  readonly private: boolean;
  /** Address of byte `offset`, or 0n. */
  readonly address?: bigint | undefined;
  /** Alignment of the view's base, for faces that promise one; default the page size. */
  readonly alignment?: number;
  /** One of `CommitRule`: which pages are accessible. Default all, and touching them commits them. */
  readonly commit?: number;
  /** Single pages of it shall be changed: it keeps a descriptor of its own. */
  readonly paged?: boolean;
  /** A reserved range of private memory that it takes the place of. */
  readonly replaces?: Mapping | null;
}

export interface PagefileOptions {
  /** Shown in /proc as the object's name; carries no meaning. */
  readonly label: string;
  readonly size: number;
  readonly reserve?: boolean;
  readonly largePages?: boolean;
  /** Only this object may ever be mapped for writing: the kernel refuses every later writable map. */
  readonly soleWriter?: boolean;
  /** Further seals may still be set, by whoever gets a writable descriptor. */
  readonly leaveSealable?: boolean;
  /** Make it a new file at this path, for others of this user to find. Such memory cannot be sealed. */
  readonly path?: string | undefined;
}

const READ_BY_OWNER = 0o400;

/** Which code an operating system error becomes when memory is made or mapped. */
const codeOfErrno: Readonly<Record<string, SectionErrorCode>> = {
  EACCES: 'ERR_SECTION_ACCESS_DENIED',
  EPERM: 'ERR_SECTION_ACCESS_DENIED',
  EEXIST: 'ERR_SECTION_ADDRESS_CONFLICT',
  ENOMEM: 'ERR_SECTION_NO_MEMORY',
  EAGAIN: 'ERR_SECTION_NO_MEMORY',
  ENOSPC: 'ERR_SECTION_DISK_FULL',
  EDQUOT: 'ERR_SECTION_DISK_FULL',
  ENODEV: 'ERR_SECTION_FILE',
  ENOENT: 'ERR_SECTION_NOT_FOUND',
  EISDIR: 'ERR_SECTION_FILE',
  EBADF: 'ERR_SECTION_CLOSED',
  EMFILE: 'ERR_SECTION_LIMIT',
  ENFILE: 'ERR_SECTION_LIMIT',
  EFBIG: 'ERR_SECTION_TOO_BIG',
  EOVERFLOW: 'ERR_SECTION_TOO_BIG',
};

/** Turns an operating system error into a {@link SectionError}; passes anything else through. */
export function sectionErrorFrom(error: unknown, operation: string, object: string, wayOut?: string): unknown {
  if (!isOsError(error)) return error;
  const code = codeOfErrno[error.code] ?? 'ERR_SECTION_SYSTEM_CALL';
  const advice =
    code === 'ERR_SECTION_LIMIT' ? 'Close sections and read-only views, or raise the limit of open files (ulimit -n)' : wayOut;
  return new SectionError(code, {
    operation,
    object,
    rule: `the system refused: ${error.message}`,
    ...(advice === undefined ? {} : { wayOut: advice }),
    errno: error.errno,
    cause: error,
  });
}

/** Rounds up to whole pages. */
export function roundUp(size: number, page: number): number {
  return Math.ceil(size / page) * page;
}

export class MemoryObject {
  readonly backing: Backing;
  /** Bytes that views may cover. */
  readonly size: number;
  /** The host's page, or the large page that this object is made of. */
  readonly pageSize: number;
  /** Whether shared writable views can be had from this object. */
  readonly writable: boolean;
  readonly soleWriter: boolean;
  /** How messages name the memory when its section has no name. */
  readonly description: string;
  readonly #descriptor: Descriptor;
  /** The one writable mapping that a sole writer's further ones come from. */
  readonly #writer: Mapping | null;
  /** How many objects use descriptor and writer. */
  readonly #uses: { count: number; readonly lease: Lease | null };
  #closed = false;
  #isSealed: boolean | undefined;

  private constructor(
    descriptor: Descriptor,
    facts: { backing: Backing; size: number; pageSize?: number; writable: boolean; description?: string },
    writer: Mapping | null = null,
    uses: { count: number; readonly lease: Lease | null } = { count: 0, lease: null },
  ) {
    this.#descriptor = descriptor;
    this.#uses = uses;
    uses.count++;
    this.backing = facts.backing;
    this.size = facts.size;
    this.pageSize = facts.pageSize ?? os.pageSize;
    this.writable = facts.writable;
    this.soleWriter = writer !== null;
    this.description = facts.description ?? 'an unnamed section';
    this.#writer = writer;
  }

  /** New anonymous memory: committed unless `reserve`, its size sealed. */
  static createPagefile(operation: string, object: string, options: PagefileOptions): MemoryObject {
    const plan = planPagefile(operation, object, options);
    try {
      const { label, path, mapped, commit, largePageSize } = plan;
      const descriptor =
        path === undefined ? os.memoryCreate(label, mapped, commit, largePageSize) : os.memoryCreateFile(path, mapped, commit);
      return MemoryObject.#complete(descriptor, plan);
    } catch (error) {
      throw creationError(error, operation, object, plan);
    }
  }

  /** As {@link createPagefile}, with the pages zeroed on another thread. */
  static async createPagefileAsync(operation: string, object: string, options: PagefileOptions): Promise<MemoryObject> {
    const plan = planPagefile(operation, object, options);
    try {
      return MemoryObject.#complete(await os.memoryCreateAsync(plan.label, plan.mapped, plan.commit, plan.largePageSize), plan);
    } catch (error) {
      throw creationError(error, operation, object, plan);
    }
  }

  static #complete(descriptor: Descriptor, plan: PagefilePlan): MemoryObject {
    const facts = { backing: 'pagefile', size: plan.size, pageSize: plan.pageSize } as const;
    const size = Seal.shrink | Seal.grow;
    if (plan.soleWriter) return MemoryObject.#sealForOne(descriptor, facts, plan.seals ? size | Seal.seal | Seal.futureWrite : 0);
    try {
      // A section that its creator is to seal later (in the client of a system process) must stay open to that one seal.
      if (plan.seals) os.memorySeal(descriptor, size | (plan.leaveSealable ? 0 : Seal.seal));
      return new MemoryObject(descriptor, { ...facts, writable: true });
    } catch (error) {
      os.descriptorClose(descriptor);
      throw error;
    }
  }

  /**
   * Maps the whole object for writing, then closes the door behind that one mapping; where there are no seals, to those of
   * other users and to whoever opens the file by its name.
   */
  static #sealForOne(
    descriptor: Descriptor,
    facts: { backing: Backing; size: number; pageSize: number },
    seals: number,
  ): MemoryObject {
    let writer: Mapping | null = null;
    try {
      const mapped = roundUp(facts.size, facts.pageSize);
      writer = os.map(descriptor, {
        ...plainMapping,
        offset: 0,
        length: mapped,
        protection: Protect.read | Protect.write,
        pageSize: facts.pageSize,
        advanceHuge: facts.pageSize === os.pageSize && hugePagesHelp(mapped),
      });
      if (seals === 0) os.descriptorSetMode(descriptor, READ_BY_OWNER);
      else os.memorySeal(descriptor, seals);
      return new MemoryObject(descriptor, { ...facts, writable: true }, writer);
    } catch (error) {
      if (writer !== null) os.mappingClose(writer);
      os.descriptorClose(descriptor);
      throw error;
    }
  }

  /** Takes over the writable descriptor of a new object, and makes this process its only writer for good. */
  static adoptAsSoleWriter(
    operation: string,
    descriptor: Descriptor,
    facts: { backing: Backing; size: number; pageSize: number },
  ): MemoryObject {
    try {
      return MemoryObject.#sealForOne(descriptor, facts, os.sealsMemory ? Seal.futureWrite | Seal.seal : 0);
    } catch (error) {
      throw sectionErrorFrom(error, operation, 'the new section');
    }
  }

  /**
   * Takes over a descriptor whose size and rights the caller has established.
   *
   * @param lease Makes known that the file is mapped; made here where the caller has none.
   */
  static adopt(
    descriptor: Descriptor,
    facts: { backing: Backing; size: number; pageSize?: number; writable: boolean; description?: string },
    lease?: Lease,
  ): MemoryObject {
    if (facts.backing !== 'file') return new MemoryObject(descriptor, facts);
    const kept = lease ?? keepFile('use a file', os.descriptorStat(descriptor), facts.writable);
    return new MemoryObject(descriptor, facts, null, { count: 0, lease: kept });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Views start at multiples of this: see SectionMemory. */
  get granularity(): number {
    return this.pageSize;
  }

  /** For handing on: the descriptor itself, still owned by this object. */
  get descriptor(): Descriptor {
    return this.#descriptor;
  }

  /**
   * Maps a range that the caller has checked against `size`. Throws ERR_SECTION_ADDRESS_CONFLICT,
   * ERR_SECTION_ACCESS_DENIED or ERR_SECTION_NO_MEMORY as the system answers.
   */
  map(operation: string, object: string, options: MapOptions): Mapping {
    const request = {
      offset: options.offset,
      length: options.length,
      protection: options.protection,
      private: options.private,
      address: options.address ?? 0n,
      alignment: options.alignment ?? 0,
      pageSize: this.pageSize,
      advanceHuge: hugePagesHelp(options.length),
      commit: this.#commitRule(options.commit ?? CommitRule.all),
      keepDescriptor: options.paged ?? false,
      replaces: options.replaces ?? null,
    };
    const writes = (options.protection & Protect.write) !== 0 && !options.private;
    try {
      return writes && this.#writer !== null
        ? os.mapAgain(this.#writer, this.#descriptor, request)
        : os.map(this.#descriptor, request);
    } catch (error) {
      throw sectionErrorFrom(error, operation, object, this.#wayOut(error, options));
    }
  }

  #wayOut(error: unknown, options: MapOptions): string | undefined {
    if (options.address !== undefined) return 'Another address, or none, lets the system choose';
    if (this.backing !== 'descriptor' || !isOsError(error) || error.code !== 'EINVAL') return undefined;
    return 'Check offset, length and access against what it is; some drivers want a descriptor that was opened for writing too';
  }

  /** Memory that is a file has a map of what is committed: its data may be anywhere that a file system puts zeros. */
  #commitRule(wanted: number): number {
    if (wanted !== CommitRule.data) return wanted;
    this.#isSealed ??= (Math.max(0, os.memorySeals(this.#descriptor)) & Seal.shrink) !== 0;
    return this.#isSealed ? CommitRule.data : CommitRule.map;
  }

  /** A descriptor of the memory for another process, which shall be able to write to it or not. */
  descriptorFor(write: boolean): Descriptor {
    // A descriptor cannot lose the ability to write: one without it is opened anew.
    const same = write || !this.writable;
    return same ? os.descriptorFromNumber(os.descriptorNumber(this.#descriptor)) : os.descriptorReopen(this.#descriptor, false);
  }

  /**
   * What a view holds beside its mapping: that the file is mapped stays known until the view lets go. Null
   * where there is nothing to hold.
   */
  holdForView(): (() => void) | null {
    return this.#uses.lease?.hold() ?? null;
  }

  /**
   * Makes the file behind it at least so long; the new part is allocated now.
   *
   * @throws SectionError ERR_SECTION_DISK_FULL; ERR_SECTION_FILE with STATUS_SECTION_NOT_EXTENDED
   */
  extendFile(operation: string, size: number): void {
    growFile(operation, this.description, this.#descriptor, size);
  }

  /** The same memory for another owner; the last of them to close it lets go of the descriptor. */
  share(): MemoryObject {
    return new MemoryObject(this.#descriptor, this, this.#writer, this.#uses);
  }

  /** Lets go of the descriptor. Mappings live on. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    if (--this.#uses.count > 0) return;
    this.#uses.lease?.release();
    if (this.#writer !== null) os.mappingClose(this.#writer);
    os.descriptorClose(this.#descriptor);
  }
}

/** What the system answers when a file cannot have more bytes: no room, or no file may be so long. */
const noRoom: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * Makes a file at least so long, with its storage allocated: a full disk is an error now, and not a fault
 * later. A file that cannot be grown stays as it was.
 *
 * @throws SectionError ERR_SECTION_DISK_FULL; ERR_SECTION_FILE with STATUS_SECTION_NOT_EXTENDED
 */
export function growFile(operation: string, object: string, descriptor: Descriptor, size: number): void {
  const before = os.descriptorStat(descriptor).size;
  if (size <= before) return;
  try {
    os.descriptorAllocate(descriptor, before, size - before);
  } catch (error) {
    if (!isOsError(error)) throw error;
    const after = os.descriptorStat(descriptor).size;
    if (after > before && after < size) os.descriptorResize(descriptor, before);
    const full = noRoom.includes(error.code);
    throw new SectionError(full ? 'ERR_SECTION_DISK_FULL' : 'ERR_SECTION_FILE', {
      operation,
      object,
      rule: `it could not be grown to ${size} bytes: ${error.message}`,
      wayOut: full ? 'Make room on its disk, or raise the limit of file sizes (ulimit -f)' : 'Grow it before it is mapped',
      ...(full ? {} : { status: Status.STATUS_SECTION_NOT_EXTENDED }),
      errno: error.errno,
      cause: error,
    });
  }
}

interface PagefilePlan {
  readonly label: string;
  readonly size: number;
  readonly mapped: number;
  readonly pageSize: number;
  readonly largePageSize: number;
  readonly commit: number;
  readonly soleWriter: boolean;
  readonly leaveSealable: boolean;
  readonly seals: boolean;
  readonly path: string | undefined;
}

function planPagefile(operation: string, object: string, options: PagefileOptions): PagefilePlan {
  const { size, reserve = false, largePages: large = false, soleWriter = false, path } = options;
  let largePageSize = 0;
  if (large) {
    if (reserve) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object,
        rule: 'large pages are always committed, so largePages and reserve exclude each other',
      });
    }
    largePageSize = path === undefined ? (largePages()?.size ?? 0) : 0;
    if (largePageSize === 0) {
      const rule = path === undefined ? 'this host has no large pages' : 'memory that is a file has no large pages';
      throw new SectionError('ERR_SECTION_LARGE_PAGES', { operation, object, rule });
    }
    if (size % largePageSize !== 0) {
      throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
        operation,
        object,
        rule: `with largePages, size must be a multiple of ${largePageSize}, not ${size}`,
        wayOut: `Ask for ${roundUp(size, largePageSize)}`,
      });
    }
  } else if (!reserve) {
    checkCommit(operation, object, size);
  }
  const pageSize = largePageSize || os.pageSize;
  const huge = largePageSize === 0 && hugePagesHelp(size);
  return {
    label: options.label,
    size,
    mapped: roundUp(size, pageSize),
    pageSize,
    largePageSize,
    commit: reserve ? Commit.none : huge && transparentHugePages() === 'advise' ? Commit.nowHuge : Commit.now,
    soleWriter,
    leaveSealable: options.leaveSealable ?? false,
    seals: path === undefined && os.sealsMemory,
    path,
  };
}

function creationError(error: unknown, operation: string, object: string, plan: PagefilePlan): unknown {
  if (!isOsError(error)) return error;
  if (plan.largePageSize !== 0) {
    const needed = plan.mapped / plan.largePageSize;
    return new SectionError('ERR_SECTION_LARGE_PAGES', {
      operation,
      object,
      rule: `${needed} large pages of ${plan.largePageSize} bytes are not free on this host (${largePages()?.free ?? 0} are)`,
      wayOut: `Set them aside as root: "sysctl vm.nr_hugepages=${needed}", or leave out largePages`,
      errno: error.errno,
      cause: error,
    });
  }
  if (['ENOSPC', 'ENOMEM', 'EDQUOT'].includes(error.code) || (!plan.seals && error.code === 'EFBIG')) {
    return new SectionError('ERR_SECTION_COMMIT_LIMIT', {
      operation,
      object,
      rule: `${plan.size} bytes cannot be committed${plan.path === undefined ? '' : ` in ${dirname(plan.path)}`}: ${error.message}`,
      wayOut: 'Ask for less, or use reserve: true and touch only what you need',
      errno: error.errno,
      cause: error,
    });
  }
  return sectionErrorFrom(error, operation, object);
}
