/**
 * Sections of the system and views of them. Views are mapped by the native part, which guards them.
 */
import { MAXIMUM_SECTION_SIZE } from '../../base/checks.js';
import { isSuccess } from '../../base/status.js';
import { View } from '../../memory/view.js';
import type { MEM_EXTENDED_PARAMETER } from '../../nt/address-requirements.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull } from '../../nt/arguments.js';
import { MEM_PRESERVE_PLACEHOLDER, MEM_UNMAP_WITH_TRANSIENT_BOOST, ViewShare } from '../../nt/constants.js';
import type { ExtendedParameter } from '../../os/index.js';
import { addressOf, failWith, fromHalves, invalidParameter, pointerOf } from '../../win32/arguments.js';
import { ERROR_INVALID_ADDRESS, ERROR_INVALID_HANDLE, ERROR_NOT_SUPPORTED, INVALID_HANDLE_VALUE } from '../../win32/constants.js';
import type { SecurityAttributes } from '../../win32/object-names.js';
import { viewAllocation, viewProtection } from '../../win32/rules.js';
import { extendedOf } from '../extended.js';
import { callOf } from '../handles.js';
import { anyViewAt, mapView, noteViewsOfRuntime, unmapFresh, unmapView, viewAt } from '../own-memory.js';
import { memoryOwner } from './own-process.js';
import { nameOf, securityOf, type Win32System } from './win32-system.js';

type Security = string | SecurityAttributes | null;

/** A ULONG64; where it was given as a number, and is a size of a section, as that: bigints take time. */
function sizeOf(given: Size): number | bigint | undefined {
  return typeof given === 'number' && given >= 0 && given <= MAXIMUM_SECTION_SIZE && Number.isInteger(given)
    ? given
    : ulong64(given);
}

/** What MapViewOfFile3 and its kin ask for beside the access. */
interface ViewWish {
  readonly base: bigint;
  readonly offset: number | bigint;
  readonly viewSize: number | bigint;
  readonly allocationType: number;
  readonly protection: number;
  readonly extended?: readonly ExtendedParameter[];
}

