/**
 * What a Win32 error of the system becomes in the idiomatic face, as a table.
 */
import { SectionError, type SectionErrorCode } from '../base/error.js';
import { win32ErrorOf } from '../base/status.js';

/** Win32 error -> [code, way out] */
const rows: ReadonlyMap<number, readonly [code: SectionErrorCode, rule: string, wayOut?: string]> = new Map([
  [
    2,
    [
      'ERR_SECTION_NOT_FOUND',
      'it does not exist',
      '"sectile ls" shows what there is. Check the name, and that its creator still runs',
    ],
  ],
  [3, ['ERR_SECTION_NOT_FOUND', 'its path does not exist', 'Check the path']],
  [
    5,
    [
      'ERR_SECTION_ACCESS_DENIED',
      'it does not grant this process that access',
      "Ask for access 'read', or have its creator grant more",
    ],
  ],
  [6, ['ERR_SECTION_TYPE_MISMATCH', 'another kind of object has that name', 'Choose another name']],
  [8, ['ERR_SECTION_NO_MEMORY', 'there is no room for it', 'Ask for less, or map a part']],
  [32, ['ERR_SECTION_ACCESS_DENIED', 'another program keeps it from being shared', 'Wait until that program closes it']],
  [87, ['ERR_SECTION_INVALID_ARGUMENT', 'the system takes a parameter for wrong']],
  [112, ['ERR_SECTION_DISK_FULL', 'its disk is full', 'Make room on its disk']],
  [123, ['ERR_SECTION_INVALID_NAME', 'it is no name', 'Use other characters']],
  [161, ['ERR_SECTION_INVALID_NAME', 'it is no name', 'Use other characters']],
  [
    183,
    [
      'ERR_SECTION_EXISTS',
      'it exists already',
      "Open it with Section.open, create it with ifExists 'open', or choose another name",
    ],
  ],
  [193, ['ERR_SECTION_FILE', 'what it is cannot be mapped into memory', 'Only regular files can back a section']],
  [487, ['ERR_SECTION_ADDRESS_CONFLICT', 'the addresses are taken', 'Another address, or none, lets the system choose']],
  [
    1006,
    [
      'ERR_SECTION_FILE_EMPTY',
      'it is empty, and an empty section cannot be',
      'Give a size to grow it (with access readwrite), or write to it first',
    ],
  ],
  [1132, ['ERR_SECTION_MISALIGNED', 'the address does not fit the offset', 'Use an address that is a multiple of 65536']],
  [
    1314,
    [
      'ERR_SECTION_ACCESS_DENIED',
      'the user does not hold the privilege that it takes',
      'Have an administrator grant it: "Lock pages in memory" for large pages, "Create global objects" for Global\\ names',
    ],
  ],
  [1338, ['ERR_SECTION_INVALID_SECURITY', 'the security descriptor is none', 'Give SDDL, such as D:(A;;GR;;;WD)']],
  [1450, ['ERR_SECTION_LARGE_PAGES', 'the system has not the resources', 'Ask for less']],
  [1453, ['ERR_SECTION_LIMIT', "the user's quota is used up", 'Close sections']],
  [1455, ['ERR_SECTION_COMMIT_LIMIT', 'the paging file is too small for it', 'Ask for less, or have the paging file enlarged']],
]);

/** The error of a call that gave a Win32 error. */
export function failureOf(operation: string, object: string, error: number, cause?: unknown): SectionError {
  const [code, rule, wayOut] = rows.get(error) ?? ['ERR_SECTION_SYSTEM_CALL', 'the system refused'];
  return new SectionError(code, {
    operation,
    object,
    rule: `${rule} (Win32 error ${error})`,
    ...(wayOut === undefined ? {} : { wayOut }),
    errno: error,
    cause,
  });
}

/** The error of an open that the object's security descriptor refuses. @param granted Its DACL, as SDDL. */
export function notGranted(operation: string, object: string, granted: string): SectionError {
  const error = 5;
  return new SectionError('ERR_SECTION_ACCESS_DENIED', {
    operation,
    object,
    rule: `${granted} does not grant this process that access (Win32 error ${error})`,
    wayOut: "Ask for access 'read', or have its creator grant more",
    errno: error,
  });
}

/** The same of a call that gave an NTSTATUS. */
export function failureOfStatus(operation: string, object: string, status: number): SectionError {
  return failureOf(operation, object, win32ErrorOf(status));
}
