/**
 * What Win32 tells of the machine to those who place memory.
 */
import { availableParallelism } from 'node:os';
import { ALLOCATION_GRANULARITY, PAGE_SIZE } from '../nt/constants.js';
import { HIGHEST_USER_ADDRESS } from '../nt/rules.js';

/** SYSTEM_INFO, as far as it concerns memory and processors. */
export interface SystemInfo {
  /** Bytes: what sizes of sections and views are rounded to. */
  readonly dwPageSize: number;
  /** The lowest address that can be mapped or allocated. */
  readonly lpMinimumApplicationAddress: bigint;
  /** The highest. */
  readonly lpMaximumApplicationAddress: bigint;
  /** One bit for each processor, of the first 64. */
  readonly dwActiveProcessorMask: bigint;
  readonly dwNumberOfProcessors: number;
  /** Bytes: what offsets and addresses of views are multiples of. */
  readonly dwAllocationGranularity: number;
}

/**
 * Tells the size of a page, the granularity of views, and which addresses there are. The page is NT's of
 * 4096 bytes, also where the host's is larger.
 *
 * @see {@link https://learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-getsysteminfo}
 */
export function GetSystemInfo(): SystemInfo {
  const processors = availableParallelism();
  return {
    dwPageSize: PAGE_SIZE,
    lpMinimumApplicationAddress: BigInt(ALLOCATION_GRANULARITY),
    lpMaximumApplicationAddress: HIGHEST_USER_ADDRESS,
    dwActiveProcessorMask: (1n << BigInt(Math.min(processors, 64))) - 1n,
    dwNumberOfProcessors: processors,
    dwAllocationGranularity: ALLOCATION_GRANULARITY,
  };
}

export { GetSystemInfo as GetNativeSystemInfo };
