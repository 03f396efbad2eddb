/**
 * What NT answers, in as few lines as it can be said: the reference that random sequences are compared
 * with. It was written from the documented rules and shares nothing with the product but the numbers.
 */
import {
  type Call,
  type Create,
  type Duplicate,
  KERNEL,
  type Kind,
  type Map as MapCall,
  type Open,
  securities,
} from './operations.js';

/** What a call must answer: a status, and what else can be seen. */
export interface Answer {
  readonly status: string;
  readonly value?: number;
}

interface Thing {
  readonly kind: Kind;
  readonly protection: number;
  readonly attributes: number;
  /** Bytes, whole pages. */
  readonly size: number;
  readonly grants: number;
  readonly names: Map<string, Thing> | null;
  readonly name: string;
  handles: number;
  /** First byte of each page that was written. */
  readonly pages: Map<number, number>;
  readonly committed: Set<number>;
}

interface Handle {
  readonly thing: Thing;
  readonly granted: number;
  readonly checked: boolean;
}

interface View {
  readonly thing: Thing;
  readonly protection: number;
  readonly offset: number;
  readonly size: number;
  /** Pages of a copy-on-write view that were written. */
  readonly own: Map<number, number>;
}

interface Process {
  handles: (Handle | null)[];
  views: (View | null)[];
}

const PAGE = 4096;
const GRANULARITY = 65_536;
const SEC_COMMIT = 0x800_0000;
const SEC_RESERVE = 0x400_0000;
const SEC_NOCACHE = 0x1000_0000;
/** What a section's owner may always do. */
const OWNER = 0x6_0000;

/** Generic rights of each kind. */
const generic: Readonly<Record<Kind, { all: number; read: number; write: number }>> = {
  Section: { all: 0xf_001f, read: 0x2_0005, write: 0x2_0002 },
  Event: { all: 0x1f_0003, read: 0x2_0001, write: 0x2_0002 },
};

function mapGeneric(kind: Kind, access: number): number {
  const { all, read, write } = generic[kind];
  const bit = (mask: number, rights: number) => ((access & mask) === 0 ? 0 : rights);
  return (access & 0x0fff_ffff & ~0x1000_0000) | bit(0x1000_0000, all) | bit(0x8000_0000, read) | bit(0x4000_0000, write);
}

/** Views that a section of some protection allows, and the right of the handle that each view needs. */
const READ = [0x01, 0x02, 0x08];
const allowed: Readonly<Record<number, readonly number[]>> = {
  2: READ,
  8: READ,
  4: [...READ, 4],
  16: [0x01, 0x10],
  32: [...READ, 0x10, 0x20, 0x80],
  128: [...READ, 0x10, 0x20, 0x80],
  64: [...READ, 4, 0x10, 0x20, 0x40, 0x80],
};
const needed: Readonly<Record<number, number>> = { 1: 4, 2: 4, 8: 4, 4: 2, 16: 8, 32: 0xc, 128: 0xc, 64: 0xa };

const isOne = (table: Readonly<Record<number, unknown>>, protection: number) => Object.hasOwn(table, protection);

/** A view's protection may carry one modifier, but for PAGE_NOACCESS. */
function isViewProtection(protection: number): boolean {
  const modifier = protection & 0x700;
  const base = protection & ~0x700;
  return isOne(needed, base) && [0, 0x100, 0x200, 0x400].includes(modifier) && (modifier === 0 || base !== 1);
}

export class Reference {
  readonly #names: Readonly<Record<string, Map<string, Thing>>> = { G: new Map(), L: new Map() };
  readonly #processes: Process[];

  constructor(processes: number) {
    this.#processes = Array.from({ length: processes }, () => ({ handles: [], views: [] }));
  }

  /** What the call must answer; null when there is nothing that it could be done to. */
  answer(call: Call): Answer | null {
    const process = this.#processes[call.process] as Process;
    switch (call.call) {
      case 'create':
        return this.#create(call, process);
      case 'open':
        return this.#open(call, process);
      case 'map':
        return this.#map(call, process);
      case 'duplicate':
        return this.#duplicate(call, process);
      case 'close': {
        const handle = process.handles[call.handle];
        if (!handle) return { status: 'STATUS_INVALID_HANDLE' };
        process.handles[call.handle] = null;
        this.#release(handle.thing);
        return { status: 'STATUS_SUCCESS' };
      }
      case 'query': {
        const handle = process.handles[call.handle];
        if (!handle) return { status: 'STATUS_INVALID_HANDLE' };
        if (handle.thing.kind !== 'Section') return { status: 'STATUS_OBJECT_TYPE_MISMATCH' };
        if (handle.checked && (handle.granted & 1) === 0) return { status: 'STATUS_ACCESS_DENIED' };
        return { status: 'STATUS_SUCCESS', value: handle.thing.size };
      }
      case 'unmap': {
        const view = process.views[call.view];
        if (!view) return call.view < process.views.length ? { status: 'STATUS_NOT_MAPPED_VIEW' } : null;
        if (call.inside >= view.size) return null;
        process.views[call.view] = null;
        return { status: 'STATUS_SUCCESS' };
      }
      case 'kill': {
        for (const handle of process.handles) if (handle) this.#release(handle.thing);
        this.#processes[call.process] = { handles: [], views: [] };
        return { status: 'STATUS_SUCCESS' };
      }
      default:
        return this.#onPage(call, process);
    }
  }

