/**
 * Handles on objects on their way to another process, wherever the objects live: packed by the handle
 * itself, and made into a handle of this process here.
 */
import type { ObjectKind } from '../base/object-kind.js';
import type { Backing } from '../memory/memory-object.js';
import type { ObjectHandle, SectionFacts } from '../memory/object-handle.js';
import type { Parcel } from '../memory/parcel.js';
import { takeLocal } from '../namespace/local.js';
import { newIdentity } from '../namespace/object-rules.js';
import { type Descriptor, os } from '../os/index.js';
import { takeGlobal } from './global.js';
import { UnnamedHandle, unnamedParcel } from './unnamed.js';

const OPERATION = 'take an object over';

/** Packs memory alone, as a section without a name that nobody else has a handle on. Takes the descriptor over. */
export function packMemory(
  kind: ObjectKind,
  descriptor: Descriptor,
  parts: { readonly facts: SectionFacts; readonly backing: Backing; readonly pageSize: number; readonly granted: number },
): Parcel {
  const { size } = parts.facts;
  return unnamedParcel(descriptor, { ...parts, kind, identity: newIdentity(), size, exclusive: false, security: 'D:' });
}

/**
 * Makes a handle of what another process has packed; takes over the descriptors, on failure too.
 *
 * @throws SectionError where the object is out of this process's reach; TypeError for what is no parcel
 */
export function unpackObject(facts: unknown, descriptors: readonly Descriptor[]): ObjectHandle {
  const place = (facts as { readonly place?: unknown } | null)?.place;
  if (place === 'local') return takeLocal(OPERATION, facts, descriptors);
  if (place === 'unnamed') return UnnamedHandle.unpack(facts, descriptors);
  for (const each of descriptors) os.descriptorClose(each);
  if (place === 'global') return takeGlobal(OPERATION, facts);
  throw new TypeError('no object');
}
