/**
 * The idiomatic face of a section: create or open one, map views of it, let it go. Everything it does
 * is done by the floors below; here are the names, the defaults and the checks of what users pass.
 */
import { byteCount, flag, MAXIMUM_SECTION_SIZE, oneOf, options, show } from './base/checks.js';
import { SectionError } from './base/error.js';
import type { MapOptions, ViewAccess } from './memory/memory-object.js';
import type { HeldSection, SectionSource } from './memory/section-source.js';
import { View, type ViewFacts } from './memory/view.js';
import { parseName, type SectionName } from './namespace/name.js';
import { kernelSections } from './ntos/section-source.js';
import { nt, Protect } from './os/index.js';
import { MAXIMUM_ALLOWED, SECTION_MAP_READ, SECTION_MAP_WRITE } from './security/index.js';
import { heldByDriver, systemInThisProcess } from './system/kernel.js';
import { ownSections } from './system/section-source.js';

/** What a holder may do with a section. */
export type SectionAccess = 'read' | 'readwrite';

export interface CreateOptions {
  /** `X` or `Local\X` for this user's processes, `Global\X` by way of the system process; unnamed if left out. */
  readonly name?: string;
  /** Bytes, 1 to 2^46. */
  readonly size: number | bigint;
  /** `'read'`: only the creator ever writes; the kernel refuses every other writable view. Default `'readwrite'`. */
  readonly protection?: SectionAccess;
  /** Commit nothing now: pages come when they are touched. For large sparse sections. Default false. */
  readonly reserve?: boolean;
  /** Large pages that the host has set aside; `size` must be a multiple of theirs. Default false. */
  readonly largePages?: boolean;
  /** Who may do what, as SDDL. Default: the creator's user and LocalSystem, everything. */
  readonly security?: string;
  /** When the name is taken: fail (the default), or open what is there; its size and rights are then its own. */
  readonly ifExists?: 'fail' | 'open';
}

export interface OpenOptions {
  /** Left out: all that is granted, up to `'readwrite'`. */
  readonly access?: SectionAccess;
}

export interface FileOptions {
  /** Default `'read'`. */
  readonly access?: SectionAccess;
  /** Bytes; default the file's length. A larger size grows the file, which takes `'readwrite'`. */
  readonly size?: number | bigint;
  /** A name under which others open the same section. */
  readonly name?: string;
}

export interface DescriptorOptions {
  /** Bytes that can be mapped. */
  readonly size: number | bigint;
  /** Default: as the descriptor was opened. */
  readonly access?: SectionAccess;
}

export interface ViewOptions {
  /** First byte of the section, at any offset. Default 0. */
  readonly offset?: number | bigint;
  /** Bytes, at least 1. Default: to the section's end. */
  readonly length?: number | bigint;
  /** Default: what the section allows. `'copy'` is copy-on-write: changes stay in the view. */
  readonly access?: ViewAccess;
  /** Where byte `offset` shall stand in this process. Default: where there is room. */
  readonly address?: bigint;
}

/** Below it a view would catch the null pointers of other code. NT's lowest address as well. */
const LOWEST_ADDRESS = 0x10000n;

const accesses = ['read', 'readwrite'] as const;

/** The rights that stand behind an access, as a handle asks for them. */
const desiredAccess = {
  read: SECTION_MAP_READ,
  readwrite: SECTION_MAP_READ | SECTION_MAP_WRITE,
  granted: MAXIMUM_ALLOWED,
} as const;

/** The kernel's own where it is NT, else ours. */
const sections: SectionSource = nt === null ? ownSections : kernelSections(nt);

/** A forgotten section gives its handle back when it is collected; its views keep it from that. */
const forgotten = new FinalizationRegistry<HeldSection>((handle) => handle.close());

interface KindOfView {
  readonly options: MapOptions;
  readonly facts: ViewFacts;
}

export class Section {
  readonly #handle: HeldSection;
  readonly #name: string | undefined;
  readonly #access: SectionAccess;
  /** As messages name it. */
  readonly #object: string;
  /** Of the view mapped last. */
  #last: KindOfView | null = null;
  readonly #forget: () => void;
  #closed = false;