  #release(thing: Thing): void {
    if (--thing.handles === 0 && thing.names?.get(thing.name) === thing) thing.names.delete(thing.name);
  }

  #add(process: Process, thing: Thing, granted: number, checked: boolean): void {
    thing.handles++;
    process.handles.push({ thing, granted, checked });
  }

  /** Where a name is, or why it is nowhere. */
  #resolve(name: string, caseInsensitive: boolean) {
    if (name === 'relative') return { status: 'STATUS_OBJECT_PATH_SYNTAX_BAD' };
    if (name.startsWith('\\')) return { status: 'STATUS_OBJECT_PATH_NOT_FOUND' };
    const [scope = '', leaf = '', ...rest] = name.split('\\');
    const names = this.#names[scope] as Map<string, Thing>;
    const folded = [...names.keys()].find((each) => each.toLowerCase() === leaf.toLowerCase());
    const found = names.get(leaf) ?? (caseInsensitive && folded !== undefined ? names.get(folded) : undefined);
    // No directory is ever created: what has something below it is not there, or is none.
    if (rest.length > 0) {
      return { status: found === undefined ? 'STATUS_OBJECT_PATH_NOT_FOUND' : 'STATUS_OBJECT_TYPE_MISMATCH' };
    }
    return { names, leaf, found };
  }

  #create(call: Create, process: Process): Answer {
    const { kind, name, flags, access, protection, attributes, size } = call;
    if (kind === 'Section') {
      const type = attributes & (SEC_COMMIT | SEC_RESERVE);
      if ((attributes & ~(SEC_COMMIT | SEC_RESERVE | SEC_NOCACHE)) !== 0) return { status: 'STATUS_INVALID_PARAMETER_6' };
      if (type !== SEC_COMMIT && type !== SEC_RESERVE) return { status: 'STATUS_INVALID_PARAMETER_6' };
      if (!isOne(allowed, protection)) return { status: 'STATUS_INVALID_PAGE_PROTECTION' };
      if (size === 0) return { status: 'STATUS_INVALID_PARAMETER_4' };
      if (size < 0) return { status: 'STATUS_SECTION_TOO_BIG' };
    }
    const place = name === null ? null : this.#resolve(name, flags.includes('CASE_INSENSITIVE'));
    if (place !== null && 'status' in place) return { status: place.status };
    const checked = call.process !== KERNEL || flags.includes('FORCE_ACCESS_CHECK');
    if (place?.found !== undefined) {
      if (place.found.kind !== kind) return { status: 'STATUS_OBJECT_TYPE_MISMATCH' };
      if (!flags.includes('OPENIF')) return { status: 'STATUS_OBJECT_NAME_COLLISION' };
      return this.#grant(process, place.found, access, checked, 'STATUS_OBJECT_NAME_EXISTS');
    }
    const thing: Thing = {
      kind,
      protection,
      attributes,
      size: Math.ceil(size / PAGE) * PAGE,
      grants: securities[call.security]?.grants ?? generic[kind].all,
      names: place?.names ?? null,
      name: place?.leaf ?? '',
      handles: 0,
      pages: new Map(),
      committed: new Set(),
    };
    place?.names.set(place.leaf, thing);
    this.#add(process, thing, mapGeneric(kind, access), checked);
    return { status: 'STATUS_SUCCESS' };
  }

  #open({ process: number, kind, name, flags, access }: Open, process: Process): Answer {
    const place = this.#resolve(name, flags.includes('CASE_INSENSITIVE'));
    if ('status' in place) return { status: place.status };
    if (place.found === undefined) return { status: 'STATUS_OBJECT_NAME_NOT_FOUND' };
    if (place.found.kind !== kind) return { status: 'STATUS_OBJECT_TYPE_MISMATCH' };
    const checked = number !== KERNEL || flags.includes('FORCE_ACCESS_CHECK');
    return this.#grant(process, place.found, access, checked, 'STATUS_SUCCESS');
  }

  #mayHave(thing: Thing, rights: number): boolean {
    return rights !== 0 && (rights & ~(thing.grants | OWNER)) === 0;
  }

  #grant(process: Process, thing: Thing, access: number, checked: boolean, status: string): Answer {
    const rights = mapGeneric(thing.kind, access);
    if (checked && !this.#mayHave(thing, rights)) return { status: 'STATUS_ACCESS_DENIED' };
    this.#add(process, thing, rights, checked);
    return { status };
  }

  #duplicate({ handle: number, access, options }: Duplicate, process: Process): Answer {
    const handle = process.handles[number];
    if (!handle) return { status: 'STATUS_INVALID_HANDLE' };
    // Bits that mean nothing to the type are dropped here, where opening refuses them.
    const asked = mapGeneric(handle.thing.kind, access) & generic[handle.thing.kind].all;
    const rights = (options & 2) !== 0 ? handle.granted : asked;
    const refused = handle.checked && (rights & ~handle.granted) !== 0 && !this.#mayHave(handle.thing, rights);
    if (!refused) this.#add(process, handle.thing, rights, handle.checked);
    // The source is closed whatever comes of it.
    if ((options & 1) !== 0) {
      process.handles[number] = null;
      this.#release(handle.thing);
    }
    return { status: refused ? 'STATUS_ACCESS_DENIED' : 'STATUS_SUCCESS' };
  }

  #map(call: MapCall, process: Process): Answer | null {
    const { inherit, type, protection, place, offset, size, commit } = call;
    const taken = process.views.find((view) => view !== null);
    if (place === 'taken' && taken === undefined) return null;
    if (inherit !== 1 && inherit !== 2) return { status: 'STATUS_INVALID_PARAMETER_8' };
    if ((type & ~0x2010_2000) !== 0) return { status: 'STATUS_INVALID_PARAMETER_9' };
    if (!isViewProtection(protection)) return { status: 'STATUS_INVALID_PAGE_PROTECTION' };
    const handle = process.handles[call.handle];
    if (!handle) return { status: 'STATUS_INVALID_HANDLE' };
    const { thing } = handle;
    if (thing.kind !== 'Section') return { status: 'STATUS_OBJECT_TYPE_MISMATCH' };
    const base = protection & ~0x700;
    const rights = needed[base] as number;
    if (handle.checked && (handle.granted & rights) !== rights) return { status: 'STATUS_ACCESS_DENIED' };
    if (offset % GRANULARITY !== 0 || place === 'odd') return { status: 'STATUS_MAPPED_ALIGNMENT' };
    if (!(allowed[thing.protection] as readonly number[]).includes(base)) return { status: 'STATUS_SECTION_PROTECTION' };
    if (offset >= thing.size) return { status: 'STATUS_INVALID_VIEW_SIZE' };
    const length = size === 0 ? thing.size - offset : size;
    if (offset + length > thing.size) return { status: 'STATUS_INVALID_VIEW_SIZE' };
    if (commit > length) return { status: 'STATUS_INVALID_PARAMETER_5' };
    if ((type & 0x2000) !== 0) return { status: 'STATUS_INVALID_PARAMETER_9' };
    if (place === 'taken') return { status: 'STATUS_CONFLICTING_ADDRESSES' };
    const pages = Math.ceil(length / PAGE);
    process.views.push({ thing, protection, offset, size: pages * PAGE, own: new Map() });
    for (let page = 0; page < Math.ceil(commit / PAGE); page++) thing.committed.add(offset / PAGE + page);
    return { status: 'STATUS_SUCCESS', value: pages * PAGE };
  }

  #onPage(call: Extract<Call, { page: number }>, process: Process): Answer | null {
    const view = process.views[call.view];
    // Views with modifiers are for their statuses alone.
    if (!view || ![2, 4, 8].includes(view.protection) || call.page * PAGE >= view.size) return null;
    const { thing, own } = view;
    const page = view.offset / PAGE + call.page;
    const isCommitted = (thing.attributes & SEC_RESERVE) === 0 || thing.committed.has(page);
    switch (call.call) {
      case 'state':
        return { status: 'STATUS_SUCCESS', value: isCommitted ? 0x1000 : 0x2000 };
      case 'commit':
        if (view.protection === 8) return null;
        thing.committed.add(page);
        return { status: 'STATUS_SUCCESS' };
      case 'read':
        return isCommitted ? { status: 'STATUS_SUCCESS', value: own.get(page) ?? thing.pages.get(page) ?? 0 } : null;
      default:
        if (!isCommitted || view.protection === 2) return null;
        (view.protection === 8 ? own : thing.pages).set(page, call.value);
        return { status: 'STATUS_SUCCESS' };
    }
  }
}
