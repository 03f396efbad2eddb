/**
 * The memory behind a section: one descriptor, its size and what may be done with it. Knows nothing
 * of names and rights; whoever opens a section gets a memory object that can do no more than granted.
 */
import { CommitRule, type Descriptor, isOsError, type Mapping, os, Protect, plainMapping, Seal } from '../os/index.js';
import { keepFile } from './file-keeper.js';
import { growFile } from './grow-file.js';
import { hugePagesHelp } from './huge-pages.js';
import type { Lease } from './lease.js';
import { creationError, type PagefileOptions, type PagefilePlan, planPagefile, roundUp } from './pagefile.js';
import { sectionErrorFrom } from './system-errors.js';

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

const READ_BY_OWNER = 0o400;

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
