/**
 * The memory in which a named or unnamed object keeps its state, mapped.
 */
import { SectionError } from '../base/error.js';
import type { ObjectHandle } from '../memory/object-handle.js';
import { type Mapping, Protect } from '../os/index.js';

/**
 * Maps an object's state: for writing, where its handle allows that.
 *
 * @param bytes That its kind has.
 * @throws SectionError where the memory cannot be mapped, or is too short: whoever made the object may be anybody
 */
export function mapState(operation: string, { memory }: ObjectHandle, bytes: number): Mapping {
  if (memory.size < bytes) {
    throw new SectionError('ERR_SECTION_TYPE_MISMATCH', {
      operation,
      object: memory.description,
      rule: `it has ${memory.size} bytes, and its state has ${bytes}: it was not made by this version of Sectile`,
    });
  }
  const protection = Protect.read | (memory.writable ? Protect.write : 0);
  return memory.map(operation, memory.description, { offset: 0, length: bytes, protection, private: false });
}
