/**
 * The constants of the Win32 face under their own names: rights of views, errors, and what kernel32
 * shares with the NT faces. The errors that stand for statuses have their home in base/status.ts; here
 * they have their names.
 */
export {
  MEM_COMMIT,
  MEM_FREE,
  MEM_IMAGE,
  MEM_LARGE_PAGES,
  MEM_MAPPED,
  MEM_PRIVATE,
  MEM_RESERVE,
  MEM_TOP_DOWN,
  PAGE_EXECUTE,
  PAGE_EXECUTE_READ,
  PAGE_EXECUTE_READWRITE,
  PAGE_EXECUTE_WRITECOPY,
  PAGE_GUARD,
  PAGE_NOACCESS,
  PAGE_NOCACHE,
  PAGE_READONLY,
  PAGE_READWRITE,
  PAGE_WRITECOMBINE,
  PAGE_WRITECOPY,
  SEC_COMMIT,
  SEC_FILE,
  SEC_IMAGE,
  SEC_IMAGE_NO_EXECUTE,
  SEC_LARGE_PAGES,
  SEC_NOCACHE,
  SEC_RESERVE,
  SEC_WRITECOMBINE,
  SECTION_ALL_ACCESS,
  SECTION_EXTEND_SIZE,
  SECTION_MAP_EXECUTE,
  SECTION_MAP_EXECUTE_EXPLICIT,
  SECTION_MAP_READ,
  SECTION_MAP_WRITE,
  SECTION_QUERY,
} from '../nt/constants.js';

/** Stands for no file: the section is the paging file's. */
export const INVALID_HANDLE_VALUE = -1;

export const FILE_MAP_COPY = 0x01;
export const FILE_MAP_WRITE = 0x02;
export const FILE_MAP_READ = 0x04;
export const FILE_MAP_EXECUTE = 0x20;
export const FILE_MAP_ALL_ACCESS = 0x000f_001f;

export const ERROR_SUCCESS = 0;
export const NO_ERROR = 0;
export const ERROR_INVALID_FUNCTION = 1;
export const ERROR_FILE_NOT_FOUND = 2;
export const ERROR_PATH_NOT_FOUND = 3;
export const ERROR_ACCESS_DENIED = 5;
export const ERROR_INVALID_HANDLE = 6;
export const ERROR_NOT_ENOUGH_MEMORY = 8;
export const ERROR_OUTOFMEMORY = 14;
export const ERROR_NOT_SAME_DEVICE = 17;
export const ERROR_BAD_LENGTH = 24;
export const ERROR_GEN_FAILURE = 31;
export const ERROR_SHARING_VIOLATION = 32;
export const ERROR_LOCK_VIOLATION = 33;
export const ERROR_NOT_SUPPORTED = 50;
export const ERROR_UNEXP_NET_ERR = 59;
export const ERROR_INVALID_PARAMETER = 87;
export const ERROR_DISK_FULL = 112;
export const ERROR_INSUFFICIENT_BUFFER = 122;
export const ERROR_INVALID_NAME = 123;
export const ERROR_BAD_PATHNAME = 161;
export const ERROR_ALREADY_EXISTS = 183;
export const ERROR_BAD_EXE_FORMAT = 193;
export const ERROR_MR_MID_NOT_FOUND = 317;
export const ERROR_INVALID_ADDRESS = 487;
export const ERROR_OBJECT_NAME_EXISTS = 698;
export const ERROR_IO_PENDING = 997;
export const ERROR_NOACCESS = 998;
export const ERROR_SWAPERROR = 999;
export const ERROR_FILE_INVALID = 1006;
export const ERROR_MAPPED_ALIGNMENT = 1132;
export const ERROR_USER_MAPPED_FILE = 1224;
export const ERROR_PRIVILEGE_NOT_HELD = 1314;
export const ERROR_INVALID_ACL = 1336;
export const ERROR_INVALID_SECURITY_DESCR = 1338;
export const ERROR_NO_SYSTEM_RESOURCES = 1450;
export const ERROR_WORKING_SET_QUOTA = 1453;
export const ERROR_PAGEFILE_QUOTA = 1454;
export const ERROR_COMMITMENT_LIMIT = 1455;
export const ERROR_BAD_DRIVER = 2001;
