/**
 * What is told of memory: the state and protection of pages, the area they belong to, the file behind it.
 * It knows what was taken through the NT and Win32 faces, and takes everything else in the process for
 * free.
 */
import { isSuccess, type NTSTATUS, Status } from '../base/status.js';
import { os } from '../os/index.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull } from './arguments.js';
import {
  MEM_COMMIT,
  MEM_FREE,
  MEM_MAPPED,
  MEM_PRIVATE,
  MEM_RESERVE,
  MemoryBasicInformation,
  MemoryMappedFilenameInformation,
  MemoryRegionInformation,
  PAGE_NOACCESS,
  PAGE_SIZE,
} from './constants.js';
import { protectionOfCopies } from './protection.js';
import { HIGHEST_USER_ADDRESS } from './rules.js';
import { type Mode, processStatus, views } from './tables.js';
import type { MappedView } from './view-table.js';

/** MEMORY_BASIC_INFORMATION */
export interface MEMORY_BASIC_INFORMATION {
  /** The page that was asked for. */
  readonly BaseAddress: bigint;
  /** Where its view or allocation starts; null for free addresses. */
  readonly AllocationBase: bigint | null;
  /** PAGE_…, as the view was mapped or the memory reserved with. */
  readonly AllocationProtect: number;
  /** Bytes from BaseAddress on that are alike. */
  readonly RegionSize: number;
  /** MEM_COMMIT, MEM_RESERVE or MEM_FREE. */
  readonly State: number;
  /** PAGE_…; 0 for reserved pages. A page of a copy-on-write view that was written to is PAGE_READWRITE. */
  readonly Protect: number;
  /** MEM_MAPPED, MEM_PRIVATE, or 0 for free addresses. */
  readonly Type: number;
}

/** MEMORY_REGION_INFORMATION: a whole view or allocation. */
export interface MEMORY_REGION_INFORMATION {
  readonly AllocationBase: bigint;
  /** PAGE_… */
  readonly AllocationProtect: number;
  readonly Private: boolean;
  readonly MappedDataFile: boolean;
  readonly MappedImage: boolean;
  readonly MappedPageFile: boolean;
  readonly MappedPhysical: boolean;
  readonly DirectMapped: boolean;
  readonly RegionSize: number;
  /** Bytes that are this process's own to pay for: committed private memory, or a copy-on-write view. */
  readonly CommitSize: number;
}

/** What MemoryMappedFilenameInformation gives: the file's name as a device and a path on it. */
export interface MEMORY_SECTION_NAME {
  readonly SectionFileName: string;
}

export interface MemoryQueryResult {
  readonly status: NTSTATUS;
  readonly memoryInformation: MEMORY_BASIC_INFORMATION | MEMORY_REGION_INFORMATION | MEMORY_SECTION_NAME | null;
  /** Bytes that the structure has on x64; 0 on failure. */
  readonly returnLength: number;
}

/** The least that the caller's buffer has, and what comes back, in bytes on x64. A name has its own length beside. */
const lengths: ReadonlyMap<number | undefined, readonly [least: bigint, given: number]> = new Map([
  [MemoryBasicInformation, [48n, 48]],
  [MemoryRegionInformation, [24n, 32]],
  [MemoryMappedFilenameInformation, [16n, 16]],
]);

/** The device that all files are said to be on. */
const FILE_DEVICE = '\\Device\\HarddiskVolume1';

/** What an address belongs to, and how far it is so. */
export function basicInformation(address: bigint): MEMORY_BASIC_INFORMATION {
  const BaseAddress = address - (address % BigInt(PAGE_SIZE));
  const area = views.areaAt(address);
  if (area === undefined) {
    const end = views.nextBase(address) ?? HIGHEST_USER_ADDRESS + 1n;
    const free = { AllocationBase: null, AllocationProtect: 0, State: MEM_FREE, Protect: PAGE_NOACCESS, Type: 0 };
    return { BaseAddress, RegionSize: Number(end - BaseAddress), ...free };
  }
  const { committed, protection, length } = area.pages.at(Number(BaseAddress - area.base));
  return {
    BaseAddress,
    AllocationBase: area.base,
    AllocationProtect: area.protection,
    RegionSize: length,
    State: committed ? MEM_COMMIT : MEM_RESERVE,
    Protect: protection,
    Type: area.view === null ? MEM_PRIVATE : MEM_MAPPED,
  };
}

