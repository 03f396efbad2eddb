/**
 * The memory of objects that are no sections: a little, that holds their state, or the text of a link.
 */
import type { ObjectKind } from '../base/object-kind.js';
import { os } from '../os/index.js';
import { MemoryObject } from './memory-object.js';
import type { SectionFacts } from './object-handle.js';
import { PAGE_READWRITE, SEC_COMMIT } from './section-masks.js';
import { sectionErrorFrom } from './system-errors.js';

/** The most bytes of such an object: the target of a link has at most 65,534. */
export const MAXIMUM_CONTENT = 65_536;

/** What stands in the place of a section's facts: memory that may be written by those who have the right. */
export function factsOfContent(memory: MemoryObject): SectionFacts {
  return { size: memory.size, pageProtection: PAGE_READWRITE, attributes: SEC_COMMIT, soleWriter: false };
}

/**
 * New memory with these bytes in it; an object without any has one byte all the same.
 *
 * @param path Where it is to be a file.
 */
export function createContent(
  operation: string,
  object: string,
  label: string,
  content: Uint8Array,
  path?: string,
): MemoryObject {
  const memory = MemoryObject.createPagefile(operation, object, { label, size: Math.max(1, content.length), path });
  try {
    if (content.length > 0) os.descriptorWrite(memory.descriptor, content, 0);
    return memory;
  } catch (error) {
    memory.close();
    throw sectionErrorFrom(error, operation, object);
  }
}

/** All bytes of an object's memory. */
export function readContent(operation: string, object: string, memory: MemoryObject): Uint8Array {
  const bytes = new Uint8Array(memory.size);
  try {
    return bytes.subarray(0, os.descriptorRead(memory.descriptor, bytes, 0));
  } catch (error) {
    throw sectionErrorFrom(error, operation, object);
  }
}

/** Where an event says of what type it is: 0 for one that stays signalled. */
const EVENT_TYPE_OFFSET = 4;

/** Whether a wait for an object of this kind, with this memory, changes its state: not for an event that stays signalled. */
export function takenByWaits(kind: ObjectKind, memory: MemoryObject): boolean {
  if (kind !== 'Event') return true;
  const type = new Int32Array(1);
  return os.descriptorRead(memory.descriptor, new Uint8Array(type.buffer), EVENT_TYPE_OFFSET) < 4 || type[0] !== 0;
}
