/**
 * The constants of the Win32 face under their own names: rights of views, errors, and what kernel32
 * shares with the NT faces. The errors that stand for statuses have their home in base/status.ts; here
 * they have their names.
 */
export {
  ACCESS_SYSTEM_SECURITY,
  DACL_SECURITY_INFORMATION,
  DUPLICATE_CLOSE_SOURCE,
  DUPLICATE_SAME_ACCESS,
  EVENT_ALL_ACCESS,
  EVENT_MODIFY_STATE,
  GROUP_SECURITY_INFORMATION,
  LABEL_SECURITY_INFORMATION,
  MAXIMUM_ALLOWED,
  MAXIMUM_WAIT_OBJECTS,
  MEM_COALESCE_PLACEHOLDERS,
  MEM_COMMIT,
  MEM_DECOMMIT,
  MEM_FREE,
  MEM_IMAGE,
  MEM_LARGE_PAGES,
  MEM_MAPPED,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_PRIVATE,
  MEM_RELEASE,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  MEM_RESERVE_PLACEHOLDER,
  MEM_RESET,
  MEM_RESET_UNDO,
  MEM_TOP_DOWN,
  MEM_UNMAP_WITH_TRANSIENT_BOOST,
  MemExtendedParameterAddressRequirements,
  MemExtendedParameterNumaNode,
  MUTANT_ALL_ACCESS as MUTEX_ALL_ACCESS,
  MUTANT_QUERY_STATE as MUTEX_MODIFY_STATE,
  OWNER_SECURITY_INFORMATION,
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
  PROCESS_ALL_ACCESS,
  PROCESS_CREATE_PROCESS,
  PROCESS_CREATE_THREAD,
  PROCESS_DUP_HANDLE,
  PROCESS_QUERY_INFORMATION,
  PROCESS_QUERY_LIMITED_INFORMATION,
  PROCESS_SET_INFORMATION,
  PROCESS_SET_QUOTA,
  PROCESS_SUSPEND_RESUME,
  PROCESS_TERMINATE,
  PROCESS_VM_OPERATION,
  PROCESS_VM_READ,
  PROCESS_VM_WRITE,
  READ_CONTROL,
  SACL_SECURITY_INFORMATION,
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
  SEMAPHORE_ALL_ACCESS,
  SEMAPHORE_MODIFY_STATE,
  STANDARD_RIGHTS_REQUIRED,
  SYNCHRONIZE,
  WRITE_DAC,
  WRITE_OWNER,
} from '../nt/constants.js';

export * from './file-constants.js';

/** Stands for no file: the section is the paging file's. What CreateFile returns when it fails. */
export const INVALID_HANDLE_VALUE = -1;

export const FILE_MAP_COPY = 0x01;
export const FILE_MAP_WRITE = 0x02;
export const FILE_MAP_READ = 0x04;
export const FILE_MAP_EXECUTE = 0x20;
export const FILE_MAP_ALL_ACCESS = 0x000f_001f;
/** A view of large pages: of a section with SEC_LARGE_PAGES. */
export const FILE_MAP_LARGE_PAGES = 0x2000_0000;
/** A view that may go beyond its file, whose pages VirtualAlloc commits. */
export const FILE_MAP_RESERVE = 0x8000_0000;

/* Flags of CreateEventEx and CreateMutexEx */
export const CREATE_EVENT_MANUAL_RESET = 0x1;
export const CREATE_EVENT_INITIAL_SET = 0x2;
export const CREATE_MUTEX_INITIAL_OWNER = 0x1;

/* What waits take and answer; WAIT_TIMEOUT stands among the errors */
export const INFINITE = 0xffff_ffff;
export const WAIT_OBJECT_0 = 0x00;
export const WAIT_ABANDONED = 0x80;
export const WAIT_ABANDONED_0 = 0x80;
/** What Windows answers when an APC ended the wait; there are none here. */
export const WAIT_IO_COMPLETION = 0xc0;
export const WAIT_FAILED = 0xffff_ffff;

/* Flags of CreateProcess */
export const DETACHED_PROCESS = 0x8;
export const CREATE_NEW_CONSOLE = 0x10;
export const CREATE_NEW_PROCESS_GROUP = 0x200;
export const CREATE_UNICODE_ENVIRONMENT = 0x400;
export const CREATE_DEFAULT_ERROR_MODE = 0x400_0000;
export const CREATE_NO_WINDOW = 0x800_0000;

/* What SetHandleInformation changes */
export const HANDLE_FLAG_INHERIT = 0x1;
export const HANDLE_FLAG_PROTECT_FROM_CLOSE = 0x2;

