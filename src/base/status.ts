/**
 * The NTSTATUS values that concern sections, each with the Win32 error that
 * RtlNtStatusToDosError gives for it. This table is the one home of both facts.
 *
 * Source: [MS-ERREF] sections 2.2 and 2.3; the Win32 column as the public suites
 * assert it.
 */

/** An NTSTATUS as an unsigned 32-bit number. */
export type NTSTATUS = number;

/** name -> [NTSTATUS, Win32 error] */
const rows = {
  STATUS_SUCCESS: [0x00000000, 0],
  STATUS_TIMEOUT: [0x00000102, 258],
  STATUS_PENDING: [0x00000103, 997],
  STATUS_OBJECT_NAME_EXISTS: [0x40000000, 698],
  STATUS_UNSUCCESSFUL: [0xc0000001, 31],
  STATUS_NOT_IMPLEMENTED: [0xc0000002, 1],
  STATUS_INVALID_INFO_CLASS: [0xc0000003, 87],
  STATUS_INFO_LENGTH_MISMATCH: [0xc0000004, 24],
  STATUS_ACCESS_VIOLATION: [0xc0000005, 998],
  STATUS_IN_PAGE_ERROR: [0xc0000006, 999],
  STATUS_INVALID_HANDLE: [0xc0000008, 6],
  STATUS_INVALID_PARAMETER: [0xc000000d, 87],
  STATUS_NO_MEMORY: [0xc0000017, 8],
  STATUS_CONFLICTING_ADDRESSES: [0xc0000018, 487],
  STATUS_NOT_MAPPED_VIEW: [0xc0000019, 487],
  STATUS_UNABLE_TO_DELETE_SECTION: [0xc000001b, 87],
  STATUS_INVALID_VIEW_SIZE: [0xc000001f, 5],
  STATUS_INVALID_FILE_FOR_SECTION: [0xc0000020, 193],
  STATUS_ACCESS_DENIED: [0xc0000022, 5],
  STATUS_OBJECT_TYPE_MISMATCH: [0xc0000024, 6],
  STATUS_OBJECT_NAME_INVALID: [0xc0000033, 123],
  STATUS_OBJECT_NAME_NOT_FOUND: [0xc0000034, 2],
  STATUS_OBJECT_NAME_COLLISION: [0xc0000035, 183],
  STATUS_OBJECT_PATH_INVALID: [0xc0000039, 161],
  STATUS_OBJECT_PATH_NOT_FOUND: [0xc000003a, 3],
  STATUS_OBJECT_PATH_SYNTAX_BAD: [0xc000003b, 161],
  STATUS_SECTION_TOO_BIG: [0xc0000040, 8],
  STATUS_INVALID_PAGE_PROTECTION: [0xc0000045, 87],
  STATUS_SECTION_PROTECTION: [0xc000004e, 87],
  STATUS_FILE_LOCK_CONFLICT: [0xc0000054, 33],
  STATUS_PRIVILEGE_NOT_HELD: [0xc0000061, 1314],
  STATUS_INVALID_ACL: [0xc0000077, 1336],
  STATUS_INVALID_SECURITY_DESCR: [0xc0000079, 1338],
  STATUS_DISK_FULL: [0xc000007f, 112],
  STATUS_SECTION_NOT_EXTENDED: [0xc0000087, 14],
  STATUS_INSUFFICIENT_RESOURCES: [0xc000009a, 1450],
  STATUS_FILE_IS_A_DIRECTORY: [0xc00000ba, 5],
  STATUS_NOT_SUPPORTED: [0xc00000bb, 50],
  STATUS_INVALID_PARAMETER_1: [0xc00000ef, 87],
  STATUS_INVALID_PARAMETER_2: [0xc00000f0, 87],
  STATUS_INVALID_PARAMETER_3: [0xc00000f1, 87],
  STATUS_INVALID_PARAMETER_4: [0xc00000f2, 87],
  STATUS_INVALID_PARAMETER_5: [0xc00000f3, 87],
  STATUS_INVALID_PARAMETER_6: [0xc00000f4, 87],
  STATUS_INVALID_PARAMETER_7: [0xc00000f5, 87],
  STATUS_INVALID_PARAMETER_8: [0xc00000f6, 87],
  STATUS_INVALID_PARAMETER_9: [0xc00000f7, 87],
  STATUS_INVALID_PARAMETER_10: [0xc00000f8, 87],
  STATUS_DRIVER_UNABLE_TO_LOAD: [0xc000026c, 2001],
  STATUS_PROCESS_IS_TERMINATING: [0xc000010a, 5],
  STATUS_MAPPED_FILE_SIZE_ZERO: [0xc000011e, 1006],
  STATUS_COMMITMENT_LIMIT: [0xc000012d, 1455],
  STATUS_INVALID_IMAGE_NOT_MZ: [0xc000012f, 193],
  STATUS_MAPPED_ALIGNMENT: [0xc0000220, 1132],
  STATUS_HANDLE_NOT_CLOSABLE: [0xc0000235, 6],
  STATUS_USER_MAPPED_FILE: [0xc0000243, 1224],
  STATUS_PORT_DISCONNECTED: [0xc0000037, 6],
} as const satisfies Record<string, readonly [number, number]>;

export type StatusName = keyof typeof rows;

/** Every status under its own name. */
export const Status = Object.fromEntries(
  Object.entries(rows).map(([name, [status]]) => [name, status]),
) as { readonly [K in StatusName]: (typeof rows)[K][0] };

const byValue = new Map<number, [StatusName, number]>(
  Object.entries(rows).map(([name, [status, win32]]) => [status, [name as StatusName, win32]]),
);

/** `STATUS_ACCESS_DENIED` for 0xC0000022; the number in hex where the table has no name for it. */
export function statusName(status: NTSTATUS): string {
  return byValue.get(status >>> 0)?.[0] ?? `0x${(status >>> 0).toString(16).toUpperCase().padStart(8, '0')}`;
}

/** True for success and informational values, as the NT_SUCCESS macro has it. */
export function isSuccess(status: NTSTATUS): boolean {
  return (status | 0) >= 0;
}

/** The Win32 error that stands for a status; ERROR_MR_MID_NOT_FOUND (317) where there is none. */
export function win32ErrorOf(status: NTSTATUS): number {
  return byValue.get(status >>> 0)?.[1] ?? 317;
}
