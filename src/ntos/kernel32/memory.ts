/**
 * Virtual memory of the system. What is changed or given back is the program's own: the runtime's memory has its place
 * among the same addresses.
 */
import { View } from '../../memory/view.js';
import type { MEM_EXTENDED_PARAMETER } from '../../nt/address-requirements.js';
import { type Handle, type Size, ulong, ulong64, ulong64OrNull } from '../../nt/arguments.js';
import {
  MEM_COALESCE_PLACEHOLDERS,
  MEM_FREE,
  MEM_PRESERVE_PLACEHOLDER,
  MEM_RELEASE,
  MEM_REPLACE_PLACEHOLDER,
  MEM_RESERVE,
  PAGE_SIZE,
} from '../../nt/constants.js';
import type { MEMORY_BASIC_INFORMATION } from '../../nt/memory-query.js';
import { CURRENT_PROCESS } from '../../nt/tables.js';
import type { SystemArgument } from '../../os/index.js';
import { failWith, invalidParameter, pointerOf } from '../../win32/arguments.js';
import { ERROR_INVALID_ADDRESS } from '../../win32/constants.js';
import { extendedOf } from '../extended.js';
import { forgetMemory, isOwnMemory, pagesWillDiffer, shownPages, takeMemory, viewAt } from '../own-memory.js';
import { MEMORY_BASIC_INFORMATION as basicInformation } from '../structures.js';
import { isOwnProcess, memoryOwner } from './own-process.js';
import type { Win32System } from './win32-system.js';

/** Characters that the longest path has. */
const MOST_CHARACTERS = 0x7fff;

const pageUp = (address: bigint): bigint => (address + BigInt(PAGE_SIZE - 1)) & ~BigInt(PAGE_SIZE - 1);

