/**
 * Memory of local names where descriptors can be opened through /proc: it is anonymous, and an opener takes it
 * from a process that holds it. Nothing is left of it when the last of them has gone.
 */
import { SectionError } from '../base/error.js';
import { kindText } from '../base/object-kind.js';
import { MemoryObject } from '../memory/memory-object.js';
import { type Descriptor, isOsError, OpenFlag, os } from '../os/index.js';
import { ownPidNamespace } from './local-access.js';
import type { LocalMemory } from './local-memory.js';
import { damaged } from './lock-file.js';
import type { ObjectName } from './name.js';
import type { RegistryFile } from './registry-file.js';
import type { RegistryRecord, RegistrySlot } from './registry-record.js';

/** Milliseconds that a process which ends may take from losing its descriptors to losing its locks. */
const ENDING_TIME = 1000;

function openThrough(slot: RegistrySlot, write: boolean): Descriptor {
  const path = `/proc/${slot.pid === process.pid ? 'self' : slot.pid}/fd/${slot.descriptor}`;
  return os.descriptorOpen(path, OpenFlag.nonBlocking | (write ? OpenFlag.write : 0), 0);
}

/**
 * Takes the memory from any living holder; null when none lives any more. Needs the file's mutex.
 *
 * @throws SectionError ERR_SECTION_HOLDER_UNREACHABLE, ERR_SECTION_REGISTRY_DAMAGED
 */
function take(
  operation: string,
  name: ObjectName,
  file: RegistryFile,
  record: RegistryRecord,
  write: boolean,
): MemoryObject | null {
  const refusals: string[] = [];
  for (const index of file.livingSlots()) {
    const slot = file.readSlot(index);
    if (slot.pidNamespace !== ownPidNamespace()) {
      refusals.push(`process ${slot.pid} lives in another PID namespace`);
      continue;
    }
    let descriptor: Descriptor;
    let writable = write;
    try {
      try {
        descriptor = openThrough(slot, write);
      } catch (error) {
        // A file that this user may only read: its section can be opened, its views cannot write.
        if (!write || !isOsError(error) || !['EACCES', 'EPERM', 'EROFS'].includes(error.code)) throw error;
        writable = false;
        descriptor = openThrough(slot, false);
      }
    } catch (error) {
      const vanished = isOsError(error) && ['ENOENT', 'ESRCH'].includes(error.code);
      if (vanished && file.ownerEnds(index, ENDING_TIME)) continue;
      refusals.push(
        `process ${slot.pid} does not let its descriptors be opened (${isOsError(error) ? error.code : String(error)})`,
      );
      continue;
    }
    const stat = os.descriptorStat(descriptor);
    if (stat.device !== record.device || stat.inode !== record.inode) {
      os.descriptorClose(descriptor);
      if (file.ownerEnds(index, ENDING_TIME)) continue;
      throw damaged(
        operation,
        file.path,
        `descriptor ${slot.descriptor} of process ${slot.pid} is another object than the record names`,
      );
    }
    return MemoryObject.adopt(descriptor, { backing: record.backing, size: record.size, pageSize: record.pageSize, writable });
  }
  // A holder may have died between the two looks; then the name is free.
  if (refusals.length === 0 || !file.isAlive) return null;
  throw new SectionError('ERR_SECTION_HOLDER_UNREACHABLE', {
    operation,
    object: `"${name.full}"`,
    rule: `${kindText(record.kind)} of that name exists, but ${refusals.join(', and ')}`,
    wayOut:
      'A process that changed its user or hides its /proc entry cannot share a local name: use Global\\ with a system process',
  });
}

export const memoryFromHolders: LocalMemory = {
  make: (_folder, make) => {
    const memory = make();
    return { memory, publish: () => {}, discard: () => memory.close() };
  },
  take,
  forget: () => {},
  isLeftOver: () => false,
};
