/**
 * Creating processes: CreateProcess, and what a child inherits for those who spawn one themselves.
 */
import { type ChildProcess, type SpawnOptions, type StdioOptions, spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { show } from '../base/checks.js';
import { SectionError } from '../base/error.js';
import { type NTSTATUS, statusName } from '../base/status.js';
import { type Handle, ulong } from '../nt/arguments.js';
import { statusOf } from '../nt/failure.js';
import { INHERITANCE_VARIABLE, type Legacy, packLegacy } from '../nt/inheritance.js';
import { enterChild } from '../nt/process-calls.js';
import { os } from '../os/index.js';
import { argumentsOf } from './command-line.js';
import {
  CREATE_NEW_CONSOLE,
  CREATE_NEW_PROCESS_GROUP,
  DETACHED_PROCESS,
  ERROR_ACCESS_DENIED,
  ERROR_BAD_EXE_FORMAT,
  ERROR_DIRECTORY,
  ERROR_FILE_NOT_FOUND,
  ERROR_INVALID_PARAMETER,
  ERROR_NO_SYSTEM_RESOURCES,
  ERROR_NOT_SUPPORTED,
} from './constants.js';
import { SetLastError, setErrorFor } from './last-error.js';
import { isInheritable, type SecurityAttributes } from './object-names.js';
import { environmentOf, isDirectory, KNOWN_CREATION_FLAGS, type StartupInfo, streamsGiven, streamsOf } from './start-info.js';

export type { StartupInfo } from './start-info.js';

/** PROCESS_INFORMATION */
export interface ProcessInformation {
  /** With every right to the process. */
  readonly hProcess: Handle;
  /** On its main thread. */
  readonly hThread: Handle;
  readonly dwProcessId: number;
  readonly dwThreadId: number;
  /** The same process as Node.js has it: its streams, and its `exit`. It keeps this process until `unref`. */
  readonly process: ChildProcess;
}

/** What a child inherits, for `child_process.spawn`. */
export interface Inheritance {
  /** In place of the option of that name. */
  readonly stdio: (StdioOptions & readonly unknown[]) | unknown[];
  /** To be added to the child's environment. */
  readonly env: Readonly<Record<string, string>>;
  /** To be called with the child, at once; the holds that were made for it are its own from then on. */
  spawned(child: ChildProcess): void;
}

function failed(error: number): null {
  SetLastError(error);
  return null;
}

function legacyAt(streams: readonly unknown[], everything: boolean): Legacy | { readonly status: NTSTATUS } {
  try {
    return packLegacy(streams.length, everything);
  } catch (error) {
    return { status: statusOf(error) };
  }
}

function withLegacy(streams: readonly unknown[], { descriptors, description }: Legacy) {
  return {
    stdio: [...streams, ...descriptors.map((each) => os.descriptorNumber(each))],
    env: { [INHERITANCE_VARIABLE]: String(description) },
  };
}

/**
 * What a child inherits, for those who spawn it themselves: handles that were made inheritable, and views with
 * ViewShare. Ours: in Win32 only CreateProcess does it. The child opens its door as one of CreateProcess does.
 *
 * @param stdio The child's streams, as `child_process.spawn` takes them.
 * @returns What to give to `spawn`; call `spawned` with the child then.
 * @throws SectionError where something cannot be handed on: an inheritable handle of a type that stays in its
 * process, or too many descriptors; ERR_SECTION_INVALID_ARGUMENT for what are no streams.
 */
export function inheritance(stdio: StdioOptions = 'inherit'): Inheritance {
  const streams = streamsOf(stdio);
  if (streams === null) {
    throw new SectionError('ERR_SECTION_INVALID_ARGUMENT', {
      operation: 'inheritance',
      rule: `stdio must be what child_process.spawn takes, not ${show(stdio)}`,
    });
  }
  const legacy = legacyAt(streams, true);
  if ('status' in legacy) {
    throw new SectionError('ERR_SECTION_SYSTEM_CALL', {
      operation: 'inheritance',
      rule: `a handle or a view cannot be handed on (${statusName(legacy.status)})`,
      status: legacy.status,
    });
  }
  return {
    ...withLegacy(streams, legacy),
    spawned: (child) => {
      legacy.sentTo(child);
      legacy.close();
    },
  };
}

/** The file that is to be run, or the error for there being none. */
function fileOf(name: string, search: boolean): string | { readonly error: number } {
  const folders = search && !name.includes('/') ? (process.env['PATH'] ?? '').split(delimiter) : [''];
  let error: number = ERROR_FILE_NOT_FOUND;
  for (const folder of folders) {
    const path = folder === '' ? resolve(name) : join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
      error = ERROR_ACCESS_DENIED;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'EACCES') error = ERROR_ACCESS_DENIED;
    }
  }
  return { error };
}

interface Plan {
  readonly file: string;
  readonly argv0: string;
  readonly given: readonly string[];
  readonly streams: unknown[];
  readonly options: SpawnOptions;
}

