/**
 * Carries out the calls of a sequence in one process and says what came of them. The faces for user mode
 * and kernel mode differ in the names of their calls alone.
 */
import { statusName } from '../../dist/base/status.js';
import { type Call, securities } from './operations.js';
import type { Answer } from './reference.js';

type Ntdll = typeof import('sectile/ntdll');
type Face = Pick<
  Ntdll,
  | 'NtCreateSection'
  | 'NtOpenSection'
  | 'NtCreateEvent'
  | 'NtOpenEvent'
  | 'NtMapViewOfSection'
  | 'NtUnmapViewOfSection'
  | 'NtClose'
  | 'NtQuerySection'
  | 'NtDuplicateObject'
  | 'NtAllocateVirtualMemory'
  | 'NtQueryVirtualMemory'
  | 'NtCurrentProcess'
  | 'InitializeObjectAttributes'
>;

/** A face under its names of user mode, whichever it is. */
function faceOf(module: object): Face {
  return new Proxy(module, {
    get: (target, name: string) => {
      const table = target as Record<string, unknown>;
      return table[name] ?? table[name.replace(/^Nt/, 'Zw')];
    },
  }) as Face;
}

const flagBits = { OPENIF: 0x80, CASE_INSENSITIVE: 0x40, FORCE_ACCESS_CHECK: 0x400, KERNEL_HANDLE: 0x200 } as const;
const PAGE = 4096;
const BOGUS = 0x1234_5678;

type MapResult = ReturnType<Ntdll['NtMapViewOfSection']>;

export class Caller {
  readonly #face: Face;
  #handles: (number | null)[] = [];
  #views: MapResult[] = [];

  constructor(module: object) {
    this.#face = faceOf(module);
  }

  do(call: Call): Answer {
    const answer = this.#do(call);
    return { ...answer, status: statusName(answer.status) };
  }

  #attributes(name: string | null, flags: readonly (keyof typeof flagBits)[], sddl: string | null) {
    const directories: Readonly<Record<string, string>> = {
      G: '\\BaseNamedObjects',
      L: `\\Sessions\\${process.geteuid?.() === 0 ? 0 : 1}\\BaseNamedObjects`,
    };
    const path = name?.replace(/^[GL](?=\\)/, (scope) => directories[scope] as string) ?? null;
    const bits = flags.reduce((sum, flag) => sum | flagBits[flag], 0);
    return this.#face.InitializeObjectAttributes(path, bits, null, sddl);
  }

  #entered(status: number, handle: number): { status: number } {
    if (handle !== 0) this.#handles.push(handle);
    return { status };
  }

  #handle(index: number): number {
    return this.#handles[index] ?? BOGUS;
  }

  #do(call: Call): { status: number; value?: number } {
    const n = this.#face;
    const self = n.NtCurrentProcess();
    switch (call.call) {
      case 'create': {
        const oa = this.#attributes(call.name, call.flags, securities[call.security]?.sddl ?? null);
        if (call.kind === 'Event') {
          const { status, eventHandle } = n.NtCreateEvent(call.access, oa, 0, false);
          return this.#entered(status, eventHandle);
        }
        const { access, size, protection, attributes } = call;
        const { status, sectionHandle } = n.NtCreateSection(access, oa, size, protection, attributes, null);
        return this.#entered(status, sectionHandle);
      }
      case 'open': {
        const oa = this.#attributes(call.name, call.flags, null);
        if (call.kind === 'Event') {
          const { status, eventHandle } = n.NtOpenEvent(call.access, oa);
          return this.#entered(status, eventHandle);
        }
        const { status, sectionHandle } = n.NtOpenSection(call.access, oa);
        return this.#entered(status, sectionHandle);
      }
      case 'map': {
        const taken = this.#views.find(({ view }) => view?.closed === false)?.baseAddress ?? null;
        const base = call.place === 'taken' ? taken : call.place === 'odd' ? 0x1234_5000n : null;
        const { offset, size, commit, inherit, type, protection } = call;
        const result = n.NtMapViewOfSection(
          this.#handle(call.handle),
          self,
          base,
          0,
          commit,
          offset,
          size,
          inherit,
          type,
          protection,
        );
        if (result.view === null) return { status: result.status };
        this.#views.push(result);
        return { status: result.status, value: result.viewSize };
      }
      case 'duplicate': {
        const { access, options } = call;
        const { status, targetHandle } = n.NtDuplicateObject(self, this.#handle(call.handle), self, access, 0, options);
        return this.#entered(status, targetHandle);
      }
      case 'close':
        return { status: n.NtClose(this.#handle(call.handle)) };
      case 'query': {
        const { status, sectionInformation } = n.NtQuerySection(this.#handle(call.handle), 0);
        return sectionInformation === null ? { status } : { status, value: sectionInformation.MaximumSize };
      }
      case 'unmap': {
        const { baseAddress } = this.#views[call.view] as MapResult;
        return { status: n.NtUnmapViewOfSection(self, (baseAddress as bigint) + BigInt(call.inside)) };
      }
      case 'kill':
        throw new Error('a process cannot kill itself in order');
      default:
        return this.#onPage(call.call, this.#views[call.view] as MapResult, call.page * PAGE, call.value);
    }
  }

  #onPage(what: 'read' | 'write' | 'commit' | 'state', { view, baseAddress }: MapResult, offset: number, value: number) {
    const n = this.#face;
    const self = n.NtCurrentProcess();
    const address = (baseAddress as bigint) + BigInt(offset);
    const byte = new Uint8Array([value]);
    switch (what) {
      case 'commit': {
        const protection = view?.access === 'read' ? 0x02 : 0x04;
        return { status: n.NtAllocateVirtualMemory(self, address, 0, PAGE, 0x1000, protection).status };
      }
      case 'state': {
        const { status, memoryInformation } = n.NtQueryVirtualMemory(self, address, 0);
        return { status, value: (memoryInformation as { State: number }).State };
      }
      case 'read':
        view?.read(byte, offset);
        return { status: 0, value: byte[0] as number };
      default:
        view?.write(byte, offset);
        return { status: 0 };
    }
  }

  /** Closes what the sequence left open. */
  reset(): void {
    for (const handle of this.#handles) if (handle !== null) this.#face.NtClose(handle);
    for (const { view } of this.#views) view?.close();
    this.#handles = [];
    this.#views = [];
  }
}
