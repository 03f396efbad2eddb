/**
 * NtQueryVirtualMemory, by the kernel: it tells of all the memory of the process, the runtime's as well.
 */
import { isSuccess, type NTSTATUS, Status } from '../../base/status.js';
import { ulong, ulong64, ulong64OrNull } from '../../nt/arguments.js';
import { MemoryBasicInformation, MemoryMappedFilenameInformation, MemoryRegionInformation } from '../../nt/constants.js';
import type * as ours from '../../nt/ntdll.js';
import { shownPages } from '../own-memory.js';
import { MEMORY_BASIC_INFORMATION, Structure, textIn, wordAt, words64 } from '../structures.js';
import type { Kernel } from './kernel.js';

type Information = NonNullable<ours.MemoryQueryResult['memoryInformation']>;

const MEMORY_REGION_INFORMATION = new Structure(32, {
  AllocationBase: [0, 'address'],
  AllocationProtect: [8, 'u32'],
  RegionType: [12, 'u32'],
  RegionSize: [16, 'size'],
  CommitSize: [24, 'size'],
});

/** Bits of RegionType. */
const regionTypes = { Private: 1, MappedDataFile: 2, MappedImage: 4, MappedPageFile: 8, MappedPhysical: 16, DirectMapped: 32 };

/** sizeof(UNICODE_STRING) on x64; its text follows it. */
const STRING_BYTES = 16;

function basic(bytes: Uint8Array): Information {
  const { AllocationBase, ...facts } = MEMORY_BASIC_INFORMATION.read(bytes);
  return { ...facts, AllocationBase: AllocationBase === 0n ? null : AllocationBase };
}

function region(bytes: Uint8Array): Information {
  const { RegionType, ...facts } = MEMORY_REGION_INFORMATION.read(bytes);
  const kinds = Object.entries(regionTypes).map(([name, bit]) => [name, (RegionType & bit) !== 0]);
  return { ...facts, ...(Object.fromEntries(kinds) as Record<keyof typeof regionTypes, boolean>) };
}

const fileName = (bytes: Uint8Array): Information => ({
  SectionFileName: textIn(bytes, STRING_BYTES, new DataView(bytes.buffer).getUint16(0, true)),
});

/** What each class gives, and the room that is always enough. */
const classes: ReadonlyMap<number | undefined, readonly [room: number, read: (bytes: Uint8Array) => Information]> = new Map([
  [MemoryBasicInformation, [MEMORY_BASIC_INFORMATION.bytes, basic]],
  [MemoryRegionInformation, [MEMORY_REGION_INFORMATION.bytes, region]],
  [MemoryMappedFilenameInformation, [0x1_0000, fileName]],
]);

export function memoryQueryCalls(kernel: Kernel): Pick<typeof ours, 'NtQueryVirtualMemory'> {
  return {
    NtQueryVirtualMemory(processHandle, baseAddress, memoryInformationClass, memoryInformationLength) {
      const fail = (status: NTSTATUS, returnLength = 0): ours.MemoryQueryResult => ({
        status,
        memoryInformation: null,
        returnLength,
      });
      const wanted = ulong(memoryInformationClass);
      const known = classes.get(wanted);
      if (known === undefined || wanted === undefined) return fail(Status.STATUS_INVALID_INFO_CLASS);
      const [room, read] = known;
      const length = memoryInformationLength === undefined ? BigInt(room) : (ulong64(memoryInformationLength) ?? 0n);
      const address = ulong64OrNull(baseAddress);
      if (address === undefined) return fail(Status.STATUS_INVALID_PARAMETER);
      const bytes = new Uint8Array(Math.min(Number(length), room));
      const returned = words64(0n);
      const status = kernel.call(
        'NtQueryVirtualMemory',
        kernel.handle(processHandle),
        address,
        wanted,
        bytes,
        bytes.length,
        returned,
      );
      const returnLength = Number(wordAt(returned));
      if (!isSuccess(status)) return fail(status, returnLength);
      const told = read(bytes);
      const isOfPages = 'State' in told && kernel.isThisProcess(processHandle);
      return { status, memoryInformation: isOfPages ? shownPages(kernel.nt, told) : told, returnLength };
    },
  };
}
