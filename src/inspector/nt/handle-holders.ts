/**
 * Which processes hold an object of the kernel, by their open handles. The kernel lists all handles of all processes;
 * which of them are on one object it tells by the object's address, and where it hides that, by comparing duplicates.
 */
import { basename } from 'node:path';
import { callOf, closeHandle } from '../../ntos/handles.js';
import type { NtSystem } from '../../os/index.js';
import type { Holder } from '../object-facts.js';

/** An open handle of some process. */
interface OpenHandle {
  readonly object: bigint;
  readonly pid: number;
  readonly handle: number;
  readonly granted: number;
  readonly type: number;
}

const EXTENDED_HANDLES = 64;
/** SYSTEM_HANDLE_INFORMATION_EX and its entries, on 64 bits. */
const layout = { first: 16, entry: 40, object: 0, pid: 8, handle: 16, granted: 24, type: 30 } as const;
const FAILED = 0x8000_0000;
const STATUS_INFO_LENGTH_MISMATCH = 0xc000_0004;
const STATUS_SUCCESS = 0;
const LARGEST_LIST = 256 << 20;

const PROCESS_DUP_HANDLE = 0x40;
const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const CURRENT_PROCESS = -1;
const DUPLICATE_SAME_ACCESS = 2;
const LONGEST_PATH = 0x7fff;

function allHandles(nt: NtSystem): readonly OpenHandle[] {
  for (let room = 1 << 20; room <= LARGEST_LIST; room *= 2) {
    const list = new Uint8Array(room);
    const status = callOf(nt, 'NtQuerySystemInformation')(EXTENDED_HANDLES, list, room, null);
    if (status === STATUS_INFO_LENGTH_MISMATCH) continue;
    if (status >= FAILED) return [];
    const facts = new DataView(list.buffer);
    const count = Math.min(Number(facts.getBigUint64(0, true)), Math.floor((room - layout.first) / layout.entry));
    return Array.from({ length: count }, (_, index) => {
      const at = layout.first + index * layout.entry;
      return {
        object: facts.getBigUint64(at + layout.object, true),
        pid: Number(facts.getBigUint64(at + layout.pid, true)),
        handle: Number(facts.getBigUint64(at + layout.handle, true)),
        granted: facts.getUint32(at + layout.granted, true),
        type: facts.getUint16(at + layout.type, true),
      };
    });
  }
  return [];
}

/** The path of a process's program; null where it has ended or does not let us ask. */
function programOf(nt: NtSystem, pid: number): string | null {
  const handle = callOf(nt, 'OpenProcess')(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
  if (handle === 0) return null;
  const [path, length] = [new Uint8Array(2 * LONGEST_PATH), new Uint8Array(4)];
  new DataView(length.buffer).setUint32(0, LONGEST_PATH, true);
  const told = callOf(nt, 'QueryFullProcessImageNameW')(handle, 0, path, length) !== 0;
  closeHandle(nt, handle);
  if (!told) return null;
  return Buffer.from(path.buffer, 0, 2 * new DataView(length.buffer).getUint32(0, true)).toString('utf16le');
}

/** The handles of one look, and what they are on. Ours must be open before it. */
export class HandleSurvey {
  readonly #nt: NtSystem;
  readonly #handles: readonly OpenHandle[];
  readonly #processes = new Map<number, number>();
  readonly #programs = new Map<number, readonly string[] | null>();
  readonly #unseen = new Set<number>();

  constructor(nt: NtSystem) {
    this.#nt = nt;
    this.#handles = allHandles(nt);
  }

  /** Processes that did not let us compare their handles. */
  get unseen(): number {
    return this.#unseen.size;
  }

  /** Who holds the object of a handle of ours; that handle itself is left out. */
  holdersOf(ours: number): readonly Holder[] {
    const own = this.#handles.find(({ pid, handle }) => pid === process.pid && handle === ours);
    if (own === undefined) return [];
    const byProcess = new Map<number, OpenHandle[]>();
    for (const each of this.#handles) {
      if (each.type !== own.type || (each.pid === own.pid && each.handle === own.handle)) continue;
      const same = own.object === 0n ? this.#isSame(each, ours) : each.object === own.object;
      if (same) byProcess.set(each.pid, [...(byProcess.get(each.pid) ?? []), each]);
    }
    return [...byProcess].map(([pid, handles]) => ({
      pid,
      command: this.#commandOf(pid),
      kernel: pid === SYSTEM_PROCESS,
      handles: handles.length,
      granted: handles.reduce((all, { granted }) => (all | granted) >>> 0, 0),
      mappings: [],
      otherPidNamespace: false,
    }));
  }

  #commandOf(pid: number): readonly string[] | null {
    let command = this.#programs.get(pid);
    if (command === undefined) {
      const path = pid === SYSTEM_PROCESS ? 'System' : programOf(this.#nt, pid);
      command = path === null ? null : [basename(path.replaceAll('\\', '/'))];
      this.#programs.set(pid, command);
    }
    return command;
  }

  #isSame(theirs: OpenHandle, ours: number): boolean {
    if (theirs.pid === process.pid) return this.#compare(theirs.handle, ours);
    const process_ = this.#processOf(theirs.pid);
    if (process_ === 0) return false;
    const copy = new Uint8Array(8);
    const status = callOf(this.#nt, 'NtDuplicateObject')(
      process_,
      theirs.handle,
      CURRENT_PROCESS,
      copy,
      0,
      0,
      DUPLICATE_SAME_ACCESS,
    );
    if (status >= FAILED) return false;
    const handle = new DataView(copy.buffer).getInt32(0, true);
    const same = this.#compare(handle, ours);
    closeHandle(this.#nt, handle);
    return same;
  }

  #compare(a: number, b: number): boolean {
    return callOf(this.#nt, 'NtCompareObjects')(a, b) === STATUS_SUCCESS;
  }

  #processOf(pid: number): number {
    let handle = this.#processes.get(pid);
    if (handle === undefined) {
      handle = callOf(this.#nt, 'OpenProcess')(PROCESS_DUP_HANDLE, 0, pid);
      if (handle === 0) this.#unseen.add(pid);
      this.#processes.set(pid, handle);
    }
    return handle;
  }

  close(): void {
    for (const handle of this.#processes.values()) if (handle !== 0) closeHandle(this.#nt, handle);
    this.#processes.clear();
  }
}

/** The process of drivers and of the kernel's own threads. */
const SYSTEM_PROCESS = 4;
