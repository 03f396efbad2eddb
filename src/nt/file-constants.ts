/**
 * The constants of files under their own names, as wdm.h, ntifs.h and winnt.h have them. Values only.
 */
export {
  FILE_CREATE,
  FILE_CREATED,
  FILE_DOES_NOT_EXIST,
  FILE_EXISTS,
  FILE_OPEN,
  FILE_OPEN_IF,
  FILE_OPENED,
  FILE_OVERWRITE,
  FILE_OVERWRITE_IF,
  FILE_OVERWRITTEN,
  FILE_SUPERSEDE,
  FILE_SUPERSEDED,
} from '../files/open-file.js';
export { FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE } from '../files/sharing.js';
export {
  FILE_ALL_ACCESS,
  FILE_APPEND_DATA,
  FILE_DELETE_CHILD,
  FILE_EXECUTE,
  FILE_GENERIC_EXECUTE,
  FILE_GENERIC_READ,
  FILE_GENERIC_WRITE,
  FILE_READ_ATTRIBUTES,
  FILE_READ_DATA,
  FILE_READ_EA,
  FILE_WRITE_ATTRIBUTES,
  FILE_WRITE_DATA,
  FILE_WRITE_EA,
} from '../security/index.js';

/* Of directories, the same bits as FILE_READ_DATA and so on */
export const FILE_LIST_DIRECTORY = 0x0001;
export const FILE_ADD_FILE = 0x0002;
export const FILE_ADD_SUBDIRECTORY = 0x0004;
export const FILE_TRAVERSE = 0x0020;

/* CreateOptions */
export const FILE_DIRECTORY_FILE = 0x0000_0001;
export const FILE_WRITE_THROUGH = 0x0000_0002;
export const FILE_SEQUENTIAL_ONLY = 0x0000_0004;
export const FILE_NO_INTERMEDIATE_BUFFERING = 0x0000_0008;
export const FILE_SYNCHRONOUS_IO_ALERT = 0x0000_0010;
export const FILE_SYNCHRONOUS_IO_NONALERT = 0x0000_0020;
export const FILE_NON_DIRECTORY_FILE = 0x0000_0040;
export const FILE_NO_EA_KNOWLEDGE = 0x0000_0200;
export const FILE_RANDOM_ACCESS = 0x0000_0800;
export const FILE_DELETE_ON_CLOSE = 0x0000_1000;
export const FILE_OPEN_FOR_BACKUP_INTENT = 0x0000_4000;
export const FILE_OPEN_REPARSE_POINT = 0x0020_0000;

/* FileAttributes */
export const FILE_ATTRIBUTE_READONLY = 0x01;
export const FILE_ATTRIBUTE_DIRECTORY = 0x10;
export const FILE_ATTRIBUTE_NORMAL = 0x80;

/* FILE_INFORMATION_CLASS */
export const FileStandardInformation = 5;
export const FileNameInformation = 9;
export const FileDispositionInformation = 13;
export const FilePositionInformation = 14;
export const FileAllocationInformation = 19;
export const FileEndOfFileInformation = 20;

/* ByteOffset of reads and writes: in place of a position */
export const FILE_WRITE_TO_END_OF_FILE = -1n;
export const FILE_USE_FILE_POINTER_POSITION = -2n;
