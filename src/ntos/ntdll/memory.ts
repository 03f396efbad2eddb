/**
 * NtAllocateVirtualMemory and its like, by the kernel. What is given back or changed is the program's own: the
 * runtime's memory is refused as memory that nobody allocated.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64, ulong64OrNull, unchanged, unchangedAddress } from '../../nt/arguments.js';
import {
  MEM_COALESCE_PLACEHOLDERS,
  MEM_DECOMMIT,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  PAGE_SIZE,
} from '../../nt/constants.js';
import { allocateExRules, allocateRules, freeRules, protectRules } from '../../nt/memory-rules.js';
import type * as ours from '../../nt/ntdll.js';
import { firstBroken } from '../../nt/rules.js';
import { extendedOf } from '../extended.js';
import { forgetMemory, isOwnMemory, pagesWillDiffer, takeMemory, viewAt, withAddresses } from '../own-memory.js';
import { longIn, wordAt, words64 } from '../structures.js';
import { isUnreadable, type Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  'NtAllocateVirtualMemory' | 'NtAllocateVirtualMemoryEx' | 'NtFreeVirtualMemory' | 'NtProtectVirtualMemory'
>;

/** Parameters that have been read. */
interface Range {
  readonly base: bigint;
  readonly size: bigint;
}

const pageDown = (address: bigint): bigint => address - (address % BigInt(PAGE_SIZE));

/** Whether the pages of a range are a view's or private memory of the program's. */
function isOwn({ base, size }: Range): boolean {
  const start = pageDown(base);
  const end = pageDown(base + size + BigInt(PAGE_SIZE) - 1n);
  const view = viewAt(base);
  return view === undefined ? isOwnMemory(start, end - start) : end <= view.end;
}

const refusal =
  (baseAddress: unknown, regionSize: unknown) =>
  (status: NTSTATUS): ours.MemoryResult => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    regionSize: unchanged(regionSize),
  });