export function sectionCalls(system: Win32System) {
  const { handles, nt } = system;
  noteViewsOfRuntime(nt);

  /** The section's file, the paging file for INVALID_HANDLE_VALUE; 0 for what is neither. */
  const fileOf = (given: unknown): Handle => {
    if (given === INVALID_HANDLE_VALUE) return INVALID_HANDLE_VALUE;
    const handle = handles.usable(given);
    return Math.max(handle, 0);
  };

  /** A call that creates a section, with the file first and the name last, or before what `more` has. */
  function create(
    name: string,
    hFile: Handle,
    security: Security,
    numbers: readonly (number | bigint | undefined)[],
    lpName: string | null,
    more: readonly [readonly ExtendedParameter[], number] | readonly [] = [],
  ): Handle {
    if (numbers.includes(undefined)) return invalidParameter(0);
    const attributes = securityOf(system, security);
    const text = attributes === null ? null : nameOf(lpName);
    if (attributes === null || text === null) return 0;
    // Any handle but this one is a file's, NULL as well.
    const file = fileOf(hFile);
    if (file === 0) return failWith(ERROR_INVALID_HANDLE, 0);
    return system.creates(0, name, file, attributes.value, ...(numbers as (number | bigint)[]), text.value, ...more);
  }

  function CreateFileMapping(
    hFile: Handle,
    security: Security,
    flProtect: number,
    dwMaximumSizeHigh: number,
    dwMaximumSizeLow: number,
    lpName: string | null = null,
  ): Handle {
    const numbers = [ulong(flProtect), ulong(dwMaximumSizeHigh), ulong(dwMaximumSizeLow)];
    return create('CreateFileMappingW', hFile, security, numbers, lpName);
  }

  function CreateFileMappingFromApp(
    hFile: Handle,
    security: Security,
    PageProtection: number,
    MaximumSize: Size,
    Name: string | null = null,
  ): Handle {
    return create('CreateFileMappingFromApp', hFile, security, [ulong(PageProtection), ulong64(MaximumSize)], Name);
  }

  function CreateFileMapping2(
    File: Handle,
    security: Security,
    DesiredAccess: number,
    PageProtection: number,
    AllocationAttributes: number,
    MaximumSize: Size,
    Name: string | null = null,
    ExtendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
    ParameterCount?: number,
  ): Handle {
    const extended = extendedOf(ExtendedParameters, ParameterCount);
    if (extended === undefined) return invalidParameter(0);
    const numbers = [ulong(DesiredAccess), ulong(PageProtection), ulong(AllocationAttributes), ulong64(MaximumSize)];
    return create('CreateFileMapping2', File, security, numbers, Name, [extended, extended.length]);
  }

  function OpenFileMapping(dwDesiredAccess: number, bInheritHandle: boolean, lpName: string): Handle {
    const access = ulong(dwDesiredAccess);
    if (access === undefined || lpName === null || lpName === undefined) return invalidParameter(0);
    const text = nameOf(lpName);
    return text === null ? 0 : system.opens(0, 'OpenFileMappingW', access, bInheritHandle === true ? 1 : 0, text.value);
  }

  function map(given: Handle, { base, offset, viewSize, allocationType, protection, extended }: ViewWish): View | null {
    const section = handles.usable(given);
    const view = mapView(nt, { section, base, offset, viewSize, allocationType, protection, inherit: ViewShare, extended });
    return View.is(view) ? view : system.failsWith(view.status, null);
  }

  function mapByAccess(
    section: Handle,
    desired: unknown,
    offset: number | bigint | undefined,
    bytes: Size,
    base: unknown,
  ): View | null {
    // Each by itself: arrays between would have to be made, for each view.
    const access = ulong(desired);
    const viewSize = sizeOf(bytes);
    const address = ulong64OrNull(base);
    if (access === undefined || offset === undefined || viewSize === undefined || address === undefined)
      return invalidParameter(null);
    const allocationType = viewAllocation(access);
    const protection = viewProtection(access);
    return map(section, { base: address, offset, viewSize, allocationType, protection });
  }

  function MapViewOfFileEx(
    hFileMappingObject: Handle,
    dwDesiredAccess: number,
    dwFileOffsetHigh: number,
    dwFileOffsetLow: number,
    dwNumberOfBytesToMap: Size,
    lpBaseAddress: bigint | null,
  ): View | null {
    const offset = dwFileOffsetHigh === 0 ? ulong(dwFileOffsetLow) : fromHalves(dwFileOffsetHigh, dwFileOffsetLow);
    return mapByAccess(hFileMappingObject, dwDesiredAccess, offset, dwNumberOfBytesToMap, lpBaseAddress);
  }

  function MapViewOfFile3(
    fileMapping: Handle,
    process: Handle | null,
    baseAddress: bigint | null,
    offset: Size,
    viewSize: Size,
    allocationType: number,
    pageProtection: number,
    extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  ): View | null {
    const owner = memoryOwner(system, process ?? -1);
    if (owner === null) return null;
    if (!owner.own) return failWith(ERROR_NOT_SUPPORTED, null);
    const [base, at, size] = [ulong64OrNull(baseAddress), ulong64(offset), ulong64(viewSize)];
    const [type, protection] = [ulong(allocationType), ulong(pageProtection)];
    const extended = extendedOf(extendedParameters, undefined);
    if (base === undefined || at === undefined || size === undefined || type === undefined || protection === undefined)
      return invalidParameter(null);
    if (extended === undefined) return invalidParameter(null);
    return map(fileMapping, { base, offset: at, viewSize: size, allocationType: type, protection, extended });
  }

  function UnmapViewOfFile(lpBaseAddress: View | bigint): boolean {
    if (View.is(lpBaseAddress) && unmapFresh(lpBaseAddress)) return true;
    const address = addressOf(lpBaseAddress);
    if (address === null) return failWith(ERROR_INVALID_ADDRESS, false);
    const status = unmapView(nt, address);
    return isSuccess(status) || system.failsWith(status, false);
  }

  function UnmapViewOfFile2(process: Handle, baseAddress: View | bigint, unmapFlags: number): boolean {
    const owner = memoryOwner(system, process);
    if (owner === null) return false;
    const [address, flags] = [ulong64OrNull(pointerOf(baseAddress)), ulong(unmapFlags)];
    if (address === undefined || flags === undefined) return invalidParameter(false);
    if ((flags & ~(MEM_PRESERVE_PLACEHOLDER | MEM_UNMAP_WITH_TRANSIENT_BOOST)) !== 0) return invalidParameter(false);
    const status = owner.own ? unmapView(nt, address, flags) : callOf(nt, 'NtUnmapViewOfSectionEx')(owner.handle, address, flags);
    return isSuccess(status) || system.failsWith(status, false);
  }

  function FlushViewOfFile(lpBaseAddress: View | bigint, dwNumberOfBytesToFlush: Size): boolean {
    const [address, bytes] = [addressOf(lpBaseAddress), ulong64(dwNumberOfBytesToFlush)];
    if (bytes === undefined) return invalidParameter(false);
    if (address === null || viewAt(address) === undefined) return failWith(ERROR_INVALID_ADDRESS, false);
    return system.does('FlushViewOfFile', address, bytes);
  }

  return {
    CreateFileMapping,
    CreateFileMappingA: CreateFileMapping,
    CreateFileMappingW: CreateFileMapping,
    CreateFileMappingFromApp,
    CreateFileMapping2,
    OpenFileMapping,
    OpenFileMappingA: OpenFileMapping,
    OpenFileMappingW: OpenFileMapping,
    MapViewOfFile: (section: Handle, access: number, high: number, low: number, bytes: Size): View | null =>
      MapViewOfFileEx(section, access, high, low, bytes, null),
    MapViewOfFileEx,
    MapViewOfFileFromApp: (section: Handle, access: number, offset: Size, bytes: Size): View | null =>
      mapByAccess(section, access, ulong64(offset), bytes, null),
    MapViewOfFile3,
    UnmapViewOfFile,
    UnmapViewOfFile2,
    FlushViewOfFile,
    ViewOfAddress(lpAddress: bigint): View | null {
      const address = ulong64(lpAddress);
      return (address === undefined ? undefined : anyViewAt(nt, address)) ?? failWith(ERROR_INVALID_ADDRESS, null);
    },
  };
}
