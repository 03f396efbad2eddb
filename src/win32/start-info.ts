/**
 * What CreateProcess is asked for, read: the child's streams, its environment and its folder.
 */
import type { StdioOptions } from 'node:child_process';
import { statSync } from 'node:fs';
import { elementsOf, fieldsOf } from '../nt/arguments.js';
import {
  CREATE_DEFAULT_ERROR_MODE,
  CREATE_NEW_CONSOLE,
  CREATE_NEW_PROCESS_GROUP,
  CREATE_NO_WINDOW,
  CREATE_UNICODE_ENVIRONMENT,
  DETACHED_PROCESS,
} from './constants.js';

/** STARTUPINFO, as far as it means something here. */
export interface StartupInfo {
  /**
   * The child's streams, as `child_process.spawn` takes them; left out, it has this process's. Ours: Win32 has
   * handles of files there.
   */
  readonly stdio?: StdioOptions;
}

/** What dwCreationFlags may say. */
export const KNOWN_CREATION_FLAGS =
  DETACHED_PROCESS |
  CREATE_NEW_CONSOLE |
  CREATE_NEW_PROCESS_GROUP |
  CREATE_UNICODE_ENVIRONMENT |
  CREATE_DEFAULT_ERROR_MODE |
  CREATE_NO_WINDOW;

/** One entry for each stream; null for what are no streams. */
export function streamsOf(stdio: unknown): unknown[] | null {
  const given = typeof stdio === 'string' ? [stdio, stdio, stdio] : elementsOf(stdio, undefined);
  if (given === undefined) return null;
  return [...given, ...new Array<string>(Math.max(0, 3 - given.length)).fill('inherit')];
}

/** The streams that STARTUPINFO asks for; null where it cannot be read, or they are none. */
export function streamsGiven(startupInfo: StartupInfo | null): unknown[] | null {
  if (startupInfo === null || startupInfo === undefined) return streamsOf('inherit');
  const fields = fieldsOf(startupInfo, 'stdio');
  return fields === undefined ? null : streamsOf(fields.stdio);
}

export function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

/** Name and value as lpEnvironment has them: a record, or a block of texts that each end in a NUL. */
export function environmentOf(
  given: Readonly<Record<string, string>> | string | null,
): Record<string, string | undefined> | null {
  if (given === null || given === undefined) return process.env;
  if (typeof given !== 'string') {
    try {
      return typeof given === 'object' ? { ...given } : null;
    } catch {
      return null;
    }
  }
  const entries = given.split('\0').filter((each) => each !== '');
  // A name may begin with an equals sign, as those of current directories do.
  return Object.fromEntries(entries.map((each) => [each.slice(0, each.indexOf('=', 1)), each.slice(each.indexOf('=', 1) + 1)]));
}
