/**
 * NtMapViewOfSection and its like. Views of this process are mapped with a guard, and only those are unmapped; into
 * other processes the kernel maps by itself.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64, ulong64OrNull, unchanged, unchangedAddress } from '../../nt/arguments.js';
import { MEM_PRESERVE_PLACEHOLDER, MEM_UNMAP_WITH_TRANSIENT_BOOST, ViewShare } from '../../nt/constants.js';
import type * as ours from '../../nt/ntdll.js';
import { firstBroken, mapExRules, mapRules } from '../../nt/rules.js';
import type { ExtendedParameter } from '../../os/index.js';
import { PROCESS_VM_OPERATION } from '../../security/index.js';
import { extendedOf } from '../extended.js';
import { mapView, unmapView } from '../own-memory.js';
import { wordAt, words64 } from '../structures.js';
import { isUnreadable, type Kernel } from './kernel.js';

type Calls = Pick<
  typeof ours,
  | 'NtMapViewOfSection'
  | 'NtMapViewOfSectionEx'
  | 'NtUnmapViewOfSection'
  | 'NtUnmapViewOfSectionEx'
  | 'NtFlushVirtualMemory'
  | 'NtAreMappedFilesTheSame'
>;

/** What has been read of a caller's arguments. */
interface Request {
  readonly base: bigint;
  readonly zeroBits: bigint;
  readonly commitSize: bigint;
  readonly offset: bigint;
  readonly viewSize: bigint;
  readonly inherit: number;
  readonly allocationType: number;
  readonly protection: number;
}

type Refuse = (status: NTSTATUS) => ours.MapResult;

const refusal =
  (baseAddress: unknown, sectionOffset: unknown, viewSize: unknown): Refuse =>
  (status) => ({
    status,
    baseAddress: unchangedAddress(baseAddress),
    sectionOffset: unchanged(sectionOffset),
    viewSize: unchanged(viewSize),
    view: null,
  });

/** Into another process: its views are its own. */
function mapThere(
  kernel: Kernel,
  section: ours.Handle,
  process_: ours.Handle,
  request: Request,
  extended: readonly ExtendedParameter[] | null,
  refuse: Refuse,
): ours.MapResult {
  const { base, zeroBits, commitSize, offset, viewSize, inherit, allocationType, protection } = request;
  const [address, at, size] = [words64(base), words64(offset), words64(viewSize)];
  const status =
    extended === null
      ? kernel.call(
          'NtMapViewOfSection',
          section,
          process_,
          address,
          zeroBits,
          commitSize,
          at,
          size,
          inherit,
          allocationType,
          protection,
        )
      : kernel.call(
          'NtMapViewOfSectionEx',
          section,
          process_,
          address,
          at,
          size,
          allocationType,
          protection,
          extended,
          extended.length,
        );
  if (!isSuccess(status)) return refuse(status);
  return { status, baseAddress: wordAt(address), sectionOffset: Number(wordAt(at)), viewSize: Number(wordAt(size)), view: null };
}

function map(
  kernel: Kernel,
  sectionHandle: unknown,
  processHandle: unknown,
  request: Request,
  extended: readonly ExtendedParameter[] | null,
  refuse: Refuse,
): ours.MapResult {
  const section = kernel.handle(sectionHandle);
  if (!kernel.isThisProcess(processHandle)) {
    return mapThere(kernel, section, kernel.handle(processHandle), request, extended, refuse);
  }
  const allowed = kernel.mayUseThisProcess(processHandle, PROCESS_VM_OPERATION);
  if (!isSuccess(allowed)) return refuse(allowed);
  const view = mapView(kernel.nt, { section, ...request, ...(extended === null ? {} : { extended }) });
  if ('status' in view) return refuse(view.status);
  return {
    status: Status.STATUS_SUCCESS,
    baseAddress: view.address,
    sectionOffset: view.offset,
    viewSize: view.length,
    view,
  };
}

