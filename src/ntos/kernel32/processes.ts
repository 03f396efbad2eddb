/**
 * Processes of the system: this one, others, and children.
 */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { show } from '../../base/checks.js';
import { SectionError } from '../../base/error.js';
import { isSuccess } from '../../base/status.js';
import { type Handle, ulong } from '../../nt/arguments.js';
import { OBJ_INHERIT } from '../../nt/constants.js';
import { CURRENT_PROCESS, CURRENT_THREAD } from '../../nt/tables.js';
import { failWith, invalidParameter } from '../../win32/arguments.js';
import { argumentsOf } from '../../win32/command-line.js';
import * as c from '../../win32/constants.js';
import type { Inheritance, ProcessInformation } from '../../win32/create-process.js';
import { isInheritable, type SecurityAttributes } from '../../win32/object-names.js';
import {
  environmentOf,
  isDirectory,
  KNOWN_CREATION_FLAGS,
  type StartupInfo,
  streamsGiven,
  streamsOf,
} from '../../win32/start-info.js';
import { callOf } from '../handles.js';
import { handleIn } from '../structures.js';
import type { Win32System } from './win32-system.js';

const PROCESS_AND_THREAD_ALL_ACCESS = 0x1f_ffff;

/** The error that stands for what the runtime says of a program that it could not start. */
const errorsOfSpawn: ReadonlyMap<string | undefined, number> = new Map([
  ['EPERM', c.ERROR_ACCESS_DENIED],
  ['EFTYPE', c.ERROR_BAD_EXE_FORMAT],
  ['UNKNOWN', c.ERROR_BAD_EXE_FORMAT],
  ['E2BIG', c.ERROR_INVALID_PARAMETER],
  ['ENAMETOOLONG', c.ERROR_INVALID_PARAMETER],
  ['ERR_INVALID_ARG_VALUE', c.ERROR_INVALID_PARAMETER],
  ['ERR_INVALID_ARG_TYPE', c.ERROR_INVALID_PARAMETER],
]);

const errorOf = (cause: unknown): number =>
  errorsOfSpawn.get((cause as NodeJS.ErrnoException | undefined)?.code) ?? c.ERROR_NO_SYSTEM_RESOURCES;

