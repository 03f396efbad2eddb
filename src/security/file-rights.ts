/**
 * The rights to a file, and what the generic rights mean for one.
 *
 * Source: Microsoft's pages "File Access Rights Constants" and "File Security and Access Rights".
 */
import {
  type GenericMapping,
  STANDARD_RIGHTS_EXECUTE,
  STANDARD_RIGHTS_READ,
  STANDARD_RIGHTS_REQUIRED,
  STANDARD_RIGHTS_WRITE,
  SYNCHRONIZE,
} from './access-mask.js';

/** Of a directory: FILE_LIST_DIRECTORY. */
export const FILE_READ_DATA = 0x0001;
/** Of a directory: FILE_ADD_FILE. */
export const FILE_WRITE_DATA = 0x0002;
/** Of a directory: FILE_ADD_SUBDIRECTORY. */
export const FILE_APPEND_DATA = 0x0004;
export const FILE_READ_EA = 0x0008;
export const FILE_WRITE_EA = 0x0010;
/** Of a directory: FILE_TRAVERSE. */
export const FILE_EXECUTE = 0x0020;
export const FILE_DELETE_CHILD = 0x0040;
export const FILE_READ_ATTRIBUTES = 0x0080;
export const FILE_WRITE_ATTRIBUTES = 0x0100;

export const FILE_GENERIC_READ = STANDARD_RIGHTS_READ | FILE_READ_DATA | FILE_READ_ATTRIBUTES | FILE_READ_EA | SYNCHRONIZE;
export const FILE_GENERIC_WRITE =
  STANDARD_RIGHTS_WRITE | FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES | FILE_WRITE_EA | FILE_APPEND_DATA | SYNCHRONIZE;
export const FILE_GENERIC_EXECUTE = STANDARD_RIGHTS_EXECUTE | FILE_READ_ATTRIBUTES | FILE_EXECUTE | SYNCHRONIZE;
export const FILE_ALL_ACCESS = STANDARD_RIGHTS_REQUIRED | SYNCHRONIZE | 0x1ff;

export const fileMapping: GenericMapping = {
  read: FILE_GENERIC_READ,
  write: FILE_GENERIC_WRITE,
  execute: FILE_GENERIC_EXECUTE,
  all: FILE_ALL_ACCESS,
};
