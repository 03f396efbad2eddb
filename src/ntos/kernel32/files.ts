/**
 * Files of the system: open, read, write, their positions and lengths, their locks, and whole files by their paths.
 * Paths are Windows' own.
 */
import { type Handle, memoryOf, type Size, ulong, ulong64 } from '../../nt/arguments.js';
import { bytesOf, cString, failWith, fromHalves, invalidParameter, type Overlapped, offsetOf } from '../../win32/arguments.js';
import * as c from '../../win32/constants.js';
import type { SecurityAttributes } from '../../win32/object-names.js';
import { nameOf, securityOf, type Win32System } from './win32-system.js';

const isNone = (overlapped: unknown): boolean => typeof overlapped !== 'object' || overlapped === null;

/** A path; null where it is none, and the last error says so. */
function pathOf(given: unknown): string | null {
  if (typeof given !== 'string' || cString(given) === '') return failWith(c.ERROR_PATH_NOT_FOUND, null);
  return nameOf(given)?.value ?? null;
}

/** The file's position or an offset; undefined for what is none, and the last error says so. */
function startOf(overlapped: Overlapped | null | undefined): bigint | null | undefined {
  if (overlapped === null || overlapped === undefined) return null;
  return ulong64(offsetOf(overlapped)) ?? invalidParameter(undefined);
}

