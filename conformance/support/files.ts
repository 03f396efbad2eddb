/**
 * Files for cases, opened as Win32 opens them.
 */
import assert from 'node:assert/strict';
import * as w from 'sectile/kernel32';
import type { Trial } from './trial.js';
import { errorNameOf } from './values.js';

export const READ_WRITE = (w.GENERIC_READ | w.GENERIC_WRITE) >>> 0;
export const SHARE_ALL = w.FILE_SHARE_READ | w.FILE_SHARE_WRITE | w.FILE_SHARE_DELETE;

/** A handle on a file, until the case ends. */
export function createFile(t: Trial, path: string, access: number, share: number, disposition: number, flags = 0): number {
  const handle = w.CreateFile(path, access >>> 0, share, null, disposition, flags);
  assert.notEqual(handle, w.INVALID_HANDLE_VALUE, `open ${path}: ${errorNameOf(w.GetLastError())}`);
  return t.keep(handle);
}

/** A handle on a file that is there, until the case ends. */
export function openFile(t: Trial, path: string, access: number = READ_WRITE, share: number = SHARE_ALL): number {
  return createFile(t, path, access, share, w.OPEN_EXISTING);
}