/** What is to be spawned, or the error of the first argument that is none. */
function planOf(
  applicationName: string | null,
  commandLine: string | null,
  creationFlags: number,
  environment: Readonly<Record<string, string>> | string | null,
  currentDirectory: string | null,
  startupInfo: StartupInfo | null,
): Plan | { readonly error: number } {
  const flags = ulong(creationFlags);
  const isText = (each: unknown): boolean => each === null || each === undefined || typeof each === 'string';
  const texts = [applicationName, commandLine, currentDirectory];
  const env = environmentOf(environment);
  if (flags === undefined || !texts.every(isText) || texts.some((each) => each?.includes('\0')) || env === null) {
    return { error: ERROR_INVALID_PARAMETER };
  }
  if ((flags & ~KNOWN_CREATION_FLAGS) !== 0) return { error: ERROR_NOT_SUPPORTED };
  const line = commandLine ?? ((applicationName ?? null) === null ? '' : `"${applicationName}"`);
  const [argv0 = '', ...given] = argumentsOf(line);
  const name = applicationName ?? argv0;
  if (name === '')
    return { error: (applicationName ?? commandLine ?? null) === null ? ERROR_INVALID_PARAMETER : ERROR_FILE_NOT_FOUND };
  const file = fileOf(name, applicationName === null || applicationName === undefined);
  if (typeof file !== 'string') return file;
  if (currentDirectory && !isDirectory(currentDirectory)) return { error: ERROR_DIRECTORY };
  const streams = streamsGiven(startupInfo);
  if (streams === null) return { error: ERROR_INVALID_PARAMETER };
  return {
    file,
    argv0,
    given,
    streams,
    options: {
      env,
      detached: (flags & (DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP | CREATE_NEW_CONSOLE)) !== 0,
      ...(currentDirectory ? { cwd: currentDirectory } : {}),
    },
  };
}

/** The error that stands for what the system answered. */
function errorOf(cause: unknown): number {
  const { code } = cause as NodeJS.ErrnoException;
  if (code === 'ENOEXEC') return ERROR_BAD_EXE_FORMAT;
  if (code === 'EACCES' || code === 'EPERM') return ERROR_ACCESS_DENIED;
  return code === 'E2BIG' || code === 'ERR_INVALID_ARG_VALUE' ? ERROR_INVALID_PARAMETER : ERROR_NO_SYSTEM_RESOURCES;
}

/**
 * Creates a process. Its handles and views are its own: what it inherits it holds by itself, from the moment that
 * it is made, whatever becomes of this process. They are there once it imports `sectile/kernel32` or `sectile/ntdll`.
 *
 * @param lpApplicationName The program's file; null to take it from the command line, and to look for it in PATH.
 * @param lpCommandLine The command line, its first argument the program; null for the application's name alone.
 * @param lpProcessAttributes bInheritHandle of it counts for the handle on the process.
 * @param lpThreadAttributes bInheritHandle of it counts for the handle on the thread.
 * @param bInheritHandles Whether the child gets the handles that were made inheritable, under the same values, and
 * every view with ViewShare, at the same address. Views of MapViewOfFile are such.
 * @param dwCreationFlags DETACHED_PROCESS, CREATE_NEW_PROCESS_GROUP and CREATE_NEW_CONSOLE make it a group of its own;
 * CREATE_UNICODE_ENVIRONMENT, CREATE_NO_WINDOW and CREATE_DEFAULT_ERROR_MODE change nothing. Others are not supported.
 * @param lpEnvironment The environment by name, or a block; null for this process's.
 * @param lpCurrentDirectory Null for this process's.
 * @param lpStartupInfo The child's streams.
 * @returns Handles and numbers, or null: ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_BAD_EXE_FORMAT, ERROR_DIRECTORY,
 * ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED (other flags; an inheritable handle that cannot be inherited),
 * ERROR_NO_SYSTEM_RESOURCES.
 * @see {@link https://learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-createprocessw}
 */
export function CreateProcess(
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
  const plan = planOf(lpApplicationName, lpCommandLine, dwCreationFlags, lpEnvironment, lpCurrentDirectory, lpStartupInfo);
  if ('error' in plan) return failed(plan.error);
  const legacy = legacyAt(plan.streams, bInheritHandles === true);
  if ('status' in legacy) {
    setErrorFor(legacy.status);
    return null;
  }
  try {
    const { stdio, env } = withLegacy(plan.streams, legacy);
    const child = spawn(plan.file, plan.given, {
      ...plan.options,
      argv0: plan.argv0,
      env: { ...plan.options.env, ...env },
      stdio: stdio as StdioOptions,
    });
    // Told again by its exit; without a listener the process would end of it.
    child.on('error', () => {});
    if (child.pid === undefined) return failed(ERROR_NO_SYSTEM_RESOURCES);
    legacy.sentTo(child);
    const entered = enterChild(child, child.pid, {
      process: isInheritable(lpProcessAttributes),
      thread: isInheritable(lpThreadAttributes),
    });
    if ('status' in entered) {
      child.kill('SIGKILL');
      setErrorFor(entered.status);
      return null;
    }
    const { processHandle, threadHandle } = entered;
    return { hProcess: processHandle, hThread: threadHandle, dwProcessId: child.pid, dwThreadId: child.pid, process: child };
  } catch (cause) {
    return failed(errorOf(cause));
  } finally {
    legacy.close();
  }
}

export { CreateProcess as CreateProcessA, CreateProcess as CreateProcessW };
