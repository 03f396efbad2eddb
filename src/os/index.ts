/**
 * The doorway to the operating system, chosen once. The only place that looks at the platform's name.
 */
import { basename, join } from 'node:path';
import { SectionError } from '../base/error.js';
import type { NtSystem } from './nt.js';
import type { Os } from './os.js';
import { darwin, linux } from './posix.js';
import { win32 } from './win32.js';

function choose(): { readonly os: Os; readonly nt: NtSystem | null } {
  if (process.platform === 'linux') return { os: linux(), nt: null };
  if (process.platform === 'darwin') return { os: darwin(), nt: null };
  if (process.platform === 'win32') return win32();
  throw new SectionError('ERR_SECTION_NATIVE', {
    operation: 'import sectile',
    rule: `${process.platform} has no implementation in this version`,
    wayOut: 'Linux, Windows and macOS are supported; see "What works where" in the README',
  });
}

const chosen = choose();

export const os: Os = chosen.os;
/** The calls of the kernel itself, where it is NT; null where Sectile plays its part. */
export const nt: NtSystem | null = chosen.nt;
/**
 * Where a socket between processes of this machine can be listened to.
 *
 * @param folder A folder of the caller's own.
 */
export function socketAddress(folder: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\${basename(folder)}` : join(folder, 'socket');
}

export * from './handles.js';
export * from './mappings.js';
export * from './nt.js';
export * from './os.js';