  private constructor(handle: HeldSection, name: string | undefined, access: SectionAccess) {
    this.#handle = handle;
    this.#name = name;
    this.#access = access;
    this.#object = name === undefined ? handle.memory.description : `"${name}"`;
    forgotten.register(this, handle, this);
    this.#forget = heldByDriver('handle', () => this.close());
  }

  /**
   * Creates a section of zeros, backed by the paging file.
   *
   * The memory is committed before this returns, so that no later access can fail for want of it
   * (`reserve` and the 64 TiB it allows are the exception). The size never changes. The section and
   * its name live until the last handle is closed or its process ends, however it ends.
   *
   * @throws SectionError ERR_SECTION_EXISTS, ERR_SECTION_INVALID_NAME, ERR_SECTION_INVALID_ARGUMENT,
   * ERR_SECTION_INVALID_SECURITY, ERR_SECTION_TOO_BIG, ERR_SECTION_COMMIT_LIMIT,
   * ERR_SECTION_LARGE_PAGES, ERR_SECTION_REGISTRY_…, ERR_SECTION_SYSTEM_…
   * @see CreateFileMappingW, ZwCreateSection (Microsoft); memfd_create(2)
   */
  static create(createOptions: CreateOptions): Section {
    const operation = 'Section.create';
    const given = options(operation, requireOptions(operation, createOptions), [
      'name',
      'size',
      'protection',
      'reserve',
      'largePages',
      'security',
      'ifExists',
    ]);
    const name = given.name === undefined ? null : parseName(operation, given.name);
    const size = sectionSize(operation, given.size);
    const protection = given.protection === undefined ? 'readwrite' : oneOf(operation, 'protection', given.protection, accesses);
    const reserve = flag(operation, 'reserve', given.reserve);
    const large = flag(operation, 'largePages', given.largePages);
    if (given.security !== undefined && typeof given.security !== 'string') {
      throw invalid(operation, `security must be SDDL text, not ${show(given.security)}`);
    }
    const ifExists = given.ifExists === undefined ? 'fail' : oneOf(operation, 'ifExists', given.ifExists, ['fail', 'open']);
    const handle = sections.create(operation, name, {
      size,
      reserve,
      largePages: large,
      soleWriter: protection === 'read',
      security: given.security,
      openExisting: ifExists === 'open',
    });
    return Section.#from(operation, handle, name, undefined);
  }

  /**
   * Opens a section that some process holds.
   *
   * @param name As given to create.
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_INVALID_NAME,
   * ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_…, ERR_SECTION_SYSTEM_…
   * @see OpenFileMappingW, ZwOpenSection (Microsoft)
   */
  static open(name: string, openOptions?: OpenOptions): Section {
    const operation = 'Section.open';
    const given = options(operation, openOptions, ['access']);
    const parsed = parseName(operation, name);
    const access = given.access === undefined ? undefined : oneOf(operation, 'access', given.access, accesses);
    return Section.#from(operation, sections.open(operation, parsed, desiredAccess[access ?? 'granted']), parsed, access);
  }

  /**
   * A section over a file. All sections and views over one file see the same bytes.
   *
   * @param path A regular file. It is not created.
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_FILE (a
   * directory, a pipe), ERR_SECTION_FILE_EMPTY, ERR_SECTION_TOO_BIG (larger than the file, read-only),
   * ERR_SECTION_DISK_FULL, ERR_SECTION_EXISTS
   * @see CreateFileMappingW with a file; mmap(2)
   */
  static fromFile(path: string | URL, fileOptions?: FileOptions): Section {
    const operation = 'Section.fromFile';
    const given = options(operation, fileOptions, ['access', 'size', 'name']);
    const access = given.access === undefined ? 'read' : oneOf(operation, 'access', given.access, accesses);
    const size = given.size === undefined ? undefined : sectionSize(operation, given.size);
    const name = given.name === undefined ? null : parseName(operation, given.name);
    const handle = sections.overFile(operation, path, access, size, name);
    return Section.#from(operation, handle, name, access);
  }

