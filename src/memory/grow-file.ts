/**
 * Files that grow to be mapped.
 */
import { SectionError } from '../base/error.js';
import { Status } from '../base/status.js';
import { type Descriptor, isOsError, os } from '../os/index.js';

/** What the system answers when a file cannot have more bytes: no room, or no file may be so long. */
const noRoom: readonly string[] = ['ENOSPC', 'EDQUOT', 'EFBIG'];

/**
 * Makes a file at least so long, with its storage allocated: a full disk is an error now, and not a fault
 * later. A file that cannot be grown stays as it was.
 *
 * @throws SectionError ERR_SECTION_DISK_FULL; ERR_SECTION_FILE with STATUS_SECTION_NOT_EXTENDED
 */
export function growFile(operation: string, object: string, descriptor: Descriptor, size: number): void {
  const before = os.descriptorStat(descriptor).size;
  if (size <= before) return;
  try {
    os.descriptorAllocate(descriptor, before, size - before);
  } catch (error) {
    if (!isOsError(error)) throw error;
    const after = os.descriptorStat(descriptor).size;
    if (after > before && after < size) os.descriptorResize(descriptor, before);
    const full = noRoom.includes(error.code);
    throw new SectionError(full ? 'ERR_SECTION_DISK_FULL' : 'ERR_SECTION_FILE', {
      operation,
      object,
      rule: `it could not be grown to ${size} bytes: ${error.message}`,
      wayOut: full ? 'Make room on its disk, or raise the limit of file sizes (ulimit -f)' : 'Grow it before it is mapped',
      ...(full ? {} : { status: Status.STATUS_SECTION_NOT_EXTENDED }),
      errno: error.errno,
      cause: error,
    });
  }
}