export function memoryCalls(system: Win32System) {
  const { handles, nt } = system;

  function query(process_: Handle, address: bigint): MEMORY_BASIC_INFORMATION | null {
    const room = basicInformation.room();
    if (!system.does('VirtualQueryEx', process_, address, room, room.length)) return null;
    const facts = basicInformation.read(room);
    const told = { ...facts, AllocationBase: facts.State === MEM_FREE ? null : facts.AllocationBase };
    return isOwnProcess(system, process_) ? shownPages(nt, told) : told;
  }

  /** The whole allocation that an address lies in: its end is that of the last page of the same base. */
  function allocationAt(address: bigint): { readonly base: bigint; readonly end: bigint } | null {
    const first = query(CURRENT_PROCESS, address);
    const base = first?.AllocationBase ?? null;
    if (base === null) return null;
    let end = base;
    for (let part = query(CURRENT_PROCESS, end); part?.AllocationBase === base; part = query(CURRENT_PROCESS, end))
      end = part.BaseAddress + BigInt(part.RegionSize);
    return { base, end };
  }

  const isOwn = (address: bigint, bytes: bigint): boolean =>
    viewAt(address) !== undefined || isOwnMemory(address, bytes === 0n ? 1n : bytes);

  /** Asks for memory; once more where addresses of closed views are in the way. */
  function allocate(
    owner: { handle: Handle; own: boolean },
    name: string,
    base: bigint,
    bytes: bigint,
    type: number,
    more: readonly SystemArgument[],
  ): bigint | null {
    const ask = (): bigint => BigInt(system.call(name, owner.handle, base, bytes, type, ...more));
    if (!owner.own) return ask() || system.fails(null);
    const reserves = base === 0n || ((type & MEM_RESERVE) !== 0 && (type & MEM_REPLACE_PLACEHOLDER) === 0);
    if (!reserves && !isOwn(base, bytes)) return failWith(ERROR_INVALID_ADDRESS, null);
    if (!reserves) pagesWillDiffer(nt, base);
    const found = ask() || (reserves && base !== 0n && nt.releaseAddresses(base, bytes) ? ask() : 0n);
    if (found === 0n) return system.fails(null);
    if (reserves) takeMemory(found, pageUp((base === 0n ? found : base) + bytes) - found);
    return found;
  }

  function VirtualAllocEx(
    hProcess: Handle,
    lpAddress: View | bigint | null,
    dwSize: Size,
    flAllocationType: number,
    flProtect: number,
  ): bigint | null {
    const owner = memoryOwner(system, hProcess);
    if (owner === null) return null;
    const [base, bytes] = [ulong64OrNull(pointerOf(lpAddress)), ulong64(dwSize)];
    const [type, protection] = [ulong(flAllocationType), ulong(flProtect)];
    if (base === undefined || bytes === undefined || type === undefined || protection === undefined)
      return invalidParameter(null);
    return allocate(owner, 'VirtualAllocEx', base, bytes, type, [protection]);
  }

  function VirtualAlloc2(
    process: Handle | null,
    baseAddress: bigint | null,
    size: Size,
    allocationType: number,
    pageProtection: number,
    extendedParameters: readonly MEM_EXTENDED_PARAMETER[] | null = null,
  ): bigint | null {
    const owner = memoryOwner(system, process ?? CURRENT_PROCESS);
    if (owner === null) return null;
    const [base, bytes] = [ulong64OrNull(baseAddress), ulong64(size)];
    const [type, protection] = [ulong(allocationType), ulong(pageProtection)];
    const extended = extendedOf(extendedParameters, undefined);
    if (base === undefined || bytes === undefined || type === undefined || protection === undefined || extended === undefined)
      return invalidParameter(null);
    return allocate(owner, 'VirtualAlloc2', base, bytes, type, [protection, extended, extended.length]);
  }

  function VirtualFreeEx(hProcess: Handle, lpAddress: View | bigint, dwSize: Size, dwFreeType: number): boolean {
    const owner = memoryOwner(system, hProcess);
    if (owner === null) return false;
    const [base, bytes, type] = [ulong64OrNull(pointerOf(lpAddress)), ulong64(dwSize), ulong(dwFreeType)];
    if (base === undefined || bytes === undefined || type === undefined) return invalidParameter(false);
    if (!owner.own) return system.does('VirtualFreeEx', owner.handle, base, bytes, type);
    const allocation = allocationAt(base);
    if (allocation === null || !isOwn(base, bytes)) return failWith(ERROR_INVALID_ADDRESS, false);
    if (!system.does('VirtualFreeEx', owner.handle, base, bytes, type)) return false;
    const stays = (type & (MEM_PRESERVE_PLACEHOLDER | MEM_COALESCE_PLACEHOLDERS)) !== 0;
    if ((type & MEM_RELEASE) !== 0 && !stays) forgetMemory(allocation.base, allocation.end - allocation.base);
    return true;
  }

  function VirtualProtectEx(hProcess: Handle, lpAddress: View | bigint, dwSize: Size, flNewProtect: number): number | false {
    const owner = memoryOwner(system, hProcess);
    if (owner === null) return false;
    const [base, bytes, protection] = [ulong64OrNull(pointerOf(lpAddress)), ulong64(dwSize), ulong(flNewProtect)];
    if (base === undefined || bytes === undefined || protection === undefined) return invalidParameter(false);
    if (owner.own) {
      if (!isOwn(base, bytes)) return failWith(ERROR_INVALID_ADDRESS, false);
      pagesWillDiffer(nt, base);
    }
    const before = new Uint32Array(1);
    const done = system.does('VirtualProtectEx', owner.handle, base, bytes, protection, new Uint8Array(before.buffer));
    return done && (before[0] as number);
  }

  function VirtualQueryEx(hProcess: Handle, lpAddress: View | bigint | null): MEMORY_BASIC_INFORMATION | null {
    // Of a view that is closed: what is there now.
    const address = ulong64OrNull(View.is(lpAddress) ? lpAddress.address : lpAddress);
    return address === undefined ? invalidParameter(null) : query(handles.usable(hProcess), address);
  }

  function GetMappedFileName(hProcess: Handle, lpv: View | bigint | null): string | null {
    const address = ulong64OrNull(pointerOf(lpv));
    const name = new Uint16Array(MOST_CHARACTERS);
    const room = new Uint8Array(name.buffer);
    const length = Number(system.call('K32GetMappedFileNameW', handles.usable(hProcess), address ?? 0n, room, MOST_CHARACTERS));
    return length === 0 ? system.fails(null) : Buffer.from(name.buffer, 0, length * 2).toString('utf16le');
  }

  return {
    VirtualAlloc: (address: View | bigint | null, size: Size, type: number, protection: number): bigint | null =>
      VirtualAllocEx(CURRENT_PROCESS, address, size, type, protection),
    VirtualAllocEx,
    VirtualAlloc2,
    VirtualFree: (address: View | bigint, size: Size, type: number): boolean =>
      VirtualFreeEx(CURRENT_PROCESS, address, size, type),
    VirtualFreeEx,
    VirtualProtect: (address: View | bigint, size: Size, protection: number): number | false =>
      VirtualProtectEx(CURRENT_PROCESS, address, size, protection),
    VirtualProtectEx,
    VirtualQuery: (address: View | bigint | null): MEMORY_BASIC_INFORMATION | null => VirtualQueryEx(CURRENT_PROCESS, address),
    VirtualQueryEx,
    GetMappedFileName,
    GetMappedFileNameA: GetMappedFileName,
    GetMappedFileNameW: GetMappedFileName,
    K32GetMappedFileName: GetMappedFileName,
    K32GetMappedFileNameA: GetMappedFileName,
    K32GetMappedFileNameW: GetMappedFileName,
  };
}