export function processCalls(system: Win32System) {
  const { handles, nt } = system;

  function OpenProcess(dwDesiredAccess: number, bInheritHandle: boolean, dwProcessId: number): Handle {
    const [access, pid] = [ulong(dwDesiredAccess), ulong(dwProcessId)];
    if (access === undefined || pid === undefined) return invalidParameter(0);
    return system.opens(0, 'OpenProcess', access, bInheritHandle === true ? 1 : 0, pid);
  }

  function GetProcessId(Process: Handle): number {
    const pid = Number(system.call('GetProcessId', handles.usable(Process)));
    return pid === 0 ? system.fails(0) : pid;
  }

  function GetExitCodeProcess(hProcess: Handle): number | false {
    const code = new Uint32Array(1);
    const told = system.does('GetExitCodeProcess', handles.usable(hProcess), new Uint8Array(code.buffer));
    return told && (code[0] as number);
  }

  function TerminateProcess(hProcess: Handle, uExitCode: number): boolean {
    const code = ulong(uExitCode);
    return code === undefined ? invalidParameter(false) : system.does('TerminateProcess', handles.usable(hProcess), code);
  }

  /** The first thread of a process that has just been made; 0 where it has ended already. */
  function mainThread(process_: Handle, inherit: boolean): Handle {
    const room = new Uint8Array(8);
    const attributes = inherit ? OBJ_INHERIT : 0;
    const status = callOf(nt, 'NtGetNextThread')(process_, 0, PROCESS_AND_THREAD_ALL_ACCESS, attributes, 0, room);
    return isSuccess(status) ? handles.add(handleIn(room)) : 0;
  }

  /** Does something while no child would inherit the program's handles: the runtime hands on all that can be. */
  function withoutInheritance<T>(work: () => T): T {
    const flags = new Uint32Array(1);
    const set = callOf(nt, 'SetHandleInformation');
    const inheritable = handles.all().filter((each) => {
      flags[0] = 0;
      callOf(nt, 'GetHandleInformation')(each, new Uint8Array(flags.buffer));
      return ((flags[0] as number) & c.HANDLE_FLAG_INHERIT) !== 0;
    });
    for (const each of inheritable) set(each, c.HANDLE_FLAG_INHERIT, 0);
    try {
      return work();
    } finally {
      for (const each of inheritable) set(each, c.HANDLE_FLAG_INHERIT, c.HANDLE_FLAG_INHERIT);
    }
  }

  function CreateProcess(
    lpApplicationName: string | null,
    lpCommandLine: string | null,
    lpProcessAttributes: SecurityAttributes | null,
    lpThreadAttributes: SecurityAttributes | null,
    bInheritHandles: boolean,
    dwCreationFlags: number,
    lpEnvironment: Readonly<Record<string, string>> | string | null,
    lpCurrentDirectory: string | null,
    lpStartupInfo: StartupInfo | null,
  ): ProcessInformation | null {
    const flags = ulong(dwCreationFlags);
    const texts = [lpApplicationName, lpCommandLine, lpCurrentDirectory];
    const env = environmentOf(lpEnvironment);
    const areTexts = texts.every((each) => (each ?? null) === null || (typeof each === 'string' && !each.includes('\0')));
    if (flags === undefined || !areTexts || env === null) return invalidParameter(null);
    if ((flags & ~KNOWN_CREATION_FLAGS) !== 0) return failWith(c.ERROR_NOT_SUPPORTED, null);
    if ((lpApplicationName ?? lpCommandLine ?? null) === null) return invalidParameter(null);
    const line = lpCommandLine ?? `"${lpApplicationName}"`;
    // The line's first word is looked for as programs are; a name is the file itself.
    const file =
      (lpApplicationName ?? null) === null ? (argumentsOf(line)[0] ?? '') : lpApplicationName && resolve(lpApplicationName);
    if (!file) return failWith(c.ERROR_FILE_NOT_FOUND, null);
    if (lpCurrentDirectory && !isDirectory(lpCurrentDirectory)) return failWith(c.ERROR_DIRECTORY, null);
    const streams = streamsGiven(lpStartupInfo);
    if (streams === null) return invalidParameter(null);
    const start = (): ChildProcess =>
      spawn(file, [], {
        argv0: line,
        windowsVerbatimArguments: true,
        windowsHide: (flags & c.CREATE_NO_WINDOW) !== 0,
        env,
        detached: (flags & (c.DETACHED_PROCESS | c.CREATE_NEW_PROCESS_GROUP | c.CREATE_NEW_CONSOLE)) !== 0,
        stdio: streams as StdioOptions,
        ...(lpCurrentDirectory ? { cwd: lpCurrentDirectory } : {}),
      });
    try {
      const child = bInheritHandles === true ? start() : withoutInheritance(start);
      // Told again by its exit; without a listener the process would end of it.
      child.on('error', () => {});
      if (child.pid === undefined) return failWith(existsSync(file) ? c.ERROR_ACCESS_DENIED : c.ERROR_FILE_NOT_FOUND, null);
      return informationOf(child, child.pid, isInheritable(lpProcessAttributes), isInheritable(lpThreadAttributes));
    } catch (cause) {
      return failWith(errorOf(cause), null);
    }
  }

  function informationOf(child: ChildProcess, pid: number, process_: boolean, thread: boolean): ProcessInformation | null {
    const hProcess = OpenProcess(PROCESS_AND_THREAD_ALL_ACCESS, process_, pid);
    if (hProcess === 0) {
      child.kill('SIGKILL');
      return null;
    }
    const hThread = mainThread(hProcess, thread);
    const dwThreadId = hThread === 0 ? 0 : Number(system.call('GetThreadId', hThread));
    return { hProcess, hThread, dwProcessId: pid, dwThreadId, process: child };
  }

  /** The runtime hands on what can be inherited by itself, under the same values. */
  function inheritance(stdio: StdioOptions = 'inherit'): Inheritance {
    const streams = streamsOf(stdio);
    if (streams !== null) return { stdio: streams, env: {}, spawned: () => {} };
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation: 'inheritance',
      rule: `stdio must be what child_process.spawn takes, not ${show(stdio)}`,
    });
  }

  return {
    GetCurrentProcess: (): Handle => CURRENT_PROCESS,
    GetCurrentProcessId: (): number => process.pid,
    GetCurrentThread: (): Handle => CURRENT_THREAD,
    OpenProcess,
    GetProcessId,
    GetExitCodeProcess,
    TerminateProcess,
    CreateProcess,
    CreateProcessA: CreateProcess,
    CreateProcessW: CreateProcess,
    inheritance,
    /** Processes are open to their user here, as their security descriptors have it. */
    AllowProcessAccess: (): boolean => true,
  };
}