export function viewCalls(kernel: Kernel): Calls {
  const unmap = (processHandle: unknown, baseAddress: unknown, flags: unknown): NTSTATUS => {
    const how = ulong(flags);
    if (how === undefined || (how & ~(MEM_UNMAP_WITH_TRANSIENT_BOOST | MEM_PRESERVE_PLACEHOLDER)) !== 0) {
      return Status.STATUS_INVALID_PARAMETER_3;
    }
    const address = ulong64OrNull(baseAddress);
    if (kernel.isThisProcess(processHandle)) {
      const allowed = kernel.mayUseThisProcess(processHandle, PROCESS_VM_OPERATION);
      if (!isSuccess(allowed)) return allowed;
      return address === undefined ? Status.STATUS_NOT_MAPPED_VIEW : unmapView(kernel.nt, address, how);
    }
    const process_ = kernel.handle(processHandle);
    return how === 0
      ? kernel.call('NtUnmapViewOfSection', process_, address ?? 0n)
      : kernel.call('NtUnmapViewOfSectionEx', process_, address ?? 0n, how);
  };

  return {
    NtMapViewOfSection(section, process_, base, zeroBits, commitSize, offset, viewSize, inherit, allocationType, protect) {
      const refuse = refusal(base, offset, viewSize);
      const request = {
        base: ulong64OrNull(base),
        zeroBits: ulong64(zeroBits),
        commitSize: ulong64(commitSize),
        offset: ulong64OrNull(offset),
        viewSize: ulong64(viewSize),
        inherit: ulong(inherit),
        allocationType: ulong(allocationType),
        protection: ulong(protect),
      };
      if (isUnreadable(request)) return refuse(firstBroken(mapRules, request));
      return map(kernel, section, process_, request as Request, null, refuse);
    },

    NtMapViewOfSectionEx(section, process_, base, offset, viewSize, allocationType, protect, parameters = null, count) {
      const refuse = refusal(base, offset, viewSize);
      const request = {
        base: ulong64OrNull(base),
        zeroBits: 0n,
        commitSize: 0n,
        offset: ulong64OrNull(offset),
        viewSize: ulong64(viewSize),
        inherit: ViewShare,
        allocationType: ulong(allocationType),
        protection: ulong(protect),
      };
      if (isUnreadable(request)) return refuse(firstBroken(mapExRules, request));
      const extended = extendedOf(parameters, count);
      if (extended === undefined) return refuse(Status.STATUS_INVALID_PARAMETER);
      return map(kernel, section, process_, request as Request, extended, refuse);
    },

    NtUnmapViewOfSection: (process_, base) => unmap(process_, base, 0),
    NtUnmapViewOfSectionEx: unmap,

    NtFlushVirtualMemory(process_, baseAddress, regionSize) {
      const refuse = (status: NTSTATUS): ours.FlushResult => ({
        status,
        baseAddress: unchangedAddress(baseAddress),
        regionSize: unchanged(regionSize),
        ioStatus: { Status: status, Information: 0 },
      });
      const [base, size] = [ulong64OrNull(baseAddress), ulong64(regionSize)];
      if (base === undefined || size === undefined) return refuse(Status.STATUS_INVALID_PARAMETER_2);
      const [address, bytes, io] = [words64(base), words64(size), new Uint8Array(16)];
      const status = kernel.call('NtFlushVirtualMemory', kernel.handle(process_), address, bytes, io);
      if (!isSuccess(status)) return refuse(status);
      const flushed = Number(wordAt(bytes));
      return {
        status,
        baseAddress: wordAt(address),
        regionSize: flushed,
        ioStatus: { Status: status, Information: Number(wordAt(io, 1)) },
      };
    },

    NtAreMappedFilesTheSame(first, second) {
      const [one, other] = [ulong64OrNull(first), ulong64OrNull(second)];
      if (one === undefined || other === undefined) return Status.STATUS_INVALID_ADDRESS;
      return kernel.call('NtAreMappedFilesTheSame', one, other);
    },
  };
}
