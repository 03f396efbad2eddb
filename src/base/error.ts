/**
 * The one error that Sectile throws, and the table of its codes.
 *
 * A code is a closed set, named after what happened. The status beside it is what the NT faces
 * return for the same event.
 */
import { type NTSTATUS, Status } from './status.js';

const statusOf = {
  ERR_SECTION_INVALID_ARGUMENT: Status.STATUS_INVALID_PARAMETER,
  ERR_SECTION_INVALID_NAME: Status.STATUS_OBJECT_NAME_INVALID,
  ERR_SECTION_INVALID_SECURITY: Status.STATUS_INVALID_SECURITY_DESCR,
  ERR_SECTION_OUT_OF_RANGE: Status.STATUS_INVALID_VIEW_SIZE,
  ERR_SECTION_MISALIGNED: Status.STATUS_MAPPED_ALIGNMENT,
  ERR_SECTION_ADDRESS_CONFLICT: Status.STATUS_CONFLICTING_ADDRESSES,
  ERR_SECTION_EXISTS: Status.STATUS_OBJECT_NAME_COLLISION,
  ERR_SECTION_NOT_FOUND: Status.STATUS_OBJECT_NAME_NOT_FOUND,
  ERR_SECTION_TYPE_MISMATCH: Status.STATUS_OBJECT_TYPE_MISMATCH,
  ERR_SECTION_ACCESS_DENIED: Status.STATUS_ACCESS_DENIED,
  ERR_SECTION_CLOSED: Status.STATUS_INVALID_HANDLE,
  ERR_SECTION_TOO_BIG: Status.STATUS_SECTION_TOO_BIG,
  ERR_SECTION_COMMIT_LIMIT: Status.STATUS_COMMITMENT_LIMIT,
  ERR_SECTION_NO_MEMORY: Status.STATUS_NO_MEMORY,
  ERR_SECTION_LARGE_PAGES: Status.STATUS_INSUFFICIENT_RESOURCES,
  ERR_SECTION_FILE: Status.STATUS_INVALID_FILE_FOR_SECTION,
  ERR_SECTION_FILE_EMPTY: Status.STATUS_MAPPED_FILE_SIZE_ZERO,
  ERR_SECTION_DISK_FULL: Status.STATUS_DISK_FULL,
  ERR_SECTION_FAULT: Status.STATUS_IN_PAGE_ERROR,
  ERR_SECTION_BUFFER_UNAVAILABLE: Status.STATUS_NOT_SUPPORTED,
  ERR_SECTION_REGISTRY_DAMAGED: Status.STATUS_UNSUCCESSFUL,
  ERR_SECTION_REGISTRY_OWNER: Status.STATUS_ACCESS_DENIED,
  ERR_SECTION_REGISTRY_BUSY: Status.STATUS_TIMEOUT,
  ERR_SECTION_HOLDER_UNREACHABLE: Status.STATUS_ACCESS_DENIED,
  ERR_SECTION_SYSTEM_NOT_RUNNING: Status.STATUS_OBJECT_PATH_NOT_FOUND,
  ERR_SECTION_SYSTEM_GONE: Status.STATUS_PORT_DISCONNECTED,
  ERR_SECTION_SYSTEM_UNTRUSTED: Status.STATUS_ACCESS_DENIED,
  ERR_SECTION_SYSTEM_BUSY: Status.STATUS_TIMEOUT,
  ERR_SECTION_SYSTEM_RUNNING: Status.STATUS_OBJECT_NAME_COLLISION,
  ERR_SECTION_PROTOCOL: Status.STATUS_INVALID_PARAMETER,
  ERR_SECTION_LIMIT: Status.STATUS_INSUFFICIENT_RESOURCES,
  ERR_SECTION_NOT_OWNER: Status.STATUS_MUTANT_NOT_OWNED,
  ERR_SECTION_COUNT_LIMIT: Status.STATUS_SEMAPHORE_LIMIT_EXCEEDED,
  ERR_SECTION_TIMEOUT: Status.STATUS_IO_TIMEOUT,
  ERR_SECTION_PEER_ENDED: Status.STATUS_PORT_DISCONNECTED,
  ERR_SECTION_CHANNEL_DAMAGED: Status.STATUS_UNSUCCESSFUL,
  ERR_SECTION_MESSAGE_TOO_BIG: Status.STATUS_INVALID_BUFFER_SIZE,
  ERR_SECTION_ROLE_TAKEN: Status.STATUS_SHARING_VIOLATION,
  ERR_SECTION_NOT_KERNEL_MODE: Status.STATUS_NOT_SUPPORTED,
  ERR_SECTION_DRIVER: Status.STATUS_DRIVER_UNABLE_TO_LOAD,
  ERR_SECTION_NATIVE: Status.STATUS_NOT_SUPPORTED,
  ERR_SECTION_SYSTEM_CALL: Status.STATUS_UNSUCCESSFUL,
} as const satisfies Record<string, NTSTATUS>;

export type SectionErrorCode = keyof typeof statusOf;

/** What an error says, in four parts: the operation, the object, the rule and the way out. */
export interface Failure {
  /** The call as the user knows it: `Section.create`, `view.read`, `sectile system start`. */
  readonly operation: string;
  /** The object it was about, as the user named it: `"Local\\frames"`, `file /tmp/a.bin`. */
  readonly object?: string;
  /** The rule that was broken, or what the operating system answered. One clause, no full stop. */
  readonly rule: string;
  /** What to do next. One sentence without its full stop. */
  readonly wayOut?: string;
  /** Overrides the status that belongs to the code. */
  readonly status?: NTSTATUS;
  /** The operating system's error number, positive, where it said no. */
  readonly errno?: number | undefined;
  readonly cause?: unknown;
}

/**
 * Every failure that Sectile reports. `code` says what happened, `status` is the NTSTATUS for it,
 * `errno` the operating system's number where there was one, and the message names the operation,
 * the object, the rule and the way out.
 */
export class SectionError extends Error {
  override readonly name = 'SectionError';
  readonly code: SectionErrorCode;
  readonly status: NTSTATUS;
  declare readonly errno?: number;
  readonly operation: string;
  /** The parts of the message, for those who word their own. */
  declare readonly object?: string;
  readonly rule: string;
  declare readonly wayOut?: string;

  constructor(code: SectionErrorCode, failure: Failure) {
    const { operation, object, rule, wayOut } = failure;
    super(
      `${operation}${object === undefined ? '' : ` ${object}`}: ${rule}.${wayOut === undefined ? '' : ` ${wayOut}.`}`,
      failure.cause === undefined ? undefined : { cause: failure.cause },
    );
    this.code = code;
    this.status = failure.status ?? statusOf[code];
    if (failure.errno !== undefined) this.errno = failure.errno;
    this.operation = operation;
    if (object !== undefined) this.object = object;
    this.rule = rule;
    if (wayOut !== undefined) this.wayOut = wayOut;
  }
}

/** Whether a string is one of the codes: for errors that crossed a socket. */
export function isSectionErrorCode(code: unknown): code is SectionErrorCode {
  return typeof code === 'string' && Object.hasOwn(statusOf, code);
}
