/**
 * A section of the kernel that somebody holds, and how views of it are mapped.
 */
import type { Backing, MapOptions } from '../memory/memory-object.js';
import { PAGE_READONLY, PAGE_READWRITE } from '../memory/section-masks.js';
import type { HeldSection, SectionMemory } from '../memory/section-source.js';
import { type HeldHandle, MapFlag, type Mapping, type Meeting, type NtSystem, os, Protect } from '../os/index.js';
import { SECTION_MAP_WRITE } from '../security/index.js';
import { failureOfStatus } from './failure.js';
import { duplicateHandle, sectionFacts } from './handles.js';
import { giveMapping, mappedInto, mayKeepSection, takeMapping } from './mappings.js';

const PAGE_WRITECOPY = 0x08;
const ViewUnmap = 2;
const STATUS_INVALID_PARAMETER_3 = 0xc000_00f1;
const STATUS_CONFLICTING_ADDRESSES = 0xc000_0018;
const MEM_LARGE_PAGES = 0x2000_0000;
/** The kernel's allocation granularity, on every processor. */
const GRANULARITY = 0x10000;

/** How a view is asked of the kernel: by whether it writes, and whether privately. */
const protectionOf = (writes: boolean, copies: boolean): number =>
  copies ? PAGE_WRITECOPY : writes ? PAGE_READWRITE : PAGE_READONLY;

/** What is known of a section before it is asked. */
export interface SectionKind {
  readonly backing: Backing;
  readonly description: string;
  readonly named: boolean;
  readonly largePages?: boolean;
  /** A handle on the file behind it, the caller's, where views may write to it. */
  readonly file?: number | null;
  /** Where those meet who wait for its words; left out: by its name, else in this process alone. */
  readonly meeting?: Meeting | null;
}

class KernelMemory implements SectionMemory {
  readonly granularity = GRANULARITY;
  readonly backing: Backing;
  readonly writable: boolean;
  readonly description: string;
  readonly #nt: NtSystem;
  readonly #mapSection: NtSystem['mapSection'];
  readonly #handle: number;
  readonly #file: number | null;
  readonly #named: boolean;
  readonly #allocationType: number;
  readonly #flags: number;
  #meeting: Meeting | null;
  /** Mappings whose guard has a handle on the section. */
  #keepers: WeakRef<Mapping>[] = [];
  #kept: WeakSet<Mapping> | null = null;

  constructor(nt: NtSystem, handle: number, facts: SectionKind & { readonly writable: boolean }) {
    this.#nt = nt;
    this.#mapSection = nt.mapSection;
    this.#handle = handle;
    this.#file = facts.file ?? null;
    this.#named = facts.named;
    this.#meeting = facts.meeting ?? null;
    this.backing = facts.backing;
    this.writable = facts.writable;
    this.description = facts.description;
    this.#allocationType = facts.largePages ? MEM_LARGE_PAGES : 0;
    this.#flags = facts.backing === 'pagefile' ? MapFlag.commitOnTouch : 0;
  }

  map(operation: string, object: string, { offset, length, protection, private: copies, address }: MapOptions): Mapping {
    const nt = this.#nt;
    const protect = protectionOf((protection & Protect.write) !== 0, copies);
    const kind = this.#allocationType;
    const into = takeMapping();
    const mapSection = this.#mapSection;
    const answer =
      address === undefined
        ? mapSection(this.#handle, offset, length, protect, kind, this.#flags, ViewUnmap, into)
        : mapSection(this.#handle, offset, length, protect, kind, this.#flags, ViewUnmap, into, address, 0n, 0n, null);
    const mapped = mappedInto(into, answer);
    if (typeof mapped === 'number') {
      // The parameter is the address: no program has memory there.
      throw failureOfStatus(operation, object, mapped === STATUS_INVALID_PARAMETER_3 ? STATUS_CONFLICTING_ADDRESSES : mapped);
    }
    if (this.#file !== null && protect === PAGE_READWRITE) nt.mappingFlushesFile(mapped, this.#file);
    if (this.#named && mayKeepSection(protect, kind) && nt.mappingSection(mapped) !== 0) this.#keep(mapped);
    if (!copies) this.#meeting ??= this.#meet();
    return mapped;
  }

  /** Where those meet who wait for words of the section. */
  #meet(): Meeting {
    return (this.#named ? this.#nt.meetingOfSection(this.#handle) : null) ?? this.#nt.meetingOfOwn();
  }

  readonly lend = (mapping: Mapping): void => {
    if (this.#meeting !== null) this.#nt.mappingMeets(mapping, this.#meeting);
  };

  #keep(mapping: Mapping): void {
    this.#keepers = this.#keepers.filter((each) => each.deref() !== undefined);
    this.#keepers.push(new WeakRef(mapping));
    this.#kept ??= new WeakSet();
    this.#kept.add(mapping);
  }

  readonly reuse = (mapping: Mapping): void => {
    if (this.#kept?.has(mapping) !== true) giveMapping(mapping);
  };

  /**
   * The last handle is about to be closed: an object, and with it its name, shall not live on by the handles with which
   * guards put read-only views back.
   */
  letGo(): void {
    for (const each of this.#keepers.splice(0)) {
      const mapping = each.deref();
      if (mapping !== undefined && this.#nt.mappingSection(mapping) !== 0) this.#nt.mappingLetGo(mapping);
    }
  }

  /** The kernel counts views itself. */
  holdForView(): null {
    return null;
  }
}

export class KernelSection implements HeldSection {
  readonly memory: KernelMemory;
  readonly facts: { readonly size: number; readonly soleWriter: boolean };
  readonly granted: number;
  readonly #nt: NtSystem;
  readonly #handle: number;
  readonly #held: HeldHandle[];

  /** Takes over the handle. @param size Undefined: as large as the kernel says. */
  constructor(nt: NtSystem, handle: number, kind: SectionKind, granted: number, size: number | undefined, soleWriter = false) {
    this.#nt = nt;
    this.#handle = handle;
    this.#held = [nt.handleHold(handle)];
    this.granted = granted;
    // A flush waits for the file: who gave the handle closes it, so the section has its own.
    const file = typeof kind.file === 'number' ? duplicateHandle(nt, kind.file) : null;
    if (file !== null) this.#held.push(nt.handleHold(file));
    this.memory = new KernelMemory(nt, handle, { ...kind, file, writable: (granted & SECTION_MAP_WRITE) !== 0 });
    this.facts = { size: size ?? sectionFacts(nt, handle)?.size ?? this.#mappedSize(), soleWriter };
  }

  /** A handle that grants no query: a view of the whole says how large it is. */
  #mappedSize(): number {
    const whole = this.#nt.mapSection(this.#handle, 0, 0, PAGE_READONLY, 0, MapFlag.exact, ViewUnmap, null);
    if (typeof whole === 'number') return 0; // no view can be had: whoever maps one is told why
    const size = this.#nt.mappingLength(whole);
    os.mappingClose(whole);
    return size;
  }

  close(): void {
    this.memory.letGo();
    for (const each of this.#held.splice(0)) this.#nt.handleClose(each);
  }
}
