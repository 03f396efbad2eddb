/**
 * Views that children inherit: those with ViewShare, with the memory that they show. A child maps them
 * anew, at the same addresses.
 */
import type { NTSTATUS } from '../base/status.js';
import type { Parcel } from '../memory/parcel.js';
import { type Descriptor, type Mapping, os, Protect } from '../os/index.js';
import { packMemory, unpackObject } from '../system/parcels.js';
import { PAGE_READONLY, ViewShare } from './constants.js';
import { sectionType } from './object-types.js';
import { viewKind } from './protection.js';
import { views } from './tables.js';
import { mapHere } from './view-calls.js';
import type { MappedView } from './view-table.js';

/** What a child must know of a view. */
export interface ViewFacts {
  readonly object: string;
  readonly base: bigint;
  readonly offset: number;
  readonly length: number;
  /** PAGE_… */
  readonly protection: number;
}

/** Packs every view that children inherit. Throws where a descriptor cannot be had; nothing is held then. */
export function packViews(): readonly { readonly parcel: Parcel; readonly view: ViewFacts }[] {
  const packed: { readonly parcel: Parcel; readonly view: ViewFacts }[] = [];
  try {
    for (const mapped of views.mapped()) if (mapped.inherit === ViewShare) packed.push(packView(mapped));
    return packed;
  } catch (error) {
    for (const { parcel } of packed) parcel.close();
    throw error;
  }
}

function packView({ view, base, asked, pages, object, facts, backing, pageSize }: MappedView) {
  const { map, access, rights } = viewKind(asked);
  const writes = (map & Protect.write) !== 0 && access !== 'copy';
  // The kernel lets nobody but its creator write to such a section.
  const protection = writes && facts.soleWriter ? PAGE_READONLY : asked;
  const descriptor = descriptorOf(pages.mapping, writes && !facts.soleWriter);
  const parcel = packMemory('Section', descriptor, { facts, backing, pageSize, granted: rights });
  return { parcel, view: { object, base, offset: view.offset, length: view.length, protection } };
}

/** A descriptor of what is mapped that can write, or not. */
function descriptorOf(mapping: Mapping, write: boolean): Descriptor {
  const same = os.descriptorFromNumber(os.mappingDescriptor(mapping));
  if (write || !os.descriptorStat(same).writable) return same;
  try {
    return os.descriptorReopen(same, false);
  } finally {
    os.descriptorClose(same);
  }
}

/** Maps a view that came from the parent; takes over the descriptors. */
export function mapInherited(view: ViewFacts, facts: unknown, descriptors: readonly Descriptor[]): NTSTATUS {
  const body = unpackObject(facts, descriptors);
  try {
    const { object, base, offset, length, protection } = view;
    const section = { type: sectionType, body, object, granted: body.granted, checked: true } as const;
    const request = {
      base,
      zeroBits: 0n,
      commitSize: 0n,
      offset: BigInt(offset),
      viewSize: BigInt(length),
      inherit: ViewShare,
      allocationType: 0,
      protection,
    };
    const nothing = { inherit: false, protectedFromClose: false, forget: () => {} } as const;
    return mapHere({ ...section, ...nothing }, request, null, refusal).status;
  } finally {
    body.close();
  }
}

const refusal = (status: NTSTATUS) => ({ status, baseAddress: null, sectionOffset: 0, viewSize: 0, view: null });