  /**
   * A shared memory object that another program made with shm_open(3). It is mapped as it is: no
   * header, no marker, its bytes are the other program's.
   *
   * @param name As given to shm_open: a slash, then a name without one.
   * @throws SectionError ERR_SECTION_NOT_FOUND, ERR_SECTION_ACCESS_DENIED, ERR_SECTION_INVALID_NAME,
   * ERR_SECTION_FILE_EMPTY
   */
  static openPosix(name: string, openOptions?: OpenOptions): Section {
    const operation = 'Section.openPosix';
    const given = options(operation, openOptions, ['access']);
    const access = given.access === undefined ? 'read' : oneOf(operation, 'access', given.access, accesses);
    const handle = sections.overPosix(operation, name, access);
    return Section.#from(operation, handle, null, access);
  }

  /**
   * A section over any descriptor that can be mapped: a device, an eBPF map, a memfd. The number stays
   * the caller's; the section holds a duplicate. Views' offsets are the device's own, so whether a device
   * can be mapped shows when a view is.
   *
   * @throws SectionError ERR_SECTION_INVALID_ARGUMENT (no open descriptor), ERR_SECTION_FILE (cannot be
   * mapped), ERR_SECTION_ACCESS_DENIED, ERR_SECTION_TOO_BIG (larger than the file behind it)
   */
  static fromDescriptor(fd: number, descriptorOptions: DescriptorOptions): Section {
    const operation = 'Section.fromDescriptor';
    const given = options(operation, requireOptions(operation, descriptorOptions), ['size', 'access']);
    const size = sectionSize(operation, given.size);
    const access = given.access === undefined ? undefined : oneOf(operation, 'access', given.access, accesses);
    const handle = sections.overDescriptor(operation, fd, access, size);
    return Section.#from(operation, handle, null, access);
  }