export function fileCalls(system: Win32System) {
  const { handles, nt } = system;

  function CreateFile(
    lpFileName: string,
    dwDesiredAccess: number,
    dwShareMode: number,
    lpSecurityAttributes: SecurityAttributes | string | null,
    dwCreationDisposition: number,
    dwFlagsAndAttributes: number,
    _hTemplateFile: Handle | null = null,
  ): Handle {
    const none = c.INVALID_HANDLE_VALUE;
    const path = pathOf(lpFileName);
    if (path === null) return none;
    const [access, share, disposition, flags] = [dwDesiredAccess, dwShareMode, dwCreationDisposition, dwFlagsAndAttributes].map(
      ulong,
    );
    if (access === undefined || share === undefined || disposition === undefined || flags === undefined)
      return invalidParameter(none);
    const attributes = securityOf(system, lpSecurityAttributes);
    if (attributes === null) return none;
    return system.creates(none, 'CreateFileW', path, access, share, attributes.value, disposition, flags, 0);
  }

  function ReadFile(
    hFile: Handle,
    lpBuffer: ArrayBufferView,
    nNumberOfBytesToRead?: number,
    lpOverlapped: Overlapped | null = null,
  ): number | false {
    const target = bytesOf(lpBuffer, nNumberOfBytesToRead);
    if (target === null) return failWith(c.ERROR_NOACCESS, false);
    const start = startOf(lpOverlapped);
    return start === undefined ? false : system.transferred(nt.fileRead(handles.usable(hFile), target, start));
  }

  function WriteFile(
    hFile: Handle,
    lpBuffer: ArrayBufferView,
    nNumberOfBytesToWrite?: number,
    lpOverlapped: Overlapped | null = null,
  ): number | false {
    const source = bytesOf(lpBuffer, nNumberOfBytesToWrite);
    if (source === null) return failWith(c.ERROR_NOACCESS, false);
    const start = startOf(lpOverlapped);
    return start === undefined ? false : system.transferred(nt.fileWrite(handles.usable(hFile), source, start));
  }

  function SetFilePointerEx(hFile: Handle, liDistanceToMove: Size, dwMoveMethod: number): number | false {
    const [distance, method] = [ulong64(liDistanceToMove), ulong(dwMoveMethod)];
    if (distance === undefined || method === undefined) return invalidParameter(false);
    const position = new BigInt64Array(1);
    const moved = system.does('SetFilePointerEx', handles.usable(hFile), distance, new Uint8Array(position.buffer), method);
    return moved && Number(position[0]);
  }

  function SetFilePointer(
    hFile: Handle,
    lDistanceToMove: number,
    lpDistanceToMoveHigh: Int32Array | null,
    dwMoveMethod: number,
  ): number {
    const failed = c.INVALID_SET_FILE_POINTER;
    const [low, method] = [ulong(lDistanceToMove), ulong(dwMoveMethod)];
    if (low === undefined || method === undefined) return invalidParameter(failed);
    const high = (lpDistanceToMoveHigh ?? null) === null ? null : memoryOf(lpDistanceToMoveHigh);
    if (high === undefined || (high !== null && high.length < 4)) return failWith(c.ERROR_NOACCESS, failed);
    const half = Number(system.call('SetFilePointer', handles.usable(hFile), low, high, method));
    return half === failed ? system.fails(half) : half;
  }

  function GetFileSizeEx(hFile: Handle): number | false {
    const size = new BigInt64Array(1);
    return system.does('GetFileSizeEx', handles.usable(hFile), new Uint8Array(size.buffer)) && Number(size[0]);
  }

  function GetFileSize(hFile: Handle): number {
    const size = Number(system.call('GetFileSize', handles.usable(hFile), null));
    return size === c.INVALID_FILE_SIZE ? system.fails(size) : size;
  }

  function GetFileType(hFile: Handle): number {
    const type = Number(system.call('GetFileType', handles.usable(hFile)));
    return type === c.FILE_TYPE_UNKNOWN ? system.fails(type) : type;
  }

  /* ------------------------------------------------------------------------------- locks ---- */

  function range(name: string, hFile: Handle, halves: readonly unknown[]): boolean {
    const numbers = halves.map(ulong);
    if (numbers.includes(undefined)) return invalidParameter(false);
    return system.does(name, handles.usable(hFile), ...(numbers as number[]));
  }

  function LockFileEx(
    hFile: Handle,
    dwFlags: number,
    dwReserved: number,
    bytesLow: number,
    bytesHigh: number,
    lpOverlapped: Overlapped,
  ): boolean {
    const [flags, bytes] = [ulong(dwFlags), fromHalves(bytesHigh, bytesLow)];
    const known = c.LOCKFILE_EXCLUSIVE_LOCK | c.LOCKFILE_FAIL_IMMEDIATELY;
    if (flags === undefined || (flags & ~known) !== 0 || bytes === undefined) return invalidParameter(false);
    if (ulong(dwReserved) !== 0) return invalidParameter(false);
    if (isNone(lpOverlapped)) return failWith(c.ERROR_NOACCESS, false);
    const start = startOf(lpOverlapped) ?? undefined;
    if (start === undefined) return false;
    // No lock is waited for: the event loop would.
    const result = nt.fileLock(handles.usable(hFile), flags | c.LOCKFILE_FAIL_IMMEDIATELY, start, bytes);
    return system.transferred(result) !== false;
  }

  function UnlockFileEx(
    hFile: Handle,
    dwReserved: number,
    bytesLow: number,
    bytesHigh: number,
    lpOverlapped: Overlapped,
  ): boolean {
    const bytes = fromHalves(bytesHigh, bytesLow);
    if (bytes === undefined || ulong(dwReserved) !== 0) return invalidParameter(false);
    if (isNone(lpOverlapped)) return failWith(c.ERROR_NOACCESS, false);
    const start = startOf(lpOverlapped) ?? undefined;
    return start !== undefined && system.transferred(nt.fileUnlock(handles.usable(hFile), 0, start, bytes)) !== false;
  }

  /* ------------------------------------------------------------------------- whole files ---- */

  function byPaths(name: string, paths: readonly unknown[], ...flags: readonly number[]): boolean {
    const texts: string[] = [];
    for (const each of paths) {
      const path = pathOf(each);
      if (path === null) return false;
      texts.push(path);
    }
    return system.does(name, ...texts, ...flags);
  }

  const DeleteFile = (lpFileName: string): boolean => byPaths('DeleteFileW', [lpFileName]);
  const CopyFile = (from: string, to: string, bFailIfExists: boolean): boolean =>
    byPaths('CopyFileW', [from, to], bFailIfExists ? 1 : 0);
  const MoveFile = (from: string, to: string): boolean => byPaths('MoveFileW', [from, to]);

  return {
    CreateFile,
    CreateFileA: CreateFile,
    CreateFileW: CreateFile,
    ReadFile,
    WriteFile,
    FlushFileBuffers: (hFile: Handle): boolean => system.does('FlushFileBuffers', handles.usable(hFile)),
    SetFilePointer,
    SetFilePointerEx,
    SetEndOfFile: (hFile: Handle): boolean => system.does('SetEndOfFile', handles.usable(hFile)),
    GetFileSize,
    GetFileSizeEx,
    GetFileType,
    LockFile: (hFile: Handle, offsetLow: number, offsetHigh: number, bytesLow: number, bytesHigh: number): boolean =>
      range('LockFile', hFile, [offsetLow, offsetHigh, bytesLow, bytesHigh]),
    UnlockFile: (hFile: Handle, offsetLow: number, offsetHigh: number, bytesLow: number, bytesHigh: number): boolean =>
      range('UnlockFile', hFile, [offsetLow, offsetHigh, bytesLow, bytesHigh]),
    LockFileEx,
    UnlockFileEx,
    DeleteFile,
    DeleteFileA: DeleteFile,
    DeleteFileW: DeleteFile,
    CopyFile,
    CopyFileA: CopyFile,
    CopyFileW: CopyFile,
    MoveFile,
    MoveFileA: MoveFile,
    MoveFileW: MoveFile,
  };
}
