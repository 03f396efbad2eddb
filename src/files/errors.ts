/**
 * What the operating system's errors about files mean as statuses, once, as a table.
 */
import { SectionError } from '../base/error.js';
import { type NTSTATUS, Status } from '../base/status.js';
import { isOsError } from '../os/index.js';

const statuses: ReadonlyMap<string, NTSTATUS> = new Map([
  ['ENOENT', Status.STATUS_OBJECT_NAME_NOT_FOUND],
  ['ENOTDIR', Status.STATUS_OBJECT_PATH_NOT_FOUND],
  ['EEXIST', Status.STATUS_OBJECT_NAME_COLLISION],
  ['EACCES', Status.STATUS_ACCESS_DENIED],
  ['EPERM', Status.STATUS_ACCESS_DENIED],
  ['EISDIR', Status.STATUS_FILE_IS_A_DIRECTORY],
  ['ENAMETOOLONG', Status.STATUS_OBJECT_NAME_INVALID],
  ['ELOOP', Status.STATUS_OBJECT_NAME_INVALID],
  ['EINVAL', Status.STATUS_INVALID_PARAMETER],
  ['ETXTBSY', Status.STATUS_SHARING_VIOLATION],
  ['EROFS', Status.STATUS_MEDIA_WRITE_PROTECTED],
  ['ENOSPC', Status.STATUS_DISK_FULL],
  ['EDQUOT', Status.STATUS_DISK_FULL],
  // No file of this file system, or of this process (RLIMIT_FSIZE), can be so long.
  ['EFBIG', Status.STATUS_DISK_FULL],
  ['EMFILE', Status.STATUS_TOO_MANY_OPENED_FILES],
  ['ENFILE', Status.STATUS_TOO_MANY_OPENED_FILES],
  ['ENOMEM', Status.STATUS_INSUFFICIENT_RESOURCES],
  ['ENOLCK', Status.STATUS_INSUFFICIENT_RESOURCES],
  ['ENOTEMPTY', Status.STATUS_DIRECTORY_NOT_EMPTY],
  ['EXDEV', Status.STATUS_NOT_SAME_DEVICE],
  ['ESPIPE', Status.STATUS_INVALID_DEVICE_REQUEST],
  ['ENXIO', Status.STATUS_INVALID_DEVICE_REQUEST],
  ['ENODEV', Status.STATUS_INVALID_DEVICE_REQUEST],
  ['EBADF', Status.STATUS_INVALID_DEVICE_REQUEST],
]);

/** The status for what was thrown; what is neither the system's nor ours is thrown on. */
export function statusOfError(error: unknown): NTSTATUS {
  if (error instanceof SectionError) return error.status;
  if (isOsError(error)) return statuses.get(error.code) ?? Status.STATUS_UNSUCCESSFUL;
  throw error;
}

/** Does something that the operating system may refuse. */
export function attempt(work: () => void): NTSTATUS {
  try {
    work();
    return Status.STATUS_SUCCESS;
  } catch (error) {
    return statusOfError(error);
  }
}