  static #from(operation: string, handle: HeldSection, name: SectionName | null, wanted: SectionAccess | undefined): Section {
    const object = name === null ? undefined : `"${name.full}"`;
    if ((handle.granted & SECTION_MAP_READ) === 0 || (wanted === 'readwrite' && !canWrite(handle))) {
      handle.close();
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation,
        ...(object === undefined ? {} : { object }),
        rule: handle.facts.soleWriter
          ? 'only its creator writes to it'
          : `it does not grant this process ${wanted ?? 'read'} access`,
        wayOut: "Ask for access 'read', or have its creator grant more",
      });
    }
    return new Section(handle, name?.full, wanted ?? (canWrite(handle) ? 'readwrite' : 'read'));
  }

  /** With its prefix, `Local\…` or `Global\…`; undefined for an unnamed section. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Bytes. */
  get size(): number {
    return this.#handle.facts.size;
  }

  /** What this holder may do. */
  get access(): SectionAccess {
    return this.#access;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /**
   * Maps a view. Views of one section are separate, at addresses and with protections of their own,
   * and see the same bytes. They outlive the section's handle.
   *
   * @throws SectionError ERR_SECTION_CLOSED, ERR_SECTION_OUT_OF_RANGE, ERR_SECTION_ACCESS_DENIED,
   * ERR_SECTION_ADDRESS_CONFLICT, ERR_SECTION_MISALIGNED, ERR_SECTION_NO_MEMORY
   * @see MapViewOfFileEx (Microsoft); mmap(2)
   */
  map(viewOptions?: ViewOptions): View {
    const operation = 'section.map';
    const object = this.#object;
    if (this.#closed) {
      throw new SectionError('ERR_SECTION_CLOSED', { operation, object, rule: 'the section is closed', wayOut: 'Open it again' });
    }
    if (viewOptions === undefined) return this.#mapped(operation, 0, this.size, this.#access, undefined);
    const given = options(operation, viewOptions, ['offset', 'length', 'access', 'address']);
    const { size } = this;
    const range = { code: 'ERR_SECTION_OUT_OF_RANGE', wayOut: `The section has ${size} bytes` } as const;
    const offset = byteCount(operation, 'offset', given.offset ?? 0, { maximum: size - 1, ...range });
    const length = byteCount(operation, 'length', given.length ?? size - offset, {
      minimum: 1,
      maximum: size - offset,
      ...range,
    });
    const access =
      given.access === undefined ? this.#access : oneOf(operation, 'access', given.access, ['read', 'readwrite', 'copy']);
    if (access === 'readwrite' && this.#access === 'read') {
      throw new SectionError('ERR_SECTION_ACCESS_DENIED', {
        operation,
        object,
        rule: 'the section was opened for reading',
        wayOut: "Open it with access 'readwrite', or map with access 'copy' for private changes",
      });
    }
    const address = given.address === undefined ? undefined : this.#wantedAddress(operation, given.address, offset);
    return this.#mapped(operation, offset, length, access, address);
  }

  /** Maps what was checked. */
  #mapped(operation: string, offset: number, length: number, access: ViewAccess, address: bigint | undefined): View {
    const { memory } = this.#handle;
    const { options, facts } = this.#kindOf(offset, length, access, address);
    const mapping = memory.map(operation, this.#object, options);
    const release = memory.holdForView();
    if (release === null && systemInThisProcess() === null) return new View(mapping, facts);
    let forget = () => {};
    const view = new View(mapping, { ...facts, release, onClose: () => forget() });
    forget = heldByDriver('view', () => view.close());
    return view;
  }

  /** How a view is mapped and what it knows: as for the one before where it is alike, for making them anew takes time. */
  #kindOf(offset: number, length: number, access: ViewAccess, address: bigint | undefined): KindOfView {
    const last = this.#last;
    // Object.is: a view tells an offset of -0 as it was given.
    if (last?.facts.length === length && Object.is(last.facts.offset, offset) && last.facts.access === access) {
      if (last.options.address === address) return last;
    }
    const [object, { memory }, isCopy] = [this.#object, this.#handle, access === 'copy'];
    const protection = access === 'read' ? Protect.read : Protect.read | Protect.write;
    const lend = isCopy ? undefined : memory.lend;
    const anonymous = memory.backing === 'pagefile';
    this.#last = {
      options: { offset, length, protection, private: isCopy, address },
      facts: { object, offset, length, access, anonymous, keeps: this, reuse: memory.reuse, lend },
    };
    return this.#last;
  }

  #wantedAddress(operation: string, address: unknown, offset: number): bigint {
    const { granularity } = this.#handle.memory;
    if (typeof address !== 'bigint' || address - BigInt(offset % granularity) < LOWEST_ADDRESS || address >= 1n << 64n) {
      throw invalid(
        operation,
        `address must be a bigint of 64 bits, in no page below 0x${LOWEST_ADDRESS.toString(16)}, not ${show(address)}`,
      );
    }
    if ((address - BigInt(offset)) % BigInt(granularity) === 0n) return address;
    throw new SectionError('ERR_SECTION_MISALIGNED', {
      operation,
      object: this.#object,
      rule: `address and offset must lie alike within ${granularity} bytes`,
      wayOut: `For this offset, use an address that ends in 0x${(offset % granularity).toString(16)} modulo 0x${granularity.toString(16)}`,
    });
  }

  /**
   * Gives the handle back. Views live on; the name dies with the last handle. Safe to call twice.
   */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    forgotten.unregister(this);
    this.#forget();
    this.#handle.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function canWrite(handle: HeldSection): boolean {
  return (handle.granted & SECTION_MAP_WRITE) !== 0 && handle.memory.writable;
}

function requireOptions<T extends object>(operation: string, value: T): T {
  if (value !== null && typeof value === 'object') return value;
  throw invalid(operation, `options must be an object with at least size, not ${show(value)}`);
}

function sectionSize(operation: string, size: unknown): number {
  return byteCount(operation, 'size', size, {
    minimum: 1,
    maximum: MAXIMUM_SECTION_SIZE,
    code:
      typeof size === 'number' || typeof size === 'bigint'
        ? size > 0
          ? 'ERR_SECTION_TOO_BIG'
          : 'ERR_SECTION_INVALID_ARGUMENT'
        : 'ERR_SECTION_INVALID_ARGUMENT',
  });
}

function invalid(operation: string, rule: string): SectionError {
  return new SectionError('ERR_SECTION_INVALID_ARGUMENT', { operation, rule });
}
