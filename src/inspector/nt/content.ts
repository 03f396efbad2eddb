/**
 * The bytes of a section of the kernel's, for looking only: reserved pages that nobody has touched are shown as zeros
 * and stay reserved.
 */
import { SectionError } from '../../base/error.js';
import type { ObjectName } from '../../memory/object-handle.js';
import { failureOf, failureOfStatus } from '../../ntos/failure.js';
import { callOf, closeHandle, sectionFacts } from '../../ntos/handles.js';
import { MapFlag, type NtSystem, os } from '../../os/index.js';
import { SECTION_MAP_READ, SECTION_QUERY } from '../../security/index.js';
import type { Content } from '../content.js';
import { isReserved } from '../protection.js';

const PAGE_READONLY = 0x02;
const ViewUnmap = 2;
const PAGE_SIZE = 4096;
const CURRENT_PROCESS = -1;
const STATUS_SUCCESS = 0;

function open(nt: NtSystem, operation: string, name: ObjectName): number {
  // Whoever grants the view need not grant the query.
  for (const desired of [SECTION_MAP_READ | SECTION_QUERY, SECTION_MAP_READ]) {
    const handle = callOf(nt, 'OpenFileMappingW')(desired, 0, name.full);
    if (handle !== 0) return handle;
  }
  throw failureOf(operation, `"${name.full}"`, nt.lastError());
}

/** Copies what can be read without touching it: a reserved page stays reserved. False: not all of it can be. */
function peek(nt: NtSystem, address: bigint, bytes: Uint8Array): boolean {
  return callOf(nt, 'NtReadVirtualMemory')(CURRENT_PROCESS, address, bytes, bytes.length, null) === STATUS_SUCCESS;
}

function lost(operation: string, object: string, at: number): SectionError {
  return new SectionError('ERR_SECTION_FAULT', {
    operation,
    object,
    rule: `bytes from ${at} on cannot be read any more`,
    wayOut: 'Its file was lost meanwhile: look again',
  });
}

export function openKernelContent(nt: NtSystem, operation: string, name: ObjectName, object: string): Content {
  const handle = open(nt, operation, name);
  const mapped = nt.mapSection(handle, 0, 0, PAGE_READONLY, 0, MapFlag.exact, ViewUnmap, null);
  const facts = sectionFacts(nt, handle);
  closeHandle(nt, handle);
  if (typeof mapped === 'number') throw failureOfStatus(operation, object, mapped);
  const start = os.mappingAddress(mapped);
  return {
    size: facts?.size ?? nt.mappingLength(mapped),
    read(bytes, position) {
      if (peek(nt, start + BigInt(position), bytes)) return;
      for (let done = 0; done < bytes.length; ) {
        const at = position + done;
        const part = bytes.subarray(done, done + PAGE_SIZE - (at % PAGE_SIZE));
        if (!peek(nt, start + BigInt(at), part)) {
          if (facts === undefined || !isReserved(facts.attributes)) throw lost(operation, object, at);
          part.fill(0);
        }
        done += part.length;
      }
    },
    close: () => {
      os.mappingClose(mapped);
    },
  };
}