export function memoryCalls(kernel: Kernel): Calls {
  const { nt } = kernel;

  /** @param ask Gives the kernel base and size, which it changes. */
  const allocate = (
    processHandle: unknown,
    { base, size, type }: Range & { readonly type: number },
    ask: (base: Uint8Array, size: Uint8Array) => NTSTATUS,
    refuse: (status: NTSTATUS) => ours.MemoryResult,
  ): ours.MemoryResult => {
    const isHere = kernel.isThisProcess(processHandle);
    const isNew = base === 0n || ((type & MEM_RESERVE) !== 0 && (type & MEM_REPLACE_PLACEHOLDER) === 0);
    if (isHere && !isNew && !isOwn({ base, size })) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
    if (isHere && !isNew) pagesWillDiffer(nt, base);
    let [address, bytes] = [words64(base), words64(size)];
    const status = withAddresses(nt, base, size, () => {
      [address, bytes] = [words64(base), words64(size)];
      return ask(address, bytes);
    });
    if (!isSuccess(status)) return refuse(status);
    if (isHere && viewAt(wordAt(address)) === undefined) takeMemory(wordAt(address), wordAt(bytes));
    return { status, baseAddress: wordAt(address), regionSize: Number(wordAt(bytes)) };
  };

  return {
    NtAllocateVirtualMemory(processHandle, baseAddress, zeroBits, regionSize, allocationType, protect) {
      const refuse = refusal(baseAddress, regionSize);
      const request = {
        base: ulong64OrNull(baseAddress),
        zeroBits: ulong64(zeroBits),
        size: ulong64(regionSize),
        type: ulong(allocationType),
        protection: ulong(protect),
      };
      if (isUnreadable(request)) return refuse(firstBroken(allocateRules, request));
      const { base = 0n, zeroBits: bits = 0n, size = 0n, type = 0, protection = 0 } = request;
      const ask = (address: Uint8Array, bytes: Uint8Array): NTSTATUS =>
        kernel.call('NtAllocateVirtualMemory', kernel.handle(processHandle), address, bits, bytes, type, protection);
      return allocate(processHandle, { base, size, type }, ask, refuse);
    },

    NtAllocateVirtualMemoryEx(processHandle, baseAddress, regionSize, allocationType, protect, parameters = null, count) {
      const refuse = refusal(baseAddress, regionSize);
      const request = {
        base: ulong64OrNull(baseAddress),
        zeroBits: 0n,
        size: ulong64(regionSize),
        type: ulong(allocationType),
        protection: ulong(protect),
      };
      if (isUnreadable(request)) return refuse(firstBroken(allocateExRules, request));
      const extended = extendedOf(parameters, count);
      if (extended === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
      const { base = 0n, size = 0n, type = 0, protection = 0 } = request;
      const ask = (address: Uint8Array, bytes: Uint8Array): NTSTATUS =>
        kernel.call(
          'NtAllocateVirtualMemoryEx',
          kernel.handle(processHandle),
          address,
          bytes,
          type,
          protection,
          extended,
          extended.length,
        );
      return allocate(processHandle, { base, size, type }, ask, refuse);
    },

    NtFreeVirtualMemory(processHandle, baseAddress, regionSize, freeType) {
      const refuse = refusal(baseAddress, regionSize);
      const request = { base: ulong64OrNull(baseAddress), size: ulong64(regionSize), type: ulong(freeType) };
      if (isUnreadable(request)) return refuse(firstBroken(freeRules, request));
      const { base = 0n, size = 0n, type = 0 } = request;
      const isHere = kernel.isThisProcess(processHandle);
      // An allocation is no larger than what is the program's; neighbours that are joined must all be.
      const joins = (type & MEM_COALESCE_PLACEHOLDERS) !== 0;
      const own = viewAt(base) !== undefined || isOwnMemory(pageDown(base), joins ? size : BigInt(PAGE_SIZE));
      if (isHere && !own) return refuse(joins ? Status.STATUS_CONFLICTING_ADDRESSES : Status.STATUS_MEMORY_NOT_ALLOCATED);
      const [address, bytes] = [words64(base), words64(size)];
      const status = kernel.call('NtFreeVirtualMemory', kernel.handle(processHandle), address, bytes, type);
      if (!isSuccess(status)) return refuse(status);
      const staysTaken = (type & (MEM_DECOMMIT | MEM_PRESERVE_PLACEHOLDER | MEM_COALESCE_PLACEHOLDERS)) !== 0;
      if (isHere && !staysTaken) forgetMemory(wordAt(address), wordAt(bytes));
      return { status, baseAddress: wordAt(address), regionSize: Number(wordAt(bytes)) };
    },

    NtProtectVirtualMemory(processHandle, baseAddress, regionSize, newProtect) {
      const refuse = (status: NTSTATUS): ours.ProtectResult => ({
        ...refusal(baseAddress, regionSize)(status),
        oldProtect: 0,
      });
      const request = { base: ulong64OrNull(baseAddress), size: ulong64(regionSize), protection: ulong(newProtect) };
      if (isUnreadable(request)) return refuse(firstBroken(protectRules, request));
      const { base = 0n, size = 0n, protection = 0 } = request;
      const isHere = kernel.isThisProcess(processHandle);
      if (isHere && !isOwn({ base, size })) return refuse(Status.STATUS_CONFLICTING_ADDRESSES);
      if (isHere) pagesWillDiffer(nt, base);
      const [address, bytes, old] = [words64(base), words64(size), new Uint8Array(4)];
      const status = kernel.call('NtProtectVirtualMemory', kernel.handle(processHandle), address, bytes, protection, old);
      if (!isSuccess(status)) return refuse(status);
      return { status, baseAddress: wordAt(address), regionSize: Number(wordAt(bytes)), oldProtect: longIn(old) };
    },
  };
}
