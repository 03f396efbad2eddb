/**
 * The constants of files in the Win32 face, under their own names. Values only.
 */
export {
  DELETE,
  FILE_ALL_ACCESS,
  FILE_APPEND_DATA,
  FILE_ATTRIBUTE_NORMAL,
  FILE_ATTRIBUTE_READONLY,
  FILE_EXECUTE,
  FILE_GENERIC_EXECUTE,
  FILE_GENERIC_READ,
  FILE_GENERIC_WRITE,
  FILE_READ_ATTRIBUTES,
  FILE_READ_DATA,
  FILE_SHARE_DELETE,
  FILE_SHARE_READ,
  FILE_SHARE_WRITE,
  FILE_WRITE_ATTRIBUTES,
  FILE_WRITE_DATA,
  GENERIC_ALL,
  GENERIC_EXECUTE,
  GENERIC_READ,
  GENERIC_WRITE,
} from '../nt/constants.js';

/* dwCreationDisposition */
export const CREATE_NEW = 1;
export const CREATE_ALWAYS = 2;
export const OPEN_EXISTING = 3;
export const OPEN_ALWAYS = 4;
export const TRUNCATE_EXISTING = 5;

/* dwFlagsAndAttributes */
export const FILE_FLAG_OPEN_REPARSE_POINT = 0x0020_0000;
export const FILE_FLAG_BACKUP_SEMANTICS = 0x0200_0000;
export const FILE_FLAG_DELETE_ON_CLOSE = 0x0400_0000;
export const FILE_FLAG_SEQUENTIAL_SCAN = 0x0800_0000;
export const FILE_FLAG_RANDOM_ACCESS = 0x1000_0000;
export const FILE_FLAG_NO_BUFFERING = 0x2000_0000;
export const FILE_FLAG_OVERLAPPED = 0x4000_0000;
export const FILE_FLAG_WRITE_THROUGH = 0x8000_0000;

/* dwMoveMethod */
export const FILE_BEGIN = 0;
export const FILE_CURRENT = 1;
export const FILE_END = 2;

export const FILE_TYPE_UNKNOWN = 0;
export const FILE_TYPE_DISK = 1;
export const FILE_TYPE_CHAR = 2;
export const FILE_TYPE_PIPE = 3;

export const INVALID_FILE_SIZE = 0xffff_ffff;
/** What SetFilePointer returns when it fails. */
export const INVALID_SET_FILE_POINTER = 0xffff_ffff;

/* Flags of LockFileEx */
export const LOCKFILE_FAIL_IMMEDIATELY = 0x1;
export const LOCKFILE_EXCLUSIVE_LOCK = 0x2;

/* Errors that only calls on files have */
export const ERROR_FILE_EXISTS = 80;
export const ERROR_NEGATIVE_SEEK = 131;