export const ERROR_SUCCESS = 0;
export const NO_ERROR = 0;
export const ERROR_INVALID_FUNCTION = 1;
export const ERROR_FILE_NOT_FOUND = 2;
export const ERROR_PATH_NOT_FOUND = 3;
export const ERROR_TOO_MANY_OPEN_FILES = 4;
export const ERROR_ACCESS_DENIED = 5;
export const ERROR_INVALID_HANDLE = 6;
export const ERROR_NOT_ENOUGH_MEMORY = 8;
export const ERROR_OUTOFMEMORY = 14;
export const ERROR_NOT_SAME_DEVICE = 17;
export const ERROR_NO_MORE_FILES = 18;
export const ERROR_WRITE_PROTECT = 19;
export const ERROR_NOT_READY = 21;
export const ERROR_BAD_COMMAND = 22;
export const ERROR_BAD_LENGTH = 24;
export const ERROR_GEN_FAILURE = 31;
export const ERROR_SHARING_VIOLATION = 32;
export const ERROR_LOCK_VIOLATION = 33;
export const ERROR_HANDLE_EOF = 38;
export const ERROR_NOT_SUPPORTED = 50;
export const ERROR_UNEXP_NET_ERR = 59;
export const ERROR_CANNOT_MAKE = 82;
export const ERROR_INVALID_PARAMETER = 87;
export const ERROR_DISK_FULL = 112;
/** The call is one that this version of the system has not. */
export const ERROR_CALL_NOT_IMPLEMENTED = 120;
export const ERROR_SEM_TIMEOUT = 121;
export const ERROR_INSUFFICIENT_BUFFER = 122;
export const ERROR_INVALID_NAME = 123;
export const ERROR_DIR_NOT_EMPTY = 145;
export const ERROR_NOT_LOCKED = 158;
export const ERROR_BAD_PATHNAME = 161;
export const ERROR_ALREADY_EXISTS = 183;
export const ERROR_BAD_EXE_FORMAT = 193;
export const ERROR_FILENAME_EXCED_RANGE = 206;
export const ERROR_MORE_DATA = 234;
export const WAIT_TIMEOUT = 258;
export const ERROR_NO_MORE_ITEMS = 259;
export const ERROR_DIRECTORY = 267;
export const ERROR_NOT_OWNER = 288;
export const ERROR_TOO_MANY_POSTS = 298;
export const ERROR_PARTIAL_COPY = 299;
export const ERROR_INVALID_LOCK_RANGE = 307;
export const ERROR_MR_MID_NOT_FOUND = 317;
export const ERROR_INVALID_ADDRESS = 487;
export const ERROR_OBJECT_NAME_EXISTS = 698;
export const ERROR_IMAGE_NOT_AT_BASE = 700;
export const ERROR_ABANDONED_WAIT_0 = 735;
export const ERROR_ABANDONED_WAIT_63 = 736;
export const ERROR_OPERATION_ABORTED = 995;
export const ERROR_IO_PENDING = 997;
export const ERROR_NOACCESS = 998;
export const ERROR_SWAPERROR = 999;
export const ERROR_STACK_OVERFLOW = 1001;
export const ERROR_FILE_INVALID = 1006;
export const ERROR_IO_DEVICE = 1117;
export const ERROR_MAPPED_ALIGNMENT = 1132;
export const ERROR_TOO_MANY_LINKS = 1142;
export const ERROR_NOT_FOUND = 1168;
export const ERROR_USER_MAPPED_FILE = 1224;
export const ERROR_NOT_ALL_ASSIGNED = 1300;
export const ERROR_UNKNOWN_REVISION = 1305;
export const ERROR_REVISION_MISMATCH = 1306;
export const ERROR_INVALID_OWNER = 1307;
export const ERROR_INVALID_PRIMARY_GROUP = 1308;
export const ERROR_NO_SUCH_PRIVILEGE = 1313;
export const ERROR_PRIVILEGE_NOT_HELD = 1314;
export const ERROR_INVALID_ACL = 1336;
export const ERROR_INVALID_SID = 1337;
export const ERROR_INVALID_SECURITY_DESCR = 1338;
export const ERROR_NO_SECURITY_ON_OBJECT = 1350;
export const ERROR_INTERNAL_ERROR = 1359;
export const ERROR_GENERIC_NOT_MAPPED = 1360;
export const ERROR_BAD_DESCRIPTOR_FORMAT = 1361;
export const ERROR_NO_SYSTEM_RESOURCES = 1450;
export const ERROR_WORKING_SET_QUOTA = 1453;
export const ERROR_PAGEFILE_QUOTA = 1454;
export const ERROR_COMMITMENT_LIMIT = 1455;
export const ERROR_DEVICE_REMOVED = 1617;
export const ERROR_NOT_SAME_OBJECT = 1656;
export const ERROR_INVALID_USER_BUFFER = 1784;
export const ERROR_NOT_ENOUGH_QUOTA = 1816;
export const ERROR_BAD_DRIVER = 2001;
