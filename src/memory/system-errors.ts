/**
 * What the operating system's refusals are to a user of sections.
 */
import { SectionError, type SectionErrorCode } from '../base/error.js';
import { isOsError } from '../os/index.js';

/** Which code an operating system error becomes when memory is made or mapped. */
const codeOfErrno: Readonly<Record<string, SectionErrorCode>> = {
  EACCES: 'ERR_SECTION_ACCESS_DENIED',
  EPERM: 'ERR_SECTION_ACCESS_DENIED',
  EEXIST: 'ERR_SECTION_ADDRESS_CONFLICT',
  ENOMEM: 'ERR_SECTION_NO_MEMORY',
  EAGAIN: 'ERR_SECTION_NO_MEMORY',
  ENOSPC: 'ERR_SECTION_DISK_FULL',
  EDQUOT: 'ERR_SECTION_DISK_FULL',
  ENODEV: 'ERR_SECTION_FILE',
  ENOENT: 'ERR_SECTION_NOT_FOUND',
  EISDIR: 'ERR_SECTION_FILE',
  EBADF: 'ERR_SECTION_CLOSED',
  EMFILE: 'ERR_SECTION_LIMIT',
  ENFILE: 'ERR_SECTION_LIMIT',
  EFBIG: 'ERR_SECTION_TOO_BIG',
  EOVERFLOW: 'ERR_SECTION_TOO_BIG',
};

/** Turns an operating system error into a {@link SectionError}; passes anything else through. */
export function sectionErrorFrom(error: unknown, operation: string, object: string, wayOut?: string): unknown {
  if (!isOsError(error)) return error;
  const code = codeOfErrno[error.code] ?? 'ERR_SECTION_SYSTEM_CALL';
  const advice =
    code === 'ERR_SECTION_LIMIT' ? 'Close sections and read-only views, or raise the limit of open files (ulimit -n)' : wayOut;
  return new SectionError(code, {
    operation,
    object,
    rule: `the system refused: ${error.message}`,
    ...(advice === undefined ? {} : { wayOut: advice }),
    errno: error.errno,
    cause: error,
  });
}
