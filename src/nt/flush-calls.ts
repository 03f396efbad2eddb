/**
 * Writing views to the disk: which range a call is about, and the call itself.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { type Handle, type Size, ulong64, ulong64OrNull, unchanged, unchangedAddress, wholePages } from './arguments.js';
import { PAGE_SIZE } from './constants.js';
import { statusOf } from './failure.js';
import { HIGHEST_USER_ADDRESS } from './rules.js';
import { type Mode, processStatus, views } from './tables.js';
import type { MappedView } from './view-table.js';

export interface FlushResult {
  readonly status: NTSTATUS;
  /** Where the flushed range starts: at a page. */
  readonly baseAddress: bigint | null;
  /** Its bytes: whole pages. */
  readonly regionSize: number;
  /** IO_STATUS_BLOCK */
  readonly ioStatus: { readonly Status: NTSTATUS; readonly Information: number };
}

/** A range of whole pages within one view. */
interface FlushRange {
  readonly mapped: MappedView;
  /** Bytes from the view's start. */
  readonly start: number;
  readonly length: number;
}

/** What a flush is about: all pages that the range touches, to the view's end where its size is 0. */
export function flushRange(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  regionSize: Size,
): FlushRange | { readonly status: NTSTATUS } {
  const base = ulong64OrNull(baseAddress);
  const size = ulong64(regionSize);
  if (base === undefined || size === undefined || base > HIGHEST_USER_ADDRESS || size > HIGHEST_USER_ADDRESS - base) {
    return { status: Status.STATUS_INVALID_PARAMETER_2 };
  }
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return { status: process };
  const mapped = views.find(base);
  if (mapped === undefined) return { status: Status.STATUS_NOT_MAPPED_VIEW };
  const start = base - (base % BigInt(PAGE_SIZE));
  const end = size === 0n ? mapped.end : mapped.base + BigInt(wholePages(base + size - mapped.base));
  if (end > mapped.end) return { status: Status.STATUS_NOT_MAPPED_VIEW };
  return { mapped, start: Number(start - mapped.base), length: Number(end - start) };
}

/** ZwFlushVirtualMemory and NtFlushVirtualMemory: returns when the range is on the disk. */
export function flushVirtualMemory(mode: Mode, processHandle: Handle, baseAddress: bigint | null, regionSize: Size): FlushResult {
  const refuse = (status: NTSTATUS): FlushResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    regionSize: unchanged(regionSize),
    ioStatus: { Status: status, Information: 0 },
  });
  const range = flushRange(mode, processHandle, baseAddress, regionSize);
  if ('status' in range) return refuse(range.status);
  const { mapped, start, length } = range;
  try {
    mapped.view.flushSync(start, length);
  } catch (error) {
    return refuse(statusOf(error));
  }
  return {
    status: Status.STATUS_SUCCESS,
    baseAddress: mapped.base + BigInt(start),
    regionSize: length,
    ioStatus: { Status: Status.STATUS_SUCCESS, Information: length },
  };
}