function regionInformation(address: bigint): MEMORY_REGION_INFORMATION | null {
  const area = views.areaAt(address);
  if (area === undefined) return null;
  const { base, end, protection, view } = area;
  const RegionSize = Number(end - base);
  const copies = protectionOfCopies(protection) !== protection;
  return {
    AllocationBase: base,
    AllocationProtect: protection,
    Private: view === null,
    MappedDataFile: view !== null && area.backing !== 'pagefile',
    // Set for what there is none of here; Windows leaves MappedPageFile clear for views of the paging file.
    MappedImage: false,
    MappedPageFile: false,
    MappedPhysical: false,
    DirectMapped: false,
    RegionSize,
    CommitSize: view === null ? area.pages.committedBytes : copies ? RegionSize : 0,
  };
}

/** The file behind a view, as NT names files. */
function fileName(view: MappedView): string {
  const file = os.descriptorFromNumber(os.mappingDescriptor(view.pages.mapping));
  const path = os.descriptorPath(file).replace(/ \(deleted\)$/, '');
  os.descriptorClose(file);
  return `${FILE_DEVICE}${path.replaceAll('/', '\\')}`;
}

/** The name of the file that an address shows; else why there is none. */
export function mappedFileName(address: bigint): string | { readonly status: NTSTATUS } {
  const view = views.find(address);
  if (view === undefined) return { status: Status.STATUS_INVALID_ADDRESS };
  return view.backing === 'pagefile' ? { status: Status.STATUS_FILE_INVALID } : fileName(view);
}

/** ZwQueryVirtualMemory and NtQueryVirtualMemory. */
export function queryVirtualMemory(
  mode: Mode,
  processHandle: Handle,
  baseAddress: bigint | null,
  memoryInformationClass: number,
  memoryInformationLength?: Size,
): MemoryQueryResult {
  const fail = (status: NTSTATUS): MemoryQueryResult => ({ status, memoryInformation: null, returnLength: 0 });
  const wanted = ulong(memoryInformationClass);
  const [least, given] = lengths.get(wanted) ?? [0n, 0];
  if (given === 0) return fail(Status.STATUS_INVALID_INFO_CLASS);
  const room = memoryInformationLength === undefined ? undefined : (ulong64(memoryInformationLength) ?? 0n);
  if (room !== undefined && room < least) return fail(Status.STATUS_INFO_LENGTH_MISMATCH);
  const address = ulong64OrNull(baseAddress);
  if (address === undefined || address > HIGHEST_USER_ADDRESS) return fail(Status.STATUS_INVALID_PARAMETER);
  const process = processStatus(mode, processHandle);
  if (!isSuccess(process)) return fail(process);
  if (wanted === MemoryMappedFilenameInformation) {
    const name = mappedFileName(address);
    if (typeof name !== 'string') return fail(name.status);
    const returnLength = given + (name.length + 1) * 2;
    if (room !== undefined && room < returnLength) return { ...fail(Status.STATUS_BUFFER_OVERFLOW), returnLength };
    return { status: Status.STATUS_SUCCESS, memoryInformation: { SectionFileName: name }, returnLength };
  }
  const memoryInformation = wanted === MemoryBasicInformation ? basicInformation(address) : regionInformation(address);
  if (memoryInformation === null) return fail(Status.STATUS_INVALID_ADDRESS);
  return { status: Status.STATUS_SUCCESS, memoryInformation, returnLength: given };
}

/** Whether something else of the process is at an address, and whether a file is behind it. */
function foreignAt(address: bigint): 'nothing' | 'memory' | 'file' {
  for (const { start, end, isFile } of os.addressRanges()) {
    if (start > address) break;
    if (address < end) return isFile ? 'file' : 'memory';
  }
  return 'nothing';
}

/** ZwAreMappedFilesTheSame and NtAreMappedFilesTheSame: it means images, and data views never are the same. */
export function areMappedFilesTheSame(address1: bigint | null, address2: bigint | null): NTSTATUS {
  const found = [address1, address2].map((each) => {
    const address = ulong64OrNull(each);
    const area = address === undefined ? undefined : views.areaAt(address);
    return area ?? foreignAt(address ?? 0n);
  });
  if (found.includes('nothing')) return Status.STATUS_INVALID_ADDRESS;
  if (found.some((each) => each === 'memory' || (typeof each === 'object' && each.view === null))) {
    return Status.STATUS_CONFLICTING_ADDRESSES;
  }
  const [first, second] = found;
  return typeof first === 'object' && first === second ? Status.STATUS_SUCCESS : Status.STATUS_NOT_SAME_DEVICE;
}
